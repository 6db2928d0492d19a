/** Student's and Welch's t tests, two-sided, with their intervals. */

import { studentQuantile, studentSf } from "./distributions.ts";
import { type MeanInterval, meanInterval } from "./intervals.ts";
import {
  bySize,
  checkLevel,
  checkValues,
  pairedDifferences,
} from "./sample.ts";

/** Of one value, or of values all the same, t, p and Cohen's d are null. */
export interface TTest extends MeanInterval {
  /** sd / √n. */
  se: number | null;
  t: number | null;
  df: number;
  /** Two-sided. */
  p: number | null;
  /** (mean - expected) / sd; of paired differences, Cohen's d_z. */
  cohenD: number | null;
}

/** Null where a group has one value, or neither has any spread. */
export interface WelchTest {
  /** mean(a) - mean(b). */
  difference: number;
  low: number | null;
  high: number | null;
  se: number | null;
  t: number | null;
  /** Welch–Satterthwaite; not whole. */
  df: number | null;
  /** Two-sided. */
  p: number | null;
}

/**
 * Is the mean of `values` another than `expected`? The interval is that of
 * the mean.
 *
 * @throws RangeError for no values, a value that is not finite or a bad level.
 */
export function oneSampleTTest(
  values: readonly number[],
  expected = 0,
  level = 0.95,
): TTest {
  checkValues("oneSampleTTest", values);
  return bySize([values, [expected]], ([values, [expected]]) => {
    const interval = meanInterval(values, level);
    const { mean, sd, n } = interval;
    const df = n - 1;
    const se = sd === null ? null : sd / Math.sqrt(n);
    if (!sd || !se) {
      return { ...interval, se, t: null, df, p: null, cohenD: null };
    }
    const t = (mean - expected) / se;
    const p = 2 * studentSf(Math.abs(t), df);
    return { ...interval, se, t, df, p, cohenD: (mean - expected) / sd };
  });
}

/**
 * The t test of the differences a - b, pair by pair (for example per seed or
 * per learning rate); `mean` is the mean difference.
 *
 * @throws RangeError for unequal lengths, no values or one not finite.
 */
export function pairedTTest(
  a: readonly number[],
  b: readonly number[],
  level = 0.95,
): TTest {
  return oneSampleTTest(pairedDifferences(a, b), 0, level);
}

/**
 * Do two unpaired groups differ in their mean? Their spreads may differ too
 * (Welch 1947).
 *
 * @throws RangeError for an empty group or a value that is not finite.
 */
export function welchTTest(
  a: readonly number[],
  b: readonly number[],
  level = 0.95,
): WelchTest {
  checkLevel(level);
  checkValues("welchTTest", a);
  checkValues("welchTTest", b);
  return bySize(
    [a, b],
    ([a, b]) => welch(meanInterval(a), meanInterval(b), level),
  );
}

function welch(
  first: MeanInterval,
  second: MeanInterval,
  level: number,
): WelchTest {
  const difference = first.mean - second.mean;
  const nothing = { low: null, high: null, t: null, df: null, p: null };
  if (first.sd === null || second.sd === null) {
    return { difference, se: null, ...nothing };
  }
  const va = first.sd ** 2 / first.n;
  const vb = second.sd ** 2 / second.n;
  const se = Math.sqrt(va + vb);
  if (se === 0) return { difference, se, ...nothing };
  const share = va / (va + vb);
  const df = 1 /
    (share ** 2 / (first.n - 1) + (1 - share) ** 2 / (second.n - 1));
  const t = difference / se;
  const half = studentQuantile(0.5 + level / 2, df) * se;
  return {
    difference,
    low: difference - half,
    high: difference + half,
    se,
    t,
    df,
    p: 2 * studentSf(Math.abs(t), df),
  };
}
