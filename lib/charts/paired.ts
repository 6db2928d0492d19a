/** Two variants on the same settings and seeds: their differences, a row each. */
import { checkShares, pluralOf } from "./axis.ts";
import * as channels from "./channels.ts";
import { forestChart } from "./forest.ts";
import type { FrameOptions } from "./frame.ts";
import type { Chart } from "./theme.ts";
import { percent, valueFormat } from "./value_text.ts";

/** A mean difference and its interval, shares, as `effects` gives them. */
interface Mean {
  difference: number | null;
  low?: number | null;
  high?: number | null;
  label?: string;
  published?: boolean;
}

interface PairedOptions extends FrameOptions {
  /** The parameter whose two values are compared: b minus a. */
  of: string;
  values: readonly [a: unknown, b: unknown];
  /** Default: the values. */
  aLabel?: string;
  bLabel?: string;
  /** Default: the accuracy. */
  y?: channels.Channel;
  /** What a pair has in common besides the seed; default: all parameters. */
  sharing?: readonly string[];
  /** Drawn under the pairs; one or several, published ones hollow. */
  mean?: Mean | readonly Mean[];
  /** Published runs, by the same channels. */
  published?: channels.Rows;
}

/**
 * Draws b minus a of each pair of runs that differ in one parameter alone, with
 * both values in words, and the means given with their intervals. The band is
 * the noise of a difference of two single runs, ±√2 sd. A pair without both
 * numbers has failed; runs without a partner are counted.
 *
 * @example
 * pairedChart(trials, { of: "model", values: ["baseline", "cls"], noise });
 */
export function pairedChart(rows: channels.Rows, o: PairedOptions): Chart {
  const example = '{ of: "model", values: ["baseline", "cls"] }';
  channels.checkOptions("pairedChart", o, example);
  channels.checkList("pairedChart: the values", o.values, 2);
  if (o.sharing) channels.checkList("pairedChart: the sharing", o.sharing);
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
  ).filter(([, own]) => own.length > 0);
  return forestChart(Object.fromEntries(groups), {
    ...{ ...o, value: "difference", label: "label" },
    caption: [...notes, o.caption ?? []].flat().join("; "),
    xLabel: `test accuracy of ${bLabel} minus ${aLabel}`,
  });
}

/** The pairs as rows of the forest; in order without seeds. */
function pairsOf(rows: channels.Rows, o: PairedOptions, notes: string[]) {
  // deno-lint-ignore no-explicit-any
  type Fields = Record<string | symbol, any>;
  const list = channels.listOf("pairedChart", rows, o.sharing) as Fields[];
  const parameters = new Set(list.flatMap((r) => r[channels.PARAMETERS] ?? []));
  if (list.length > 0 && !o.sharing && parameters.size === 0) {
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
  const names: string[] =
    (o.sharing ?? [...parameters].filter((name) => !isDecided(name)))
      .filter((name) => name !== o.of);
  const { rows: runs, words } = channels.readChannels("pairedChart", list, {
    ...{ of: o.of, y: o.y ?? channels.firstOf("accuracy") },
    ...{ seed: (r) => r.seed ?? r.repeat, repeat: channels.maybe("repeat") },
  });
  checkShares(`pairedChart: ${words("y")}`, runs.map((r) => r.y));
  type Run = typeof runs[number];
  const valueAt = ({ row }: Run, name: string) => (row as Fields)[name];
  const [a, b] = o.values.map((value) =>
    runs.filter((r) => String(r.of) === String(value))
  );
  const key = (r: Run) =>
    [...names.map((n) => valueAt(r, n)), r.seed].join("\n");
  const partners = Map.groupBy(b, key);
  const pairs = a.map((run) => [run, partners.get(key(run))?.shift()])
    .filter((pair): pair is [Run, Run] => !!pair[1]);
  const alone = a.length + b.length - 2 * pairs.length;
  if (alone > 0) notes.push(`${pluralOf(alone, "run")} without a partner`);
  const varied = names.map((name) => {
    const values = new Set(pairs.map(([run]) => valueAt(run, name)));
    return { name, values, text: valueFormat([...values]) };
  }).filter(({ values }) => values.size > 1);
  const say = ({ y }: Run) => channels.isNumber(y) ? percent(y) : "failed";
  return pairs.map(([run, partner], i) => {
    const told = varied.map((v) => `${v.name} ${v.text(valueAt(run, v.name))}`);
    // A repeat's number is shorter than its seed.
    if (channels.isNumber(run.repeat)) told.push(`repeat ${run.repeat + 1}`);
    else if (run.seed !== null) told.push(`seed ${run.seed}`);
    const name = told.join(", ") || `pair ${i + 1}`;
    const values = `${say(run)} → ${say(partner)}`.replaceAll(" ", "\u00a0");
    const isDone = [run.y, partner.y].every(channels.isNumber);
    const difference = isDone ? Number(partner.y) - Number(run.y) : null;
    return { label: `${name}: ${values}`, difference };
  });
}
