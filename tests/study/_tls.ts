// Certificates made by openssl, for one test.
import { join } from "node:path";

async function openssl(dir: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", {
    args,
    cwd: dir,
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** A root certificate `<name>.crt` with its key. */
export async function makeRoot(dir: string, name: string): Promise<string> {
  await openssl(
    dir,
    ...["req", "-x509", ...KEY, "-days", "2", "-subj", `/CN=${name}`],
    ...["-keyout", `${name}.key`, "-out", `${name}.crt`],
  );
  return join(dir, `${name}.crt`);
}

/** `server.crt` and `server.key` for a host, signed by a root. */
export async function makeServer(
  dir: string,
  root: string,
  host: string,
): Promise<void> {
  await openssl(
    dir,
    ...["req", ...KEY, "-subj", `/CN=${host}`],
    ...["-keyout", "server.key", "-out", "server.csr"],
  );
  const extensions = join(dir, "extensions");
  await Deno.writeTextFile(extensions, `subjectAltName=DNS:${host}`);
  await openssl(
    dir,
    ...["x509", "-req", "-in", "server.csr", "-days", "2"],
    ...["-CA", `${root}.crt`, "-CAkey", `${root}.key`, "-CAcreateserial"],
    ...["-extfile", extensions, "-out", "server.crt"],
  );
}
