import assert from "node:assert/strict";
import { join } from "node:path";

/** The project's folder, with a slash. */
export const ROOT = new URL("..", import.meta.url).pathname;

/** A program of this project by its path in it. */
export const program = (
  path: string,
  args: string[],
  o: Deno.CommandOptions = {},
) =>
  new Deno.Command(Deno.execPath(), {
    ...{ args: ["run", "-A", "--no-check", join(ROOT, path), ...args], ...o },
  });

/** Runs a program of this project as a user would and gives what it said. */
export async function finished(command: Deno.Command) {
  const { code, stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  // Deno itself says what it downloads, or that it waits for another one.
  const err = text(stderr).replace(/^\S*(?:Download|Blocking)\S* .*\n/gm, "");
  return { code, out: text(stdout), err };
}

/** Kills a program as soon as `reached` says so of all that it printed. */
export async function killedWhen(
  child: Deno.ChildProcess,
  reached: (printed: string) => boolean,
): Promise<void> {
  let printed = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    printed += text;
    if (reached(printed)) child.kill("SIGKILL");
  }
  assert.equal((await child.status).signal, "SIGKILL");
}

/** Runs a program of this project by its path, without colours. */
export const ran = (
  path: string,
  args: string[],
  { env, ...o }: Deno.CommandOptions = {},
) => finished(program(path, args, { ...o, env: { NO_COLOR: "1", ...env } }));
