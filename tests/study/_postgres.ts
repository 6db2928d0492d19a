// A PostgreSQL cluster of a test file's own, in a temporary folder.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../tasks/optuna_dashboard.ts";

async function run(command: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args,
    // Where its user may be, too.
    cwd: "/",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new Error(`${command} ${args}: ${text(stderr)}`);
  return text(stdout);
}

/** A folder with PostgreSQL's programs, the newest that Debian has. */
function findPrograms(): string | undefined {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian)
    ? readdirSync(debian).sort((a, b) => Number(b) - Number(a))
    : [];
  return [
    ...(Deno.env.get("PATH") ?? "").split(":"),
    ...versions.map((v) => join(debian, v, "bin")),
  ].find((dir) =>
    ["initdb", "pg_ctl", "psql"].every((name) => existsSync(join(dir, name)))
  );
}

async function programs(): Promise<string | undefined> {
  const found = findPrograms();
  if (found || Deno.env.get("CI") !== "true" || Deno.uid() !== 0) return found;
  console.error("installing PostgreSQL");
  await run("apt-get", "update");
  await run(
    "apt-get",
    "install",
    "-y",
    "--no-install-recommends",
    "postgresql",
  );
  return findPrograms();
}

/** What PostgreSQL, which refuses to run as root, is run as. */
async function asUser(): Promise<string[]> {
  if (Deno.uid() !== 0) return [];
  const users = (await Deno.readTextFile("/etc/passwd")).split("\n")
    .map((line) => line.split(":")[0]);
  const user = users.includes("postgres") ? "postgres" : "nobody";
  return [
    "setpriv",
    `--reuid=${user}`,
    `--regid=${(await run("id", "-gn", user)).trim()}`,
    "--clear-groups",
  ];
}

export const USER = "ferlab";
export const PASSWORD = "s3cret word/@:?#%";

/** A running cluster; its superuser is USER with PASSWORD. */
export class Cluster {
  #databases = 0;

  private constructor(
    readonly dir: string,
    readonly port: number,
    readonly bin: string,
    readonly user: string[],
  ) {}

  static async start(bin: string): Promise<Cluster> {
    const dir = await Deno.makeTempDir();
    const user = await asUser();
    const passwordFile = join(dir, "password");
    await Deno.writeTextFile(passwordFile, PASSWORD);
    if (user.length) {
      const [, uid, gid] = user.map((part) => part.split("=")[1]);
      await run("chown", "-R", `${uid}:${gid}`, dir);
    }
    const cluster = new Cluster(dir, freePort(), bin, user);
    await cluster.program(
      "initdb",
      ...["-D", cluster.data, "-U", USER, `--pwfile=${passwordFile}`],
      ...["-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync"],
    );
    await Deno.writeTextFile(
      join(cluster.data, "postgresql.auto.conf"),
      `listen_addresses = '127.0.0.1'
port = ${cluster.port}
unix_socket_directories = '${dir}'
fsync = off
timezone = 'UTC'
`,
    );
    await cluster.up();
    return cluster;
  }

  get data(): string {
    return join(this.dir, "data");
  }

  program(name: string, ...args: string[]): Promise<string> {
    const [command, ...rest] = [...this.user, join(this.bin, name), ...args];
    return run(command, ...rest);
  }

  up(): Promise<string> {
    const log = join(this.dir, "log");
    return this.program("pg_ctl", "-D", this.data, "-l", log, "-w", "start");
  }

  down(how: "fast" | "immediate" = "fast"): Promise<string> {
    return this.program("pg_ctl", "-D", this.data, "-m", how, "-w", "stop");
  }

  /** Runs SQL as the superuser; the output's lines. */
  async sql(text: string, database = "postgres"): Promise<string[]> {
    const url = this.url(database);
    const out = await this.program("psql", url, "-XAtqc", text);
    return out.split("\n").filter((line) => line !== "");
  }

  /** Turns TLS on for new connections. */
  async useTls(certificate: string, key: string): Promise<void> {
    const files = { "server.crt": certificate, "server.key": key };
    for (const [name, text] of Object.entries(files)) {
      const file = join(this.data, name);
      await Deno.writeTextFile(file, text, { mode: 0o600 });
      const { uid, gid } = await Deno.stat(this.data);
      await Deno.chown(file, uid, gid);
    }
    await this.sql("ALTER SYSTEM SET ssl TO on");
    // Not a reload, which answers before it has happened.
    await this.down();
    await this.up();
  }

  /** The URL of a database, as USER. */
  url(database: string): string {
    const password = encodeURIComponent(PASSWORD);
    return `postgresql://${USER}:${password}@127.0.0.1:${this.port}/${database}`;
  }

  /** The URL of a new, empty database. */
  async database(): Promise<string> {
    const name = `test${++this.#databases}`;
    await this.sql(`CREATE DATABASE ${name}`);
    return this.url(name);
  }

  async stop(): Promise<void> {
    await this.down("immediate").catch(() => {});
    await Deno.remove(this.dir, { recursive: true });
  }
}

/**
 * The cluster of the calling test file: started by the first test that asks,
 * stopped when all are done. Undefined where there is no PostgreSQL.
 */
export async function postgresForTests(): Promise<
  (() => Promise<Cluster>) | undefined
> {
  const bin = await programs();
  if (!bin) {
    console.error(
      "no PostgreSQL here (initdb, pg_ctl and psql are neither on PATH nor " +
        "in /usr/lib/postgresql): its tests are left out",
    );
    return undefined;
  }
  let cluster: Promise<Cluster> | undefined;
  Deno.test.afterAll(async () => (await cluster)?.stop());
  return () => cluster ??= Cluster.start(bin);
}
