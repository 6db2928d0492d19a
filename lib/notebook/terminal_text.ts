/** Text within the columns of a terminal. */
import stringWidth from "string-width";

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
