/** The batches and rates of a training, and its start, from the recipe alone. */
import {
  classCounts,
  type Dataset,
  hash32,
  imagesOf,
  Random,
} from "../data/mod.ts";
import { modelOf } from "../models/mod.ts";
import { initialise, releaseState } from "../nn/mod.ts";
import { balancedWeights } from "./losses.ts";
import { balancedOrder, batches, epochOrder } from "./epoch_order.ts";
import { loadPretrained, type Pretrained } from "./pretrained.ts";
import { lrAt, type Rate } from "./learning_rates.ts";
import { type Recipe, RecipeError } from "./recipe.ts";
import { type ImageShape, type Labels, Trainer } from "./trainer.ts";

export interface TrainingBatch {
  images: Uint8Array;
  labels: Labels;
  shape: ImageShape;
}

/** What of an epoch's row may decide later rates. */
export interface PastEpoch {
  validation: { accuracy: number; loss: number };
}

/** A class by its share, drawn with `seed`. */
function drawn(shares: Float32Array, seed: number): number {
  let left = new Random(seed).next() * shares.reduce((a, b) => a + b, 0);
  const found = shares.findIndex((share) => (left -= share) < 0);
  return found < 0 ? shares.lastIndexOf(Math.max(...shares)) : found;
}

export class TrainingRun {
  readonly recipe: Recipe;
  readonly data: Dataset;
  readonly stepsPerEpoch: number;

  /** @throws RecipeError when the recipe does not fit the data or its own length */
  constructor(recipe: Recipe, data: Dataset) {
    this.recipe = recipe;
    this.data = data;
    const batches = data.train.n / recipe.batchSize;
    this.stepsPerEpoch = recipe.dropLast
      ? Math.floor(batches)
      : Math.ceil(batches);
    if (data.train.n < recipe.batchSize) {
      throw new RecipeError(
        `recipe.batchSize: ${recipe.batchSize} is more than the ${data.train.n} training images of ${data.name}; give at most ${data.train.n}`,
      );
    }
    if (data.classes.length !== recipe.classes) {
      throw new RecipeError(
        `recipe.classes: ${recipe.classes}, but ${data.name} has ${data.classes.length}; give ${data.classes.length}`,
      );
    }
    const odd = data.train.labels
      .find((label) => !(label >= 0 && label < recipe.classes));
    if (odd !== undefined) {
      throw new RecipeError(
        `${data.name}: training label ${odd} is no class; give labels 0 to ${
          recipe.classes - 1
        }`,
      );
    }
    if (recipe.labels !== "hard" && !data.train.targets) {
      throw new RecipeError(
        `recipe.labels: "${recipe.labels}" needs raters' shares, which ${data.name} does not have; give "hard"`,
      );
    }
    if (recipe.schedule.kind === "plateau" && data.validation.n === 0) {
      throw new RecipeError(
        `recipe.schedule: plateau watches the validation split, which ${data.name} does not have; give another kind`,
      );
    }
    try {
      this.rateOf(0, []);
    } catch (error) {
      throw new RecipeError(`recipe.${(error as Error).message}`);
    }
  }

  /** A trainer at the recipe's start values, and what a file gave of them. */
  async start(): Promise<{ trainer: Trainer; pretrained?: Pretrained }> {
    const { recipe, data: { size, channels, train, classes } } = this;
    const forward = modelOf(recipe);
    const state = initialise(forward, [size, size, channels], recipe.seed);
    const pretrained = recipe.weights.file
      ? await loadPretrained(state, recipe.weights)
      : undefined;
    const classWeights = recipe.loss.classWeights === "balanced"
      ? balancedWeights(classCounts(train, classes))
      : undefined;
    const trainer = new Trainer(forward, state, recipe, {
      classWeights,
      shared: true,
    });
    releaseState(state);
    return { trainer, pretrained };
  }

  /** The batches of `epoch` (from 1). */
  *batchesOf(epoch: number): Iterable<TrainingBatch> {
    const { recipe, data: { train, classes, size, channels } } = this;
    const { seed, batchSize, dropLast } = recipe;
    const order = recipe.sampler === "balanced"
      ? balancedOrder(train.labels, classes.length, train.n, seed, epoch)
      : epochOrder(train.n, seed, epoch);
    for (const indices of batches(order, batchSize, dropLast)) {
      const shape: ImageShape = [indices.length, size, size, channels];
      const { images, labels } = imagesOf(train, indices);
      yield { images, labels: this.#labelsOf(labels, indices, epoch), shape };
    }
  }

  /** What the images `indices` are to be taken for in `epoch`. */
  #labelsOf(labels: Int32Array, indices: Uint32Array, epoch: number): Labels {
    const { recipe, data: { train: { targets }, classes } } = this;
    if (recipe.labels === "hard" || !targets) return labels;
    const k = classes.length;
    const shares = (image: number) =>
      targets.subarray(image * k, image * k + k);
    if (recipe.labels === "drawn") {
      return Int32Array.from(
        indices,
        (image) => drawn(shares(image), hash32(recipe.seed, epoch, image)),
      );
    }
    const rows = new Float32Array(indices.length * k);
    indices.forEach((image, row) => rows.set(shares(image), row * k));
    return rows;
  }

  /** The rate of step `step` (from 0) after these epochs. */
  rateOf(step: number, history: readonly PastEpoch[]): Rate {
    const { schedule, lr, epochs } = this.recipe;
    const { stepsPerEpoch } = this;
    const metrics = schedule.kind === "plateau"
      ? history.map(({ validation }) =>
        schedule.mode === "max" ? validation.accuracy : validation.loss
      )
      : undefined;
    return lrAt(schedule, lr, { step, stepsPerEpoch, epochs, metrics });
  }
}
