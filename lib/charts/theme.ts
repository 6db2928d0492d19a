/** What all charts share: colours, sizes, legends and the way to SVG text. */
import * as d3 from "d3";
import { parseHTML } from "linkedom";

/** A finished chart; a notebook shows it when it is a cell's last value. */
export interface Chart {
  /** Standalone SVG markup, to be saved as a file. */
  svg: string;
  /** The same for a page: text and axes take the page's colour. */
  html: string;
  [key: symbol]: () => Record<string, string>;
}

const page = parseHTML("<!doctype html><html><body></body></html>");

/** The document that Plot draws in; linkedom's types do not name it. */
// deno-lint-ignore no-explicit-any
export const document = (page as any).document;

/** Okabe and Ito's colours, strongest first; the blue is lightened for black. */
export const PALETTE = [
  ...["#2A83C4", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"],
];

/** Marker shapes, so that no line is told by its colour alone. */
export const SYMBOLS = ["circle", "square", "triangle", "diamond"] as const;

export const FONT_SIZE = 12;
export const GRID = { stroke: "currentColor", strokeOpacity: 0.12 };

/** The middle of viridis, which a thin line shows on white and on black. */
export const lineColor = (t: number): string =>
  d3.interpolateViridis(0.34 + 0.4 * Math.min(1, Math.max(0, t)));

/** White or black, whichever has more contrast on `color` (WCAG 2.2). */
export const textOn = (color: string): string =>
  d3.lab(color).l < 49.4 ? "white" : "black";

/** Widths of characters in em, by DejaVu Sans, the widest of the usual fonts. */
const WIDTHS: [RegExp, number][] = [
  [/[ijlI'|.,:;!()[\] ]/, 0.36],
  [/[frt\-/⁰¹²³⁴⁵⁶⁷⁸⁹⁻]/, 0.42],
  [/[mwMW%@±−×+<=>]/, 0.9],
  [/[A-Z]/, 0.7],
];

/** The most pixels that `text` takes in a chart's font. */
export const textWidth = (text: string, fontSize = FONT_SIZE): number =>
  fontSize * [...text].reduce(
    (sum, c) => sum + (WIDTHS.find(([like]) => like.test(c))?.[1] ?? 0.63),
    0,
  );

/** The words of `text` in lines no wider than `width` pixels. */
export function wrapWords(
  text: string,
  width: number,
  fontSize: number,
): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = lines.length === 0 ? word : `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && textWidth(longer, fontSize) <= width) {
      lines[lines.length - 1] = longer;
    } else lines.push(word);
  }
  return lines;
}

/** `text` made safe for markup and attributes. */
export const escapeMarkup = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

/** A chart of finished SVG markup; `narrow` draws one for narrow windows. */
export function wrap(markup: string, narrow?: () => string): Chart {
  // No SVG may hold control characters, halves of pairs or what is no character.
  // deno-lint-ignore no-control-regex
  const control = /[\0-\x08\v\f\x0e-\x1f\ufffe\uffff]/g;
  const svg = markup.toWellFormed().replace(control, "\ufffd");
  let html: string | undefined;
  // Drawn when it is asked for: who shows the first alone needs no second.
  const second = () =>
    narrow ? `<div class="narrow" style="display: none">${narrow()}</div>` : "";
  const made = () =>
    html ??= `<figure style="margin: 0">${svg}${second()}</figure>`;
  const display = {
    [Symbol.for("Jupyter.display")]: () => ({ "text/html": made() }),
  };
  return {
    svg,
    get html() {
      return made();
    },
    ...display,
  };
}
