/** Where a page comes from: what its notebook and its folder tell. */
import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { hasTag } from "../file/cells.ts";
import type { Changes } from "./stale.ts";
import { projectFolder } from "../project.ts";
import { type Cell, errorIn, type Notebook, recordOf } from "../file/types.ts";

/** Names and values, in the order they are shown. */
export type Provenance = Record<string, string>;

const ASSIGNED =
  /^(?:let\s+|const\s+)?([\p{L}_$][\p{L}\p{N}_$]*)(?:\s*:[^=]+)?\s*=\s*("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^;]+?)\s*(?:;.*|\/\/.*)?$/u;
/** No one reads a parameter from a longer line. */
const LONGEST_LINE = 2_000;

/** Values assigned in the cells of parameters, as they are written. */
export function assignedParameters(nb: Notebook): Map<string, string> {
  const values = new Map<string, string>();
  for (const cell of nb.cells) {
    const sets = hasTag(cell, "parameters") ||
      hasTag(cell, "injected-parameters");
    if (cell.cell_type !== "code" || !sets) continue;
    for (const line of cell.source.split("\n")) {
      if (line.length > LONGEST_LINE) continue;
      const [, name, value] = ASSIGNED.exec(line) ?? [];
      if (name) values.set(name, value);
    }
  }
  return values;
}

async function git(folder: string, ...args: string[]) {
  try {
    const { success, stdout } = await new Deno.Command("git", {
      args: ["-C", folder, ...args],
      stderr: "null",
      stdin: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch {
    return; // no git here
  }
}

async function lockHash(folder: string): Promise<string | undefined> {
  try {
    const lock = join(projectFolder(folder), "deno.lock");
    const hash = createHash("sha256").update(await Deno.readFile(lock));
    return `sha256 ${hash.digest("hex").slice(0, 16)}`;
  } catch {
    return; // there is none
  }
}

/** Fields of `metadata.ferlab` (written by a run) and what they are called. */
const RECORDED: [string, string][] = [
  ["started", "Run started"],
  ["status", "Run ended"],
  ["deno", "Deno"],
];

/** The commit of a notebook's folder, and whether git knows the notebook. */
async function commitOf(file: string): Promise<string | undefined> {
  const folder = dirname(file);
  const [commit, changes, tracked] = await Promise.all([
    git(folder, "rev-parse", "--short=12", "HEAD"),
    git(folder, "status", "--porcelain", "--untracked-files=no"),
    git(folder, "ls-files", "--error-unmatch", "--", basename(file)),
  ]);
  if (changes === undefined) return; // no working tree
  const unknown = "this notebook is not tracked by git";
  if (!commit) return unknown;
  return commit +
    (changes ? ", with uncommitted changes" : ", nothing uncommitted") +
    (tracked === undefined ? `; ${unknown}` : "");
}

/** A list of which a long rest is counted. */
export const shortList = (all: string[]): string =>
  all.length > 6
    ? `${all.slice(0, 5).join(", ")} and ${all.length - 5} more`
    : all.join(", ");

/**
 * What the page can tell of its making: the notebook's name, what its run
 * recorded and what changed since, its parameters and seeds, and, as they are
 * when the page is made, the commit and the lock file of the folder it lies in.
 * What nothing tells is left out. Runs `git`, nothing else.
 */
export async function collectProvenance(
  file: string,
  nb: Notebook,
  changes?: Changes,
): Promise<Provenance> {
  const [commit, lock] = await Promise.all([
    commitOf(file),
    lockHash(dirname(file)),
  ]);
  const run = recordOf(nb);
  const found: Provenance = { Notebook: basename(file) };
  for (const [key, name] of RECORDED) {
    const value = run[key];
    if (typeof value === "string" || typeof value === "number") {
      found[name] = String(value);
    }
  }
  if (changes?.cells.size) {
    const numbers = [...changes.cells.keys()];
    found["Changed since the run"] = `${
      numbers.length === 1 ? "cell" : "cells"
    } ${numbers.join(", ")}`;
  }
  if (changes?.beside.length) {
    found["Other since the run"] = shortList(changes.beside);
  }
  if (commit) found["Commit when exported"] = commit;
  if (lock) found["Lock file when exported"] = lock;
  const parameters = [...assignedParameters(nb)];
  const list = (of: [string, string][]) =>
    of.map(([name, value]) => `${name} = ${value}`).join("\n");
  if (parameters.length) found.Parameters = list(parameters);
  const seeds = parameters.filter(([name]) => /seed/i.test(name));
  if (seeds.length) found.Seeds = list(seeds);
  return found;
}

/** Seconds that a cell ran, where its run recorded them. */
export function cellSeconds(cell: Cell): number | undefined {
  const value = recordOf(cell).seconds;
  return typeof value === "number" && Number.isFinite(value)
    ? value
    : undefined;
}

/** 0.5 → "0.50 s", 967 → "16 min 7 s", 7300 → "2 h 1 min". */
export function runTime(seconds: number): string {
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const s = Math.round(seconds);
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return h ? `${h} h ${m} min` : `${m} min ${s % 60} s`;
}

/** How a notebook's run ended, as its cells tell. */
export interface RunState {
  status: "ok" | "failed" | "partly run" | "not run";
  /** of all cells that recorded it */
  seconds: number | undefined;
  /** code cells with code that were not run, though others were */
  missing: number;
  /** number of the cell that failed, from 1 among code cells */
  failed: number | undefined;
}

/** The error that a cell did not mean to raise. */
export const failureOf = (cell: Cell) =>
  hasTag(cell, "raises-exception") ? undefined : errorIn(cell);

/** Left out on purpose, or nothing to run. */
const isIdle = (cell: Cell) => !cell.source.trim() || hasTag(cell, "skip");

export function runState(code: Cell[]): RunState {
  const executed = code.some((c) =>
    c.execution_count != null || cellSeconds(c) !== undefined
  );
  const missing = executed
    ? code.filter((c) =>
      c.execution_count == null && !isIdle(c) && !failureOf(c)
    ).length
    : 0;
  const at = code.findIndex((c) => failureOf(c));
  const times = code.map(cellSeconds).filter((s) => s !== undefined);
  return {
    status: at >= 0
      ? "failed"
      : !executed
      ? "not run"
      : missing
      ? "partly run"
      : "ok",
    seconds: times.length ? times.reduce((a, b) => a + b, 0) : undefined,
    missing,
    failed: at >= 0 ? at + 1 : undefined,
  };
}
