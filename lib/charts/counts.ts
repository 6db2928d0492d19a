/** What a data set holds: images by class and split, and how large they are. */
import * as Plot from "@observablehq/plot";
import * as d3 from "d3";
import { axisFor, count, onAxes } from "./axis.ts";
import { type Channel, firstOf, maybe, read, type Rows } from "./channels.ts";
import { frame, type FrameOptions } from "./frame.ts";
import { rowKey, rowsAxis, widest } from "./layout.ts";
import { areaItem, MOST_NAMED } from "./marks.ts";
import { type Chart, PALETTE } from "./theme.ts";
import { percent } from "./values.ts";

type CountOptions = Omit<FrameOptions, "noise">;

/** A bar of a series, in the row of that name. */
interface Bar {
  row: string;
  series: string;
  length: number;
  text: string;
  title: string;
}

const many = d3.format(",") as (n: number) => string;
const ANY_NUMBER = axisFor([0], { label: "", scale: "linear" });

/** Bars in named rows, those of several series under each other. */
function bars(
  kind: string,
  o: CountOptions,
  all: Bar[],
  { label, xLabel = "", notes }: {
    label: string;
    /** Without one the bars' texts alone tell their lengths. */
    xLabel?: string;
    notes: string[];
  },
): Chart {
  const names = [...new Set(all.map((b) => b.row))];
  const series = [...new Set(all.map((b) => b.series))];
  const lengths = [0, ...all.map((b) => b.length)];
  const x = axisFor(lengths, { label: xLabel, scale: "linear", pad: 0 });
  const color = (i: number) => PALETTE[i % PALETTE.length];
  const items = series.slice(0, MOST_NAMED)
    .map((name, i) => areaItem(color(i), name));
  return frame(kind, o, {
    ...{ label, notes, isEmpty: all.length === 0 },
    legend: [series.length > 1 ? items : []],
    x: { ...x, isHidden: xLabel === "" },
    ...rowsAxis(names, { width: o.width, least: 10 + 14 * series.length }),
    room: { right: 12 + widest(all.map((b) => b.text)) },
    marks: (area) => {
      const slot = (area.bottom - area.top) / names.length;
      const pad = Math.min(5, slot / 6);
      const tall = (slot - 2 * pad) / series.length;
      return series.flatMap((name, i) => {
        const own = all.filter((b) => b.series === name);
        const y = (b: Bar) => rowKey(names.indexOf(b.row));
        return [
          Plot.barX(own, {
            ...{ y, x1: 0, x2: "length", fill: color(i), title: "title" },
            insetTop: pad + i * tall,
            insetBottom: pad + (series.length - 1 - i) * tall,
            className: "ferlab-bars",
          }),
          Plot.text(tall >= 11 ? own : [], {
            ...{ y, x: "length", text: "text", textAnchor: "start", dx: 5 },
            dy: pad + (i + 0.5) * tall - slot / 2,
            fontSize: 11,
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
export function classCountsChart(rows: Rows, o: CountOptions & {
  class?: Channel;
  split?: Channel;
  count?: Channel;
} = {}): Chart {
  const table = read("classCountsChart", rows, {
    class: o.class ?? firstOf("class", "label"),
    split: o.split ?? maybe("split"),
    count: o.count ?? firstOf("count", "n"),
  });
  const { rows: known, notes } = onAxes(table, { count: ANY_NUMBER });
  const totals = d3.rollup(
    known,
    (own: typeof known) => d3.sum(own, (r: { count: number }) => r.count),
    (r: { split: string }) => r.split,
  ) as Map<unknown, number>;
  const bar = (r: typeof known[number]): Bar => {
    const total = totals.get(r.split)!, images = r.count as number;
    const length = total > 0 ? images / total : 0;
    const row = String(r.class ?? "no class"), split = r.split ?? "all";
    return {
      ...{ row, length, series: `${split} (${many(total)})` },
      text: images === 0 ? "n/a" : many(images),
      title: `${row}, ${split}\n${count(images, "image")}, ${percent(length)}`,
    };
  };
  return bars("class-counts", o, known.map(bar), {
    label: "images of each class",
    xLabel: `share of the ${totals.size > 1 ? "split's " : ""}images`,
    notes,
  });
}

/** Up to so many sizes have a bar each; more are counted in steps. */
const MOST_BARS = 10;

/**
 * Draws one bar a size where there are few sizes, else one a step of the shorter
 * side, which is what an image is scaled down from.
 */
export function sizeHistogramChart(
  rows: Rows,
  o: CountOptions = {},
): Chart {
  const table = read("sizeHistogramChart", rows, {
    ...{ width: firstOf("width"), height: firstOf("height") },
    count: maybe("count", "n"),
  });
  const { rows: known, notes } = onAxes(table, {
    ...{ width: ANY_NUMBER, height: ANY_NUMBER },
    ...(table.has("count") && { count: ANY_NUMBER }),
  });
  type Size = typeof known[number];
  const images = (own: Iterable<Size>) =>
    d3.sum(own, (r: Size) => r.count ?? 1) as number;
  const side = (r: Size) => Math.min(r.width as number, r.height as number);
  const isFew = known.length <= MOST_BARS;
  const groups: Map<string, Size[]> = isFew
    ? d3.sort(
      d3.group(known, (r: Size) => `${r.width} × ${r.height}`),
      ([, own]: [string, Size[]]) => -images(own),
    )
    : d3.bin().value(side).thresholds(12)(known)
      .map((own: Size[] & { x0: number; x1: number }) => [
        `${own.x0} to ${own.x1 - 1}`,
        own,
      ]);
  const bar = ([row, own]: [string, Size[]]): Bar => ({
    ...{ row, series: "", length: images(own), text: many(images(own)) },
    title: `${row} pixels\n${count(images(own), "image")}`,
  });
  return bars("sizes", o, [...groups].map(bar), {
    label: `image sizes, ${known.length} of them`,
    notes: isFew ? notes : [...notes, "shorter side in pixels"],
  });
}
