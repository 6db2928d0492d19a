/** Parzen estimators over points: TPE's densities of points seen. */
import type { Params, ParamValue } from "../definition.ts";
import { logNormalDensity, logNormalMass } from "./normal.ts";
import {
  fromInterval,
  interval,
  type NumberSpace,
  type Space,
  type Spaces,
} from "./space.ts";

/** A density over points, to draw from and to compare points by. */
export interface Estimator {
  /** One point; takes its uniforms in [0, 1) from `next`. */
  draw(next: () => number): Params;
  /**
   * log of the density of all numbers jointly, over log(value) in log spaces,
   * times the probability of all steps and choices.
   */
  logDensity(point: Params): number;
}

/** One parameter's share of the kernels. */
interface Kernels {
  draw(kernel: number, next: () => number): ParamValue;
  /** Of a value under each kernel. */
  logDensities(value: ParamValue): number[];
}

/**
 * Weights of the kernels of `n` observations, oldest first, and of the prior
 * behind them, with the sum 1. The newest 25 and the prior weigh alike, older
 * ones fall linearly to 1/n.
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
 * Centres and widths of a number's kernels, which are normals cut off at the
 * ends of the space's `interval`: one on each observed value and one over the
 * whole space, the prior. A kernel is as wide as the larger gap to its
 * neighbours (to the ends, if it is the only one), at least
 * 1 / min(100, kernels + 1) of the interval.
 */
export function normalsOf(
  space: NumberSpace,
  values: number[],
): { mus: number[]; sigmas: number[] } {
  const { low, high } = interval(space);
  const mus = space.log ? values.map(Math.log) : [...values];
  const n = mus.length;
  const narrowest = (high - low) / Math.min(100, n + 2);
  const order = mus.map((_, i) => i).sort((i, j) => mus[i] - mus[j]);
  const sigmas = new Array<number>(n);
  order.forEach((own, rank) => {
    const neighbours = n === 1
      ? [low, high]
      : [order[rank - 1], order[rank + 1]]
        .filter((i) => i !== undefined).map((i) => mus[i]);
    const gap = Math.max(...neighbours.map((x) => Math.abs(x - mus[own])));
    sigmas[own] = Math.min(high - low, Math.max(narrowest, gap));
  });
  return {
    mus: [...mus, (low + high) / 2],
    sigmas: [...sigmas, high - low],
  };
}

function numberKernels(space: NumberSpace, values: number[]): Kernels {
  const { mus, sigmas } = normalsOf(space, values);
  const { low, high } = interval(space);
  const half = (space.step ?? 0) / 2;
  const scale = (x: number) => space.log ? Math.log(x) : x;
  const logInside = mus.map((mu, i) =>
    logNormalMass((low - mu) / sigmas[i], (high - mu) / sigmas[i])
  );
  return {
    draw(kernel, next) {
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
    logDensities(value) {
      const x = scale(Number(value));
      const left = scale(Number(value) - half);
      const right = scale(Number(value) + half);
      return mus.map((mu, i) => {
        const sigma = sigmas[i];
        const density = half > 0
          ? logNormalMass((left - mu) / sigma, (right - mu) / sigma)
          : logNormalDensity((x - mu) / sigma) - Math.log(sigma);
        return density - logInside[i];
      });
    },
  };
}

/**
 * An observation's kernel spreads 1 over the number of kernels on every choice
 * and 1 more on its own; the prior is even.
 */
function choiceKernels(
  choices: readonly ParamValue[],
  values: ParamValue[],
): Kernels {
  const spread = 1 / (values.length + 1);
  const total = 1 + choices.length * spread;
  const even = choices.map(() => 1 / choices.length);
  const kernels = values.map((own) =>
    choices.map((choice) => (spread + (choice === own ? 1 : 0)) / total)
  ).concat([even]);
  return {
    draw: (kernel, next) => choices[pick(kernels[kernel], next())],
    logDensities(value) {
      const choice = choices.indexOf(value);
      return kernels.map((probabilities) => Math.log(probabilities[choice]));
    },
  };
}

function kernelsOf(space: Space, values: ParamValue[]): Kernels {
  return space.kind === "choices"
    ? choiceKernels(space.choices, values)
    : numberKernels(space, values as number[]);
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

/**
 * The density of points observed within `spaces`, oldest first: a mixture of
 * one kernel a point and the prior, each the product of its parameters' shares.
 */
export function estimator(spaces: Spaces, points: Params[]): Estimator {
  const weights = kernelWeights(points.length);
  const logWeights = weights.map(Math.log);
  const parameters = Object.entries(spaces).map(([name, space]) => ({
    name,
    kernels: kernelsOf(space, points.map((point) => point[name])),
  }));
  return {
    draw(next) {
      const kernel = pick(weights, next());
      return Object.fromEntries(
        parameters.map(({ name, kernels }) => [
          name,
          kernels.draw(kernel, next),
        ]),
      );
    },
    logDensity(point) {
      const terms = [...logWeights];
      for (const { name, kernels } of parameters) {
        kernels.logDensities(point[name]).forEach((d, i) => terms[i] += d);
      }
      return logSumExp(terms);
    },
  };
}
