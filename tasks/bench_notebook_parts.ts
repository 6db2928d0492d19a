/** Processes and lines of results for `deno task bench notebook`. */
import { join, resolve } from "node:path";
import type { Cell } from "../lib/notebook/mod.ts";

/** Where a measurement works, and with what. */
export interface Bench {
  folder: string;
  /** what all processes get, theirs and ours */
  env: Record<string, string>;
  /** the folder of the Python tools; absent without peers */
  bin?: string;
}

const CLI = resolve(import.meta.dirname!, "../lib/notebook/cli.ts");

/** To four digits. */
export const round = (x: number) => Number(x.toPrecision(4));
/** Prints one line of results. */
export const print = (row: Record<string, unknown>) =>
  console.log(JSON.stringify(row));

/** The middle one, or the mean of the two. */
export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2
    ? sorted[middle]
    : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Our tool as a process. */
export const ours = (bench: Bench, ...args: string[]) =>
  new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", CLI, ...args],
    cwd: bench.folder,
    env: bench.env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });

/** One of the Python tools as a process. */
export const theirs = (bench: Bench, tool: string, ...args: string[]) =>
  new Deno.Command(join(bench.bin!, tool), {
    args,
    cwd: bench.folder,
    env: bench.env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });

/** @throws {Error} with the end of its stderr when it fails */
export async function done(command: Deno.Command): Promise<void> {
  const { success, stderr } = await command.output();
  if (success) return;
  throw new Error(new TextDecoder().decode(stderr).trim().slice(-2000));
}

/** All that a cell of a saved notebook printed. */
export const printed = (cell: Cell): string =>
  cell.outputs!.map((o) => o.output_type === "stream" ? o.text : "").join("");

/** A line of results: ours beside a peer's, and beside the goal. */
export function line(
  measure: string,
  o: {
    peer?: string;
    ours: number[];
    theirs?: number[];
    /** most that the ratio may be, or ours in ms */
    goal?: { ratio: number } | { ours: number };
    more?: Record<string, unknown>;
  },
) {
  const mine = median(o.ours);
  const other = o.theirs && median(o.theirs);
  const ratio = other === undefined ? undefined : mine / other;
  const range = (x: number[]) => [Math.min(...x), Math.max(...x)].map(round);
  const goal = !o.goal ? {} : "ratio" in o.goal
    ? {
      goal: `ratio <= ${o.goal.ratio}`,
      met: ratio === undefined ? null : ratio <= o.goal.ratio,
    }
    : { goal: `ours < ${o.goal.ours}`, met: mine < o.goal.ours };
  print({
    measure,
    unit: "ms",
    peer: o.theirs ? o.peer : null,
    ours: round(mine),
    theirs: other === undefined ? null : round(other),
    ratio: ratio === undefined ? null : round(ratio),
    ...goal,
    rounds: o.ours.length,
    oursRange: range(o.ours),
    ...(o.theirs ? { theirsRange: range(o.theirs) } : {}),
    ...o.more,
  });
}
