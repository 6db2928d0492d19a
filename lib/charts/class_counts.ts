/** How many images each class has, a panel of bars for each split. */
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
  PALETTE,
  percent,
  textWidth,
} from "./theme.ts";

/** The images of one class in one split. */
export interface ClassCountRow {
  split: string;
  class: string;
  count: number;
}

/** Room right of a bar for its count. */
const COUNT_ROOM = 44;

/**
 * Draws a bar a class, as long as its share of its split, and the count behind
 * it; n/a where a split has no image of a class. Splits and classes stand in
 * the order of the rows.
 */
export function classCountsChart(
  rows: readonly ClassCountRow[],
  o: ChartOptions = {},
): Chart {
  const label = o.title ?? "Images of each class";
  if (rows.length === 0) return emptyChart("class-counts", label, o);
  const splits = [...new Set(rows.map((r) => r.split))];
  const classes = [...new Set(rows.map((r) => r.class))];
  const total = (split: string) =>
    rows.filter((r) => r.split === split).reduce((n, r) => n + r.count, 0);
  const totals = new Map(splits.map((split) => [split, total(split)]));
  const bars = rows.map((row) => ({
    ...row,
    share: row.count / (totals.get(row.split) || 1),
    panel: `${row.split} (${totals.get(row.split)})`,
  }));
  type Bar = typeof bars[number];

  const { width = 720 } = o;
  const marginLeft = Math.max(...classes.map((c) => textWidth(c))) + 14;
  const top = head({ title: o.title, width });
  const marginTop = top.height + 30, marginBottom = 44;
  const height = o.height ?? marginTop + marginBottom + 24 * classes.length;
  const panel = (width - marginLeft - 16) / splits.length;
  const most = Math.max(...bars.map((b) => b.share)) || 1;
  const facet = { fx: "panel", y: "class" };

  const element = Plot.plot({
    document,
    className: contentClass("class-counts", rows, o),
    width,
    height,
    marginTop,
    marginLeft,
    marginRight: 16,
    marginBottom,
    // The longest bar leaves room for its count.
    x: { domain: [0, most * panel / Math.max(panel - COUNT_ROOM - 12, 40)] },
    y: { domain: classes, padding: 0.25 },
    fx: { domain: bars.map((b) => b.panel), padding: 0.06 },
    marks: [
      Plot.gridX({ ...GRID, ticks: 3 }),
      Plot.axisFx({ anchor: "top", label: null, fontWeight: 600 }),
      Plot.axisY({ label: null, tickSize: 0 }),
      Plot.axisX({
        ticks: 3,
        tickFormat: (v: number) => `${Math.round(100 * v)} %`,
        tickSize: 0,
        label: "share of the split's images",
        labelArrow: "none",
        labelAnchor: "center",
        labelOffset: 36,
      }),
      Plot.barX(bars, {
        ...facet,
        x: "share",
        fill: PALETTE[0],
        title: (b: Bar) =>
          `${b.class}, ${b.split}\n${b.count} images, ${percent(b.share)}`,
        className: "ferlab-classes",
      }),
      Plot.ruleX([0], { strokeOpacity: 0.5 }),
      Plot.text(bars, {
        ...facet,
        x: "share",
        text: (b: Bar) => b.count === 0 ? "n/a" : String(b.count),
        textAnchor: "start",
        dx: 5,
        fontSize: FONT_SIZE - 1,
      }),
    ],
  });
  return finish(element, `${label}: ${splits.join(", ")}`, top);
}
