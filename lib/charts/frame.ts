/**
 * The frame that all charts share: title, subtitle, legend, axes with measured
 * margins, the noise, caption and the label for those who hear the page.
 *
 * How a chart is written (`heat.ts` and `effects.ts` are models):
 * 1. `read(chart, rows, { x: o.x, y: o.y ?? firstOf("mean", "accuracy") })`
 *    resolves its channels (channels.ts).
 * 2. `axisOf(table, "x", { label: o.xLabel, scale: o.xScale })` chooses scale,
 *    domain and ticks (axis.ts), and `onAxes(table, { x, y })` gives the rows
 *    that they can show and counts those left out.
 * 3. `frame(kind, o, { label, legend, notes, x, y, marks })` draws: `marks` gets
 *    the laid-out area and returns Plot's marks over those rows. Scales of x and
 *    y are set; `area.x(value)` and `area.y(value)` are pixels, for labels that
 *    have to be kept apart. Tooltips are the marks' `title` channels.
 */
import * as Plot from "@observablehq/plot";
import * as d3 from "d3";
import { createHash } from "node:crypto";
import { type Axis, pixels } from "./axis.ts";
import {
  type Chart,
  document,
  escapeMarkup,
  FONT_SIZE,
  GRID,
  type LegendItem,
  textWidth,
  wrap,
  wrapWords,
} from "./theme.ts";

/** The spread between repeats of one setting, in the values' unit (shares). */
export interface Noise {
  sd: number;
  /** Its 95 % interval. */
  low?: number | null;
  high?: number | null;
  /** Degrees of freedom of `sd`. */
  df?: number;
}

/** What every chart may be told; sizes in pixels. */
export interface FrameOptions {
  title?: string;
  subtitle?: string;
  /** Stands under the chart, after what is counted there. */
  caption?: string;
  width?: number;
  height?: number;
  /** null says that it is unknown. */
  noise?: Noise | null;
}

/** Options of charts with an x and a y axis. */
export interface AxesOptions extends FrameOptions {
  xLabel?: string;
  yLabel?: string;
  xScale?: Axis["type"];
  yScale?: Axis["type"];
  xFormat?: Axis["format"];
  yFormat?: Axis["format"];
}

/** Where the marks stand, in pixels, and the way there from values. */
export interface Area {
  left: number;
  right: number;
  top: number;
  bottom: number;
  /** Of the whole chart. */
  width: number;
  height: number;
  x: (value: number | string) => number;
  y: (value: number | string) => number;
  /** The panel's facets, for marks of a chart with panels. */
  panel: (name: string) => { fx: number; fy: number };
}

/** An axis that is drawn: none of its marks if it is hidden. */
export interface Drawn extends Axis {
  isHidden?: boolean;
  /** Without lines across the plot. */
  hasNoGrid?: boolean;
}

export interface Spec {
  /** What the chart shows, in words. */
  label: string;
  /** Rows of the legend, only of what is drawn. */
  legend?: (LegendItem | false | null | undefined)[][];
  /** Under the chart: what was left out. */
  notes?: string[];
  x: Drawn;
  y: Drawn;
  /** Where there is nothing to draw, and the frame says so. */
  isEmpty?: boolean;
  /** Pixels beside the plot that its own words need. */
  room?: { left?: number; right?: number; top?: number; bottom?: number };
  /** Between the plot's edges and its values, in pixels. */
  inset?: { top?: number; bottom?: number };
  /** The plot's height, from its width; default: 300. */
  innerHeight?: (innerWidth: number) => number;
  /** Small plots of one scale, by name. */
  panels?: string[];
  marks: (area: Area) => Plot.Markish[];
  /** Changes the finished element, such as by a mask of its own. */
  // deno-lint-ignore no-explicit-any
  after?: (element: any, area: Area) => void;
}

const TITLE = 14, SMALL = 11, SOFT = `fill-opacity="0.75"`;
/** The noise bar's width, the share between panels, a panel's height. */
const BAR = 8, PANEL_GAP = 0.08, PANEL = 84;
/** The class of the chart, until its content is known. */
export const CLASS = "ferlab-0000000000";

/** ± one standard deviation in words; null is unknown. */
export function noiseText(noise: Noise | null, isShare = true): string {
  if (noise === null || !(noise.sd >= 0 && noise.sd < Infinity)) {
    return "noise unknown: no setting was repeated";
  }
  const size = (value: number) =>
    isShare
      ? (100 * value).toFixed(value < 0.001 ? 2 : 1)
      : String(Number(value.toPrecision(2)));
  const interval = typeof noise.low === "number" &&
      typeof noise.high === "number"
    ? `, 95 % interval ${size(noise.low)} to ${size(noise.high)}`
    : "";
  const df = noise.df === undefined ? "" : `, ${noise.df} df`;
  return `noise ±${size(noise.sd)}${isShare ? " points" : ""} ` +
    `(sd of repeats${interval}${df})`;
}

/** The noise's standard deviation, 0 where there is none. */
export const sdOf = (noise: Noise | null | undefined): number =>
  noise && noise.sd > 0 && noise.sd < Infinity ? noise.sd : 0;

/** The noise's height in a domain that has room for it: see `axisOf`. */
export const noiseLength = (noise: Noise | null | undefined) =>
  2.2 * sdOf(noise);

/** Lines of a tooltip, without the empty ones. */
export const tip = (...lines: (string | null | undefined | false)[]) =>
  lines.filter(Boolean).join("\n");

/** Lines of words from (x, y) down. */
const block = (
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
function head(
  o: FrameOptions,
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
function thinned(
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

const widest = (lines: Iterable<string>) =>
  (d3.max(lines, (line: string) => textWidth(line)) as number | undefined) ?? 0;

/** The x axis's ticks and their words for a plot of that width. */
function xTicks(axis: Drawn, width: number) {
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

/** A size in pixels, or the error that names it. */
function sized(kind: string, name: string, value: number): number {
  if (Number.isFinite(value) && value >= 100 && value <= 8000) return value;
  throw new RangeError(
    `${kind}: ${name} is ${value}; give pixels from 100 to 8000`,
  );
}

const plotScale = ({ type, domain }: Axis, isY: boolean) => ({
  type: type === "category" ? "band" as const : type,
  // A band's first value stands at the bottom, as a number's lowest does.
  domain: isY && type === "category" ? [...domain].reverse() : domain,
  padding: type === "category" ? 0.04 : undefined,
  // The axes are marks of the frame.
  axis: null,
});

/** Draws a chart of that kind: see the head of this file. */
export function frame(kind: string, o: FrameOptions, spec: Spec): Chart {
  const width = sized(kind, "width", o.width ?? 720);
  const { x, y, room = {}, inset = {}, panels, isEmpty = false } = spec;
  const noiseWords = o.noise === undefined ? "" : noiseText(
    o.noise,
    /accuracy|share/i.test(`${y.label} ${spec.label}`),
  );
  const bar = y.type === "linear" ? sdOf(o.noise) : 0;
  const noiseItem = { mark: bar ? BAR_MARK : "", width: bar ? 26 : 0 };
  const legend = [
    ...(spec.legend ?? []).map((items) => items.filter((item) => !!item)),
    noiseWords === "" ? [] : [{ ...noiseItem, label: noiseWords }],
  ];
  const notes = [...spec.notes ?? [], ...(o.caption ? [o.caption] : [])];
  const caption = notes.flatMap((t) => wrapWords(t, width - 16, SMALL));
  const xNames = wrapWords(x.label, width - 16, FONT_SIZE);
  const captionHeight = caption.length > 0 ? 15 * caption.length + 6 : 0;
  const top = head(
    o,
    isEmpty ? [] : legend,
    isEmpty || y.isHidden ? "" : y.label,
    width,
  );
  const foot = (height: number) =>
    block(
      caption,
      8,
      height - captionHeight + 12,
      15,
      `font-size="${SMALL}" ${SOFT}`,
    );
  const label = [
    o.title ? `${o.title}: ${spec.label}` : spec.label,
    noiseWords,
    ...notes,
  ].filter(Boolean).join("; ");
  const page = { document, className: CLASS, width };
  if (isEmpty) {
    const height = top.height + 96 + captionHeight;
    const element = Plot.plot({
      ...{ ...page, height, margin: 8, marginTop: top.height + 8 },
      marginBottom: captionHeight + 8,
      marks: [
        Plot.frame({ rx: 6, strokeOpacity: 0.3, strokeDasharray: "4 4" }),
        Plot.text([EMPTY], { text: [EMPTY], frameAnchor: "middle" }),
      ],
    });
    return finish(element, `${label}: ${EMPTY}`, top.markup + foot(height));
  }

  const yText = new Map(y.ticks.map((t) => [
    t,
    y.format(t).split("\n")
      .flatMap((line) => wrapWords(line, 0.38 * width, FONT_SIZE)),
  ]));
  const yWidth = y.isHidden
    ? 8
    : Math.ceil(Math.min(widest([...yText.values()].flat()), 0.38 * width)) +
      14;
  const right = Math.max(16, (room.right ?? 0) + (bar ? BAR + 16 : 0));
  const columns = panels
    ? Math.max(
      1,
      Math.min(panels.length, Math.floor((width - yWidth) / 150), 5),
    )
    : 1;
  const lines = Math.ceil((panels?.length ?? 1) / columns);
  const inside = (left: number) =>
    (width - left - right) *
    (panels ? (1 - PANEL_GAP) / (columns - PANEL_GAP) : 1);
  let left = Math.max(yWidth, 16, room.left ?? 0);
  left = Math.max(left, Math.ceil(xTicks(x, inside(left)).overhang));
  const ticks = xTicks(x, inside(left));
  const names = new Map((panels ?? []).map((name) => [
    name,
    wrapWords(name, inside(left) - 4, SMALL).slice(0, 3),
  ]));
  const named = Math.max(0, ...[...names.values()].map((n) => n.length));
  const gap = panels ? 8 + 13 * named : 0;
  const marginTop = top.height + 10 + (room.top ?? 0) + (panels ? gap - 4 : 0);
  const marginBottom = captionHeight + (room.bottom ?? 0) +
    (x.isHidden
      ? 10
      : ticks.height + 16 + (x.label ? 5 + 15 * xNames.length : 0));
  const innerHeight = Math.max(
    40,
    o.height === undefined
      ? panels
        ? lines * (PANEL + gap)
        : spec.innerHeight?.(Math.max(40, width - left - right)) ?? 300
      : sized(kind, "height", o.height) - marginTop - marginBottom,
  );
  const height = Math.ceil(marginTop + innerHeight + marginBottom);
  const bottom = marginTop + innerHeight;
  const fyGap = gap / (PANEL + gap);
  const share = panels ? (1 - fyGap) / (lines - fyGap) : 1;
  const area: Area = {
    ...{ left, right: width - right, top: marginTop, bottom, width, height },
    x: pixels(x, [left, width - right]),
    y: pixels(y, [bottom - (inset.bottom ?? 0), marginTop + (inset.top ?? 0)]),
    panel: (name) => {
      const i = panels?.indexOf(name) ?? 0;
      return { fx: i % columns, fy: Math.floor(i / columns) };
    },
  };
  const yTicks = thinned(y.ticks, area.y, () => 13 / share);
  const element = Plot.plot({
    ...{ ...page, height, marginTop, marginBottom: height - bottom },
    ...{ marginLeft: left, marginRight: right },
    ...{ color: IDENTITY, symbol: IDENTITY, r: IDENTITY, opacity: IDENTITY },
    x: plotScale(x, false),
    y: {
      ...plotScale(y, true),
      insetTop: inset.top ?? 0,
      insetBottom: inset.bottom ?? 0,
    },
    ...(panels && {
      fx: { axis: null, padding: PANEL_GAP },
      fy: { axis: null, padding: fyGap },
    }),
    marks: [
      y.isHidden || y.hasNoGrid ? null : Plot.gridY(yTicks, GRID),
      x.isHidden || x.hasNoGrid ? null : Plot.gridX(ticks.ticks, GRID),
      y.isHidden ? null : Plot.axisY(yTicks, {
        ...{ label: null, tickSize: 0, tickPadding: 8, lineHeight: 1.2 },
        // d3's log scales leave out the words of a tick's format, not these.
        text: (t: number | string) => yText.get(t)!.join("\n"),
      }),
      x.isHidden ? null : Plot.axisX(ticks.ticks, {
        ...{ label: null, lineHeight: 1.15, tickRotate: ticks.turn },
        tickSize: x.hasNoGrid ? 0 : 5,
        tickPadding: x.hasNoGrid ? 10 : 5,
        text: (t: number | string) => ticks.text.get(t)!,
      }),
      x.isHidden || x.hasNoGrid
        ? null
        : Plot.frame({ anchor: "bottom", strokeOpacity: 0.5 }),
      panels
        ? Plot.text(panels, {
          fx: (n: string) => area.panel(n).fx,
          fy: (n: string) => area.panel(n).fy,
          text: (n: string) => names.get(n)!.join("\n"),
          ...{ frameAnchor: "top-left", lineAnchor: "bottom", dy: -4 },
          ...{ fontSize: SMALL, fontWeight: 600 },
        })
        : null,
      ...spec.marks(area),
    ],
  });
  spec.after?.(element, area);
  const half = widest(xNames) / 2;
  const middle = Math.max(
    Math.min((left + width - right) / 2, width - 8 - half),
    Math.min(8 + half, width / 2),
  );
  const under = height - captionHeight - (room.bottom ?? 0) - 8 -
    15 * xNames.length;
  const xName = x.isHidden || !x.label
    ? ""
    : xNames.map((name, i) =>
      `<text x="${middle.toFixed(1)}" y="${under + 15 * (i + 1)}" ` +
      `text-anchor="middle">${escapeMarkup(name)}</text>`
    ).join("");
  const length = bar ? share * Math.abs(area.y(0) - area.y(2 * bar)) : 0;
  const barAt = marginTop + (inset.top ?? 0);
  const barMarkup = bar ? noiseBar(width - right + 10, barAt, length) : "";
  return finish(element, label, top.markup + xName + barMarkup + foot(height));
}

const EMPTY = "nothing to show yet";
const IDENTITY = { type: "identity" } as const;

/** ± one standard deviation as a bar beside the plot, two of them long. */
function noiseBar(x: number, y: number, length: number): string {
  const high = length.toFixed(1);
  return `<g class="ferlab-noise" transform="translate(${x},${y})">` +
    `<rect width="${BAR}" height="${high}" fill-opacity="0.18"/>` +
    `<path d="M0,0h${BAR}M0,${high}h${BAR}M${BAR / 2},0V${high}" ` +
    `stroke="currentColor" stroke-width="1.5"/></g>`;
}
const BAR_MARK = `<g transform="translate(9,0)">${noiseBar(0, 0, 12)}</g>`;

/** Plot's element as standalone markup, its class told by its content. */
// deno-lint-ignore no-explicit-any
function finish(element: any, label: string, markup: string): Chart {
  element.setAttribute("font-size", String(FONT_SIZE));
  // linkedom leaves "&" in attributes as it is, so the label comes later.
  const root = `<svg xmlns="http://www.w3.org/2000/svg" role="img" ` +
    `aria-label="${escapeMarkup(label)}" `;
  const svg = (element.outerHTML as string)
    .replace("<svg ", () => root)
    .replace("--plot-background: white", "--plot-background: transparent")
    .replace(/<\/svg>$/, () => `${markup}</svg>`);
  const hash = createHash("sha256").update(svg).digest("hex").slice(0, 10);
  return wrap(svg.replaceAll(CLASS, `ferlab-${hash}`));
}
