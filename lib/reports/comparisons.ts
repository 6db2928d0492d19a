/** What reports say and draw of comparisons paired by seed. */
import type { Effect } from "../charts/mod.ts";
import { chiSquareQuantile } from "../statistics/mod.ts";
import { analysis } from "../study/mod.ts";
import { points } from "./show.ts";

type Comparison = analysis.Comparison;

/** Fewer paired seeds carry no verdict. */
export const FEWEST = 3;

export const isBetter = (c: Comparison) =>
  c.verdict === "differs" && c.difference! > 0;
export const isWorse = (c: Comparison) =>
  c.verdict === "differs" && c.difference! < 0;

/** The paired seeds of the comparison that has the fewest; 0 of none. */
export const fewestOf = (of: readonly Pick<Comparison, "n">[]): number =>
  of.length === 0 ? 0 : Math.min(...of.map((c) => c.n));

/** "2 paired seeds are too few" */
export const tooFew = (n: number) =>
  `${n} paired ${n === 1 ? "seed is" : "seeds are"} too few`;

/** Of those that are better the one with the largest gain. */
export const leaderOf = <C extends Comparison>(
  of: readonly C[],
): C | undefined =>
  of.filter(isBetter).sort((a, b) => b.difference! - a.difference!)[0];

/** "+1.20 points (−0.30 to +2.70, n 3)"; of shares. */
export function differenceText(
  { difference, low, high, n }: Pick<
    Comparison,
    "difference" | "low" | "high" | "n"
  >,
): string {
  if (difference === null) return "no pair";
  const interval = low === null || high === null
    ? "no interval"
    : `${points(low)} to ${points(high)}`;
  return `${points(difference)} points (${interval}, n ${n})`;
}

/**
 * The difference as a forest plot takes it, in points; none without a pair. The
 * t interval of two seeds is too wide to be drawn.
 */
export function effectOf(
  { difference, low, high, n }: Comparison,
): (Pick<Effect, "estimate" | "low" | "high"> & { note: string })[] {
  if (difference === null) return [];
  const isFew = n < FEWEST;
  const end = (x: number | null) => isFew || x === null ? null : 100 * x;
  return [{
    estimate: 100 * difference,
    low: end(low),
    high: end(high),
    note: isFew ? `n ${n}, no interval` : `n ${n}`,
  }];
}

/** The mean of paired runs as their chart takes it, in shares. */
export const meanOf = (c: Comparison | null | undefined) =>
  c && c.n >= FEWEST
    ? { estimate: c.difference!, low: c.low!, high: c.high! }
    : undefined;

/**
 * How many repeats would see one point, by the spread of the pairs' differences
 * in the comparisons. The spread of a few pairs is itself uncertain, so its
 * upper 80 % limit is taken (Browne 1995, doi 10.1002/sim.4780141709).
 */
export function repeatsWords(
  of: readonly Pick<Comparison, "n" | "t">[],
): string {
  const spreads = of.flatMap(({ t }) => t?.sd ? [t.sd ** 2] : []);
  if (spreads.length === 0) return "the spread of the pairs is unknown";
  const variance = spreads.reduce((a, b) => a + b) / spreads.length;
  const fewest = fewestOf(of);
  const { text } = analysis.repeatsPlan({
    difference: 0.01,
    sd: Math.sqrt(variance * (fewest - 1) / chiSquareQuantile(0.2, fewest - 1)),
    present: fewest,
  });
  return `by the upper 80 % limit of the pairs' spread ${text}`;
}
