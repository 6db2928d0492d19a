/** Trials of the studies of speed: nets, timed steps, what is recorded. */
import { modelOf } from "../models/mod.ts";
import { initialise, releaseState } from "../nn/mod.ts";
import {
  assertFits,
  count,
  inference,
  OutOfMemoryError,
  type Run,
  throughput,
  trainingMemory,
} from "../profile/mod.ts";
import type {
  Params,
  TrialContext,
  TrialPoint,
  TrialResult,
} from "../study/mod.ts";
import { type Arithmetic, engineInfo } from "../tensorflow/mod.ts";
import {
  type Recipe,
  recipes,
  settlePrecision,
  Trainer,
} from "../train/mod.ts";
import { baseOf, type Profile } from "./profile.ts";
import type { Measurement } from "./report.ts";

export type NetName = "tiny" | "narrow" | "slim" | "full";

/**
 * The nets that are timed: the profile's own by its name, and the published
 * Baseline (depth 8, 224×224, stem stride 2) as "full" at every profile.
 */
export function netsOf(profile: Profile): Partial<Record<NetName, Recipe>> {
  const full = baseOf("paper").recipe as Recipe;
  switch (profile) {
    case "smoke":
    case "quick":
      return { tiny: baseOf(profile).recipe as Recipe, full };
    case "cpu":
      return {
        narrow: baseOf(profile).recipe as Recipe,
        slim: recipes.slim,
        full,
      };
    case "paper":
      return { full };
  }
}

/** The net whose speed stands for a profile where the full one is too slow. */
export const ownNet: Record<Profile, NetName> = {
  smoke: "tiny",
  quick: "tiny",
  cpu: "narrow",
  paper: "full",
};

/** How many steps a trial runs. */
interface Steps {
  warmUp: number;
  /** Timed steps: as many as make `images`, but from `least` to `most`. */
  images: number;
  least: number;
  most: number;
}

const timings: Record<Profile, Steps> = {
  smoke: { warmUp: 1, images: 32, least: 3, most: 5 },
  quick: { warmUp: 2, images: 256, least: 5, most: 30 },
  cpu: { warmUp: 2, images: 512, least: 5, most: 30 },
  // As published: 50 batches before the clock starts and 30 behind.
  paper: { warmUp: 50, images: 0, least: 30, most: 30 },
};

/** The full net on a CPU: a step takes from a tenth to several seconds. */
const slow: Steps = { warmUp: 1, images: 16, least: 3, most: 8 };

export const stepsOf = (profile: Profile, net: NetName): Steps =>
  net === "full" && profile !== "paper" ? slow : timings[profile];

const timedSteps = ({ images, least, most }: Steps, batchSize: number) =>
  Math.min(most, Math.max(least, Math.ceil(images / batchSize)));

/** "at least 3, at most 8, after 1 of warm-up". */
export const stepsText = ({ warmUp, least, most }: Steps) =>
  `${
    least === most ? least : `${least} to ${most}`
  } steps, after ${warmUp} of warm-up`;

/** A `run` of whole training steps on random pixels. */
const training = (recipe: Recipe, seed: number): Run => (batchSize) => {
  const { size, classes } = recipe;
  const forward = modelOf(recipe);
  assertFits(
    trainingMemory(count(forward, [size, size, 3], { batch: batchSize })),
  );
  const state = initialise(forward, [size, size, 3], seed);
  const trainer = new Trainer(
    forward,
    state,
    { ...recipe, batchSize },
    { shared: true },
  );
  releaseState(state);
  const pixels = Uint8Array.from(
    { length: batchSize * size * size * 3 },
    (_, i) => (i * 131 + (i >> 8) * 17) & 255,
  );
  const labels = Int32Array.from({ length: batchSize }, (_, i) => i % classes);
  return {
    images: batchSize,
    step: async () => {
      await trainer.trainBatch(pixels, labels, [batchSize, size, size, 3]);
    },
    dispose: () => trainer.dispose(),
  };
};

/** A `run` of the forward pass in evaluation on random images. */
const evaluation = (recipe: Recipe, seed: number): Run => {
  const { size } = recipe;
  const precision = recipe.precision as Arithmetic;
  const forward = modelOf(recipe);
  const shape: [number, number, number] = [size, size, 3];
  const state = initialise(forward, shape, seed);
  return inference(forward, state, shape, { precision });
};

/** What is timed: the forward pass in evaluation, or a whole training step. */
export type Mode = "forward" | "training step";

/**
 * Times one batch size. The value is images a second by the median step.
 *
 * @throws {OutOfMemoryError} where the batch does not fit, which fails the
 * trial with its reason and no other.
 */
async function timedTrial(
  o: {
    profile: Profile;
    net: NetName;
    recipe: Recipe;
    batchSize: number;
    mode: Mode;
  },
  { seed }: Pick<TrialPoint, "seed">,
  { signal }: Pick<TrialContext, "signal">,
): Promise<TrialResult> {
  const { batchSize } = o;
  const recipe = await settlePrecision({ ...o.recipe, batchSize }, { signal });
  const began = performance.now();
  const steps = stepsOf(o.profile, o.net);
  const run = o.mode === "forward"
    ? evaluation(recipe, seed)
    : training(recipe, seed);
  const [row] = await throughput({
    run,
    batchSizes: [batchSize],
    warmUp: steps.warmUp,
    repeats: timedSteps(steps, batchSize),
    signal,
  });
  if (row.error !== null) throw new OutOfMemoryError(row.error);
  return {
    value: row.median!,
    attrs: {
      secondsPerStep: batchSize / row.median!,
      imagesPerSecond: row.imagesPerSecond,
      lowerQuartile: row.lowerQuartile,
      upperQuartile: row.upperQuartile,
      spread: row.spread,
      images: row.images,
      timedSeconds: row.seconds,
      /** Of the whole trial, the first values and the warm-up included. */
      seconds: (performance.now() - began) / 1000,
      precision: recipe.precision,
      engine: engineInfo(),
    },
  };
}

/**
 * A study of speed: the points one after the other, all of them in each
 * repeat. `recipe` is what a point times, its net's without it.
 */
export function speedStudy(profile: Profile, o: {
  name: string;
  points: (Params & { net: NetName; batchSize: number })[];
  repeats: number;
  fixed?: Record<string, unknown>;
  recipe?: (net: Recipe, params: Params) => Recipe;
}): Measurement {
  const nets = netsOf(profile);
  const { name, points, repeats, fixed, recipe = (net) => net } = o;
  return {
    study: {
      name,
      metric: "images/s",
      search: { kind: "list", points },
      repeats,
      fixed: {
        ...fixed,
        nets: Object.fromEntries(points.map(({ net }) => [net, nets[net]])),
      },
    },
    measure: (point, ctx) => {
      const { params } = point;
      const net = params.net as NetName;
      return timedTrial(
        {
          profile,
          net,
          recipe: recipe(nets[net]!, params),
          batchSize: Number(params.batchSize),
          mode: (params.mode ?? "forward") as Mode,
        },
        point,
        ctx,
      );
    },
  };
}
