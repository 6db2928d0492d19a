/** A notebook's source and what was executed of it: the files, and their cells. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { codeCells, hasTag } from "./cells.ts";
import { type Cell, type Notebook, readNotebook } from "./types.ts";

/** The two files of a notebook; they may be one. */
export interface NotebookPair {
  source: string;
  executed: string;
}

/** Finds the source and the executed notebook from either. */
export function notebookPair(file: string): NotebookPair {
  const path = resolve(file);
  const source = path.replace(/\.executed\.ipynb$/, ".ipynb");
  const executed = source.replace(/(\.ipynb)?$/, ".executed.ipynb");
  return {
    source: existsSync(source) ? source : path,
    executed: existsSync(executed) ? executed : path,
  };
}

const isInjected = (cell: Cell) => hasTag(cell, "injected-parameters");

/**
 * The code cells to run: the source's, with the injected parameters of the
 * executed notebook when the source has none of its own.
 */
export function currentCells(source: Notebook, executed: Notebook): Cell[] {
  const cells = codeCells(source);
  const injected = codeCells(executed).find(isInjected);
  const at = cells.findIndex((c) => hasTag(c, "parameters"));
  if (!injected || at < 0 || cells.some(isInjected)) return cells;
  return cells.toSpliced(at + 1, 0, injected);
}

/** Whether the `i`th of some things is the `j`th of others. */
export type PairRule = (i: number, j: number) => boolean;

/**
 * For each of `count` things the one of `others` that it is: by the first rule,
 * else by the next; none is taken twice.
 */
export function pairedBy(
  count: number,
  others: number,
  rules: PairRule[],
): (number | undefined)[] {
  const found: (number | undefined)[] = Array(count).fill(undefined);
  const free = new Set(Array(others).keys());
  for (const fits of rules) {
    for (const i of found.keys()) {
      if (found[i] !== undefined) continue;
      found[i] = free.values().find((j) => fits(i, j));
      if (found[i] !== undefined) free.delete(found[i]);
    }
  }
  return found;
}

/**
 * For each of `cells` the executed cell that it was: by id, else by an equal
 * source, else by its place.
 */
export function executedCells(
  cells: Cell[],
  executed: Notebook,
): (Cell | undefined)[] {
  const others = codeCells(executed);
  return pairedBy(cells.length, others.length, [
    (i, j) => cells[i].id !== undefined && cells[i].id === others[j].id,
    (i, j) => cells[i].source === others[j].source,
    (i, j) =>
      i === j && (cells[i].id === undefined || others[j].id === undefined),
  ]).map((j) => j === undefined ? undefined : others[j]);
}

/**
 * The executed notebook of a pair. One that cannot be read, cut by a full disk
 * say, counts as none: `unread` tells why.
 */
export async function readExecuted(
  pair: NotebookPair,
  source: Notebook,
): Promise<{ executed: Notebook; unread?: string }> {
  if (pair.executed === pair.source) return { executed: source };
  try {
    return { executed: await readNotebook(pair.executed) };
  } catch (e) {
    const unread = `its results are not used: ${(e as Error).message}`;
    return { executed: { ...source, cells: [] }, unread };
  }
}
