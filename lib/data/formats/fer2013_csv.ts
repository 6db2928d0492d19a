/** FER2013's csv, read in pieces: every row's pixels, every bad row named. */
import { closeSync, openSync, readSync } from "node:fs";
import { headerOf, refuseUtf16 } from "./text_files.ts";
import { DataError } from "../types.ts";

/** Side of FER2013's images in pixels. */
export const FER2013_SIDE = 48;
const PIXELS = FER2013_SIDE * FER2013_SIDE;

export interface Fer2013Row {
  /** Place among the rows below the header, from 0; bad ones count. */
  index: number;
  /** Of the file, from 1. */
  line: number;
  /** 0..6 in the order of FER_CLASSES. */
  label: number;
  /** As written; undefined where the file has no such column. */
  usage?: string;
  /** 48 × 48 grey values. */
  pixels: Uint8Array;
}

export interface Fer2013Table {
  rows: Fer2013Row[];
  bad: { index: number; line: number; reason: string }[];
  /** Rows of each Usage word, the bad ones with a Usage among them. */
  usages: Map<string, number>;
}

const CHUNK = 1 << 18;
/** Pixels are kept in blocks of this many images. */
const BLOCK = 512;
const [LF, CR, QUOTE] = [10, 13, 34];
const ascii = new TextDecoder("latin1");

/**
 * Every line of a file as bytes, its number and nothing else in memory; `use`
 * has to copy what it keeps.
 */
function eachLine(
  path: string,
  use: (bytes: Uint8Array, line: number) => void,
): void {
  const file = openSync(path, "r");
  try {
    let buffer = new Uint8Array(CHUNK);
    let filled = 0, line = 0, end = -1;
    for (let first = true;; first = false) {
      const got = readSync(file, buffer, filled, buffer.length - filled, null);
      filled += got;
      let from = 0;
      if (first) {
        refuseUtf16(buffer.subarray(0, filled), path);
        if (buffer[0] === 0xef && buffer[1] === 0xbb) from = 3;
        const lf = buffer.subarray(0, filled).includes(LF);
        end = lf ? LF : CR;
      }
      const held = buffer.subarray(0, filled);
      for (let at; (at = held.indexOf(end, from)) >= 0; from = at + 1) {
        use(held.subarray(from, at), ++line);
      }
      if (got === 0) {
        if (from < filled) use(held.subarray(from), ++line);
        return;
      }
      buffer.copyWithin(0, from, filled);
      filled -= from;
      if (filled === buffer.length) {
        const wider = new Uint8Array(buffer.length * 2);
        wider.set(buffer);
        buffer = wider;
      }
    }
  } finally {
    closeSync(file);
  }
}

/** Where the cells of a line begin and end, without quotes and blanks. */
function cellsOf(bytes: Uint8Array, separator: number): [number, number][] {
  const cells: [number, number][] = [];
  let start = 0;
  for (;;) {
    let from = start;
    while (from < bytes.length && isSpace(bytes[from], separator)) from++;
    const quoted = bytes[from] === QUOTE;
    const close = quoted ? bytes.indexOf(QUOTE, from + 1) : -1;
    const next = bytes.indexOf(separator, close < 0 ? start : close);
    let to = next < 0 ? bytes.length : next;
    while (to > from && isSpace(bytes[to - 1], separator)) to--;
    cells.push(close < 0 ? [from, to] : [from + 1, close]);
    if (next < 0) return cells;
    start = next + 1;
  }
}

function isSpace(byte: number, separator: number): boolean {
  return byte <= 32 && byte !== separator;
}

/** Writes the values of a cell to `out`; says what is wrong, or null. */
function valuesOf(
  bytes: Uint8Array,
  from: number,
  to: number,
  out: Uint8Array,
): string | null {
  let count = 0, value = 0, start = from;
  for (let at = from; at <= to; at++) {
    const byte = at < to ? bytes[at] : 32;
    if (byte > 32) {
      const digit = byte - 48;
      value = digit >= 0 && digit <= 9 ? value * 10 + digit : 256;
      if (value > 255) return wrongPixel(bytes, start, to, count);
      continue;
    }
    if (start < at) {
      if (count < PIXELS) out[count] = value;
      count++;
      value = 0;
    }
    start = at + 1;
  }
  if (count === 0) return "has no pixels";
  return count === PIXELS
    ? null
    : `has ${count} pixels; want ${PIXELS} (48 × 48)`;
}

function wrongPixel(
  bytes: Uint8Array,
  start: number,
  to: number,
  before: number,
): string {
  const [word] = ascii.decode(bytes.subarray(start, to)).split(/\s/, 1);
  return `pixel ${before + 1} is ${JSON.stringify(word.slice(0, 20))}; ` +
    `want a whole number from 0 to 255`;
}

interface Columns {
  /** As a byte. */
  separator: number;
  emotion: number;
  pixels: number;
  usage: number;
  count: number;
}

/** The columns that a table's header names, in any order; null for another. */
export function fer2013Columns(text: string): Columns | null {
  const { separator, cells } = headerOf(text);
  const [emotion, pixels, usage] = ["emotion", "pixels", "usage"]
    .map((name) => cells.indexOf(name));
  if (emotion < 0 || pixels < 0) return null;
  const { length: count } = cells;
  return { separator: separator.charCodeAt(0), emotion, pixels, usage, count };
}

/**
 * Reads `emotion,pixels,Usage` in any order of columns, with blanks or quotes
 * around cells, any line ends and a byte order mark. Needs the memory of the
 * pixels and one piece of the file.
 *
 * @throws DataError for UTF-16 and for a header without the columns
 */
export function readFer2013Csv(path: string): Fer2013Table {
  const table: Fer2013Table = { rows: [], bad: [], usages: new Map() };
  let columns: Columns | null = null;
  let index = 0, head = "";
  let block = new Uint8Array(0), used = 0;
  eachLine(path, (bytes, line) => {
    if (bytes.every((b) => b <= 32)) return;
    if (columns === null) {
      head += `${ascii.decode(bytes)}\n`;
      columns = fer2013Columns(head);
      if (columns !== null || headerOf(head).above === head) return;
      throw new DataError(
        `${path}:${line}: is no header with the columns emotion and pixels`,
      );
    }
    const place = { index: index++, line };
    const fail = (reason: string) => void table.bad.push({ ...place, reason });
    const cells = cellsOf(bytes, columns.separator);
    if (cells.length !== columns.count) {
      return fail(
        `has ${cells.length} cell(s); the header has ${columns.count}`,
      );
    }
    const text = (at: number) => ascii.decode(bytes.subarray(...cells[at]));
    const usage = columns.usage < 0 ? undefined : text(columns.usage);
    if (usage !== undefined) {
      table.usages.set(usage, (table.usages.get(usage) ?? 0) + 1);
    }
    const emotion = text(columns.emotion);
    if (!/^0*[0-6](\.0*)?$/.test(emotion)) {
      return fail(
        `emotion is ${JSON.stringify(emotion.slice(0, 20))}; want 0 to 6`,
      );
    }
    if (used === block.length) {
      block = new Uint8Array(BLOCK * PIXELS);
      used = 0;
    }
    const pixels = block.subarray(used, used + PIXELS);
    const reason = valuesOf(bytes, ...cells[columns.pixels], pixels);
    if (reason !== null) return fail(reason);
    used += PIXELS;
    table.rows.push({ ...place, label: Number(emotion), usage, pixels });
  });
  if (columns === null) throw new DataError(`${path}: is empty`);
  return table;
}
