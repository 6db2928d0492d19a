/** Percentile and BCa intervals by resampling; the same seed gives the same numbers. */

import { normalCdf, normalQuantile } from "./distributions.ts";
import { meanInterval } from "./intervals.ts";
import {
  checkLevel,
  checkMarks,
  checkPairs,
  checkValues,
  inUnit,
  mean,
  sortedQuantile,
  sumOfSquares,
  tied,
} from "./sample.ts";

export interface BootstrapInterval {
  /** The statistic of the sample itself. */
  estimate: number;
  low: number;
  high: number;
  /** Standard deviation of the resampled statistics; null for one resample. */
  se: number | null;
  resamples: number;
}

export interface BootstrapOptions {
  /** Default 0.95. */
  level?: number;
  /** One list of places a resample; default 10,000 of `resamples`, seed 0. */
  indices?: Iterable<ArrayLike<number>>;
  /**
   * `bca` corrects the ends for bias and skewness (Efron 1987), which costs one
   * more statistic a value; default `percentile`.
   */
  method?: "percentile" | "bca";
}

/** mulberry32 (Tommy Ettinger): uniforms in [0, 1), the same everywhere. */
function uniforms(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** `count` draws of `n` places from 0 to n - 1, with replacement. */
export function* resamples(
  n: number,
  count: number,
  seed: number,
): Generator<Uint32Array> {
  const uniform = uniforms(seed);
  for (let i = 0; i < count; i++) {
    const places = new Uint32Array(n);
    for (let j = 0; j < n; j++) places[j] = Math.floor(uniform() * n);
    yield places;
  }
}

/** The statistic without each of the values. */
function leftOut(
  values: readonly number[],
  statistic: (values: readonly number[]) => number,
): number[] {
  const n = values.length;
  if (n === 1) return [statistic(values)];
  if (statistic !== mean) {
    return values.map((_, i) => statistic(values.filter((_, j) => j !== i)));
  }
  // Of thousands of images one mean each would take seconds.
  const total = n * mean(values);
  return values.map((v) => (total - v) / (n - 1));
}

/** Where BCa reads the resampled statistics in place of `level`'s ends. */
function correctedEnds(
  values: readonly number[],
  statistic: (values: readonly number[]) => number,
  found: readonly number[],
  level: number,
): [number, number] {
  const estimate = statistic(values);
  // A resample that is the sample in another order is neither above nor below.
  const above = tied(found.map((v) => v - estimate), [estimate, ...found]);
  const share =
    above.reduce((sum, d) => sum + (d < 0 ? 1 : d > 0 ? 0 : 0.5), 0) /
    found.length;
  if (share === 0 || share === 1) {
    throw new RangeError(
      `bootstrapInterval: all ${found.length} resamples lie on one side of ` +
        `the estimate, so bca has no ends: give more, or method "percentile"`,
    );
  }
  const bias = normalQuantile(share);
  const without = inUnit(leftOut(values, statistic));
  const squares = sumOfSquares(without);
  const centre = mean(without);
  const cubes = without.reduce((sum, v) => sum + (centre - v) ** 3, 0);
  const skew = squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
  if (!Number.isFinite(skew)) {
    throw new RangeError(
      "bootstrapInterval: the statistic without one of the values is not " +
        'finite: give a finite statistic, or method "percentile"',
    );
  }
  const end = (p: number) => {
    const z = bias + normalQuantile(p);
    return normalCdf(bias + z / (1 - skew * z));
  };
  return [end((1 - level) / 2), end((1 + level) / 2)];
}

/**
 * The interval of a statistic, by default the mean: type 7 quantiles of the
 * resampled statistics at (1 ± level) / 2 (Efron 1979), or where BCa puts them
 * (as in SciPy).
 *
 * @throws RangeError for no values, a value that is not finite, no resamples,
 * a place outside the sample, a statistic that is not finite, or where BCa has
 * all resamples on one side of the estimate.
 */
export function bootstrapInterval(
  values: readonly number[],
  {
    statistic = mean,
    level = 0.95,
    indices = resamples(values.length, 10_000, 0),
    method = "percentile",
  }: BootstrapOptions & {
    statistic?: (values: readonly number[]) => number;
  } = {},
): BootstrapInterval {
  checkLevel(level);
  checkValues("bootstrapInterval", values);
  if (method !== "percentile" && method !== "bca") {
    throw new RangeError(
      `bootstrapInterval: method is ${method}: give "percentile" or "bca"`,
    );
  }
  const found: number[] = [];
  for (const places of indices) {
    const drawn = new Array<number>(places.length);
    for (let j = 0; j < drawn.length; j++) drawn[j] = values[places[j]];
    const value = statistic(drawn);
    if (!Number.isFinite(value)) {
      throw new RangeError(
        `bootstrapInterval: resample ${found.length} gives ${value}: give ` +
          `places in 0..${values.length - 1} and a finite statistic`,
      );
    }
    found.push(value);
  }
  if (found.length === 0) {
    throw new RangeError("bootstrapInterval: no resamples: give one at least");
  }
  const sorted = Float64Array.from(found).sort();
  const n = found.length;
  const [low, high] = method === "bca"
    ? correctedEnds(values, statistic, found, level)
    : [(1 - level) / 2, (1 + level) / 2];
  return {
    estimate: statistic(values),
    low: sortedQuantile(sorted, low),
    high: sortedQuantile(sorted, high),
    se: meanInterval(found).sd,
    resamples: n,
  };
}

/**
 * The accuracy of `b` less that of `a`, as a share, with the
 * interval over the images: each resample draws the same images for both.
 *
 * @param a 1 where the first model is right, 0 where it is wrong, per image.
 * @param b The same of the second model, image by image.
 * @throws RangeError for unequal lengths or a mark other than 0 and 1.
 */
export function bootstrapAccuracyDifference(
  a: readonly number[],
  b: readonly number[],
  options: BootstrapOptions = {},
): BootstrapInterval {
  checkPairs("bootstrapAccuracyDifference", a, b);
  checkMarks("bootstrapAccuracyDifference", a, b);
  return bootstrapInterval(b.map((mark, i) => mark - a[i]), options);
}
