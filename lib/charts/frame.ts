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
  /** Default: as long as the y axis is linear. */
  hasNoiseBar?: boolean;
  /** Small plots of one scale, by name. */
  panels?: string[];
  marks: (area: Area) => Plot.Markish[];
  /** Changes the finished element, such as by a mask of its own. */
  // deno-lint-ignore no-explicit-any
  after?: (element: any, area: Area) => void;
}

const TITLE = 14, LINE = 18, SMALL = 11;
const BAR = 8;
/** Of a panel's width. */
const PANEL_GAP = 0.08;
/** The class of the chart, until its content is known. */
export const CLASS = "ferlab-0000000000";

/** ± one standard deviation in words; null is unknown. */
export function noiseText(noise: Noise | null, isShare = true): string {
  if (noise === null || !(noise.sd >= 0)) {
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

/** The noise's height in a domain that has room for it: see `axisOf`. */
export const noiseLength = (noise: Noise | null | undefined) =>
  2.2 * (noise?.sd ?? 0);

/** Lines of a tooltip, without the empty ones. */
export const tip = (...lines: (string | null | undefined | false)[]) =>
  lines.filter(Boolean).join("\n");

/** Words in lines at `x`, each `step` below the last; and where they end. */
function lines(
  texts: string[],
  o: { x: number; y: number; step: number; style: string },
): { markup: string; y: number } {
  const markup = texts.map((line, i) =>
    `<text x="${o.x}" y="${o.y + i * o.step}" text-anchor="start" ` +
    `${o.style}>${escapeMarkup(line)}</text>`
  ).join("");
  return { markup, y: o.y + texts.length * o.step };
}

/** Title, subtitle and legend in lines no wider than the chart. */
function head(o: FrameOptions, legend: LegendItem[][], width: number) {
  const inside = width - 16;
  // Bold is about a tenth wider.
  const title = lines(o.title ? wrapWords(o.title, inside, 1.1 * TITLE) : [], {
    x: 8,
    y: 18,
    step: LINE,
    style: `font-size="${TITLE}" font-weight="600"`,
  });
  const subtitle = lines(
    o.subtitle ? wrapWords(o.subtitle, inside, FONT_SIZE) : [],
    { x: 8, y: title.y, step: 16, style: `fill-opacity="0.75"` },
  );
  let markup = title.markup + subtitle.markup;
  let y = subtitle.y > 18 ? subtitle.y - 8 : 4;
  for (const group of legend) {
    let x = 8;
    for (const { mark, label, width: markWidth = 26 } of group) {
      const words = wrapWords(label, inside - markWidth - 6, FONT_SIZE);
      const itemWidth = markWidth + 20 +
        Math.max(...words.map((w) => textWidth(w)));
      if (x > 8 && x + itemWidth > width) {
        x = 8;
        y += LINE;
      }
      const text = lines(words, {
        x: markWidth + 6,
        y: 10,
        step: 15,
        style: "",
      });
      markup += `<g transform="translate(${x},${y})">${mark}${text.markup}</g>`;
      x += Math.round(itemWidth);
      y += 15 * (words.length - 1);
    }
    if (group.length > 0) y += LINE;
  }
  return { markup: `<g aria-label="legend">${markup}</g>`, height: y };
}

/** Those of the ticks whose words stand `gap` pixels apart. */
function thinned(
  ticks: (number | string)[],
  pixel: (tick: number | string) => number,
  size: (tick: number | string) => number,
): (number | string)[] {
  const kept: (number | string)[] = [];
  for (const tick of ticks) {
    const last = kept.at(-1);
    const gap = last === undefined ? 0 : (size(last) + size(tick)) / 2;
    if (last === undefined || Math.abs(pixel(tick) - pixel(last)) >= gap) {
      kept.push(tick);
    }
  }
  return kept;
}

/** The x axis's ticks and their words for a plot of that width. */
function xTicks(axis: Drawn, innerWidth: number) {
  const raw = new Map(axis.ticks.map((t) => [t, axis.format(t)]));
  const pixel = pixels(axis, [0, innerWidth]);
  const widest = Math.max(0, ...[...raw.values()].map((t) => textWidth(t)));
  if (axis.type !== "category") {
    const ticks = thinned(
      axis.ticks,
      pixel,
      (t) => textWidth(raw.get(t)!) + 8,
    );
    return { ticks, text: raw, isTurned: false, height: 14, overhang: 0 };
  }
  const slot = innerWidth / Math.max(1, axis.domain.length);
  const wrapped = new Map(
    [...raw].map(([t, text]) => [t, wrapWords(text, slot - 6, FONT_SIZE)]),
  );
  const isTurned = [...wrapped.values()].flat()
    .some((line) => textWidth(line) > slot - 4);
  // Long names end in dots, and of very many only some are written.
  const short = (text: string) =>
    textWidth(text) > 150 ? `${[...text].slice(0, 20).join("")}…` : text;
  const height = isTurned
    ? 12 + 0.7 * Math.min(widest, 160)
    : 14 * Math.max(1, ...[...wrapped.values()].map((w) => w.length));
  return {
    ticks: isTurned ? thinned(axis.ticks, pixel, () => 14) : axis.ticks,
    text: isTurned
      ? new Map([...raw].map(([t, text]) => [t, short(text)]))
      : new Map([...wrapped].map(([t, w]) => [t, w.join("\n")])),
    isTurned,
    height: Math.ceil(height),
    overhang: isTurned ? 0.7 * Math.min(widest, 160) - slot / 2 : 0,
  };
}

/** The y axis's words in lines, at most 38 % of the chart's width. */
function yTicks(axis: Drawn, width: number) {
  const most = 0.38 * width;
  const text = new Map(axis.ticks.map((t) => {
    const all = axis.format(t).split("\n")
      .flatMap((line) => wrapWords(line, most, FONT_SIZE));
    return [t, all.join("\n")];
  }));
  const widest = Math.max(
    0,
    ...[...text.values()].flatMap((t) => t.split("\n")).map((t) =>
      textWidth(t)
    ),
  );
  return { text, width: Math.min(widest, most) };
}

/** A size in pixels, or the error that names it. */
function sized(kind: string, name: string, value: number): number {
  if (Number.isFinite(value) && value >= 100 && value <= 8000) return value;
  throw new RangeError(
    `${kind}: ${name} is ${value}; give pixels from 100 to 8000`,
  );
}

const plotScale = (axis: Axis, isY: boolean) => ({
  type: axis.type === "category" ? "band" as const : axis.type,
  // A band's first value stands at the bottom, as a number's lowest does.
  domain: isY && axis.type === "category"
    ? [...axis.domain].reverse()
    : axis.domain,
  padding: axis.type === "category" ? 0.04 : undefined,
  // The axes are marks of the frame.
  axis: null,
});

/** Draws a chart of that kind: see the head of this file. */
export function frame(kind: string, o: FrameOptions, spec: Spec): Chart {
  const width = sized(kind, "width", o.width ?? 720);
  const { x, y, room = {}, inset = {}, panels } = spec;
  const noise = o.noise;
  const notes = [...spec.notes ?? [], ...(o.caption ? [o.caption] : [])];
  const caption = notes.flatMap((t) => wrapWords(t, width - 16, SMALL));
  const label = [
    o.title ? `${o.title}: ${spec.label}` : spec.label,
    noise === undefined ? "" : noiseText(noise, isShareAxis(spec)),
    ...notes,
  ].filter(Boolean).join("; ");
  const legend = spec.isEmpty
    ? []
    : (spec.legend ?? []).map((g) => g.filter((item) => !!item));
  const top = head(o, legend, width);
  if (spec.isEmpty) return empty(kind, label, { width, top, caption });

  // The y axis's name and the noise's words stand on one line, if it is long
  // enough.
  const words = noise === undefined ? "" : noiseText(noise, isShareAxis(spec));
  const yLabel = y.isHidden ? "" : y.label;
  const isCrowded = words !== "" && yLabel !== "" &&
    24 + textWidth(yLabel) + textWidth(words) + 8 > width;
  const namesOf = wrapWords(yLabel, width - 16, FONT_SIZE);
  let headBottom = top.height;
  let above = "";
  if (yLabel !== "" || words !== "") {
    const soft = `fill-opacity="0.75"`;
    const name = lines(namesOf, {
      x: 8,
      y: headBottom + 14,
      step: 15,
      style: soft,
    });
    const split = wrapWords(words, width - 16, FONT_SIZE);
    const lineY = isCrowded ? name.y : headBottom + 14;
    above = name.markup +
      (words === ""
        ? ""
        : split.map((line, i) =>
          `<text x="${width - 8}" y="${lineY + 15 * i}" text-anchor="end" ` +
          `${soft}>${escapeMarkup(line)}</text>`
        ).join(""));
    headBottom += 6 + 15 * Math.max(
          namesOf.length + (isCrowded ? split.length : 0),
          words === "" ? 0 : split.length,
        );
  }
  const hasBar = spec.hasNoiseBar ?? y.type === "linear";
  const bar = hasBar && noise && noise.sd > 0 && y.type === "linear"
    ? noise
    : null;

  const yText = yTicks(y, width);
  const ySpace = y.isHidden ? 8 : Math.ceil(yText.width) + 14;
  let left = Math.max(ySpace, 16, room.left ?? 0);
  const right = Math.max(16, (room.right ?? 0) + (bar ? BAR + 16 : 0));
  const columns = panels
    ? Math.max(1, Math.min(panels.length, Math.floor((width - left) / 150), 5))
    : 1;
  const rowsOfPanels = panels ? Math.ceil(panels.length / columns) : 1;
  const panelWidth = () =>
    (width - left - right) * (1 - PANEL_GAP) / (columns - PANEL_GAP);
  let ticks = xTicks(x, panels ? panelWidth() : width - left - right);
  if (ticks.overhang > left) left = Math.ceil(ticks.overhang);
  ticks = xTicks(x, panels ? panelWidth() : width - left - right);
  const innerWidth = Math.max(40, width - left - right);
  const panelNames = new Map((panels ?? []).map((name) => [
    name,
    wrapWords(name, panelWidth() - 4, SMALL).slice(0, 3).join("\n"),
  ]));
  const named = Math.max(
    0,
    ...[...panelNames.values()].map((n) => n.split("\n").length),
  );
  const gap = panels ? 8 + 13 * named : 0;
  const marginTop = headBottom + 10 + (room.top ?? 0) + (panels ? gap - 4 : 0);
  const captionHeight = caption.length > 0 ? 15 * caption.length + 6 : 0;
  const marginBottom = (x.isHidden ? 10 : ticks.height + 16 +
    (x.label ? 20 : 0)) + (room.bottom ?? 0) + captionHeight;
  const inner = o.height === undefined
    ? spec.innerHeight?.(innerWidth) ??
      (panels ? rowsOfPanels * (84 + gap) : 300)
    : sized(kind, "height", o.height) - marginTop - marginBottom;
  const innerHeight = Math.max(40, inner);
  const fyGap = gap / (84 + gap);
  const panelShare = panels ? (1 - fyGap) / (rowsOfPanels - fyGap) : 1;
  const height = Math.ceil(marginTop + innerHeight + marginBottom);
  const bottom = marginTop + innerHeight;

  const area: Area = {
    left,
    right: width - right,
    top: marginTop,
    bottom,
    width,
    height,
    x: pixels(x, [left, width - right]),
    y: pixels(y, [bottom - (inset.bottom ?? 0), marginTop + (inset.top ?? 0)]),
    panel: (name) => {
      const i = panels?.indexOf(name) ?? 0;
      return { fx: i % columns, fy: Math.floor(i / columns) };
    },
  };
  const yShown = y.type === "category"
    ? thinned(y.ticks, area.y, () => 13)
    : thinned(y.ticks, area.y, () => 13 / panelShare);
  const element = Plot.plot({
    document,
    className: CLASS,
    width,
    height,
    marginTop,
    marginLeft: left,
    marginRight: right,
    marginBottom: height - bottom,
    color: { type: "identity" },
    symbol: { type: "identity" },
    r: { type: "identity" },
    opacity: { type: "identity" },
    x: plotScale(x, false),
    y: {
      ...plotScale(y, true),
      insetTop: inset.top ?? 0,
      insetBottom: inset.bottom ?? 0,
    },
    ...(panels
      ? {
        fx: { axis: null, padding: PANEL_GAP },
        fy: { axis: null, padding: fyGap },
      }
      : {}),
    marks: [
      y.isHidden || y.hasNoGrid ? null : Plot.gridY(yShown, GRID),
      x.isHidden || x.hasNoGrid ? null : Plot.gridX(ticks.ticks, GRID),
      y.isHidden ? null : Plot.axisY(yShown, {
        label: null,
        tickSize: 0,
        tickPadding: 8,
        lineHeight: 1.2,
        tickFormat: (t: number | string) => yText.text.get(t)!,
      }),
      x.isHidden ? null : Plot.axisX(ticks.ticks, {
        label: null,
        tickSize: x.hasNoGrid ? 0 : 5,
        tickPadding: x.hasNoGrid ? 10 : 5,
        lineHeight: 1.15,
        tickRotate: ticks.isTurned ? -45 : 0,
        tickFormat: (t: number | string) => ticks.text.get(t)!,
      }),
      x.isHidden || x.hasNoGrid
        ? null
        : Plot.frame({ anchor: "bottom", strokeOpacity: 0.5 }),
      panels
        ? Plot.text(panels, {
          fx: (n: string) => area.panel(n).fx,
          fy: (n: string) => area.panel(n).fy,
          text: (n: string) => panelNames.get(n),
          frameAnchor: "top-left",
          lineAnchor: "bottom",
          dy: -4,
          fontSize: SMALL,
          fontWeight: 600,
        })
        : null,
      ...spec.marks(area),
    ],
  });
  spec.after?.(element, area);

  let markup = top.markup + above;
  if (!x.isHidden && x.label) {
    markup += `<text x="${((left + width - right) / 2).toFixed(1)}" y="${
      height - captionHeight - (room.bottom ?? 0) - 8
    }" text-anchor="middle">${escapeMarkup(x.label)}</text>`;
  }
  if (bar) {
    const length = panelShare * Math.abs(area.y(0) - area.y(2 * bar.sd));
    markup += noiseBar(
      width - right + 10,
      marginTop + (inset.top ?? 0),
      length,
    );
  }
  markup += lines(caption, {
    x: 8,
    y: height - captionHeight + 12,
    step: 15,
    style: `font-size="${SMALL}" fill-opacity="0.75"`,
  }).markup;
  return finish(element, label, markup);
}

const isShareAxis = (spec: Spec) =>
  /accuracy|share/i.test(`${spec.y.label} ${spec.label}`);

/** ± one standard deviation as a bar beside the plot, two of them long. */
function noiseBar(x: number, y: number, length: number): string {
  const end = (y + length).toFixed(1);
  return `<g class="ferlab-noise"><rect x="${x}" y="${y}" width="${BAR}" ` +
    `height="${length.toFixed(1)}" fill="currentColor" fill-opacity="0.18"/>` +
    `<path d="M${x},${y}h${BAR}M${x},${end}h${BAR}M${
      x + BAR / 2
    },${y}V${end}" ` +
    `stroke="currentColor" stroke-width="1.5" fill="none"/></g>`;
}

/** Plot's element as standalone markup, its class told by its content. */
// deno-lint-ignore no-explicit-any
function finish(element: any, label: string, markup: string): Chart {
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
    .replace(/<\/svg>$/, () => `${markup}</svg>`);
  const hash = createHash("sha256").update(svg).digest("hex").slice(0, 10);
  return wrap(svg.replaceAll(CLASS, `ferlab-${hash}`));
}

/** What stands where there is nothing to draw. */
function empty(
  kind: string,
  label: string,
  { width, top, caption }: {
    width: number;
    top: { markup: string; height: number };
    caption: string[];
  },
): Chart {
  const message = "nothing to show yet";
  const y = top.height + 8, foot = y + 80;
  const height = foot + 12 + 15 * caption.length;
  return wrap(
    `<svg xmlns="http://www.w3.org/2000/svg" class="ferlab-${kind}" ` +
      `role="img" aria-label="${escapeMarkup(`${label}: ${message}`)}" ` +
      `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ` +
      `fill="currentColor" font-family="system-ui, sans-serif" ` +
      `font-size="${FONT_SIZE}" style="max-width: 100%; height: auto">` +
      `${top.markup}<rect x="8.5" y="${y + 0.5}" width="${width - 17}" ` +
      `height="79" rx="6" fill="none" stroke="currentColor" ` +
      `stroke-opacity="0.3" stroke-dasharray="4 4"/><text x="${width / 2}" ` +
      `y="${
        y + 44
      }" text-anchor="middle" fill-opacity="0.7">${message}</text>` +
      lines(caption, {
        x: 8,
        y: foot + 14,
        step: 15,
        style: `font-size="${SMALL}" fill-opacity="0.75"`,
      }).markup + `</svg>`,
  );
}
