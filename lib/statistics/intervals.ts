/** Intervals for means, proportions and the noise between repeats. */

import {
  betaQuantile,
  chiSquareQuantile,
  normalQuantile,
  studentQuantile,
} from "./distributions.ts";
import {
  bySize,
  checkLevel,
  checkValues,
  mean,
  sumOfSquares,
} from "./sample.ts";

export interface MeanInterval {
  mean: number;
  /** null when one value alone gives no spread. */
  low: number | null;
  high: number | null;
  /** Sample standard deviation (n - 1); null for n = 1. */
  sd: number | null;
  n: number;
}

export interface ProportionInterval {
  p: number;
  low: number;
  high: number;
  k: number;
  n: number;
}

/** All null (and df 0) when no group has two values. */
export interface PooledSd {
  /** In the unit of the values. */
  sd: number | null;
  low: number | null;
  high: number | null;
  df: number;
}

/**
 * Mean with its Student t interval, mean ± t(n-1) · sd / √n, in the unit of
 * `values`. One value has no interval (`low`, `high` and `sd` are null).
 *
 * @throws RangeError for no values, a value that is not finite or a bad level.
 */
export function meanInterval(
  values: readonly number[],
  level = 0.95,
): MeanInterval {
  checkLevel(level);
  checkValues("meanInterval", values);
  return bySize([values], ([values]) => {
    const n = values.length;
    const centre = mean(values);
    if (n === 1) return { mean: centre, low: null, high: null, sd: null, n };
    const sd = Math.sqrt(sumOfSquares(values) / (n - 1));
    const half = studentQuantile(0.5 + level / 2, n - 1) * sd / Math.sqrt(n);
    return { mean: centre, low: centre - half, high: centre + half, sd, n };
  });
}

function checkCounts(name: string, k: number, n: number): void {
  if (!(Number.isInteger(n) && Number.isInteger(k) && k >= 0 && k <= n && n)) {
    throw new RangeError(
      `${name}: ${k} of ${n}: give whole 0 <= k <= n with n > 0`,
    );
  }
}

/**
 * Wilson's score interval for `k` successes out of `n` (Wilson 1927, without
 * continuity correction).
 *
 * @throws RangeError unless 0 <= k <= n and n > 0.
 */
export function wilsonInterval(
  k: number,
  n: number,
  level = 0.95,
): ProportionInterval {
  checkLevel(level);
  checkCounts("wilsonInterval", k, n);
  const z = normalQuantile(0.5 + level / 2);
  const p = k / n;
  const scale = 1 + z * z / n;
  const centre = (p + z * z / (2 * n)) / scale;
  const half = z / scale * Math.sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  const low = k === 0 ? 0 : centre - half;
  const high = k === n ? 1 : centre + half;
  return { p, low, high, k, n };
}

/**
 * The exact interval for `k` successes out of `n`, from quantiles of the beta
 * distribution (Clopper and Pearson 1934): never too short, often too long.
 *
 * @throws RangeError unless 0 <= k <= n and n > 0.
 */
export function clopperPearsonInterval(
  k: number,
  n: number,
  level = 0.95,
): ProportionInterval {
  checkLevel(level);
  checkCounts("clopperPearsonInterval", k, n);
  const tail = (1 - level) / 2;
  const low = k === 0 ? 0 : betaQuantile(tail, k, n - k + 1);
  const high = k === n ? 1 : betaQuantile(1 - tail, k + 1, n - k);
  return { p: k / n, low, high, k, n };
}

/**
 * The noise floor of a study: the standard deviation between repeats of one
 * setting, pooled over settings, √(Σ (n_i - 1) s_i² / Σ (n_i - 1)), with the
 * chi-square interval sd · √(df / χ²). Groups of one value add nothing.
 *
 * @param groups One list of repeats per setting.
 * @throws RangeError for an empty group or a value that is not finite.
 */
export function pooledSd(
  groups: readonly (readonly number[])[],
  level = 0.95,
): PooledSd {
  checkLevel(level);
  for (const values of groups) checkValues("pooledSd", values);
  return bySize(groups, (groups) => {
    const squares = groups.reduce((sum, own) => sum + sumOfSquares(own), 0);
    const df = groups.reduce((n, own) => n + own.length - 1, 0);
    if (df === 0) return { sd: null, low: null, high: null, df };
    const tail = (1 - level) / 2;
    return {
      sd: Math.sqrt(squares / df),
      low: Math.sqrt(squares / chiSquareQuantile(1 - tail, df)),
      high: Math.sqrt(squares / chiSquareQuantile(tail, df)),
      df,
    };
  });
}
