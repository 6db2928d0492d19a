/** Distribution functions; tails keep their relative precision. */

import { remembered } from "./remembered.ts";
import { incompleteBeta, incompleteGamma } from "./special.ts";

/** The x in [low, high] where an increasing function reaches `target`. */
export function bisect(
  rises: (x: number) => number,
  target: number,
  low: number,
  high: number,
): number {
  for (let i = 0; i < 1100; i++) {
    const middle = low + (high - low) / 2;
    if (middle === low || middle === high) break;
    if (rises(middle) < target) low = middle;
    else high = middle;
  }
  return high;
}

/** A number above 1 where `tail` has fallen to `p` or less. */
export function beyond(tail: (x: number) => number, p: number): number {
  let high = 1;
  while (tail(high) > p && high < 1e300) high *= 2;
  return high;
}

function checkProbability(name: string, p: number): void {
  if (!(p > 0 && p < 1)) {
    throw new RangeError(`${name}: p is ${p}: give a value between 0 and 1`);
  }
}

function checkDf(name: string, df: number): void {
  if (!(df > 0)) {
    throw new RangeError(`${name}: df is ${df}: give one above 0`);
  }
}

/** P(Z > z) of the standard normal. */
export function normalSf(z: number): number {
  const [inside, outside] = incompleteGamma(0.5, z * z / 2);
  return z > 0 ? outside / 2 : 0.5 + inside / 2;
}

/** P(Z <= z) of the standard normal. */
export function normalCdf(z: number): number {
  return normalSf(-z);
}

/** P(T > t) of Student's t with `df` degrees of freedom (DLMF 8.17). */
export function studentSf(t: number, df: number): number {
  checkDf("studentSf", df);
  const square = df + t * t;
  const tail = square === Infinity
    ? 0
    : incompleteBeta(df / square, t * t / square, df / 2, 0.5) / 2;
  return t > 0 ? tail : 1 - tail;
}

/** P(T <= t) of Student's t with `df` degrees of freedom. */
export function studentCdf(t: number, df: number): number {
  return studentSf(-t, df);
}

/** The p-quantile of a distribution that is symmetric about 0. */
function symmetricQuantile(sf: (x: number) => number, p: number): number {
  if (p === 0.5) return 0;
  const tail = Math.min(p, 1 - p);
  const x = bisect((x) => -sf(x), -tail, 0, beyond(sf, tail));
  return p < 0.5 ? -x : x;
}

/**
 * The p-quantile of Student's t with `df` degrees of freedom.
 *
 * @throws RangeError unless 0 < p < 1 and df > 0.
 */
export function studentQuantile(p: number, df: number): number {
  checkProbability("studentQuantile", p);
  checkDf("studentQuantile", df);
  return remembered(
    quantiles,
    `${p} ${df}`,
    () => symmetricQuantile((t) => studentSf(t, df), p),
  );
}

/** All intervals of a study ask for the same few. */
const quantiles = new Map<string, number>();

/**
 * The p-quantile of the standard normal.
 *
 * @throws RangeError unless 0 < p < 1.
 */
export function normalQuantile(p: number): number {
  checkProbability("normalQuantile", p);
  return symmetricQuantile(normalSf, p);
}

/** P(X > x) of the chi-square distribution. */
export function chiSquareSf(x: number, df: number): number {
  checkDf("chiSquareSf", df);
  return incompleteGamma(df / 2, x / 2)[1];
}

/**
 * The p-quantile of the chi-square distribution.
 *
 * @throws RangeError unless 0 < p < 1 and df > 0.
 */
export function chiSquareQuantile(p: number, df: number): number {
  checkProbability("chiSquareQuantile", p);
  checkDf("chiSquareQuantile", df);
  const tails = (x: number) => incompleteGamma(df / 2, x / 2);
  const high = beyond((x) => tails(x)[1], 1 - p);
  return p < 0.5
    ? bisect((x) => tails(x)[0], p, 0, high)
    : bisect((x) => -tails(x)[1], p - 1, 0, high);
}

/** P(X > x) of the F distribution with `df1` and `df2` degrees of freedom. */
export function fSf(x: number, df1: number, df2: number): number {
  checkDf("fSf", df1);
  checkDf("fSf", df2);
  if (x <= 0) return 1;
  if (x === Infinity) return 0;
  const whole = df1 * x + df2;
  return incompleteBeta(df2 / whole, df1 * x / whole, df2 / 2, df1 / 2);
}

/** P(X <= k) of the binomial with `n` trials of probability `p`. */
export function binomialCdf(k: number, n: number, p: number): number {
  if (k < 0) return 0;
  if (k >= n) return 1;
  const whole = Math.floor(k);
  return incompleteBeta(1 - p, p, n - whole, whole + 1);
}

/**
 * The p-quantile of the beta distribution.
 *
 * @throws RangeError unless 0 < p < 1.
 */
export function betaQuantile(p: number, a: number, b: number): number {
  checkProbability("betaQuantile", p);
  return p < 0.5
    ? bisect((x) => incompleteBeta(x, 1 - x, a, b), p, 0, 1)
    : bisect((x) => -incompleteBeta(1 - x, x, b, a), p - 1, 0, 1);
}
