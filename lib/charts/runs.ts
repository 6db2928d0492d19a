/** Each run of each setting as a dot: is a difference more than noise? */
import * as Plot from "@observablehq/plot";
import * as d3 from "d3";
import { meanInterval } from "../statistics/mod.ts";
import { axisOf, onAxes } from "./axis.ts";
import {
  type Channel,
  firstOf,
  readBoth,
  type Rows,
  type Value,
} from "./channels.ts";
import { type AxesOptions, frame, noiseLength, tip } from "./frame.ts";
import { isNumber } from "./scales.ts";
import { type Chart, PALETTE, percent, textWidth } from "./theme.ts";

/** The runs of one setting. */
interface Setting {
  x: number | string;
  whose: Value;
  mean: number;
  sd: number | null;
  /** 95 % t interval of the mean, from three runs. */
  low: number | null;
  high: number | null;
  n: number;
  failed: number;
}

const OURS = PALETTE[0], PUBLISHED = PALETTE[1];

/**
 * Draws a column a setting, `x`: each of its runs as a dot, their mean as a line
 * with its 95 % interval (t; from three runs), and mean, sd and number of runs
 * in words where there is room. Published runs are hollow.
 */
export function repeatsChart(
  rows: Rows,
  o: Omit<AxesOptions, "xScale"> & {
    /** The setting; a function for several parameters. */
    x: Channel;
    /** Default: the accuracy. */
    y?: Channel;
    /** Published runs, by the same channels. */
    published?: Rows;
  },
): Chart {
  const table = readBoth("repeatsChart", rows, o.published, {
    x: o.x,
    y: o.y ?? firstOf("accuracy"),
  });
  const x = axisOf(table, "x", {
    label: o.xLabel,
    scale: "category",
    format: o.xFormat,
  });
  const groups = Map.groupBy(table.rows, (r) => JSON.stringify([r.whose, r.x]));
  const settings = [...groups.values()].flatMap((own): Setting[] => {
    const values = own.map((r) => r.y).filter(isNumber);
    const { x, whose } = own[0];
    if (values.length === 0 || x === null) return [];
    const { mean, sd, low, high, n } = meanInterval(values);
    const isTold = n >= 3 && isNumber(low) && isNumber(high);
    return [{
      ...{ x, whose, mean, n, failed: own.length - n },
      sd: isNumber(sd) ? sd : null,
      low: isTold ? low : null,
      high: isTold ? high : null,
    }];
  });
  const y = axisOf(table, "y", {
    label: o.yLabel,
    scale: o.yScale,
    format: o.yFormat,
    least: noiseLength(o.noise),
  }, settings.flatMap((s) => [s.low, s.high].filter((v) => v !== null)));
  const { rows: done, notes } = onAxes(table, { x, y });
  const isShare = /accuracy|share/i.test(y.label);
  const say = (v: number) => isShare ? percent(v) : d3.format(".4~g")(v);
  const spread = (s: Setting) =>
    s.sd === null
      ? ""
      : ` ± ${isShare ? (100 * s.sd).toFixed(1) : d3.format(".2~g")(s.sd)}`;
  const runs = (s: Setting) =>
    `n ${s.n}${s.failed > 0 ? ` of ${s.n + s.failed}` : ""}`;
  const isDrawn = (whose: string) => done.some((r) => r.whose === whose);
  const isBoth = isDrawn("ours") && isDrawn("published");
  const settled = settings.filter((s) => y.why(s.mean) === null);
  const failed = x.domain.filter((at) => !settled.some((s) => s.x === at));
  const bars = settled.filter((s) =>
    s.low !== null && s.high !== null && y.why(s.low) === null
  );
  const words = (s: Setting) => `${say(s.mean)}${spread(s)}\n${runs(s)}`;
  const room = ((o.width ?? 720) - 90) / x.domain.length;
  const isWritten = !isBoth &&
    settled.every((s) =>
      words(s).split("\n").every((line) => textWidth(line) < room)
    );
  const dot = (paint: string) => `<circle cx="13" cy="6" r="4" ${paint}/>`;
  return frame("repeats", o, {
    label: `${y.label} of each run by ${x.label}: ${
      settled.slice(0, 20).map((s) =>
        `${s.whose === "published" ? "published, " : ""}${x.format(s.x)} ${
          say(s.mean)
        }${spread(s)}, ${runs(s)}`
      ).join("; ")
    }`,
    legend: [[
      isDrawn("ours") && { mark: dot(`fill="${OURS}"`), label: "a run" },
      isDrawn("published") && {
        mark: dot(`fill="none" stroke="${PUBLISHED}" stroke-width="1.5"`),
        label: "a published run",
      },
      {
        mark: `<path d="M3,6H23" stroke="currentColor" stroke-width="2.5"/>` +
          (bars.length > 0
            ? `<path d="M13,0V12" stroke="currentColor" stroke-width="1.5"/>`
            : ""),
        label: bars.length > 0
          ? "mean with its 95 % interval (from three runs)"
          : "mean",
      },
      failed.length > 0 && {
        mark: `<path d="M9,2L17,10M17,2L9,10" stroke="currentColor" ` +
          `stroke-width="1.5"/>`,
        label: "no run with a value",
      },
    ]],
    notes,
    x: { ...x, hasNoGrid: x.domain.length > 60 },
    y,
    isEmpty: done.length === 0,
    inset: { top: isWritten ? 34 : 0, bottom: failed.length > 0 ? 16 : 0 },
    marks: (area) => {
      const slot = (area.right - area.left) / x.domain.length;
      const title = (s: Setting) =>
        tip(
          `${x.label} ${x.format(s.x)}${
            s.whose === "published" ? ", published" : ""
          }`,
          `mean ${say(s.mean)}${spread(s)} (sd), ${runs(s)}`,
          s.low !== null &&
            `95 % interval ${say(s.low)} to ${say(s.high!)}`,
        );
      const marksOf = (whose: string) => {
        const isPublished = whose === "published";
        const dx = !isBoth ? 0 : slot / (isPublished ? 5 : -5);
        const own = settled.filter((s) => s.whose === whose);
        const inset = slot * (isBoth ? 0.36 : 0.3);
        const at = { x: "x", dx };
        return [
          Plot.tickY(own, {
            ...at,
            y: "mean",
            insetLeft: inset,
            insetRight: inset,
            stroke: "currentColor",
            strokeWidth: 2.5,
            title,
            className: "ferlab-means",
          }),
          Plot.ruleX(bars.filter((s) => s.whose === whose), {
            ...at,
            y1: "low",
            y2: "high",
            stroke: "currentColor",
            strokeWidth: 1.5,
            title,
            className: "ferlab-intervals",
          }),
          Plot.dot(done.filter((r) => r.whose === whose), {
            ...at,
            y: "y",
            r: Math.max(1.5, Math.min(4, slot / 4)),
            ...(isPublished
              ? { stroke: PUBLISHED, strokeWidth: 1.5 }
              : { fill: OURS, fillOpacity: 0.75 }),
            title: (r: { x: number | string; y: number }) =>
              tip(
                `${x.label} ${x.format(r.x)}${
                  isPublished ? ", published" : ""
                }`,
                say(r.y),
              ),
            className: isPublished ? "ferlab-published" : "ferlab-ours",
          }),
        ];
      };
      return [
        ...["ours", "published"].flatMap(marksOf),
        Plot.text(isWritten ? settled : [], {
          x: "x",
          text: words,
          frameAnchor: "top",
          lineAnchor: "top",
          lineHeight: 1.2,
          fontWeight: 600,
        }),
        Plot.dot(failed, {
          x: (at: number | string) => at,
          frameAnchor: "bottom",
          dy: -8,
          symbol: "times",
          r: 4,
          stroke: "currentColor",
          className: "ferlab-failed",
        }),
      ];
    },
  });
}
