/** p-values corrected for testing many hypotheses at once. */

/** Rising order of `p`, and a way to put its adjusted values back in place. */
function inOrder(
  p: readonly number[],
  adjust: (sorted: number[]) => number[],
): number[] {
  const bad = p.find((v) => !(v >= 0 && v <= 1));
  if (bad !== undefined) {
    throw new RangeError(`adjust: a p-value is ${bad}: give ones in [0, 1]`);
  }
  const order = p.map((_, i) => i).sort((i, j) => p[i] - p[j]);
  const found = new Array<number>(p.length);
  adjust(order.map((i) => p[i])).forEach((v, place) =>
    found[order[place]] = Math.min(1, v)
  );
  return found;
}

/** Each value raised to the largest before it. */
function rising(values: number[]): number[] {
  let largest = 0;
  return values.map((v) => largest = Math.max(largest, v));
}

/**
 * Holm's step-down correction (Holm 1979): the family-wise error, with no
 * assumption on how the tests depend. In the order given.
 *
 * @throws RangeError for a p-value outside [0, 1].
 */
export function holm(p: readonly number[]): number[] {
  return inOrder(p, (s) => rising(s.map((v, i) => (s.length - i) * v)));
}

/** Holm's steps with Šidák's bound: for independent tests. */
export function holmSidak(p: readonly number[]): number[] {
  return inOrder(
    p,
    (s) =>
      rising(s.map((v, i) => -Math.expm1((s.length - i) * Math.log1p(-v)))),
  );
}

/** Bonferroni's correction: each p times their number. */
export function bonferroni(p: readonly number[]): number[] {
  return inOrder(p, (s) => s.map((v) => s.length * v));
}

/** Benjamini and Hochberg (1995): the false discovery rate. */
export function benjaminiHochberg(p: readonly number[]): number[] {
  return inOrder(p, (s) => {
    let least = 1;
    return s.map((v, i) => v * s.length / (i + 1)).reverse()
      .map((v) => least = Math.min(least, v)).reverse();
  });
}
