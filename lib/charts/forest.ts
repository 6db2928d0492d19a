/** Effects with their intervals about no effect, a row each. */
import * as Plot from "@observablehq/plot";
import * as d3 from "d3";
import { axisFor, checkShares, pluralOf } from "./axis.ts";
import * as channels from "./channels.ts";
import { plainTable } from "./rows_as_csv.ts";
import { type AxesOptions, frame, tip } from "./frame.ts";
import { rowsAxis, widest } from "./text_layout.ts";
import * as marks from "./marks.ts";
import { checkNoiseBar, noiseWords, sdOf } from "./noise_bar.ts";
import { type Chart, FONT_SIZE, wrapWords } from "./theme.ts";
import { signed } from "./value_text.ts";

type Effect = ReturnType<typeof effectsOf>[number];

export type ForestOptions = AxesOptions & {
  /** Default: points, for which shares are multiplied by 100. */
  unit?: string;
  /** Default: the difference, a share. */
  value?: channels.Channel;
  low?: channels.Channel;
  high?: channels.Channel;
  label?: channels.Channel;
};

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
  channels.checkOptions("forestChart", o, '{ label: "pair" }');
  const { unit = "points", width = 720 } = o;
  const factor = unit === "points" ? 100 : 1;
  const named = channels.isGroups(effects) ? effects : { "": effects };
  const given = Object.entries(named)
    .flatMap(([name, own]) => effectsOf(name, own, o, factor));
  const all = given.slice(0, MOST_ROWS);
  const texts = textsOf(all);
  const wide = widest(texts.values());
  // A narrow chart has the numbers under the points.
  const isBeside = wide < 0.3 * width;

  // A group's name has a row of its own.
  const lines = [...Map.groupBy(all, (r) => r.group)].flatMap(([name, own]) => [
    ...name === "" ? [] : [{ name, words: "", row: undefined }],
    ...own.map((row) => ({ name: "", words: row.words, row })),
  ]).map((line, i) => ({ ...line, key: i }));
  const keyOf = new Map(lines.map((line) => [line.row, line.key]));
  const y = (r: Effect) => keyOf.get(r);

  const [finite, failed] = [true, false]
    .map((isDone) => all.filter((r) => (r.estimate !== null) === isDone));
  checkNoiseBar("forest", o.noise, factor !== 1);
  const noise = Math.SQRT2 * sdOf(o.noise) * factor;
  const values = finite.flatMap((r) => [r.estimate, r.low, r.high]);
  const x = axisFor([...values, -noise, 0, noise], {
    label: `${o.xLabel ?? "difference in test accuracy"}, ${unit}`,
    scale: o.xScale ?? "linear",
    format: o.xFormat ?? ((v) => String(v).replace("-", "−")),
  });
  const marksOf = (isPublished: boolean) => {
    const own = finite.filter((r) => r.isPublished === isPublished);
    const color = isPublished ? marks.PUBLISHED : marks.OURS;
    // Intervals leave the marker free, so that a hollow one is hollow.
    const half = (x1: string, x2: string, inset: string) =>
      Plot.ruleY(own.filter((r) => r.low !== null && r.high !== null), {
        ...{ y, x1, x2, [inset]: 5, stroke: color, strokeWidth: 2 },
        className: "ferlab-intervals",
      });
    return [
      half("low", "estimate", "insetRight"),
      half("estimate", "high", "insetLeft"),
      Plot.dot(own, {
        ...{ x: "estimate", y, r: 4.5, strokeWidth: 2 },
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
  const table = all.map(({ group, words, estimate, low, high, n }) => ({
    ...group ? { group } : {},
    ...{ effect: words, [unit]: estimate, low, high, n },
  }));
  return frame("forest", { ...o, noise: undefined }, {
    rows: [plainTable("forestChart", table)],
    label: `${x.label}, ${pluralOf(all.length, "row")}`,
    legend: [[
      hasOurs && hasTheirs && marks.oursItem("ours"),
      hasTheirs && marks.publishedItem(),
      noise > 0
        ? { mark: marks.SAMPLES.noise, label: band }
        : o.noise !== undefined &&
          { mark: "", width: 0, label: noiseWords(null) },
    ]],
    notes: [
      failed.length > 0 &&
      `${pluralOf(failed.length, "row")} without a number (failed)`,
      given.length > MOST_ROWS &&
      `${pluralOf(given.length - MOST_ROWS, "row")} left out: ` +
        `more than ${MOST_ROWS}`,
    ],
    ...rowsAxis(lines.map((line) => line.words), {
      ...{ width, least: isBeside ? 24 : 35, most: Infinity },
    }),
    ...{ x, isEmpty: all.length === 0 },
    room: { right: isBeside ? wide + 16 : 0 },
    marks: (area) => [
      Plot.rect(noise > 0 ? [0] : [], {
        ...{ x1: -noise, x2: noise, fillOpacity: 0.1 },
        className: "ferlab-noise",
      }),
      Plot.ruleX([0], { strokeWidth: 1.5, strokeOpacity: 0.7 }),
      Plot.text(lines.filter((line) => line.name !== ""), {
        // Bold is about a tenth wider.
        text: ({ name }: { name: string }) =>
          wrapWords(name, width - 16, 1.1 * FONT_SIZE).join("\n"),
        ...{ y: "key", fontWeight: 700, dx: 8 - area.left },
        ...{ frameAnchor: "left", textAnchor: "start" },
      }),
      ...[true, false].flatMap(marksOf),
      marks.crosses(failed, { x: () => 0, y }),
      Plot.text(all, {
        ...{ y, text: (r: Effect) => texts.get(r), frameAnchor: "right" },
        ...(isBeside
          ? { textAnchor: "start", dx: 12 }
          : { textAnchor: "end", dy: 12, fontSize: 11 }),
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
  const { firstOf, maybe, isNumber, INTERVAL } = channels;
  const chart = group ? `forestChart, ${group}` : "forestChart";
  const table = channels.readChannels(chart, rows, {
    label: o.label ?? firstOf("label", "value"),
    estimate: o.value ?? firstOf("difference", "estimate"),
    ...{ low: o.low ?? INTERVAL.low, high: o.high ?? INTERVAL.high },
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
    ...{ group, words: tip(String(r.label ?? "no name"), r.note?.toString()) },
    ...{ estimate: scaled(r.estimate), low: scaled(r.low) },
    ...{ high: scaled(r.high), n: isNumber(r.n) ? r.n : null },
    isPublished: /^published/i.test(group) ||
      r.published === "true" || r.published === "published",
    values: sidesOf(r.row),
  }));
}

/** What an effect of parameters compares: both sides' values of each. */
function sidesOf(row: unknown): Record<string, unknown[]> {
  const { params, base } = (row ?? {}) as { params?: object; base?: unknown };
  if (typeof params !== "object" || params === null) return {};
  return Object.fromEntries(
    Object.entries(params)
      .map(([name, v]) => [name, [v, channels.ownValue(base, name) ?? base]]),
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
