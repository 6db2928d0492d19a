/** A study's records as files for other programs: Parquet, CSV, JSON. */
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { oneLine, StudyError } from "./errors.ts";
import {
  type Column,
  epochColumns,
  frameOf,
  jsonText,
  trialColumns,
} from "./frames.ts";
import type { StudyRow, TrialRow } from "./store/mod.ts";

export const EXPORT_FORMATS = ["parquet", "csv", "json"] as const;
export type ExportFormat = typeof EXPORT_FORMATS[number];

/** The format that a file's name asks for. @throws StudyError for others */
export function formatOf(file: string): ExportFormat {
  const format = EXPORT_FORMATS.find((f) =>
    file.toLowerCase().endsWith(`.${f}`)
  );
  if (!format) {
    throw new StudyError(
      `${file}: its name tells no format: end it with ` +
        `.${EXPORT_FORMATS.join(", .")} or give --format`,
    );
  }
  return format;
}

function csvText(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return safe === "" || /^\s|\s$|[",\r\n]/.test(safe)
    ? `"${safe.replaceAll('"', '""')}"`
    : safe;
}

function csvCell(value: unknown): string {
  if (value === null) return "";
  if (value instanceof Date) return value.toISOString();
  return typeof value === "string" ? csvText(value) : String(value);
}

/**
 * CSV by RFC 4180. No value is an empty cell, no text is `""`, the numbers
 * that are none are NaN, Infinity and -Infinity, times are ISO 8601 in UTC. A
 * text that a spreadsheet would run as a formula (it starts with = + - @, a tab
 * or a return) gets a ' before it, names of columns too; Parquet and JSON hold
 * it as it is.
 */
export function csvOf(columns: readonly Column[]): string {
  const lines = [columns.map((c) => csvText(c.name))];
  const height = columns[0]?.values.length ?? 0;
  for (let i = 0; i < height; i++) {
    lines.push(columns.map((c) => csvCell(c.values[i])));
  }
  return lines.map((cells) => `${cells.join(",")}\r\n`).join("");
}

/**
 * The whole record: `study` (name, direction, metric and attributes, such as
 * what its trials share) and `trials`, a line each, as the store reads them.
 * NaN and ±Infinity are texts of that name.
 */
export function jsonOf(study: StudyRow, rows: readonly TrialRow[]): string {
  const { name, direction, metric, attrs, start, end } = study;
  const head = jsonText({ name, direction, metric, attrs, start, end });
  const trials = rows.map((row) => `\n${jsonText(row)}`).join(",");
  return `{"study":${head},\n"trials":[${trials}\n]}\n`;
}

/** Each file is made beside its place and then put there, whole. */
async function writeAll(
  files: ReadonlyMap<string, Uint8Array | string>,
): Promise<void> {
  const made = new Map<string, string>();
  let at = "";
  try {
    for (const [file, content] of files) {
      at = file;
      const folder = dirname(file);
      await mkdir(folder, { recursive: true });
      const name = `.${basename(file)}.${crypto.randomUUID()}`;
      made.set(file, join(folder, name));
      await writeFile(made.get(file)!, content);
    }
    for (const [file, temporary] of made) {
      at = file;
      await rename(temporary, file);
    }
  } catch (error) {
    for (const temporary of made.values()) await rm(temporary, { force: true });
    throw new StudyError(`${at}: cannot be written: ${oneLine(error)}`);
  }
}

/**
 * Writes the trials of a study to `file`. Parquet and CSV hold the columns of
 * `trialsFrame`, with nested attributes (recipe, confusion) as JSON text, and
 * get the epochs beside them, in `NAME.epochs.csv` or `.parquet`; JSON holds
 * everything in one file.
 *
 * @returns the files that were written
 * @throws StudyError when one cannot be written; no file is cut then.
 */
export async function exportStudy(
  study: StudyRow,
  rows: readonly TrialRow[],
  { format, file }: { format: ExportFormat; file: string },
): Promise<string[]> {
  const files = new Map<string, Uint8Array | string>();
  if (format === "json") files.set(file, jsonOf(study, rows));
  else {
    const content = format === "csv" ? csvOf : parquetOf;
    files.set(file, content(trialColumns(rows, { nested: true })));
    files.set(
      `${file.replace(new RegExp(`\\.${format}$`, "i"), "")}.epochs.${format}`,
      content(epochColumns(rows, { nested: true })),
    );
  }
  await writeAll(files);
  return [...files.keys()];
}

function parquetOf(columns: readonly Column[]): Uint8Array {
  return frameOf(columns).writeParquet({ compression: "zstd" });
}
