/** Correlation coefficients: Pearson, Spearman, Kendall. */

import { checkPairs, inUnit, mean, ranks, sumOfSquares } from "./sample.ts";

/**
 * Pearson's r; null when either list has no spread (one value, or all alike).
 *
 * @throws RangeError for unequal lengths, no values or one not finite.
 */
export function pearson(
  x: readonly number[],
  y: readonly number[],
): number | null {
  checkPairs("pearson", x, y);
  [x, y] = [inUnit(x), inUnit(y)];
  const [mx, my] = [mean(x), mean(y)];
  const spread = Math.sqrt(sumOfSquares(x)) * Math.sqrt(sumOfSquares(y));
  const shared = x.reduce((sum, v, i) => sum + (v - mx) * (y[i] - my), 0);
  return spread === 0 ? null : Math.max(-1, Math.min(1, shared / spread));
}

/** Spearman's rho: Pearson's r of the ranks, ties at their mean rank. */
export function spearman(
  x: readonly number[],
  y: readonly number[],
): number | null {
  checkPairs("spearman", x, y);
  return pearson(ranks(x), ranks(y));
}

/**
 * Kendall's tau-b, corrected for ties (Kendall 1945), pair by pair: meant for
 * up to some thousand values. Null when either list has no spread.
 *
 * @throws RangeError for unequal lengths, no values or one not finite.
 */
export function kendallTauB(
  x: readonly number[],
  y: readonly number[],
): number | null {
  checkPairs("kendallTauB", x, y);
  let [agreement, untiedX, untiedY] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    for (let j = 0; j < i; j++) {
      const dx = Math.sign(x[i] - x[j]);
      const dy = Math.sign(y[i] - y[j]);
      agreement += dx * dy;
      untiedX += dx * dx;
      untiedY += dy * dy;
    }
  }
  const scale = Math.sqrt(untiedX) * Math.sqrt(untiedY);
  return scale === 0 ? null : agreement / scale;
}
