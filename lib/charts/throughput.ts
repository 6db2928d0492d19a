/** Throughput over batch size, and the batch size from which it is flat. */
import * as Plot from "@observablehq/plot";
import * as d3 from "d3";
import { axisOf, count, onAxes } from "./axis.ts";
import {
  type Channel,
  firstOf,
  maybe,
  type Read,
  read,
  readBoth,
  type Rows,
} from "./channels.ts";
import { type AxesOptions, frame, tip } from "./frame.ts";
import { isNumber, levels, lineColor } from "./scales.ts";
import { type Chart, type LegendItem, PALETTE, SYMBOLS } from "./theme.ts";

export interface KneeOptions {
  /** Default: batchSize, imagesPerSecond. */
  x?: Channel;
  y?: Channel;
  /** Of the best throughput; default: 0.95. */
  share?: number;
}

type Row = Read<"x" | "y" | "series" | "low" | "high" | "why" | "whose">;
type Done = Row & { x: number; y: number };

const isDone = <R extends { x: unknown; y: unknown }>(
  r: R,
): r is R & { x: number; y: number } =>
  isNumber(r.x) && isNumber(r.y) && r.y > 0;

/** Series whose best differ by more than this have a log axis. */
const MOST_RATIO = 20;
/** More series are thin lines with their names in the tooltips. */
const MOST_NAMED = 12;

const rate = (value: number) =>
  d3.format(value < 100 ? ".3~r" : ",.0f")(value).replaceAll(",", "\u202f");

/** See `kneeOf`. */
function kneeAt<R extends { x: unknown; y: unknown }>(
  rows: readonly R[],
  share: number,
) {
  const done = d3.sort(rows.filter(isDone), (r: Done) => r.x) as (
    & R
    & { x: number; y: number }
  )[];
  const best = d3.max(done, (r: Done) => r.y);
  const knee = done.find((r) => r.y >= share * best);
  return knee && knee.x < done.at(-1)!.x ? knee : null;
}

/**
 * The smallest batch size with at least `share` of the rows' best throughput.
 * Null where that is the largest one measured: throughput still rises there,
 * and the knee, if there is one, lies beyond.
 */
export function kneeOf(rows: Rows, o: KneeOptions = {}): number | null {
  const table = read("kneeOf", rows, {
    x: o.x ?? firstOf("batchSize"),
    y: o.y ?? firstOf("imagesPerSecond"),
  });
  return kneeAt(table.rows, o.share ?? 0.95)?.x ?? null;
}

/**
 * Draws throughput over batch size on a log axis, a line a series. A ring marks
 * each series' knee, see `kneeOf`; sizes that failed are crosses at the foot,
 * and the ends of a spread a bar. Series that differ by more than 20 times have
 * a log axis, else it begins at 0.
 */
export function throughputChart(
  rows: Rows,
  o: AxesOptions & KneeOptions & {
    /** A device, a model, a precision; default: series. */
    series?: Channel;
    /** Ends of the measurements' spread; default: low and high. */
    low?: Channel;
    high?: Channel;
    /** Published measurements, by the same channels. */
    published?: Rows;
  } = {},
): Chart {
  const { share = 0.95 } = o;
  const table = readBoth("throughputChart", rows, o.published, {
    x: o.x ?? firstOf("batchSize"),
    y: o.y ?? firstOf("imagesPerSecond"),
    low: o.low ?? maybe("low"),
    high: o.high ?? maybe("high"),
    series: o.series ?? maybe("series"),
    why: maybe("error", "reason", "failKind"),
  });
  const nameOf = (r: Row) =>
    [r.series, r.whose === "published" && "published"]
      .filter((word) => word || word === 0).join(", ");
  const x = axisOf(table, "x", {
    label: o.xLabel ?? "batch size (images a step)",
    scale: o.xScale ?? "log",
    format: o.xFormat ?? String,
  });
  const bests = [...Map.groupBy(table.rows.filter(isDone), nameOf).values()]
    .map((own) => Math.max(...own.map((r) => r.y)));
  const scale = o.yScale ??
    (Math.max(...bests) > MOST_RATIO * Math.min(...bests) ? "log" : "linear");
  const y = axisOf(table, ["y", "low", "high"], {
    label: o.yLabel ?? "images a second",
    scale,
    format: o.yFormat ?? ((v) => rate(Number(v))),
  }, scale === "linear" ? [0] : []);
  const { rows: placed, notes } = onAxes(table, { x });
  const done = d3.sort(placed.filter(isDone), (r: Done) => r.x) as Done[];
  const failed = placed.filter((r) => !isDone(r));
  const names = [...new Set(placed.map(nameOf))];
  const isMany = names.length > MOST_NAMED;
  const series = names.map((name, i) => {
    const own = done.filter((r) => nameOf(r) === name);
    const knee = kneeAt(own, share);
    const isFew = new Set(own.map((r) => r.x)).size < 2;
    return {
      name,
      knee,
      isPublished: /published$/.test(name),
      color: isMany
        ? lineColor(i / (names.length - 1))
        : PALETTE[i % PALETTE.length],
      symbol: SYMBOLS[i % SYMBOLS.length],
      says: own.length === 0
        ? "nothing measured"
        : isFew
        ? "one batch size"
        : knee
        ? `knee at ${x.format(knee.x)}, ${rate(knee.y)} a second`
        : "no knee in this range",
    };
  });
  type Series = typeof series[number];
  const of = new Map(series.map((s) => [s.name, s]));
  const styleOf = (r: Row) => of.get(nameOf(r))!;
  const knees = series.flatMap((s) => s.knee ? [s.knee] : []);
  const reasons = new Set(
    failed.map((r) =>
      /memory|\boom\b|exhausted/i.test(String(r.why))
        ? "out of memory"
        : "failed"
    ),
  );
  if (failed.length > 0) {
    notes.push(`${count(failed.length, "row")} without a throughput`);
  }
  if (isMany) notes.push(`${d3.format(",")(names.length)} series`);
  const shape = (s: Series): LegendItem => ({
    mark: `<g fill="${s.color}" stroke="${s.color}"><path d="M0,6H26" ` +
      `stroke-width="2" stroke-dasharray="${
        s.isPublished ? "4 3" : "none"
      }"/>` +
      `<path transform="translate(13,6)" d="${
        d3.symbol(
          d3[`symbol${s.symbol[0].toUpperCase()}${s.symbol.slice(1)}`],
          40,
        )()
      }"/></g>`,
    label: s.name ? `${s.name}: ${s.says}` : s.says,
  });
  const title = (r: Done) =>
    tip(
      nameOf(r),
      `${x.label} ${x.format(r.x)}`,
      `${rate(r.y)} images a second`,
      isNumber(r.low) && isNumber(r.high) &&
        `${rate(r.low)} to ${rate(r.high)}`,
    );
  return frame("throughput", o, {
    label: `${y.label} by batch size: ${
      series.slice(0, MOST_NAMED).map((s) => `${s.name} ${s.says}`).join(", ")
    }`,
    legend: [
      ...(isMany ? [] : series.map((s) => [shape(s)])),
      [
        knees.length > 0 && {
          mark: `<circle cx="13" cy="6" r="5.5" fill="none" ` +
            `stroke="currentColor" stroke-width="1.5"/>`,
          label: `knee: smallest batch with ${
            Number((100 * share).toFixed(1))
          } % of the best`,
        },
        done.some((r) => isNumber(r.low) && isNumber(r.high)) && {
          mark: `<path d="M13,0V12" stroke="currentColor" stroke-width="1.5"/>`,
          label: "spread",
        },
        failed.length > 0 && {
          mark: `<path d="M9,2L17,10M17,2L9,10" stroke="currentColor" ` +
            `stroke-width="1.5"/>`,
          label: [...reasons].join(" or "),
        },
      ],
    ],
    notes,
    x: { ...x, ticks: levels(placed.map((r) => r.x as number)) },
    y,
    isEmpty: placed.length === 0,
    inset: { bottom: failed.length > 0 ? 16 : 0 },
    marks: () => {
      const at = { x: "x", y: "y" };
      const color = (r: Row) => styleOf(r).color;
      return [
        Plot.ruleX(done.filter((r) => y.why(r.low) === null), {
          x: "x",
          y1: "low",
          y2: "high",
          stroke: color,
          strokeWidth: 1.5,
          className: "ferlab-spread",
        }),
        ...[false, true].map((isPublished) =>
          Plot.line(
            done.filter((r) => styleOf(r).isPublished === isPublished),
            {
              ...at,
              z: nameOf,
              stroke: color,
              strokeWidth: isMany ? 1 : 2,
              strokeOpacity: isMany ? 0.5 : 1,
              strokeDasharray: isPublished ? "5 4" : "none",
            },
          )
        ),
        Plot.dot(done, {
          ...at,
          symbol: (r: Row) => styleOf(r).symbol,
          r: isMany ? 2 : 3.5,
          fill: color,
          title,
          className: "ferlab-measured",
        }),
        Plot.dot(knees, {
          ...at,
          r: 8,
          stroke: color,
          strokeWidth: 1.5,
          className: "ferlab-knee",
        }),
        Plot.dot(failed, {
          x: "x",
          frameAnchor: "bottom",
          dy: -7,
          symbol: "times",
          r: 4.5,
          stroke: color,
          strokeWidth: 2,
          title: (r: Row) =>
            tip(
              nameOf(r),
              `${x.label} ${x.format(r.x!)}`,
              r.why === null ? "failed" : String(r.why),
            ),
          className: "ferlab-failed",
        }),
      ];
    },
  });
}
