/** Text for a terminal: within its columns, and without orders to it. */
import stringWidth from "string-width";

/** Control codes, line separators, and what turns the writing direction. */
export const HARMFUL =
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
