/** Speeds as trials: a net's steps on random pixels, timed. */
import { modelOf } from "../models/mod.ts";
import { initialise } from "../nn/mod.ts";
import {
  assertFits,
  count,
  inference,
  OutOfMemoryError,
  type Run,
  throughput,
  trainingMemory,
} from "../profile/mod.ts";
import { type Arithmetic, engineInfo } from "../tensorflow/mod.ts";
import { randomSteps, type Recipe, settlePrecision } from "../train/mod.ts";
import type { Params } from "./definition.ts";
import type { TrainTrial } from "./trial.ts";

/** What is timed: the forward pass in evaluation, or a whole training step. */
export const TIMED_MODES = ["forward", "training step"] as const;
export type TimedMode = typeof TIMED_MODES[number];

/** How many steps a trial runs. */
export interface TimedSteps {
  /** Before the clock starts. */
  warmUp: number;
  /** Timed steps: as many as make `images`, but from `least` to `most`. */
  images?: number;
  least: number;
  most: number;
}

/** A `run` of forward passes, or of whole training steps. */
function runOf(recipe: Recipe, mode: TimedMode, seed: number): Run {
  const forward = modelOf(recipe), { size } = recipe;
  const shape: [number, number, number] = [size, size, 3];
  if (mode === "forward") {
    const precision = recipe.precision as Arithmetic;
    const state = initialise(forward, shape, seed);
    return inference(forward, state, shape, { precision });
  }
  return (batch) => {
    assertFits(trainingMemory(count(forward, shape, { batch })));
    return randomSteps(recipe, seed);
  };
}

/**
 * Times a point's batch, as `timedAt` finds it. The value is images a second by
 * the median step.
 *
 * @throws {OutOfMemoryError} where the batch does not fit, which fails the
 * trial with its reason and no other.
 */
export const timingTrial = (
  timedAt: (
    params: Params,
  ) => { recipe: Recipe; mode: TimedMode; steps: TimedSteps },
): TrainTrial =>
async ({ params, seed }, { signal }) => {
  const { mode, steps, ...point } = timedAt(params);
  const recipe = await settlePrecision(point.recipe, { signal });
  const { batchSize, precision } = recipe;
  const { warmUp, images = 0, least, most } = steps;
  const began = performance.now();
  const [{ error, median, seconds, ...row }] = await throughput({
    run: runOf(recipe, mode, seed),
    batchSizes: [batchSize],
    warmUp,
    repeats: Math.min(most, Math.max(least, Math.ceil(images / batchSize))),
    signal,
  });
  if (error !== null) throw new OutOfMemoryError(error);
  return {
    value: median!,
    attrs: {
      ...row,
      secondsPerStep: batchSize / median!,
      timedSeconds: seconds,
      /** Of the whole trial, the first values and the warm-up included. */
      seconds: (performance.now() - began) / 1000,
      precision,
      engine: engineInfo(),
    },
  };
};
