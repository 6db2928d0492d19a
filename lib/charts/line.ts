/** A value over a parameter or over epochs: a line a series. */
import * as Plot from "@observablehq/plot";
import * as d3 from "d3";
import { type Axis, axisOf, intervalWords, onAxes } from "./axis.ts";
import * as channels from "./channels.ts";
import {
  type AxesOptions,
  axisOptions,
  frame,
  type Spec,
  tip,
} from "./frame.ts";
import { type LegendItem, widest } from "./text_layout.ts";
import * as marks from "./marks.ts";
import { meansOf } from "./means.ts";
import { BAR, lengthOf } from "./noise_bar.ts";
import { stacked } from "./panels.ts";
import { type Chart, lineColor } from "./theme.ts";
import { levels, valueFormat } from "./value_text.ts";

/** The rows of one series at one x; y is NaN, a gap, where all failed. */
export type Point =
  & { series: string; x: number | string; row?: unknown }
  & Record<"y" | "low" | "high" | "n", number>;

/** Above so many x, or repeats, a band stands for the repeats. */
const DENSE = 12, MOST_DOTS = 2000;
/** The height of a plot above or below another. */
const PANEL = 220;
/** A loss is read on a log axis from this factor. */
const LOG_FROM = 50;

export type LineOptions = AxesOptions & {
  /** Default: the rate, else the epoch. */
  x?: channels.Channel;
  /** Default: the accuracy, else the mean. */
  y?: channels.Channel;
  series?: channels.Channel;
  /** Rows of published runs, by the same channels. */
  published?: channels.Rows;
};

/** What another chart adds to the lines. */
export interface Added extends Partial<Pick<Spec, "inset" | "marks">> {
  notes?: Spec["notes"];
  legend?: (LegendItem | false)[];
  xTicks?: number[];
  /** In the accessible label. */
  words?: string[];
  /** What the intervals are, in the legend. */
  bandLabel?: string;
  /** A point's tooltip. */
  title?: (p: Point) => string;
}

/** Values for the axes, and series, that the rows may lack; pixels. */
type More =
  & Partial<Record<"x" | "y" | "series", channels.Value[]>>
  & Partial<{ height: number; right: number }>;

/** What the lines are, for a chart that adds marks of its own. */
export interface Lines {
  x: Axis;
  y: Axis;
  series: { name: string; points: Point[] }[];
}

/**
 * Draws the mean of each series' rows at each x, joined by a line that breaks
 * where all rows at an x have failed. Several rows at an x are repeats: dots
 * where x are few, else a band from the lowest to the highest; `low` and `high`
 * are a band too. Published rows are hollow squares joined by dashes; shares of
 * theirs, which are of other data, have a panel below. More than twelve series
 * are thin lines with their names in the tooltips. A loss (any y that is no
 * share) from a factor of 50 has a log axis.
 */
export function lineChart(rows: channels.Rows, o: LineOptions = {}): Chart {
  return linesOf("lineChart", rows, o);
}

/** The same for a chart that adds to it; `more` are values for its axes. */
export function linesOf(
  chart: string,
  rows: channels.Rows,
  o: LineOptions,
  more: More = {},
  add: (lines: Lines) => Added = () => ({}),
): Chart {
  const { firstOf, INTERVAL, maybe, optional } = channels;
  channels.checkOptions(chart, o, '{ x: "lr" }');
  const xChannel = o.x ?? firstOf("lr", "epoch");
  const table = channels.readChannels(chart, rows, {
    ...{ x: xChannel, y: o.y ?? firstOf("accuracy", "mean", "value") },
    ...{ series: o.series ?? maybe(), ...INTERVAL },
  });
  const yOfTheirs = firstOf(table.name("y"), "accuracy", "mean");
  const theirTable = channels.readChannels(
    `${chart}, published`,
    o.published ?? [],
    {
      ...{ x: xChannel, y: typeof o.y === "function" ? o.y : yOfTheirs },
      // Published rows need not tell a series.
      ...{ series: optional(o.series), low: maybe(), high: maybe() },
    },
  );
  const tables = [table, theirTable].filter((t) => t.rows.length > 0);
  if (tables.length === 2 && tables.every((t) => t.rows.every(isShare))) {
    // One x axis and the same colours, but a scale of its own each.
    const both: More = {
      x: [...tables.flatMap((t) => t.rows.map((r) => r.x)), ...more.x ?? []],
      series: tables.flatMap((t) => t.rows.map((r) => r.series ?? "")),
      height: PANEL,
    };
    const { title: _title, noise: _noise, caption, ...rest } = o;
    const own = { ...o, published: undefined, caption: undefined };
    const ours = linesOf(chart, rows, own, { ...both, y: more.y }, add);
    const right = o.noise ? BAR + 16 : 0;
    const below = { ...both, right };
    const theirs = linesOf(chart, [], { ...rest, caption }, below);
    return stacked([ours, theirs], tables);
  }
  const moreX = [...theirTable.rows.map((r) => r.x), ...more.x ?? []];
  const xs = levels(
    [...table.rows.map((r) => r.x), ...moreX].filter((v) => v !== null),
  );
  const isEpoch = /epoch|step/i.test(table.name("x"));
  const isDense = isEpoch || xs.length > DENSE;
  const x = axisOf(table, "x", {
    ...{ ...axisOptions(o, "x"), hasLevels: !isEpoch },
    pad: isDense ? 0.02 : 1 / Math.max(2, 2 * xs.length - 2),
  }, moreX);
  const within = table.rows.filter((r) => x.why(r.x) === null);
  const y = axisOf({ ...table, rows: within }, ["y", "low", "high"], {
    ...{ ...axisOptions(o, "y"), logFrom: LOG_FROM, least: lengthOf(o.noise) },
  }, [...theirTable.rows.map((r) => r.y), ...more.y ?? []]);
  const { rows: done, failed, notes } = onAxes(table, { x, y }, "y");
  const theirs = onAxes(theirTable, { x, y }, "y");

  const all = [...done, ...failed, ...theirs.rows];
  const names = levels(
    [...all.map((r) => r.series ?? ""), ...more.series ?? []] as string[],
  ).map(String);
  // A number alone says little: "depth 2".
  const isNumbered = typeof o.series === "string" &&
    names.every((name) => name === "" || Number.isFinite(+name));
  const numberText = valueFormat(names.map(Number));
  const isMany = names.length > marks.MOST_NAMED;
  const index = new Map(names.map((name, i) => [name, i]));
  type OfSeries = { series: channels.Value };
  const indexOf = (p: OfSeries) => index.get(String(p.series ?? ""))!;
  const texts = names.map((name) =>
    isNumbered && name !== ""
      ? `${table.words("series")} ${numberText(+name)}`
      : name
  );
  const nameOf = (p: OfSeries) => texts[indexOf(p)];
  const colorOf = (p: OfSeries) =>
    isMany
      ? lineColor(indexOf(p) / (names.length - 1))
      : marks.styleOf(indexOf(p)).color;
  // Beside a single series of ours, published values have a colour of theirs.
  const theirColor = names.length < 2 ? marks.PUBLISHED : colorOf;

  const place = new Map(xs.map((v, i) => [v, i]));
  const pointsOf = (rows: typeof done): Point[] =>
    meansOf(rows, ["series", "x"], "y").map(({ mean, x, series, ...p }) => ({
      ...{ ...p, y: mean, x: x!, series: String(series ?? "") },
    })).sort((a, b) => place.get(a.x)! - place.get(b.x)!);
  const points = pointsOf([...done, ...failed]);
  const published = pointsOf(theirs.rows);
  const drawn = points.filter((p) => p.n > 0);
  const hasRepeats = drawn.some((p) => p.n > 1);
  const isBand = isDense || done.length > MOST_DOTS;
  const hasBand = drawn.some((p) => p.low < p.high) && (!hasRepeats || isBand);
  // A single series has room for an interval at each x.
  const isBars = x.type === "category" || (!isDense && names.length < 2);
  const own = Map.groupBy(points, (p) => p.series);
  const added = add({
    ...{ x, y },
    series: names.map((key, i) => {
      return { name: texts[i], points: own.get(key) ?? [] };
    }),
  });

  // Names stand at the lines' ends if there is room for them.
  const named = isMany || names.length < 2 ? [] : texts;
  const wide = widest(named);
  const isAtEnd = named.length > 0 && wide + 24 < 0.25 * (o.width ?? 720);
  const [least, most] = d3.extent(drawn, (p: Point) => p.n);
  const repeats = least === most ? `${most}` : `${least} to ${most}`;
  const bandLabel = added.bandLabel ??
    (hasRepeats
      ? `mean, and lowest to highest of ${repeats} repeats`
      : "mean and its interval");
  const [first] = theirTable.rows;
  const dataSet = (first?.row as Record<symbol, unknown>)?.[channels.DATA_SET];
  const theirItem = marks.publishedItem(
    names.length < 2 ? marks.PUBLISHED : "currentColor",
    dataSet ? `published, ${dataSet}` : "published",
  );
  const isDrawn = new Set([...points, ...published].map((p) => p.series));
  const legend = [
    isAtEnd
      ? []
      : named.map((name, i) =>
        isDrawn.has(names[i]) && marks.seriesItem(name, i)
      ),
    [
      hasRepeats && !isBand &&
      { mark: marks.SAMPLES.runs, label: `mean, and its ${repeats} runs` },
      hasBand &&
      (isBars
        ? marks.oursItem(bandLabel, true)
        : { mark: marks.SAMPLES.band, label: bandLabel }),
      published.length > 0 && theirItem,
      failed.length > 0 && marks.FAILED,
      ...added.legend ?? [],
    ],
  ];
  const told = [table.name("x"), table.name("series")];
  const trial = (
    { row, x, series }: Pick<Point, "row"> & Record<"x" | "series", unknown>,
  ) => channels.trialWords(row, told, { [told[0]]: [x], [told[1]]: [series] });
  const title = (whose: string) => (p: Point) =>
    tip(
      whose + nameOf(p),
      `${x.label} ${x.say(p.x)}: ${y.say(p.y)}`,
      p.n > 1 && `mean of ${p.n} runs`,
      intervalWords(y, p.low, p.high),
      trial(p),
    );
  return frame("line", o, {
    rows: tables,
    ...{ legend, y },
    notes: [
      ...notes,
      ...theirs.notes.map((note) => `published: ${note}`),
      ...added.notes ?? [],
      isMany && `${d3.format(",")(names.length)} series, named in the tooltips`,
    ],
    x: { ...x, ticks: added.xTicks ?? x.ticks },
    label: [
      `${y.label} by ${x.label}` +
      (named.length > 0 ? `: ${named.join(", ")}` : ""),
      ...added.words ?? [],
    ],
    isEmpty: points.length + published.length === 0,
    room: { right: (isAtEnd ? wide + 26 : 0) + (more.right ?? 0) },
    innerHeight: more.height ? () => more.height! : undefined,
    inset: {
      top: added.inset?.top,
      bottom: (failed.length > 0 ? 16 : 0) + (added.inset?.bottom ?? 0),
    },
    marks: (area) => {
      const at = { x: "x", y: "y" };
      // Markers of two series stand on different epochs where they can.
      const nth = isEpoch ? Math.max(1, Math.round(xs.length / 8)) : 1;
      const hasMarker = (p: Point) =>
        !isMany && (place.get(p.x)! + (nth > 1 ? indexOf(p) : 0)) % nth === 0;
      // Words have no order that a line could follow.
      const hasOrder = xs.every((v) => typeof v === "number");
      const line = (points: Point[], style: Plot.LineOptions) =>
        Plot.line(hasOrder ? points : [], { ...at, z: "series", ...style });
      const own = [
        Plot.areaY(hasBand && !isBars ? points : [], {
          ...{ x: "x", y1: "low", y2: "high", z: "series" },
          ...{ fill: colorOf, fillOpacity: isMany ? 0.05 : 0.2 },
        }),
        marks.bars(hasBand && isBars ? drawn : [], { x: "x", stroke: colorOf }),
        marks.runDots(
          hasRepeats && !isBand ? done : [],
          { x, y, told, name: nameOf, trial },
          { r: 2.5, fill: colorOf, fillOpacity: 0.4 },
        ),
        line(published, {
          ...{ stroke: theirColor, strokeDasharray: "5 4", strokeOpacity: 0.8 },
          className: "ferlab-lines",
        }),
        Plot.dot(published, {
          ...{ ...at, symbol: "square", r: 4.5, stroke: theirColor },
          title: title("published: "),
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
        Plot.dot(drawn.filter(hasMarker), {
          ...{ ...at, symbol: (p: Point) => marks.styleOf(indexOf(p)).symbol },
          ...{ r: isDense ? 3 : 4, fill: colorOf, pointerEvents: "none" },
        }),
        marks.crosses(failed, {
          ...{ x: "x", y: () => y.domain[0], dy: 10, stroke: colorOf },
          title: (r: typeof failed[number]) =>
            tip(nameOf(r), `${x.label} ${x.say(r.x!)}`, "failed", trial(r)),
        }),
      ];
      const bySeries = (mark: Plot.Markish) =>
        marks.tagged((p) => marks.seriesAt(indexOf(p)), mark);
      return [
        ...names.length > 1 ? own.map(bySeries) : own,
        ...added.marks?.(area) ?? [],
        ...isAtEnd
          ? marks.endLabels(
            named,
            names.map((name) =>
              [...published, ...drawn].findLast((p) => p.series === name)
            ),
            area,
            o.noise && y.type === "linear" ? 34 : 12,
          )
          : [],
      ];
    },
  });
}

const isShare = ({ y }: { y: channels.Value }) =>
  y === null || (channels.isNumber(y) && y >= 0 && y <= 1);
