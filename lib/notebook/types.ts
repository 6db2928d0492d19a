/** The notebook file format (nbformat 4): types, reading, writing. */

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
  | {
    output_type: "error";
    ename: string;
    evalue: string;
    traceback: string[];
  };

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

/** A notebook in memory: every `source` and text output is one string. */
export interface Notebook {
  nbformat: number;
  nbformat_minor: number;
  metadata: Record<string, unknown>;
  cells: Cell[];
}

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

/**
 * Reads a .ipynb file (nbformat 4).
 * @throws {Error} in one line when the file is missing or not a notebook
 */
export async function readNotebook(path: string): Promise<Notebook> {
  let raw: Notebook;
  try {
    raw = JSON.parse(await Deno.readTextFile(path));
  } catch (e) {
    const why = e instanceof Deno.errors.NotFound
      ? "no such file"
      : (e as Error).message.split("\n")[0];
    throw new Error(`${path}: cannot read the notebook: ${why}`);
  }
  if (raw?.nbformat !== 4 || !Array.isArray(raw.cells)) {
    throw new Error(
      `${path}: not a notebook of format 4; save it again with JupyterLab`,
    );
  }
  const bad = raw.cells.findIndex((cell) =>
    !["code", "markdown", "raw"].includes(cell?.cell_type)
  );
  if (bad >= 0) {
    throw new Error(
      `${path}: its item ${bad + 1} is no cell; save it again with JupyterLab`,
    );
  }
  const cells = raw.cells.map((cell): Cell => ({
    ...cell,
    source: (join(cell.source) as string) ?? "",
    metadata: cell.metadata ?? {},
    ...(cell.cell_type === "code"
      ? { outputs: (cell.outputs ?? []).map((o) => mapOutput(o, join)) }
      : {}),
  }));
  return { ...raw, metadata: raw.metadata ?? {}, cells };
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

/** Writes a .ipynb file atomically: a temporary file, then a rename. */
export async function writeNotebook(
  path: string,
  nb: Notebook,
): Promise<void> {
  const cells = nb.cells.map(cellJson);
  // A link stays a link, and a file keeps its mode.
  const target = await Deno.realPath(path).catch(() => path);
  const mode = (await Deno.stat(target).catch(() => undefined))?.mode;
  const temporary = `${target}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  try {
    await Deno.writeTextFile(
      temporary,
      JSON.stringify({ ...nb, cells }, null, 1) + "\n",
    );
    if (mode) await Deno.chmod(temporary, mode & 0o7777);
    await Deno.rename(temporary, target);
  } catch (e) {
    await Deno.remove(temporary).catch(() => {});
    throw new Error(
      `${path}: cannot write the notebook: ${(e as Error).message}`,
    );
  }
}
