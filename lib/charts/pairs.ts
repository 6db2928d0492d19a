/** Two variants on the same settings and seeds: their differences, a row each. */
import { count } from "./axis.ts";
import {
  type Channel,
  firstOf,
  listOf,
  maybe,
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
  const [a, b] = "of" in o
    ? o.values.map(String)
    : [o.a, o.b].map((channel) =>
      typeof channel === "string" ? wordsOf(channel) : ""
    );
  const { aLabel = a || "a", bLabel = b || "b" } = o;
  const means = [o.mean ?? []].flat() as Mean[];
  const notes: string[] = [];
  const sides = [rows, o.published ?? []].map((own, i) => [
    ...("of" in o ? longPairs(own, o, notes) : widePairs(own, o)).map(effectOf),
    ...means.filter((m) => !!m.published === (i === 1))
      .map((m) => ({ label: "mean", ...m })),
  ]);
  const isBoth = sides.every((own) => own.length > 0);
  const names = [isBoth ? "ours: " : "", "published: "];
  const groups = sides.map((own, i) =>
    [`${names[i]}${aLabel} → ${bLabel}`, own] as const
  );
  return forestChart(
    Object.fromEntries(groups.filter(([, own]) => own.length > 0)),
    {
      ...{ ...o, value: "difference", label: "label" },
      caption: [...notes, o.caption ?? []].flat().join("; "),
      xLabel: `test accuracy of ${bLabel} less ${aLabel}`,
    },
  );
}

/** A pair as a row of the forest. */
function effectOf({ label, a, b }: Pair) {
  const say = (v: Value) => isNumber(v) ? percent(v) : "failed";
  const values = `${say(a)} → ${say(b)}`.replaceAll(" ", "\u00a0");
  return {
    label: `${label}: ${values}`,
    difference: isNumber(a) && isNumber(b) ? b - a : null,
  };
}

function widePairs(rows: Rows, { a, b, label }: WideOptions): Pair[] {
  const table = read("pairedChart", rows, {
    ...{ a, b, label: label ?? maybe("label", "seed", "repeat") },
  });
  return table.rows.map((r, i) => ({
    ...r,
    label: isNumber(r.label)
      ? `${table.name("label")} ${valueText(r.label)}`
      : r.label ?? `pair ${i + 1}`,
  }));
}

/** Pairs of runs that differ in one parameter alone; in order without seeds. */
function longPairs(rows: Rows, o: LongOptions, notes: string[]): Pair[] {
  // deno-lint-ignore no-explicit-any
  const list = listOf("pairedChart", rows) as Record<string | symbol, any>[];
  const shared: readonly string[] = o.sharing ??
    [...new Set(list.flatMap((r) => r[PARAMETERS] ?? []))];
  if (list.length > 0 && !o.sharing && shared.length === 0) {
    throw new TypeError(
      "pairedChart: these rows do not tell their parameters; name those that " +
        'a pair has in common, such as sharing: ["lr"]',
    );
  }
  // What the compared parameter decides, such as each one's best rate, does not
  // set runs of one of its values apart.
  const isDecided = (name: string) =>
    [...Map.groupBy(list, (r) => r[o.of]).values()]
      .every((own) => new Set(own.map((r) => r[name])).size === 1);
  const names = shared.filter((name) =>
    name !== o.of && (o.sharing !== undefined || !isDecided(name))
  );
  const channels = Object.fromEntries(names.map((name) => [`= ${name}`, name]));
  const table = read("pairedChart", list, {
    ...{ of: o.of, y: o.y ?? firstOf("accuracy"), ...channels },
    seed: (r) => r.seed ?? r.repeat,
    repeat: maybe("repeat"),
  });
  type Run = typeof table.rows[number];
  const own = (r: Run) => names.map((name) => r[`= ${name}` as "of"]);
  const [a, b] = o.values.map((value) =>
    table.rows.filter((r) => String(r.of) === String(value))
  );
  const key = (r: Run) => JSON.stringify([own(r), r.seed]);
  const partners = Map.groupBy(b, key);
  const pairs = a.flatMap((run) => {
    const partner = partners.get(key(run))?.shift();
    return partner ? [{ run, partner }] : [];
  });
  const alone = a.length + b.length - 2 * pairs.length;
  if (alone > 0) notes.push(`${count(alone, "run")} without a partner`);
  const varied = names.map((name, i) => {
    const values = [...new Set(pairs.map(({ run }) => own(run)[i]))];
    return { name, i, values, text: valueFormat(values) };
  }).filter(({ values }) => values.length > 1);
  return pairs.map(({ run, partner }, i) => ({
    label: [
      ...varied.map((v) => `${v.name} ${v.text(own(run)[v.i])}`),
      // A repeat's number is shorter than its seed.
      isNumber(run.repeat)
        ? `repeat ${run.repeat + 1}`
        : run.seed === null
        ? []
        : `seed ${run.seed}`,
    ].flat().join(", ") || `pair ${i + 1}`,
    ...{ a: run.y, b: partner.y },
  }));
}
