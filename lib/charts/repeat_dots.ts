/** Each run of each setting as a dot: is a difference more than noise? */
import * as Plot from "@observablehq/plot";
import { meanInterval } from "../statistics/mod.ts";
import { axisOf, intervalWords, onAxes } from "./axis.ts";
import * as channels from "./channels.ts";
import { type AxesOptions, axisOptions, frame, tip } from "./frame.ts";
import { rowsAxis, widest } from "./text_layout.ts";
import * as marks from "./marks.ts";
import { lengthOf } from "./noise_bar.ts";
import type { Chart } from "./theme.ts";

/** Fewer runs tell no interval of their mean. */
const FEWEST = 3;

/**
 * Draws a row a setting, `x`: each of its runs as a dot, their mean as a line
 * with its 95 % interval (t, from three runs), and mean, sd and number of runs
 * in words.
 */
export function repeatsChart(
  rows: channels.Rows,
  o: AxesOptions & {
    /** The setting; a function for several parameters. */
    x: channels.Channel;
    /** Default: the accuracy. */
    y?: channels.Channel;
  },
): Chart {
  channels.checkOptions("repeatsChart", o, '{ x: "depth" }');
  const table = channels.readChannels("repeatsChart", rows, {
    ...{ x: o.x, y: o.y ?? channels.firstOf("accuracy") },
  });
  const x = axisOf(table, "x", { ...axisOptions(o, "x"), scale: "category" });
  const settings = [...Map.groupBy(table.rows, (r) => r.x)].flatMap(
    ([x, own]) => {
      const values = own.map((r) => r.y).filter(channels.isNumber);
      if (x === null || values.length === 0) return [];
      const { mean, sd, n, low, high } = meanInterval(values);
      const isTold = n >= FEWEST && [low, high].every(channels.isNumber);
      const ends = isTold ? { low, high } : { low: null, high: null };
      return { x, mean, sd, n, tried: own.length, ...ends };
    },
  );
  type Setting = typeof settings[number];
  const y = axisOf(table, "y", {
    ...{ ...axisOptions(o, "y"), least: lengthOf(o.noise) },
  }, settings.flatMap((s) => [s.low, s.high]));
  const { rows: done, failed, notes } = onAxes(table, { x, y }, "y");
  const shown = settings.filter((s) => y.why(s.mean) === null);
  const told = shown.filter((s) => y.why(s.low) === null);
  const texts = new Map(shown.map((s) => {
    const sd = y.isShare ? (100 * s.sd!).toFixed(1) : y.say(s.sd!);
    const of = s.n < s.tried ? ` of ${s.tried}` : "";
    const spread = channels.isNumber(s.sd) ? ` ± ${sd}` : "";
    return [s, `${y.say(s.mean)}${spread}, n ${s.n}${of}`];
  }));
  const text = (s: Setting) => texts.get(s);
  const keys = new Map(x.domain.map((v, i) => [v, i]));
  const rowOf = (r: { x: channels.Value }) => keys.get(r.x!);
  const title = (s: Setting) => {
    const range = intervalWords(y, s.low, s.high);
    const interval = range && `95 % interval ${range}`;
    const of = channels.trialWords(undefined, [], { [table.name("x")]: [s.x] });
    return tip(`${x.label} ${x.say(s.x)}`, text(s), interval, of);
  };
  return frame("repeats", o, {
    rows: [table],
    ...rowsAxis(x.domain.map(x.format), {
      ...{ label: x.label, width: o.width, least: 28, hasNoGrid: false },
    }),
    ...{ notes, x: y, isEmpty: done.length + failed.length === 0 },
    label: `${y.label} of each run by ${x.label}: ` +
      shown.slice(0, 20).map((s) => `${x.say(s.x)} ${text(s)}`).join("; "),
    legend: [[
      { mark: marks.SAMPLES.run, label: "a run" },
      told.length > 0
        ? marks.pathItem("M13,0V12M0,6H26", "mean and its 95 % interval")
        : marks.pathItem("M13,0V12", "mean"),
      failed.length > 0 && marks.FAILED,
    ]],
    room: { right: 16 + widest(texts.values()) },
    marks: () => [
      Plot.ruleY(told, {
        ...{ x1: "low", x2: "high", y: rowOf, strokeWidth: 1.5, title },
        ...{ strokeOpacity: 0.7, className: "ferlab-intervals" },
      }),
      Plot.tickX(shown, {
        ...{ x: "mean", y: rowOf, strokeWidth: 2.5, inset: 4, title },
        className: "ferlab-means",
      }),
      marks.runDots(done, { x, y, told: [table.name("x")] }, {
        ...{ x: "y", y: rowOf, r: 4, fill: marks.OURS, fillOpacity: 0.75 },
      }),
      marks.crosses(failed, { y: rowOf, frameAnchor: "left", dx: 8 }),
      Plot.text(shown, { ...marks.AT_RIGHT, y: rowOf, text, dx: 10 }),
    ],
  });
}
