/** What all charts share: colours, sizes, legends and the way to SVG text. */
import { createHash } from "node:crypto";
import { parseHTML } from "linkedom";

/** A finished chart; a notebook shows it when it is a cell's last value. */
export interface Chart {
  /** Standalone SVG markup, to be saved as a file. */
  svg: string;
  /** The same for a page: text and axes take the page's colour. */
  html: string;
  [key: symbol]: () => Record<string, string>;
}

/** What every chart may be told; sizes in pixels. */
export interface ChartOptions {
  title?: string;
  width?: number;
  height?: number;
}

const page = parseHTML("<!doctype html><html><body></body></html>");

/** The document that Plot draws in; linkedom's types do not name it. */
// deno-lint-ignore no-explicit-any
export const document = (page as any).document;

/** Okabe and Ito's colours, strongest first; the blue is lightened for black. */
export const PALETTE = [
  "#2A83C4",
  "#D55E00",
  "#009E73",
  "#CC79A7",
  "#E69F00",
  "#56B4E9",
];

/** Marker shapes, so that no line is told by its colour alone. */
export const SYMBOLS = ["circle", "square", "triangle", "diamond"] as const;

export const FONT_SIZE = 12;
const TITLE = 14;
export const GRID = { stroke: "currentColor", strokeOpacity: 0.12 };

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
export function escapeMarkup(text: string): string {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** A share as a percentage: 0.5317 → "53.2 %". */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** 0.0001 → "10⁻⁴", 0.0002 → "2×10⁻⁴". */
export function powerOfTen(value: number): string {
  const [mantissa, exponent] = value.toExponential().split("e");
  const raised = [...String(Number(exponent))]
    .map((c) => c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(c)]).join("");
  return mantissa === "1" ? `10${raised}` : `${mantissa}×10${raised}`;
}

/** A sample of a legend (`mark`: SVG in a box of 26 × 12) and its words. */
export interface LegendItem {
  mark: string;
  label: string;
  /** Of the sample; default: 26. */
  width?: number;
}

/** A chart's head: the title and the legend under it, and their height. */
export interface Head {
  markup: string;
  height: number;
}

/** Sets title, legend and the y axis's name in lines no wider than `width`. */
export function head(
  o: {
    title?: string;
    legend?: LegendItem[][];
    yLabel?: string;
    width: number;
  },
): Head {
  let markup = "", y = 4;
  // Bold is about a tenth wider.
  const title = o.title ? wrapWords(o.title, o.width - 16, 1.1 * TITLE) : [];
  for (const line of title) {
    markup += `<text x="8" y="${y + 14}" text-anchor="start" ` +
      `font-size="${TITLE}" font-weight="600">${escapeMarkup(line)}</text>`;
    y += 18;
  }
  if (title.length > 0) y += 6;
  for (const group of o.legend ?? []) {
    let x = 8;
    for (const { mark, label } of group) {
      const width = 32 + textWidth(label) + 14;
      if (x > 8 && x + width > o.width) {
        x = 8;
        y += 18;
      }
      markup += `<g transform="translate(${x},${y})">${mark}` +
        `<text x="32" y="10" text-anchor="start">${escapeMarkup(label)}` +
        `</text></g>`;
      x += Math.round(width);
    }
    if (group.length > 0) y += 18;
  }
  if (o.yLabel) {
    markup += `<text x="8" y="${y + 16}" text-anchor="start" ` +
      `fill-opacity="0.75">${escapeMarkup(o.yLabel)}</text>`;
    y += 22;
  }
  return { markup: `<g aria-label="legend">${markup}</g>`, height: y };
}

/** A class name that only this content has, the same in every run. */
export function contentClass(kind: string, ...content: unknown[]): string {
  const hash = createHash("sha256")
    .update(JSON.stringify([kind, ...content])).digest("hex");
  return `ferlab-${kind}-${hash.slice(0, 10)}`;
}

/** Turns Plot's element (an SVG without title or legend of Plot's) to text. */
// deno-lint-ignore no-explicit-any
export function finish(element: any, label: string, top?: Head): Chart {
  element.setAttribute("font-size", String(FONT_SIZE));
  // linkedom leaves "&" in attributes as it is, so the label comes later.
  const svg = (element.outerHTML as string)
    .replace(
      "<svg ",
      () =>
        `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${
          escapeMarkup(label)
        }" `,
    )
    .replace("--plot-background: white", "--plot-background: transparent")
    .replace(/<\/svg>$/, () => `${top?.markup ?? ""}</svg>`);
  return wrap(svg);
}

/** What stands where there is nothing to draw yet. */
export function emptyChart(
  kind: string,
  label: string,
  o: ChartOptions = {},
): Chart {
  const width = o.width ?? 640, height = 120;
  const message = "nothing to show yet";
  const top = head({ title: o.title, width });
  return wrap(
    `<svg xmlns="http://www.w3.org/2000/svg" class="${
      contentClass(kind, label, o)
    }" role="img" aria-label="${
      escapeMarkup(`${label}: ${message}`)
    }" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ` +
      `fill="currentColor" font-family="system-ui, sans-serif" ` +
      `font-size="${FONT_SIZE}" style="max-width: 100%; height: auto">` +
      `${top.markup}<rect x="8.5" y="32.5" width="${width - 17}" ` +
      `height="${height - 41}" rx="6" fill="none" stroke="currentColor" ` +
      `stroke-opacity="0.3" stroke-dasharray="4 4"/><text x="${width / 2}" ` +
      `y="76" text-anchor="middle" fill-opacity="0.7">${message}</text></svg>`,
  );
}

/** A chart of finished SVG markup. */
export function wrap(markup: string): Chart {
  // No SVG may hold control characters or halves of pairs.
  // deno-lint-ignore no-control-regex
  const control = /[\0-\x08\v\f\x0e-\x1f]/g;
  const svg = markup.toWellFormed().replace(control, "\ufffd");
  const html = `<figure style="margin: 0">${svg}</figure>`;
  return {
    svg,
    html,
    [Symbol.for("Jupyter.display")]: () => ({ "text/html": html }),
  };
}
