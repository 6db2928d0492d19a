/** The two special functions that all distributions here are made of. */

import { remembered } from "./remembered.ts";

const MAX_TERMS = 1_000_000;

/**
 * ln Γ(x) less Stirling's (x - 1/2) ln x - x + ln √(2π), for x > 0
 * (Abramowitz and Stegun 6.1.41; below 10 by Γ(x + 1) = x Γ(x)).
 */
const stirlingError = (x: number): number =>
  remembered(errors, x, () => errorOf(x));

/** Halves of a few degrees of freedom are asked for again and again. */
const errors = new Map<number, number>();

function errorOf(x: number): number {
  if (x < 10) {
    // Γ(x) = Γ(x + 1) / x, taken through both Stirling forms.
    return errorOf(x + 1) + (x + 0.5) * Math.log1p(1 / x) - 1;
  }
  const y = 1 / (x * x);
  return (1 / 12 -
    y * (1 / 360 -
        y * (1 / 1260 -
            y * (1 / 1680 -
                y * (1 / 1188 - y * 691 / 360360))))) / x;
}

/** Keeps Lentz's algorithm from dividing by zero. */
const away = (v: number) => Math.abs(v) < 1e-300 ? 1e-300 : v;

/**
 * Regularised incomplete beta I_x(a, b) by Lentz's continued fraction
 * (DLMF 8.17.22). `y` is 1 - x, given apart so that neither end loses digits.
 */
export function incompleteBeta(
  x: number,
  y: number,
  a: number,
  b: number,
): number {
  if (x <= 0) return 0;
  if (y <= 0) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(y, x, b, a);
  // x^a y^b / B(a, b), with the large logarithms cancelled beforehand.
  const power = a * Math.log(x * (a + b) / a) + b * Math.log(y * (a + b) / b);
  const errors = stirlingError(a + b) - stirlingError(a) - stirlingError(b);
  const front = Math.exp(power + errors) *
    Math.sqrt(a / (a + b) * b / (2 * Math.PI));
  let c = 1;
  let d = 1 / away(1 - (a + b) * x / (a + 1));
  let fraction = d;
  for (let m = 1; m < MAX_TERMS; m++) {
    const even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    fraction *= d * c;
    const odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return front * fraction / a;
}

/**
 * Regularised incomplete gamma, both tails: [P(a, x), Q(a, x)], by the series
 * (DLMF 8.11.4) below x = a + 1 and Lentz's continued fraction (8.9.2) above.
 */
export function incompleteGamma(a: number, x: number): [number, number] {
  if (x <= 0) return [0, 1];
  if (x === Infinity) return [1, 0];
  // x^a e^-x / Γ(a)
  const front = Math.exp(a * Math.log(x / a) + a - x - stirlingError(a)) *
    Math.sqrt(a / (2 * Math.PI));
  if (x < a + 1) {
    let term = 1 / a;
    let sum = term;
    for (let k = 1; k < MAX_TERMS && term > sum * 1e-17; k++) {
      term *= x / (a + k);
      sum += term;
    }
    return [front * sum, 1 - front * sum];
  }
  let b = x + 1 - a;
  let c = 1e300;
  let d = 1 / b;
  let fraction = d;
  for (let k = 1; k < MAX_TERMS; k++) {
    const step = k * (a - k);
    b += 2;
    d = 1 / away(step * d + b);
    c = away(b + step / c);
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return [1 - front * fraction, front * fraction];
}
