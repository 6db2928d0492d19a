/** Two variants on the same blocks: slopes, and the differences in points. */
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
  textWidth,
} from "./old.ts";
import { domainWith, type Noise, noiseText } from "./noise_floor.ts";
import { valueDomain } from "./axes.ts";
import { isNumber, percentTick, roundTicks } from "./old.ts";

/** A block, such as a seed, on which both variants ran; shares from 0 to 1. */
export interface Pair {
  block: string;
  a: number;
  b: number;
  /** Default: ours. */
  whose?: "published" | "ours";
}

/** A mean difference and its 95 % t interval, shares. */
export interface PairedMean {
  estimate: number;
  low: number;
  high: number;
}

type Whose = "published" | "ours";

const COLORS = { ours: PALETTE[0], published: PALETTE[1] };
const SYMBOLS = { ours: "circle", published: "square" } as const;
const ROW = 18;

/** A difference of shares in points: 0.0076 → "+0.76". */
function points(difference: number): string {
  const text = Math.abs(100 * difference).toFixed(2);
  return (text === "0.00" ? "" : difference < 0 ? "−" : "+") + text;
}

function legendOf(whose: Whose[]): LegendItem[][] {
  if (whose.length < 2) return [];
  return [whose.map((w) => ({
    mark: w === "ours"
      ? `<path d="M0,6H26" stroke="${COLORS.ours}" stroke-width="1.5"/>` +
        `<circle cx="13" cy="6" r="4" fill="${COLORS.ours}"/>`
      : `<path d="M0,6H9M17,6H26" stroke="${COLORS.published}" ` +
        `stroke-width="1.5" stroke-dasharray="4 3"/><rect x="9.5" y="2.5" ` +
        `width="7" height="7" fill="none" stroke="${COLORS.published}" ` +
        `stroke-width="1.5"/>`,
    label: w,
  }))];
}

/**
 * Draws both accuracies of each block, joined by a line, and beside them the
 * differences b - a in points, with the means given and their 95 % t intervals.
 * A pair without both numbers is a cross. The noise is a scale bar on the left
 * panel; null says that it is unknown.
 */
export function pairedChart(
  pairs: readonly Pair[],
  o: ChartOptions & {
    aLabel: string;
    bLabel: string;
    mean?: Partial<Record<Whose, PairedMean>>;
    noise?: Noise | null;
  },
): Chart {
  const { aLabel, bLabel, mean = {}, noise, width = 720 } = o;
  let label = `${o.title ?? "Paired accuracies"}: ${aLabel} and ${bLabel} on ` +
    `${pairs.length} blocks`;
  if (pairs.length === 0) return emptyChart("paired", label, o);
  const whoseOf = (p: Pair) => p.whose ?? "ours";
  const whose = (["published", "ours"] as const)
    .filter((w) => pairs.some((p) => whoseOf(p) === w));
  const isDone = (p: Pair) => isNumber(p.a) && isNumber(p.b);
  const done = pairs.filter(isDone);
  const means = whose.flatMap((w) => mean[w] ? [{ whose: w, ...mean[w] }] : []);
  for (const m of means) {
    label +=
      `; mean difference, ${m.whose}: ${points(m.estimate)} points (95 %` +
      ` t interval ${points(m.low)} to ${points(m.high)})`;
  }
  const legend = legendOf(whose);
  if (noise !== undefined) {
    const text = noiseText(noise, true);
    label += `; ${text}`;
    legend.push([{
      mark: noise
        ? `<path d="M13,0V12M9,0H17M9,12H17" stroke="currentColor"/>`
        : "",
      label: text,
    }]);
  }
  const top = head({ title: o.title, width, legend });
  const rowCount = pairs.length + (means.length > 0 ? means.length + 0.5 : 0);
  const marginTop = top.height + 42, marginBottom = 46;
  const height = o.height ??
    marginTop + marginBottom + Math.max(220, rowCount * ROW);
  const bottom = height - marginBottom;

  // The left panel: accuracies, a line a block.
  const yDomain = domainWith(
    valueDomain(done.flatMap((p) => [p.a, p.b]), true),
    noise,
    true,
  );
  const y = (share: number) =>
    bottom -
    (share - yDomain[0]) / (yDomain[1] - yDomain[0]) * (bottom - marginTop);
  const nameWidth = Math.max(textWidth(aLabel), textWidth(bLabel));
  const panel = Math.round(width * 0.4);
  const aX = Math.min(56 + Math.max(24, nameWidth / 2), 56 + panel * 0.3);
  const bX = Math.max(
    panel - Math.max(24, nameWidth / 2),
    aX + Math.min(nameWidth + 12, panel * 0.5),
  );
  const shares = roundTicks(...yDomain, 6);

  // The right panel: differences, a row a block and then a row a mean.
  const rows = [
    ...pairs.map((p, i) => ({
      y: marginTop + (i + 0.5) * (bottom - marginTop) / rowCount,
      name: p.block,
      whose: whoseOf(p),
      value: isDone(p) ? p.b - p.a : NaN,
      low: NaN,
      high: NaN,
      isMean: false,
    })),
    ...means.map((m, i) => ({
      y: marginTop +
        (pairs.length + i + 1) * (bottom - marginTop) / rowCount,
      name: whose.length > 1 ? `mean, ${m.whose}` : "mean",
      whose: m.whose,
      value: m.estimate,
      low: m.low,
      high: m.high,
      isMean: true,
    })),
  ];
  type Row = typeof rows[number];
  const textOf = (r: Row) =>
    !isNumber(r.value) ? "failed" : points(r.value) +
      (r.isMean ? ` [${points(r.low)}, ${points(r.high)}]` : "");
  const fontSize = FONT_SIZE - 1;
  const widest = (texts: string[]) =>
    Math.ceil(Math.max(...texts.map((t) => textWidth(t, fontSize + 0.5))));
  const left = panel + 44 + widest(rows.map((r) => r.name)) + 8;
  const right = width - widest(rows.map(textOf)) - 18;
  const all = [0, ...rows.flatMap((r) => [r.value, r.low, r.high])]
    .filter(isNumber);
  const pad = 0.05 * (Math.max(...all) - Math.min(...all)) || 0.005;
  const [low, high] = [Math.min(...all) - pad, Math.max(...all) + pad];
  const x = (difference: number) =>
    left + (difference - low) / (high - low) * (right - left);
  const ticks = roundTicks(
    100 * low,
    100 * high,
    Math.max(3, (right - left) / 34),
  );

  const marksOf = (w: Whose) => {
    const own = done.filter((p) => whoseOf(p) === w);
    const ends = own.flatMap((p) => [
      { x: aX, y: y(p.a), name: `${p.block}, ${aLabel}: ${percent(p.a)}` },
      { x: bX, y: y(p.b), name: `${p.block}, ${bLabel}: ${percent(p.b)}` },
    ]);
    const color = COLORS[w];
    const paint = w === "ours" ? { fill: color } : { stroke: color };
    const ownRows = rows.filter((r) => r.whose === w && isNumber(r.value));
    return [
      Plot.link(own, {
        x1: () => aX,
        x2: () => bX,
        y1: (p: Pair) => y(p.a),
        y2: (p: Pair) => y(p.b),
        stroke: color,
        strokeWidth: 1.5,
        strokeOpacity: 0.75,
        strokeDasharray: w === "ours" ? "none" : "5 4",
        className: "ferlab-slopes",
      }),
      Plot.dot(ends, {
        x: "x",
        y: "y",
        r: 4,
        symbol: SYMBOLS[w],
        title: "name",
        ...paint,
      }),
      // Intervals leave the marker free, so that a hollow one is hollow.
      Plot.link(
        ownRows.filter((r) => r.isMean).flatMap((r) => {
          const middle = x(r.value);
          return [
            { x1: Math.min(x(r.low), middle - 7), x2: middle - 7, y: r.y },
            { x1: middle + 7, x2: Math.max(x(r.high), middle + 7), y: r.y },
          ];
        }),
        {
          x1: "x1",
          x2: "x2",
          y: "y",
          stroke: color,
          strokeWidth: 2.5,
          className: "ferlab-mean",
        },
      ),
      Plot.dot(ownRows, {
        x: (r: Row) => x(r.value),
        y: "y",
        r: (r: Row) => r.isMean ? 6 : 4,
        symbol: SYMBOLS[w],
        title: (r: Row) => `${r.name}: ${points(r.value)} points`,
        className: "ferlab-differences",
        ...paint,
      }),
    ];
  };

  const element = Plot.plot({
    document,
    className: contentClass("paired", pairs, o),
    width,
    height,
    margin: 0,
    axis: null,
    x: { type: "identity" },
    y: { type: "identity" },
    r: { type: "identity" },
    marks: [
      Plot.ruleY(shares, { ...GRID, x1: 56, x2: panel, y }),
      Plot.text(shares, {
        x: () => 48,
        y,
        text: percentTick,
        textAnchor: "end",
      }),
      Plot.ruleX([aX, bX], { y1: marginTop, y2: bottom, strokeOpacity: 0.5 }),
      Plot.text([[aX, aLabel], [bX, bLabel]], {
        x: "0",
        y: () => bottom + 18,
        text: "1",
        lineWidth: (bX - aX - 4) / FONT_SIZE,
        lineAnchor: "top",
        dy: -6,
        fontWeight: 600,
      }),
      Plot.text([[8, "accuracy"], [
        panel + 44,
        `${bLabel} − ${aLabel}, points`,
      ]], {
        x: "0",
        y: () => marginTop - 22,
        text: "1",
        textAnchor: "start",
        fillOpacity: 0.75,
      }),
      ...(noise
        ? [
          Plot.link([0], {
            x: () => panel + 10,
            y1: () => y(yDomain[1]),
            y2: () => y(yDomain[1] - 2 * noise.sd),
            strokeWidth: 1.5,
            className: "ferlab-noise",
          }),
          Plot.link([yDomain[1], yDomain[1] - 2 * noise.sd], {
            x1: () => panel + 6,
            x2: () => panel + 14,
            y,
            strokeWidth: 1.5,
          }),
        ]
        : []),
      Plot.ruleX(ticks, {
        ...GRID,
        x: (t: number) => x(t / 100),
        y1: marginTop,
        y2: bottom,
      }),
      Plot.ruleX([x(0)], {
        y1: marginTop - 6,
        y2: bottom,
        strokeOpacity: 0.7,
      }),
      Plot.text(ticks, {
        x: (t: number) => x(t / 100),
        y: () => bottom + 18,
        text: (t: number) => t < 0 ? `−${-t}` : t > 0 ? `+${t}` : "0",
      }),
      ...[false, true].flatMap((isMean) => {
        const own = rows.filter((r) => r.isMean === isMean);
        const style = { y: "y", fontSize, fontWeight: isMean ? 700 : 400 };
        return [
          Plot.text(own, {
            ...style,
            x: () => left - 10,
            text: "name",
            textAnchor: "end",
          }),
          Plot.text(own, {
            ...style,
            x: () => right + 8,
            text: textOf,
            textAnchor: "start",
          }),
        ];
      }),
      Plot.dot(rows.filter((r) => !isNumber(r.value)), {
        x: () => x(0),
        y: "y",
        symbol: "times",
        r: 4,
        stroke: "currentColor",
        className: "ferlab-failed",
      }),
      ...whose.flatMap(marksOf),
    ],
  });
  return finish(element, label, top);
}
