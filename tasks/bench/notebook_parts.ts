/** Processes of `deno task bench notebook`, theirs and ours. */
import { join, resolve } from "node:path";
import type { Cell } from "../../lib/notebook/mod.ts";

/** Where a measurement works, and with what. */
export interface Bench {
  folder: string;
  /** what all processes get, theirs and ours */
  env: Record<string, string>;
  /** the folder of the Python tools; absent without peers */
  bin?: string;
}

const CLI = resolve(import.meta.dirname!, "../../lib/notebook/cli.ts");

const process = (bench: Bench, program: string, args: string[]) =>
  new Deno.Command(program, {
    args,
    cwd: bench.folder,
    env: bench.env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });

/** Our tool as a process. */
export const ours = (bench: Bench, ...args: string[]) =>
  process(bench, Deno.execPath(), ["run", "-A", CLI, ...args]);

/** One of the Python tools as a process. */
export const theirs = (bench: Bench, tool: string, ...args: string[]) =>
  process(bench, join(bench.bin!, tool), args);

/** @throws {Error} with the end of its stderr when it fails */
export async function done(command: Deno.Command): Promise<void> {
  const { success, stderr } = await command.output();
  if (success) return;
  throw new Error(new TextDecoder().decode(stderr).trim().slice(-2000));
}

/** All that a cell of a saved notebook printed. */
export const printed = (cell: Cell): string =>
  cell.outputs!.map((o) => o.output_type === "stream" ? o.text : "").join("");
