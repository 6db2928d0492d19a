/** Tells whether outputs say the same, numbers within a tolerance. */
import { joinedStreams } from "../kernel/outputs.ts";
import { stripAnsi } from "../ansi.ts";
import type { MimeBundle, Output } from "../file/types.ts";

export interface OutputDifference {
  /** place among the cell's outputs, from 0 */
  index: number;
  /** stream name, MIME type or `error` */
  kind: string;
  why: string;
  before?: Output;
  after?: Output;
}

// Digits inside a word (conv1, 3f9a) are its spelling, no number.
const IN_TEXT =
  /[-+]?(?<![\p{L}\p{N}_.])(?:NaN|Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?=(?:px|ms|s|em|deg|[kMG]i?B)?(?![\p{L}\p{N}_]))/gu;
// In a path they follow its letters (M0.5,3L1,2); a colour is no number.
const IN_MARKUP = /(?<!#[\da-fA-F]*)[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/g;

/** |x − y| ≤ tolerance · max(|x|, |y|); NaN is like NaN. */
export function near(x: number, y: number, tolerance: number): boolean {
  if (Object.is(x, y) || x === y) return true;
  return Math.abs(x - y) <= tolerance * Math.max(Math.abs(x), Math.abs(y));
}

const cut = (text: string) =>
  JSON.stringify(text.length > 60 ? `${text.slice(0, 59)}…` : text);

/**
 * Compares texts: words must be the same, numbers in them within `tolerance`
 * (relative). With a tolerance the widths of columns and rules are ignored,
 * as they follow the digits. Colours are ignored.
 * @returns undefined when equal, else one line
 */
function compareText(
  a: string,
  b: string,
  tolerance: number,
  number = IN_TEXT,
): string | undefined {
  [a, b] = [stripAnsi(a), stripAnsi(b)];
  if (a === b) return;
  if (tolerance > 0) {
    const blanks = (s: string) =>
      s.replace(/[^\S\n]+/g, " ").replace(/([─═-])\1{2,}/g, "$1");
    [a, b] = [blanks(a), blanks(b)];
  }
  const [na, nb] = [a.match(number) ?? [], b.match(number) ?? []];
  const [ta, tb] = [a.split(number), b.split(number)];
  const at = ta.findIndex((t, i) => t !== tb[i]);
  if (at >= 0 || ta.length !== tb.length) return whereText(a, b);
  let worst: string | undefined;
  let largest = -1;
  for (const [i, text] of na.entries()) {
    const [x, y] = [Number(text), Number(nb[i])];
    if (text === nb[i] || near(x, y, tolerance)) continue;
    const off = Math.abs(x - y) / Math.max(Math.abs(x), Math.abs(y));
    if (!(off > largest) && worst) continue;
    largest = off;
    worst = `${text} → ${nb[i]}` +
      (off > 0 ? ` (relative difference ${off.toPrecision(2)})` : "");
  }
  return worst;
}

function whereText(a: string, b: string): string {
  const [la, lb] = [a.split("\n"), b.split("\n")];
  const at = la.findIndex((line, i) => line !== lb[i]);
  const line = at < 0 ? la.length : at;
  const side = (lines: string[]) =>
    line < lines.length ? cut(lines[line].trim()) : "nothing";
  return `line ${line + 1}: ${side(la)} → ${side(lb)}`;
}

/** Markup with ids by their order, a line an element. */
function canonicalMarkup(markup: string): string {
  const names = new Map<string, string>();
  for (const [, id] of markup.matchAll(/\bid\s*=\s*["']([^"']+)["']/g)) {
    if (!names.has(id)) names.set(id, `id-${names.size}-`);
  }
  return markup.replace(/>\s*</g, ">\n<").trim().replace(
    /(\bid\s*=\s*["']|#)([^"')\s,{]+)/g,
    (all, before, id) => names.has(id) ? before + names.get(id) : all,
  );
}

/** Largest difference of two images' pixels, 0 to 1; undefined: sizes differ. */
async function pixelDifference(
  a: string,
  b: string,
): Promise<number | undefined> {
  const { default: sharp } = await import("sharp");
  const [x, y] = await Promise.all(
    [a, b].map((base64) =>
      sharp(Uint8Array.fromBase64(base64)).ensureAlpha().raw()
        .toBuffer({ resolveWithObject: true })
    ),
  );
  if (x.info.width !== y.info.width || x.info.height !== y.info.height) return;
  let most = 0;
  for (const [i, v] of x.data.entries()) {
    most = Math.max(most, Math.abs(v - y.data[i]));
  }
  return most / 255;
}

async function compareImage(a: string, b: string, tolerance: number) {
  [a, b] = [a.replace(/\s/g, ""), b.replace(/\s/g, "")];
  if (a === b) return;
  let off: number | undefined;
  try {
    off = await pixelDifference(a, b);
  } catch {
    return "the images differ, and cannot be read";
  }
  if (off === undefined) return "the images differ in size";
  if (off > tolerance) {
    return `pixels differ by up to ${Math.round(off * 255)} of 255`;
  }
}

function compareJson(
  a: unknown,
  b: unknown,
  tolerance: number,
  at = "",
): string | undefined {
  if (typeof a === "number" && typeof b === "number") {
    if (near(a, b, tolerance)) return;
  } else if (
    typeof a === "object" && typeof b === "object" && a && b &&
    Array.isArray(a) === Array.isArray(b)
  ) {
    const [x, y] = [a, b] as Record<string, unknown>[];
    for (const key of new Set([...Object.keys(x), ...Object.keys(y)])) {
      const why = compareJson(x[key], y[key], tolerance, `${at}.${key}`);
      if (why) return why;
    }
    return;
  } else if (a === b) return;
  const show = (v: unknown) => cut(JSON.stringify(v) ?? "nothing").slice(1, -1);
  return `${at || "value"}: ${show(a)} → ${show(b)}`;
}

function compareMime(
  mime: string,
  a: unknown,
  b: unknown,
  tolerance: number,
): Promise<string | undefined> | string | undefined {
  if (typeof a !== "string" || typeof b !== "string") {
    return compareJson(a, b, tolerance);
  }
  if (mime === "text/html" || mime === "image/svg+xml") {
    return compareText(
      canonicalMarkup(a),
      canonicalMarkup(b),
      tolerance,
      IN_MARKUP,
    );
  }
  if (mime.startsWith("image/")) return compareImage(a, b, tolerance);
  return compareText(a, b, tolerance);
}

const kindOf = (o: Output): string =>
  o.output_type === "stream"
    ? o.name
    : o.output_type === "error"
    ? "error"
    : Object.keys(o.data)[0] ?? "display";

/** The traceback holds places in files, which are another matter. */
const outputText = (o: Output): string =>
  o.output_type === "stream"
    ? o.text
    : o.output_type === "error"
    ? `${o.ename}: ${o.evalue}`
    : "";

async function compareOutput(
  a: Output,
  b: Output,
  tolerance: number,
): Promise<{ kind: string; why: string } | undefined> {
  const kind = kindOf(a);
  if (!("data" in a) || !("data" in b)) {
    const same = a.output_type === b.output_type && kind === kindOf(b);
    const why = same
      ? compareText(outputText(a), outputText(b), tolerance)
      : `${kind} → ${kindOf(b)}`;
    return why === undefined ? undefined : { kind, why };
  }
  const [x, y]: MimeBundle[] = [a.data, b.data];
  for (const mime of new Set([...Object.keys(x), ...Object.keys(y)])) {
    if (!(mime in x)) return { kind: mime, why: "only in the second" };
    if (!(mime in y)) return { kind: mime, why: "only in the first" };
    const why = await compareMime(mime, x[mime], y[mime], tolerance);
    if (why !== undefined) return { kind: mime, why };
  }
}

/**
 * Compares a cell's outputs one by one: texts and data by value, charts by
 * their markup without regard to ids, images by their pixels.
 * @param tolerance relative, for numbers; for pixels a part of the full range
 * @returns what differs, in order; empty when the outputs say the same
 */
export async function compareOutputs(
  before: Output[],
  after: Output[],
  tolerance: number,
): Promise<OutputDifference[]> {
  const [a, b] = [joinedStreams(before), joinedStreams(after)];
  const found: OutputDifference[] = [];
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const [x, y] = [a[index], b[index]];
    const difference = !x
      ? { kind: kindOf(y), why: "only in the second" }
      : !y
      ? { kind: kindOf(x), why: "only in the first" }
      : await compareOutput(x, y, tolerance);
    if (difference) found.push({ index, ...difference, before: x, after: y });
  }
  return found;
}
