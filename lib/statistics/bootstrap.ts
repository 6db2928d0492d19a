/** Percentile intervals by resampling; the same seed gives the same numbers. */

import {
  checkLevel,
  checkMarks,
  checkPairs,
  checkValues,
  mean,
  sortedQuantile,
  sumOfSquares,
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

/**
 * The percentile interval of a statistic, by default the mean (Efron 1979):
 * type 7 quantiles of the resampled statistics.
 *
 * @throws RangeError for no values, a value that is not finite, no resamples,
 * a place outside the sample or a statistic that is not finite.
 */
export function bootstrapInterval(
  values: readonly number[],
  {
    statistic = mean,
    level = 0.95,
    indices = resamples(values.length, 10_000, 0),
  }: BootstrapOptions & {
    statistic?: (values: readonly number[]) => number;
  } = {},
): BootstrapInterval {
  checkLevel(level);
  checkValues("bootstrapInterval", values);
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
  return {
    estimate: statistic(values),
    low: sortedQuantile(sorted, (1 - level) / 2),
    high: sortedQuantile(sorted, (1 + level) / 2),
    se: n === 1 ? null : Math.sqrt(sumOfSquares(found) / (n - 1)),
    resamples: n,
  };
}

/**
 * The accuracy of `b` less that of `a`, as a share, with the percentile
 * interval over the images: each resample draws the same images for both.
 *
 * @param a 1 where the first model is right, 0 where it is wrong, per image.
 * @param b The same of the second model, image by image.
 * @throws RangeError for unequal lengths or a mark other than 0 and 1.
 */
export function bootstrapAccuracyDifference(
  a: readonly number[],
  b: readonly number[],
  { level, indices }: BootstrapOptions = {},
): BootstrapInterval {
  checkPairs("bootstrapAccuracyDifference", a, b);
  checkMarks("bootstrapAccuracyDifference", a, b);
  return bootstrapInterval(b.map((mark, i) => mark - a[i]), { level, indices });
}
