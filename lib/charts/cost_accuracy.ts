/** Accuracy over cost, with the front that nothing cheaper reaches. */
import * as Plot from "@observablehq/plot";
import {
  type Chart,
  type ChartOptions,
  contentClass,
  document,
  emptyChart,
  finish,
  FONT_SIZE,
  GRID,
  head,
  type LegendItem,
  PALETTE,
  percent,
  SYMBOLS,
  textWidth,
} from "./old.ts";
import { valueDomain } from "./axes.ts";
import {
  isNumber,
  logTicks,
  percentTick,
  roundTicks,
  valueFormat,
  valueText,
} from "./old.ts";
import { placeLabels } from "./place_labels.ts";

/** A model or a run: its cost in the axis's unit, its accuracy a share. */
export interface CostPoint {
  label: string;
  cost: number;
  accuracy: number;
  low?: number;
  high?: number;
  series?: string;
}

/** Above this ratio of the largest cost to the smallest the axis is log. */
const LOG_RATIO = 20;

const FRONT = "ferlab-front";
const SHAPES = [
  `<circle cx="13" cy="6" r="4.5"/>`,
  `<rect x="9" y="2" width="8" height="8"/>`,
  `<path d="M13,1L18,10L8,10Z"/>`,
  `<path d="M13,0.5L18,6L13,11.5L8,6Z"/>`,
];

/** Those that no other beats: cheaper at as much accuracy, or better. */
function paretoFront(points: readonly CostPoint[]): CostPoint[] {
  const sorted = [...points].sort((a, b) =>
    a.cost - b.cost || b.accuracy - a.accuracy
  );
  let best = -Infinity;
  return sorted.filter((p) => {
    const isBetter = p.accuracy > best;
    best = Math.max(best, p.accuracy);
    return isBetter;
  });
}

/**
 * Draws accuracy (0 to 1) over cost: a labelled point each, its interval if it
 * has one, and the Pareto front as a step line. Costs that span more than a
 * factor of 20 get a log axis. Points without a cost or an accuracy are left
 * out and counted.
 */
export function costAccuracyChart(
  points: readonly CostPoint[],
  o: ChartOptions & {
    /** With its unit, such as "training time, minutes". */
    costLabel: string;
    yLabel: string;
  },
): Chart {
  const { width = 720, height = 420 } = o;
  let label = `${o.title ?? o.yLabel} by ${o.costLabel}`;
  const done = points.filter((p) => isNumber(p.cost) && isNumber(p.accuracy));
  if (done.length === 0) return emptyChart("cost-accuracy", label, o);
  const front = paretoFront(done);
  label += `, ${done.length} points; Pareto front: ${
    front.map((p) => `${p.label} ${percent(p.accuracy)}`).join(", ")
  }`;

  const series = [...new Set(done.map((p) => p.series))];
  const legend: LegendItem[][] = [[
    {
      mark: `<path d="M0,10H13V3H26" fill="none" stroke="currentColor" ` +
        `stroke-opacity="0.6" stroke-width="1.5"/>`,
      label: "Pareto front: nothing cheaper is better",
    },
  ]];
  if (series.length > 1) {
    legend.unshift(series.map((name, i) => ({
      mark: `<g fill="${PALETTE[i % PALETTE.length]}">${
        SHAPES[i % SHAPES.length]
      }</g>`,
      label: name ?? "other",
    })));
  }
  if (done.length < points.length) {
    legend[0].push({
      mark: `<path d="M9,2L17,10M17,2L9,10" stroke="currentColor" ` +
        `stroke-width="1.5"/>`,
      label: `${points.length - done.length} failed, not drawn`,
    });
  }
  const top = head({ title: o.title, width, yLabel: o.yLabel, legend });

  const costs = done.map((p) => p.cost);
  const low = Math.min(...costs), high = Math.max(...costs);
  const isLog = low > 0 && high / low > LOG_RATIO;
  const pad = 0.08 * (high - low) || Math.abs(high) || 1;
  const xDomain: [number, number] = isLog
    ? [low / (high / low) ** 0.06, high * (high / low) ** 0.06]
    : [low >= 0 ? Math.max(0, low - pad) : low - pad, high + pad];
  const yDomain = valueDomain(
    done.flatMap((p) => [p.accuracy, p.low ?? p.accuracy, p.high ?? p.accuracy])
      .filter(isNumber),
    true,
  );
  const ticks = isLog ? logTicks(xDomain) : roundTicks(...xDomain, 7);

  const box = {
    left: 56,
    right: width - 16,
    top: top.height + 10,
    bottom: height - 46,
  };
  const at = isLog ? Math.log : Number;
  const xPixel = (v: number) =>
    box.left + (at(v) - at(xDomain[0])) / (at(xDomain[1]) - at(xDomain[0])) *
      (box.right - box.left);
  const yPixel = (v: number) =>
    box.bottom -
    (v - yDomain[0]) / (yDomain[1] - yDomain[0]) * (box.bottom - box.top);
  const fontSize = FONT_SIZE - 1;
  const corners = front.map((p, i) => ({
    left: xPixel(p.cost),
    right: i + 1 < front.length ? xPixel(front[i + 1].cost) : box.right,
    y: yPixel(p.accuracy),
    next: yPixel(front[i + 1]?.accuracy ?? p.accuracy),
  }));
  const obstacles = corners.flatMap(({ left, right, y, next }) => [
    { left, right, top: y - 1, bottom: y + 1 },
    { left: right - 1, right: right + 1, top: next, bottom: y },
  ]);
  const placed = placeLabels(
    done.map((p) => ({
      x: xPixel(p.cost),
      y: yPixel(p.accuracy),
      // Those on the front are bold.
      width: textWidth(p.label, fontSize + (front.includes(p) ? 2 : 0.5)),
      top: yPixel(p.high ?? p.accuracy),
      bottom: yPixel(p.low ?? p.accuracy),
    })),
    { height: fontSize + 3, box, obstacles },
  );

  const colorOf = (p: CostPoint) =>
    PALETTE[series.indexOf(p.series) % PALETTE.length];
  const element = Plot.plot({
    document,
    className: contentClass("cost-accuracy", points, o),
    width,
    height,
    marginTop: box.top,
    marginLeft: box.left,
    marginRight: width - box.right,
    marginBottom: height - box.bottom,
    color: { type: "identity" },
    symbol: { type: "identity" },
    x: { type: isLog ? "log" : "linear", domain: xDomain },
    y: { domain: yDomain },
    marks: [
      Plot.gridY({ ...GRID, ticks: 6 }),
      Plot.gridX(ticks, GRID),
      Plot.frame({ anchor: "bottom", strokeOpacity: 0.5 }),
      Plot.axisY({
        tickFormat: percentTick,
        ticks: 6,
        tickSize: 0,
        label: null,
      }),
      Plot.axisX(ticks, {
        tickFormat: valueFormat(ticks),
        label: o.costLabel,
        labelArrow: "none",
        labelAnchor: "center",
        labelOffset: 38,
      }),
      Plot.line(
        [...front, { cost: xDomain[1], accuracy: front.at(-1)!.accuracy }],
        {
          x: "cost",
          y: "accuracy",
          curve: "step-after",
          strokeOpacity: 0.6,
          strokeWidth: 1.5,
          className: FRONT,
        },
      ),
      Plot.ruleX(done.filter((p) => isNumber(p.low) && isNumber(p.high)), {
        x: "cost",
        y1: "low",
        y2: "high",
        stroke: colorOf,
        strokeWidth: 1.5,
        strokeOpacity: 0.7,
      }),
      Plot.dot(done, {
        x: "cost",
        y: "accuracy",
        r: 4.5,
        fill: colorOf,
        symbol: (p: CostPoint) =>
          SYMBOLS[series.indexOf(p.series) % SYMBOLS.length],
        title: (p: CostPoint) =>
          `${p.label}\n${percent(p.accuracy)} at ${valueText(p.cost)}`,
        className: "ferlab-points",
      }),
      ...placed.flatMap(({ dx, dy, anchor, isFar }, i) => [
        isFar
          ? Plot.vector([done[i]], {
            x: "cost",
            y: "accuracy",
            length: Math.hypot(dx, dy) - 4,
            rotate: Math.atan2(dx, -dy) * 180 / Math.PI,
            anchor: "start",
            shape: { draw: (c, l) => (c.moveTo(0, 0), c.lineTo(0, -l)) },
            strokeOpacity: 0.4,
            strokeWidth: 1,
          })
          : null,
        Plot.text([done[i]], {
          x: "cost",
          y: "accuracy",
          text: "label",
          textAnchor: anchor,
          dx,
          dy,
          fontSize,
          fontWeight: front.includes(done[i]) ? 700 : 400,
        }),
      ]),
    ],
  });
  return finish(element, label, top);
}
