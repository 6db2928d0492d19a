/** What every test starts from: mean, deviation, quantiles, ranks. */

/** @throws RangeError for no values or one that is not finite. */
export function checkValues(name: string, values: readonly number[]): void {
  if (values.length === 0) {
    throw new RangeError(`${name}: no values: give one at least`);
  }
  const bad = values.find((v) => !Number.isFinite(v));
  if (bad !== undefined) {
    throw new RangeError(`${name}: a value is ${bad}: drop failed trials`);
  }
}

/** @throws RangeError unless both are finite and of one length. */
export function checkPairs(
  name: string,
  a: readonly number[],
  b: readonly number[],
): void {
  if (a.length !== b.length) {
    throw new RangeError(
      `${name}: ${a.length} and ${b.length} values: pair them one to one`,
    );
  }
  checkValues(name, a);
  checkValues(name, b);
}

/** @throws RangeError for a mark other than 0 and 1. */
export function checkMarks(
  name: string,
  ...lists: (readonly number[])[]
): void {
  const bad = lists.flat().find((mark) => mark !== 0 && mark !== 1);
  if (bad !== undefined) {
    throw new RangeError(`${name}: a mark is ${bad}: give 1 right, 0 wrong`);
  }
}

/** @throws RangeError unless 0 < level < 1. */
export function checkLevel(level: number): void {
  if (!(level > 0 && level < 1)) {
    throw new RangeError(`interval: level is ${level}: give one in (0, 1)`);
  }
}

/** The arithmetic mean. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, v) => sum + v, 0) / values.length;
}

/** `values` over a power of two that brings the largest to about 1, which keeps all bits. */
export function inUnit(values: readonly number[], unit = unitOf(values)) {
  return values.map((v) => v / unit);
}

function unitOf(values: readonly number[]): number {
  const largest = values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  const unit = 2 ** Math.floor(Math.log2(largest));
  return unit > 0 && unit < Infinity ? unit : 1;
}

const UNITLESS = new Set(["n", "t", "df", "p", "cohenD"]);

/**
 * What `of` finds of `lists` in a unit in which no square overflows or vanishes;
 * means and spreads are in the lists' own unit again.
 */
export function bySize<T extends object>(
  lists: readonly (readonly number[])[],
  of: (lists: number[][]) => T,
): T {
  const unit = unitOf(lists.flat());
  const found = of(lists.map((values) => inUnit(values, unit)));
  return Object.fromEntries(
    Object.entries(found).map(([name, value]) => [
      name,
      UNITLESS.has(name) || value === null ? value : value * unit,
    ]),
  ) as T;
}

/** Σ (v - mean)²; exactly 0 for values that are all the same. */
export function sumOfSquares(values: readonly number[]): number {
  if (values.every((v) => v === values[0])) return 0;
  const centre = mean(values);
  return values.reduce((sum, v) => sum + (v - centre) ** 2, 0);
}

/** The p-quantile of values in rising order (see `quantile`). */
export function sortedQuantile(
  sorted: ArrayLike<number>,
  p: number,
): number {
  const position = p * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  const share = position - below;
  return sorted[below] + share * (sorted[above] - sorted[below]);
}

/**
 * The p-quantile of a sample: linear between order statistics, at position
 * p (n - 1) (Hyndman and Fan 1996, type 7; NumPy's and R's default).
 *
 * @throws RangeError for no values, one that is not finite, or p outside [0, 1].
 */
export function quantile(values: readonly number[], p: number): number {
  checkValues("quantile", values);
  if (!(p >= 0 && p <= 1)) {
    throw new RangeError(`quantile: p is ${p}: give one in [0, 1]`);
  }
  return sortedQuantile(Float64Array.from(values).sort(), p);
}

/**
 * `differences`, taken of `values`, with those made equal, or zero, that only
 * the rounding of floats keeps apart: as shares 8/3000 - 5/3000 and
 * 7/3000 - 4/3000 are not the same number, as counts of hits both are 3.
 * Values that float32 holds exactly are taken to have been rounded to it.
 */
export function tied(
  differences: readonly number[],
  values: readonly number[],
): number[] {
  if (values.every(Number.isInteger)) return [...differences];
  const ulp = values.every((v) => Math.fround(v) === v) ? 2 ** -23 : 2 ** -52;
  const largest = values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  const rounding = 16 * ulp * largest;
  const order = differences.map((_, i) => i)
    .sort((i, j) => Math.abs(differences[i]) - Math.abs(differences[j]));
  const found = new Array<number>(differences.length);
  let last = 0, size = 0;
  for (const i of order) {
    const own = Math.abs(differences[i]);
    if (own - last > rounding) size = own;
    last = own;
    found[i] = size && Math.sign(differences[i]) * size;
  }
  return found;
}

/**
 * `a` less `b`, pair by pair, for tests on signs and ranks: differences that
 * only the rounding of floats keeps apart are the same.
 *
 * @throws RangeError for unequal lengths, no values or one not finite.
 */
export function pairedDifferences(
  a: readonly number[],
  b: readonly number[],
): number[] {
  checkPairs("pairedDifferences", a, b);
  return tied(a.map((v, i) => v - b[i]), [...a, ...b]);
}

/** Ranks from 1 for the smallest; equal values share their mean rank. */
export function ranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((i, j) => values[i] - values[j]);
  const found = new Array<number>(values.length);
  for (const [start, size] of tieRuns(values)) {
    for (let i = start; i < start + size; i++) {
      found[order[i]] = start + (size + 1) / 2;
    }
  }
  return found;
}

/** Runs of equal values in rising order: [first place from 0, length]. */
function tieRuns(values: readonly number[]): [number, number][] {
  const sorted = [...values].sort((a, b) => a - b);
  const runs: [number, number][] = [];
  for (let i = 0; i < sorted.length; i++) {
    if (i > 0 && sorted[i] === sorted[i - 1]) runs[runs.length - 1][1]++;
    else runs.push([i, 1]);
  }
  return runs;
}

/** Σ (t³ - t) over groups of t equal values: the tie term of rank tests. */
export function tieTerm(values: readonly number[]): number {
  return tieRuns(values).reduce((sum, [, t]) => sum + t ** 3 - t, 0);
}
