/** Accuracy over learning rate, one line a depth, published beside ours. */
import * as Plot from "@observablehq/plot";
import { logTicks } from "./old.ts";
import {
  type Chart,
  type ChartOptions,
  contentClass,
  document,
  emptyChart,
  finish,
  GRID,
  head,
  type LegendItem,
  PALETTE,
  percent,
  powerOfTen,
  SYMBOLS,
} from "./old.ts";
import {
  domainWith,
  type Noise,
  noiseMarks,
  noiseText,
  withNoise,
} from "./noise_floor.ts";

/** A trial: accuracies from 0 to 1, null (or NaN) for one that failed. */
export interface LrAccuracyRow {
  lr: number;
  depth: number;
  accuracy: number | null;
  /** The ends of the accuracy's interval. */
  low?: number;
  high?: number;
}

/** A published trial, which never failed. */
export type PublishedLrRow = LrAccuracyRow & { accuracy: number };

const isDone = (row: LrAccuracyRow): row is PublishedLrRow =>
  row.accuracy !== null && Number.isFinite(row.accuracy);

/** The mean of each learning rate in order; NaN, a gap, where all failed. */
function means(rows: readonly LrAccuracyRow[]) {
  const rates = [...new Set(rows.map((r) => r.lr))].sort((a, b) => a - b);
  return rates.map((lr) => {
    const done = rows.filter((r) => r.lr === lr).filter(isDone);
    const sum = done.reduce((total, r) => total + r.accuracy, 0);
    return { lr, accuracy: done.length === 0 ? NaN : sum / done.length };
  });
}

/** An accuracy axis that holds `values`, in steps of 10 or 5 points. */
function accuracyDomain(values: number[]): [number, number] {
  const low = 100 * Math.min(...values), high = 100 * Math.max(...values);
  const step = high - low > 25 ? 10 : 5;
  const bottom = Math.max(0, Math.floor(low / step - 0.15) * step);
  const top = Math.min(100, Math.ceil(high / step + 0.05) * step);
  return [bottom / 100, top / 100];
}

/** Labelled ticks, and the other multiples of powers of ten between. */
function ticks([low, high]: [number, number]) {
  const labelled = logTicks([low, high]);
  const from = Math.floor(Math.log10(low)), to = Math.ceil(Math.log10(high));
  const minor = [];
  for (let e = from; e <= to; e++) {
    for (let m = 1; m < 10; m++) minor.push(Number(`${m}e${e}`));
  }
  return {
    labelled,
    minor: minor.filter((t) => t >= low && t <= high && !labelled.includes(t)),
  };
}

function describe(row: PublishedLrRow, whose: string): string {
  const interval = row.low === undefined || row.high === undefined
    ? ""
    : ` (${percent(row.low)} to ${percent(row.high)})`;
  return `${whose}: depth ${row.depth}, LR ${row.lr.toExponential()}\n${
    percent(row.accuracy)
  }${interval}`;
}

function marker(color: string, index: number, hollow: boolean): string {
  const paint = hollow
    ? `fill="none" stroke="${color}" stroke-width="1.5"`
    : `fill="${color}"`;
  switch (SYMBOLS[index % SYMBOLS.length]) {
    case "square":
      return `<rect x="9.5" y="2.5" width="7" height="7" ${paint}/>`;
    case "triangle":
      return `<path d="M13,1.5L17.5,9.5L8.5,9.5Z" ${paint}/>`;
    case "diamond":
      return `<path d="M13,1L17,6L13,11L9,6Z" ${paint}/>`;
    default:
      return `<circle cx="13" cy="6" r="4" ${paint}/>`;
  }
}

function legendOf(
  depths: number[],
  has: { published: boolean; failed: boolean; interval: boolean },
): LegendItem[][] {
  const line = (color: string, dash = "") =>
    `<path d="M0,6H26" stroke="${color}" stroke-width="2"${dash}/>`;
  const dashed = ` stroke-dasharray="5 4"`;
  const whose = [{
    mark: line("currentColor") + marker("currentColor", 0, false),
    label: "ours",
  }];
  if (has.published) {
    whose.push({
      mark: `<path d="M0,6H8M18,6H26" stroke="currentColor" ` +
        `stroke-width="1.5"${dashed}/>` + marker("currentColor", 0, true),
      label: "published (RAF-DB)",
    });
  }
  if (has.interval) {
    whose.push({
      mark: `<path d="M13,0V12" stroke="currentColor" stroke-width="1.5"/>`,
      label: "interval",
    });
  }
  if (has.failed) {
    whose.push({
      mark: `<path d="M9,2L17,10M17,2L9,10" stroke="currentColor" ` +
        `stroke-width="2"/>`,
      label: "failed",
    });
  }
  const byDepth = depths.map((depth, i) => {
    const color = PALETTE[i % PALETTE.length];
    return {
      mark: line(color) + marker(color, i, false),
      label: `depth ${depth}`,
    };
  });
  return [byDepth, whose];
}

/**
 * Draws accuracy (0 to 1) over learning rate on a log axis. A line goes through
 * the mean of each rate and breaks where every trial of a rate failed; failed
 * trials are crosses on the bottom line. The noise is drawn as a scale bar at
 * the right edge; null says that it is unknown.
 */
export function lrAccuracyChart(
  rows: readonly LrAccuracyRow[],
  o: ChartOptions & {
    published?: readonly PublishedLrRow[];
    yLabel?: string;
    noise?: Noise | null;
  } = {},
): Chart {
  const { published = [], yLabel = "accuracy", width = 720, height = 420 } = o;
  const { noise } = o;
  let label = `${o.title ?? yLabel} by learning rate and depth`;
  if (rows.length + published.length === 0) {
    return emptyChart("lr-accuracy", label, o);
  }
  const all = [...rows, ...published];
  const depths = [...new Set(all.map((r) => r.depth))].sort((a, b) => a - b);
  const values = all.filter(isDone)
    .flatMap((r) => [r.accuracy, r.low ?? r.accuracy, r.high ?? r.accuracy]);
  const yDomain: [number, number] = values.length === 0
    ? [0, 1]
    : domainWith(accuracyDomain(values), noise, true);
  const rates = all.map((r) => r.lr);
  const xDomain: [number, number] = [
    Math.min(...rates) / 1.6,
    Math.max(...rates) * 1.6,
  ];
  const { labelled, minor } = ticks(xDomain);
  const marginRight = noise ? 28 : 20;
  let top = head({
    title: o.title,
    width,
    yLabel,
    legend: legendOf(depths, {
      published: published.length > 0,
      failed: rows.some((r) => !isDone(r)),
      interval: all.some((r) => r.low !== undefined),
    }),
  });
  if (noise !== undefined) {
    const text = noiseText(noise, true);
    top = withNoise(top, text, { width, marginRight, yLabel });
    label += `; ${text}`;
  }

  const marksOf = (depth: number, i: number) => {
    const color = PALETTE[i % PALETTE.length];
    const symbol = SYMBOLS[i % SYMBOLS.length];
    // Depths stand a little apart so that their intervals do not cover.
    const dx = (i - (depths.length - 1) / 2) * 5;
    const ours = rows.filter((r) => r.depth === depth);
    const theirs = published.filter((r) => r.depth === depth);
    const done = ours.filter(isDone);
    const failed = ours.filter((r) => !isDone(r));
    const at = { x: "lr", y: "accuracy", dx };
    const interval = (of: readonly PublishedLrRow[]) =>
      Plot.ruleX(of.filter((r) => r.low !== undefined), {
        x: "lr",
        y1: "low",
        y2: "high",
        dx,
        stroke: color,
        strokeWidth: 1.5,
        strokeOpacity: 0.7,
      });
    return [
      interval(theirs),
      Plot.line(means(theirs), {
        ...at,
        stroke: color,
        strokeDasharray: "5 4",
        strokeOpacity: 0.8,
      }),
      Plot.dot(theirs, {
        ...at,
        symbol,
        r: 4,
        stroke: color,
        title: (r: PublishedLrRow) => describe(r, "published"),
        className: "ferlab-published",
      }),
      interval(done),
      Plot.line(means(ours), { ...at, stroke: color, strokeWidth: 2 }),
      Plot.dot(done, {
        ...at,
        symbol,
        r: 4,
        fill: color,
        title: (r: PublishedLrRow) => describe(r, "ours"),
        className: "ferlab-ours",
      }),
      Plot.dot(failed, {
        x: "lr",
        y: () => yDomain[0],
        dx: dx * 2.4,
        dy: -8,
        symbol: "times",
        r: 5,
        stroke: color,
        strokeWidth: 2,
        title: (r: LrAccuracyRow) =>
          `ours: depth ${r.depth}, LR ${r.lr.toExponential()}\nfailed`,
        className: "ferlab-failed",
      }),
    ];
  };

  const element = Plot.plot({
    document,
    className: contentClass("lr-accuracy", rows, o),
    width,
    height,
    marginTop: top.height + 10,
    marginLeft: 56,
    marginRight,
    marginBottom: 46,
    x: { type: "log", domain: xDomain },
    y: { domain: yDomain },
    marks: [
      Plot.gridY(GRID),
      Plot.gridX(labelled, GRID),
      Plot.ruleY([yDomain[0]], { strokeOpacity: 0.5 }),
      Plot.axisY({
        tickFormat: (v: number) => `${Math.round(100 * v)} %`,
        ticks: 6,
        tickSize: 0,
        label: null,
      }),
      Plot.axisX(labelled, {
        tickFormat: powerOfTen,
        label: "learning rate",
        labelArrow: "none",
        labelAnchor: "center",
        labelOffset: 38,
      }),
      Plot.axisX(minor, { tickFormat: () => "", tickSize: 3, label: null }),
      ...depths.flatMap(marksOf),
      ...noiseMarks(noise, { x: xDomain[1], top: yDomain[1], isShare: true }),
    ],
  });
  return finish(element, label, top);
}
