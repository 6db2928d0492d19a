/** What a data set holds: images by class and split, and how large they are. */
import * as Plot from "@observablehq/plot";
import * as d3 from "d3";
import { type Axis, axisFor, count, onAxes } from "./axis.ts";
import { type Channel, firstOf, maybe, read, type Rows } from "./channels.ts";
import { frame, type FrameOptions, tip } from "./frame.ts";
import { rowKey, rowsAxis } from "./rows_axis.ts";
import { type Chart, FONT_SIZE, PALETTE, percent, textWidth } from "./theme.ts";

type CountOptions = Omit<FrameOptions, "noise">;

const many = d3.format(",") as (n: number) => string;
/** Counts, from 0. */
const counts: Axis = axisFor([0], { label: "", scale: "linear" });

/** A bar of a series, in its row. */
interface Bar {
  row: number;
  series: number;
  length: number;
  text: string;
  title: string;
}

/** Bars in named rows, those of several series under each other. */
function bars(
  kind: string,
  o: CountOptions,
  all: Bar[],
  { names, series, label, xLabel, notes }: {
    names: string[];
    series: string[];
    label: string;
    /** Without one the bars' texts alone tell their lengths. */
    xLabel?: string;
    notes: string[];
  },
): Chart {
  const isOne = series.length < 2;
  const { axis, innerHeight } = rowsAxis(names, {
    width: o.width,
    least: 10 + 14 * Math.max(1, series.length),
  });
  const x = axisFor([0, ...all.map((b) => b.length)], {
    label: xLabel ?? "",
    scale: "linear",
    pad: 0,
  });
  const colorOf = (i: number) => PALETTE[i % PALETTE.length];
  return frame(kind, o, {
    label,
    legend: [
      isOne ? [] : series.slice(0, 12).map((name, i) => ({
        mark: `<rect x="2" width="22" height="12" fill="${colorOf(i)}"/>`,
        label: name,
      })),
    ],
    notes,
    x: { ...x, isHidden: xLabel === undefined },
    y: { ...axis, hasNoGrid: true },
    isEmpty: all.length === 0,
    room: {
      right: 12 + all.reduce((most, b) => Math.max(most, textWidth(b.text)), 0),
    },
    innerHeight: () => innerHeight,
    marks: (area) => {
      const slot = (area.bottom - area.top) / names.length;
      const pad = Math.min(5, slot / 6);
      const tall = (slot - 2 * pad) / Math.max(1, series.length);
      return series.flatMap((_, i) => {
        const own = all.filter((b) => b.series === i);
        const at = { y: (b: Bar) => rowKey(b.row) };
        return [
          Plot.barX(own, {
            ...at,
            x1: 0,
            x2: "length",
            insetTop: pad + i * tall,
            insetBottom: pad + (series.length - 1 - i) * tall + (isOne ? 0 : 1),
            fill: colorOf(i),
            title: "title",
            className: "ferlab-bars",
          }),
          Plot.text(tall >= 11 ? own : [], {
            ...at,
            x: "length",
            text: "text",
            textAnchor: "start",
            dx: 5,
            dy: pad + (i + 0.5) * tall - slot / 2,
            fontSize: FONT_SIZE - 1,
          }),
        ];
      });
    },
  });
}

/**
 * Draws a bar a class and split, as long as the class's share of its split, and
 * the count behind it; n/a where a split has no image of a class. Splits and
 * classes stand in the order of the rows.
 */
export function classCountsChart(
  rows: Rows,
  o: CountOptions & { class?: Channel; split?: Channel; count?: Channel } = {},
): Chart {
  const table = read("classCountsChart", rows, {
    class: o.class ?? firstOf("class", "label"),
    split: o.split ?? maybe("split"),
    count: o.count ?? firstOf("count", "n"),
  });
  const { rows: known, notes } = onAxes(table, { count: counts });
  const splits = [...new Set(known.map((r) => String(r.split ?? "all")))];
  const classes = [...new Set(known.map((r) => String(r.class ?? "no class")))];
  const totals = splits.map((split) =>
    d3.sum(
      known,
      (r: typeof known[number]) =>
        String(r.split ?? "all") === split ? r.count : 0,
    ) as number
  );
  return bars(
    "class-counts",
    o,
    known.map((r) => {
      const series = splits.indexOf(String(r.split ?? "all"));
      const row = classes.indexOf(String(r.class ?? "no class"));
      const images = r.count as number;
      const length = totals[series] > 0 ? images / totals[series] : 0;
      return {
        row,
        series,
        length,
        text: images === 0 ? "n/a" : many(images),
        title: tip(
          `${classes[row]}, ${splits[series]}`,
          `${count(images, "image")}, ${percent(length)}`,
        ),
      };
    }),
    {
      names: classes,
      series: splits.map((split, i) => `${split} (${many(totals[i])})`),
      label: `images of each class: ${splits.slice(0, 20).join(", ")}`,
      xLabel: splits.length === 1 && splits[0] === "all"
        ? "share of the images"
        : "share of the split's images",
      notes,
    },
  );
}

/** Up to so many sizes have a bar each; more are counted in steps. */
const MOST_BARS = 10;

/**
 * Draws one bar a size where there are few sizes, else a histogram of the
 * shorter sides, which is what an image is scaled down from.
 */
export function sizeHistogramChart(
  rows: Rows,
  o: CountOptions & { width?: number } = {},
): Chart {
  const table = read("sizeHistogramChart", rows, {
    width: firstOf("width"),
    height: firstOf("height"),
    count: maybe("count", "n"),
  });
  const { rows: known, notes } = onAxes(table, {
    width: counts,
    height: counts,
    ...table.has("count") ? { count: counts } : {},
  });
  const sizes = known.map((r) => ({
    wide: r.width as number,
    high: r.height as number,
    count: (r.count ?? 1) as number,
  }));
  type Size = typeof sizes[number];
  const label = `image sizes, ${sizes.length} of them`;
  if (sizes.length <= MOST_BARS) {
    const sorted = d3.sort(sizes, (s: Size) => -s.count) as Size[];
    const names = sorted.map((s) => `${s.wide} × ${s.high}`);
    return bars(
      "sizes",
      o,
      sorted.map((s, row) => ({
        row,
        series: 0,
        length: s.count,
        text: many(s.count),
        title: `${names[row]} pixels\n${count(s.count, "image")}`,
      })),
      { names, series: ["images"], label, notes },
    );
  }
  const side = (s: Size) => Math.min(s.wide, s.high);
  const x = axisFor(sizes.map(side), {
    label: "shorter side in pixels",
    scale: "linear",
  });
  const steps = (d3.bin().value(side).domain(d3.extent(sizes, side))
    .thresholds(24)(sizes) as (Size[] & { x0: number; x1: number })[])
    .map((own) => ({ ...own, n: d3.sum(own, (s: Size) => s.count) as number }));
  type Step = typeof steps[number];
  const y = axisFor([0, ...steps.map((s) => s.n)], {
    label: "images",
    scale: "linear",
  });
  return frame("sizes", o, {
    label,
    notes,
    x,
    y: { ...y, domain: [0, y.domain[1]] },
    innerHeight: () => 200,
    marks: () => [
      Plot.rect(steps, {
        x1: "x0",
        x2: "x1",
        y1: 0,
        y2: "n",
        insetLeft: 0.5,
        insetRight: 0.5,
        fill: PALETTE[0],
        title: (s: Step) =>
          tip(`${s.x0} to ${s.x1} pixels`, count(s.n, "image")),
        className: "ferlab-bars",
      }),
    ],
  });
}
