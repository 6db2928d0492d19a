/** A value over a parameter or over epochs: a line a series. */
import * as Plot from "@observablehq/plot";
import * as d3 from "d3";
import { type Axis, axisOf, onAxes, within } from "./axis.ts";
import {
  type Channel,
  firstOf,
  maybe,
  type Read,
  read,
  type Rows,
  type Value,
} from "./channels.ts";
import {
  type AxesOptions,
  frame,
  noiseLength,
  type Spec,
  tip,
} from "./frame.ts";
import {
  bars,
  crosses,
  endLabels,
  FAILED,
  MOST_NAMED,
  oursItem,
  PUBLISHED,
  publishedItem,
  seriesItem,
  styleOf,
} from "./marks.ts";
import { levels, lineColor, valueFormat } from "./scales.ts";
import { type Chart, type LegendItem, textWidth } from "./theme.ts";

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

/** Above so many x a band stands for the repeats. */
const DENSE = 12;
/** No chart draws more runs as dots. */
export const MOST_DOTS = 2000;
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

/** What another chart adds to the lines. */
export interface Added
  extends Partial<Pick<Spec, "inset" | "marks" | "after">> {
  legend?: (LegendItem | false)[];
  notes?: string[];
  xTicks?: number[];
  /** In the accessible label. */
  words?: string[];
  /** What the intervals are, in the legend. */
  bandLabel?: string;
  /** A point's tooltip. */
  title?: (p: Point) => string;
}

/** What the lines are, for a chart that adds marks of its own. */
export interface Lines {
  x: Axis;
  y: Axis;
  series: { name: string; points: Point[] }[];
  published: Point[];
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
  // Published rows need not tell series and facet.
  const optional = (channel: Channel | undefined) =>
    typeof channel === "string" ? maybe(channel) : channel;
  const theirTable = read(`${chart}, published`, o.published ?? [], {
    x: channels.x,
    y: typeof o.y === "function"
      ? o.y
      : firstOf(table.name("y"), "accuracy", "mean"),
    ...{ series: optional(o.series), facet: optional(o.facet) },
    ...{ low: undefined, high: undefined },
  });
  const moreX = [...theirTable.rows.map((r) => r.x), ...more.x ?? []];
  const xs = levels(
    [...table.rows.map((r) => r.x), ...moreX].filter((v) => v !== null),
  );
  const isEpoch = /epoch|step/i.test(table.name("x"));
  const isDense = isEpoch || xs.length > DENSE;
  const x = axisOf(table, "x", {
    ...{ label: o.xLabel, scale: o.xScale, format: o.xFormat },
    hasLevels: !isEpoch,
    pad: isDense ? 0.02 : 1 / Math.max(2, 2 * xs.length - 2),
  }, moreX);
  const y = axisOf(within(table, "x", x), ["y", "low", "high"], {
    ...{ label: o.yLabel, scale: o.yScale, format: o.yFormat },
    ...{ logFrom: LOG_FROM, least: noiseLength(o.noise) },
  }, [...theirTable.rows.map((r) => r.y), ...more.y ?? []]);
  const { rows: done, failed, notes } = onAxes(table, { x, y }, "y");
  const theirs = onAxes(theirTable, { x, y }, "y");
  notes.push(...theirs.notes.map((note) => `published: ${note}`));

  const all = [...done, ...failed, ...theirs.rows];
  const names = levels(all.map((r) => r.series ?? "")).map(String);
  const facets = o.facet === undefined
    ? undefined
    : levels(all.map((r) => r.facet ?? "")).map(String);
  // A number alone says little: "depth 2".
  const isNumbered = typeof o.series === "string" &&
    names.every((name) => name === "" || Number.isFinite(+name));
  const numberText = valueFormat(names.map(Number));
  const nameOf = (series: Value) =>
    isNumbered && (series ?? "") !== ""
      ? `${table.words("series")} ${numberText(+series!)}`
      : String(series ?? "");
  const index = new Map(names.map((name, i) => [name, i]));
  const indexOf = (p: { series: Value }) => index.get(String(p.series ?? ""))!;
  const isMany = names.length > MOST_NAMED;
  const colorOf = (p: { series: Value }) =>
    isMany
      ? lineColor(indexOf(p) / (names.length - 1))
      : styleOf(indexOf(p)).color;
  // Beside a single series of ours, published values have a colour of theirs.
  const theirColor = names.length < 2 ? PUBLISHED : colorOf;

  const points = pointsOf([...done, ...failed], xs);
  const published = pointsOf(theirs.rows, xs);
  const drawn = points.filter((p) => p.n > 0);
  const hasRepeats = done.length > drawn.length;
  const isDots = o.repeats ? o.repeats === "dots" : !isDense;
  const isBand = !isDots || done.length > MOST_DOTS;
  const hasBand = drawn.some((p) => p.low < p.high) && (!hasRepeats || isBand);
  // A single series has room for an interval at each x.
  const isBars = x.type === "category" || (!isDense && names.length < 2);
  const added = add({
    ...{ x, y, published },
    series: names.map((name) => ({
      name: nameOf(name),
      points: points.filter((p) => p.series === name),
    })),
  });
  notes.push(...added.notes ?? []);
  if (isMany) {
    notes.push(`${d3.format(",")(names.length)} series, named in the tooltips`);
  }

  // Names stand at the lines' ends if there is room for them.
  const named = isMany || names.length < 2 ? [] : names.map(nameOf);
  const widest = Math.max(0, ...named.map((name) => textWidth(name)));
  const isAtEnd = named.length > 0 && !facets &&
    widest + 24 < 0.25 * (o.width ?? 720);
  const [least, most] = d3.extent(drawn, (p: Point) => p.n);
  const repeats = least === most ? `${most}` : `${least} to ${most}`;
  const bandLabel = added.bandLabel ??
    (hasRepeats
      ? `mean, and lowest to highest of ${repeats} repeats`
      : "mean and its interval");
  const legend: (LegendItem | false)[][] = [
    isAtEnd ? [] : named.map(seriesItem),
    [
      hasRepeats && !isBand && {
        mark: `<path d="M0,6H26" stroke="currentColor" stroke-width="2"/>` +
          `<path d="M6,0v4M19,7v4" stroke="currentColor" stroke-width="4" ` +
          `stroke-opacity="0.4"/>`,
        label: `mean, and its ${repeats} runs`,
      },
      hasBand && (isBars ? oursItem(bandLabel, true) : {
        mark: `<path d="M0,0H26V12H0Z" fill-opacity="0.2"/>` +
          `<path d="M0,6H26" stroke="currentColor" stroke-width="2"/>`,
        label: bandLabel,
      }),
      published.length > 0 &&
      publishedItem(theirColor === PUBLISHED ? PUBLISHED : "currentColor"),
      failed.length > 0 && FAILED,
      ...added.legend ?? [],
    ],
  ];
  const key = (p: { facet: Value; series: Value }) => `${p.facet}\n${p.series}`;
  const title = (whose: string) => (p: Point) =>
    tip(
      whose + [p.facet, nameOf(p.series)].filter(Boolean).join(", "),
      `${x.label} ${x.say(p.x)}: ${y.say(p.y)}`,
      p.n > 1 && `mean of ${p.n} runs`,
      p.low < p.high && `${y.say(p.low)} to ${y.say(p.high)}`,
    );
  return frame("line", o, {
    ...{ legend, notes, y, panels: facets, after: added.after },
    x: { ...x, ticks: added.xTicks ?? x.ticks },
    label: [
      `${y.label} by ${x.label}` +
      (named.length > 0 ? `: ${named.join(", ")}` : ""),
      ...added.words ?? [],
    ].join("; "),
    isEmpty: points.length + published.length === 0,
    room: { right: isAtEnd ? widest + 26 : 0 },
    inset: {
      top: added.inset?.top,
      bottom: (failed.length > 0 ? 16 : 0) + (added.inset?.bottom ?? 0),
    },
    marks: (area) => {
      type Faceted = { facet: Value };
      const panel = facets && {
        fx: (p: Faceted) => area.panel(String(p.facet ?? "")).fx,
        fy: (p: Faceted) => area.panel(String(p.facet ?? "")).fy,
      };
      const at = { x: "x", y: "y", ...panel };
      // Markers of two series stand on different epochs where they can.
      const every = isEpoch ? Math.max(1, Math.round(xs.length / 8)) : 1;
      const marked = isMany
        ? []
        : drawn.filter((p) =>
          (xs.indexOf(p.x) + (every > 1 ? indexOf(p) : 0)) % every === 0
        );
      // Words have no order that a line could follow.
      const hasOrder = xs.every((v) => typeof v === "number");
      const line = (own: Point[], style: Plot.LineOptions) =>
        Plot.line(hasOrder ? own : [], { ...at, z: key, ...style });
      return [
        Plot.areaY(hasBand && !isBars ? points : [], {
          ...{ x: "x", y1: "low", y2: "high", ...panel, z: key },
          ...{ fill: colorOf, fillOpacity: isMany ? 0.05 : 0.2 },
          className: "ferlab-bands",
        }),
        bars(hasBand && isBars ? drawn : [], {
          ...{ x: "x", ...panel, stroke: colorOf },
        }),
        Plot.dot(hasRepeats && !isBand ? done : [], {
          ...{ ...at, r: 2.5, fill: colorOf, fillOpacity: 0.4 },
          className: "ferlab-runs",
        }),
        line(published, {
          ...{ stroke: theirColor, strokeDasharray: "5 4", strokeOpacity: 0.8 },
          className: "ferlab-lines",
        }),
        Plot.dot(published, {
          ...{ ...at, symbol: "square", r: 4.5, stroke: theirColor },
          title: title("published: "),
          className: "ferlab-published",
        }),
        line(points, {
          ...{ stroke: colorOf, strokeWidth: isMany ? 1 : 2 },
          strokeOpacity: isMany ? 0.5 : 1,
          className: "ferlab-means",
        }),
        Plot.dot(drawn, {
          ...{ ...at, r: 1.5, fill: colorOf, title: added.title ?? title("") },
          className: "ferlab-values",
        }),
        Plot.dot(marked, {
          ...{ ...at, symbol: (p: Point) => styleOf(indexOf(p)).symbol },
          ...{ r: isDense ? 3 : 4, fill: colorOf, pointerEvents: "none" },
        }),
        crosses(failed, {
          ...{ x: "x", y: () => y.domain[0], ...panel, dy: 10 },
          stroke: colorOf,
          title: (r: typeof failed[number]) =>
            tip(nameOf(r.series), `${x.label} ${x.say(r.x!)}`, "failed"),
        }),
        ...added.marks?.(area) ?? [],
        ...(isAtEnd
          ? endLabels(
            named,
            names.map((name) =>
              [...published, ...drawn].findLast((p) => p.series === name)
            ),
            area,
            o.noise && y.type === "linear" ? 34 : 12,
          )
          : []),
      ];
    },
  });
}

/** The means of each series' rows at each x, in the order of `xs`. */
function pointsOf(
  rows: readonly Read<"x" | "y" | "series" | "facet" | "low" | "high">[],
  xs: readonly (number | string)[],
): Point[] {
  const order = new Map(xs.map((v, i) => [v, i]));
  const keyOf = (r: typeof rows[number]) =>
    JSON.stringify([r.facet, r.series, r.x]);
  return [...Map.groupBy(rows, keyOf).values()].map((own) => {
    const [first] = own;
    const runs = own.map((r) => typeof r.y === "number" ? r.y : null);
    const end = (v: Value, other?: number) =>
      own.length === 1 && typeof v === "number" ? v : other ?? NaN;
    return {
      ...{ facet: String(first.facet ?? ""), x: first.x!, runs },
      series: String(first.series ?? ""),
      y: (d3.mean(runs) as number | undefined) ?? NaN,
      low: end(first.low, d3.min(runs)),
      high: end(first.high, d3.max(runs)),
      n: runs.filter((v) => v !== null).length,
    };
  }).sort((a, b) => order.get(a.x)! - order.get(b.x)!);
}
