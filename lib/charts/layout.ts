/** Words around a plot, and the ticks that have room. */
import * as d3 from "d3";
import { type Axis, pixels } from "./axis.ts";
import {
  escapeMarkup,
  FONT_SIZE,
  type LegendItem,
  textWidth,
  wrapWords,
} from "./theme.ts";

const TITLE = 14;
/** The size of small words, and how what is no value is softened. */
export const SMALL = 11, SOFT = `fill-opacity="0.75"`;

/** Lines of words from (x, y) down. */
export const block = (
  lines: string[],
  x: number,
  y: number,
  step: number,
  style = "",
) =>
  lines.map((line, i) =>
    `<text x="${x}" y="${y + i * step}" text-anchor="start" ${style}>` +
    `${escapeMarkup(line)}</text>`
  ).join("");

/** Title, subtitle, legend and the y axis's name, no wider than the chart. */
export function head(
  o: { title?: string; subtitle?: string },
  legend: LegendItem[][],
  name: string,
  width: number,
) {
  const wrapped = (text = "", size = FONT_SIZE) =>
    text === "" ? [] : wrapWords(text, width - 16, size);
  // Bold is about a tenth wider.
  const title = wrapped(o.title, 1.1 * TITLE), subtitle = wrapped(o.subtitle);
  let markup =
    block(title, 8, 18, 18, `font-size="${TITLE}" font-weight="600"`) +
    block(subtitle, 8, 18 + 18 * title.length, 16, SOFT);
  let y = 4 + 18 * title.length + 16 * subtitle.length +
    (title.length + subtitle.length > 0 ? 6 : 0);
  for (const group of legend.filter((items) => items.length > 0)) {
    let x = 8, lines = 1;
    for (const { mark, label, width: own = 26 } of group) {
      const words = wrapWords(label, width - 22 - own, FONT_SIZE);
      const item = own + 20 + Math.max(...words.map((w) => textWidth(w)));
      if (x > 8 && x + item > width) [x, y, lines] = [8, y + 3 + 15 * lines, 1];
      markup += `<g transform="translate(${x},${y})">${mark}` +
        block(words, own > 0 ? own + 6 : 0, 10, 15) + `</g>`;
      x += Math.round(item);
      lines = Math.max(lines, words.length);
    }
    y += 3 + 15 * lines;
  }
  const names = wrapped(name);
  markup += block(names, 8, y + 14, 15, SOFT);
  y += names.length > 0 ? 6 + 15 * names.length : 0;
  return { markup: `<g aria-label="legend">${markup}</g>`, height: y };
}

/** Those of the ticks whose words, of such a size, stand apart. */
export function thinned(
  ticks: (number | string)[],
  pixel: (tick: number | string) => number,
  size: (tick: number | string) => number,
): (number | string)[] {
  const kept: (number | string)[] = [];
  for (const t of ticks) {
    const last = kept.at(-1) ?? t;
    const gap = Math.abs(pixel(t) - pixel(last));
    if (kept.length === 0 || gap >= (size(last) + size(t)) / 2) kept.push(t);
  }
  return kept;
}

export const widest = (lines: Iterable<string>) =>
  (d3.max(lines, (line: string) => textWidth(line)) as number | undefined) ?? 0;

/** The x axis's ticks and their words for a plot of that width. */
export function xTicks(axis: Axis, width: number) {
  const raw = new Map(axis.ticks.map((t) => [t, axis.format(t)]));
  const pixel = pixels(axis, [0, width]);
  if (axis.type !== "category") {
    const ticks = thinned(axis.ticks, pixel, (t) => textWidth(raw.get(t)!) + 8);
    return { ticks, text: raw, turn: 0, height: 14, overhang: 0 };
  }
  const slot = width / Math.max(1, axis.domain.length);
  const lines = new Map(
    [...raw].map(([t, text]) => [t, wrapWords(text, slot - 6, FONT_SIZE)]),
  );
  if (widest([...lines.values()].flat()) <= slot - 4) {
    const text = new Map([...lines].map(([t, own]) => [t, own.join("\n")]));
    const most = d3.max(lines.values(), (own: string[]) => own.length) ?? 1;
    return { ticks: axis.ticks, text, turn: 0, height: 14 * most, overhang: 0 };
  }
  // Turned, long names end in dots, and of very many only some are written.
  const text = new Map([...raw].map(([t, own]) => [
    t,
    textWidth(own) > 150 ? `${[...own].slice(0, 20).join("")}…` : own,
  ]));
  const long = Math.ceil(0.7 * widest(text.values()));
  const ticks = thinned(axis.ticks, pixel, () => 18);
  return {
    ticks,
    text,
    turn: -45,
    height: 12 + long,
    overhang: long - slot / 2,
  };
}
