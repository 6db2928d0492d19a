/** A metric over the epochs: lines of one panel, or a small panel a trial. */
import * as Plot from "@observablehq/plot";
import { epochTicks, spread, valueDomain } from "./axes.ts";
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
  textWidth,
  wrapWords,
} from "./old.ts";
import {
  domainWith,
  type Noise,
  NOISE_WIDTH,
  noiseMarks,
  noiseText,
  withNoise,
} from "./noise_floor.ts";

/** One epoch's value; NaN, a gap in the line, where it was not finite. */
export interface LearningCurveRow {
  trial: string;
  epoch: number;
  metric: "train" | "validation" | "test";
  value: number;
}

const DASHES = { train: "2 3", validation: "none", test: "7 4" } as const;

/** Above this many trials, one panel each. */
const MOST_LINES = PALETTE.length;

function metricLegend(metrics: LearningCurveRow["metric"][]): LegendItem[] {
  return metrics.map((metric) => ({
    mark: `<path d="M0,6H26" stroke="currentColor" stroke-width="2" ` +
      `stroke-dasharray="${DASHES[metric]}"/>`,
    label: metric,
  }));
}

/**
 * Draws a metric over epochs. Up to six trials are lines of their own colour
 * with their name at the end; more get a small panel each. The metric (train,
 * validation, test) is told by the dashes. Values are shown as percentages
 * when `yLabel` speaks of accuracy, else as they are. The noise is drawn as a
 * scale bar at the right edge; null says that it is unknown.
 */
export function learningCurvesChart(
  rows: readonly LearningCurveRow[],
  o: ChartOptions & { yLabel?: string; noise?: Noise | null } = {},
): Chart {
  const { noise, yLabel = "accuracy" } = o;
  let label = `${o.title ?? yLabel} by epoch`;
  if (rows.length === 0) return emptyChart("curves", label, o);
  const trials = [...new Set(rows.map((r) => r.trial))];
  const metrics = (["train", "validation", "test"] as const)
    .filter((m) => rows.some((r) => r.metric === m));
  const isShare = /accuracy/i.test(yLabel);
  const isPanels = trials.length > MOST_LINES;
  const columns = isPanels
    ? Math.min(5, Math.ceil(Math.sqrt(trials.length)))
    : 1;
  const lines = isPanels ? Math.ceil(trials.length / columns) : 1;
  const width = o.width ?? (isPanels ? 880 : 720);
  // End labels start right of the bar.
  const labelX = 10 + (noise ? NOISE_WIDTH : 0);
  const marginRight = isPanels
    ? noise ? 28 : 16
    : labelX + 30 + Math.ceil(Math.max(...trials.map((t) => textWidth(t))));
  let top = head({
    title: o.title,
    width,
    yLabel,
    legend: metrics.length > 1 ? [metricLegend(metrics)] : [],
  });
  if (noise !== undefined) {
    const text = noiseText(noise, isShare);
    top = withNoise(top, text, { width, marginRight, yLabel });
    label += `; ${text}`;
  }
  const side = (width - 60 - marginRight) / columns * 0.92;
  const nameOf = new Map(
    trials.map((t) => [t, wrapWords(t, side, FONT_SIZE - 1).join("\n")]),
  );
  // A panel's name stands in the gap above it.
  const named = Math.max(
    ...[...nameOf.values()].map((name) => name.split("\n").length),
  );
  const gap = 11 + 13 * named;
  const marginTop = top.height + (isPanels ? 5 + 13 * named : 10);
  const marginBottom = 44;
  const height = o.height ??
    (isPanels ? marginTop + marginBottom + lines * (80 + gap) : 380);

  const finite = rows.filter((r) => Number.isFinite(r.value));
  const failed = rows.filter((r) => !Number.isFinite(r.value));
  const domain = domainWith(
    valueDomain(finite.map((r) => r.value), isShare),
    noise,
    isShare,
  );
  const epochs = rows.map((r) => r.epoch);
  const first = Math.min(...epochs), last = Math.max(...epochs);
  const xDomain = first === last ? [first - 1, last + 1] : [first, last];
  const format = (v: number) => isShare ? percent(v) : v.toPrecision(4);

  // The end labels: names beside the last point, moved apart.
  const ends = trials.flatMap((trial) => {
    const own = finite.filter((r) => r.trial === trial);
    const main = own.filter((r) => r.metric !== "train");
    const end = (main.length > 0 ? main : own)
      .reduce((a, b) => b.epoch >= a.epoch ? b : a, own[0]);
    return end === undefined ? [] : [end];
  }).sort((a, b) => b.value - a.value);
  const yPixel = (v: number) =>
    height - marginBottom -
    (v - domain[0]) / (domain[1] - domain[0]) *
      (height - marginBottom - marginTop);
  const placed = spread(
    ends.map((r) => yPixel(r.value)),
    FONT_SIZE + 2,
    marginTop + 4,
    height - marginBottom - 4,
  );

  const index = new Map(trials.map((trial, i) => [trial, i]));
  const colorOf = (r: { trial: string }) =>
    isPanels ? PALETTE[0] : PALETTE[index.get(r.trial)!];
  const panel = isPanels
    ? {
      fx: (r: { trial: string }) => index.get(r.trial)! % columns,
      fy: (r: { trial: string }) => Math.floor(index.get(r.trial)! / columns),
    }
    : {};
  const rowsOf = new Map<string, number>();
  for (const r of finite) {
    const key = `${r.trial}\n${r.metric}`;
    rowsOf.set(key, (rowsOf.get(key) ?? 0) + 1);
  }
  const sorted = [...rows].sort((a, b) => a.epoch - b.epoch);
  const isLone = (r: LearningCurveRow) =>
    rowsOf.get(`${r.trial}\n${r.metric}`) === 1;
  const isDense = last - first > 20 || isPanels;

  const element = Plot.plot({
    document,
    className: contentClass("curves", rows, o),
    width,
    height,
    marginTop,
    marginBottom,
    marginLeft: 60,
    marginRight,
    color: { type: "identity" },
    x: { type: "linear", domain: xDomain },
    y: { domain },
    r: { type: "identity" },
    fx: { axis: null, padding: 0.08 },
    fy: { axis: null, padding: gap / (80 + gap) },
    marks: [
      Plot.gridY({ ...GRID, ticks: isPanels ? 3 : 6 }),
      Plot.ruleY([domain[0]], { strokeOpacity: 0.4 }),
      Plot.axisY({
        label: null,
        ticks: isPanels ? 3 : 6,
        tickSize: 0,
        tickFormat: isShare
          ? (v: number) => `${Number((100 * v).toFixed(1))} %`
          : undefined,
      }),
      Plot.axisX(epochTicks(first, last, isPanels ? 4 : 10), {
        label: "epoch",
        labelArrow: "none",
        labelAnchor: "center",
        labelOffset: 36,
        tickSize: isPanels ? 0 : 6,
        tickFormat: "d",
      }),
      ...metrics.map((metric) =>
        Plot.line(sorted.filter((r) => r.metric === metric), {
          x: "epoch",
          y: "value",
          z: "trial",
          stroke: colorOf,
          strokeWidth: metric === "train" ? 1.5 : 2,
          strokeOpacity: metric === "train" ? 0.7 : 1,
          strokeDasharray: DASHES[metric],
          ...panel,
        })
      ),
      Plot.dot(finite, {
        x: "epoch",
        y: "value",
        r: (r: LearningCurveRow) => isDense && !isLone(r) ? 1 : 3,
        fill: colorOf,
        title: (r: LearningCurveRow) =>
          `${r.trial}\nepoch ${r.epoch}, ${r.metric}: ${format(r.value)}`,
        className: "ferlab-values",
        ...panel,
      }),
      Plot.dot(failed, {
        x: "epoch",
        y: () => domain[0],
        dy: -6,
        symbol: "times",
        r: 4.5,
        stroke: colorOf,
        strokeWidth: 2,
        title: (r: LearningCurveRow) =>
          `${r.trial}\nepoch ${r.epoch}, ${r.metric}: not finite`,
        className: "ferlab-failed",
        ...panel,
      }),
      isPanels
        ? Plot.text(trials.map((trial) => ({ trial })), {
          ...panel,
          text: (r: { trial: string }) => nameOf.get(r.trial),
          frameAnchor: "top-left",
          lineAnchor: "bottom",
          dy: -4,
          fontSize: FONT_SIZE - 1,
        })
        : ends.flatMap((r, i) => {
          const at = {
            x: () => xDomain[1],
            y: "value",
            textAnchor: "start",
            dy: placed[i] - yPixel(r.value),
          } as const;
          return [
            Plot.text([r], { ...at, text: ["●"], fill: colorOf, dx: labelX }),
            Plot.text([r], { ...at, text: "trial", dx: labelX + 17 }),
          ];
        }),
      ...noiseMarks(noise, {
        x: xDomain[1],
        top: domain[1],
        isShare,
        facet: isPanels ? { fx: () => columns - 1, fy: () => 0 } : {},
      }),
    ],
  });
  return finish(element, `${label}, ${trials.length} trials`, top);
}
