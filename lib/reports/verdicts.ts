/** From effects to a verdict: the few rules that most claims are judged by. */
import { percent } from "../charts/mod.ts";
import { chiSquareQuantile } from "../statistics/mod.ts";
import { analysis, type ParamValue } from "../study/mod.ts";
import {
  type Effect,
  effectsText,
  FEWEST,
  fewest,
  leaderOf,
  seedsText,
} from "./effects.ts";
import { asRuns, isDone, type Row } from "./rows.ts";
import { valueText } from "./show.ts";

export type Verdict = "holds" | "does not hold" | "cannot tell" | "not yet run";

export interface Judgement {
  /** Our number, with its interval where it has one. */
  ours: string;
  verdict: Verdict;
  /** The rule's reason: noise, confounds, what is missing. */
  why: string;
  /** At any other profile it cannot be told, for this reason. */
  onlyAt?: { profile: string; because: string };
}

/** Of a claim that the trials neither bear out nor refute. */
export const cannotTell = (why: string, ours = "–"): Judgement => ({
  ours,
  verdict: "cannot tell",
  why,
});

/** Of a claim that a condition settles. */
export const holdsIf = (
  isHeld: boolean,
  why: string,
  ours: string,
): Judgement => ({ ours, verdict: isHeld ? "holds" : "does not hold", why });

/** Of a claim that no trial here is about. */
export const notRun = (why: string, ours = "–"): Judgement => ({
  ours,
  verdict: "not yet run",
  why,
});

/** A verdict by a rule of one's own: the first reason that applies counts. */
export const byRule = (
  ours: string,
  { missing = false, fails, holds, open }: {
    /** Why nothing can be said yet, such as too few runs. */
    missing?: string | false;
    fails: string | false;
    holds: string | false;
    open: string;
  },
): Judgement =>
  missing !== false
    ? cannotTell(missing, ours)
    : fails !== false
    ? { ours, verdict: "does not hold", why: fails }
    : holds !== false
    ? { ours, verdict: "holds", why: holds }
    : cannotTell(open, ours);

/** "2 paired seeds are too few" */
export const tooFew = (n: number): string =>
  `${n} paired ${n === 1 ? "seed is" : "seeds are"} too few`;

/**
 * How many repeats would see one point, by the spread of the pairs' differences
 * in the effects. The spread of a few pairs is itself uncertain, so its upper
 * 80 % limit is taken (Browne 1995, doi 10.1002/sim.4780141709).
 */
export function repeatsText(
  of: readonly Pick<Effect, "n" | "sd">[],
): string {
  const spreads = of.flatMap(({ sd }) => sd ? [sd ** 2] : []);
  if (spreads.length === 0) return "the spread of the pairs is unknown";
  const variance = spreads.reduce((a, b) => a + b) / spreads.length;
  const present = fewest(of);
  const { text } = analysis.repeatsPlan({
    difference: 0.01,
    sd: Math.sqrt(
      variance * (present - 1) / chiSquareQuantile(0.2, present - 1),
    ),
    present,
  });
  return `by the upper 80 % limit of the pairs' spread ${text}`;
}

/**
 * How many repeats would see a difference (a share) in this noise of one run;
 * the difference of two has √2 times its sd.
 */
export const repeatsFor = (difference: number, { sd }: { sd: number }) =>
  sd > 0
    ? analysis.repeatsPlan({ difference, sd: Math.SQRT2 * sd }).text
    : "the repeats do not differ";

/** What a verdict says, where the usual words do not fit the claim. */
export interface Words {
  /** Our numbers; the effects' own text without it. */
  ours?: string;
  /** Why it holds, does not hold, or is open. */
  holds?: string;
  fails?: string;
  open?: string;
  /** Why nothing can be said where there is no effect. */
  missing?: string;
  /** Whether the seeds' differences are listed. */
  seeds?: boolean;
  /** Whether an open one says how many repeats it would take (default). */
  repeats?: boolean;
}

/** One rule over effects: what makes it hold, what makes it fail. */
function judge(
  of: readonly Effect[],
  w: Words,
  rule: {
    holds: string | false;
    fails: string | false;
    open: string;
  },
): Judgement {
  if (of.length === 0) {
    return cannotTell(w.missing ?? "no two values have finished runs");
  }
  const ours = w.ours ?? effectsText(of);
  const n = fewest(of);
  const seeds = w.seeds ? `; ${of.map(seedsText).join("; ")}` : "";
  const repeats = w.repeats === false || n < FEWEST
    ? ""
    : `; ${repeatsText(of)}`;
  return byRule(ours, {
    missing: n < FEWEST && tooFew(n),
    fails: rule.fails !== false && (w.fails ?? rule.fails) + seeds,
    holds: rule.holds !== false && (w.holds ?? rule.holds) + seeds,
    open: (w.open ?? rule.open) + seeds + repeats,
  });
}

const TEST = "paired t tests, Holm";
const labels = (of: readonly Effect[]) => of.map((e) => e.label).join(", ");
const size = (points: number) =>
  points === 1 ? "one point" : `${points} points`;

/**
 * "The base will do": holds if every interval excludes a gain of `points` by
 * another value, does not if another is better.
 */
export function noGain(
  of: readonly Effect[],
  { points = 1, ...words }: Words & { points?: number } = {},
): Judgement {
  const better = of.filter((e) => e.isBetter);
  return judge(of, words, {
    fails: better.length > 0 &&
      `${labels(better)} is better than ${better[0].base} (${TEST})`,
    holds: of.every((e) => e.high !== null && e.high < points / 100) &&
      `every interval excludes a gain of ${size(points)}`,
    open: `none is shown to be better, but a gain of ${
      points === 1 ? "a point" : size(points)
    } is not excluded`,
  });
}

/**
 * "Another value helps": holds if one is better, does not if every interval
 * excludes a gain of `points`.
 */
export function gains(
  of: readonly Effect[],
  { points = 1, ...words }: Words & { points?: number } = {},
): Judgement {
  const better = of.filter((e) => e.isBetter);
  return judge(of, words, {
    fails: better.length === 0 &&
      of.every((e) => e.high !== null && e.high < points / 100) &&
      `none is better, and every interval excludes a gain of ${
        points === 1 ? "a point" : size(points)
      }`,
    holds: better.length > 0 &&
      `${labels(better)} is better than ${better[0].base} (${TEST})`,
    open: `none is shown to be better, but a gain of ${
      points === 1 ? "a point" : size(points)
    } is not excluded`,
  });
}

/** "Each is better than the base": does not hold if one is worse. */
export function better(of: readonly Effect[], words: Words = {}): Judgement {
  const worse = of.filter((e) => e.isWorse);
  return judge(of, words, {
    fails: worse.length > 0 &&
      `${labels(worse)} is worse than ${worse[0].base} (${TEST})`,
    holds: of.every((e) => e.isBetter) && `each is better (${TEST})`,
    open: "not told apart",
  });
}

/** "Each is worse than the base": does not hold if one is better. */
export function worse(of: readonly Effect[], words: Words = {}): Judgement {
  const over = of.filter((e) => e.isBetter);
  return judge(of, words, {
    fails: over.length > 0 &&
      `${labels(over)} is better than ${over[0].base} (${TEST})`,
    holds: of.every((e) => e.isWorse) && `each is worse (${TEST})`,
    open: "not told apart",
  });
}

/**
 * "As good as the base": holds if every interval lies within ± `points`, does
 * not if one that differs lies beyond.
 */
export function equal(
  of: readonly Effect[],
  { points = 1, ...words }: Words & { points?: number } = {},
): Judgement {
  const margin = points / 100;
  const ends = (e: Effect) => [Math.abs(e.low!), Math.abs(e.high!)];
  return judge(of, words, {
    fails: of.some((e) =>
      e.verdict === "differs" && Math.min(...ends(e)) > margin
    ) && `the interval lies beyond ${size(points)}`,
    holds: of.every((e) =>
      Math.max(...ends(e)) < margin
    ) &&
      `the interval lies within ± ${size(points)}`,
    open: `the interval holds differences above ${size(points)}`,
  });
}

/** The value with the best mean, and those that are not told apart from it. */
export interface NearBest {
  value: number;
  mean: number;
  /** Runs of the best value. */
  n: number;
  /** Rising, `value` included (paired t tests, Holm). */
  near: number[];
  /** Lowest and highest value tried. */
  tried: [number, number];
  others: Pick<Effect, "n" | "sd">[];
}

/** Null where no run is complete; a value that always failed is not near. */
export function nearBest(
  rows: readonly Row[],
  parameter: string,
): NearBest | null {
  if (!rows.some(isDone)) return null;
  const { settings, comparisons } = analysis.compareAll(asRuns(rows), {
    direction: "maximize",
    by: [parameter],
    bySeed: true,
  });
  const at = (params: Record<string, ParamValue>) => Number(params[parameter]);
  const [{ params, mean, n }] = settings;
  const failed = settings.filter((s) => s.n === 0).map((s) => at(s.params));
  const others = comparisons
    .filter((c) => c.verdict !== "differs" && !failed.includes(at(c.a)))
    .map((c) => at(c.a));
  const tried = settings.map((s) => at(s.params));
  return {
    value: at(params),
    mean: mean!,
    n,
    near: [at(params), ...others].sort((a, b) => a - b),
    tried: [Math.min(...tried), Math.max(...tried)],
    others: comparisons.map((c) => ({ n: c.n, sd: c.t?.sd ?? null })),
  };
}

/**
 * "The best value lies in [low, high]": holds if it does with all values that
 * are not told apart from it, does not if none of them does.
 *
 * @param o.onlyAt The profile whose net can settle it: the best rate of another
 * net says little about it.
 */
export function peakWithin(
  rows: readonly Row[],
  parameter: string,
  [low, high]: [number, number],
  o: { onlyAt?: string; missing?: string } = {},
): Judgement {
  const found = nearBest(rows, parameter);
  if (!found) return cannotTell(o.missing ?? "no run is finished");
  const text = (value: number) => valueText(parameter, value);
  const others = found.near.filter((v) => v !== found.value);
  const ours = `best at ${text(found.value)} (${percent(found.mean)}); ` +
    `not told apart from it: ${others.map(text).join(", ") || "none"}`;
  const inside = found.near.filter((v) => v >= low && v <= high).length;
  const place = inside === found.near.length
    ? "inside"
    : inside === 0
    ? "outside"
    : "partly outside";
  const word = parameter === "lr" ? "rate" : parameter;
  const why =
    `the best ${word} and those not told apart from it lie ${place} ` +
    `${text(low)} to ${text(high)} (${TEST}; tried ${
      found.tried.map(text).join(" to ")
    })`;
  const verdict = place === "inside" ? "holds" : "does not hold";
  const settled: Judgement = found.n < FEWEST
    ? cannotTell(`${found.n} repeats are too few`, ours)
    : place === "partly outside"
    ? cannotTell(`${why}; ${repeatsText(found.others)}`, ours)
    : { ours, verdict, why };
  if (o.onlyAt === undefined) return settled;
  const because = `a ${word} belongs to its net, batch and epochs, and ours ` +
    `are not the notes'; on ours ${why}`;
  return { ...settled, onlyAt: { profile: o.onlyAt, because } };
}

/**
 * The base unless another value beats it, then the one that gains most;
 * undefined with fewer than three paired seeds.
 */
export function keepUnlessBeaten(
  of: readonly Effect[],
): ParamValue | undefined {
  if (fewest(of) < FEWEST) return undefined;
  return leaderOf(of)?.value ?? of[0].base;
}
