/** Tables as text: csv files with any separator. */
import { CsvError, parse } from "csv-parse/sync";
import { DataError } from "../types.ts";
import { headerOf, readText } from "./text_files.ts";

/** A row of a table, and where it stands. */
export interface Row {
  /** Without blanks around. */
  cells: string[];
  /** From 1. */
  line: number;
}

/**
 * The rows of a csv (RFC 4180), header included, empty ones left out. The first
 * line tells what separates the cells: comma, semicolon, tab or bar, or it says
 * so, as "sep=;".
 *
 * @throws DataError as `readText` does, and for a quote without an end
 */
export function readTable(path: string): Row[] {
  const all = readText(path).replace(/\r\n?/g, "\n");
  const { separator, above } = headerOf(all);
  // Lines keep their numbers.
  const text = all.replace(above.trim(), "");
  const rows = text.includes('"')
    ? quotedRows(path, text, separator)
    // A parser takes eight times as long for a list of 400,000 rows.
    : text.split("\n")
      .map((row, i) => ({ cells: row.split(separator), line: i + 1 }));
  return rows
    .map(({ cells, line }) => ({ cells: cells.map((c) => c.trim()), line }))
    .filter(({ cells }) => cells.some(Boolean));
}

function quotedRows(path: string, text: string, delimiter: string): Row[] {
  try {
    const parsed = parse(text, {
      delimiter,
      info: true,
      record_delimiter: "\n",
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      trim: true,
    }) as unknown as { record: string[]; info: { lines: number } }[];
    return parsed.map(({ record, info }) => ({
      cells: record,
      line: info.lines - record.join("").split("\n").length + 1,
    }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new DataError(`${path}: is no csv: ${error.message}`);
  }
}

/**
 * Which column has each name, in any case; -1 where none has.
 *
 * @throws DataError where one of `needed` is lacking
 */
export function columnsOf<Name extends string>(
  path: string,
  header: Row | undefined,
  names: readonly Name[],
  needed: readonly Name[] = names,
): Record<Name, number> {
  const cells = header?.cells.map((cell) => cell.toLowerCase()) ?? [];
  const at = Object.fromEntries(
    names.map((name) => [name, cells.indexOf(name.toLowerCase())]),
  ) as Record<Name, number>;
  const lacking = needed.filter((name) => at[name] < 0);
  if (lacking.length === 0) return at;
  throw new DataError(
    `${path}:${header?.line ?? 1}: the header lacks ${lacking.join(", ")}` +
      `; it has ${header?.cells.slice(0, 20).join(", ") ?? "nothing"}`,
  );
}

/** Why a row does not fit its header, where it does not. */
export function misfitOf(
  { cells: { length: has } }: Pick<Row, "cells">,
  { cells: { length: wants } }: Pick<Row, "cells">,
): string | undefined {
  return has === wants
    ? undefined
    : `has ${has} cell(s); the header has ${wants}`;
}
