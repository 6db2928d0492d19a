/** The noise floor of a study, and what picking the best of noise gives. */
import { normalCdf, pooledSd } from "../../statistics/mod.ts";
import { type AnalysisRow, settings } from "./rows.ts";
import { showAmount, showSize, type Unit } from "./text.ts";

/** The spread of runs that differ in their seed alone, in the values' unit. */
export interface NoiseFloor {
  sd: number;
  /** 95 % chi-square interval of `sd`. */
  low: number;
  high: number;
  /** Degrees of freedom: complete repeats less their settings. */
  df: number;
}

/**
 * The standard deviation between repeats, pooled over the settings with two
 * complete ones or more; null, unknown, where no setting was repeated.
 */
export function noiseFloor(rows: readonly AnalysisRow[]): NoiseFloor | null {
  const groups = settings(rows).map((s) => s.runs.map((run) => run.value))
    .filter((values) => values.length > 0);
  const { sd, low, high, df } = pooledSd(groups);
  return sd === null || low === null || high === null
    ? null
    : { sd, low, high, df };
}

/** The noise floor as a sentence. */
export function noiseLine(
  noise: NoiseFloor | null,
  unit: Unit = "points",
): string {
  if (noise === null) return "noise unknown: no repeats";
  const [low, high] = [noise.low, noise.high].map((x) => showSize(x, unit));
  return `noise ±${
    showAmount(noise.sd, unit)
  } (sd of repeats, ${noise.df} df, ` +
    `95 % interval ${low} to ${high})`;
}

/**
 * How far the best of `k` equal settings stands above their true value by
 * noise alone (the winner's curse): `sd` times the expected largest of k
 * standard normals, ∫ k z φ(z) Φ(z)^(k-1) dz (David and Nagaraja 2003).
 *
 * @param sd of one setting's value; that of a mean of n repeats is sd / √n
 * @throws RangeError unless k is a whole number from 1 and sd >= 0.
 */
export function bestOfBias(k: number, sd: number): number {
  if (!(Number.isInteger(k) && k >= 1 && sd >= 0)) {
    throw new RangeError(
      `bestOfBias: k ${k}, sd ${sd}: give a whole k >= 1 and sd >= 0`,
    );
  }
  // The trapezium rule: exact to rounding for an integrand that dies at ±9.
  const step = 1 / 64;
  let sum = 0;
  for (let z = -9; z <= 9; z += step) {
    sum += z * Math.exp(-z * z / 2) * normalCdf(z) ** (k - 1);
  }
  return sd * k * sum * step / Math.sqrt(2 * Math.PI);
}
