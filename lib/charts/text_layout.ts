/** Words around a plot, and the ticks that have room. */
import * as d3 from "d3";
import { type Axis, axisFor, pixels } from "./axis.ts";
import { escapeMarkup, FONT_SIZE, textWidth, wrapWords } from "./theme.ts";

/** A sample of a legend (`mark`: SVG in a box of 26 × 12) and its words. */
export interface LegendItem {
  mark: string;
  label: string;
  /** Of the sample; default: 26. */
  width?: number;
  /** Which series it is of; see `seriesAt`. */
  series?: number;
}

const TITLE = 14, TITLE_STYLE = `font-size="${TITLE}" font-weight="600"`;
/** The size of small words, and how what is no value is softened. */
export const SMALL = 11, SOFT = `fill-opacity="0.75"`;

/** Lines of words from (x, y) down. */
export const textLines = (
  lines: string[],
  [x, y]: [number | string, number],
  style = "",
  { step = 15, anchor = "start" } = {},
) =>
  lines.map((line, i) =>
    `<text x="${x}" y="${y + i * step}" text-anchor="${anchor}" ${style}>` +
    `${escapeMarkup(line)}</text>`
  ).join("");

/** Title, legend and the y axis's name, no wider than the chart. */
export function titleAndLegend(
  title = "",
  legend: LegendItem[][],
  name: string,
  width: number,
) {
  const wrapped = (text: string, size = FONT_SIZE) =>
    text === "" ? [] : wrapWords(text, width - 16, size);
  // Bold is about a tenth wider.
  const titles = wrapped(title, 1.1 * TITLE);
  let markup = textLines(titles, [8, 18], TITLE_STYLE, { step: 18 });
  let y = titles.length > 0 ? 10 + 18 * titles.length : 4;
  for (const group of legend.filter((items) => items.length > 0)) {
    let x = 8, lines = 1;
    for (const { mark, label, width: own = 26, series } of group) {
      const words = wrapWords(label, width - 22 - own, FONT_SIZE);
      const item = own + 20 + Math.max(...words.map((w) => textWidth(w)));
      if (x > 8 && x + item > width) [x, y, lines] = [8, y + 3 + 15 * lines, 1];
      const tag = series === undefined ? "" : ` data-series="${series}"`;
      markup += `<g transform="translate(${x},${y})"${tag}>${mark}` +
        textLines(words, [own > 0 ? own + 6 : 0, 10]) + `</g>`;
      x += Math.round(item);
      lines = Math.max(lines, words.length);
    }
    y += 3 + 15 * lines;
  }
  const names = wrapped(name);
  markup += textLines(names, [8, y + 14], SOFT);
  y += names.length > 0 ? 6 + 15 * names.length : 0;
  return { markup: `<g aria-label="legend">${markup}</g>`, height: y };
}

/** Those of the ticks whose words, of such a size, stand apart. */
export function thinned(
  ticks: (number | string)[],
  pixel: (tick: number | string) => number,
  size: (tick: number | string) => number,
): (number | string)[] {
  let last: number | string | undefined;
  return ticks.filter((t) => {
    const isKept = last === undefined ||
      Math.abs(pixel(t) - pixel(last)) >= (size(last) + size(t)) / 2;
    if (isKept) last = t;
    return isKept;
  });
}

/** The width of the widest line, 0 of none. */
export const widest = (lines: Iterable<string>, fontSize = FONT_SIZE): number =>
  d3.max(lines, (line: string) => textWidth(line, fontSize)) ?? 0;

/** The most that names left of a plot take of a chart's width. */
export const NAMES = 0.38;

/** A row's or a column's name in lines. */
export const nameLines = (name: string, width: number): string[] =>
  name.split("\n").flatMap((line) => wrapWords(line, NAMES * width, FONT_SIZE));

/** No chart is higher than so many pixels by its rows. */
export const MOST_HIGH = 2400;

/** An axis from low to high of which nothing is drawn. */
export const hiddenAxis = (low: number, high: number) => ({
  ...axisFor([low, high], { label: "", scale: "linear", pad: 0 }),
  isHidden: true,
});

/** An axis of names by their number, unless said without lines across. */
export const namesAxis = (
  names: readonly string[],
  label = "",
  hasNoGrid = true,
) => ({
  ...axisFor(d3.range(names.length), { label, scale: "category" }),
  format: (i: number | string) => names[Number(i)],
  hasNoGrid,
});

/**
 * The frame's y axis of names from the top down, and its height: `least` pixels
 * a row, more where a name takes more lines.
 */
export function rowsAxis(
  names: readonly string[],
  { label = "", width = 720, least = 24, most = MOST_HIGH, hasNoGrid = true },
) {
  const lines = Math.max(1, ...names.map((n) => nameLines(n, width).length));
  const step = lines > 1 ? Math.max(least, 15 * lines + 7) : least;
  const axis = namesAxis(names, label, hasNoGrid);
  const [domain, ticks] = [axis.domain, axis.ticks].map((a) => a.toReversed());
  return {
    y: { ...axis, domain, ticks },
    innerHeight: () => Math.min(most, step * names.length),
  };
}

/** The x axis's ticks and their words for a plot of that width. */
export function xTicks(axis: Axis, width: number) {
  const raw = new Map(axis.ticks.map((t) => [t, axis.format(t)]));
  const pixel = pixels(axis, [0, width]);
  const flat = { ticks: axis.ticks, turn: 0, height: 14, overhang: 0 };
  if (axis.type !== "category") {
    const fit = (ticks: Axis["ticks"]) =>
      thinned(ticks, pixel, (t) => textWidth(raw.get(t)!) + 8);
    // Even steps, through zero; on a log axis what has room.
    const zero = Math.max(0, axis.ticks.indexOf(0));
    const even = d3.range(1, axis.type === "linear" ? axis.ticks.length : 1)
      .map((step: number) =>
        axis.ticks.filter((_, i) => (i - zero) % step === 0)
      )
      .find((ticks: Axis["ticks"]) => fit(ticks).length === ticks.length);
    return { ...flat, ticks: even ?? fit(axis.ticks), text: raw };
  }
  const slot = width / Math.max(1, axis.domain.length);
  const lines = [...raw.values()]
    .map((text) => wrapWords(text, slot - 6, FONT_SIZE));
  if (widest(lines.flat()) <= slot - 4) {
    const text = new Map(axis.ticks.map((t, i) => [t, lines[i].join("\n")]));
    const most = Math.max(1, ...lines.map((own) => own.length));
    return { ...flat, text, height: 14 * most };
  }
  // Turned, long names end in dots, and of very many only some are written.
  const text = new Map([...raw].map(([t, own]) => [
    t,
    textWidth(own) > 150 ? `${[...own].slice(0, 20).join("")}…` : own,
  ]));
  const long = Math.ceil(0.7 * widest(text.values()));
  const ticks = thinned(axis.ticks, pixel, () => 18);
  const overhang = long - slot / 2;
  return { ticks, text, turn: -45, height: 12 + long, overhang };
}
