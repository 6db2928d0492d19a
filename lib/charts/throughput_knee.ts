/** Throughput over batch size, and the batch size from which it is flat. */
import * as d3 from "d3";
import * as channels from "./channels.ts";
import type { AxesOptions } from "./frame.ts";
import { linesOf } from "./line.ts";
import { rings, SAMPLES } from "./marks.ts";
import type { Chart } from "./theme.ts";
import { levels, valueText } from "./value_text.ts";

export interface KneeOptions {
  /** Of the best throughput; default: 0.95. */
  share?: number;
}

const MEMORY = /memory|\boom\b|exhausted/i;
/** Series whose best differ by more than this have a log axis. */
const MOST_RATIO = 20;

const MEASURES = {
  x: channels.firstOf("batchSize"),
  y: channels.firstOf("imagesPerSecond"),
};

/** 12345 → "12 345"; three digits below 100. */
const rate = (value: number | string) =>
  d3.format(Number(value) < 100 ? ".3~r" : ",.0f")(value)
    .replaceAll(",", "\u202f");

type Measured = Record<"x" | "y", number>;

const isMeasured = (r: Record<"x" | "y", unknown>): r is Measured =>
  channels.isNumber(r.x) && channels.isNumber(r.y) && r.y > 0;

const bySize = (rows: Record<"x" | "y", unknown>[]) =>
  rows.filter(isMeasured).sort((a, b) => a.x - b.x);

/** See `kneeOf`; rows by size. */
function kneeAt(rows: Measured[], share = 0.95): Measured | undefined {
  const best = d3.max(rows, (r: Measured) => r.y);
  const knee = rows.find((r) => r.y >= share * best);
  return knee && knee.x < rows.at(-1)!.x ? knee : undefined;
}

/**
 * The smallest batch size with at least `share` of the rows' best throughput.
 * Null where that is the largest one measured: throughput still rises there,
 * and the knee, if there is one, lies beyond.
 */
export function kneeOf(rows: channels.Rows, o: KneeOptions = {}) {
  const table = channels.readChannels("kneeOf", rows, MEASURES);
  return kneeAt(bySize(table.rows), o.share)?.x ?? null;
}

/**
 * Draws throughput over batch size on a log axis, a line a series, whose name
 * tells its knee (see `kneeOf`); a ring marks it. Sizes that failed are crosses
 * at the foot. Series that differ by more than 20 times have a log axis, else it
 * begins at 0.
 */
export function throughputChart(
  rows: channels.Rows,
  o: AxesOptions & KneeOptions & {
    /** A device, a model, a precision; default: series. */
    series?: channels.Channel;
    /** Published measurements, by the same channels. */
    published?: channels.Rows;
  } = {},
): Chart {
  channels.checkOptions("throughputChart", o, '{ series: "net" }');
  const knees: Measured[] = [], bests: number[] = [];
  let lost = 0;
  /** The rows with their series named by its knee. */
  const told = (rows: channels.Rows, whose: string, series: unknown) => {
    const table = channels.readChannels(`throughputChart${whose}`, rows, {
      ...{ ...MEASURES, series: series as channels.Channel },
      ...channels.INTERVAL,
      why: channels.maybe("error", "reason", "failKind"),
    });
    lost += table.rows.filter((r) => MEMORY.test(String(r.why))).length;
    const groups = Map.groupBy(table.rows, (r) => r.series);
    return [...groups].flatMap(([series, own]) => {
      const done = bySize(own), knee = kneeAt(done, o.share);
      if (knee) knees.push(knee);
      if (done.length > 0) bests.push(d3.max(done, (r: Measured) => r.y));
      const says = done.length === 0
        ? "nothing measured"
        : done[0].x === done.at(-1)!.x
        ? "one batch size"
        : knee
        ? `knee at ${valueText(knee.x)}, ${rate(knee.y)} per second`
        : "no knee in this range";
      const name = `${series ?? ""}${whose}`.replace(/^, /, "");
      return own.map(({ row: _, ...r }) => ({
        ...{ ...r, y: isMeasured(r) ? r.y : null },
        series: name === "" ? says : `${name}: ${says}`,
      }));
    });
  };
  const ours = told(rows, "", o.series ?? channels.maybe("series"));
  const theirs = channels.optional(o.series ?? "series");
  const published = told(o.published ?? [], ", published", theirs);
  const isWide = d3.max(bests) > MOST_RATIO * d3.min(bests);
  const yScale = o.yScale ?? (isWide ? "log" : "linear");
  const options = {
    ...{ ...o, x: "x", y: "y", series: "series", published, yScale },
    xLabel: o.xLabel ?? "batch size (images per step)",
    yLabel: o.yLabel ?? "images per second",
    ...{ xScale: o.xScale ?? "log" as const, yFormat: o.yFormat ?? rate },
  };
  const more = { y: yScale === "log" ? [] : [0] };
  return linesOf("throughputChart", ours, options, more, ({ x, series }) => {
    const sizes = [...ours, ...published].map((r) => r.x);
    const percent = Number((100 * (o.share ?? 0.95)).toFixed(1));
    const label = `knee: smallest batch with ${percent} % of the best`;
    return {
      bandLabel: "spread",
      // Sizes are powers of two more often than of ten.
      xTicks: levels(sizes.filter((v): v is number => x.why(v) === null)),
      notes: [
        lost > 0 && `${lost} of them out of memory`,
        // The name of one series alone stands nowhere else.
        series.length === 1 && series[0].name,
      ],
      legend: [knees.length > 0 && { mark: SAMPLES.ring, label }],
      marks: () => [rings(knees, "ferlab-knee")],
    };
  });
}
