/** Takes outputs, counts and editors' traces out of a notebook file. */
import { cellName } from "../file/cells.ts";
import { idEdits } from "../file/ids.ts";
import {
  applyEdits,
  jsonLike,
  jsonSpan,
  jsonTree,
  replaceText,
} from "../file/json_text.ts";
import { isObject } from "../file/malformed.ts";
import { readNotebookText } from "../file/types.ts";

/** What cleaning found: one line a find, `cell 2: outputs`. */
export interface CleanResult {
  file: string;
  removed: string[];
}

/** Cell metadata that editors and runners leave. */
const CELL_NOISE = new Set(
  `autoscroll collapsed colab ExecuteTime execution executionInfo
  heading_collapsed hidden jp-MarkdownHeadingCollapsed outputId
  outputExpanded polyglot_notebook dotnet_interactive scrolled trusted vscode`
    .split(/\s+/),
);
const NOTEBOOK_NOISE = new Set(
  `accelerator colab dotnet_interactive execution interpreter polyglot_notebook
  signature toc toc-autonumbering toc-showcode toc-showmarkdowntxt toc-showtags
  varInspector vscode widgets`.split(/\s+/),
);

type Metadata = Record<string, unknown>;

/** Without the noise; the same object when there is none. */
function cleanMetadata(metadata: Metadata, noise: Set<string>, all: boolean) {
  const kept: Metadata = {};
  let found = false;
  for (const [key, value] of Object.entries(metadata)) {
    let left: unknown = value;
    if (noise.has(key)) left = undefined;
    else if (key === "tags" && Array.isArray(value) && !value.length) {
      left = undefined;
    } else if (key === "jupyter" && isObject(value)) {
      left = withoutKeys(value, (k) => k === "outputs_hidden");
    } else if (key === "slideshow" && isObject(value)) {
      left = withoutKeys(value, (k) => k === "slide_type" && !value[k]);
    } else if (key === "ferlab" && all && isObject(value)) {
      left = withoutKeys(value, (k) => k !== "test"); // which its author wrote
    }
    if (left !== value) found = true;
    if (left !== undefined) kept[key] = left;
  }
  return found ? kept : metadata;
}

/** Without the keys that `drop` names; undefined when none is left. */
function withoutKeys(value: Metadata, drop: (key: string) => boolean) {
  const keys = Object.keys(value);
  const kept = keys.filter((k) => !drop(k));
  if (kept.length === keys.length) return value;
  if (!kept.length) return undefined;
  return Object.fromEntries(kept.map((k) => [k, value[k]]));
}

/**
 * Removes outputs, execution counts and metadata that editors leave; gives
 * missing, invalid and doubled cell ids a deterministic new one. Tags,
 * attachments, sources, parameters and all other bytes stay. Cleaning twice
 * is cleaning once.
 * @param o.all also what runs record in `metadata.ferlab`
 * @param o.check changes nothing
 * @throws {Error} in one line when the file cannot be read or written
 */
export async function cleanNotebook(
  file: string,
  o: { all?: boolean; check?: boolean } = {},
): Promise<CleanResult> {
  const { nb, text } = await readNotebookText(file);
  const root = jsonTree(text);
  const removed: string[] = [];
  const { edits, ids } = idEdits(nb, text, root, true);
  const put = (told: string, v: unknown, ...path: (string | number)[]) => {
    const span = jsonSpan(root, ...path)!;
    edits.push({ ...span, text: jsonLike(text, span.start, v) });
    removed.push(told);
  };

  nb.cells.forEach((cell, i) => {
    const name = cellName(nb.cells, i);
    const { outputs, execution_count: count } = cell;
    if (outputs?.length) put(`${name}: outputs`, [], "cells", i, "outputs");
    if (count !== null && count !== undefined) {
      put(`${name}: execution count`, null, "cells", i, "execution_count");
    }
    const metadata = cleanMetadata(cell.metadata, CELL_NOISE, o.all ?? false);
    if (metadata !== cell.metadata) {
      put(`${name}: metadata`, metadata, "cells", i, "metadata");
    }
    const id = ids.get(i);
    if (id) removed.push(`${name}: id ${id} given`);
  });
  const metadata = cleanMetadata(nb.metadata, NOTEBOOK_NOISE, o.all ?? false);
  if (metadata !== nb.metadata) {
    put("notebook: metadata", metadata, "metadata");
  }
  if (edits.length && !o.check) {
    await replaceText(file, applyEdits(text, edits));
  }
  return { file, removed };
}
