/** Throughput over batch size, and the batch size from which it is flat. */
import * as d3 from "d3";
import {
  type Channel,
  firstOf,
  isNumber,
  maybe,
  optional,
  read,
  type Rows,
  type Table,
} from "./channels.ts";
import type { AxesOptions } from "./frame.ts";
import { linesOf } from "./line.ts";
import { ringItem, rings } from "./marks.ts";
import type { Chart } from "./theme.ts";
import { levels, valueText } from "./values.ts";

export interface KneeOptions {
  /** Default: batchSize, imagesPerSecond. */
  x?: Channel;
  y?: Channel;
  /** Of the best throughput; default: 0.95. */
  share?: number;
}

const MEMORY = /memory|\boom\b|exhausted/i;
/** Series whose best differ by more than this have a log axis. */
const MOST_RATIO = 20;

const channelsOf = (o: KneeOptions) => ({
  x: o.x ?? firstOf("batchSize"),
  y: o.y ?? firstOf("imagesPerSecond"),
});

/** 12345 → "12 345"; three digits below 100. */
const rate = (value: number | string) =>
  d3.format(Number(value) < 100 ? ".3~r" : ",.0f")(value)
    .replaceAll(",", "\u202f");

interface Measured {
  x: number;
  y: number;
}

/** Rows with a size and a throughput, by size. */
const measured = (rows: readonly { x: unknown; y: unknown }[]): Measured[] =>
  d3.sort(
    rows.filter((r) => isNumber(r.x) && isNumber(r.y) && r.y > 0),
    (r: Measured) => r.x,
  );

/** See `kneeOf`; rows by size. */
function kneeAt(rows: Measured[], share: number): Measured | null {
  const best = d3.max(rows, (r: Measured) => r.y);
  const knee = rows.find((r) => r.y >= share * best);
  return knee && knee.x < rows.at(-1)!.x ? knee : null;
}

/**
 * The smallest batch size with at least `share` of the rows' best throughput.
 * Null where that is the largest one measured: throughput still rises there,
 * and the knee, if there is one, lies beyond.
 */
export function kneeOf(rows: Rows, o: KneeOptions = {}): number | null {
  const table = read("kneeOf", rows, channelsOf(o));
  return kneeAt(measured(table.rows), o.share ?? 0.95)?.x ?? null;
}

/**
 * Draws throughput over batch size on a log axis, a line a series, whose name
 * tells its knee (see `kneeOf`); a ring marks it. Sizes that failed are crosses
 * at the foot. Series that differ by more than 20 times have a log axis, else it
 * begins at 0.
 */
export function throughputChart(
  rows: Rows,
  o: AxesOptions & KneeOptions & {
    /** A device, a model, a precision; default: series. */
    series?: Channel;
    /** Published measurements, by the same channels. */
    published?: Rows;
  } = {},
): Chart {
  const { share = 0.95 } = o;
  const channels = {
    ...channelsOf(o),
    series: o.series ?? maybe("series"),
    ...{ low: maybe("low"), high: maybe("high") },
    why: maybe("error", "reason", "failKind"),
  };
  const knees: Measured[] = [], bests: number[] = [];
  let lost = 0;
  /** The rows with their series named by its knee. */
  const told = (table: Table<keyof typeof channels>, whose: string) =>
    [...Map.groupBy(table.rows, (r) => r.series)].flatMap(([series, own]) => {
      const done = measured(own), knee = kneeAt(done, share);
      if (knee) knees.push({ [x]: knee.x, [y]: knee.y, ...knee });
      if (done.length > 0) bests.push(d3.max(done, (r: Measured) => r.y));
      lost += own.filter((r) => MEMORY.test(String(r.why))).length;
      const says = done.length === 0
        ? "nothing measured"
        : done[0].x === done.at(-1)!.x
        ? "one batch size"
        : knee
        ? `knee at ${valueText(knee.x)}, ${rate(knee.y)} a second`
        : "no knee in this range";
      const name = [series, whose].filter((word) => word || word === 0);
      return own.map((r) => ({
        ...{ ...r.row as object, low: r.low, high: r.high },
        ...{ [x]: r.x, [y]: isNumber(r.y) && r.y > 0 ? r.y : null },
        series: name.length > 0 ? `${name.join(", ")}: ${says}` : says,
      }));
    });
  const tables = [
    read("throughputChart", rows, channels),
    read("throughputChart, published", o.published ?? [], {
      ...channels,
      // Published rows need not tell a series.
      series: optional(o.series) ?? channels.series,
    }),
  ];
  const [x, y] = [tables[0].name("x"), tables[0].name("y")];
  const ours = told(tables[0], ""), published = told(tables[1], "published");
  const sizes = tables.flatMap((table) => table.rows.map((r) => r.x));
  const isWide = Math.max(...bests) > MOST_RATIO * Math.min(...bests);
  const isLog = (o.yScale ?? (isWide ? "log" : "linear")) === "log";
  return linesOf(
    "throughputChart",
    ours,
    {
      ...{ ...o, x, y, series: "series", published },
      xLabel: o.xLabel ?? "batch size (images a step)",
      yLabel: o.yLabel ?? "images a second",
      xScale: o.xScale ?? "log",
      yScale: isLog ? "log" : "linear",
      yFormat: o.yFormat ?? rate,
    },
    { y: isLog ? [] : [0] },
    ({ x, series }) => ({
      bandLabel: "spread",
      // Sizes are powers of two more often than of ten.
      xTicks: levels(sizes.filter((v): v is number => x.why(v) === null)),
      notes: [
        ...(lost > 0 ? [`${lost} of them out of memory`] : []),
        // The name of one series alone stands nowhere else.
        ...(series.length === 1 ? [series[0].name] : []),
      ],
      legend: [
        knees.length > 0 &&
        ringItem(
          `knee: smallest batch with ${
            Number((100 * share).toFixed(1))
          } % of the best`,
        ),
      ],
      marks: () => [rings(knees, "ferlab-knee")],
    }),
  );
}
