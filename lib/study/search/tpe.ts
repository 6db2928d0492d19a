/** The tree-structured Parzen estimator: points like the good ones so far. */
import { canonical, type Params } from "../definition.ts";
import { estimator } from "./parzen.ts";
import { randomPoint, uniforms } from "./random_search.ts";
import {
  countOfPoints,
  countOfValues,
  isInSpace,
  type Observation,
  type Spaces,
  valueAfter,
} from "./space.ts";

type Direction = "maximize" | "minimize";

export interface TpeOptions {
  direction: Direction;
  seed: number;
  /** The point's number within the search, from 0. */
  index: number;
  /** Points under way, oldest first. */
  running?: readonly Params[];
  /** Points that are not to be taken again, beside those observed and running. */
  known?: readonly Params[];
  /** Observations before which points are random; default 10. */
  startup?: number;
}

/** Points drawn, of which the best is taken. */
const CANDIDATES = 24;

/** How often a point is drawn anew because it is known. */
const ATTEMPTS = 32;

/**
 * The best tenth of the observations (rounded up, 25 at most) and the others,
 * each in the order given. Pruned ones rank behind complete ones, those that
 * came further first; of equals the older is the better.
 */
export function splitObservations(
  observations: readonly Observation[],
  direction: Direction,
): { below: Observation[]; above: Observation[] } {
  const sign = direction === "minimize" ? 1 : -1;
  const compare = (a: number, b: number) => a < b ? -1 : a > b ? 1 : 0;
  const ranked = [...observations].sort((a, b) =>
    compare(b.prunedAt ?? Infinity, a.prunedAt ?? Infinity) ||
    compare(sign * a.value, sign * b.value)
  );
  const best = new Set(
    ranked.slice(0, Math.min(Math.ceil(0.1 * observations.length), 25)),
  );
  return {
    below: observations.filter((o) => best.has(o)),
    above: observations.filter((o) => !best.has(o)),
  };
}

/** What tells good points from others over some of the parameters. */
export interface Model {
  /** A point like the good ones; takes its uniforms from `next`. */
  draw(next: () => number): Params;
  /** log density among the good ones less that among the others. */
  gain(point: Params): number;
}

/** The model of the points that lie within `spaces`. */
function modelIn(spaces: Spaces, good: Params[], others: Params[]): Model {
  const density = (points: Params[]) =>
    estimator(
      spaces,
      points.filter((params) =>
        Object.keys(spaces).every((name) =>
          isInSpace(spaces[name], params[name])
        )
      ),
    );
  const [below, above] = [density(good), density(others)];
  return {
    draw: below.draw,
    gain: (point) => below.logDensity(point) - above.logDensity(point),
  };
}

/**
 * One model of all parameters that every observation has within their spaces,
 * and one of each parameter that some lack or that has one value only.
 */
export function modelsOf(
  spaces: Spaces,
  observations: readonly Observation[],
  { direction, running = [] }: Pick<TpeOptions, "direction" | "running">,
): Model[] {
  const joint: Spaces = {};
  const alone: Spaces[] = [];
  for (const [name, space] of Object.entries(spaces)) {
    const shared = countOfValues(space) > 1 &&
      observations.every(({ params }) => isInSpace(space, params[name]));
    if (shared) joint[name] = space;
    else alone.push({ [name]: space });
  }
  const { below, above } = splitObservations(observations, direction);
  const good = below.map(({ params }) => params);
  const others = [...above.map(({ params }) => params), ...running];
  return [joint, ...alone].map((group) => modelIn(group, good, others));
}

/** Of some draws the one with the most gain. */
function bestDraw(
  { draw, gain }: Model,
  draws: number,
  next: () => number,
): Params {
  let best = draw(next);
  let most = gain(best);
  for (let i = 1; i < draws; i++) {
    const point = draw(next);
    const own = gain(point);
    if (own > most) [best, most] = [point, own];
  }
  return best;
}

/** The point `moves` after another in finite spaces; each comes once a round. */
function pointAfter(spaces: Spaces, point: Params, moves: number): Params {
  return Object.fromEntries(
    Object.entries(spaces).map(([name, space]) => {
      const size = countOfValues(space);
      const value = valueAfter(space, point[name], moves % size);
      moves = Math.floor(moves / size);
      return [name, value];
    }),
  );
}

/**
 * The next point to evaluate, from what is known (Bergstra et al., NeurIPS
 * 2011), as Optuna 5.0.0's `TPESampler` with its defaults for one objective:
 * all parameters together (Falkner et al., ICML 2018), by the ratio of the
 * densities of good and other points. A pure function: the same observations
 * in the same order, oldest first, give the same point.
 *
 * An infinite value is the best or the worst. Points under way are taken as
 * the newest of the bad ones, so that others keep off them ("constant liar";
 * Optuna has them in the order of their trials). A parameter that some
 * observation lacks, or has outside of its space, is drawn by itself, from the
 * observations that have it.
 *
 * Where all spaces have finitely many values, a known point is drawn again, up
 * to 32 times, from ever fewer candidates and so ever more at random; then the
 * next one after it that is not known is taken, if there is any.
 */
export function tpePoint(
  spaces: Spaces,
  observations: readonly Observation[],
  options: TpeOptions,
): Params {
  const { seed, index, running = [], known = [], startup = 10 } = options;
  const size = countOfPoints(spaces);
  const names = Object.keys(spaces);
  const keyOf = (params: Params) => canonical(names.map((n) => params[n]));
  const all = [
    ...observations.map(({ params }) => params),
    ...running,
    ...known,
  ];
  const taken = new Set(size < Infinity ? all.map(keyOf) : []);
  const isTaken = (point: Params) => taken.has(keyOf(point));
  let point = randomPoint(spaces, seed, index);
  if (observations.length >= startup) {
    const models = modelsOf(spaces, observations, options);
    let attempt = 0;
    do {
      const next = uniforms("tpe", seed, index, ++attempt);
      const draws = Math.max(1, CANDIDATES >> (attempt - 1));
      const drawn = models.map((model) => bestDraw(model, draws, next));
      point = Object.assign({}, ...drawn);
    } while (isTaken(point) && attempt < ATTEMPTS);
  }
  // Of as many points as are taken and one more, one is free.
  const tries = Math.min(size, taken.size + 1);
  let free = point;
  for (let n = 1; n < tries && isTaken(free); n++) {
    free = pointAfter(spaces, point, n);
  }
  return free;
}
