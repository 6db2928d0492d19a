/** A value over two parameters: a cell a setting, the best one outlined. */
import * as Plot from "@observablehq/plot";
import {
  type Chart,
  type ChartOptions,
  contentClass,
  document,
  emptyChart,
  finish,
  FONT_SIZE,
  type Head,
  head,
  type LegendItem,
  percent,
  textWidth,
  wrapWords,
} from "./old.ts";
import { type Noise, noiseText } from "./noise_floor.ts";
import {
  firstHighest,
  isNumber,
  levels,
  percentTick,
  sequential,
  textOn,
  valueFormat,
} from "./old.ts";

/** A setting: its value is a share, null (or NaN) where it failed. */
export interface HeatMapCell {
  x: number | string;
  y: number | string;
  value: number | null;
  /** How many runs the value is the mean of. */
  n?: number;
}

type Done = HeatMapCell & { value: number };

const EDGE = "#D55E00";
const SCALE_WIDTH = 144, SCALE_STEPS = 24;

/** The colour scale with its ends, and the noise as a bar on it. */
function scaleLegend(
  [low, high]: [number, number],
  name: string,
  noise: Noise | null | undefined,
  top: Head,
): Head {
  const y = top.height + 4;
  const text = (x: number, words: string, anchor = "start") =>
    `<text x="${x}" y="${y + 10}" text-anchor="${anchor}">${words}</text>`;
  const from = 8 + Math.ceil(textWidth(percentTick(low))) + 12;
  const step = SCALE_WIDTH / SCALE_STEPS;
  const rects = Array.from(
    { length: SCALE_STEPS },
    (_, i) =>
      `<rect x="${from + i * step}" y="${y}" width="${step + 0.5}" ` +
      `height="12" fill="${sequential((i + 0.5) / SCALE_STEPS)}"/>`,
  ).join("");
  let markup = text(8, percentTick(low)) +
    `<g class="ferlab-scale">${rects}</g>` +
    text(from + SCALE_WIDTH + 6, percentTick(high));
  let height = 24;
  if (noise !== undefined) {
    let x = 8;
    const length = noise && high > low
      ? 2 * noise.sd / (high - low) * SCALE_WIDTH
      : 0;
    if (length > 0 && length <= SCALE_WIDTH) {
      markup += `<path class="ferlab-noise" d="M${from},${y + 19}v6m0,-3h${
        length.toFixed(1)
      }m0,-3v6" stroke="currentColor" stroke-width="1.5" fill="none"/>`;
      x = from + Math.ceil(length) + 8;
    }
    markup += `<text x="${x}" y="${y + 26}" text-anchor="start" ` +
      `fill-opacity="0.75">${noiseText(noise, true)}</text>`;
    height += 18;
  }
  return {
    markup: top.markup + `<g aria-label="scale of ${name}">${markup}</g>`,
    height: top.height + height,
  };
}

/**
 * Draws a share (0 to 1) for each pair of values; one cell a pair. Numbers are
 * put in order, words stay as they come. The best (highest) cell is outlined.
 * Where it lies at the end of an axis of at least three numbers, that edge is
 * marked and the head says so: the optimum may lie beyond. Failed settings are
 * crossed, untried ones blank. null noise says that it is unknown.
 */
export function heatMapChart(
  cells: readonly HeatMapCell[],
  o: ChartOptions & {
    xLabel: string;
    yLabel: string;
    xFormat?: (value: number | string) => string;
    yFormat?: (value: number | string) => string;
    valueLabel?: string;
    noise?: Noise | null;
  },
): Chart {
  const { noise } = o;
  const { valueLabel = "accuracy", width = 640 } = o;
  let label = `${o.title ?? valueLabel} by ${o.xLabel} and ${o.yLabel}`;
  if (cells.length === 0) return emptyChart("heat-map", label, o);
  const xs = levels(cells.map((c) => c.x));
  const ys = levels(cells.map((c) => c.y));
  const { xFormat = valueFormat(xs), yFormat = valueFormat(ys) } = o;
  const done = cells.filter((c): c is Done => isNumber(c.value));
  const failed = cells.filter((c) => !isNumber(c.value));
  const best = firstHighest(done, (c) => c.value);
  const values = done.map((c) => c.value);
  const low = Math.min(...values), high = Math.max(...values);
  const colorOf = (c: Done) =>
    sequential(high > low ? (c.value - low) / (high - low) : 0.5);

  const ends = (all: (number | string)[], value?: number | string) =>
    all.length < 3 || all.some((v) => typeof v === "string")
      ? { first: false, last: false }
      : { first: value === all[0], last: value === all.at(-1) };
  const xEnd = ends(xs, best?.x), yEnd = ends(ys, best?.y);
  const edges = ([
    ["left", xEnd.first],
    ["right", xEnd.last],
    ["bottom", yEnd.first],
    ["top", yEnd.last],
  ] as const).flatMap(([edge, isBest]) => isBest ? [edge] : []);
  const bounds = [
    ...(xEnd.first || xEnd.last ? [o.xLabel] : []),
    ...(yEnd.first || yEnd.last ? [o.yLabel] : []),
  ];

  const legend: LegendItem[][] = [];
  if (best) {
    const words = `best ${valueLabel}: ${percent(best.value)} at ${o.xLabel} ${
      xFormat(best.x)
    }, ${o.yLabel} ${yFormat(best.y)}`;
    label += `; ${words}`;
    legend.push([{
      mark: `<rect x="6" y="0" width="14" height="11" fill="none" ` +
        `stroke="currentColor" stroke-width="2.5"/>`,
      label: words,
    }]);
  }
  const remarks: LegendItem[] = [];
  if (bounds.length > 0) {
    const words = `best on the boundary of ${bounds.join(" and of ")}`;
    label += `; ${words}`;
    remarks.push({
      mark: `<path d="M2,6H24" stroke="${EDGE}" stroke-width="4"/>`,
      label: words,
    });
  }
  if (failed.length > 0) {
    remarks.push({
      mark: `<path d="M9,2L17,10M17,2L9,10" stroke="currentColor" ` +
        `stroke-width="1.5"/>`,
      label: "failed",
    });
  }
  legend.push(remarks);
  let top = head({ title: o.title, width, legend });
  if (best) top = scaleLegend([low, high], "colours", noise, top);

  const widestY = Math.max(...ys.map((v) => textWidth(yFormat(v))));
  const marginLeft = Math.ceil(widestY) + 44, marginRight = 16;
  const side = (width - marginLeft - marginRight) / xs.length;
  const lines = xs.map((v) => wrapWords(xFormat(v), side - 6, FONT_SIZE));
  const isTurned = lines.flat().some((line) => textWidth(line) > side - 4);
  const widestX = Math.max(...xs.map((v) => textWidth(xFormat(v))));
  const marginBottom = isTurned
    ? Math.ceil(widestX * 0.68) + 38
    : 36 + 14 * Math.max(...lines.map((l) => l.length));
  const marginTop = top.height + 12;
  const height = o.height ??
    marginTop + ys.length * Math.min(side, 44) + marginBottom;
  const rowHeight = (height - marginTop - marginBottom) / ys.length;
  const isRoomy = side >= textWidth("00.0 %") + 6;
  const fontSize = isRoomy ? FONT_SIZE : Math.max(8, Math.min(11, side / 2.6));
  const showsN = rowHeight >= 32 && side >= 40 &&
    cells.some((c) => c.n !== undefined);
  const name = (c: HeatMapCell) =>
    `${o.xLabel} ${xFormat(c.x)}, ${o.yLabel} ${yFormat(c.y)}`;

  const at = { x: "x", y: "y" };
  const quiet = { pointerEvents: "none" } as const;
  const element = Plot.plot({
    document,
    className: contentClass("heat-map", cells, o),
    width,
    height,
    marginTop,
    marginLeft,
    marginRight,
    marginBottom,
    color: { type: "identity" },
    x: { type: "band", domain: xs, padding: 0.04 },
    y: { type: "band", domain: [...ys].reverse(), padding: 0.04 },
    marks: [
      Plot.axisX({
        label: o.xLabel,
        labelArrow: "none",
        labelAnchor: "center",
        labelOffset: marginBottom - 10,
        tickFormat: (v: number | string) =>
          isTurned ? xFormat(v) : lines[xs.indexOf(v)].join("\n"),
        tickSize: 0,
        tickPadding: 8,
        tickRotate: isTurned ? -45 : 0,
      }),
      Plot.axisY({
        label: o.yLabel,
        labelArrow: "none",
        labelAnchor: "center",
        labelOffset: marginLeft - 10,
        tickFormat: yFormat,
        tickSize: 0,
        tickPadding: 8,
      }),
      Plot.cell(done, {
        ...at,
        fill: colorOf,
        stroke: "currentColor",
        strokeOpacity: 0.2,
        title: (c: Done) =>
          `${name(c)}\n${percent(c.value)}${
            c.n === undefined ? "" : ` (n = ${c.n})`
          }`,
        className: "ferlab-cells",
      }),
      Plot.cell(failed, {
        ...at,
        fill: "none",
        stroke: "currentColor",
        strokeOpacity: 0.35,
        strokeDasharray: "3 3",
        pointerEvents: "all",
        title: (c: HeatMapCell) => `${name(c)}\nfailed`,
      }),
      Plot.dot(failed, {
        ...at,
        ...quiet,
        symbol: "times",
        r: 6,
        stroke: "currentColor",
        strokeOpacity: 0.8,
        className: "ferlab-failed",
      }),
      ...[false, true].map((isBest) =>
        Plot.text(done.filter((c) => (c === best) === isBest), {
          ...at,
          ...quiet,
          text: (c: Done) =>
            isRoomy ? percent(c.value) : (100 * c.value).toFixed(1),
          fill: (c: Done) => textOn(colorOf(c)),
          fontWeight: isBest ? 700 : 400,
          fontSize,
          dy: showsN ? -6 : 0,
        })
      ),
      showsN
        ? Plot.text(done.filter((c) => c.n !== undefined), {
          ...at,
          ...quiet,
          text: (c: Done) => `n = ${c.n}`,
          fill: (c: Done) => textOn(colorOf(c)),
          fontSize: FONT_SIZE - 2,
          dy: 8,
        })
        : null,
      ...edges.map((anchor) =>
        Plot.frame({
          anchor,
          stroke: EDGE,
          strokeWidth: 4,
          inset: -2,
          className: "ferlab-boundary",
        })
      ),
      Plot.cell(best ? [best] : [], {
        ...at,
        ...quiet,
        fill: "none",
        stroke: "currentColor",
        strokeWidth: 3,
        className: "ferlab-best",
      }),
    ],
  });
  return finish(element, label, top);
}
