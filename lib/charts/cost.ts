/** Accuracy over cost, with the front that nothing cheaper reaches. */
import * as Plot from "@observablehq/plot";
import { axisOf, onAxes } from "./axis.ts";
import { type Channel, firstOf, maybe, read, type Rows } from "./channels.ts";
import { type AxesOptions, frame, noiseLength, tip } from "./frame.ts";
import { placeLabels } from "./place_labels.ts";
import { levels } from "./scales.ts";
import { seriesItem, styleOf } from "./series.ts";
import { type Chart, FONT_SIZE, type LegendItem, textWidth } from "./theme.ts";

interface Point {
  cost: number;
  y: number;
  low: number | null;
  high: number | null;
  label: string;
  series: string;
}

/** Of more points only those on the front are labelled. */
const MOST_LABELS = 40;

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
    label: o.costLabel ?? o.xLabel,
    scale: o.xScale,
    format: o.xFormat,
    pad: 0.08,
  });
  const y = axisOf(table, ["y", "low", "high"], {
    label: o.yLabel,
    scale: o.yScale,
    format: o.yFormat,
    least: noiseLength(o.noise),
  });
  const { rows: shown, notes } = onAxes(table, { cost: x, y }, "y");
  const done = shown.map((r) => ({
    ...r,
    label: String(r.label ?? ""),
    series: String(r.series ?? ""),
  })) as unknown as Point[];
  const front = paretoFront(done);
  const isFront = new Set(front);
  const names = levels(done.map((p) => p.series));
  const styleAt = (p: Point) => styleOf(names.indexOf(p.series));
  const legend: LegendItem[][] = [
    names.length > 1 && names.length <= 12 ? names.map(seriesItem) : [],
    [{
      mark: `<path d="M0,10H13V3H26" fill="none" stroke="currentColor" ` +
        `stroke-opacity="0.6" stroke-width="1.5"/>`,
      label: "Pareto front: nothing cheaper is better",
    }],
  ];
  return frame("cost-accuracy", o, {
    label: `${y.label} by ${x.label}, ${done.length} points; Pareto front: ` +
      front.map((p) => `${p.label} ${y.say(p.y)}`).join(", "),
    legend,
    notes,
    x,
    y,
    isEmpty: done.length === 0,
    innerHeight: () => 320,
    marks: (area) => {
      const named = done.filter((p) =>
        p.label !== "" && (done.length <= MOST_LABELS || isFront.has(p))
      );
      const fontSize = FONT_SIZE - 1;
      const steps = front.map((p, i) => ({
        left: area.x(p.cost),
        right: i + 1 < front.length ? area.x(front[i + 1].cost) : area.right,
        y: area.y(p.y),
        next: area.y(front[i + 1]?.y ?? p.y),
      }));
      const placed = placeLabels(
        named.map((p) => ({
          x: area.x(p.cost),
          y: area.y(p.y),
          // Those on the front are bold.
          width: textWidth(p.label, fontSize + (isFront.has(p) ? 2 : 0.5)),
          top: area.y(p.high ?? p.y),
          bottom: area.y(p.low ?? p.y),
        })),
        {
          height: fontSize + 3,
          box: area,
          obstacles: steps.flatMap(({ left, right, y, next }) => [
            { left, right, top: y - 1, bottom: y + 1 },
            { left: right - 1, right: right + 1, top: next, bottom: y },
          ]),
        },
      );
      return [
        Plot.line(
          front.length > 0
            ? [...front, { ...front.at(-1)!, cost: x.domain.at(-1)! }]
            : [],
          {
            x: "cost",
            y: "y",
            curve: "step-after",
            strokeOpacity: 0.6,
            strokeWidth: 1.5,
            className: "ferlab-front",
          },
        ),
        Plot.ruleX(done.filter((p) => p.low !== null && p.high !== null), {
          x: "cost",
          y1: "low",
          y2: "high",
          stroke: (p: Point) => styleAt(p).color,
          strokeWidth: 1.5,
          strokeOpacity: 0.7,
        }),
        Plot.dot(done, {
          x: "cost",
          y: "y",
          r: 4.5,
          fill: (p: Point) => styleAt(p).color,
          symbol: (p: Point) => styleAt(p).symbol,
          title: (p: Point) =>
            tip(
              p.label,
              p.series,
              `${y.say(p.y)} at ${x.label} ${x.say(p.cost)}`,
              p.low !== null && p.high !== null &&
                `${y.say(p.low)} to ${y.say(p.high)}`,
            ),
          className: "ferlab-points",
        }),
        ...placed.flatMap(({ dx, dy, anchor, isFar }, i) => [
          isFar
            ? Plot.vector([named[i]], {
              x: "cost",
              y: "y",
              length: Math.hypot(dx, dy) - 4,
              rotate: Math.atan2(dx, -dy) * 180 / Math.PI,
              anchor: "start",
              shape: { draw: (c, l) => (c.moveTo(0, 0), c.lineTo(0, -l)) },
              strokeOpacity: 0.4,
              strokeWidth: 1,
            })
            : null,
          Plot.text([named[i]], {
            x: "cost",
            y: "y",
            text: "label",
            textAnchor: anchor,
            dx,
            dy,
            fontSize,
            fontWeight: isFront.has(named[i]) ? 700 : 400,
          }),
        ]),
      ];
    },
  });
}

/** Those that no other beats: cheaper at as much accuracy, or better. */
function paretoFront(points: readonly Point[]): Point[] {
  let best = -Infinity;
  return [...points].sort((a, b) => a.cost - b.cost || b.y - a.y)
    .filter((p) => {
      const isBetter = p.y > best;
      best = Math.max(best, p.y);
      return isBetter;
    });
}
