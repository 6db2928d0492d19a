/** Runs Deno's own commands. */
import { stripAnsi } from "./ansi.ts";

export interface Ran {
  success: boolean;
  out: string;
  err: string;
}

/** @param input what it reads from stdin */
export async function runDeno(
  args: string[],
  cwd: string,
  input?: string,
): Promise<Ran> {
  const child = new Deno.Command(Deno.execPath(), {
    args,
    cwd,
    env: { NO_COLOR: "1" },
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  // It can end, with an error, before it has read everything.
  const given = input !== undefined &&
    new Blob([input]).stream().pipeTo(child.stdin).catch(() => {});
  const { success, stdout, stderr } = await child.output();
  await given;
  const [out, err] = [stdout, stderr].map((b) => new TextDecoder().decode(b));
  return { success, out, err: stripAnsi(err) };
}
