/** How much hangs on the learning rate: curves, best rates and their widths. */
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
  powerOfTen,
  SYMBOLS,
  textWidth,
} from "./old.ts";
import {
  domainWith,
  type Noise,
  NOISE_WIDTH,
  noiseMarks,
  noiseText,
  withNoise,
} from "./noise_floor.ts";
import { spread, valueDomain } from "./axes.ts";
import { isNumber, logTicks, percentTick } from "./old.ts";

interface Point {
  lr: number;
  /** A share; null (or NaN) where every run failed. */
  value: number | null;
  low?: number;
  high?: number;
}
type Done = Point & { value: number };

/** A curve over learning rates with what was read off it. */
export interface SensitivityCurve {
  series: string;
  points: readonly Point[];
  bestLr: number | null;
  /** The rates about the best that do nearly as well. */
  width?: { low: number; high: number } | null;
  /** The mean loss of accuracy over the rates tried, a share. */
  sensitivity?: number | null;
}

/** Between the bars under the curves, in pixels. */
const BAR_GAP = 11;

const isDone = (p: Point): p is Done => isNumber(p.value);

/**
 * Draws accuracy (0 to 1) over learning rate, one line a series, which breaks
 * where a rate failed. The best rate is ringed; a bar under the curves spans
 * the rates within `tolerance` (words, such as "0.5 point") of it. The
 * sensitivity (arXiv 2309.14322) stands in points under the series' name. null
 * noise says that it is unknown.
 */
export function lrSensitivityChart(
  curves: readonly SensitivityCurve[],
  o: ChartOptions & {
    yLabel: string;
    tolerance?: string;
    noise?: Noise | null;
  },
): Chart {
  const { yLabel, noise, width = 720, height = 420 } = o;
  let label = `${o.title ?? yLabel} by learning rate`;
  const all = curves.flatMap((c) => c.points);
  if (all.length === 0) return emptyChart("sensitivity", label, o);
  for (const c of curves) {
    label += `; ${c.series}: best rate ${
      c.bestLr === null ? "none" : powerOfTen(c.bestLr)
    }`;
    if (isNumber(c.sensitivity)) label += `, ${sensitivityText(c.sensitivity)}`;
  }
  const done = all.filter(isDone);
  const yDomain = domainWith(
    valueDomain(
      done.flatMap((p) => [p.value, p.low ?? p.value, p.high ?? p.value]),
      true,
    ),
    noise,
    true,
  );
  const rates = all.map((p) => p.lr);
  const xDomain: [number, number] = [
    Math.min(...rates) / 1.6,
    Math.max(...rates) * 1.6,
  ];

  const hasWidths = curves.some((c) => c.width);
  const insetBottom = 14 + (hasWidths ? curves.length * BAR_GAP + 8 : 0);
  const labelX = 10 + (noise ? NOISE_WIDTH : 0);
  const nameOf = (c: SensitivityCurve) =>
    c.bestLr === null ? `${c.series} (failed)` : c.series;
  const marginRight = labelX + 24 + Math.ceil(Math.max(
    ...curves.map((c) => textWidth(nameOf(c))),
    ...curves.map((c) =>
      isNumber(c.sensitivity)
        ? textWidth(sensitivityText(c.sensitivity), FONT_SIZE - 1)
        : 0
    ),
  ));
  const ring: LegendItem = {
    mark: `<circle cx="13" cy="6" r="5.5" fill="none" stroke="currentColor" ` +
      `stroke-width="1.5"/><circle cx="13" cy="6" r="2.5" ` +
      `fill="currentColor"/>`,
    label: "best rate",
  };
  const bar: LegendItem = {
    mark: `<path d="M0,6H26" stroke="currentColor" stroke-width="5" ` +
      `stroke-opacity="0.6"/>`,
    label: `rates within ${o.tolerance ?? "the tolerance"} of the best`,
  };
  const cross: LegendItem = {
    mark: `<path d="M9,2L17,10M17,2L9,10" stroke="currentColor" ` +
      `stroke-width="2"/>`,
    label: "failed",
  };
  let top = head({
    title: o.title,
    width,
    yLabel,
    legend: [[
      ring,
      ...(hasWidths ? [bar] : []),
      ...(done.length < all.length ? [cross] : []),
    ]],
  });
  if (noise !== undefined) {
    const text = noiseText(noise, true);
    top = withNoise(top, text, { width, marginRight, yLabel });
    label += `; ${text}`;
  }
  const marginTop = top.height + 10, marginBottom = 46;

  // Names beside the last point that did not fail, moved apart.
  const bottom = height - marginBottom - insetBottom;
  const yPixel = (v: number) =>
    bottom -
    (v - yDomain[0]) / (yDomain[1] - yDomain[0]) * (bottom - marginTop);
  const ends = curves.map((curve, i) => {
    const own = curve.points.filter(isDone).sort((a, b) => a.lr - b.lr);
    return { curve, i, y: yPixel(own.at(-1)?.value ?? yDomain[0]) };
  }).sort((a, b) => a.y - b.y);
  const gap = curves.some((c) => isNumber(c.sensitivity)) ? 30 : 16;
  const placed = spread(ends.map((e) => e.y), gap, marginTop + 8, bottom + 8);

  const marksOf = (curve: SensitivityCurve, i: number) => {
    const color = PALETTE[i % PALETTE.length];
    const symbol = SYMBOLS[i % SYMBOLS.length];
    // Series stand a little apart so that their intervals do not cover.
    const dx = (i - (curves.length - 1) / 2) * 4;
    const points = [...curve.points].sort((a, b) => a.lr - b.lr);
    const own = points.filter(isDone);
    const at = { x: "lr", y: "value", dx };
    const barY = insetBottom - 8 - (curves.length - 1 - i) * BAR_GAP;
    return [
      Plot.ruleX(own.filter((p) => isNumber(p.low) && isNumber(p.high)), {
        x: "lr",
        y1: "low",
        y2: "high",
        dx,
        stroke: color,
        strokeWidth: 1.5,
        strokeOpacity: 0.7,
      }),
      Plot.line(points.map((p) => ({ lr: p.lr, value: p.value ?? NaN })), {
        ...at,
        stroke: color,
        strokeWidth: 2,
      }),
      Plot.dot(own, {
        ...at,
        symbol,
        r: 4,
        fill: color,
        title: (p: Done) =>
          `${curve.series}, LR ${p.lr.toExponential()}\n${percent(p.value)}`,
        className: "ferlab-points",
      }),
      Plot.dot(points.filter((p) => !isDone(p)), {
        x: "lr",
        y: () => yDomain[0],
        dx: dx * 2.4,
        dy: 4,
        symbol: "times",
        r: 4.5,
        stroke: color,
        strokeWidth: 2,
        title: (p: Point) =>
          `${curve.series}, LR ${p.lr.toExponential()}\nfailed`,
        className: "ferlab-failed",
      }),
      Plot.dot(own.filter((p) => p.lr === curve.bestLr), {
        ...at,
        r: 8,
        stroke: "currentColor",
        strokeWidth: 1.75,
        className: "ferlab-best",
      }),
      curve.width
        ? Plot.ruleY([curve.width], {
          // A width of one rate is a short bar.
          x1: (w: { low: number; high: number }) => w.low / 1.25,
          x2: (w: { low: number; high: number }) => w.high * 1.25,
          y: () => yDomain[0],
          dy: barY,
          stroke: color,
          strokeWidth: 5,
          strokeOpacity: 0.75,
          title: (w: { low: number; high: number }) =>
            `${curve.series}: ${powerOfTen(w.low)} to ${powerOfTen(w.high)}`,
          className: "ferlab-width",
        })
        : null,
      curve.width && curve.bestLr !== null
        ? Plot.dot([curve.bestLr], {
          x: (lr: number) => lr,
          y: () => yDomain[0],
          dy: barY,
          symbol,
          r: 4,
          fill: color,
          stroke: "currentColor",
          strokeWidth: 1,
        })
        : null,
    ];
  };

  const labels = ends.flatMap(({ curve, i }, k) => {
    const color = PALETTE[i % PALETTE.length];
    const at = {
      x: () => xDomain[1],
      y: () => yDomain[0],
      dy: placed[k] - yPixel(yDomain[0]),
    };
    const words = { ...at, textAnchor: "start", dx: labelX + 16 } as const;
    return [
      Plot.dot([curve], {
        ...at,
        symbol: SYMBOLS[i % SYMBOLS.length],
        r: 4,
        fill: color,
        dx: labelX + 5,
      }),
      Plot.text([curve], { ...words, text: nameOf }),
      Plot.text([curve].filter((c) => isNumber(c.sensitivity)), {
        ...words,
        dy: at.dy + 13,
        text: (c: SensitivityCurve) => sensitivityText(c.sensitivity!),
        fontSize: FONT_SIZE - 1,
        fillOpacity: 0.75,
      }),
    ];
  });

  const element = Plot.plot({
    document,
    className: contentClass("sensitivity", curves, o),
    width,
    height,
    marginTop,
    marginLeft: 56,
    marginRight,
    marginBottom,
    x: { type: "log", domain: xDomain },
    y: { domain: yDomain, insetBottom },
    marks: [
      Plot.gridY({ ...GRID, ticks: 6 }),
      Plot.gridX(logTicks(xDomain), GRID),
      Plot.frame({ anchor: "bottom", strokeOpacity: 0.5 }),
      Plot.axisY({
        tickFormat: percentTick,
        ticks: 6,
        tickSize: 0,
        label: null,
      }),
      Plot.axisX(logTicks(xDomain), {
        tickFormat: powerOfTen,
        label: "learning rate",
        labelArrow: "none",
        labelAnchor: "center",
        labelOffset: 38,
      }),
      ...curves.flatMap(marksOf),
      ...labels,
      ...noiseMarks(noise, { x: xDomain[1], top: yDomain[1], isShare: true }),
    ],
  });
  return finish(element, label, top);
}

function sensitivityText(share: number): string {
  return `sensitivity ${(100 * share).toFixed(1)} points`;
}
