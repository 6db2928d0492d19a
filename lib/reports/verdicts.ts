/** From effects to a verdict: the few rules that most claims are judged by. */
import { channels, percent } from "../charts/mod.ts";
import { chiSquareQuantile } from "../statistics/mod.ts";
import { analysis, type ParamValue, StudyError } from "../study/mod.ts";
import {
  alphaOf,
  baseText,
  type Effect,
  effectsIn,
  effectsText,
  FEWEST,
  fewest,
  leaderOf,
  seedsText,
  type Testing,
  whyNone,
} from "./effects.ts";
import {
  andText,
  asRuns,
  isDone,
  parametersOf,
  type Row,
  rowsOf,
  valueAt,
  valueText,
} from "../rows/mod.ts";

/** Each verdict's sign, text and ground, in the order of their counts. */
const LOOKS = {
  "holds": ["✓", "#0b5a22", "#d6f5de"],
  "does not hold": ["✗", "#8c1a12", "#fde0dc"],
  "cannot tell": ["?", "#6a4a00", "#fff0c4"],
  "not yet run": ["○", "#424a53", "#e4e8ec"],
} as const;

export type Verdict = keyof typeof LOOKS;
export const VERDICTS = Object.keys(LOOKS) as [Verdict, ...Verdict[]];

/** "✓ holds"; of several "✓ 2 holds". */
export const verdictText = (verdict: Verdict, n?: number): string =>
  [LOOKS[verdict][0], n ?? [], verdict].flat().join(" ");

/** The same with its colour, which reads on a light and a dark page. */
export function verdictHtml(verdict: Verdict, n?: number): string {
  const [, color, ground] = LOOKS[verdict], text = verdictText(verdict, n);
  return `<span class="verdict" style="color:${color};background:${ground};` +
    `border-radius:9px;padding:0 .5em;white-space:nowrap">${text}</span>`;
}

/** "✓ 2 holds, ? 1 cannot tell"; of each that there is its text, as `look`. */
export const countsText = (
  claims: readonly { verdict: Verdict }[],
  look = verdictText,
  joint = ", ",
): string =>
  VERDICTS.flatMap((verdict) => {
    const n = claims.filter((c) => c.verdict === verdict).length;
    return n > 0 ? look(verdict, n) : [];
  }).join(joint);

export interface Judgement {
  /** Our number, with its interval where it has one. */
  ours: string;
  verdict: Verdict;
  /** The rule's reason: noise, confounds, what is missing. */
  why: string;
  /** Where it cannot be told: any difference is smaller than this. */
  under?: string;
  /** At any other profile it cannot be told, for this reason. */
  onlyAt?: { profile: string; because: string };
}

const judgement =
  (verdict: Verdict) => (why: string, ours = "–"): Judgement => ({
    ours,
    verdict,
    why,
  });

/** Of a claim that the trials neither bear out nor refute. */
export const cannotTell = judgement("cannot tell");

/** Of a claim that no trial here is about. */
export const notRun = judgement("not yet run");

/** Of a claim that a condition settles. */
export const holdsIf = (isHeld: boolean, why: string, ours: string) =>
  judgement(isHeld ? "holds" : "does not hold")(why, ours);

/** Why a rule holds or fails, where it does, or is open. */
type Reasons = Record<"holds" | "fails", string | false> & { open: string };

/** A verdict by a rule of one's own: the first reason that applies counts. */
export function byRule(
  ours: string,
  reasons: Reasons & {
    /** Why nothing can be said yet, such as too few runs. */
    missing?: string | false;
  },
): Judgement {
  channels.checkOptions("byRule", reasons, "{ fails, holds, open }");
  const { missing = false, fails, holds, open } = reasons;
  for (const [name, why] of Object.entries({ missing, fails, holds, open })) {
    const isOpen = name === "open";
    if (typeof why === "string" || why === false && !isOpen) continue;
    const more = isOpen ? "" : ", or false where it does not apply";
    throw new StudyError(
      `byRule: ${name} is ${why}: give its reason as text${more}`,
    );
  }
  if (missing !== false) return cannotTell(missing, ours);
  if (fails !== false) return holdsIf(false, fails, ours);
  return holds !== false ? holdsIf(true, holds, ours) : cannotTell(open, ours);
}

const areFew = (n: number, noun: string): string =>
  `${analysis.counted(n, noun)} ${n === 1 ? "is" : "are"} too few`;
/** "2 paired seeds are too few" */
export const tooFew = (n: number, isUnpaired = false): string =>
  areFew(n, `${isUnpaired ? "un" : ""}paired seed`);

/**
 * How many repeats would see one point, by the spread of the pairs' differences
 * in the effects. The spread of a few pairs is itself uncertain, so its upper
 * 80 % limit is taken (Browne 1995, doi 10.1002/sim.4780141709).
 */
export function repeatsText(
  of: readonly Pick<Effect, "n" | "sd">[],
): string {
  const known = of.filter((e) => e.sd);
  if (known.length === 0) return "the spread of the pairs is unknown";
  const present = fewest(known), df = present - 1;
  const variance = known.reduce((sum, e) => sum + e.sd! ** 2, 0) / known.length;
  const sd = Math.sqrt(variance * df / chiSquareQuantile(0.2, df));
  const { text } = analysis.repeatsPlan({ difference: 0.01, sd, present });
  return `at the upper 80 % limit of the pairs' spread, ${text}`;
}

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
  /** The difference that counts, of the rules that have one; one point. */
  points?: number;
}

/** A rule over effects, by what of them makes it hold and fail. */
const rule = (
  name: string,
  reasons: (of: readonly Effect[], points: number) => Reasons,
) =>
(given: readonly Effect[], w: Words = {}): Judgement => {
  channels.checkOptions(name, w, "{ points: 1 }");
  const { points = 1 } = w;
  if (!(typeof points === "number" && points >= 0)) {
    const what = channels.whatIs(points);
    throw new StudyError(`${name}: points is ${what}: give a number from 0`);
  }
  const of = effectsIn(name, given);
  if (of.length === 0) return cannotTell(w.missing ?? whyNone(given));
  const { holds, fails, open } = reasons(of, points);
  const n = fewest(of);
  const seeds = w.seeds ? `; ${of.map(seedsText).join("; ")}` : "";
  const repeats = w.repeats === false || n < FEWEST
    ? ""
    : `; ${repeatsText(of)}`;
  const under = n >= FEWEST && areWithin(of, points) ? size(points) : undefined;
  const small = under ? `; any difference is under ${under}` : "";
  const judged = byRule(w.ours ?? effectsText(of), {
    missing: n < FEWEST && tooFew(n, of.some((e) => e.unpaired)),
    fails: fails !== false && (w.fails ?? fails) + seeds,
    holds: holds !== false && (w.holds ?? holds) + seeds,
    open: (w.open ?? open) + small + seeds + repeats,
  });
  const isSmall = !!under && judged.verdict === "cannot tell";
  return { ...judged, ...isSmall && { under } };
};

/** The tests that were made of effects. */
function testOf(
  of: readonly { unpaired?: boolean; testing?: Testing }[],
): string {
  const { paired, correction } = of[0]?.testing ?? {};
  const tests = !of.some((e) => e.unpaired)
    ? "paired t tests"
    : !of.every((e) => e.unpaired)
    ? "t tests, paired where seeds are shared"
    : paired === false
    ? "unpaired t tests"
    : "unpaired t tests, as no seed is shared";
  return `${tests}, ${correction === "none" ? "uncorrected" : "Holm"}`;
}

/** "depth 4 and 8 are better than 2 (paired t tests, Holm)"; false of none. */
const areTold = (of: readonly Effect[], word: "better" | "worse") => {
  const told = of.filter((e) => word === "better" ? e.isBetter : e.isWorse);
  if (told.length === 0) return false;
  const [name] = /^\S+ |/.exec(told[0].label)!;
  const isShared = told.every((e) => e.label.startsWith(name));
  const labels = told.map(({ label }, i) =>
    i > 0 && isShared ? label.slice(name.length) : label
  );
  return `${andText(labels)} ${told.length > 1 ? "are" : "is"} ${word} than ${
    andText([...new Set(told.map(baseText))])
  } (${testOf(told)})`;
};

const size = (points: number) =>
  points === 1 ? "one point" : `${points} points`;
const isNoGain = (of: readonly Effect[], points: number) =>
  of.every((e) => e.high !== null && e.high < points / 100);
/** How far an interval's ends lie from 0, in points; NaN without one. */
const ends = ({ low, high }: Effect) =>
  [low, high].map((end) => 100 * Math.abs(end ?? NaN));
/** Whether every interval lies within ± `points`. */
const areWithin = (of: readonly Effect[], points: number) =>
  of.every((e) => Math.max(...ends(e)) < points);
const ruledOut = (of: readonly Effect[], points: number) =>
  `${of.length > 1 ? "every" : "the"} interval rules out a gain of ` +
  size(points);
const notRuledOut = (points: number) =>
  `no gain is shown, but one of ${size(points)} cannot be ruled out`;

/**
 * "The base will do": holds if every interval excludes a gain of `points` by
 * another value, does not if another is better.
 */
export const noGain = rule("noGain", (of, points) => ({
  fails: areTold(of, "better"),
  holds: isNoGain(of, points) && ruledOut(of, points),
  open: notRuledOut(points),
}));

/**
 * "Another value helps": holds if one is better, does not if every interval
 * excludes a gain of `points`.
 */
export const gains = rule("gains", (of, points) => {
  const holds = areTold(of, "better");
  const fails = !holds && isNoGain(of, points) &&
    `no gain is shown, and ${ruledOut(of, points)}`;
  return { fails, holds, open: notRuledOut(points) };
});

/** "depth 4 vs 2: cannot be distinguished (paired t tests, Holm)" */
function notTold(of: readonly Effect[]): string {
  const same = of.filter((e) => e.verdict !== "differs");
  // The tests are corrected, the intervals are not.
  const isCorrected = same.some(({ low, high }) =>
    low !== null && high !== null && low * high > 0
  );
  return `${same.map((e) => e.pair).join(", ")}: cannot be distinguished (${
    testOf(of)
  })` + (isCorrected ? "; an interval is of its comparison alone" : "");
}

/** A rule that all effects differ to one side, and none to the other. */
const allAre = (word: "better" | "worse", other: "better" | "worse") =>
  rule(word, (of) => ({
    fails: areTold(of, other),
    holds: of.every((e) => areTold([e], word)) && areTold(of, word),
    open: notTold(of),
  }));

/** "Each is better than the base": does not hold if one is worse. */
export const better = allAre("better", "worse");

/** "Each is worse than the base": does not hold if one is better. */
export const worse = allAre("worse", "better");

/**
 * "As good as the base": holds if every interval lies within ± `points`, does
 * not if one that differs lies beyond.
 */
export const equal = rule("equal", (of, points) => {
  const isBeyond = (e: Effect) =>
    e.verdict === "differs" && Math.min(...ends(e)) > points;
  return {
    fails: of.some(isBeyond) && `the interval lies beyond ± ${size(points)}`,
    holds: areWithin(of, points) &&
      `the interval lies within ± ${size(points)}`,
    open: of.some((e) => e.low === null)
      ? "there is no interval"
      : `the interval includes differences above ${size(points)}`,
  };
});

/**
 * The value with the best mean, those indistinguishable from it (`near`,
 * rising, itself included; paired t tests, Holm), and the lowest and highest
 * tried. Null where no run is complete; a value that always failed is not near.
 */
export function nearBest(
  rows: Iterable<Row>,
  parameter: string,
  testing?: Testing,
) {
  const list = rowsOf("nearBest", rows, [parameter, "accuracy"])
    .filter((row) => row[parameter] != null);
  const odd = list.find((row) => typeof valueAt(row, parameter) !== "number");
  if (odd) {
    const what = `nearBest: ${parameter} "${odd[parameter]}"`;
    throw new StudyError(`${what} is no number: a peak is one among numbers`);
  }
  if (!list.some(isDone)) return null;
  const runs = asRuns("nearBest", list, parametersOf(list, [parameter]));
  const { settings, comparisons } = analysis.compareAll(runs, {
    direction: "maximize",
    ...{ bootstrap: false, ranked: false },
    by: [parameter],
    bySeed: true,
    ...testing,
    alpha: alphaOf(testing),
  });
  const [best, ...worse] = settings;
  const valueOf = ({ params }: typeof best) => Number(params[parameter]);
  const tried = settings.map(valueOf);
  const near = worse
    .filter((s, i) => s.n > 0 && comparisons[i].verdict !== "differs");
  return {
    value: valueOf(best),
    mean: best.mean!,
    n: best.n,
    near: [best, ...near].map(valueOf).sort((a, b) => a - b),
    tried: [Math.min(...tried), Math.max(...tried)] as const,
    others: comparisons.map(({ n, t, kind }) => ({
      n,
      sd: t?.sd ?? null,
      unpaired: kind === "unpaired",
      testing,
    })),
  };
}

/**
 * "The best value lies in [low, high]": holds if it does with all values that
 * cannot be distinguished from it, does not if none of them does.
 *
 * @param o.onlyAt The profile whose net can settle it: the best rate of another
 * net says little about it.
 * @throws StudyError for a range that is none, and values that are no numbers
 */
export function peakWithin(
  rows: Iterable<Row>,
  parameter: string,
  range: [number, number],
  o: Testing & { onlyAt?: string; missing?: string } = {},
): Judgement {
  if (!Array.isArray(range) || range.length !== 2) {
    const what = `peakWithin: the range is ${channels.whatIs(range)}`;
    throw new StudyError(`${what}: give [low, high]`);
  }
  const [low, high] = range;
  if (!(low <= high)) {
    const what = `peakWithin: the range is ${low} to ${high}`;
    throw new StudyError(`${what}: give its low end first`);
  }
  const { level, correction, paired } = o;
  const found = nearBest(rows, parameter, { level, correction, paired });
  if (!found) return cannotTell(o.missing ?? "no run is finished");
  const text = (value: number) => valueText(parameter, value);
  const { near, value, tried } = found;
  const others = near.filter((v) => v !== value).map(text).join(", ");
  const ours = `best at ${text(value)} (${percent(found.mean)})` +
    (others
      ? `; indistinguishable from ${others}`
      : found.others.length > 0
      ? "; better than all others"
      : "");
  const isInside = near.every((v) => v >= low && v <= high);
  const isOutside = near.every((v) => v < low || v > high);
  const place = isInside ? "inside" : isOutside ? "outside" : "partly outside";
  const word = parameter === "lr" ? "rate" : parameter;
  const why = `the best ${word} and those indistinguishable from it lie ` +
    `${place} ${text(low)} to ${text(high)} (${testOf(found.others)}; ` +
    `tried ${tried.map(text).join(" to ")})`;
  const settled = byRule(ours, {
    missing: found.n < FEWEST
      ? areFew(found.n, "repeat")
      : found.others.length === 0 && `only ${text(value)} was tried`,
    fails: isOutside && why,
    holds: isInside && why,
    open: `${why}; ${repeatsText(found.others)}`,
  });
  if (o.onlyAt === undefined) return settled;
  const because = `the best ${word} depends on net, batch size and epochs, ` +
    `and ours are not the notes'; here ${why}`;
  return { ...settled, onlyAt: { profile: o.onlyAt, because } };
}

/**
 * The base unless another value beats it, then the one that gains most;
 * undefined with fewer than three paired seeds.
 */
export function keepUnlessBeaten(
  of: readonly Effect[],
): ParamValue | undefined {
  const all = effectsIn("keepUnlessBeaten", of);
  if (fewest(all) < FEWEST) return undefined;
  return leaderOf(all)?.value ?? all[0].base;
}
