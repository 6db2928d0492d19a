/** Reading lists and tables that came through any editor or spreadsheet. */
import { readFileSync } from "node:fs";
import { DataError } from "./types.ts";

/** A line with something on it, and where it stands (from 1). */
export interface Line {
  text: string;
  line: number;
}

/**
 * A UTF-8 text file without its byte order mark.
 *
 * @throws DataError for UTF-16 or a file that cannot be read, with its name.
 */
export function readText(path: string): string {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new DataError(
      `${path}: cannot be read (${(error as Error).message}): ` +
        `check the path and its permissions`,
    );
  }
  const utf16 = bytes[0] === 0xff && bytes[1] === 0xfe ||
    bytes[0] === 0xfe && bytes[1] === 0xff ||
    bytes.length > 3 && (bytes[1] === 0 || bytes[0] === 0);
  if (utf16) {
    throw new DataError(`${path}: is UTF-16 text: save it as UTF-8`);
  }
  // The decoder takes the byte order mark away.
  return new TextDecoder().decode(bytes);
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
