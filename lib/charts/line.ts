/** A value over a parameter or over epochs: a line a series. */
import * as Plot from "@observablehq/plot";
import * as d3 from "d3";
import { type Axis, axisOf, onAxes, within } from "./axis.ts";
import {
  type Channel,
  firstOf,
  maybe,
  read,
  type Rows,
  type Value,
} from "./channels.ts";
import {
  type Area,
  type AxesOptions,
  frame,
  noiseLength,
  type Spec,
  tip,
} from "./frame.ts";
import {
  endLabels,
  FAILED,
  MOST_NAMED,
  publishedItem,
  seriesItem,
  styleOf,
} from "./series.ts";
import { levels, lineColor, valueText } from "./scales.ts";
import { type Chart, type LegendItem, PALETTE, textWidth } from "./theme.ts";

/** The rows of one series at one x. */
export interface Point {
  facet: string;
  series: string;
  x: number | string;
  /** The mean of its rows; NaN, a gap, where all failed. */
  y: number;
  low: number;
  high: number;
  /** Of its rows; null where one failed. */
  runs: (number | null)[];
  /** Those that did not. */
  n: number;
}

/** Above so many x of a series their markers are thinned. */
const DENSE = 12;
/** A loss is read on a log axis from this factor. */
const LOG_FROM = 50;

export interface LineOptions extends AxesOptions {
  /** Default: the rate, else the epoch. */
  x?: Channel;
  /** Default: the accuracy, else the mean. */
  y?: Channel;
  series?: Channel;
  /** A small plot for each of its values. */
  facet?: Channel;
  /** The ends of a band about the line; default: low and high. */
  low?: Channel;
  high?: Channel;
  /** Of rows at one x: each as a dot, or the band from lowest to highest. */
  repeats?: "dots" | "band";
  /** Rows of published runs, by the same channels. */
  published?: Rows;
}

/**
 * Draws the mean of each series' rows at each x, joined by a line that breaks
 * where all rows at an x have failed. Several rows at an x are repeats: dots
 * where x are few, else a band from the lowest to the highest. `low` and `high`
 * are drawn as a band. Published rows are hollow squares joined by dashes. More
 * than twelve series are thin lines with their names in the tooltips. A loss
 * (any y that is no share) from a factor of 50 has a log axis.
 */
export function lineChart(rows: Rows, o: LineOptions = {}): Chart {
  return linesOf("lineChart", rows, o);
}

/** What another chart adds to the lines. */
export interface Added {
  legend?: (LegendItem | false)[];
  /** In the accessible label. */
  words?: string[];
  notes?: string[];
  /** What the intervals are, in the legend. */
  bandLabel?: string;
  /** A point's tooltip. */
  title?: (p: Point) => string;
  inset?: { top?: number; bottom?: number };
  marks?: (area: Area) => Plot.Markish[];
  after?: Spec["after"];
}

/** What the lines are, for a chart that adds marks of its own. */
export interface Lines {
  x: Axis;
  y: Axis;
  series: { name: string; points: Point[] }[];
  published: Point[];
}

/** The same for a chart that adds to it; `more` are values for its axes. */
export function linesOf(
  chart: string,
  rows: Rows,
  o: LineOptions,
  more: { x?: Value[]; y?: Value[] } = {},
  add: (lines: Lines) => Added = () => ({}),
): Chart {
  const channels = {
    x: o.x ?? firstOf("lr", "epoch"),
    y: o.y ?? firstOf("accuracy", "mean", "value"),
    series: o.series,
    facet: o.facet,
    low: o.low ?? maybe("low"),
    high: o.high ?? maybe("high"),
  };
  const table = read(chart, rows, channels);
  const published = read(`${chart}, published`, o.published ?? [], {
    ...channels,
    y: typeof channels.y === "function"
      ? channels.y
      : firstOf(table.name("y"), "accuracy", "mean"),
    // Published rows need not have the others.
    series: optional(o.series),
    facet: optional(o.facet),
    low: optional(o.low) ?? maybe("low"),
    high: optional(o.high) ?? maybe("high"),
  });
  const xs = levels(
    [...table.rows, ...published.rows].map((r) => r.x).concat(more.x ?? [])
      .filter((v): v is number | string => v !== null),
  );
  const isEpoch = /epoch|step/i.test(table.name("x"));
  const isDense = isEpoch || xs.length > DENSE;
  const x = axisOf(table, "x", {
    label: o.xLabel,
    scale: o.xScale,
    format: o.xFormat,
    hasLevels: !isEpoch,
    pad: isDense ? 0.02 : 1 / Math.max(2, 2 * xs.length - 2),
  }, [...published.rows.map((r) => r.x), ...more.x ?? []]);
  const y = axisOf(within(table, "x", x), ["y", "low", "high"], {
    label: o.yLabel,
    scale: o.yScale,
    format: o.yFormat,
    logFrom: LOG_FROM,
    least: noiseLength(o.noise),
  }, [...published.rows.map((r) => r.y), ...more.y ?? []]);
  const { rows: done, failed, notes } = onAxes(table, { x, y }, "y");
  const theirs = onAxes(published, { x, y }, "y");
  notes.push(...theirs.notes.map((note) => `published: ${note}`));

  const text = (v: Value) => v === null ? "" : String(v);
  const names = levels(
    [...done, ...failed, ...theirs.rows].map((r) => r.series ?? ""),
  ).map(text);
  // A number alone says little: "depth 2".
  const nameOf = (name: string) =>
    name !== "" && typeof o.series === "string" && Number.isFinite(+name)
      ? `${table.words("series")} ${valueText(+name)}`
      : name;
  const index = new Map(names.map((name, i) => [name, i]));
  const isMany = names.length > MOST_NAMED;
  const colorOf = (p: { series: Value }) =>
    isMany
      ? lineColor(index.get(text(p.series))! / (names.length - 1))
      : styleOf(index.get(text(p.series))!).color;
  // Beside a single series of ours, published values have a colour of theirs.
  const theirColor = names.length < 2 ? PALETTE[1] : colorOf;
  const symbolOf = (p: { series: Value }) =>
    styleOf(index.get(text(p.series))!).symbol;
  const points = pointsOf([...done, ...failed], xs);
  const theirPoints = pointsOf(theirs.rows, xs);
  const hasRepeats = done.length > points.filter((p) => p.n > 0).length;
  const isBand = (o.repeats ?? (isDense ? "band" : "dots")) === "band";
  const hasBand = points.some((p) => p.low < p.high) &&
    (!hasRepeats || isBand);
  // A single series has room for an interval at each x.
  const isBars = x.type === "category" || (!isDense && names.length < 2);
  const isOwnBand = table.has("low") && table.has("high");
  const facets = o.facet === undefined ? undefined : levels(
    [...done, ...failed, ...theirs.rows].map((r) => r.facet ?? "none"),
  ).map(text);

  const added = add({
    x,
    y,
    series: names.map((name) => ({
      name: nameOf(name),
      points: points.filter((p) => p.series === name),
    })),
    published: theirPoints,
  });
  notes.push(...added.notes ?? []);

  // Names stand at the lines' ends if there is room for them.
  const named = isMany || names.length < 2 ? [] : names;
  const width = o.width ?? 720;
  const widest = Math.max(0, ...named.map((name) => textWidth(nameOf(name))));
  const isAtEnd = named.length > 0 && !facets && widest + 24 < 0.25 * width;
  const ns = d3.extent(
    points.filter((p) => p.n > 0),
    (p: Point) => p.n,
  ) as [number, number];
  const repeats = ns[0] === ns[1] ? `${ns[0]}` : `${ns[0]} to ${ns[1]}`;
  const legend: (LegendItem | false)[][] = [
    isAtEnd || isMany
      ? []
      : named.map((name, i) => seriesItem(nameOf(name), i)),
    [
      hasRepeats && !isBand && {
        mark: `<path d="M0,6H26" stroke="currentColor" stroke-width="2"/>` +
          `<circle cx="6" cy="2" r="2.5" fill-opacity="0.4"/>` +
          `<circle cx="19" cy="9" r="2.5" fill-opacity="0.4"/>`,
        label: `mean, and its ${repeats} runs`,
      },
      hasBand && {
        mark: isBars
          ? `<path d="M13,0V12" stroke="currentColor" stroke-width="2"/>` +
            `<circle cx="13" cy="6" r="4" fill="currentColor"/>`
          : `<path d="M0,0H26V12H0Z" fill-opacity="0.2"/>` +
            `<path d="M0,6H26" stroke="currentColor" stroke-width="2"/>`,
        label: added.bandLabel ??
          (isOwnBand
            ? "mean and its interval"
            : `mean, and lowest to highest of ${repeats} repeats`),
      },
      theirPoints.length > 0 &&
      publishedItem(typeof theirColor === "string" ? theirColor : undefined),
      failed.length > 0 && FAILED,
      ...added.legend ?? [],
    ],
  ];
  if (isMany) {
    notes.push(`${d3.format(",")(names.length)} series, named in the tooltips`);
  }
  const key = (p: { facet: Value; series: Value }) =>
    `${text(p.facet)}\n${text(p.series)}`;
  const title = (whose: string) => (p: Point) =>
    tip(
      `${whose}${tip(p.facet, nameOf(p.series)).replaceAll("\n", ", ")}`,
      `${x.label} ${x.say(p.x)}: ${y.say(p.y)}`,
      p.n > 1 && `mean of ${p.n} runs`,
      p.low < p.high && `${y.say(p.low)} to ${y.say(p.high)}`,
    );
  return frame("line", o, {
    label: [
      `${y.label} by ${x.label}` +
      (names.length > 1 && !isMany ? `: ${names.map(nameOf).join(", ")}` : ""),
      ...added.words ?? [],
    ].join("; "),
    after: added.after,
    legend,
    notes,
    x,
    y,
    panels: facets,
    isEmpty: points.length + theirPoints.length === 0,
    room: { right: isAtEnd ? widest + 26 : 0 },
    inset: {
      top: added.inset?.top,
      bottom: (failed.length > 0 ? 16 : 0) + (added.inset?.bottom ?? 0),
    },
    marks: (area) => {
      const panel = facets
        ? {
          fx: (p: { facet: Value }) => area.panel(text(p.facet) || "none").fx,
          fy: (p: { facet: Value }) => area.panel(text(p.facet) || "none").fy,
        }
        : {};
      const at = { x: "x", y: "y", ...panel };
      const drawn = points.filter((p) => p.n > 0);
      const every = isEpoch ? Math.max(1, Math.round(xs.length / 8)) : 1;
      const marked = drawn.filter((p) =>
        every === 1 ||
        (xs.indexOf(p.x) + index.get(p.series)!) % every === 0
      );
      // Words have no order that a line could follow.
      const hasOrder = xs.every((v) => typeof v === "number");
      const joined = (own: Point[]) => hasOrder ? own : [];
      return [
        hasBand && !isBars
          ? Plot.areaY(points, {
            x: "x",
            y1: "low",
            y2: "high",
            ...panel,
            z: key,
            fill: colorOf,
            fillOpacity: isMany ? 0.05 : 0.2,
            className: "ferlab-bands",
          })
          : null,
        hasBand && isBars
          ? Plot.ruleX(drawn, {
            x: "x",
            y1: "low",
            y2: "high",
            ...panel,
            stroke: colorOf,
            strokeWidth: 2,
            strokeOpacity: 0.6,
            className: "ferlab-bands",
          })
          : null,
        hasRepeats && !isBand
          ? Plot.dot(done, {
            ...at,
            r: 2.5,
            fill: colorOf,
            fillOpacity: 0.4,
            className: "ferlab-runs",
          })
          : null,
        Plot.line(joined(theirPoints), {
          ...at,
          z: key,
          stroke: theirColor,
          strokeDasharray: "5 4",
          strokeOpacity: 0.8,
          className: "ferlab-lines",
        }),
        Plot.dot(theirPoints, {
          ...at,
          symbol: "square",
          r: 4.5,
          stroke: theirColor,
          strokeWidth: 1.5,
          title: title("published: "),
          className: "ferlab-published",
        }),
        Plot.line(joined(points), {
          ...at,
          z: key,
          stroke: colorOf,
          strokeWidth: isMany ? 1 : 2,
          strokeOpacity: isMany ? 0.5 : 1,
          className: "ferlab-means",
        }),
        Plot.dot(drawn, {
          ...at,
          r: 1.5,
          fill: colorOf,
          title: added.title ?? title(""),
          className: "ferlab-values",
        }),
        Plot.dot(isMany ? [] : marked, {
          ...at,
          symbol: symbolOf,
          r: isDense ? 3 : 4,
          fill: colorOf,
          pointerEvents: "none",
        }),
        Plot.dot(failed, {
          x: "x",
          y: () => y.domain[0],
          ...panel,
          dy: 10,
          symbol: "times",
          r: 4,
          stroke: colorOf,
          strokeWidth: 1.5,
          title: (r: typeof failed[number]) =>
            tip(nameOf(text(r.series)), `${x.label} ${x.say(r.x!)}`, "failed"),
          className: "ferlab-failed",
        }),
        ...added.marks?.(area) ?? [],
        ...(isAtEnd
          ? endLabels(
            names.map(nameOf),
            names.map((name) =>
              [...theirPoints, ...drawn].findLast((p) => p.series === name)
            ),
            area,
            o.noise && y.type === "linear" ? 30 : 12,
          )
          : []),
      ];
    },
  });
}

const optional = (channel: Channel | undefined) =>
  typeof channel === "string" ? maybe(channel) : channel;

/** The means of each series' rows at each x, in the axis's order. */
function pointsOf(
  rows: readonly Record<
    "x" | "y" | "series" | "facet" | "low" | "high",
    Value
  >[],
  xs: readonly (number | string)[],
): Point[] {
  const groups = Map.groupBy(
    rows,
    (r) => JSON.stringify([r.facet, r.series, r.x]),
  );
  const order = new Map(xs.map((v, i) => [v, i]));
  return [...groups.values()].map((own) => {
    const ys = own.map((r) => r.y).filter((v) => typeof v === "number");
    const single = own.length === 1 ? own[0] : null;
    const end = (v: Value | undefined, other: number | undefined) =>
      single && typeof v === "number" ? v : other ?? NaN;
    return {
      facet: String(own[0].facet ?? ""),
      series: String(own[0].series ?? ""),
      x: own[0].x!,
      y: (d3.mean(ys) as number | undefined) ?? NaN,
      low: end(single?.low, d3.min(ys)),
      high: end(single?.high, d3.max(ys)),
      runs: own.map((r) => typeof r.y === "number" ? r.y : null),
      n: ys.length,
    };
  }).sort((a, b) => order.get(a.x)! - order.get(b.x)!);
}
