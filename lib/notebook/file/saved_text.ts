/** A saved notebook in which some cells change, and no other byte does. */
import { isDeepStrictEqual } from "node:util";
import { hasTag, ownRecord } from "./cells.ts";
import { ensureIds } from "./ids.ts";
import {
  applyEdits,
  jsonLike,
  jsonSpan,
  jsonTree,
  lineBreak,
  replaceText,
} from "./json_text.ts";
import { executedCells } from "./cell_pairs.ts";
import { inTurn } from "../concurrency.ts";
import { type Cell, cellJson, type Notebook, recordOf } from "./types.ts";

/** A code cell as the source has it, with the results that are still its own. */
function withResults(cell: Cell, was: Cell | undefined): Cell {
  if (hasTag(cell, "skip")) return cell;
  const isSame = was?.source === cell.source;
  const { ferlab: _, ...metadata } = cell.metadata;
  const ferlab = { ...isSame ? recordOf(was) : {}, ...ownRecord(cell) };
  return {
    ...cell,
    ...was?.id === undefined ? {} : { id: was.id },
    metadata: {
      ...isSame ? was.metadata : {},
      ...metadata,
      ...Object.keys(ferlab).length > 0 ? { ferlab } : {},
    },
    outputs: isSame ? was.outputs : [],
    execution_count: isSame ? was.execution_count : null,
  };
}

/**
 * The executed notebook with what the source has now: its text cells, and its
 * code cells in their order, each with the results of its own source.
 *
 * @param cells the code cells of the source, with the injected one if it has one
 * @returns undefined when that changes nothing
 */
export function upToDate(
  source: Notebook,
  executed: Notebook,
  cells: Cell[],
): Notebook | undefined {
  const was = executedCells(cells, executed);
  const results = new Map(cells.map((c, i) => [c, withResults(c, was[i])]));
  const injected = cells.find((c) => !source.cells.includes(c));
  const declares = source.cells.find((c) => hasTag(c, "parameters"));
  const order = source.cells.flatMap((c) =>
    c === declares && injected ? [c, injected] : [c]
  );
  const texts = new Set(executed.cells.filter((c) => c.cell_type !== "code"));
  const now = order.map((cell) => {
    if (cell.cell_type === "code") return { ...results.get(cell)! };
    const twin = [...texts].find((t) =>
      cell.id === undefined ? t.source === cell.source : t.id === cell.id
    );
    if (twin) texts.delete(twin);
    return { ...cell, ...twin?.id === undefined ? {} : { id: twin.id } };
  });
  const made = { ...executed, cells: now };
  ensureIds(made);
  const json = (of: Cell[]) => of.map(cellJson);
  return isDeepStrictEqual(json(now), json(executed.cells)) ? undefined : made;
}

/** The text of a saved notebook, and the cells that are put into it. */
export class SavedText {
  readonly #text: string;
  readonly #cells: { start: number; end: number }[];
  readonly #places: number[]; // of the code cells among all cells
  readonly #changed = new Map<number, Cell>(); // by number in the source

  /** @param was for each cell of the source: its code cell in `text` */
  constructor(
    text: string,
    nb: Notebook,
    readonly was: (Cell | undefined)[],
    readonly out: string,
  ) {
    this.#text = text;
    const root = jsonTree(text);
    this.#cells = nb.cells.map((_, i) => jsonSpan(root, "cells", i)!);
    this.#places = was.map((cell) => cell ? nb.cells.indexOf(cell) : -1);
  }

  put(number: number, cell: Cell) {
    this.#changed.set(number, cell);
  }

  save = inTurn(() => replaceText(this.out, this.#made()));

  #made(): string {
    const text = this.#text, cells = this.#cells;
    const edits = [...this.#changed].map(([number, cell]) => {
      const json = cellJson(cell);
      const at = this.#places[number - 1];
      if (at >= 0) {
        return { ...cells[at], text: jsonLike(text, cells[at].start, json) };
      }
      // A cell that is new: behind the nearest one above that is there.
      const above = this.#places.slice(0, number - 1).findLast((p) => p >= 0);
      const near = cells[above ?? 0];
      const made = jsonLike(text, near.start, json);
      const gap = lineBreak(text, near.start);
      return above === undefined
        ? { start: near.start, end: near.start, text: made + "," + gap }
        : { start: near.end, end: near.end, text: "," + gap + made };
    });
    return applyEdits(text, edits);
  }
}
