/** Tests on signs and counts of pairs: McNemar, sign, Wilcoxon. */

import { binomialCdf, chiSquareSf, normalSf } from "./distributions.ts";
import {
  checkMarks,
  checkPairs,
  checkValues,
  ranks,
  tieTerm,
} from "./sample.ts";

/** With b + c = 0 the exact tests give 1 and chi-square is null. */
export interface McNemarTest {
  /** Pairs where the first is right and the second wrong. */
  b: number;
  /** Pairs the other way round. */
  c: number;
  exactP: number;
  midP: number;
  chi2: number | null;
  chi2P: number | null;
  /** With Edwards' continuity correction. */
  chi2Corrected: number | null;
  chi2CorrectedP: number | null;
}

export interface SignTest {
  positive: number;
  negative: number;
  zeros: number;
  /** Two-sided, exact; 1 when all differences are zero. */
  p: number;
}

export interface WilcoxonTest {
  /** Rank sum of the positive differences. */
  wPlus: number;
  wMinus: number;
  /** Differences that are not zero. */
  n: number;
  zeros: number;
  /** Two-sided; 1 when all differences are zero. */
  p: number;
  method: "exact" | "normal approximation";
}

/** P(X <= k) for n fair coins. */
const coins = (k: number, n: number) => binomialCdf(k, n, 0.5);

/** Two-sided p of the smaller of two counts, exact. */
function exactP(a: number, b: number): number {
  return Math.min(1, 2 * coins(Math.min(a, b), a + b));
}

/**
 * McNemar's test from the two counts of discordant pairs: exact; mid-p, where
 * in each tail the table seen counts half, so 2 P(X <= min) - P(X = min), and
 * 1 - P(X = b) / 2 for b = c, where both tails meet in it (Fagerland, Lydersen
 * and Laake 2013, doi 10.1186/1471-2288-13-91, and its supplement);
 * chi-square (b - c)² / (b + c), and (|b - c| - 1)² / (b + c).
 *
 * @throws RangeError unless both counts are whole and not negative.
 */
export function mcnemarTest(b: number, c: number): McNemarTest {
  if (!(Number.isInteger(b) && Number.isInteger(c) && b >= 0 && c >= 0)) {
    throw new RangeError(
      `mcnemarTest: ${b} and ${c}: give the whole counts of both kinds of pairs`,
    );
  }
  const n = b + c;
  const least = Math.min(b, c);
  const seen = coins(least, n) - coins(least - 1, n);
  const midP = n === 0
    ? 1
    : b === c
    ? 1 - seen / 2
    : 2 * coins(least, n) - seen;
  const chi2 = n === 0 ? null : (b - c) ** 2 / n;
  const chi2Corrected = n === 0 ? null : (Math.abs(b - c) - 1) ** 2 / n;
  return {
    b,
    c,
    exactP: exactP(b, c),
    midP,
    chi2,
    chi2P: chi2 === null ? null : chiSquareSf(chi2, 1),
    chi2Corrected,
    chi2CorrectedP: chi2Corrected === null
      ? null
      : chiSquareSf(chi2Corrected, 1),
  };
}

/**
 * The counts that `mcnemarTest` takes, from two lists of 1 (right) and 0
 * (wrong) over the same images.
 *
 * @throws RangeError for unequal lengths or a mark other than 0 and 1.
 */
export function discordantPairs(
  first: readonly number[],
  second: readonly number[],
): { b: number; c: number } {
  checkPairs("discordantPairs", first, second);
  checkMarks("discordantPairs", first, second);
  const count = (right: number) =>
    first.filter((mark, i) => mark === right && second[i] !== right).length;
  return { b: count(1), c: count(0) };
}

/**
 * Are differences more often of one sign? Exact and two-sided; zeros are left
 * out.
 *
 * @throws RangeError for no differences or one that is not finite.
 */
export function signTest(differences: readonly number[]): SignTest {
  checkValues("signTest", differences);
  const positive = differences.filter((d) => d > 0).length;
  const negative = differences.filter((d) => d < 0).length;
  const zeros = differences.length - positive - negative;
  return { positive, negative, zeros, p: exactP(positive, negative) };
}

/** Up to here every sign pattern is counted; 2^50 patterns are exact. */
const EXACT_UP_TO = 50;

/** P(rank sum <= w) when each rank is in it or not with even chance. */
function signedRankCdf(w: number, rankList: number[]): number {
  // Doubled, so that shared ranks are whole numbers.
  const doubled = rankList.map((rank) => Math.round(2 * rank));
  const total = doubled.reduce((sum, rank) => sum + rank, 0);
  const patterns = new Float64Array(total + 1);
  patterns[0] = 1;
  for (const rank of doubled) {
    for (let s = total; s >= rank; s--) patterns[s] += patterns[s - rank];
  }
  const below = patterns.subarray(0, Math.round(2 * w) + 1);
  return below.reduce((sum, count) => sum + count, 0) / 2 ** rankList.length;
}

/**
 * Wilcoxon's signed-rank test; zeros are left out (Wilcoxon 1945). Up to 50
 * differences exact, with shared ranks where sizes tie (SciPy's permutation
 * method); above, the normal approximation with the variance corrected for
 * ties and no continuity correction (SciPy's default there). Take differences
 * by `pairedDifferences`, or equal ones do not tie.
 *
 * @throws RangeError for no differences or one that is not finite.
 */
export function wilcoxonSignedRank(
  differences: readonly number[],
): WilcoxonTest {
  checkValues("wilcoxonSignedRank", differences);
  const moved = differences.filter((d) => d !== 0);
  const n = moved.length;
  const sizes = moved.map(Math.abs);
  const rankList = ranks(sizes);
  const total = n * (n + 1) / 2;
  const wPlus = rankList.reduce((sum, r, i) => moved[i] > 0 ? sum + r : sum, 0);
  const wMinus = total - wPlus;
  const counts = { wPlus, wMinus, n, zeros: differences.length - n };
  const least = Math.min(wPlus, wMinus);
  if (n <= EXACT_UP_TO) {
    const p = Math.min(1, 2 * signedRankCdf(least, rankList));
    return { ...counts, p, method: "exact" };
  }
  const variance = (n * (n + 1) * (2 * n + 1) - tieTerm(sizes) / 2) / 24;
  const z = (total / 2 - least) / Math.sqrt(variance);
  return { ...counts, p: 2 * normalSf(z), method: "normal approximation" };
}
