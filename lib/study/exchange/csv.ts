/** Tables in CSV files: read with every bad row named, written by RFC 4180. */
import { CsvError, parse } from "csv-parse/sync";
import { StudyError } from "../errors.ts";

export interface CsvRow {
  /** Of the file, where the row starts. */
  line: number;
  /** By column; the second of a name is `name.1`, where none is called so. */
  cells: Record<string, string>;
}

export interface CsvTable {
  /** For messages. */
  file: string;
  columns: string[];
  rows: CsvRow[];
}

/**
 * What `read` makes of each row.
 *
 * @throws StudyError that names the first 3 rows for which `read` throws one
 */
export function readRows<Row extends { line: number }, T>(
  { file, rows }: { file: string; rows: readonly Row[] },
  read: (row: Row) => T,
): T[] {
  const bad: string[] = [];
  const made = rows.flatMap((row) => {
    try {
      return [read(row)];
    } catch (error) {
      if (!(error instanceof StudyError)) throw error;
      bad.push(`line ${row.line}: ${error.message}`);
      return [];
    }
  });
  if (bad.length === 0) return made;
  const more = bad.length > 3 ? `; and ${bad.length - 3} more bad rows` : "";
  throw new StudyError(
    `${file}: ${bad.slice(0, 3).join("; ")}${more}: nothing was imported`,
  );
}

/**
 * Reads a CSV file by RFC 4180: UTF-8 with or without a byte-order mark, any
 * line ends (within a cell they become \n). A first line such as "sep=;" says
 * what separates the cells instead of commas.
 *
 * @throws StudyError for text that is no CSV, and rows of another length
 */
export function readCsv(bytes: Uint8Array, file: string): CsvTable {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new StudyError(`${file}: is not UTF-8 text: export it as CSV again`);
  }
  const lines = text.replace(/\r\n?/g, "\n");
  const [above = "", delimiter = ","] =
    /^"?sep=(\\t|.)"?\1*(?=\n)/i.exec(lines) ?? [];
  let parsed: { record: string[]; info: { lines: number } }[];
  try {
    parsed = parse(lines.slice(above.length), {
      delimiter: delimiter.replace("\\t", "\t"),
      info: true,
      record_delimiter: "\n",
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as typeof parsed; // csv-parse's types do not know `info`
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new StudyError(
      `${file}: is not CSV (${error.message}): give a table that W&B exported ` +
        "as CSV, or a storage of Optuna's (a SQLite file or a URL)",
    );
  }
  const [header, ...rows] = parsed.map(({ record, info }) => ({
    line: info.lines - record.join("").split("\n").length + 1,
    record,
  }));
  if (!header || rows.length === 0) {
    throw new StudyError(`${file}: has no rows: export it as CSV again`);
  }
  const given = new Set(header.record), times = new Map<string, number>();
  const columns = header.record.map((name) => {
    let before = times.get(name) ?? 0;
    while (before > 0 && given.has(`${name}.${before}`)) before++;
    times.set(name, before + 1);
    return before > 0 ? `${name}.${before}` : name;
  });
  return {
    file,
    columns,
    rows: readRows({ file, rows }, ({ line, record }) => {
      if (record.length !== columns.length) {
        throw new StudyError(
          `has ${record.length} cells, the header has ${columns.length}`,
        );
      }
      const cells = columns.map((name, i) => [name, record[i].trim()]);
      return { line, cells: Object.fromEntries(cells) };
    }),
  };
}

/**
 * The number that a cell holds: `1e-4`, `1,234.5`, `NaN`, `-inf`; undefined for
 * any other text, and for digits that a number would not keep (`007`, ids above
 * 2^53).
 */
export function numberOf(cell: string): number | undefined {
  if (/^nan$/i.test(cell)) return NaN;
  const infinite = cell.match(/^([+-]?)inf(inity)?$/i);
  if (infinite) return infinite[1] === "-" ? -Infinity : Infinity;
  const plain = /^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$/.test(cell)
    ? cell.replaceAll(",", "")
    : cell;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain)) return undefined;
  if (/^[+-]?0\d/.test(plain)) return undefined;
  const value = Number(plain);
  return /^[+-]?\d+$/.test(plain) && !Number.isSafeInteger(value)
    ? undefined
    : value;
}

/** How a column's cells are read: as numbers or Booleans if all of them are. */
export function readerOf(
  cells: readonly string[],
): (cell: string) => number | boolean | string {
  const there = cells.filter((c) => c !== "");
  if (there.every((c) => numberOf(c) !== undefined)) {
    return (cell) => numberOf(cell)!;
  }
  if (there.every((c) => /^(true|false)$/i.test(c))) {
    return (cell) => cell.toLowerCase() === "true";
  }
  return (cell) => cell;
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
 * A line of CSV by RFC 4180, its end included: null is an empty cell, no text
 * is `""`, times are ISO 8601. A text that a spreadsheet would run as a formula
 * gets a ' before it.
 */
export const csvLine = (values: readonly unknown[]): string =>
  `${values.map(csvCell).join(",")}\r\n`;
