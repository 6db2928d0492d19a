/** What a training is made of: its steps, rates and start, from the recipe alone. */
import {
  balancedOrder,
  classCounts,
  type Dataset,
  gather,
  hash32,
  Random,
} from "../data/mod.ts";
import { modelOf } from "../models/mod.ts";
import { initialise, releaseState } from "../nn/mod.ts";
import { tf } from "../tensorflow/mod.ts";
import type { EpochRow } from "./loop.ts";
import { locateNonFinite } from "./locate.ts";
import { balancedWeights } from "./losses.ts";
import { batches, epochOrder } from "./order.ts";
import { loadPretrained, type Pretrained } from "./pretrained.ts";
import { lrAt, type Rate } from "./rates.ts";
import { type Recipe, RecipeError } from "./recipe.ts";
import { type ImageShape, type Labels, Trainer } from "./trainer.ts";
import { readVariables } from "./variables.ts";

export interface TrainingBatch {
  images: Uint8Array;
  labels: Labels;
  shape: ImageShape;
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
    if (recipe.labels !== "hard" && !data.train.targets) {
      throw new RecipeError(
        `recipe.labels: "${recipe.labels}" needs raters' shares, which ${data.name} has not; give "hard"`,
      );
    }
    if (recipe.schedule.kind === "plateau" && data.validation.n === 0) {
      throw new RecipeError(
        `recipe.schedule: plateau watches the validation split, which ${data.name} has not; give another kind`,
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
      const { images, labels } = gather(train, indices);
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
  rateOf(step: number, history: readonly EpochRow[]): Rate {
    const { schedule, lr, epochs } = this.recipe;
    const { stepsPerEpoch } = this;
    const metrics = schedule.kind === "plateau"
      ? history.map(({ validation }) =>
        schedule.mode === "max" ? validation.accuracy : validation.loss
      )
      : undefined;
    return lrAt(schedule, lr, { step, stepsPerEpoch, epochs, metrics });
  }

  /**
   * Where step `step` (from 1) of the epoch behind `history` turns finite
   * values into others: the epoch is replayed up to it with `trainer`, which
   * stands at the epoch's start. One line, or null where nothing is found.
   */
  async whereDiverged(
    trainer: Trainer,
    step: number,
    history: readonly EpochRow[],
  ): Promise<string | null> {
    for (const batch of this.batchesOf(history.length + 1)) {
      const { images, labels, shape } = batch;
      if (trainer.step + 1 < step) {
        const rate = this.rateOf(trainer.step, history);
        await trainer.trainBatch(images, labels, shape, rate);
        continue;
      }
      return this.#locate(trainer, batch, step);
    }
    return null;
  }

  /** Looks for the fault in each piece of a batch. */
  #locate(
    trainer: Trainer,
    { images, labels, shape: [batch, ...image] }: TrainingBatch,
    step: number,
  ): string | null {
    const size = this.recipe.batchSize / this.recipe.accumulate;
    const pixels = images.length / batch, width = labels.length / batch;
    let message: string | null = null;
    for (let at = 0; at < batch && message === null; at += size) {
      const end = Math.min(at + size, batch);
      tf.tidy(() => {
        const inputs = trainer.inputsOf(
          images.subarray(at * pixels, end * pixels),
          labels.subarray(at * width, end * width),
          [end - at, ...image],
          { step, piece: at / size },
        );
        const { x, lossOf, seed } = trainer.batchOf(inputs);
        message = locateNonFinite({
          ...readVariables(trainer.variables),
          forward: trainer.forward,
          images: x,
          targets: tf.zeros([1]),
          loss: lossOf,
          seed,
        })?.message ?? null;
      });
    }
    return message;
  }
}
