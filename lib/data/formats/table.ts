/** Tables as text: csv files whose cells hold no separator. */
import { readLines } from "./text.ts";

/** A row of a table, and where it stands. */
export interface Row {
  cells: string[];
  /** From 1. */
  line: number;
}

/**
 * The rows of a table, header included; cells are without quotes and blanks
 * around. The first line tells what separates them: comma, semicolon or tab.
 *
 * @throws DataError as `readLines` does
 */
export function readTable(path: string): Row[] {
  const lines = readLines(path);
  const separator = [",", ";", "\t"]
    .find((mark) => lines[0]?.text.includes(mark)) ?? ",";
  return lines.map(({ text, line }) => ({
    cells: text.split(separator).map((cell) => {
      const bare = cell.trim();
      return bare.startsWith('"') && bare.endsWith('"')
        ? bare.slice(1, -1).trim()
        : bare;
    }),
    line,
  }));
}

/** Which column has each name, in any case; -1 where none has. */
export function columnsOf<Name extends string>(
  header: Row | undefined,
  names: readonly Name[],
): Record<Name, number> {
  const cells = header?.cells.map((cell) => cell.toLowerCase()) ?? [];
  return Object.fromEntries(
    names.map((name) => [name, cells.indexOf(name.toLowerCase())]),
  ) as Record<Name, number>;
}
