/** Two variants on the same settings and seeds: their differences, a row each. */
import { count } from "./axis.ts";
import {
  type Channel,
  firstOf,
  listOf,
  maybe,
  type Read,
  read,
  type Rows,
  type Value,
  wordsOf,
} from "./channels.ts";
import { forestChart } from "./effects.ts";
import type { FrameOptions } from "./frame.ts";
import { isNumber, valueFormat, valueText } from "./scales.ts";
import { type Chart, percent } from "./theme.ts";

/** Under this key a row of a study keeps the names of its parameters. */
const PARAMETERS = Symbol.for("ferlab.parameters");

/** A mean difference and its interval, shares, as `effects` gives them. */
interface Mean {
  difference: number | null;
  low?: number | null;
  high?: number | null;
  label?: string;
  n?: number;
  published?: boolean;
}

interface PairedOptions extends FrameOptions {
  aLabel?: string;
  bLabel?: string;
  /** Drawn under the pairs; one or several, published ones hollow. */
  mean?: Mean | readonly Mean[];
  /** Pairs of published runs, by the same channels. */
  published?: Rows;
}

/** Rows that hold both values. */
interface WideOptions extends PairedOptions {
  a: Channel;
  b: Channel;
  /** The pair's name; default: its label, else its seed. */
  label?: Channel;
}

/** Rows of runs, of which two are a pair. */
interface LongOptions extends PairedOptions {
  /** The parameter whose two values are compared: b less a. */
  of: string;
  values: readonly [a: Value | boolean, b: Value | boolean];
  /** Default: the accuracy. */
  y?: Channel;
  /** What a pair has in common besides the seed; default: all parameters. */
  sharing?: readonly string[];
}

interface Pair {
  label: string;
  a: Value;
  b: Value;
}

/**
 * Draws b less a of each pair, with both values in words, and the means given
 * with their intervals. The band is the noise of a difference of two single
 * runs, ±√2 sd. A pair without both numbers has failed; runs without a partner
 * are counted.
 *
 * @example
 * pairedChart(trials, { of: "model", values: ["baseline", "cls"], noise });
 * pairedChart(seeds, { a: "baseline", b: "cls" });
 */
export function pairedChart(rows: Rows, o: WideOptions | LongOptions): Chart {
  const [aLabel, bLabel] = "of" in o
    ? [o.aLabel ?? String(o.values[0]), o.bLabel ?? String(o.values[1])]
    : [o.aLabel ?? wordOf(o.a, "a"), o.bLabel ?? wordOf(o.b, "b")];
  const pairsOf = (own: Rows) =>
    "of" in o ? longPairs(own, o) : widePairs(own, o);
  const ours = pairsOf(rows), theirs = pairsOf(o.published ?? []);
  const means = o.mean === undefined ? [] : [o.mean].flat() as Mean[];
  const groups = ([["ours", ours], ["published", theirs]] as const)
    .flatMap(([whose, { pairs }]) => {
      const own = means.filter((m) => !!m.published === (whose !== "ours"));
      if (pairs.length + own.length === 0) return [];
      const isAlone = ours.pairs.length === 0 || theirs.pairs.length === 0;
      const name = `${aLabel} → ${bLabel}`;
      return [[
        whose === "ours" && isAlone ? name : `${whose}: ${name}`,
        [
          ...pairs.map(effectOf),
          ...own.map((m) => ({ ...m, label: m.label ?? "mean" })),
        ],
      ]];
    });
  const caption = [
    ...ours.notes,
    ...theirs.notes.map((note) => `published: ${note}`),
    ...(o.caption ? [o.caption] : []),
  ].join("; ");
  return forestChart(Object.fromEntries(groups), {
    ...o,
    value: "difference",
    label: "label",
    caption,
    xLabel: `test accuracy of ${bLabel} less ${aLabel}`,
  });
}

const wordOf = (channel: Channel, name: string) =>
  typeof channel === "string" ? wordsOf(channel) : name;

/** A pair as a row of the forest. */
function effectOf({ label, a, b }: Pair) {
  const say = (v: Value) => isNumber(v) ? percent(v) : "failed";
  const values = `${say(a)} → ${say(b)}`.replaceAll(" ", "\u00a0");
  return {
    label: `${label}: ${values}`,
    difference: isNumber(a) && isNumber(b) ? b - a : null,
  };
}

function widePairs(rows: Rows, o: WideOptions) {
  const table = read("pairedChart", rows, {
    a: o.a,
    b: o.b,
    label: o.label ?? maybe("label", "seed", "repeat"),
  });
  const nameOf = (v: Value, i: number) =>
    isNumber(v)
      ? `${table.name("label")} ${valueText(v)}`
      : v ?? `pair ${i + 1}`;
  return {
    pairs: table.rows.map((r, i): Pair => ({
      ...r,
      label: nameOf(r.label, i),
    })),
    notes: [],
  };
}

/** Pairs of runs that differ in one parameter alone. */
function longPairs(rows: Rows, o: LongOptions) {
  const list = listOf("pairedChart", rows) as Record<symbol, string[]>[];
  const shared = o.sharing ??
    [...new Set(list.flatMap((r) => r[PARAMETERS] ?? []))];
  if (list.length > 0 && !o.sharing && shared.length === 0) {
    throw new TypeError(
      "pairedChart: these rows do not tell their parameters; name those that " +
        'a pair has in common, such as sharing: ["lr"]',
    );
  }
  const names = shared.filter((name) => name !== o.of);
  const table = read("pairedChart", list, {
    of: o.of,
    y: o.y ?? firstOf("accuracy"),
    seed: (r) => r.seed ?? r.repeat,
    repeat: maybe("repeat"),
    ...Object.fromEntries(names.map((name) => [`shared ${name}`, name])),
  });
  type Run = Read<"of" | "y" | "seed" | "repeat">;
  const keyOf = (r: Run) => names.map((name) => r[`shared ${name}` as "of"]);
  const [a, b] = o.values.map(String);
  const runs = table.rows.filter((r) => [a, b].includes(String(r.of)));
  const blocks = [
    ...Map.groupBy(
      runs as Run[],
      (r) => JSON.stringify([keyOf(r), r.seed]),
    ).values(),
  ].flatMap((own) => {
    // Runs without a seed are pairs in their order.
    const [as, bs] = [a, b].map((v) => own.filter((r) => String(r.of) === v));
    return Array.from(
      { length: Math.max(as.length, bs.length) },
      (_, i) => ({ key: keyOf(own[0]), run: own[0], a: as[i], b: bs[i] }),
    );
  });
  const whole = blocks.filter((p) => p.a && p.b);
  const varied = names.map((name, i) => {
    const values = [...new Set(whole.map((p) => p.key[i]))];
    return { name, i, values, text: valueFormat(values) };
  }).filter(({ values }) => values.length > 1);
  // A repeat's number is shorter than its seed.
  const seedOf = ({ repeat, seed }: Run) =>
    isNumber(repeat)
      ? [`repeat ${repeat + 1}`]
      : seed !== null
      ? [`seed ${seed}`]
      : [];
  const alone = blocks.length - whole.length;
  return {
    pairs: whole.map((p, i): Pair => ({
      label: [
        ...varied.map((v) => `${v.name} ${v.text(p.key[v.i])}`),
        ...seedOf(p.run),
      ].join(", ") || `pair ${i + 1}`,
      a: p.a.y,
      b: p.b.y,
    })),
    notes: alone > 0 ? [`${count(alone, "run")} without a partner`] : [],
  };
}
