/** Makes notebooks for these tests. */
import { join, resolve } from "node:path";
import type { Cell, Notebook, Output } from "../../lib/notebook/mod.ts";
import { inFolder } from "../_folder.ts";

export const ROOT = resolve(import.meta.dirname!, "../..");
const SVG = "http://www.w3.org/2000/svg";

/** A code cell; with outputs it counts as executed. */
export function code(source: string, outputs?: Output[], tag?: string): Cell {
  return {
    cell_type: "code",
    source,
    metadata: tag ? { tags: [tag] } : {},
    outputs: outputs ?? [],
    execution_count: outputs ? 1 : null,
  };
}

export const markdown = (source: string): Cell => ({
  cell_type: "markdown",
  source,
  metadata: {},
});

export const notebook = (...cells: Cell[]): Notebook => ({
  nbformat: 4,
  nbformat_minor: 4,
  metadata: { kernelspec: { name: "deno", display_name: "Deno" } },
  cells,
});

export const stream = (text: string): Output => ({
  output_type: "stream",
  name: "stdout",
  text,
});

export const display = (mime: string, value: unknown): Output => ({
  output_type: "display_data",
  data: { [mime]: value },
  metadata: {},
});

/** A chart with a clip path, as two cells of a kernel would make it. */
export const chart = `<svg xmlns="${SVG}" viewBox="0 0 9 9"><clipPath ` +
  `id="clip"><rect width="9" height="9"/></clipPath>` +
  `<g clip-path="url(#clip)"><use href="#clip"/></g></svg>`;

/** Runs `body` with a folder that is removed after it. */
export const withFolder = (
  body: (folder: string, file: (name: string) => string) => Promise<void>,
): Promise<void> =>
  inFolder((folder) => body(folder, (name) => join(folder, name)));

/** All text that a cell printed. */
export const printed = (cell: Cell): string =>
  cell.outputs!.map((o) => o.output_type === "stream" ? o.text : "").join("");

/** The cell's error output. */
export function errorOf(cell: Cell) {
  const error = cell.outputs!.find((o) => o.output_type === "error");
  if (error?.output_type !== "error") throw new Error("the cell did not fail");
  return error;
}

/** What a run recorded of a cell. */
export const status = (cell: Cell) =>
  (cell.metadata.ferlab as { status?: string }).status;

/** Whether the process runs; one that only waits to be counted does not. */
export function alive(pid: number): boolean {
  const { stdout } = new Deno.Command("ps", {
    args: ["-o", "stat=", "-p", String(pid)],
  }).outputSync();
  return /^[^Z\s]/.test(new TextDecoder().decode(stdout));
}
