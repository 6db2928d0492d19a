/** What the charts of lib/reports share, until those are gone. */
import { createHash } from "node:crypto";
import {
  type Chart,
  escapeMarkup,
  FONT_SIZE,
  type LegendItem,
  textWidth,
  wrap,
  wrapWords,
} from "./theme.ts";
export * from "./scales.ts";
export * from "./theme.ts";

/** What every chart may be told; sizes in pixels. */
export interface ChartOptions {
  title?: string;
  width?: number;
  height?: number;
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
  const title = o.title ? wrapWords(o.title, o.width - 16, 1.1 * 14) : [];
  for (const line of title) {
    markup += `<text x="8" y="${y + 14}" text-anchor="start" ` +
      `font-size="14" font-weight="600">${escapeMarkup(line)}</text>`;
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

/** About `most` round numbers within [low, high]. */
export function roundTicks(low: number, high: number, most: number): number[] {
  if (!(high > low)) return [low];
  const power = 10 ** Math.floor(Math.log10((high - low) / most));
  const step = [1, 2, 5, 10].map((m) => m * power)
    .find((s) => (high - low) / s <= most)!;
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9; i++) {
    ticks.push(Number((i * step).toPrecision(12)));
  }
  return ticks;
}

/** Whole decades in [low, high], with 2 and 5 of each where they are few. */
export function logTicks([low, high]: readonly [number, number]): number[] {
  const all = [];
  const from = Math.floor(Math.log10(low)), to = Math.ceil(Math.log10(high));
  for (let e = from; e <= to; e++) {
    for (const m of [1, 2, 5]) all.push(Number(`${m}e${e}`));
  }
  const inside = all.filter((t) => t >= low && t <= high);
  const decades = inside.filter((t) => /^1e/.test(t.toExponential()));
  return decades.length > 1 ? decades : inside;
}

/** Those of rising `numbers` that stand `gap` pixels apart. */
export function thinned(
  numbers: readonly number[],
  pixel: (x: number) => number,
  gap: number,
): number[] {
  const kept: number[] = [];
  for (const x of numbers) {
    if (kept.length === 0 || pixel(x) - pixel(kept.at(-1)!) >= gap) {
      kept.push(x);
    }
  }
  return kept;
}
