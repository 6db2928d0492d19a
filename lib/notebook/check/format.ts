/** Formats code and markdown cells with Deno's formatter; nothing else moves. */
import { denoError } from "../kernel/cell_errors.ts";
import { cellName, foreignKernel } from "../file/cells.ts";
import { workingFolder } from "../project.ts";
import { idEdits } from "../file/ids.ts";
import { inJobs } from "../concurrency.ts";
import {
  applyEdits,
  jsonLike,
  jsonSpan,
  jsonTree,
  replaceText,
} from "../file/json_text.ts";
import { asRead } from "../code/strip_types.ts";
import { runDeno } from "../run_deno.ts";
import { readNotebookText } from "../file/types.ts";

export interface FormatResult {
  file: string;
  /** cells that are not formatted, or were not: `cell 2`, `markdown cell 1` */
  changed: string[];
  /** cells that cannot be formatted, each in one line */
  errors: string[];
}

/** Formats a text by the settings of the deno.json at or above `cwd`. */
export async function denoFmt(
  text: string,
  ext: "ts" | "tsx" | "md",
  cwd: string,
): Promise<{ text: string } | { error: string }> {
  const { success, out, err } = await runDeno(
    ["fmt", `--ext=${ext}`, "-"],
    cwd,
    text,
  );
  if (success) return { text: out };
  const message = denoError(err) ?? "cannot be formatted";
  const line = /_stdin\.\w+:(\d+)/.exec(err)?.[1];
  return { error: (line ? `line ${line}: ` : "") + message };
}

/** Code as the kernel reads it: TypeScript, with JSX, or an object. */
async function formatCode(source: string, cwd: string) {
  const plain = await denoFmt(source, "ts", cwd);
  if ("text" in plain) return plain;
  const jsx = await denoFmt(source, "tsx", cwd);
  if ("text" in jsx) return jsx;
  const object = await denoFmt(asRead(source), "ts", cwd);
  return "text" in object
    ? { text: object.text.replace(/^\(|\);?(?=\n$)/g, "") }
    : plain;
}

// A formula is no Markdown, but Deno would make lists and emphasis of it.
const CODE_OR_MATH =
  /^ *(```+|~~~+)[^]*?^ *\1[`~]*|(`+)[^]*?\2|\$\$[^]+?\$\$|\$(?:[^\s$\\]|\\[^])(?:(?:[^$\\]|\\[^])*?(?:[^\s$\\]|\\[^]))?\$(?!\d)/gm;
const PLACEHOLDER = /([\ue000-\uf8ff])\1*/g;

async function formatMarkdown(source: string, cwd: string) {
  if (/[\ue000-\uf8ff]/.test(source)) return denoFmt(source, "md", cwd);
  const formulas: string[] = [];
  const safe = source.replace(CODE_OR_MATH, (m) => {
    if (!m.startsWith("$") || formulas.length >= 0x1900) return m;
    const mark = String.fromCharCode(0xe000 + formulas.push(m) - 1);
    // As wide as the formula, for the columns of tables.
    return mark.repeat(m.includes("\n") ? 2 : m.length);
  });
  const done = await denoFmt(safe, "md", cwd);
  if (!("text" in done)) return done;
  const text = done.text.replace(
    PLACEHOLDER,
    (_, mark) => formulas[mark.charCodeAt(0) - 0xe000],
  );
  return { text };
}

/**
 * Formats code cells as TypeScript and markdown cells as Markdown, by the
 * `fmt` settings of the notebook's deno.json. All other bytes of the file
 * stay, but ids that nbformat does not allow; with `check` all of them. Formulas
 * in Markdown are left alone.
 * @throws {Error} in one line when the file cannot be read or written, or is of
 *   another kernel
 */
export async function formatNotebook(
  file: string,
  o: { check?: boolean } = {},
): Promise<FormatResult> {
  const { nb, text } = await readNotebookText(file);
  const kernel = foreignKernel(nb);
  if (kernel) {
    throw new Error(
      `${file}: its kernel is ${kernel}; only Deno's is formatted`,
    );
  }
  const { cells } = nb;
  const root = jsonTree(text);
  const cwd = workingFolder(file);
  const { edits, ids } = idEdits(nb, text, root);
  const changed = new Set(ids.keys());
  const errors: string[] = [];
  await inJobs([...cells.keys()], navigator.hardwareConcurrency, async (i) => {
    const { cell_type, source } = cells[i];
    if (cell_type === "raw" || !source.trim()) return;
    const done = await (cell_type === "code" ? formatCode : formatMarkdown)(
      source,
      cwd,
    );
    if ("error" in done) {
      errors.push(`${cellName(cells, i)} ${done.error}`);
      return;
    }
    const formatted = done.text.replace(/\n$/, "");
    if (formatted === source) return;
    changed.add(i);
    const { start, end } = jsonSpan(root, "cells", i, "source")!;
    const value = text[start] === "["
      ? formatted.match(/[^\n]*\n|[^\n]+/g)
      : formatted;
    edits.push({ start, end, text: jsonLike(text, start, value) });
  });
  if (edits.length && !o.check) {
    await replaceText(file, applyEdits(text, edits));
  }
  return {
    file,
    changed: [...changed].sort((a, b) => a - b).map((i) => cellName(cells, i)),
    errors: errors.sort(),
  };
}
