/** Throughput over batch size, and the batch size from which it is flat. */
import * as Plot from "@observablehq/plot";
import { spread, ticksTo } from "./axes.ts";
import { type Done, isDone, kneeOf, type ThroughputRow } from "./knee.ts";
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
  SYMBOLS,
  textWidth,
} from "./old.ts";

export { kneeOf, type ThroughputRow } from "./knee.ts";

/** Series whose best differ by more than this get a panel each. */
const MOST_RATIO = 20;
/** Height in pixels of a row of crosses under the zero line. */
const STRIP = 18;

/** 12345 → "12 345"; three digits below 100. */
function rate(value: number): string {
  if (value < 100) return String(Number(value.toPrecision(3)));
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

const wordOf = (row: ThroughputRow) =>
  /memory|\boom\b|exhausted/i.test(row.error ?? "")
    ? "out of memory"
    : "failed";

/** The sizes that have room for their label, the smallest first. */
function roomy(sizes: number[], pixelOf: (size: number) => number): number[] {
  let right = -Infinity;
  return sizes.filter((size) => {
    const half = textWidth(String(size)) / 2;
    if (pixelOf(size) - half < right + 4) return false;
    right = pixelOf(size) + half;
    return true;
  });
}

/**
 * Draws throughput (images a second, from 0) over batch size on a log2 axis,
 * one row a series and size. A ring marks each series' knee, the smallest size
 * with at least `kneeShare` of its best; sizes that failed are crosses under
 * the zero line. Series that differ by more than 20 times get a panel each.
 */
export function throughputKneeChart(
  rows: readonly ThroughputRow[],
  o: ChartOptions & { kneeShare?: number } = {},
): Chart {
  const { kneeShare = 0.95, width = 720 } = o;
  const label = o.title ?? "Throughput by batch size";
  if (rows.length === 0) return emptyChart("knee", label, o);
  const series = [...new Set(rows.map((r) => r.series))].map((name, i) => {
    const own = rows.filter((r) => r.series === name)
      .sort((a, b) => a.batchSize - b.batchSize);
    const done = own.filter(isDone);
    // One size alone has no knee.
    const knee = done.length > 1 ? kneeOf(own, kneeShare) : null;
    return {
      name,
      done,
      line: own.map((r) => ({ ...r, y: isDone(r) ? r.imagesPerSecond : NaN })),
      failed: own.filter((r) => !isDone(r) && r.error),
      best: Math.max(0, ...done.map((r) => r.imagesPerSecond)),
      top: Math.max(0, ...done.map((r) => r.high ?? r.imagesPerSecond)),
      knee,
      kneeRow: done.find((r) => r.batchSize === knee),
      says: knee === null
        ? done.length === 0 ? "nothing measured" : "one batch size"
        : knee === done.at(-1)!.batchSize
        ? `knee at ${knee}, the largest`
        : `knee at ${knee}`,
      color: PALETTE[i % PALETTE.length],
      symbol: SYMBOLS[i % SYMBOLS.length],
    };
  });
  type Series = typeof series[number];
  const bests = series.map((s) => s.best).filter((b) => b > 0);
  const isPanels = bests.length > 1 &&
    Math.max(...bests) > MOST_RATIO * Math.min(...bests);
  const panels: Series[][] = isPanels ? series.map((s) => [s]) : [series];

  const longest = Math.max(
    ...series.flatMap((s) => [textWidth(s.name), textWidth(s.says)]),
  );
  const marginRight = isPanels ? 20 : Math.ceil(longest) + 44;
  const marginLeft = 64, marginBottom = 46;
  const ring: LegendItem = {
    mark: `<circle cx="13" cy="6" r="6" fill="none" stroke="currentColor" ` +
      `stroke-width="1.5"/><circle cx="13" cy="6" r="2.5"/>`,
    label: `knee: smallest batch with ${
      Number((100 * kneeShare).toFixed(1))
    } % of the best`,
  };
  const bar: LegendItem = {
    mark: `<path d="M13,0V12" stroke="currentColor" stroke-width="1.5"/>`,
    label: "spread",
  };
  const hasSpread = rows.some((r) => r.low !== undefined);
  const top = head({
    title: o.title,
    width,
    yLabel: "images a second",
    legend: [[ring, ...(hasSpread ? [bar] : [])]],
  });
  const marginTop = top.height + (isPanels ? 24 : 10);
  const height = o.height ??
    marginTop + marginBottom + (isPanels ? 150 * panels.length : 300);
  // As Plot places bands: of n panels with padding p, steps of 1 / (n - p).
  const gap = isPanels ? 0.24 : 0;
  const panelHeight = (height - marginTop - marginBottom) * (1 - gap) /
    (panels.length - gap);

  // Every panel's y goes from 0 to 1, its highest value; a strip lies below.
  const strips = Math.max(
    ...panels.map((p) => p.filter((s) => s.failed.length > 0).length),
  );
  const below = strips * STRIP / Math.max(40, panelHeight - strips * STRIP);
  const tops = panels.map((p) => Math.max(...p.map((s) => s.top)) * 1.04 || 1);
  const sizes = [...new Set(rows.map((r) => r.batchSize))]
    .sort((a, b) => a - b);
  const xDomain = [sizes[0] / 1.3, sizes[sizes.length - 1] * 1.3];
  const pixelOf = (size: number) =>
    Math.log(size / xDomain[0]) / Math.log(xDomain[1] / xDomain[0]) *
    (width - marginLeft - marginRight);
  const ticks = panels.flatMap((_, panel) =>
    ticksTo(tops[panel], isPanels ? 4 : 6)
      .map((value) => ({ panel, value, y: value / tops[panel] }))
  );

  const marksOf = (s: Series, panel: number, strip: number) => {
    const fy = () => panel;
    const y = (r: Done) => r.imagesPerSecond / tops[panel];
    const knee = s.kneeRow ? [s.kneeRow] : [];
    const across = -(strip + 0.6) * below / Math.max(1, strips);
    const words = [...new Set(s.failed.map(wordOf))].join(", ");
    const first = s.failed[0];
    const says = isPanels || series.length === 1
      ? words
      : `${s.name}: ${words}`;
    const isLeft = first && pixelOf(first.batchSize) > textWidth(says) + 16;
    const at = isLeft ? first : s.failed.at(-1);
    return [
      Plot.ruleX(knee, {
        fy,
        x: "batchSize",
        y1: () => 0,
        y2: y,
        stroke: s.color,
        strokeDasharray: "2 3",
      }),
      Plot.ruleX(
        s.done.filter((r) => r.low !== undefined && r.high !== undefined),
        {
          fy,
          x: "batchSize",
          y1: (r: Done) => r.low! / tops[panel],
          y2: (r: Done) => r.high! / tops[panel],
          stroke: s.color,
          strokeWidth: 1.5,
          className: "ferlab-spread",
        },
      ),
      Plot.line(s.line, {
        fy,
        x: "batchSize",
        y: (r: { y: number }) => r.y / tops[panel],
        stroke: s.color,
        strokeWidth: 2,
      }),
      Plot.dot(s.done, {
        fy,
        x: "batchSize",
        y,
        symbol: s.symbol,
        r: 3.5,
        fill: s.color,
        title: (r: Done) =>
          `${s.name}, batch ${r.batchSize}\n${
            rate(r.imagesPerSecond)
          } images a second`,
        className: "ferlab-measured",
      }),
      Plot.dot(knee, {
        fy,
        x: "batchSize",
        y,
        r: 8,
        stroke: s.color,
        strokeWidth: 1.5,
        className: "ferlab-knee",
      }),
      Plot.dot(s.failed, {
        fy,
        x: "batchSize",
        y: () => across,
        symbol: "times",
        r: 4.5,
        stroke: s.color,
        strokeWidth: 2,
        title: (r: ThroughputRow) =>
          `${s.name}, batch ${r.batchSize}\n${wordOf(r)}: ${r.error}`,
        className: "ferlab-failed",
      }),
      Plot.text(at ? [at] : [], {
        fy,
        x: "batchSize",
        y: () => across,
        text: () => says,
        textAnchor: isLeft ? "end" : "start",
        dx: isLeft ? -10 : 10,
        fontSize: FONT_SIZE - 1,
      }),
    ];
  };

  // The end labels of one panel: name and knee, moved apart.
  const ends = series.filter((s) => s.done.length > 0)
    .map((s) => ({ ...s, y: s.done.at(-1)!.imagesPerSecond / tops[0] }))
    .sort((a, b) => b.y - a.y);
  const yPixel = (y: number) => marginTop + panelHeight * (1 - y) / (1 + below);
  const placed = spread(
    ends.map((s) => yPixel(s.y)),
    2 * FONT_SIZE + 8,
    marginTop + 2,
    yPixel(0) - FONT_SIZE,
  );

  const element = Plot.plot({
    document,
    className: contentClass("knee", rows, o),
    width,
    height,
    marginTop,
    marginLeft,
    marginRight,
    marginBottom,
    x: { type: "log", base: 2, domain: xDomain },
    y: { axis: null, domain: [-below, 1] },
    fy: { axis: null, domain: panels.map((_, i) => i), padding: gap },
    marks: [
      Plot.ruleY(ticks, { fy: "panel", y: "y", ...GRID }),
      Plot.ruleY([0], { strokeOpacity: 0.5 }),
      Plot.text(ticks, {
        fy: "panel",
        y: "y",
        text: (t: { value: number }) => rate(t.value),
        frameAnchor: "left",
        textAnchor: "end",
        dx: -8,
      }),
      Plot.axisX(roomy(sizes, pixelOf), {
        tickFormat: String,
        label: "batch size (images a step)",
        labelArrow: "none",
        labelAnchor: "center",
        labelOffset: 38,
      }),
      ...panels.flatMap((p, panel) => {
        const failing = p.filter((s) => s.failed.length > 0);
        return p.flatMap((s) => marksOf(s, panel, failing.indexOf(s)));
      }),
      isPanels
        ? Plot.text(series, {
          fy: (_: Series, i: number) => i,
          text: (s: Series) =>
            s.kneeRow
              ? `${s.name}: ${s.says}, ${
                rate(s.kneeRow.imagesPerSecond)
              } images a second`
              : `${s.name}: ${s.says}`,
          frameAnchor: "top-left",
          dy: -16,
          fontWeight: 600,
        })
        : ends.flatMap((s, i) => {
          const text = {
            x: () => xDomain[1],
            y: "y",
            textAnchor: "start",
            dy: placed[i] - yPixel(s.y),
          } as const;
          return [
            Plot.dot([s], {
              ...text,
              symbol: s.symbol,
              r: 4,
              fill: s.color,
              dx: 12,
            }),
            Plot.text([s], {
              ...text,
              text: (e: Series) => `${e.name}\n${e.says}`,
              lineAnchor: "middle",
              lineHeight: 1.2,
              dx: 24,
            }),
          ];
        }),
    ],
  });
  return finish(
    element,
    `${label}, log2 batch axis: ${
      series.map((s) => `${s.name} ${s.says}`).join(", ")
    }`,
    top,
  );
}
