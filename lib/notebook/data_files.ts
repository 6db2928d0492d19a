/** The data files that a cell lists, by patterns that end in bounded time. */
import { globSync, statSync } from "node:fs";
import { join } from "node:path";
import { shortHash } from "./ast.ts";
import { type GraphCell, listed } from "./graph.ts";

const MOST_FILES = 100_000; // that the patterns of one cell may find
const LONGEST = 300; // characters of a pattern
const MOST_WORDS = 256; // that the braces may come to
const MOST_STARS = 3; // between two slashes: names are matched by trying
const MOST_DEEP = 2; // `**`

/** Into how many patterns the braces come apart, at the most. */
function words(pattern: string): number {
  let all = 1;
  const open: { from: number; choices: number }[] = [];
  const close = (to: number) => {
    const { from, choices } = open.pop()!;
    const [, a, b] = /^(-?\d+)\.\.(-?\d+)/.exec(pattern.slice(from, to)) ?? [];
    all *= Math.max(choices, a ? Math.abs(Number(a) - Number(b)) + 1 : 1);
  };
  for (let i = 0; i < pattern.length; i++) {
    if (pattern[i] === "{") open.push({ from: i + 1, choices: 1 });
    else if (pattern[i] === "," && open.length) open.at(-1)!.choices++;
    else if (pattern[i] === "}" && open.length) close(i);
  }
  while (open.length) close(pattern.length);
  return all;
}

/** Why a pattern is refused; undefined when it is not. */
function tooWide(pattern: string): string | undefined {
  if (pattern.length > LONGEST) return `has more than ${LONGEST} characters`;
  if (/[!?+*@]\(/.test(pattern)) return "has a group like !(a) or +(a)";
  if (words(pattern) > MOST_WORDS) {
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
  const patterns = listed(cell, "data");
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
