/** Text for terminals: columns, widths, numbers, and no raw control codes. */
import stringWidth from "string-width";
import { clean, fit } from "../lib/notebook/commands/mod.ts";

export { clean, fit };
export {
  BOLD,
  DIM,
  paintOut as paint,
  RED,
  YELLOW,
} from "../lib/notebook/commands/mod.ts";

/**
 * The text in lines of at most `room` columns, broken between words; lines
 * after the first begin with `indent` blanks. A word that is longer stays whole.
 */
export function wrapped(text: string, room: number, indent = 0): string {
  const start = /^ */.exec(text)![0];
  const lines: string[] = [];
  let line = "";
  for (const [whole, word] of text.matchAll(/ *(\S+(?: %\S*)?)/g)) {
    const isFirst = line.trim() === "";
    if (isFirst || stringWidth(line + whole) <= room) line += whole;
    else {
      lines.push(line);
      line = start + " ".repeat(indent) + word;
    }
  }
  return [...lines, line].join("\n");
}

/** The text with blanks up to `width` columns. */
export function pad(text: string, width: number, right = false): string {
  const blanks = " ".repeat(Math.max(0, width - stringWidth(text)));
  return right ? blanks + text : text + blanks;
}

/** One column of a table: left-aligned words, or right-aligned numbers. */
export interface Column {
  head: string;
  cells: string[];
  right?: boolean;
  /** May be cut: its end is told elsewhere, or does not matter. */
  cut?: boolean;
  /** Is left out where there is no room, the last of them first. */
  spare?: boolean;
}

/** A column of words. */
export const words = (
  head: string,
  cells: string[],
  o: Partial<Column> = {},
): Column => ({ head, cells, ...o });

/** A column of numbers. */
export const numbers = (
  head: string,
  cells: string[],
  o: Partial<Column> = {},
): Column => ({ head, cells, right: true, ...o });

const GAP = 2;
/** Columns that words keep, whatever else there is to tell. */
export const NARROWEST = 16;

const widthOf = ({ head, cells }: Column) =>
  cells.reduce(
    (most, cell) => Math.max(most, stringWidth(cell)),
    stringWidth(head),
  );

/** Widths in all `room`, where cutting what may be cut is enough; else none. */
function fitted(columns: Column[], room: number): number[] | undefined {
  const widths = columns.map(widthOf);
  let over = widths.reduce((sum, w) => sum + w + GAP, -GAP) - room;
  for (const [i, { cut, head }] of columns.entries()) {
    if (!cut || over <= 0) continue;
    const least = Math.min(widths[i], Math.max(NARROWEST, stringWidth(head)));
    const less = Math.min(over, widths[i] - least);
    widths[i] -= less;
    over -= less;
  }
  return over > 0 ? undefined : widths;
}

/** Rows as records of all their cells, the first cell above the others. */
function records(columns: Column[], room: number): string {
  const [first, ...others] = columns;
  return first.cells.map((title, i) => {
    const told = others.filter(({ cells }) => cells[i] !== "")
      .map(({ head, cells }) => `${head}: ${cells[i]}`);
    const lines = columns.length > 3 ? [told.join(", ")] : told;
    return [title, ...lines.map((line) => wrapped(`  ${line}`, room, 2))]
      .filter((line) => line.trim()).join("\n");
  }).join("\n");
}

/**
 * Columns as aligned lines of at most `room` columns of the terminal; a column
 * whose cells are all empty is left out. What does not fit is told as records,
 * so that no name and no number is cut.
 */
export function table(columns: Column[], room = Infinity): string {
  const filled = columns
    .map((c) => ({
      ...c,
      cells: c.cells.map(clean),
      head: clean(c.head),
    }))
    .filter((c) => c.cells.some((cell) => cell !== ""));
  if (filled.length === 0) return "";
  let shown = filled;
  let widths = fitted(shown, room);
  while (!widths) {
    const at = shown.findLastIndex((c) => c.spare);
    if (at < 0) return records(filled, room);
    shown = shown.toSpliced(at, 1);
    widths = fitted(shown, room);
  }
  return [-1, ...shown[0].cells.keys()].map((i) =>
    shown.map((c, j) =>
      pad(fit(i < 0 ? c.head : c.cells[i], widths[j]), widths[j], c.right)
    ).join(" ".repeat(GAP)).trimEnd()
  ).join("\n");
}

/** `name  value` lines, aligned; facts without a value are left out. */
export function factLines(
  facts: readonly (readonly [string, string])[],
  room = Infinity,
): string {
  const told = facts.filter(([, value]) => value !== "");
  const width = Math.max(...told.map(([name]) => name.length));
  return told.map(([name, value]) =>
    wrapped(`${name.padEnd(width)}  ${clean(value)}`, room, width + 2)
  ).join("\n");
}

/** Columns of the terminal that a stream shows on; without end elsewhere. */
export function roomOf(stream: { isTerminal(): boolean }): number {
  if (!stream.isTerminal()) return Infinity;
  try {
    return Deno.consoleSize().columns || Infinity; // some say 0
  } catch {
    return 80;
  }
}

/** A number to `digits` digits, and to all of its whole part. */
export function short(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return String(value);
  const whole = Math.floor(Math.log10(Math.abs(value) || 1)) + 1;
  const shown = Number(
    value.toPrecision(Math.min(17, Math.max(digits, whole))),
  );
  return shown !== 0 && Math.abs(shown) < 1e-3
    ? shown.toExponential()
    : String(shown);
}

/** A date as `2026-11-25 18:49Z`; nothing for null. */
export function minute(date: Date | null): string {
  return date ? `${date.toISOString().slice(0, 16).replace("T", " ")}Z` : "";
}

/** Bytes as `3.1 MB`. */
export function bytes(count: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let size = count, unit = 0;
  for (; size >= 1000 && unit < units.length - 1; unit++) size /= 1000;
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`;
}

/** `1 trial`, `2 trials`. */
export function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

/** One JSON document; NaN, ±Infinity and BigInts are strings. */
export function json(value: unknown): string {
  return JSON.stringify(
    value,
    (_, v) =>
      typeof v === "bigint" || typeof v === "number" && !Number.isFinite(v)
        ? String(v)
        : v,
    2,
  );
}
