/** Accuracy over cost, with the front that nothing cheaper reaches. */
import * as Plot from "@observablehq/plot";
import { axisOf, intervalWords, onAxes } from "./axis.ts";
import * as channels from "./channels.ts";
import {
  type Area,
  type AxesOptions,
  axisOptions,
  frame,
  tip,
} from "./frame.ts";
import { bars, OURS, pathItem } from "./marks.ts";
import { lengthOf } from "./noise_bar.ts";
import { type Chart, FONT_SIZE, textWidth } from "./theme.ts";

type Point =
  & Record<"cost" | "y", number>
  & Record<"low" | "high", number | null>
  & { label: string };

/** The names of more points are told in their tooltips only. */
const MOST_LABELS = 60;

/**
 * Draws accuracy (a share) over cost: a labelled point each, its interval if it
 * has one, and the Pareto front as a step line. Costs that span a factor of 20
 * get a log axis.
 */
export function costAccuracyChart(
  rows: channels.Rows,
  o: AxesOptions & {
    cost: channels.Channel;
    /** Default: the mean, else the accuracy. */
    y?: channels.Channel;
    label?: channels.Channel;
    /** With its unit, such as "training time, minutes". */
    costLabel?: string;
  },
): Chart {
  const { checkOptions, firstOf, INTERVAL, maybe, readChannels } = channels;
  checkOptions("costAccuracyChart", o, '{ cost: "seconds" }');
  const table = readChannels("costAccuracyChart", rows, {
    ...{ cost: o.cost, y: o.y ?? firstOf("mean", "accuracy"), ...INTERVAL },
    label: o.label ?? maybe("label", "value"),
  });
  const x = axisOf(table, "cost", {
    ...{ ...axisOptions(o, "x"), label: o.costLabel ?? o.xLabel, pad: 0.08 },
  });
  const y = axisOf(table, ["y", "low", "high"], {
    ...{ ...axisOptions(o, "y"), least: lengthOf(o.noise) },
  });
  const { rows: shown, notes } = onAxes(table, { cost: x, y }, "y");
  const done = shown
    .map((r) => ({ ...r, label: String(r.label ?? "") })) as unknown as Point[];
  const front = paretoFront(done);
  const at = { x: "cost", y: "y" };
  return frame("cost-accuracy", o, {
    rows: [table],
    label: `${y.label} by ${x.label}, ${done.length} points; Pareto front: ` +
      front.map((p) => `${p.label} ${y.say(p.y)}`).join(", "),
    legend: [[
      pathItem("M0,10H13V3H26", "Pareto front: nothing cheaper is better"),
    ]],
    ...{ notes, x, y, isEmpty: done.length === 0 },
    innerHeight: () => 320,
    marks: (area) => [
      Plot.line([...front, { ...front.at(-1)!, cost: x.domain.at(-1)! }], {
        ...{ ...at, curve: "step-after", strokeOpacity: 0.6 },
      }),
      bars(done, { x: "cost", stroke: OURS }),
      Plot.dot(done, {
        ...{ ...at, r: 4.5, fill: OURS },
        title: (p: Point) => {
          const value = `${y.say(p.y)} at ${x.label} ${x.say(p.cost)}`;
          return tip(p.label, value, intervalWords(y, p.low, p.high));
        },
      }),
      ...labelsOf(done, front, area),
    ],
  });
}

/** Those that no other beats: cheaper at as much accuracy, or better. */
function paretoFront(points: readonly Point[]): Point[] {
  let best = -Infinity;
  return [...points].sort((a, b) => a.cost - b.cost || b.y - a.y)
    .filter((p) => p.y > best && (best = p.y, true));
}

/** From left to right and from top to bottom, in pixels. */
type Box = [left: number, right: number, top: number, bottom: number];

const overlaps = (a: Box, b: Box) =>
  a[0] < b[1] && b[0] < a[1] && a[2] < b[3] && b[2] < a[3];

/** At a point's corners, clear of intervals and of the front's steps; beside. */
const PLACES = [[1, -1], [-1, 1], [-1, -1], [1, 1], [1, 0], [-1, 0]];

/** The points' names where they cover no other; the front's first, and bold. */
function labelsOf(done: Point[], front: Point[], area: Area) {
  const fontSize = FONT_SIZE - 1;
  const isFront = new Set(front);
  const named = [...front, ...done.filter((p) => !isFront.has(p))]
    .filter((p) => p.label !== "").slice(0, MOST_LABELS);
  const taken = named.map((p): Box => {
    const x = area.x(p.cost), y = area.y(p.y);
    return [x - 5, x + 5, y - 5, y + 5];
  });
  return named.flatMap((p) => {
    const width = textWidth(p.label, fontSize + (isFront.has(p) ? 2 : 0.5));
    for (const [right, down] of PLACES) {
      const dx = (down === 0 ? 9 : 5) * right, dy = 11 * down;
      const left = area.x(p.cost) + dx - (right > 0 ? 0 : width);
      const y = area.y(p.y) + dy;
      const box: Box = [left, left + width, y - 7, y + 7];
      const isWithin = box[0] >= area.left && box[1] <= area.right &&
        box[2] >= area.top && box[3] <= area.bottom;
      if (!isWithin || taken.some((other) => overlaps(box, other))) continue;
      taken.push(box);
      return Plot.text([p], {
        ...{ x: "cost", y: "y", text: "label", dx, dy, fontSize },
        textAnchor: right > 0 ? "start" : "end",
        fontWeight: isFront.has(p) ? 700 : 400,
      });
    }
    return [];
  });
}
