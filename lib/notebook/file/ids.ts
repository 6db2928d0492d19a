/** Ids of cells (nbformat 4.5): what is wrong with them, and new ones. */
import { createHash } from "node:crypto";
import type { Node } from "jsonc-parser";
import { jsonLike, jsonSpan, lineBreak, type TextEdit } from "./json_text.ts";
import type { Cell, Notebook } from "./types.ts";

/** Some hex digits that stand for a text or bytes. */
export const shortHash = (
  content: string | Uint8Array,
  digits = 12,
): string =>
  createHash("sha256").update(content).digest("hex").slice(0, digits);

const LONGEST = 64; // characters of an id

/** Why `id` is none; undefined when it is one. */
export function idProblem(id: unknown): string | undefined {
  if (typeof id !== "string") return "is no text";
  if (!id) return "is empty";
  if (id.length > LONGEST) return `has more than ${LONGEST} characters`;
  if (!/^[\w-]+$/.test(id)) {
    return "has other characters than letters, digits, - and _";
  }
}

/**
 * Ids for cells without a valid one of their own, from kind and source, so
 * that the same notebook gets the same ids wherever it is written.
 * @returns new ids by the cell's place, from 0
 */
function newIds(cells: Cell[]): Map<number, string> {
  const taken = new Set<string>();
  const missing = [...cells.keys()].filter((i) => {
    const { id } = cells[i];
    if (id === undefined || idProblem(id) || taken.has(id)) return true;
    taken.add(id);
    return false;
  });
  const given = new Map<number, string>();
  for (const i of missing) {
    const { cell_type, source } = cells[i];
    let id: string, n = 0;
    do id = shortHash(`${cell_type}\n${source}\n${n++}`, 8); while (
      taken.has(id)
    );
    taken.add(id);
    given.set(i, id);
  }
  return given;
}

/** Whether the notebook's cells are to have ids: by its version, or as they do. */
const wantsIds = (nb: Notebook) =>
  nb.nbformat_minor >= 5 || nb.cells.some(({ id }) => id !== undefined);

/** Makes the ids of a notebook valid; one of before 4.5 without ids stays so. */
export function ensureIds(nb: Notebook): void {
  if (!wantsIds(nb)) return;
  for (const [i, id] of newIds(nb.cells)) nb.cells[i].id = id;
  nb.nbformat_minor = Math.max(nb.nbformat_minor ?? 0, 5);
}

/**
 * The same as edits of the notebook's text.
 * @param all also where a notebook of before 4.5 has no ids
 * @returns the edits, and the new ids by the cell's place
 */
export function idEdits(
  nb: Notebook,
  text: string,
  root: Node,
  all = false,
): { edits: TextEdit[]; ids: Map<number, string> } {
  const edits: TextEdit[] = [];
  if (!all && !wantsIds(nb)) return { edits, ids: new Map() };
  const ids = newIds(nb.cells);
  for (const [i, id] of ids) {
    const old = jsonSpan(root, "cells", i, "id");
    if (old) {
      edits.push({ ...old, text: jsonLike(text, old.start, id) });
      continue;
    }
    const { start, end } = jsonSpan(root, "cells", i, "cell_type")!;
    const gap = /^\s*\{\s*\n/.test(text) ? lineBreak(text, start) : " ";
    edits.push({ start: end, end, text: `,${gap}"id": "${id}"` });
  }
  const minor = jsonSpan(root, "nbformat_minor");
  const has = nb.cells.some(({ id }) => id !== undefined);
  if (minor && nb.nbformat_minor < 5 && (ids.size || has)) {
    edits.push({ ...minor, text: "5" });
  }
  return { edits, ids };
}
