/** Which files of a folder count for a cell, and what they contain. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { shortHash } from "./ast.ts";

const MOST_FILES = 200; // of a folder that counts whole
const MOST_BYTES = 20e6;

/** A file's hash, of size and time when it is large; or "missing". */
export function fileHash(path: string): string {
  try {
    const info = statSync(path), { size, mtimeMs } = info;
    if (!info.isFile()) return "missing"; // a device may never end
    return shortHash(
      size > MOST_BYTES ? `${size} ${mtimeMs}` : readFileSync(path),
    );
  } catch {
    return "missing";
  }
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** All files below a folder; undefined when they are too many or too large. */
function filesBelow(folder: string): string[] | undefined {
  const found: string[] = [], todo = [folder];
  let bytes = 0;
  for (const at of todo) { // grows while it is read
    for (const entry of entriesOf(at)) {
      const path = join(at, entry.name);
      if (entry.isDirectory()) todo.push(path);
      if (!entry.isFile()) continue;
      bytes += statSync(path, { throwIfNoEntry: false })?.size ?? 0;
      found.push(path);
    }
    if (found.length > MOST_FILES || bytes > MOST_BYTES) return;
    if (todo.length > MOST_FILES) return;
  }
  return found;
}

/** A folder that a module names. */
export interface NamedFolder {
  path: string;
  /** what that module puts around a string to make a file's name */
  patterns: [before: string, after: string][];
  /** strings of the modules that lead there */
  words: ReadonlySet<string>;
  /** the name that a cell uses is of that module, or of one that imports it */
  near: boolean;
}

/** What a cell says of files. */
export interface Words {
  /** its strings */
  words: ReadonlySet<string>;
  /** what its templates, and strings that it adds to, begin with */
  beginnings: ReadonlySet<string>;
}

/** The files of a folder that count for a cell; see the head of modules.ts. */
export function folderFiles(
  { path, patterns, words, near }: NamedFolder,
  cell: Words,
): string[] {
  const files = entriesOf(path).filter((e) => e.isFile()).map((e) => e.name);
  const fits = (file: string, [before, after]: [string, string]) =>
    file.startsWith(before) && file.endsWith(after);
  if (!files.some((f) => patterns.some((p) => fits(f, p)))) {
    return filesBelow(path) ?? [];
  }
  const names = (file: string, by: ReadonlySet<string>) =>
    by.has(file) ||
    patterns.some((p) =>
      fits(file, p) && by.has(file.slice(p[0].length, -p[1].length))
    );
  const begins = (file: string) =>
    patterns.some(([before]) =>
      [...cell.beginnings].some((text) => file.startsWith(before + text))
    );
  const byCell = files.filter((f) => names(f, cell.words) || begins(f));
  const byModules = files.filter((f) => names(f, words));
  // A cell that asks for a file by a name unknown here may read any of them.
  return byCell.length || (byModules.length && !near)
    ? [...new Set([...byCell, ...byModules])].map((f) => join(path, f))
    : filesBelow(path) ?? [];
}
