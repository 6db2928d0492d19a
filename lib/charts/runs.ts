/** Each run of each setting as a dot: is a difference more than noise? */
import * as Plot from "@observablehq/plot";
import { meanInterval } from "../statistics/mod.ts";
import { axisOf, onAxes } from "./axis.ts";
import {
  type Channel,
  firstOf,
  isNumber,
  read,
  type Rows,
} from "./channels.ts";
import { asked, type AxesOptions, frame, tip } from "./frame.ts";
import { rowKey, rowsAxis, widest } from "./layout.ts";
import { crosses, FAILED, OURS, pathItem } from "./marks.ts";
import { lengthOf } from "./noise.ts";
import type { Chart } from "./theme.ts";

/** Fewer runs tell no interval of their mean. */
const FEWEST = 3;

interface Setting {
  x: number | string;
  row: string;
  mean: number;
  sd: number | null;
  /** 95 % t interval. */
  low: number | null;
  high: number | null;
  /** Those with a value, and all. */
  n: number;
  tried: number;
}

/**
 * Draws a row a setting, `x`: each of its runs as a dot, their mean as a line
 * with its 95 % interval (t, from three runs), and mean, sd and number of runs
 * in words.
 */
export function repeatsChart(
  rows: Rows,
  o: Omit<AxesOptions, "xScale"> & {
    /** The setting; a function for several parameters. */
    x: Channel;
    /** Default: the accuracy. */
    y?: Channel;
  },
): Chart {
  const table = read("repeatsChart", rows, {
    x: o.x,
    y: o.y ?? firstOf("accuracy"),
  });
  const x = axisOf(table, "x", { ...asked(o, "x"), scale: "category" });
  const rowOf = new Map(x.domain.map((v, i) => [v, rowKey(i)]));
  const groups = [...Map.groupBy(table.rows, (r) => r.x)];
  const settings = groups.flatMap(([x, own]): Setting[] => {
    const values = own.map((r) => r.y).filter(isNumber);
    if (x === null || values.length === 0) return [];
    const { mean, n, ...told } = meanInterval(values);
    const end = (v: number | null) => n >= FEWEST && isNumber(v) ? v : null;
    return [{
      ...{ x, row: rowOf.get(x)!, mean, n, tried: own.length },
      ...{ low: end(told.low), high: end(told.high) },
      sd: isNumber(told.sd) ? told.sd : null,
    }];
  });
  const y = axisOf(table, "y", {
    ...{ ...asked(o, "y"), least: lengthOf(o.noise) },
  }, settings.flatMap((s) => [s.low, s.high]));
  const { rows: done, failed, notes } = onAxes(table, { x, y }, "y");
  const shown = settings.filter((s) => y.why(s.mean) === null);
  const told = shown.filter((s) => s.low !== null && y.why(s.low) === null);
  const sd = (s: Setting) =>
    s.sd === null
      ? ""
      : ` ± ${y.isShare ? (100 * s.sd).toFixed(1) : y.say(s.sd)}`;
  const says = (s: Setting) => [
    `${y.say(s.mean)}${sd(s)}`,
    `n ${s.n}${s.n < s.tried ? ` of ${s.tried}` : ""}`,
  ];
  const texts = new Map(shown.map((s) => [s, says(s).join(", ")]));
  const row = (r: typeof table.rows[number]) => rowOf.get(r.x!);
  const title = (s: Setting) =>
    tip(
      `${x.label} ${x.say(s.x)}`,
      says(s).join(", "),
      s.low !== null && `95 % interval ${y.say(s.low)} to ${y.say(s.high!)}`,
    );
  return frame("repeats", o, {
    ...rowsAxis(x.domain.map(x.format), {
      ...{ label: x.label, width: o.width, least: 28, hasNoGrid: false },
    }),
    ...{ notes, x: y, isEmpty: done.length + failed.length === 0 },
    label: `${y.label} of each run by ${x.label}: ` +
      shown.slice(0, 20).map((s) => `${x.say(s.x)} ${texts.get(s)}`).join("; "),
    legend: [[
      { mark: `<circle cx="13" cy="6" r="4" fill="${OURS}"/>`, label: "a run" },
      told.length > 0
        ? pathItem("M13,0V12M0,6H26", "mean and its 95 % interval")
        : pathItem("M13,0V12", "mean"),
      failed.length > 0 && FAILED,
    ]],
    room: { right: 16 + widest(texts.values()) },
    marks: () => [
      Plot.ruleY(told, {
        ...{ x1: "low", x2: "high", y: "row", strokeWidth: 1.5, title },
        ...{ strokeOpacity: 0.7, className: "ferlab-intervals" },
      }),
      Plot.tickX(shown, {
        ...{ x: "mean", y: "row", strokeWidth: 2.5, inset: 4, title },
        className: "ferlab-means",
      }),
      Plot.dot(done, {
        ...{ x: "y", y: row, r: 4, fill: OURS, fillOpacity: 0.75 },
        title: (r: typeof done[number]) =>
          `${x.label} ${x.say(r.x!)}: ${y.say(r.y!)}`,
        className: "ferlab-runs",
      }),
      crosses(failed, { y: row, frameAnchor: "left", dx: 8 }),
      Plot.text(shown, {
        ...{ y: "row", text: (s: Setting) => texts.get(s), dx: 10 },
        ...{ frameAnchor: "right", textAnchor: "start" },
      }),
    ],
  });
}
