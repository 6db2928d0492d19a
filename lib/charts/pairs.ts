/** Two variants on the same settings and seeds: their differences, a row each. */
import { count } from "./axis.ts";
import {
  type Channel,
  firstOf,
  isNumber,
  listOf,
  maybe,
  read,
  type Rows,
  type Value,
} from "./channels.ts";
import { forestChart } from "./effects.ts";
import type { FrameOptions } from "./frame.ts";
import type { Chart } from "./theme.ts";
import { percent, valueFormat } from "./values.ts";

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
  /** The parameter whose two values are compared: b less a. */
  of: string;
  values: readonly [a: Value | boolean, b: Value | boolean];
  /** Default: the values. */
  aLabel?: string;
  bLabel?: string;
  /** Default: the accuracy. */
  y?: Channel;
  /** What a pair has in common besides the seed; default: all parameters. */
  sharing?: readonly string[];
  /** Drawn under the pairs; one or several, published ones hollow. */
  mean?: Mean | readonly Mean[];
  /** Published runs, by the same channels. */
  published?: Rows;
}

/**
 * Draws b less a of each pair of runs that differ in one parameter alone, with
 * both values in words, and the means given with their intervals. The band is
 * the noise of a difference of two single runs, ±√2 sd. A pair without both
 * numbers has failed; runs without a partner are counted.
 *
 * @example
 * pairedChart(trials, { of: "model", values: ["baseline", "cls"], noise });
 */
export function pairedChart(rows: Rows, o: PairedOptions): Chart {
  const [a, b] = o.values.map(String);
  const { aLabel = a, bLabel = b } = o;
  const means = [o.mean ?? []].flat() as Mean[];
  const notes: string[] = [];
  const sides = [rows, o.published ?? []].map((own, i) => [
    ...pairsOf(own, o, notes),
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

/** The pairs as rows of the forest; in order without seeds. */
function pairsOf(rows: Rows, o: PairedOptions, notes: string[]) {
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
  const say = (v: Value) => isNumber(v) ? percent(v) : "failed";
  return pairs.map(({ run, partner }, i) => {
    const name = [
      ...varied.map((v) => `${v.name} ${v.text(own(run)[v.i])}`),
      // A repeat's number is shorter than its seed.
      isNumber(run.repeat)
        ? `repeat ${run.repeat + 1}`
        : run.seed === null
        ? []
        : `seed ${run.seed}`,
    ].flat().join(", ") || `pair ${i + 1}`;
    const [from, to] = [run.y, partner.y];
    const values = `${say(from)} → ${say(to)}`.replaceAll(" ", "\u00a0");
    return {
      label: `${name}: ${values}`,
      difference: isNumber(from) && isNumber(to) ? to - from : null,
    };
  });
}
