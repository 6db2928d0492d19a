/** Each run of each setting as a dot: is a difference more than noise? */
import * as Plot from "@observablehq/plot";
import { meanInterval } from "../statistics/mod.ts";
import { type Channel, firstOf, read, type Rows } from "./channels.ts";
import { type AxesOptions, tip } from "./frame.ts";
import { linesOf } from "./line.ts";
import { bars, oursItem } from "./marks.ts";
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
 * Draws a column a setting, `x`: each of its runs as a dot, their mean with its
 * 95 % interval (t, from three runs), and mean, sd and number of runs in words
 * where there is room.
 */
export function repeatsChart(
  rows: Rows,
  o: AxesOptions & {
    /** The setting; a function for several parameters. */
    x: Channel;
    /** Default: the accuracy. */
    y?: Channel;
  },
): Chart {
  const channels = { x: o.x, y: o.y ?? firstOf("accuracy") };
  const table = read("repeatsChart", rows, channels);
  const groups = [...Map.groupBy(table.rows, (r) => r.x)];
  const settings = groups.flatMap(([x, own]): Setting[] => {
    const values = own.map((r) => r.y).filter(isNumber);
    if (x === null || values.length === 0) return [];
    const { n, mean, ...told } = meanInterval(values);
    const end = (v: number | null) => n >= FEWEST && isNumber(v) ? v : null;
    return [{
      ...{ x, mean, n, tried: own.length },
      ...{ low: end(told.low), high: end(told.high) },
      sd: isNumber(told.sd) ? told.sd : null,
    }];
  });
  const [x, y] = [table.name("x"), table.name("y")];
  return linesOf(
    "repeatsChart",
    table.rows.map((r) => ({ ...r.row as object, [x]: r.x, [y]: r.y })),
    { ...o, x, y },
    { y: settings.flatMap((s) => [s.low, s.high]) },
    ({ x, y }) => {
      const isShare = /accuracy|share/i.test(y.label);
      const sd = (s: Setting) =>
        s.sd === null
          ? ""
          : ` ± ${isShare ? (100 * s.sd).toFixed(1) : y.say(s.sd)}`;
      const says = (s: Setting) => [
        `${y.say(s.mean)}${sd(s)}`,
        `n ${s.n}${s.n < s.tried ? ` of ${s.tried}` : ""}`,
      ];
      const shown = settings.filter((s) =>
        x.why(s.x) === null && y.why(s.mean) === null
      );
      const slot = ((o.width ?? 720) - 90) / groups.length;
      const isTold = shown.every((s) =>
        says(s).every((line) => textWidth(line) < slot)
      );
      const told = shown.filter((s) => s.low !== null && y.why(s.low) === null);
      return {
        words: shown.slice(0, 20).map((s) => `${x.say(s.x)} ${says(s)}`),
        legend: [
          told.length > 0 && oursItem("mean and its 95 % interval", true),
        ],
        inset: { top: isTold ? 34 : 0 },
        marks: () => [
          bars(told, {
            x: "x",
            title: (s: Setting) =>
              tip(
                `${x.label} ${x.say(s.x)}`,
                says(s).join(", "),
                `95 % interval ${y.say(s.low!)} to ${y.say(s.high!)}`,
              ),
          }),
          Plot.text(isTold ? shown : [], {
            ...{ x: "x", frameAnchor: "top", lineAnchor: "top" },
            text: (s: Setting) => says(s).join("\n"),
            lineHeight: 1.2,
            className: "ferlab-words",
          }),
        ],
      };
    },
  );
}
