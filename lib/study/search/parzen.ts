/** Parzen estimators over one parameter: TPE's densities of points seen. */
import type { ParamValue } from "../definition.ts";
import { logNormalDensity, logNormalMass } from "./normal.ts";
import {
  fromInterval,
  interval,
  type NumberSpace,
  type Space,
} from "./space.ts";

/** A density over one space, to draw from and to compare values by. */
export interface Estimator {
  /** One value; takes its uniforms in [0, 1) from `next`. */
  draw(next: () => number): ParamValue;
  /** log density of a number, or log probability of a step or choice. */
  logDensity(value: ParamValue): number;
}

/** A mixture of normals cut off at the ends of the space's `interval`. */
export interface Mixture {
  weights: number[];
  mus: number[];
  sigmas: number[];
}

/**
 * Weights of `n` observations, oldest first, and of the prior behind them,
 * with the sum 1. The newest 25 and the prior weigh alike, older ones fall
 * linearly to 1/n.
 */
export function kernelWeights(n: number): number[] {
  const ramp = Math.max(0, n - 25);
  const raw = Array.from({ length: n + 1 }, (_, i) => {
    if (i >= ramp) return 1;
    return 1 / n + (ramp > 1 ? (1 - 1 / n) * i / (ramp - 1) : 0);
  });
  const sum = raw.reduce((a, b) => a + b, 0);
  return raw.map((w) => w / sum);
}

/**
 * A kernel on each observed value and one over the whole space, the prior.
 * A kernel is as wide as the larger gap to its neighbours (at the outermost
 * values the gap to the inner one), at least 1 / min(100, kernels + 1) of the
 * interval.
 */
export function mixtureOf(space: NumberSpace, values: number[]): Mixture {
  const { low, high } = interval(space);
  const mus = space.log ? values.map(Math.log) : [...values];
  const n = mus.length;
  const narrowest = (high - low) / Math.min(100, n + 2);
  const order = mus.map((_, i) => i).sort((i, j) => mus[i] - mus[j]);
  const sigmas = new Array<number>(n);
  order.forEach((own, rank) => {
    const left = rank > 0 ? mus[order[rank - 1]] : low;
    const right = rank < n - 1 ? mus[order[rank + 1]] : high;
    const gaps = [mus[own] - left, right - mus[own]];
    const gap = n === 1 || (rank > 0 && rank < n - 1)
      ? Math.max(...gaps)
      : rank === 0
      ? gaps[1]
      : gaps[0];
    sigmas[own] = Math.min(high - low, Math.max(narrowest, gap));
  });
  return {
    weights: kernelWeights(n),
    mus: [...mus, (low + high) / 2],
    sigmas: [...sigmas, high - low],
  };
}

/** The place in `weights`, whose sum is 1, at `u` of [0, 1). */
function pick(weights: number[], u: number): number {
  let sum = 0;
  const found = weights.findIndex((w) => (sum += w) > u);
  return found < 0 ? weights.length - 1 : found;
}

function logSumExp(terms: number[]): number {
  const most = terms.reduce((a, b) => Math.max(a, b), -Infinity);
  if (most === -Infinity) return most;
  return most +
    Math.log(terms.reduce((sum, t) => sum + Math.exp(t - most), 0));
}

/** The density of a number; over log(value) for a log space. */
export function numberEstimator(
  space: NumberSpace,
  values: number[],
): Estimator {
  const { weights, mus, sigmas } = mixtureOf(space, values);
  const { low, high } = interval(space);
  const scale = (x: number) => space.log ? Math.log(x) : x;
  const logFactors = weights.map((w, i) =>
    Math.log(w) -
    logNormalMass((low - mus[i]) / sigmas[i], (high - mus[i]) / sigmas[i])
  );
  return {
    draw(next) {
      const kernel = pick(weights, next());
      // At least a third of a kernel lies inside: its centre does, and it is
      // no wider than the interval. So few draws are thrown away.
      let x: number;
      do {
        const normal = Math.sqrt(-2 * Math.log(1 - next())) *
          Math.cos(2 * Math.PI * next()); // Box and Muller
        x = mus[kernel] + sigmas[kernel] * normal;
      } while (x < low || x > high);
      return fromInterval(space, x);
    },
    logDensity(value) {
      const half = (space.step ?? 0) / 2;
      const x = scale(Number(value));
      const left = scale(Number(value) - half);
      const right = scale(Number(value) + half);
      return logSumExp(mus.map((mu, i) => {
        const sigma = sigmas[i];
        return logFactors[i] +
          (half > 0
            ? logNormalMass((left - mu) / sigma, (right - mu) / sigma)
            : logNormalDensity((x - mu) / sigma) - Math.log(sigma));
      }));
    },
  };
}

/**
 * Probabilities of the choices, from the places of those observed. Each
 * observation spreads 1 over its number of kernels on every choice and 1 more
 * on its own; the prior is even.
 */
export function choiceProbabilities(
  choices: number,
  observed: number[],
): number[] {
  const weights = kernelWeights(observed.length);
  const spread = 1 / weights.length;
  const total = 1 + choices * spread;
  const prior = weights[observed.length] / choices;
  return Array.from({ length: choices }, (_, choice) =>
    observed.reduce(
      (sum, seen, i) =>
        sum + weights[i] * (spread + (seen === choice ? 1 : 0)) / total,
      prior,
    ));
}

function choiceEstimator(
  choices: readonly ParamValue[],
  values: ParamValue[],
): Estimator {
  const probabilities = choiceProbabilities(
    choices.length,
    values.map((v) => choices.indexOf(v)),
  );
  return {
    draw: (next) => choices[pick(probabilities, next())],
    logDensity: (value) => Math.log(probabilities[choices.indexOf(value)]),
  };
}

/** The density of values observed within `space`, oldest first. */
export function estimator(space: Space, values: ParamValue[]): Estimator {
  if (space.kind === "choices") return choiceEstimator(space.choices, values);
  return numberEstimator(space, values as number[]);
}
