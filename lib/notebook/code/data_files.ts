/** Files that modules and cells name, and what they contain. */
import type { AnyNode } from "acorn";
import { globSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { nameOf, textOf } from "./ast.ts";
import { shortHash } from "../file/ids.ts";
import { type GraphCell, listInMetadata } from "./graph.ts";

const isMeta = (node: AnyNode | undefined, property: string) =>
  node?.type === "MemberExpression" && node.object.type === "MetaProperty" &&
  node.property.type === "Identifier" && node.property.name === property;

/** The path beside the module that an expression stands for. */
export function pathBesideModule(node: AnyNode): string | undefined {
  const beside = (text?: string) => text && `./${text}`;
  const isUrl = (text = "") => /^[a-z]+:/i.test(text);
  if (node.type === "NewExpression") {
    const [path, base] = node.arguments as AnyNode[];
    const text = textOf(path);
    if (nameOf(node.callee) !== "URL" || !isMeta(base, "url")) return;
    return text?.startsWith("/")
      ? text
      : isUrl(text)
      ? undefined
      : beside(text);
  }
  if (node.type === "CallExpression") {
    const [first, ...rest] = node.arguments as AnyNode[];
    if (isMeta(node.callee, "resolve")) return textOf(first);
    if (!isMeta(first, "dirname") || !rest.length) return;
    const texts = rest.map(textOf);
    const end = texts.indexOf(undefined); // what comes then is in that folder
    const known = end < 0 ? texts : texts.slice(0, end);
    return known.length ? beside(known.join("/")) : undefined;
  }
  if (node.type === "BinaryExpression" && node.operator === "+") {
    if (isMeta(node.left as AnyNode, "dirname")) {
      return beside(textOf(node.right));
    }
  }
  if (
    node.type === "TemplateLiteral" && node.expressions.length === 1 &&
    isMeta(node.expressions[0], "dirname") && !node.quasis[0].value.raw
  ) return beside(node.quasis[1].value.cooked ?? undefined);
}

/** What an expression puts around a string to make a file's name of it. */
export function patternOf(node: AnyNode): [string, string] | undefined {
  const ends = (text?: string | null) => text && /^[\w.-]*\.\w+$/.test(text);
  if (node.type === "TemplateLiteral" && node.expressions.length === 1) {
    const [before, after] = node.quasis.map((q) => q.value.cooked ?? "");
    if (ends(after)) return [before.replace(/^.*\//, ""), after];
  } else if (node.type === "BinaryExpression" && node.operator === "+") {
    const after = textOf(node.right);
    if (after && ends(after)) return ["", after];
  }
}

const MOST_IN_FOLDER = 200; // files of a folder that counts whole
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
    if (found.length > MOST_IN_FOLDER || bytes > MOST_BYTES) return;
    if (todo.length > MOST_IN_FOLDER) return;
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

export interface Words {
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

const MOST_FILES = 100_000; // that the patterns of one cell may find
const LONGEST = 300; // characters of a pattern
const MOST_WORDS = 256; // that the braces may come to
const MOST_STARS = 3; // between two slashes: names are matched by trying
const MOST_DEEP = 2; // `**`

/** Into how many patterns the braces come apart, at the most. */
function countOfPatterns(pattern: string): number {
  const innermost = /\{([^{}]*)(\}|$)/;
  let all = 1;
  for (let m; (m = innermost.exec(pattern));) {
    const [, a, b] = /^(-?\d+)\.\.(-?\d+)/.exec(m[1]) ?? [];
    const range = a ? Math.abs(Number(a) - Number(b)) + 1 : 1;
    all *= Math.max(m[1].split(",").length, range);
    pattern = pattern.replace(innermost, "");
  }
  return all;
}

/** Why a pattern is refused; undefined when it is not. */
function tooWide(pattern: string): string | undefined {
  if (pattern.length > LONGEST) return `has more than ${LONGEST} characters`;
  if (/[!?+*@]\(/.test(pattern)) return "has a group like !(a) or +(a)";
  if (countOfPatterns(pattern) > MOST_WORDS) {
    return `stands for more than ${MOST_WORDS} patterns`;
  }
  const parts = pattern.split("/");
  const stars = (part: string) => part.match(/\*/g)?.length ?? 0;
  if (parts.some((part) => part !== "**" && stars(part) > MOST_STARS)) {
    return `has more than ${MOST_STARS} stars in one name`;
  }
  if (parts.filter((part) => part === "**").length > MOST_DEEP) {
    return `has more than ${MOST_DEEP} times **`;
  }
}

/** The files of a pattern, else itself. @throws {Error} in one line */
function filesOf(pattern: string, folder: string, cell: number): string[] {
  if (!/[*?[{]/.test(pattern)) return [pattern];
  const wide = tooWide(pattern);
  if (wide) {
    throw new Error(
      `cell ${cell}: its data pattern ${
        JSON.stringify(pattern.slice(0, 60))
      } ${wide}; ` +
        "give several that are simpler",
    );
  }
  const found = globSync(pattern, {
    cwd: folder,
    exclude: (name) => /^(node_modules|\.git)$/.test(name),
  });
  return found.length ? found.sort() : [pattern];
}

/**
 * A hash of names, sizes and times of the data files that a cell lists.
 * @throws {Error} in one line that names the cell
 */
export function dataHash(
  { cell, number }: GraphCell,
  folder: string,
): string | undefined {
  const patterns = listInMetadata(cell, "data");
  if (!patterns.length) return;
  const files = patterns.flatMap((p) => filesOf(p, folder, number));
  if (files.length > MOST_FILES) {
    throw new Error(
      `cell ${number}: its data are ${files.length} files, more than ${MOST_FILES}; list one ` +
        "that changes with them",
    );
  }
  return shortHash(
    files.map((file) => {
      const info = statSync(join(folder, file), { throwIfNoEntry: false });
      return info ? `${file} ${info.size} ${info.mtimeMs}` : `${file} missing`;
    }).join("\n"),
  );
}
