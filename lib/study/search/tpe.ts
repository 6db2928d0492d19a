/** The tree-structured Parzen estimator: points like the good ones so far. */
import type { Params, ParamValue } from "../definition.ts";
import { type Estimator, estimator } from "./parzen.ts";
import { randomPoint, uniforms } from "./random.ts";
import {
  type Observation,
  sizeOf,
  type Space,
  type Spaces,
  valueAt,
  within,
} from "./space.ts";

export interface TpeOptions {
  direction: "maximize" | "minimize";
  seed: number;
  /** The point's number within the search, from 0. */
  index: number;
  /** Observations before which points are random; default 10. */
  startup?: number;
  /** Values drawn for each parameter, of which the best is taken; default 24. */
  candidates?: number;
}

/** How often a point is drawn anew because it was evaluated before. */
const ATTEMPTS = 32;

/**
 * The best tenth of the observations (rounded up, 25 at most) and the others,
 * each in the order given; of equal values the older is the better.
 */
export function splitObservations(
  observations: readonly Observation[],
  direction: TpeOptions["direction"],
): { below: Observation[]; above: Observation[] } {
  const sign = direction === "minimize" ? 1 : -1;
  const value = (i: number) => sign * observations[i].value;
  const ranked = observations.map((_, i) => i)
    .sort((i, j) => value(i) < value(j) ? -1 : value(i) > value(j) ? 1 : i - j);
  const best = new Set(
    ranked.slice(0, Math.min(Math.ceil(0.1 * observations.length), 25)),
  );
  return {
    below: observations.filter((_, i) => best.has(i)),
    above: observations.filter((_, i) => !best.has(i)),
  };
}

/** The values of one parameter, without those that are not of its space. */
function valuesOf(
  observations: Observation[],
  name: string,
  space: Space,
): ParamValue[] {
  return observations.map(({ params }) => params[name])
    .filter((value) => within(space, value));
}

/** Of some draws from the good ones' density, the least like the others. */
function bestDraw(
  below: Estimator,
  above: Estimator,
  draws: number,
  next: () => number,
): ParamValue {
  let best: ParamValue | undefined;
  let most = -Infinity;
  for (let i = 0; i < draws; i++) {
    const value = below.draw(next);
    const gain = below.logDensity(value) - above.logDensity(value);
    if (best === undefined || gain > most) [best, most] = [value, gain];
  }
  return best!;
}

/**
 * The next point to evaluate, from what is known (Bergstra et al., NeurIPS
 * 2011), as Optuna 5.0.0's `TPESampler(multivariate=False)` with its defaults:
 * each parameter alone, by the ratio of the densities of good and other
 * observations. A pure function: the same observations in the same order,
 * oldest first, give the same point.
 *
 * Pruned points count by their value like finished ones (Optuna ranks them
 * behind). An infinite value is the best or the worst; points under way may be
 * given with the worst, so that others keep off them. An observation that
 * lacks a parameter, or is outside of its space, counts for the others only.
 *
 * Where all spaces have finitely many values, a point that was evaluated
 * before is drawn again, up to 32 times, from ever fewer candidates and so
 * ever more at random; the last one is taken as it is.
 */
export function tpePoint(
  spaces: Spaces,
  observations: readonly Observation[],
  { direction, seed, index, startup = 10, candidates = 24 }: TpeOptions,
): Params {
  if (observations.length < startup) return randomPoint(spaces, seed, index);
  const { below, above } = splitObservations(observations, direction);
  const models = Object.entries(spaces).map(([name, space]) => ({
    name,
    only: sizeOf(space) === 1 ? valueAt(space, 0) : undefined,
    below: estimator(space, valuesOf(below, name, space)),
    above: estimator(space, valuesOf(above, name, space)),
  }));
  const finite = Object.values(spaces).every((s) => sizeOf(s) < Infinity);
  const known = (point: Params) =>
    observations.some(({ params }) =>
      Object.entries(point).every(([name, value]) => params[name] === value)
    );
  for (let attempt = 1;; attempt++) {
    const draws = Math.max(1, candidates >> (attempt - 1));
    const point = Object.fromEntries(
      models.map(({ name, only, below, above }) => {
        const next = uniforms("tpe", seed, index, name, attempt);
        return [name, only ?? bestDraw(below, above, draws, next)];
      }),
    );
    if (!finite || attempt === ATTEMPTS || !known(point)) return point;
  }
}
