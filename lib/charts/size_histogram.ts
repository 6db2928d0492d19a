/** How large the images of a data set are, in pixels. */
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
  textWidth,
} from "./theme.ts";

/** How many images have one width and height. */
export interface SizeRow {
  width: number;
  height: number;
  count: number;
}

/** Up to so many sizes have a bar each; more are counted in steps. */
const MOST_BARS = 10;

const shorter = (row: SizeRow) => Math.min(row.width, row.height);

/** Shared by both forms; margins are measured by their caller. */
function frame(rows: readonly SizeRow[], o: ChartOptions, sized: number) {
  const { width = 720 } = o;
  const top = head({ title: o.title, width });
  return {
    top,
    plot: {
      document,
      className: contentClass("sizes", rows, o),
      width,
      height: o.height ?? top.height + sized,
      marginTop: top.height + 10,
    },
  };
}

/** A bar a size, its count behind it. */
function bars(rows: readonly SizeRow[], o: ChartOptions) {
  const name = (row: SizeRow) => `${row.width} × ${row.height}`;
  const { top, plot } = frame(rows, o, 20 + 26 * rows.length);
  const sorted = rows.toSorted((a, b) => b.count - a.count);
  const counts = sorted.map((row) => textWidth(String(row.count)));
  const element = Plot.plot({
    ...plot,
    marginLeft: Math.max(...rows.map((r) => textWidth(name(r)))) + 20,
    marginRight: Math.max(...counts) + 12,
    marginBottom: 10,
    x: { axis: null },
    y: { domain: sorted.map(name), padding: 0.25 },
    marks: [
      Plot.axisY({ label: null, tickSize: 0 }),
      Plot.barX(sorted, {
        x: "count",
        y: name,
        fill: PALETTE[0],
        title: (r: SizeRow) => `${name(r)} pixels\n${r.count} images`,
        className: "ferlab-sizes",
      }),
      Plot.ruleX([0], { strokeOpacity: 0.5 }),
      Plot.text(sorted, {
        x: "count",
        y: name,
        text: (r: SizeRow) => String(r.count),
        textAnchor: "start",
        dx: 5,
      }),
    ],
  });
  return { element, top };
}

/** Images by their shorter side, in steps. */
function histogram(rows: readonly SizeRow[], o: ChartOptions) {
  const { top, plot } = frame(rows, o, 250);
  const heads = head({ title: o.title, width: plot.width, yLabel: "images" });
  const element = Plot.plot({
    ...plot,
    marginTop: heads.height + 10,
    height: plot.height + heads.height - top.height,
    marginLeft: 56,
    marginRight: 20,
    marginBottom: 46,
    x: { nice: true },
    marks: [
      Plot.gridY(GRID),
      Plot.axisY({ label: null, ticks: 5, tickSize: 0 }),
      Plot.axisX({
        label: "shorter side in pixels",
        labelArrow: "none",
        labelAnchor: "center",
        labelOffset: 38,
      }),
      Plot.rectY(
        rows,
        Plot.binX<Plot.RectYOptions>({ y: "sum" }, {
          x: shorter,
          y: "count",
          thresholds: 24,
          fill: PALETTE[0],
          className: "ferlab-sizes",
        }),
      ),
      Plot.ruleY([0], { strokeOpacity: 0.5 }),
    ],
  });
  return { element, top: heads };
}

/**
 * Draws one bar a size where there are few sizes, else a histogram of the
 * shorter sides, which is what an image is scaled down from.
 */
export function sizeHistogramChart(
  rows: readonly SizeRow[],
  o: ChartOptions = {},
): Chart {
  const label = o.title ?? "Image sizes";
  if (rows.length === 0) return emptyChart("sizes", label, o);
  const { element, top } = rows.length <= MOST_BARS
    ? bars(rows, o)
    : histogram(rows, o);
  return finish(element, `${label}, ${rows.length} sizes`, top);
}
