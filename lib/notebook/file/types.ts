/** The notebook file format (nbformat 4): types, reading, writing. */
import { jsonLike, replaceText } from "./json_text.ts";
import { isObject, malformed } from "./malformed.ts";

/** A MIME bundle: one value in several representations. */
export type MimeBundle = Record<string, unknown>;

/** One output of a code cell, with all multi-line texts joined. */
export type Output =
  | { output_type: "stream"; name: "stdout" | "stderr"; text: string }
  | {
    output_type: "display_data";
    data: MimeBundle;
    metadata: Record<string, unknown>;
  }
  | {
    output_type: "execute_result";
    data: MimeBundle;
    metadata: Record<string, unknown>;
    execution_count: number | null;
  }
  | ErrorOutput;

/** What code failed with. */
export interface CellError {
  ename: string;
  evalue: string;
  traceback: string[];
}
export type ErrorOutput = { output_type: "error" } & CellError;

/** One cell; `outputs` and `execution_count` exist on code cells only. */
export interface Cell {
  cell_type: "code" | "markdown" | "raw";
  id?: string;
  source: string;
  metadata: Record<string, unknown>;
  outputs?: Output[];
  execution_count?: number | null;
  attachments?: unknown;
}

export interface Notebook {
  nbformat: number;
  nbformat_minor: number;
  metadata: Record<string, unknown>;
  cells: Cell[];
}

/** What a run recorded of a cell, or of a notebook. */
export const recordOf = ({ metadata }: Cell | Notebook): Metadata =>
  isObject(metadata?.ferlab) ? metadata.ferlab : {};
type Metadata = Record<string, unknown>;

/** The error that a cell has among its outputs. */
export const errorIn = ({ outputs }: Cell): ErrorOutput | undefined =>
  outputs?.find((o): o is ErrorOutput => o.output_type === "error");

const join = (v: unknown): unknown =>
  Array.isArray(v) && v.every((x) => typeof x === "string") ? v.join("") : v;
const split = (v: unknown): unknown =>
  typeof v === "string" ? v.match(/[^\n]*\n|[^\n]+/g) ?? [] : v;
const isText = (mime: string) =>
  mime.startsWith("text/") || mime === "image/svg+xml";

function mapOutput(out: Output, text: (v: unknown) => unknown): Output {
  if (out.output_type === "stream") {
    return { ...out, text: text(out.text) as string };
  }
  if (out.output_type === "error") return out;
  const data = Object.entries(out.data ?? {}).map(([mime, value]) => [
    mime,
    isText(mime) || (mime.startsWith("image/") && Array.isArray(value))
      ? text(value)
      : value,
  ]);
  return { ...out, data: Object.fromEntries(data) };
}

/** The text of a file in UTF-8. @throws {Error} in a few words when it is not */
function utf8(bytes: Uint8Array): string {
  const [a, b] = bytes;
  if (a === 0 && b === 0) {
    throw new Error("it holds zeros, as after a crash; restore it from a copy");
  }
  const wide = (a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff) ||
    (bytes.length > 1 && (a === 0 || b === 0));
  if (wide) throw new Error("it is in UTF-16; save it as UTF-8");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Error(
      "it is not in UTF-8, but in Latin-1, Windows-1252 or the like; save it " +
        "as UTF-8",
    );
  }
}

/**
 * Reads a .ipynb file (nbformat 4).
 * @throws {Error} in one line when the file is missing or not a notebook
 */
export async function readNotebook(path: string): Promise<Notebook> {
  return (await readNotebookText(path)).nb;
}

/** The same, with the text it was read from. */
export async function readNotebookText(
  path: string,
): Promise<{ nb: Notebook; text: string }> {
  let raw: Notebook;
  let text: string;
  try {
    const { isCharDevice } = await Deno.stat(path);
    if (isCharDevice) throw new Error("it is a device");
    text = utf8(await Deno.readFile(path));
    raw = JSON.parse(text);
  } catch (e) {
    const why = e instanceof Deno.errors.NotFound
      ? "no such file"
      : e instanceof Deno.errors.IsADirectory
      ? "it is a folder"
      : (e as Error).message.split("\n")[0];
    throw new Error(`${path}: cannot read the notebook: ${why}`);
  }
  if (raw?.nbformat !== 4 || !Array.isArray(raw.cells)) {
    throw new Error(
      `${path}: not a notebook of format 4; save it again with JupyterLab`,
    );
  }
  const problem = malformed(raw);
  if (problem) {
    throw new Error(`${path}${problem}; save it again with JupyterLab`);
  }
  const cells = raw.cells.map((cell): Cell => ({
    ...cell,
    source: join(cell.source) as string,
    metadata: cell.metadata ?? {},
    ...(cell.cell_type === "code" || cell.outputs
      ? { outputs: (cell.outputs ?? []).map((o) => mapOutput(o, join)) }
      : {}),
  }));
  return { nb: { ...raw, metadata: raw.metadata ?? {}, cells }, text };
}

/** A cell as the file holds it: texts as lists of lines. */
export function cellJson(cell: Cell): Record<string, unknown> {
  return {
    ...cell,
    source: split(cell.source),
    ...(cell.cell_type === "code"
      ? {
        execution_count: cell.execution_count ?? null,
        outputs: (cell.outputs ?? []).map((o) => mapOutput(o, split)),
      }
      : {}),
  };
}

/** A notebook as JSON, in the layout that the text of another has. */
export const notebookText = (nb: Notebook, like: string): string =>
  jsonLike(like, 0, { ...nb, cells: nb.cells.map(cellJson) }) +
  (like.endsWith("\n") ? "\n" : "");

const USUAL = "{\n }\n"; // the layout that Jupyter writes

/** Writes a .ipynb file atomically, in the layout of the one it replaces. */
export async function writeNotebook(
  path: string,
  nb: Notebook,
): Promise<void> {
  const old = await Deno.readTextFile(path).catch(() => USUAL);
  const text = notebookText(nb, old.startsWith("{") ? old : USUAL);
  await replaceText(path, text, "the notebook");
}
