/** Adam's √v̂ over all parameters, and where each eps lies in it. */
import * as Plot from "@observablehq/plot";
import {
  type Chart,
  type ChartOptions,
  contentClass,
  document,
  emptyChart,
  finish,
  GRID,
  head,
  PALETTE,
  percent,
  powerOfTen,
  textWidth,
} from "./theme.ts";

/** A histogram of √v̂, as a training's diagnostics give it. */
export interface MomentCounts {
  /**
   * log10 of the bins' edges. What lies outside counts in the outer bins:
   * zeros in the first.
   */
  edges: readonly number[];
  counts: readonly number[];
}

/** Height in pixels of a row of eps labels. */
const ROW = 17;

/**
 * The share of parameters below `eps`, taken as even within a bin; null where
 * `eps` lies in an outer bin that holds some, which does not tell.
 */
function shareBelow({ edges, counts }: MomentCounts, eps: number) {
  const at = Math.log10(eps);
  const last = counts.length - 1;
  if (at < edges[1] && counts[0] > 0) return null;
  if (at > edges[last] && counts[last] > 0) return null;
  const total = counts.reduce((a, b) => a + b, 0);
  const below = counts.reduce((sum, count, i) => {
    const part = (at - edges[i]) / (edges[i + 1] - edges[i]);
    return sum + count * Math.min(1, Math.max(0, part));
  }, 0);
  return below / total;
}

/** 0.0004 → "0.04 %", so that a small share is not shown as none. */
function fine(share: number): string {
  if (share === 0 || share >= 0.001) return percent(share);
  return share < 1e-6
    ? "under 0.0001 %"
    : `${Number((100 * share).toPrecision(1))} %`;
}

/**
 * Labels in rows, the row of each: no label over another, and none crossed by
 * the line of a later one, which rises to its own label.
 */
function rowsOf(spans: readonly [number, number][]): number[] {
  const ends: number[] = [];
  return spans.map(([left, right]) => {
    const row = ends.findLastIndex((end) => end + 10 >= left) + 1;
    ends[row] = right;
    return row;
  });
}

/**
 * Draws the histogram of √v̂ (log axis; Kingma and Ba 2015, algorithm 1) with a
 * line at each `eps` (above 0) and the share of parameters below it: there eps,
 * not the gradient's size, decides the step. Outer bins are hatched if they hold
 * a parameter, as they also hold all that lies beyond.
 */
export function secondMomentsChart(
  moments: MomentCounts,
  o: ChartOptions & { eps: readonly number[] },
): Chart {
  const { width = 720 } = o;
  const { edges, counts } = moments;
  const label = o.title ?? "Second moments of Adam";
  const total = counts.reduce((a, b) => a + b, 0);
  if (!(total > 0)) return emptyChart("moments", label, o);
  const bins = counts.map((count, i) => ({
    low: edges[i],
    high: edges[i + 1],
    count,
    share: count / total,
    isOuter: i === 0 || i === counts.length - 1,
  })).filter((b) => b.count > 0);
  type Bin = typeof bins[number];
  const eps = [...new Set(o.eps)].filter((e) => e > 0 && Number.isFinite(e))
    .sort((a, b) => a - b);

  const known = [
    ...bins.flatMap((b) => [b.low, b.high]),
    ...eps.map((e) => Math.log10(e)),
  ];
  const domain = [
    Math.floor(Math.min(...known) - 0.2),
    Math.ceil(Math.max(...known) + 0.2),
  ];
  const decades = Array.from(
    { length: domain[1] - domain[0] + 1 },
    (_, i) => domain[0] + i,
  );
  const marginLeft = 56, marginRight = 20;
  const inner = width - marginLeft - marginRight;
  const pixelOf = (log10: number) =>
    marginLeft + inner * (log10 - domain[0]) / (domain[1] - domain[0]);
  const every = Math.ceil(decades.length * 40 / inner);

  const lines = eps.map((e) => {
    const share = shareBelow(moments, e);
    const text = `eps ${powerOfTen(e)}: ${
      share === null ? "share unknown" : `${fine(share)} below`
    }`;
    const x = pixelOf(Math.log10(e)), size = textWidth(text);
    const isLeft = x + 6 + size > width - 4;
    const span: [number, number] = isLeft
      ? [x - 6 - size, x]
      : [x, x + 6 + size];
    return { at: Math.log10(e), text, isLeft, span };
  });
  const rows = rowsOf(lines.map((l) => l.span));
  const depth = Math.max(0, ...rows.map((r) => r + 1)) * ROW;

  const hatch = contentClass("hatch", moments, o);
  const pattern = `<pattern id="${hatch}" width="5" height="5" ` +
    `patternUnits="userSpaceOnUse" patternTransform="rotate(45)">` +
    `<path d="M1,0V5" stroke="${PALETTE[0]}" stroke-width="2"/></pattern>`;
  const top = head({
    title: o.title,
    width,
    yLabel: "share of the parameters in a bin",
    legend: bins.some((b) => b.isOuter)
      ? [[{
        mark: `<rect x="1" y="0.5" width="24" height="11" ` +
          `fill="url(#${hatch})" stroke="${PALETTE[0]}"/>`,
        label: "outer bin: with all beyond it, zeros in the lowest",
      }]]
      : [],
  });
  top.markup += `<defs>${pattern}</defs>`;
  const marginTop = top.height + 8 + depth, marginBottom = 46;
  const height = o.height ?? marginTop + marginBottom + 250;

  const element = Plot.plot({
    document,
    className: contentClass("moments", moments, o),
    width,
    height,
    marginTop,
    marginLeft,
    marginRight,
    marginBottom,
    x: { domain },
    y: { domain: [0, 1.05 * Math.max(...bins.map((b) => b.share))] },
    marks: [
      Plot.gridY({ ...GRID, ticks: 5 }),
      Plot.axisY({
        label: null,
        ticks: 5,
        tickSize: 0,
        tickFormat: (v: number) => `${Number((100 * v).toFixed(2))} %`,
      }),
      Plot.axisX(decades.filter((_, i) => i % every === 0), {
        tickFormat: (d: number) => d === 0 ? "1" : powerOfTen(10 ** d),
        label: "√v̂ (root of the corrected second moment)",
        labelArrow: "none",
        labelAnchor: "center",
        labelOffset: 38,
      }),
      Plot.rect(bins, {
        x1: "low",
        x2: "high",
        y1: () => 0,
        y2: "share",
        insetLeft: 0.5,
        insetRight: 0.5,
        fill: (b: Bin) => b.isOuter ? `url(#${hatch})` : PALETTE[0],
        stroke: (b: Bin) => b.isOuter ? PALETTE[0] : "none",
        title: (b: Bin) =>
          `${powerOfTen(Number((10 ** b.low).toPrecision(2)))} to ${
            powerOfTen(Number((10 ** b.high).toPrecision(2)))
          }\n${b.count} parameters, ${fine(b.share)}`,
        className: "ferlab-bins",
      }),
      Plot.ruleY([0], { strokeOpacity: 0.5 }),
      ...lines.flatMap((line, i) => {
        const insetTop = -depth + rows[i] * ROW;
        const at = { x: "at", frameAnchor: "top" } as const;
        return [
          Plot.ruleX([line], {
            x: "at",
            insetTop,
            stroke: "currentColor",
            strokeWidth: 1.5,
            strokeDasharray: "5 3",
            className: "ferlab-eps",
          }),
          Plot.text([line], {
            ...at,
            text: "text",
            textAnchor: line.isLeft ? "end" : "start",
            lineAnchor: "top",
            dx: line.isLeft ? -6 : 6,
            dy: insetTop,
          }),
        ];
      }),
    ],
  });
  return finish(
    element,
    [`${label}, histogram of √v̂ on a log axis`, ...lines.map((l) => l.text)]
      .join("; "),
    top,
  );
}
