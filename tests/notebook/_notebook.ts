/** Makes notebooks for these tests. */
import { join, resolve } from "node:path";
import {
  type Cell,
  exportHtml,
  type Notebook,
  type Output,
  readNotebook,
  type RunEvent,
  runNotebook,
  type RunOptions,
  type RunResult,
  writeNotebook,
} from "../../lib/notebook/mod.ts";
import { inFolder, testsWith } from "../_folder.ts";
import { finished, program } from "../_run.ts";

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

/** A notebook of cells; a text is a code cell's source. */
export const notebook = (...cells: (Cell | string)[]): Notebook => ({
  nbformat: 4,
  nbformat_minor: 4,
  metadata: { kernelspec: { name: "deno", display_name: "Deno" } },
  cells: cells.map((c) => typeof c === "string" ? code(c) : c),
});

/** Writes such a notebook. */
export const save = (
  path: string,
  ...cells: (Cell | string)[]
): Promise<void> => writeNotebook(path, notebook(...cells));

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

export const failure = (
  ename: string,
  evalue: string,
  ...traceback: string[]
): Output => ({ output_type: "error", ename, evalue, traceback });

/** What is of the notebook in a page. */
export const bodyOf = (html: string): string =>
  html.slice(html.indexOf("<main "), html.indexOf("</main>"));

/** What a page shows of cells. */
export const shown = async (...cells: Cell[]): Promise<string> =>
  bodyOf(await exportHtml(notebook(...cells)));

/** A chart with a clip path, as two cells of a kernel would make it. */
export const chart = `<svg xmlns="${SVG}" viewBox="0 0 9 9"><clipPath ` +
  `id="clip"><rect width="9" height="9"/></clipPath>` +
  `<g clip-path="url(#clip)"><use href="#clip"/></g></svg>`;

/** Does work with the paths of names in a temporary folder, "." its own. */
export const withFiles = (
  body: (file: (name: string) => string) => Promise<void>,
): Promise<void> => inFolder((folder) => body((name) => join(folder, name)));

export const filesTest = testsWith(withFiles);

/** `deno task nb` in a folder, with `env` beside the environment. */
export const nbCommand = (
  cwd: string,
  args: string[],
  env: Record<string, string> = {},
): Deno.Command =>
  program("lib/notebook/cli.ts", args, {
    ...{ cwd, env, stdin: "null", stdout: "piped", stderr: "piped" },
  });

/** Runs it; how it ended and what it said. */
export const nb = (cwd: string, ...args: string[]) =>
  finished(nbCommand(cwd, args));

/** What became of cells that {@link runCells} ran. */
export interface CellsRan extends RunResult {
  result: RunResult;
  /** the notebook that was saved, and its cells */
  saved: Notebook;
  cells: Cell[];
  events: RunEvent[];
  warnings: string[];
  file: (name: string) => string;
}

/**
 * Runs cells as the notebook a.ipynb, into b.ipynb.
 * @param check is given what became of them while their folder is there
 */
export async function runCells(
  cells: (string | Cell)[],
  o: RunOptions = {},
  check: (ran: CellsRan) => void | Promise<void> = () => {},
): Promise<CellsRan> {
  let ran!: CellsRan;
  await withFiles(async (file) => {
    await save(file("a.ipynb"), ...cells);
    const events: RunEvent[] = [];
    const result = await runNotebook(file("a.ipynb"), {
      out: file("b.ipynb"),
      ...o,
      onEvent: (e) => {
        events.push(e);
        o.onEvent?.(e);
      },
    });
    const saved = await readNotebook(file("b.ipynb"));
    const warnings = events.flatMap((e) =>
      e.type === "warning" ? e.message : []
    );
    ran = {
      ...{ ...result, result, saved, cells: saved.cells },
      ...{ events, warnings, file },
    };
    await check(ran);
  });
  return ran;
}

/** Runs cells and checks what became of them. */
export async function checkRun(
  cells: (string | Cell)[],
  check: (ran: CellsRan) => void | Promise<void>,
  o?: RunOptions,
): Promise<void> {
  await runCells(cells, o, check);
}

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
