/** Effects with their intervals about no effect, a row each. */
import * as Plot from "@observablehq/plot";
import * as d3 from "d3";
import { axisFor, checkShares, count } from "./axis.ts";
import * as channels from "./channels.ts";
import { tableOf } from "./csv.ts";
import { type AxesOptions, frame, tip } from "./frame.ts";
import { hiddenAxis, nameLines, widest } from "./layout.ts";
import {
  crosses,
  OURS,
  oursItem,
  PUBLISHED,
  publishedItem,
  SAMPLES,
} from "./marks.ts";
import { sdOf, text as noiseText } from "./noise.ts";
import type { Chart } from "./theme.ts";
import { signed } from "./values.ts";

type Effect = ReturnType<typeof effectsOf>[number];

/** A line of words, and what stands between rows. */
const LINE = 15, GAP = 9;

export interface ForestOptions extends Omit<AxesOptions, "yScale"> {
  /** Default: points, for which shares are multiplied by 100. */
  unit?: string;
  /** Default: the difference, a share. */
  value?: channels.Channel;
  low?: channels.Channel;
  high?: channels.Channel;
  label?: channels.Channel;
}

/** More rows than a page has room for. */
const MOST_ROWS = 400;

/**
 * Draws a forest plot: each effect as a point with its interval, written out at
 * the right, and a line at no effect. Effects come in one list or in
 * groups by name. Hollow squares are published: a group whose name begins with
 * "published", and effects that say so. An effect without a number has failed.
 * With a unit of your own, values are drawn as they are. The noise is a band
 * about no effect: ±√2 sd, that of a difference of two single runs.
 */
export function forestChart(
  effects: channels.Rows | Record<string, channels.Rows>,
  o: ForestOptions = {},
): Chart {
  channels.checkOptions("forestChart", o, '{ label: "less" }');
  const { unit = "points", width = 720 } = o;
  const factor = unit === "points" ? 100 : 1;
  let given = 0;
  const named = channels.isGroups(effects) ? effects : { "": effects };
  const groups = Object.entries(named).map(([name, own]) => {
    const rows = effectsOf(name, own, o, factor);
    const left = Math.max(0, MOST_ROWS - given);
    given += rows.length;
    return { name, y: 0, rows: rows.slice(0, left) };
  }).filter((g) => g.rows.length > 0);
  const all = groups.flatMap((g) => g.rows);
  const texts = textsOf(all);
  const wide = widest(texts.values());
  // A narrow chart has the numbers under the points.
  const isBeside = wide < 0.3 * width;

  // Rows are as high as their words, from the top down.
  let total = 0;
  const place = (height: number) => (total += height) - height / 2;
  for (const group of groups) {
    group.y = group.name === "" ? 0 : place(LINE + GAP);
    for (const r of group.rows) {
      const lines = nameLines(r.words, width).length;
      r.y = place(LINE * lines + (isBeside ? GAP : 20));
    }
  }
  for (const r of [...groups, ...all]) r.y = total - r.y;
  const wordsAt = new Map(all.map((r) => [r.y, r.words]));
  const y = {
    ...hiddenAxis(0, Math.max(1, total)),
    ticks: [...wordsAt.keys()],
    format: (v: unknown) => wordsAt.get(v as number)!,
    ...{ isHidden: false, hasNoGrid: true },
  };

  const [finite, failed] = [true, false]
    .map((isDone) => all.filter((r) => (r.estimate !== null) === isDone));
  const noise = Math.SQRT2 * sdOf(o.noise) * factor;
  const values = finite.flatMap((r) => [r.estimate, r.low, r.high]);
  const x = axisFor([...values, -noise, 0, noise], {
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
          tip(
            ...[r.words, texts.get(r), r.n !== null && `n = ${r.n}`],
            channels.trialWords(undefined, [], r.values),
          ),
        className: isPublished ? "ferlab-published" : "ferlab-ours",
      }),
    ];
  };
  const [hasOurs, hasTheirs] = [false, true]
    .map((whose) => finite.some((r) => r.isPublished === whose));
  const band = `noise of a difference of two runs: ±${noise.toPrecision(2)} ` +
    `${unit} (√2 sd)`;
  const table = groups.flatMap(({ name, rows }) =>
    rows.map(({ words, estimate, low, high, n }) => ({
      ...name ? { group: name } : {},
      ...{ effect: words, [unit]: estimate, low, high, n },
    }))
  );
  return frame("forest", { ...o, noise: undefined }, {
    rows: [tableOf("forestChart", table)],
    label: `${x.label}, ${count(all.length, "row")}`,
    legend: [[
      hasOurs && hasTheirs && oursItem("ours"),
      hasTheirs && publishedItem(),
      o.noise !== undefined &&
      (noise > 0
        ? { mark: SAMPLES.noise, label: band }
        : { mark: "", width: 0, label: noiseText(null) }),
    ]],
    notes: [
      failed.length > 0 &&
      `${count(failed.length, "row")} without a number (failed)`,
      given > all.length && `${count(given - all.length, "row")} left out: ` +
        `more than ${MOST_ROWS}`,
    ],
    ...{ x, y, isEmpty: all.length === 0 },
    room: { right: isBeside ? wide + 16 : 0 },
    innerHeight: () => total,
    marks: (area) => [
      Plot.rect(noise > 0 ? [0] : [], {
        ...{ x1: -noise, x2: noise, fillOpacity: 0.1 },
        className: "ferlab-noise",
      }),
      Plot.ruleX([0], { strokeWidth: 1.5, strokeOpacity: 0.7 }),
      Plot.text(groups, {
        ...{ y: "y", text: "name", fontWeight: 700, dx: 8 - area.left },
        ...{ frameAnchor: "left", textAnchor: "start" },
      }),
      ...[true, false].flatMap(marksOf),
      crosses(failed, { x: () => 0, y: "y" }),
      Plot.text(all, {
        ...{ y: "y", text: (r: Effect) => texts.get(r), frameAnchor: "right" },
        ...(isBeside
          ? { textAnchor: "start" as const, dx: 12 }
          : { textAnchor: "end" as const, dy: 12, fontSize: 10 }),
      }),
    ],
  });
}

/** A group's effects in the chart's unit; null is what failed or is not told. */
function effectsOf(
  group: string,
  rows: channels.Rows,
  o: ForestOptions,
  factor: number,
) {
  const { firstOf, maybe, isNumber } = channels;
  const chart = group ? `forestChart, ${group}` : "forestChart";
  const table = channels.read(chart, rows, {
    label: o.label ?? firstOf("label", "value"),
    estimate: o.value ?? firstOf("difference", "estimate"),
    ...{ low: o.low ?? maybe("low"), high: o.high ?? maybe("high") },
    ...{ note: maybe("note"), n: maybe("n") },
    published: maybe("published", "whose"),
  });
  if (factor !== 1) {
    checkShares(
      `${chart}: ${table.words("estimate")}`,
      table.rows.map((r) => r.estimate),
    );
  }
  const scaled = (v: channels.Value) => isNumber(v) ? v * factor : null;
  return table.rows.map((r) => ({
    words: tip(String(r.label ?? "no name"), r.note?.toString()),
    ...{ estimate: scaled(r.estimate), low: scaled(r.low) },
    ...{ high: scaled(r.high), n: isNumber(r.n) ? r.n : null },
    isPublished: /^published/i.test(group) ||
      r.published === "true" || r.published === "published",
    values: sidesOf(r.row),
    /** The row's middle above the lowest row's foot, in pixels. */
    y: 0,
  }));
}

/** What an effect of parameters compares: both sides' values of each. */
function sidesOf(row: unknown): Record<string, unknown[]> {
  const { params, base } = (row ?? {}) as { params?: object; base?: unknown };
  if (typeof params !== "object" || params === null) return {};
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      [value, channels.own(base, name) ?? base],
    ]),
  );
}

/**
 * Estimates with their intervals, all with as many decimals: two, more where all
 * are small, none where some are large.
 */
function textsOf(all: readonly Effect[]): Map<Effect, string> {
  const ends = ({ low, high }: Effect) =>
    low !== null && high !== null ? [low, high] : [];
  const numbers = all.flatMap((r) => [r.estimate ?? 0, ...ends(r)]);
  const most = d3.max(numbers, Math.abs);
  const digits = most >= 100 ? 0 : most < 0.01 ? 4 : 2;
  const text = (value: number) => signed(value, digits);
  return new Map(all.map((r) => {
    if (r.estimate === null) return [r, "failed"];
    const interval = ends(r).map(text).join(", ");
    return [r, text(r.estimate) + (interval && ` [${interval}]`)];
  }));
}
