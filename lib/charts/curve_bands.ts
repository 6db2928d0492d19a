/** Learning curves of repeated settings: the mean and the repeats' range. */
import * as Plot from "@observablehq/plot";
import { epochTicks, spread, valueDomain } from "./axes.ts";
import {
  domainWith,
  type Noise,
  NOISE_WIDTH,
  noiseMarks,
  noiseText,
  withNoise,
} from "./noise_floor.ts";
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
  PALETTE,
  percent,
  SYMBOLS,
  textWidth,
} from "./old.ts";

/** One epoch of one repeat; NaN where it was not finite. */
export interface CurveBandRow {
  series: string;
  repeat: number;
  epoch: number;
  value: number;
}

/** What repeats agree on at one epoch; NaN, a gap, where none is finite. */
interface Point {
  series: string;
  epoch: number;
  mean: number;
  low: number;
  high: number;
  count: number;
}

function pointsOf(rows: readonly CurveBandRow[], series: string): Point[] {
  const own = rows.filter((r) => r.series === series);
  const byEpoch = Map.groupBy(own, (r) => r.epoch);
  return [...byEpoch].sort(([a], [b]) => a - b).map(([epoch, at]) => {
    const values = at.map((r) => r.value).filter(Number.isFinite);
    const count = values.length;
    return {
      series,
      epoch,
      count,
      mean: count > 0 ? values.reduce((a, b) => a + b) / count : NaN,
      low: count > 0 ? Math.min(...values) : NaN,
      high: count > 0 ? Math.max(...values) : NaN,
    };
  });
}

/** Series of one colour are told apart by their dashes. */
const DASHES = ["none", "6 3", "2 3"];
/** About how many markers a line bears. */
const MARKERS = 8;

/**
 * Draws each series' mean over its repeats, with a band from the lowest to the
 * highest repeat and the name at the line's end. Mean and band are of the
 * repeats that are finite at an epoch, with a gap where none is. Values are
 * shown as percentages when `yLabel` speaks of accuracy, else as they are. The
 * noise is drawn as a scale bar at the right edge; null says that it is unknown.
 */
export function curveBandsChart(
  rows: readonly CurveBandRow[],
  o: ChartOptions & { yLabel?: string; noise?: Noise | null } = {},
): Chart {
  const { noise, yLabel = "accuracy", width = 720, height = 380 } = o;
  let label = `${o.title ?? yLabel} by epoch`;
  if (rows.length === 0) return emptyChart("bands", label, o);
  const isShare = /accuracy/i.test(yLabel);
  const names = [...new Set(rows.map((r) => r.series))];
  const repeats = names.map((name) =>
    new Set(rows.filter((r) => r.series === name).map((r) => r.repeat)).size
  );
  const fewest = Math.min(...repeats), most = Math.max(...repeats);
  const many = fewest === most ? `${most}` : `${fewest} to ${most}`;
  const series = names.map((name, i) => ({
    name,
    points: pointsOf(rows, name),
    color: PALETTE[i % PALETTE.length],
    symbol: SYMBOLS[i % SYMBOLS.length],
    dash: DASHES[Math.floor(i / PALETTE.length) % DASHES.length],
  }));

  // End labels start right of the bar.
  const labelX = 8 + (noise ? NOISE_WIDTH : 0);
  const marginRight = labelX + 30 +
    Math.ceil(Math.max(...names.map((name) => textWidth(name))));
  let top = head({
    title: o.title,
    width,
    yLabel,
    legend: most === 1 ? [] : [[{
      mark: `<path d="M0,0H26V12H0Z" fill-opacity="0.2"/>` +
        `<path d="M0,6H26" stroke="currentColor" stroke-width="2"/>`,
      label: `mean, and lowest to highest of ${many} repeats`,
    }]],
  });
  if (noise !== undefined) {
    const text = noiseText(noise, isShare);
    top = withNoise(top, text, { width, marginRight, yLabel });
    label += `; ${text}`;
  }
  const marginTop = top.height + 10, marginBottom = 44;
  const finite = rows.map((r) => r.value).filter(Number.isFinite);
  const domain = domainWith(valueDomain(finite, isShare), noise, isShare);
  const epochs = rows.map((r) => r.epoch);
  const first = Math.min(...epochs), last = Math.max(...epochs);
  const xDomain = first === last ? [first - 1, last + 1] : [first, last];
  const every = Math.max(1, Math.round((last - first) / MARKERS));
  const format = (v: number) => isShare ? percent(v) : v.toPrecision(4);

  const yPixel = (v: number) =>
    height - marginBottom -
    (v - domain[0]) / (domain[1] - domain[0]) *
      (height - marginBottom - marginTop);
  const ends = series.flatMap((s) => {
    const end = s.points.findLast((p) => p.count > 0);
    return end === undefined ? [] : [{ ...s, end }];
  }).sort((a, b) => b.end.mean - a.end.mean);
  const placed = spread(
    ends.map((s) => yPixel(s.end.mean)),
    FONT_SIZE + 3,
    marginTop + 4,
    height - marginBottom - 4,
  );

  const element = Plot.plot({
    document,
    className: contentClass("bands", rows, o),
    width,
    height,
    marginTop,
    marginBottom,
    marginLeft: 60,
    marginRight,
    x: { type: "linear", domain: xDomain },
    y: { domain },
    marks: [
      Plot.gridY({ ...GRID, ticks: 6 }),
      Plot.ruleY([domain[0]], { strokeOpacity: 0.4 }),
      Plot.axisY({
        label: null,
        ticks: 6,
        tickSize: 0,
        tickFormat: isShare
          ? (v: number) => `${Number((100 * v).toFixed(1))} %`
          : undefined,
      }),
      Plot.axisX(epochTicks(first, last, 10), {
        label: "epoch",
        labelArrow: "none",
        labelAnchor: "center",
        labelOffset: 36,
        tickFormat: "d",
      }),
      ...series.map(({ points, color }) =>
        Plot.areaY(points, {
          x: "epoch",
          y1: "low",
          y2: "high",
          fill: color,
          fillOpacity: 0.2,
          className: "ferlab-bands",
        })
      ),
      ...series.flatMap(({ points, color, symbol, dash }, i) => {
        const done = points.filter((p) => p.count > 0);
        // Markers of two series stand on different epochs where they can.
        const marked = done.filter((p) => (p.epoch - first + i) % every === 0);
        return [
          Plot.line(points, {
            x: "epoch",
            y: "mean",
            stroke: color,
            strokeWidth: 2,
            strokeDasharray: dash,
            className: "ferlab-means",
          }),
          Plot.dot(done, {
            x: "epoch",
            y: "mean",
            r: 1.5,
            fill: color,
            title: (p: Point) =>
              `${p.series}, epoch ${p.epoch}\nmean ${format(p.mean)} of ${
                p.count === 1 ? "1 repeat" : `${p.count} repeats`
              }, ${format(p.low)} to ${format(p.high)}`,
            className: "ferlab-values",
          }),
          Plot.dot(marked.length > 0 ? marked : done, {
            x: "epoch",
            y: "mean",
            symbol,
            r: 3.5,
            fill: color,
            pointerEvents: "none",
          }),
        ];
      }),
      ...ends.flatMap((s, i) => {
        const at = {
          x: () => xDomain[1],
          y: (e: typeof s) => e.end.mean,
          dy: placed[i] - yPixel(s.end.mean),
        };
        return [
          Plot.dot([s], {
            ...at,
            symbol: s.symbol,
            r: 4,
            fill: s.color,
            dx: labelX + 5,
          }),
          Plot.text([s], {
            ...at,
            text: "name",
            textAnchor: "start",
            dx: labelX + 18,
          }),
        ];
      }),
      ...noiseMarks(noise, { x: xDomain[1], top: domain[1], isShare }),
    ],
  });
  const what = `mean and range of ${many} repeats`;
  return finish(element, `${label}, ${what}: ${names.join(", ")}`, top);
}
