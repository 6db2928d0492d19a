/** Text for terminals: columns, widths, numbers, and no raw control codes. */
import stringWidth from "string-width";
import type { Params, ParamValue } from "../../lib/study/definition.ts";

/** Control codes, line separators, and what turns the writing direction. */
const HARMFUL =
  /[\p{Cc}\u061C\u200E\u200F\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu;

/** The text with control codes written out, as in `\u001b`. */
export function clean(text: string): string {
  return text.toWellFormed().replace(
    HARMFUL,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

const graphemes = new Intl.Segmenter();

/** The text, cut with "…" when it takes more columns than `width`. */
export function fit(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let cut = "", used = 1;
  for (const { segment } of graphemes.segment(text)) {
    used += stringWidth(segment);
    if (used > width) break;
    cut += segment;
  }
  return width >= 1 ? `${cut}…` : "";
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
}

const GAP = 2;
const NARROWEST = 8;

/** Widths that fit into `room` together: the widest words are cut first. */
function shrunk(widths: number[], words: boolean[], room: number): number[] {
  const fitted = [...widths];
  let over = fitted.reduce((sum, w) => sum + w + GAP, -GAP) - room;
  for (; over > 0; over--) {
    const widest = Math.max(...fitted.filter((_, i) => words[i]));
    if (widest <= NARROWEST) break;
    fitted[fitted.findIndex((w, i) => words[i] && w === widest)]--;
  }
  return fitted;
}

/**
 * Columns as aligned lines of at most `room` columns of the terminal; a column
 * whose cells are all empty is left out.
 */
export function table(columns: Column[], room = Infinity): string {
  const filled = columns
    .map((c) => ({ ...c, cells: c.cells.map(clean), head: clean(c.head) }))
    .filter((c) => c.cells.some((cell) => cell !== ""));
  const widths = filled.map((c) =>
    Math.max(...[c.head, ...c.cells].map((cell) => stringWidth(cell)))
  );
  const fitted = Number.isFinite(room)
    ? shrunk(widths, filled.map((c) => !c.right), room)
    : widths;
  const lines = filled[0] ? [-1, ...filled[0].cells.keys()] : [];
  return lines.map((i) => {
    const line = filled.map((c, j) =>
      pad(fit(i < 0 ? c.head : c.cells[i], fitted[j]), fitted[j], c.right)
    );
    return fit(line.join(" ".repeat(GAP)).trimEnd(), room);
  }).join("\n");
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

/** A parameter's value; a number that is not whole to four digits. */
export function shownParam(value: ParamValue): string {
  return typeof value === "number" && !Number.isInteger(value)
    ? short(value)
    : String(value);
}

/** A setting as words: `depth 2, lr 0.001`. */
export function describe(params: Params): string {
  return Object.entries(params)
    .map(([name, value]) => clean(`${name} ${shownParam(value)}`)).join(", ");
}

/** A number to four digits. */
export function short(value: number): string {
  return Number.isFinite(value)
    ? String(Number(value.toPrecision(4)))
    : String(value);
}

/** An objective's value: an accuracy in percent, else to four digits. */
export function shownValue(value: number | null, metric: string): string {
  if (value === null) return "";
  return /accuracy/i.test(metric) && Math.abs(value) <= 1
    ? `${(100 * value).toFixed(1)} %`
    : short(value);
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
