/** A JSON text changed at single values; every other byte stays as it is. */

/** Where a value stands in a JSON text, and where its parts stand. */
export interface JsonSpan {
  start: number;
  end: number;
  /** of an object: its values by key */
  entries?: Map<string, JsonSpan>;
  /** of an array */
  items?: JsonSpan[];
}

/** A replacement of `text.slice(start, end)`. */
export interface TextEdit {
  start: number;
  end: number;
  text: string;
}

/** Finds every value of a text that JSON.parse accepts. */
export function jsonSpans(text: string): JsonSpan {
  const token = /[{}[\],:]|"(?:[^"\\]|\\.)*"|[^\s{}[\],:"]+/g;
  const next = () => {
    const m = token.exec(text)!;
    return { t: m[0], start: m.index, end: m.index + m[0].length };
  };
  function value(first = next()): JsonSpan {
    const { start } = first;
    if (first.t === "[") {
      const items: JsonSpan[] = [];
      let at = next();
      while (at.t !== "]") {
        items.push(value(at.t === "," ? next() : at)), at = next();
      }
      return { start, end: at.end, items };
    }
    if (first.t === "{") {
      const entries = new Map<string, JsonSpan>();
      let at = next();
      while (at.t !== "}") {
        const key = JSON.parse((at.t === "," ? next() : at).t);
        next(); // the colon
        entries.set(key, value());
        at = next();
      }
      return { start, end: at.end, entries };
    }
    return { start, end: first.end };
  }
  return value();
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
 * Writes a text atomically; a link stays a link, and a file keeps its mode.
 * @param what it is, for the error
 * @throws {Error} in one line
 */
export async function replaceText(
  path: string,
  text: string,
  what?: string,
): Promise<void> {
  const target = await Deno.realPath(path).catch(() => path);
  const mode = (await Deno.stat(target).catch(() => undefined))?.mode;
  const temporary = `${target}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  try {
    await Deno.writeTextFile(temporary, text);
    if (mode) await Deno.chmod(temporary, mode & 0o7777);
    await Deno.rename(temporary, target);
  } catch (e) {
    await Deno.remove(temporary).catch(() => {});
    const failed = what ? `cannot write ${what}` : "cannot write";
    throw new Error(`${path}: ${failed}: ${(e as Error).message}`);
  }
}
