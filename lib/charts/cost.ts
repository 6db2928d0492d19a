/** Accuracy over cost, with the front that nothing cheaper reaches. */
import * as Plot from "@observablehq/plot";
import { axisOf, onAxes } from "./axis.ts";
import { type Channel, firstOf, maybe, read, type Rows } from "./channels.ts";
import {
  type Area,
  type AxesOptions,
  frame,
  noiseLength,
  tip,
} from "./frame.ts";
import { freePlaces } from "./labels.ts";
import { levels } from "./scales.ts";
import { bars, MOST_NAMED, pathItem, seriesItem, styleOf } from "./marks.ts";
import { type Chart, FONT_SIZE, textWidth } from "./theme.ts";

interface Point {
  cost: number;
  y: number;
  low: number | null;
  high: number | null;
  label: string;
  series: string;
}

/** The names of more points are told in their tooltips only. */
const MOST_LABELS = 60;

/**
 * Draws accuracy (a share) over cost: a labelled point each, its interval if it
 * has one, and the Pareto front as a step line. Costs that span a factor of 20
 * get a log axis.
 */
export function costAccuracyChart(
  rows: Rows,
  o: AxesOptions & {
    cost: Channel;
    y?: Channel;
    low?: Channel;
    high?: Channel;
    label?: Channel;
    series?: Channel;
    /** With its unit, such as "training time, minutes". */
    costLabel?: string;
  },
): Chart {
  const table = read("costAccuracyChart", rows, {
    cost: o.cost,
    y: o.y ?? firstOf("mean", "accuracy"),
    low: o.low ?? maybe("low"),
    high: o.high ?? maybe("high"),
    label: o.label ?? maybe("label", "value"),
    series: o.series,
  });
  const x = axisOf(table, "cost", {
    ...{ scale: o.xScale, format: o.xFormat, pad: 0.08 },
    label: o.costLabel ?? o.xLabel,
  });
  const y = axisOf(table, ["y", "low", "high"], {
    ...{ label: o.yLabel, scale: o.yScale, format: o.yFormat },
    least: noiseLength(o.noise),
  });
  const { rows: shown, notes } = onAxes(table, { cost: x, y }, "y");
  const done = shown.map((r) => ({
    ...r,
    label: String(r.label ?? ""),
    series: String(r.series ?? ""),
  })) as unknown as Point[];
  const front = paretoFront(done);
  const names = levels(done.map((p) => p.series));
  const styleAt = (p: Point) => styleOf(names.indexOf(p.series));
  const at = { x: "cost", y: "y" };
  return frame("cost-accuracy", o, {
    label: `${y.label} by ${x.label}, ${done.length} points; Pareto front: ` +
      front.map((p) => `${p.label} ${y.say(p.y)}`).join(", "),
    legend: [
      names.length > 1 && names.length <= MOST_NAMED
        ? names.map(seriesItem)
        : [],
      [pathItem("M0,10H13V3H26", "Pareto front: nothing cheaper is better")],
    ],
    ...{ notes, x, y },
    isEmpty: done.length === 0,
    innerHeight: () => 320,
    marks: (area) => {
      const end = front.at(-1)!;
      return [
        Plot.line([...front, { ...end, cost: x.domain.at(-1)! }], {
          ...{ ...at, curve: "step-after", strokeOpacity: 0.6 },
          className: "ferlab-front",
        }),
        bars(done, { x: "cost", stroke: (p: Point) => styleAt(p).color }),
        Plot.dot(done, {
          ...{ ...at, r: 4.5, fill: (p: Point) => styleAt(p).color },
          symbol: (p: Point) => styleAt(p).symbol,
          title: (p: Point) =>
            tip(
              ...[p.label, p.series],
              `${y.say(p.y)} at ${x.label} ${x.say(p.cost)}`,
              p.low !== null && p.high !== null &&
                `${y.say(p.low)} to ${y.say(p.high)}`,
            ),
          className: "ferlab-points",
        }),
        ...labelsOf(done, front, area),
      ];
    },
  });
}

/** The points' names where there is room; those on the front first, and bold. */
function labelsOf(done: Point[], front: Point[], area: Area) {
  const isFront = new Set(front);
  const named = [...front, ...done.filter((p) => !isFront.has(p))]
    .filter((p) => p.label !== "").slice(0, MOST_LABELS);
  const fontSize = FONT_SIZE - 1;
  const steps = front.flatMap((p, i) => {
    const next = front[i + 1];
    const left = area.x(p.cost), right = next ? area.x(next.cost) : area.right;
    const y = area.y(p.y), top = area.y(next?.y ?? p.y);
    return [
      { left, right, top: y - 1, bottom: y + 1 },
      { left: right - 1, right: right + 1, top, bottom: y },
    ];
  });
  const intervals = done.map((p) => {
    const [x, top, bottom] = [area.x(p.cost), p.high ?? p.y, p.low ?? p.y];
    return { left: x, right: x, top: area.y(top), bottom: area.y(bottom) };
  });
  const places = freePlaces(
    named.map((p) => ({
      x: area.x(p.cost),
      y: area.y(p.y),
      isNeeded: isFront.has(p),
      width: textWidth(p.label, fontSize + (isFront.has(p) ? 2 : 0.5)),
    })),
    { height: fontSize + 3, box: area, lines: [...steps, ...intervals] },
  );
  return named.flatMap((p, i) => {
    const place = places[i];
    return place === null ? [] : Plot.text([p], {
      ...{ x: "cost", y: "y", text: "label", dx: place.dx, dy: place.dy },
      ...{ textAnchor: place.anchor, fontSize },
      fontWeight: isFront.has(p) ? 700 : 400,
    });
  });
}

/** Those that no other beats: cheaper at as much accuracy, or better. */
function paretoFront(points: readonly Point[]): Point[] {
  let best = -Infinity;
  return [...points].sort((a, b) => a.cost - b.cost || b.y - a.y)
    .filter((p) => p.y > best && (best = p.y, true));
}
