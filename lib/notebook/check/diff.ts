/** Compares two notebooks cell by cell: sources, and what outputs say. */
import { diffArrays } from "diff";
import { cellName, cellTitle } from "../file/cells.ts";
import { compareOutputs, type OutputDifference } from "./compare_outputs.ts";
import { pairedBy } from "../file/cell_pairs.ts";
import type { Cell, Notebook } from "../file/types.ts";

export interface DiffLine {
  sign: " " | "-" | "+";
  text: string;
}

export interface CellDiff {
  kind: "same" | "changed" | "added" | "removed";
  /** the cell's order among the others is another */
  moved: boolean;
  /** the cell's name in the first and in the second notebook */
  before?: string;
  after?: string;
  id?: string;
  title: string;
  cellType: Cell["cell_type"];
  /** empty when the sources are equal */
  source: DiffLine[];
  outputs: OutputDifference[];
}

/** What happened to a cell: `cell 2 → cell 3, moved` */
export function cellHeading({ kind, before, after, moved }: CellDiff): string {
  if (kind === "added") return `${after} added`;
  if (kind === "removed") return `${before} removed`;
  const name = before === after ? after! : `${before} → ${after}`;
  return moved ? `${name}, moved` : name;
}

/** Outcome of {@link diffNotebooks}; cells in the second's order. */
export interface NotebookDiff {
  equal: boolean;
  cells: CellDiff[];
}

const MOST_LINES = 1000; // that differ; of more, none is looked for that stays

const signed = (lines: string[], sign: DiffLine["sign"]): DiffLine[] =>
  lines.map((text) => ({ sign, text }));

/** Line by line, by the longest common subsequence. */
export function diffLines(before: string, after: string): DiffLine[] {
  if (before === after) return [];
  const [a, b] = [before.split("\n"), after.split("\n")];
  const parts = diffArrays(a, b, { maxEditLength: MOST_LINES });
  if (!parts) return [...signed(a, "-"), ...signed(b, "+")];
  return parts.flatMap(({ value, added, removed }) =>
    signed(value, added ? "+" : removed ? "-" : " ")
  );
}

/** How often each word stands in a cell, and how many they are. */
function wordsOf({ source }: Cell) {
  const words = source.match(/[\p{L}\p{N}_$]+|[^\s\p{L}\p{N}]/gu) ?? [];
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return { counts, all: words.length };
}
type Words = ReturnType<typeof wordsOf>;

/** Words in common, 0 to 1 (Dice's coefficient over counted words). */
function similarity(a: Words, b: Words): number {
  let common = 0;
  for (const [word, n] of a.counts) {
    common += Math.min(n, b.counts.get(word) ?? 0);
  }
  return a.all + b.all ? 2 * common / (a.all + b.all) : 1;
}

const ALIKE = 0.5; // half of the words
const MOST_PAIRS = 1_000_000; // of cells; of more, none is looked for that is alike

/** Pairs cells: by id, then equal sources, then the most alike. */
function pairCells(a: Cell[], b: Cell[]): Map<number, number> {
  const sameKind = (i: number, j: number) => a[i].cell_type === b[j].cell_type;
  const found = pairedBy(b.length, a.length, [
    (j, i) => sameKind(i, j) && b[j].id !== undefined && a[i].id === b[j].id,
    (j, i) => sameKind(i, j) && a[i].source === b[j].source,
  ]);
  const free = new Set(a.keys()).difference(new Set(found));
  const pairs = new Map<number, number>(); // place in b → place in a
  for (const [j, i] of found.entries()) if (i !== undefined) pairs.set(j, i);
  const left = b.keys().filter((j) => !pairs.has(j)).toArray();
  if (free.size * left.length > MOST_PAIRS) return pairs;
  const words = new Map([...free].map((i) => [i, wordsOf(a[i])]));
  const rest = left.flatMap((j) => {
    const own = wordsOf(b[j]);
    return [...free].filter((i) => sameKind(i, j))
      .map((i) => ({ i, j, alike: similarity(words.get(i)!, own) }))
      .filter(({ alike }) => alike >= ALIKE);
  }).sort((x, y) => y.alike - x.alike);
  for (const { i, j } of rest) {
    if (pairs.has(j) || !free.delete(i)) continue;
    pairs.set(j, i);
  }
  return pairs;
}

/** Places in the second whose cells keep the first's order, as many as can. */
function keptOrder(pairs: Map<number, number>): Set<number> {
  const places = [...pairs.keys()].sort((x, y) => x - y);
  const inFirst = places.toSorted((x, y) => pairs.get(x)! - pairs.get(y)!);
  const parts = diffArrays(inFirst, places, { maxEditLength: MOST_LINES });
  return new Set(
    parts?.filter((p) => !p.added && !p.removed).flatMap((p) => p.value),
  );
}

/**
 * Compares the cells of two notebooks, paired by id, else by equal source,
 * else by half of their words. Metadata and execution counts do not count.
 * @param o.tolerance relative, for numbers in outputs; default 0
 * @param o.outputs false leaves the outputs out
 */
export async function diffNotebooks(
  before: Notebook,
  after: Notebook,
  o: { tolerance?: number; outputs?: boolean } = {},
): Promise<NotebookDiff> {
  const [a, b] = [before.cells, after.cells];
  const pairs = pairCells(a, b);
  const kept = keptOrder(pairs);
  const one = (nb: Notebook, index: number) => ({
    id: nb.cells[index].id,
    title: cellTitle(nb, index),
    cellType: nb.cells[index].cell_type,
    moved: false,
    outputs: [] as OutputDifference[],
  });
  const cells: CellDiff[] = [];
  const gone = new Set(a.keys());
  for (const i of pairs.values()) gone.delete(i);
  /** Cells of the first alone that stand from `from` on. */
  const addRemoved = (from: number) => {
    for (let i = from; gone.delete(i); i++) {
      cells.push({
        ...one(before, i),
        kind: "removed",
        before: cellName(a, i),
        source: signed(a[i].source.split("\n"), "-"),
      });
    }
  };
  addRemoved(0);
  for (const [j, cell] of b.entries()) {
    const after_ = cellName(b, j);
    const i = pairs.get(j);
    if (i === undefined) {
      cells.push({
        ...one(after, j),
        kind: "added",
        after: after_,
        source: signed(cell.source.split("\n"), "+"),
      });
      continue;
    }
    const source = diffLines(a[i].source, cell.source);
    const outputs = o.outputs === false ? [] : await compareOutputs(
      a[i].outputs ?? [],
      cell.outputs ?? [],
      o.tolerance ?? 0,
    );
    const moved = !kept.has(j);
    cells.push({
      ...one(after, j),
      kind: source.length || outputs.length || moved ? "changed" : "same",
      moved,
      before: cellName(a, i),
      after: after_,
      source,
      outputs,
    });
    addRemoved(i + 1);
  }
  return { equal: cells.every((c) => c.kind === "same"), cells };
}
