/** What checks of a notebook find. */
import { cellName } from "./cells.ts";
import type { Notebook } from "./types.ts";

export interface Finding {
  file: string;
  /** the cell as messages name it: `cell 2`, `markdown cell 1` */
  cell?: string;
  id?: string;
  /** from 1, in the cell; in the file where there is no cell */
  line?: number;
  kind:
    | "syntax"
    | "types"
    | "lint"
    | "names"
    | "parameters"
    | "ids"
    | "outputs"
    | "stale"
    | "metadata"
    | "file";
  message: string;
}

/** `file cell N line L: message` */
export const findingText = (f: Finding): string =>
  f.file + (f.cell ? ` ${f.cell}` : "") + (f.line ? ` line ${f.line}` : "") +
  `: ${f.message}`;

export interface Checked {
  file: string;
  nb: Notebook;
  jsx: boolean;
  findings: Finding[];
}

/** A finding at a cell, by its place among all cells. */
export function at(
  { file, nb }: Checked,
  index: number,
  kind: Finding["kind"],
  message: string,
  line?: number,
): Finding {
  const { id } = nb.cells[index];
  const cell = cellName(nb.cells, index);
  return { file, cell, ...(id ? { id } : {}), line, kind, message };
}
