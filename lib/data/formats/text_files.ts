/** Reading lists and tables that came through any editor or spreadsheet. */
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { fileFault } from "../../faults/mod.ts";
import { DataError } from "../types.ts";

/** A line with something on it, and where it stands (from 1). */
export interface Line {
  text: string;
  line: number;
}

/** What the system does with a file, or a DataError that names it. */
function attempt<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new DataError(
      `${path}: cannot be read (${fileFault(error)}): ` +
        `check the path and its permissions`,
    );
  }
}

/** The kind of UTF-16 that a text begins as, by its mark or its zero bytes. */
function utf16Of(bytes: Uint8Array): "utf-16le" | "utf-16be" | undefined {
  const [a, b] = bytes;
  if (a === 0xff && b === 0xfe) return "utf-16le";
  if (a === 0xfe && b === 0xff) return "utf-16be";
  if (bytes.length < 4) return undefined;
  return b === 0 ? "utf-16le" : a === 0 ? "utf-16be" : undefined;
}

/** @throws DataError with the file's name for UTF-16 */
export function refuseUtf16(bytes: Uint8Array, path: string): void {
  if (utf16Of(bytes) === undefined) return;
  throw new DataError(`${path}: is UTF-16 text: save it as UTF-8`);
}

/**
 * A UTF-8 text file without its byte order mark.
 *
 * @throws DataError for another encoding or a file that cannot be read, with
 * its name.
 */
export function readText(path: string): string {
  const bytes = attempt(path, () => readFileSync(path));
  refuseUtf16(bytes, path);
  try {
    // The decoder takes the byte order mark away.
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new DataError(`${path}: is no UTF-8 text: save it as UTF-8`);
  }
}

/**
 * A file's first lines, of UTF-16 too: they tell what it is, and its reader then
 * refuses it by name.
 *
 * @throws DataError for a file that cannot be read, with its name.
 */
export function firstLines(path: string): string {
  const bytes = new Uint8Array(4096);
  const length = attempt(path, () => {
    const file = openSync(path, "r");
    try {
      return readSync(file, bytes);
    } finally {
      closeSync(file);
    }
  });
  const start = bytes.subarray(0, length);
  return new TextDecoder(utf16Of(start)).decode(start);
}

/**
 * The line that Excel takes, and others write, above a header: "sep=;". What the
 * lookahead took is not given back, so that a long line takes linear time.
 */
const SEPARATOR = /^\s*"?sep=(\\t|.)"?(?=(\1*))\2[^\S\r\n]*(\r?\n|\r|$)/i;

/**
 * What a table begins with: its header's cells, lower case, what separates
 * them, and the line above that says so, if there is one.
 */
export function headerOf(
  text: string,
): { separator: string; cells: string[]; above: string } {
  const [above = "", said] = SEPARATOR.exec(text) ?? [];
  const [line] = text.slice(above.length).trimStart().split(/[\r\n]/, 1);
  const unquoted = line.replace(/"[^"]*"/g, "");
  const separator = said?.replace("\\t", "\t") ??
    [",", ";", "\t", "|"].find((mark) => unquoted.includes(mark)) ?? ",";
  const cells = line.split(separator)
    .map((cell) => cell.trim().replace(/^"(.*)"$/, "$1").trim().toLowerCase());
  return { separator, cells, above };
}

/**
 * The lines of a UTF-8 text file without byte order mark, line ends and blanks
 * around; empty ones are left out, numbers stay the file's own.
 *
 * @throws DataError as `readText` does.
 */
export function readLines(path: string): Line[] {
  return readText(path).split(/\r\n|\n|\r/)
    .map((text, i) => ({ text: text.trim(), line: i + 1 }))
    .filter(({ text }) => text !== "");
}
