/** Whether two settings differ: paired where their seeds match. */
import {
  type BootstrapInterval,
  bootstrapInterval,
  oneSampleTTest,
  type SignTest,
  signTest,
  tied,
  type TTest,
  type WelchTest,
  welchTTest,
  wilcoxonSignedRank,
  type WilcoxonTest,
} from "../../statistics/mod.ts";
import {
  canonical,
  canonicalNumber,
  type Params,
  StudyError,
} from "../definition.ts";
import { mcnemarOf, type McNemarResult } from "./mcnemar.ts";
import {
  type AnalysisRow,
  isRun,
  onePerPoint,
  rowsWith,
  type Run,
} from "./rows.ts";
import {
  counted,
  describe,
  showDifference,
  showP,
  showSize,
  type Unit,
} from "./text.ts";

export type Verdict = "differs" | "indistinguishable" | "too few repeats";

export interface CompareOptions {
  /** The true class per test image, for McNemar's test. */
  truth?: Uint8Array;
  /** Default 0.05. */
  alpha?: number;
  /** Of the intervals; default 0.95. */
  level?: number;
  /** Whether runs that match are pairs (default); else Welch's test is made. */
  paired?: boolean;
  /** What the values are; default points. */
  unit?: Unit;
  /**
   * Pairs of one seed count as one, by the mean of their differences: runs of
   * a seed under several settings, such as learning rates, are no repeats.
   */
  bySeed?: boolean;
  /** Whether there is a bootstrap interval too (default): 10 ms each. */
  bootstrap?: boolean;
}

/** The comparison of a with b; differences are a less b. */
export interface Comparison {
  a: Params;
  b: Params;
  kind: "paired" | "unpaired";
  /** Pairs, or seeds with one; unpaired the runs (seeds) of the smaller side. */
  n: number;
  /** Complete runs that have no partner; 0 when unpaired. */
  leftOut: number;
  /** Of pairs, or seeds: what both share, and the (mean) difference. */
  differences: { block: string; difference: number }[];
  /** Mean difference; null where a side has no run. */
  difference: number | null;
  /** Its interval, of the paired or Welch's t test. */
  low: number | null;
  high: number | null;
  t: TTest | null;
  welch: WelchTest | null;
  /** Of the mean difference, from three pairs, where it is asked for. */
  bootstrap: BootstrapInterval | null;
  sign: SignTest | null;
  /** Only with enough pairs to reach alpha: six for 0.05. */
  wilcoxon: WilcoxonTest | null;
  mcnemar: McNemarResult | null;
  /** The p that the verdict rests on: the t test's. */
  p: number | null;
  verdict: Verdict;
  /** All of this in one line. */
  text: string;
}

/** Fewer pairs, or runs a side, say nothing. */
const FEWEST = 3;

const seedOf = (run: Run) =>
  run.seed === undefined ? `repeat ${run.repeat}` : `seed ${run.seed}`;

/** What a run shares with its partner, exactly: all but `names`, and the seed. */
function blockOf(run: Run, names: readonly string[]): string {
  const shared = Object.entries(run.params)
    .filter(([name]) => !names.includes(name)).sort()
    .map(([name, value]) =>
      `${name} ${typeof value === "number" ? canonicalNumber(value) : value}`
    );
  return [...shared, seedOf(run)].join(", ");
}

/** Complete runs that have `params`, by what they share with others. */
export function runsByBlock(
  rows: readonly AnalysisRow[],
  params: Params,
): Map<string, Run> {
  const names = Object.keys(params);
  const runs = onePerPoint(rowsWith("comparison", params, rows)).filter(isRun);
  return new Map(runs.map((run) => [blockOf(run, names), run]));
}

/** 0.95 → "95 %". */
const percentOf = (level: number) =>
  `${Number((100 * level).toPrecision(4))} %`;

/** All of a comparison in one line; `adjusted` where its p is Holm's. */
export function comparisonText(
  c: Comparison,
  options: CompareOptions,
  adjusted = false,
): string {
  const { alpha = 0.05, level = 0.95, unit = "points" } = options;
  const { bySeed, paired = true } = options;
  const noun = bySeed ? "seed" : "pair";
  const parts = [`${describe(c.a)} against ${describe(c.b)}:`];
  if (c.difference !== null) {
    parts.push(showDifference(c.difference, unit));
    if (c.low !== null && c.high !== null) {
      const ends = `${showSize(c.low, unit)} to ${showSize(c.high, unit)}`;
      parts.push(`(${percentOf(level)} interval ${ends})`);
    }
    parts.push(
      c.kind === "paired"
        ? `over ${counted(c.n, noun)},`
        : paired
        ? "unpaired, as their seeds do not match,"
        : "unpaired,",
    );
  }
  parts.push(
    c.verdict === "too few repeats"
      ? `${c.verdict}: n=${c.n}.`
      : `${c.verdict} (${showP(c.p!)}${adjusted ? " after Holm" : ""}).`,
  );
  if (c.verdict === "differs" && c.sign && c.sign.p >= alpha) {
    const agree = Math.min(c.sign.positive, c.sign.negative) === 0;
    const least = agree ? `, the least that ${c.n} ${noun}s can reach` : "";
    parts.push(
      `Suggestive only: the sign test has ${showP(c.sign.p)}${least}.`,
    );
  }
  if (c.leftOut > 0) {
    parts.push(`${counted(c.leftOut, "run")} without a partner left out.`);
  }
  if (c.mcnemar) {
    const { b, c: other, midP } = c.mcnemar.pooled;
    parts.push(
      `Of the pairs' test images ${b} only the first gets right, ${other} only ` +
        `the second (McNemar ${showP(midP)}, of these networks alone).`,
    );
  }
  return parts.join(" ");
}

/** The mean of each seed's items. */
function meansBySeed<T>(
  items: readonly T[],
  seedOf: (item: T) => string,
  valueOf: (item: T) => number,
): { block: string; mean: number }[] {
  return [...Map.groupBy(items, seedOf)].map(([block, own]) => ({
    block,
    mean: own.reduce((sum, item) => sum + valueOf(item), 0) / own.length,
  }));
}

/**
 * Compares all runs that have the parameters `a` with those that have `b`.
 * Runs of the same seed (repeat, where no seed is known) and the same other
 * parameters are a pair. Where no two pairs are found, but more runs, Welch's
 * test of both groups takes their place. The verdict: under three pairs (or
 * runs a side) "too few repeats"; else "differs" where the t test's p is below
 * alpha (0 or 1 where the values have no spread), "indistinguishable" where it is
 * not, which does not say that both are equal.
 *
 * @param a Full settings, or some parameters: `{ model: "cls" }` against
 * `{ model: "baseline" }` pairs runs of the same learning rate and seed.
 * @throws StudyError where no trial has a or b, or they name other parameters.
 */
export function compareSettings(
  rows: readonly AnalysisRow[],
  a: Params,
  b: Params,
  options: CompareOptions = {},
): Comparison {
  const { truth, alpha = 0.05, level = 0.95, paired = true } = options;
  const { bySeed = false, bootstrap = true } = options;
  const names = (params: Params) => Object.keys(params).sort().join(", ");
  if (names(a) !== names(b) || canonical(a) === canonical(b)) {
    throw new StudyError(
      `comparison: ${describe(a)} against ${describe(b)}: give two values of ` +
        "the same parameters",
    );
  }
  const first = runsByBlock(rows, a), second = runsByBlock(rows, b);
  const pairs = [...first].flatMap(([block, run]) => {
    const partner = second.get(block);
    return partner ? [{ block, a: run, b: partner }] : [];
  });
  const isPaired = paired &&
    pairs.length >= Math.min(2, first.size, second.size);
  const differenceOf = (p: typeof pairs[0]) => p.a.value - p.b.value;
  const raw = !isPaired
    ? []
    : bySeed
    ? meansBySeed(pairs, (p) => seedOf(p.a), differenceOf)
    : pairs.map((p) => ({ block: p.block, mean: differenceOf(p) }));
  // Shares that differ by as many hits must tie in signs and ranks.
  const numbers = tied(
    raw.map(({ mean }) => mean),
    pairs.flatMap((p) => [p.a.value, p.b.value]),
  );
  const differences = raw.map(({ block }, i) => ({
    block,
    difference: numbers[i],
  }));
  const t = numbers.length > 0 ? oneSampleTTest(numbers, 0, level) : null;
  const sign = numbers.length > 0 ? signTest(numbers) : null;
  const valuesOf = (runs: Map<string, Run>) =>
    bySeed
      ? meansBySeed([...runs.values()], seedOf, (run) => run.value)
        .map(({ mean }) => mean)
      : [...runs.values()].map((run) => run.value);
  const sides = [valuesOf(first), valuesOf(second)];
  const welch = isPaired ? null : welchTTest(sides[0], sides[1], level);
  const n = isPaired
    ? differences.length
    : Math.min(sides[0].length, sides[1].length);
  const difference = t?.mean ?? welch?.difference ?? null;
  const hasNoSpread = t?.sd === 0 || welch?.se === 0;
  const p = hasNoSpread ? (difference === 0 ? 1 : 0) : t?.p ?? welch?.p ?? null;
  const comparison: Comparison = {
    a,
    b,
    kind: isPaired ? "paired" : "unpaired",
    n,
    leftOut: isPaired ? first.size + second.size - 2 * pairs.length : 0,
    differences,
    difference,
    low: t?.low ?? welch?.low ?? null,
    high: t?.high ?? welch?.high ?? null,
    t,
    welch,
    bootstrap: bootstrap && numbers.length >= FEWEST
      ? bootstrapInterval(numbers)
      : null,
    sign,
    wilcoxon: 2 ** (1 - numbers.length) < alpha
      ? wilcoxonSignedRank(numbers)
      : null,
    mcnemar: truth && isPaired ? mcnemarOf(pairs, truth) : null,
    p,
    verdict: n < FEWEST || p === null
      ? "too few repeats"
      : p < alpha
      ? "differs"
      : "indistinguishable",
    text: "",
  };
  return { ...comparison, text: comparisonText(comparison, options) };
}
