/** How messages name a notebook's cells, and what a cell says of itself. */
import { type Cell, type Notebook, recordOf } from "./types.ts";
import { fit } from "../terminal_text.ts";

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

export const codeCells = (nb: Notebook): Cell[] =>
  nb.cells.filter((c) => c.cell_type === "code");

export const tagsOf = ({ metadata }: Cell): unknown[] =>
  Array.isArray(metadata?.tags) ? metadata.tags : [];
export const hasTag = (cell: Cell, tag: string): boolean =>
  tagsOf(cell).includes(tag);

const LIMIT = /^timeout=(.*)$/;

/**
 * Seconds that a cell may run by its tag `timeout=SECONDS`.
 * @throws {Error} in one line when the tag names no time
 */
export function timeLimit(cell: Cell): number | undefined {
  const tag = tagsOf(cell)
    .find((t): t is string => typeof t === "string" && LIMIT.test(t));
  if (tag === undefined) return;
  const text = LIMIT.exec(tag)![1];
  const seconds = Number(text);
  if (text.trim() && seconds > 0 && seconds < 1e6) return seconds;
  throw new Error(
    `its tag "${tag}" names no time; give seconds above 0, as timeout=30`,
  );
}

/** Checks all cells' tags. @throws {Error} ` cell N: …` */
export function checkLimits(nb: Notebook): void {
  for (const [i, cell] of nb.cells.entries()) {
    try {
      timeLimit(cell);
    } catch (e) {
      throw new Error(` ${cellName(nb.cells, i)}: ${(e as Error).message}`);
    }
  }
}

/** What `metadata.ferlab` of a cell holds that no run records. */
export function ownRecord(cell: Cell): Record<string, unknown> {
  const { status: _, seconds: _s, source: _t, key: _k, ...own } = recordOf(
    cell,
  );
  return own;
}

/** The last heading of a Markdown text; undefined without one. */
export const lastHeading = (source: string): string | undefined =>
  source.match(/^#+ +.*$/gm)?.at(-1)?.replace(/^#+ +/, "").trim();

const TITLE = 60; // columns

/** The last heading above a cell, else the cell's first line. */
export function cellTitle(nb: Notebook, index: number): string {
  const cell = nb.cells[index];
  const above = cell.cell_type === "markdown" ? cell : nb.cells.slice(0, index)
    .findLast((c) => c.cell_type === "markdown" && /^#+ /m.test(c.source));
  const line = cell.source.split("\n").find((l) => l.trim()) ?? "";
  return lastHeading(above?.source ?? "") ?? fit(line.trim(), TITLE);
}

const OURS = /^(deno|typescript|javascript)$/i;
const text = (v: unknown) => typeof v === "string" && v ? v : undefined;

/**
 * The name of the kernel that a notebook asks for, when it is not Deno's; a
 * notebook that names none is taken to be Deno's.
 */
export function foreignKernel({ metadata }: Notebook): string | undefined {
  const { kernelspec, language_info } = metadata as Record<
    string,
    Record<string, unknown> | null | undefined
  >;
  const name = text(kernelspec?.name);
  const language = text(kernelspec?.language) ?? text(language_info?.name);
  if (name && OURS.test(name)) return;
  if (language ? OURS.test(language) : !name) return;
  return name ? `"${name}"` : `one of ${language}`;
}

/** @throws {Error} in one line when `nb` is another kernel's */
export function refuseForeign(file: string, nb: Notebook): void {
  const kernel = foreignKernel(nb);
  if (kernel === undefined) return;
  throw new Error(
    `${file}: its kernel is ${kernel}; only Deno notebooks are run here ` +
      '(metadata.kernelspec.name "deno")',
  );
}
