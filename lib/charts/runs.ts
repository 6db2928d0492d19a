/** Each run of each setting as a dot: is a difference more than noise? */
import * as Plot from "@observablehq/plot";
import { meanInterval } from "../statistics/mod.ts";
import { axisOf, onAxes } from "./axis.ts";
import {
  type Channel,
  firstOf,
  type Read,
  read,
  type Rows,
} from "./channels.ts";
import { type AxesOptions, frame, noiseLength, tip } from "./frame.ts";
import { bars, crosses, FAILED, OURS, pathItem } from "./marks.ts";
import { isNumber } from "./scales.ts";
import { type Chart, textWidth } from "./theme.ts";

/** Fewer runs tell no interval of their mean. */
const FEWEST = 3;

interface Setting {
  x: number | string;
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
 * Draws a column a setting, `x`: each of its runs as a dot, their mean as a line
 * with its 95 % interval (t, from three runs), and mean, sd and number of runs
 * in words where there is room.
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
  const groups = [...Map.groupBy(table.rows, (r) => r.x)];
  const settings = groups.flatMap(([x, own]): Setting[] => {
    const values = own.map((r) => r.y).filter(isNumber);
    if (x === null || values.length === 0) return [];
    const { mean, n, ...told } = meanInterval(values);
    const end = (v: number | null) => n >= FEWEST && isNumber(v) ? v : null;
    return [{
      ...{ x, mean, n, tried: own.length },
      ...{ low: end(told.low), high: end(told.high) },
      sd: isNumber(told.sd) ? told.sd : null,
    }];
  });
  const x = axisOf(table, "x", {
    ...{ label: o.xLabel, scale: "category", format: o.xFormat },
  });
  const y = axisOf(table, "y", {
    ...{ label: o.yLabel, scale: o.yScale, format: o.yFormat },
    least: noiseLength(o.noise),
  }, settings.flatMap((s) => [s.low, s.high]));
  const { rows: done, failed, notes } = onAxes(table, { x, y }, "y");
  const shown = settings.filter((s) => y.why(s.mean) === null);
  const told = shown.filter((s) => s.low !== null && y.why(s.low) === null);
  const isShare = /accuracy|share/i.test(y.label);
  const sd = (s: Setting) =>
    s.sd === null
      ? ""
      : ` ± ${isShare ? (100 * s.sd).toFixed(1) : y.say(s.sd)}`;
  const says = (s: Setting) => [
    `${y.say(s.mean)}${sd(s)}`,
    `n ${s.n}${s.n < s.tried ? ` of ${s.tried}` : ""}`,
  ];
  const slot = ((o.width ?? 720) - 90) / x.domain.length;
  const isTold = shown.every((s) =>
    says(s).every((line) => textWidth(line) < slot)
  );
  const title = (s: Setting) =>
    tip(
      `${x.label} ${x.say(s.x)}`,
      says(s).join(", "),
      s.low !== null && `95 % interval ${y.say(s.low)} to ${y.say(s.high!)}`,
    );
  return frame("repeats", o, {
    ...{ notes, x, y, isEmpty: done.length + failed.length === 0 },
    label: `${y.label} of each run by ${x.label}: ` +
      shown.slice(0, 20).map((s) => `${x.say(s.x)} ${says(s).join(", ")}`)
        .join("; "),
    legend: [[
      { mark: `<circle cx="13" cy="6" r="4" fill="${OURS}"/>`, label: "a run" },
      told.length > 0
        ? pathItem("M3,6H23M13,0V12", "mean and its 95 % interval")
        : pathItem("M3,6H23", "mean"),
      failed.length > 0 && FAILED,
    ]],
    inset: { top: isTold ? 34 : 0, bottom: failed.length > 0 ? 16 : 0 },
    marks: () => [
      bars(told, { x: "x", strokeWidth: 1.5, title }),
      Plot.tickY(shown, {
        ...{ x: "x", y: "mean", strokeWidth: 2.5, title },
        ...{ insetLeft: 0.3 * slot, insetRight: 0.3 * slot },
        className: "ferlab-means",
      }),
      Plot.dot(done, {
        ...{ x: "x", y: "y", fill: OURS, fillOpacity: 0.75 },
        r: Math.max(1.5, Math.min(4, slot / 4)),
        title: (r: Read<"x" | "y">) =>
          `${x.label} ${x.say(r.x!)}: ${y.say(r.y!)}`,
        className: "ferlab-runs",
      }),
      crosses(failed, { x: "x", frameAnchor: "bottom", dy: -8 }),
      Plot.text(isTold ? shown : [], {
        ...{ x: "x", frameAnchor: "top", lineAnchor: "top", lineHeight: 1.2 },
        text: (s: Setting) => says(s).join("\n"),
      }),
    ],
  });
}
