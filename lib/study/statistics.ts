/** Intervals for small samples: Student's t for means, Wilson for proportions. */

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

// Lanczos approximation, g = 7, n = 9 (Godfrey); about 1e-15 for x > 0.5.
const LANCZOS = [
  0.99999999999980993,
  676.5203681218851,
  -1259.1392167224028,
  771.32342877765313,
  -176.61502916214059,
  12.507343278686905,
  -0.13857109526572012,
  9.9843695780195716e-6,
  1.5056327351493116e-7,
];

function logGamma(x: number): number {
  let sum = LANCZOS[0];
  for (let i = 1; i < LANCZOS.length; i++) sum += LANCZOS[i] / (x - 1 + i);
  const t = x + 6.5;
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t +
    Math.log(sum);
}

/** Regularised incomplete beta I_x(a, b): Lentz's continued fraction. */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(
    a * Math.log(x) + b * Math.log1p(-x) + logGamma(a + b) - logGamma(a) -
      logGamma(b),
  ) / a;
  const guard = (v: number) => Math.abs(v) < 1e-300 ? 1e-300 : v;
  let c = 1;
  let d = 1 / guard(1 - (a + b) * x / (a + 1));
  let fraction = d;
  for (let m = 1; m < 10_000; m++) {
    const even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / guard(1 + even * d);
    c = guard(1 + even / c);
    fraction *= d * c;
    const odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / guard(1 + odd * d);
    c = guard(1 + odd / c);
    const step = d * c;
    fraction *= step;
    if (Math.abs(step - 1) < 1e-16) break;
  }
  return front * fraction;
}

/** P(T <= t) for Student's t with `df` degrees of freedom. */
export function studentCdf(t: number, df: number): number {
  const tail = 0.5 * incompleteBeta(df / (df + t * t), df / 2, 0.5);
  return t > 0 ? 1 - tail : tail;
}

/** P(Z <= z) of the standard normal: the series of P(1/2, z²/2). */
export function normalCdf(z: number): number {
  const x = z * z / 2;
  if (x > 350) return z > 0 ? 1 : 0;
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= x / (0.5 + k);
    sum += term;
  }
  const inside = sum * Math.exp(-x) * 2 * Math.sqrt(x / Math.PI);
  return z > 0 ? 0.5 + inside / 2 : 0.5 - inside / 2;
}

/** The root of cdf(x) = p for a symmetric distribution, by bisection. */
function invert(cdf: (x: number) => number, p: number): number {
  if (!(p > 0 && p < 1)) {
    throw new RangeError(`quantile: p is ${p}: give a value between 0 and 1`);
  }
  if (p === 0.5) return 0;
  if (p < 0.5) return -invert(cdf, 1 - p);
  let low = 0;
  let high = 1;
  while (cdf(high) < p && high < 1e300) high *= 2;
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (cdf(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The p-quantile of Student's t with `df` degrees of freedom. */
export function studentQuantile(p: number, df: number): number {
  if (!(df > 0)) {
    throw new RangeError(`studentQuantile: df is ${df}: give one above 0`);
  }
  return invert((t) => studentCdf(t, df), p);
}

/** The p-quantile of the standard normal. */
export function normalQuantile(p: number): number {
  return invert(normalCdf, p);
}

function checkLevel(level: number): void {
  if (!(level > 0 && level < 1)) {
    throw new RangeError(`interval: level is ${level}: give one in (0, 1)`);
  }
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
  const n = values.length;
  if (n === 0 || !values.every(Number.isFinite)) {
    throw new RangeError(
      `meanInterval: ${n} values, not all finite or none: drop failed trials`,
    );
  }
  const mean = values.reduce((a, b) => a + b, 0) / n;
  if (n === 1) return { mean, low: null, high: null, sd: null, n };
  const squares = values.reduce((a, v) => a + (v - mean) ** 2, 0);
  const sd = Math.sqrt(squares / (n - 1));
  const half = studentQuantile(0.5 + level / 2, n - 1) * sd / Math.sqrt(n);
  return { mean, low: mean - half, high: mean + half, sd, n };
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
  if (!(n > 0 && k >= 0 && k <= n)) {
    throw new RangeError(
      `wilsonInterval: ${k} of ${n}: give 0 <= k <= n with n > 0`,
    );
  }
  const z = normalQuantile(0.5 + level / 2);
  const p = k / n;
  const scale = 1 + z * z / n;
  const centre = (p + z * z / (2 * n)) / scale;
  const half = z / scale * Math.sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  const low = Math.max(0, centre - half);
  const high = Math.min(1, centre + half);
  return { p, low, high, k, n };
}
