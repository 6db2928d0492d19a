/** Effects with their intervals about no effect, a row each. */
import * as Plot from "@observablehq/plot";
import * as d3 from "d3";
import { type Axis, axisFor, count } from "./axis.ts";
import { type Channel, firstOf, maybe, read, type Rows } from "./channels.ts";
import { type AxesOptions, frame, noiseText, sdOf, tip } from "./frame.ts";
import { crosses, OURS, oursItem, PUBLISHED, publishedItem } from "./marks.ts";
import { type Chart, FONT_SIZE, textWidth, wrapWords } from "./theme.ts";

interface Effect {
  label: string;
  note: string;
  /** In the chart's unit; null failed. */
  estimate: number | null;
  low: number | null;
  high: number | null;
  n: number | null;
  isPublished: boolean;
  /** The row's middle above the lowest row's foot, in pixels. */
  y: number;
}

/** A line of words, and what stands between rows. */
const LINE = 15, GAP = 9;

export interface ForestOptions extends Omit<AxesOptions, "yScale"> {
  /** Default: points, for which shares are multiplied by 100. */
  unit?: string;
  /** No effect, in the unit. */
  zero?: number;
  /** Default: the difference, a share. */
  value?: Channel;
  low?: Channel;
  high?: Channel;
  label?: Channel;
}

/**
 * Draws a forest plot: each effect as a point with its interval, written out at
 * the right, and a line at `zero`, no effect. Effects come in one list or in
 * groups by name. Hollow squares are published: a group whose name begins with
 * "published", and effects that say so. An effect without a number has failed.
 * With a unit of your own, values are drawn as they are. The noise is a band
 * about no effect: ±√2 sd, that of a difference of two single runs.
 */
export function forestChart(
  effects: Rows | Record<string, Rows>,
  o: ForestOptions = {},
): Chart {
  const { unit = "points", zero = 0, width = 720 } = o;
  const factor = unit === "points" ? 100 : 1;
  const isGroups = typeof effects === "object" && effects !== null &&
    !(Symbol.iterator in effects) && !("toRecords" in effects);
  const entries: [string, Rows][] = isGroups
    ? Object.entries(effects)
    : [["", effects as Rows]];
  const groups = entries
    .map(([name, rows]) => ({ name, rows: effectsOf(name, rows, o, factor) }));
  const all = groups.flatMap((g) => g.rows);
  const texts = new Map(all.map((r) => [r, effectText(r)]));
  const widest = d3.max(texts.values(), (t: string) => textWidth(t)) ?? 0;
  // A narrow chart has the numbers under the points.
  const isBeside = widest < 0.3 * width;

  // Rows are as high as their words, from the top down.
  const words = (r: Effect) =>
    r.note === "" ? r.label : `${r.label}\n${r.note}`;
  const linesOf = (r: Effect) =>
    words(r).split("\n").flatMap((l) => wrapWords(l, 0.38 * width, FONT_SIZE));
  let total = 0;
  const place = (height: number) => (total += height) - height / 2;
  const headings = groups.map(({ name, rows }) => {
    const y = name === "" ? 0 : place(LINE + GAP);
    for (const r of rows) {
      r.y = place(LINE * linesOf(r).length + (isBeside ? GAP : 20));
    }
    return { name, y };
  });
  for (const r of [...headings, ...all]) r.y = total - r.y;
  const y: Axis = {
    ...axisFor([0, Math.max(1, total)], { label: "", scale: "linear", pad: 0 }),
    ticks: all.map((r) => r.y),
    format: (v) => words(all.find((r) => r.y === v)!),
  };

  const finite = all.filter((r) => r.estimate !== null);
  const failed = all.filter((r) => r.estimate === null);
  const noise = Math.SQRT2 * sdOf(o.noise) * factor;
  const x = axisFor([
    ...finite.flatMap((r) => [r.estimate, r.low, r.high]),
    ...[zero - noise, zero, zero + noise],
  ], {
    label: `${o.xLabel ?? "difference in test accuracy"}, ${unit}`,
    scale: o.xScale ?? "linear",
    format: o.xFormat ?? ((v) => String(v).replace("-", "−")),
  });
  const marksOf = (isPublished: boolean) => {
    const own = finite.filter((r) => r.isPublished === isPublished);
    const color = isPublished ? PUBLISHED : OURS;
    // Intervals leave the marker free, so that a hollow one is hollow.
    const half = (x1: string, x2: string, inset: string) =>
      Plot.ruleY(own.filter((r) => r.low !== null && r.high !== null), {
        ...{ y: "y", x1, x2, [inset]: 5, stroke: color, strokeWidth: 2 },
        className: "ferlab-intervals",
      });
    return [
      half("low", "estimate", "insetRight"),
      half("estimate", "high", "insetLeft"),
      Plot.dot(own, {
        ...{ x: "estimate", y: "y", r: 4.5, strokeWidth: 2 },
        ...(isPublished
          ? { symbol: "square", stroke: color }
          : { fill: color, stroke: "none" }),
        title: (r: Effect) =>
          tip(words(r), texts.get(r), r.n !== null && `n = ${r.n}`),
        className: isPublished ? "ferlab-published" : "ferlab-ours",
      }),
    ];
  };
  const isBoth = finite.some((r) => r.isPublished) &&
    finite.some((r) => !r.isPublished);
  return frame("forest", { ...o, noise: undefined }, {
    label: `${x.label}, ${count(all.length, "row")}`,
    legend: [[
      isBoth && oursItem("ours"),
      finite.some((r) => r.isPublished) && publishedItem(),
      o.noise !== undefined && {
        mark: noise > 0
          ? `<rect width="26" height="12" fill-opacity=".15"/>`
          : "",
        width: noise > 0 ? 26 : 0,
        label: noise > 0
          ? `noise of a difference of two runs: ±${noise.toPrecision(2)} ` +
            `${unit} (√2 sd)`
          : noiseText(null),
      },
    ]],
    notes: failed.length > 0
      ? [`${count(failed.length, "row")} without a number (failed)`]
      : [],
    x,
    y: { ...y, hasNoGrid: true },
    isEmpty: all.length === 0,
    room: { right: isBeside ? widest + 16 : 0 },
    innerHeight: () => total,
    marks: (area) => [
      Plot.rect(noise > 0 ? [zero] : [], {
        ...{ x1: zero - noise, x2: zero + noise, fillOpacity: 0.1 },
        className: "ferlab-noise",
      }),
      Plot.ruleX([zero], { strokeWidth: 1.5, strokeOpacity: 0.7 }),
      Plot.text(headings, {
        ...{ y: "y", text: "name", fontWeight: 700, dx: 8 - area.left },
        ...{ frameAnchor: "left", textAnchor: "start" },
      }),
      ...[true, false].flatMap(marksOf),
      crosses(failed, { x: () => zero, y: "y" }),
      Plot.text(all, {
        ...{ y: "y", text: (r: Effect) => texts.get(r), frameAnchor: "right" },
        ...(isBeside
          ? { textAnchor: "start" as const, dx: 12 }
          : { textAnchor: "end" as const, dy: 12, fontSize: 10 }),
      }),
    ],
  });
}

/** A group's effects, as read by their channels. */
function effectsOf(
  group: string,
  rows: Rows,
  o: ForestOptions,
  factor: number,
): Effect[] {
  const table = read("forestChart", rows, {
    label: o.label ?? firstOf("label", "value"),
    estimate: o.value ?? firstOf("difference", "estimate"),
    low: o.low ?? maybe("low"),
    high: o.high ?? maybe("high"),
    note: maybe("note"),
    n: maybe("n"),
    published: maybe("published", "whose"),
  });
  const scaled = (v: unknown) => typeof v === "number" ? v * factor : null;
  return table.rows.map((r) => ({
    label: String(r.label ?? "no name"),
    note: String(r.note ?? ""),
    estimate: scaled(r.estimate),
    low: scaled(r.low),
    high: scaled(r.high),
    n: typeof r.n === "number" ? r.n : null,
    isPublished: /^published/i.test(group) ||
      r.published === "true" || r.published === "published",
    y: 0,
  }));
}

/** An estimate and its interval, all with as many decimals as the largest. */
function effectText({ estimate, low, high }: Effect): string {
  if (estimate === null) return "failed";
  const ends = low !== null && high !== null ? [low, high] : [];
  const size = Math.max(...[estimate, ...ends].map(Math.abs));
  const digits = size >= 100 ? 0 : size < 0.01 ? 4 : 2;
  const text = (value: number) => {
    const own = Math.abs(value).toFixed(digits);
    return Number(own) === 0 ? "0" : `${value < 0 ? "−" : "+"}${own}`;
  };
  return text(estimate) +
    (ends.length > 0 ? ` [${ends.map(text).join(", ")}]` : "");
}
