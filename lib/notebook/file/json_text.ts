/** A JSON text changed at single values; every other byte stays as it is. */
import { type Node, parseTree } from "jsonc-parser";

/** A replacement of `text.slice(start, end)`. */
export interface TextEdit {
  start: number;
  end: number;
  text: string;
}

/** The tree of a text that JSON.parse accepts. */
export const jsonTree = (text: string): Node => parseTree(text)!;

/**
 * Where the value at a path in a tree stands; undefined where there is none. Of
 * equal keys the last counts, as it does for JSON.parse.
 */
export function jsonSpan(root: Node, ...path: (string | number)[]) {
  let node: Node | undefined = root;
  for (const key of path) {
    node = typeof key === "number"
      ? node?.children?.[key]
      : node?.children?.findLast(({ children: [name] = [] }) =>
        name.value === key
      )?.children?.[1];
  }
  return node && { start: node.offset, end: node.offset + node.length };
}

/** The text with edits that do not overlap, given in any order. */
export function applyEdits(text: string, edits: TextEdit[]): string {
  const parts: string[] = [];
  let at = 0;
  for (const edit of edits.toSorted((a, b) => a.start - b.start)) {
    parts.push(text.slice(at, edit.start), edit.text);
    at = edit.end;
  }
  return parts.join("") + text.slice(at);
}

/** `value` as JSON in the layout that `text` has, to stand at `at` in it. */
export function jsonLike(text: string, at: number, value: unknown): string {
  const unit = /^\s*\{\r?\n([ \t]+)/.exec(text)?.[1];
  if (!unit) return JSON.stringify(value);
  return JSON.stringify(value, null, unit).replaceAll(
    "\n",
    lineBreak(text, at),
  );
}

/** A line break in the style of `text`, and the indentation of the line at `at`. */
export function lineBreak(text: string, at: number): string {
  const line = text.slice(text.lastIndexOf("\n", at - 1) + 1, at);
  return (text.includes("\r\n") ? "\r\n" : "\n") + /^[ \t]*/.exec(line)![0];
}

/**
 * Writes a text atomically; a link stays a link, and a file keeps its mode. What
 * is no file, such as /dev/stdout, is written to, not replaced.
 * @param what it is, for the error
 * @throws {Error} in one line
 */
export async function replaceText(
  path: string,
  text: string,
  what?: string,
): Promise<void> {
  const target = await Deno.realPath(path).catch(() => path);
  const info = await Deno.stat(target).catch(() => undefined);
  const temporary = `${target}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  try {
    if (info && !info.isFile) return await Deno.writeTextFile(target, text);
    await Deno.writeTextFile(temporary, text);
    if (info?.mode) await Deno.chmod(temporary, info.mode & 0o7777);
    await Deno.rename(temporary, target);
  } catch (e) {
    await Deno.remove(temporary).catch(() => {});
    const failed = what ? `cannot write ${what}` : "cannot write";
    // Without the temporary file, which the system's words end with.
    const why = (e as Error).message.replace(/: \w+ '.*$/, "");
    throw new Error(`${path}: ${failed}: ${why}`);
  }
}
