/** How messages name a notebook's cells, and what a cell says of itself. */
import type { Cell, Notebook } from "./types.ts";

/**
 * A cell as messages name it: `cell 3` is the third code cell, as in a run and
 * on an exported page; others are counted by their kind (`markdown cell 2`).
 * @param index place among all cells, from 0
 */
export function cellName(cells: Cell[], index: number): string {
  const kind = cells[index].cell_type;
  const number = cells.slice(0, index + 1)
    .filter((c) => c.cell_type === kind).length;
  return kind === "code" ? `cell ${number}` : `${kind} cell ${number}`;
}

export const hasTag = (cell: Cell, tag: string): boolean =>
  Array.isArray(cell.metadata.tags) && cell.metadata.tags.includes(tag);

/** What `metadata.ferlab` of a cell holds that no run records. */
export function ownRecord(cell: Cell): Record<string, unknown> {
  const { status: _, seconds: _s, source: _t, key: _k, ...own } =
    (cell.metadata.ferlab ?? {}) as Record<string, unknown>;
  return own;
}

/** The last heading above a cell, else the cell's first line. */
export function cellTitle(nb: Notebook, index: number): string {
  const cell = nb.cells[index];
  const above = cell.cell_type === "markdown" ? cell : nb.cells.slice(0, index)
    .findLast((c) => c.cell_type === "markdown" && /^#+ /m.test(c.source));
  const heading = above?.source.match(/^#+ +.*$/gm)?.at(-1);
  const line = cell.source.split("\n").find((l) => l.trim()) ?? "";
  return heading?.replace(/^#+ +/, "").trim() ?? line.trim().slice(0, 60);
}
