/** How many paired repeats a difference needs: power of the paired t test. */

import { bisect, normalQuantile, studentQuantile } from "./distributions.ts";
import { noncentralTSf } from "./noncentral_t.ts";
import { remembered } from "./remembered.ts";

export interface PairedDesign {
  /** Standard deviation of the paired differences, in their unit. */
  sd: number;
  /** Two-sided; default 0.05. */
  alpha?: number;
}

const MOST_REPEATS = 1e7;

function checkDesign(
  name: string,
  { sd, alpha = 0.05, power = 0.8, n = 2 }: {
    sd: number;
    alpha?: number;
    power?: number;
    n?: number;
  },
): void {
  if (!(sd > 0 && Number.isFinite(sd))) {
    throw new RangeError(
      `${name}: sd is ${sd}: give the spread of the differences, above 0`,
    );
  }
  if (!(alpha > 0 && alpha < 1)) {
    throw new RangeError(`${name}: alpha is ${alpha}: give one in (0, 1)`);
  }
  if (!(power > alpha && power < 1)) {
    throw new RangeError(
      `${name}: power is ${power}: give one between alpha and 1`,
    );
  }
  if (!(Number.isInteger(n) && n >= 2 && n <= MOST_REPEATS)) {
    throw new RangeError(
      `${name}: n is ${n}: give whole repeats, 2 to ten million`,
    );
  }
}

/** P(|T| > t) for the noncentral t of `n` pairs with mean / sd = `effect`. */
function powerOf(n: number, alpha: number): (effect: number) => number {
  const t = studentQuantile(1 - alpha / 2, n - 1);
  return (effect) => {
    const delta = Math.abs(effect) * Math.sqrt(n);
    return noncentralTSf(t, n - 1, delta) + noncentralTSf(t, n - 1, -delta);
  };
}

/**
 * The chance that the two-sided paired t test of `n` repeats finds a true mean
 * difference, exact by the noncentral t (Cohen 1988; statsmodels'
 * TTestPower).
 *
 * @throws RangeError unless n >= 2, sd > 0 and 0 < alpha < 1.
 */
export function pairedPower(
  { n, difference, sd, alpha = 0.05 }: PairedDesign & {
    n: number;
    difference: number;
  },
): number {
  checkDesign("pairedPower", { n, sd, alpha, power: (1 + alpha) / 2 });
  if (!Number.isFinite(difference)) {
    throw new RangeError(
      `pairedPower: difference is ${difference}: give a finite one`,
    );
  }
  return powerOf(n, alpha)(difference / sd);
}

/**
 * The fewest paired repeats with which the two-sided t test finds a true mean
 * difference with at least the chance `power` (default 0.8).
 *
 * @throws RangeError for a difference of 0 or so small that it takes over ten
 * million repeats, sd <= 0, or a power not between alpha and 1.
 */
export function repeatsNeeded(
  { difference, sd, alpha = 0.05, power = 0.8 }: PairedDesign & {
    difference: number;
    power?: number;
  },
): { n: number; power: number } {
  checkDesign("repeatsNeeded", { sd, alpha, power });
  const effect = difference / sd;
  const z = normalQuantile(1 - alpha / 2) + normalQuantile(power);
  const about = (z / effect) ** 2;
  if (!(about < MOST_REPEATS)) {
    throw new RangeError(
      `repeatsNeeded: difference ${difference} with sd ${sd}: over ten ` +
        "million repeats: ask for a larger difference",
    );
  }
  let low = 1;
  let high = Math.max(2, Math.ceil(about));
  while (powerOf(high, alpha)(effect) < power) {
    low = high;
    high *= 2;
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (powerOf(middle, alpha)(effect) < power) low = middle;
    else high = middle;
  }
  return { n: high, power: powerOf(high, alpha)(effect) };
}

/**
 * The smallest true mean difference, in the unit of `sd`, that the two-sided
 * paired t test of `n` repeats finds with the chance `power` (default 0.8).
 *
 * @throws RangeError unless n >= 2, sd > 0 and 0 < alpha < power < 1.
 */
export function detectableDifference(
  { n, sd, alpha = 0.05, power = 0.8 }: PairedDesign & {
    n: number;
    power?: number;
  },
): number {
  checkDesign("detectableDifference", { n, sd, alpha, power });
  return sd * remembered(effects, `${n} ${alpha} ${power}`, () => {
    const reached = powerOf(n, alpha);
    let high = 1;
    while (reached(high) < power) high *= 2;
    return bisect(reached, power, 0, high);
  });
}

/** Differences in units of sd that are found, by n, alpha and power. */
const effects = new Map<string, number>();
