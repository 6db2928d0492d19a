/** Effects with their intervals about no effect, a row each. */
import * as Plot from "@observablehq/plot";
import { type Axis, axisFor, count } from "./axis.ts";
import { type Channel, firstOf, maybe, read, type Rows } from "./channels.ts";
import { type AxesOptions, frame, tip } from "./frame.ts";
import {
  type Chart,
  FONT_SIZE,
  PALETTE,
  textWidth,
  wrapWords,
} from "./theme.ts";

interface Effect {
  label: string;
  note: string | null;
  /** In the chart's unit; null failed. */
  estimate: number | null;
  low: number | null;
  high: number | null;
  n: number | null;
  isPublished: boolean;
  /** The group's heading is a line of its own. */
  isHeading: boolean;
}

const OURS = PALETTE[0], PUBLISHED = PALETTE[1];
const LINE = 15;

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
 * With a unit of your own, values are drawn as they are.
 */
export function forestChart(
  effects: Rows | Record<string, Rows>,
  o: ForestOptions = {},
): Chart {
  const { unit = "points", zero = 0 } = o;
  const isList = typeof effects === "string" || effects === null ||
    typeof effects !== "object" || Symbol.iterator in effects ||
    "toRecords" in effects;
  const groups = isList
    ? [["", effects as Rows] as const]
    : Object.entries(effects as Record<string, Rows>);
  const rows = groups.flatMap(([name, own]) => [
    ...(name === "" ? [] : [heading(name)]),
    ...effectsOf(name, own, o, unit === "points" ? 100 : 1),
  ]);
  const drawn = rows.filter((r) => !r.isHeading);
  const finite = drawn.filter((r) => r.estimate !== null);
  const failed = drawn.filter((r) => r.estimate === null);
  const xLabel = o.xLabel ?? "difference in test accuracy";
  const x = axisFor([
    ...finite.flatMap((r) => [r.estimate, r.low, r.high]),
    zero,
  ], {
    label: `${xLabel}, ${unit}`,
    scale: o.xScale ?? "linear",
    format: o.xFormat ??
      ((v) => String(v).replace("-", "−")),
  });
  const width = o.width ?? 720;
  const texts = new Map(drawn.map((r) => [r, effectText(r)]));
  const widest = Math.max(0, ...[...texts.values()].map((t) => textWidth(t)));
  // A narrow chart has the numbers under the points.
  const isBeside = widest < 0.3 * width;
  // Rows are as high as their words, from the top down.
  const words = (r: Effect) => r.note ? `${r.label}\n${r.note}` : r.label;
  let total = 0;
  const middles = new Map(rows.map((r) => {
    const lines = words(r).split("\n").flatMap((line) =>
      wrapWords(line, 0.38 * width, FONT_SIZE)
    );
    const height = LINE * (r.isHeading ? 1 : lines.length) +
      (isBeside || r.isHeading ? 9 : 20);
    total += height;
    return [r, total - height / 2];
  }));
  const place = (r: Effect) => total - middles.get(r)!;
  const y: Axis = {
    label: "",
    type: "linear",
    domain: [0, Math.max(1, total)],
    ticks: drawn.map(place),
    format: (v) => words(drawn.find((r) => place(r) === v)!),
    say: String,
    why: () => null,
  };
  const isBoth = finite.some((r) => r.isPublished) &&
    finite.some((r) => !r.isPublished);
  const marksOf = (own: Effect[], isHollow: boolean) => [
    // Intervals leave the marker free, so that a hollow one is hollow.
    ...[["low", "estimate", "insetRight"], ["estimate", "high", "insetLeft"]]
      .map(([x1, x2, inset]) =>
        Plot.ruleY(own.filter((r) => r.low !== null && r.high !== null), {
          y: place,
          x1,
          x2,
          [inset]: 5,
          stroke: isHollow ? PUBLISHED : OURS,
          strokeWidth: 2,
          className: "ferlab-intervals",
        })
      ),
    Plot.dot(own, {
      x: "estimate",
      y: place,
      r: 4.5,
      ...(isHollow
        ? { symbol: "square", stroke: PUBLISHED, strokeWidth: 2 }
        : { fill: OURS }),
      title: (r: Effect) =>
        tip(r.label, r.note, effectText(r), r.n !== null && `n = ${r.n}`),
      className: isHollow ? "ferlab-published" : "ferlab-ours",
    }),
  ];
  return frame("forest", { ...o, noise: undefined }, {
    label: `${x.label}, ${count(drawn.length, "row")}`,
    legend: [[
      isBoth && {
        mark: `<path d="M0,6H26" stroke="${OURS}" stroke-width="2"/>` +
          `<circle cx="13" cy="6" r="4.5" fill="${OURS}"/>`,
        label: "ours",
      },
      finite.some((r) => r.isPublished) && {
        mark: `<path d="M0,6H8.5M17.5,6H26" stroke="${PUBLISHED}" ` +
          `stroke-width="1.5"/><rect x="9" y="2" width="8" height="8" ` +
          `fill="none" stroke="${PUBLISHED}" stroke-width="1.5"/>`,
        label: "published",
      },
    ]],
    notes: failed.length > 0
      ? [`${count(failed.length, "row")} without a number (failed)`]
      : [],
    x,
    y: { ...y, hasNoGrid: true },
    isEmpty: drawn.length === 0,
    room: { right: isBeside ? widest + 16 : 0 },
    innerHeight: () => total,
    marks: (area) => [
      Plot.ruleX([zero], { strokeWidth: 1.5, strokeOpacity: 0.7 }),
      Plot.text(rows.filter((r) => r.isHeading), {
        y: place,
        text: "label",
        frameAnchor: "left",
        textAnchor: "start",
        dx: 8 - area.left,
        fontWeight: 700,
        className: "ferlab-groups",
      }),
      ...marksOf(finite.filter((r) => r.isPublished), true),
      ...marksOf(finite.filter((r) => !r.isPublished), false),
      Plot.dot(failed, {
        x: () => zero,
        y: place,
        symbol: "times",
        r: 4.5,
        stroke: "currentColor",
        className: "ferlab-failed",
      }),
      isBeside
        ? Plot.text(drawn, {
          y: place,
          text: (r: Effect) => texts.get(r),
          frameAnchor: "right",
          textAnchor: "start",
          dx: 12,
        })
        : Plot.text(drawn, {
          y: place,
          text: (r: Effect) => texts.get(r),
          frameAnchor: "right",
          textAnchor: "end",
          dy: 12,
          fontSize: 10,
        }),
    ],
  });
}

const heading = (name: string): Effect => ({
  label: name,
  note: null,
  estimate: null,
  low: null,
  high: null,
  n: null,
  isPublished: false,
  isHeading: true,
});

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
    note: r.note === null ? null : String(r.note),
    estimate: scaled(r.estimate),
    low: scaled(r.low),
    high: scaled(r.high),
    n: typeof r.n === "number" ? r.n : null,
    isPublished: /^published/i.test(group) ||
      r.published === "true" || r.published === "published",
    isHeading: false,
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
