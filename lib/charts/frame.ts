/**
 * The frame that all charts share: title, legend, axes with measured margins,
 * the noise, caption and the label for those who hear the page. A chart (`heat.ts`
 * is a model) reads its channels (`readChannels`), makes axes of them (`axisOf`), takes
 * the rows that they can show (`onAxes`) and calls `frame`, whose `marks` gets the
 * area in pixels. Tooltips are the marks' `title`. For rows with names see
 * `rowsAxis`.
 */
import * as Plot from "@observablehq/plot";
import * as d3 from "d3";
import { createHash } from "node:crypto";
import { type Axis, type AxisOptions, pixels, SHARES } from "./axis.ts";
import { checkOptions, whatIs, withTrials } from "./channels.ts";
import { type AnyTable, csvAttribute } from "./rows_as_csv.ts";
import * as layout from "./text_layout.ts";
import * as noise from "./noise_bar.ts";
import * as theme from "./theme.ts";
import { evenlySpaced } from "./value_text.ts";

/** What every chart may be told; sizes in pixels. */
export interface FrameOptions {
  title?: string;
  /** Stands under the chart, after what is counted there. */
  caption?: string;
  width?: number;
  /** null says that it is unknown. */
  noise?: noise.Noise | null;
}

/** Options of charts with an x and a y axis. */
export type AxesOptions =
  & FrameOptions
  & Partial<Record<"xLabel" | "yLabel", string>>
  & Partial<Record<"xScale" | "yScale", Axis["type"]>>
  & Partial<Record<"xFormat" | "yFormat", Axis["format"]>>;

/** Where the marks stand, in pixels, and the way there from values. */
export type Area =
  & Record<"left" | "right" | "top" | "bottom", number>
  & Record<"x" | "y", (value: number | string) => number>;

/** A label's place, in pixels. */
export type Box = Record<"x" | "y" | "width" | "height", number>;

/** An axis that is drawn: none of its marks if it is hidden. */
export interface Drawn extends Axis {
  isHidden?: boolean;
  /** Without lines across the plot. */
  hasNoGrid?: boolean;
}

type Not = false | null | undefined;
type Word = string | Not;

export interface Spec {
  /** What the chart shows, in words; empty ones are left out, as in notes. */
  label: string | Word[];
  /** Rows of the legend, only of what is drawn. */
  legend?: (layout.LegendItem | Not)[][];
  /** Under the chart: what was left out. */
  notes?: Word[];
  x: Drawn;
  y: Drawn;
  /** What is drawn, for those who take its numbers along. */
  rows?: readonly AnyTable[];
  /** Where there is nothing to draw, and the frame says so. */
  isEmpty?: boolean;
  /** Pixels beside the plot that its own words need. */
  room?: { left?: number; right?: number; top?: number; bottom?: number };
  /** Between the plot's edges and its values, in pixels. */
  inset?: { top?: number; bottom?: number };
  /** The plot's height, from its width; default: 300. */
  innerHeight?: (innerWidth: number) => number;
  /** A sample of the noise; default: a bar where there is one at the side. */
  noiseMark?: Pick<layout.LegendItem, "mark" | "width">;
  marks: (area: Area) => Plot.Markish[];
  /** Labels, behind which the marks that have a class fade. */
  fade?: (area: Area) => Box[];
}

/** The class of the chart, until its content is known. */
export const CLASS = "ferlab-0000000000";

/** What a chart was told of an axis, for `axisOf`. */
export const axisOptions = (o: AxesOptions, axis: "x" | "y"): AxisOptions => ({
  label: o[`${axis}Label`],
  scale: o[`${axis}Scale`],
  format: o[`${axis}Format`],
});

/** Lines of a tooltip, without the empty ones. */
export const tip = (...lines: Word[]) => lines.filter(Boolean).join("\n");

/** Plot's scale of an axis, whose ticks are marks of the frame. */
const plotScale = ({ type, domain }: Axis, isY: boolean) => {
  if (type !== "category") return { type, domain, axis: null };
  // A band's first value stands at the bottom, as a number's lowest does.
  const own = isY ? domain.toReversed() : domain;
  return { type: "band" as const, domain: own, padding: 0.04, axis: null };
};

/** Draws a chart of that kind. */
export function frame(kind: string, o: FrameOptions, spec: Spec): theme.Chart {
  checkFrame(kind, o);
  const { width = 720 } = o;
  if (spec.isEmpty) {
    const label = [...[spec.label].flat(), EMPTY];
    const none = { ...o, noise: undefined };
    return frame(kind, none, { ...spec, ...NOTHING, label });
  }
  const { x, y, room = {}, inset = {} } = spec;
  const isShare = SHARES.test(`${y.label} ${spec.label}`);
  noise.checkNoiseBar(kind, o.noise, isShare);
  const noiseWords = noise.noiseWords(o.noise, isShare);
  const bar = y.type === "linear" ? noise.sdOf(o.noise) : 0;
  const noiseMark = spec.noiseMark ??
    { mark: bar ? noise.BAR_MARK : "", width: bar ? 26 : 0 };
  const legend = [
    ...(spec.legend ?? []).map((items) => items.filter((item) => !!item)),
    noiseWords ? [{ ...noiseMark, label: noiseWords }] : [],
  ];
  const notes = [...spec.notes ?? [], o.caption].filter((n) => !!n) as string[];
  const label = (o.title ? `${o.title}: ` : "") +
    [...[spec.label].flat(), noiseWords, ...notes].filter(Boolean).join("; ");

  // Words above and below the plot.
  const wrapped = (text: string, size: number) =>
    theme.wrapWords(text, width - 16, size);
  const caption = notes.flatMap((note) => wrapped(note, layout.SMALL));
  const xNames = x.isHidden || !x.label
    ? []
    : wrapped(x.label, theme.FONT_SIZE);
  const captionHeight = caption.length > 0 ? 15 * caption.length + 6 : 0;
  const yName = y.isHidden ? "" : y.label;
  const top = layout.titleAndLegend(o.title, legend, yName, width);

  // Margins that hold the words of the ticks.
  const yText = new Map(
    y.ticks.map((t) => [t, layout.nameLines(y.format(t), width)]),
  );
  const yWide = layout.widest([...yText.values()].flat());
  const yWidth = y.isHidden
    ? 8
    : 14 + Math.ceil(Math.min(yWide, layout.NAMES * width));
  const right = Math.max(16, (room.right ?? 0) + (bar ? noise.BAR + 16 : 0));
  const least = Math.max(yWidth, 16, room.left ?? 0);
  const { overhang } = layout.xTicks(x, width - least - right);
  const left = Math.max(least, Math.ceil(overhang));
  const innerWidth = width - left - right;
  const ticks = layout.xTicks(x, innerWidth);
  const marginTop = top.height + 10 + (room.top ?? 0);
  const bottom = marginTop +
    Math.max(40, spec.innerHeight?.(Math.max(40, innerWidth)) ?? 300);
  const xHeight = x.isHidden
    ? 10
    : ticks.height + 16 + (xNames.length > 0 ? 5 + 15 * xNames.length : 0);
  const under = captionHeight + (room.bottom ?? 0);
  const height = Math.ceil(bottom + under + xHeight);

  const insetTop = inset.top ?? 0, insetBottom = inset.bottom ?? 0;
  const barAt = marginTop + insetTop, end = width - right;
  const area: Area = {
    ...{ left, right: end, top: marginTop, bottom, x: pixels(x, [left, end]) },
    y: pixels(y, [bottom - insetBottom, barAt]),
  };
  const marks = spec.marks(area).flat() as Plot.Markish[];
  const many = d3.max(marks, thin);
  const cut = `${MOST_MARKS} of ${many} drawn, at even distances`;
  if (many && !notes.includes(cut)) {
    return frame(kind, o, { ...spec, notes: [...spec.notes ?? [], cut] });
  }
  const yTicks = layout.thinned(y.ticks, area.y, () => 13);
  const hasGrid = (axis: Drawn) => !axis.isHidden && !axis.hasNoGrid;
  const element = Plot.plot({
    ...{ document: theme.document, className: CLASS, width, height, marginTop },
    ...{ marginLeft: left, marginRight: right, marginBottom: height - bottom },
    ...{ color: IDENTITY, symbol: IDENTITY, r: IDENTITY, opacity: IDENTITY },
    x: plotScale(x, false),
    y: { ...plotScale(y, true), insetTop, insetBottom },
    marks: [
      hasGrid(y) ? Plot.gridY(yTicks, theme.GRID) : null,
      hasGrid(x) ? Plot.gridX(ticks.ticks, theme.GRID) : null,
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
      hasGrid(x) ? Plot.frame({ anchor: "bottom", strokeOpacity: 0.5 }) : null,
      ...marks,
    ],
  });

  const half = layout.widest(xNames) / 2;
  const centre = Math.min((left + end) / 2, width - 8 - half);
  const middle = Math.max(centre, Math.min(8 + half, width / 2)).toFixed(1);
  const nameAt = height - under + 7 - 15 * xNames.length;
  const captionAt = height - captionHeight + 12;
  const captionStyle = `font-size="${layout.SMALL}" ${layout.SOFT}`;
  const length = bar ? Math.abs(area.y(0) - area.y(2 * bar)) : 0;
  const markup = top.markup +
    layout.textLines(xNames, [middle, nameAt], "", { anchor: "middle" }) +
    (bar ? noise.noiseBar(end + 10, barAt, length) : "") +
    layout.textLines(caption, [8, captionAt], captionStyle);
  const csv = spec.rows ? csvAttribute(spec.rows) : "";
  return finish(element, label, csv, markup, spec.fade?.(area));
}

/** @throws for options that are none, in one line that names the chart */
function checkFrame(kind: string, o: FrameOptions) {
  checkOptions(kind, o, "{ width: 720 }");
  const { width = 720, title = "", caption = "" } = o;
  const odd = [title, caption].find((text) => typeof text !== "string");
  if (odd !== undefined) {
    throw new TypeError(
      `${kind}: title or caption is ${whatIs(odd)}; give a text`,
    );
  }
  if (width >= 100 && width <= 8000) return;
  throw new RangeError(
    `${kind}: width is ${width}; give pixels from 100 to 8000`,
  );
}

/** What a chart draws that has nothing to draw. */
const EMPTY = "nothing to show yet";
const NOTHING = {
  ...{ legend: [], x: layout.hiddenAxis(0, 1), y: layout.hiddenAxis(0, 1) },
  ...{ isEmpty: false, room: {}, inset: {}, innerHeight: () => 80 },
  marks: () => [
    Plot.frame({ rx: 6, strokeOpacity: 0.3, strokeDasharray: "4 4" }),
    Plot.text([EMPTY], { text: [EMPTY], frameAnchor: "middle" }),
  ],
};
const IDENTITY = { type: "identity" } as const;

/** More marks of one kind are drawn at even distances only. */
const MOST_MARKS = 4000;

/** Leaves out of a mark's data what are too many; returns how many there were. */
function thin(mark: Plot.Markish): number {
  // Lines and areas are one shape of many values.
  if (mark instanceof Plot.Line || mark instanceof Plot.Area) return 0;
  const held = mark as { data?: unknown[] } | undefined;
  const data = held?.data ?? [], isCut = data.length > MOST_MARKS;
  if (isCut) held!.data = evenlySpaced(data, MOST_MARKS);
  return isCut ? data.length : 0;
}

/** Plot's element as standalone markup, its class told by its content. */
function finish(
  // deno-lint-ignore no-explicit-any
  element: any,
  label: string,
  csv: string,
  markup: string,
  labels: Box[] = [],
): theme.Chart {
  element.setAttribute("font-size", String(theme.FONT_SIZE));
  // linkedom leaves "&" in attributes as it is, so the label comes later.
  const root = `<svg xmlns="http://www.w3.org/2000/svg" role="img" ` +
    `aria-label="${theme.escapeMarkup(label)}"${csv} `;
  const boxes = labels.map((box) =>
    `<rect x="${box.x}" y="${box.y}" width="${box.width}" ` +
    `height="${box.height}" rx="3" fill="#222"/>`
  ).join("");
  const mask = boxes && `<mask id="${CLASS}-labels" ` +
      `maskUnits="userSpaceOnUse" x="0" y="0" width="100%" height="100%">` +
      `<rect width="100%" height="100%" fill="white"/>${boxes}</mask>`;
  const masked = boxes && ` mask="url(#${CLASS}-labels)"`;
  const svg = withTrials(element.outerHTML as string)
    .replace("<svg ", () => root)
    .replace("--plot-background: white", "--plot-background: transparent")
    .replaceAll(/ class="ferlab-[a-z]+"/g, (all) => all + masked)
    .replace(/<\/svg>$/, () => `${mask}${markup}</svg>`);
  const hash = createHash("sha256").update(svg).digest("hex").slice(0, 10);
  return theme.wrap(svg.replaceAll(CLASS, `ferlab-${hash}`));
}
