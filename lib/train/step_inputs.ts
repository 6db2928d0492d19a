/**
 * What of a recipe a compiled step takes as input, so that trials which differ
 * in it alone share the step, and what shapes the step itself.
 */
import { dropRates } from "../models/mod.ts";
import type { Dropping } from "../nn/mod.ts";
import { tf } from "../tensorflow/mod.ts";
import { mixes } from "./augment/mixing.ts";
import type { Smoothing } from "./losses.ts";
import type { Recipe } from "./recipe.ts";

/** The numbers as tensors of one value each, but for the class weights. */
export interface Settings {
  flip: tf.Tensor;
  erasing: tf.Tensor;
  smoothing: Smoothing;
  drops: Map<number, Dropping>;
  classWeights?: tf.Tensor1D;
}

/** The rates of dropout, each once. */
const rates = (recipe: Recipe) => [...new Set(dropRates(recipe))];

/** The numbers of {@link Settings}, worked out in float64. */
export function settingsTensor(
  recipe: Recipe,
  classWeights: readonly number[] = [],
): tf.Tensor1D {
  const { flip, erasing, classes, loss: { labelSmoothing } } = recipe;
  return tf.tensor1d([
    flip,
    erasing.probability,
    1 - labelSmoothing,
    labelSmoothing / classes,
    ...rates(recipe).flatMap((rate) => [rate, 1 / (1 - rate)]),
    ...classWeights,
  ]);
}

/** What `settingsTensor` gave, inside a step. */
export function readSettings(
  numbers: tf.Tensor,
  recipe: Recipe,
  weighted: boolean,
): Settings {
  let at = 0;
  const next = (count = 1) => {
    at += count;
    return tf.slice(numbers as tf.Tensor1D, [at - count], [count]);
  };
  return {
    flip: next(),
    erasing: next(),
    smoothing: { kept: next(), spread: next() },
    drops: new Map(
      rates(recipe).map((rate) => [rate, { rate: next(), factor: next() }]),
    ),
    classWeights: weighted ? next(recipe.classes) : undefined,
  };
}

/**
 * What of a recipe shapes its steps, as a text: every field but those that
 * reach them as inputs, of which it tells whether they are 0, and those that
 * they do not know.
 */
export function stepShape(recipe: Recipe): string {
  const { loss, erasing, mixing, ema, ...rest } = recipe;
  const drops = dropRates(recipe);
  return JSON.stringify({
    ...rest,
    // Other inputs tell these apart.
    ...none("batchSize", "evalBatchSize", "accumulate"),
    // What runs the steps knows these.
    ...none("epochs", "seed", "sampler", "weights", "dropLast"),
    // The variables' structure tells the last ones apart.
    ...none("lr", "schedule", "weightDecay", "weightDecayOn", "groups"),
    ...none("betas", "eps"),
    momentum: recipe.momentum > 0,
    dampening: recipe.dampening > 0,
    clipNorm: recipe.clipNorm > 0,
    ema: ema.decay > 0,
    flip: recipe.flip > 0,
    erasing: { ...erasing, probability: erasing.probability > 0 },
    mixing: mixes(mixing),
    loss: { ...loss, labelSmoothing: loss.labelSmoothing > 0 },
    layerScale: recipe.layerScale > 0,
    ...none("attentionDrop", "projectionDrop", "pathDrop"),
    // Equal rates are one input.
    drops: drops.map((rate) => rate > 0 && drops.indexOf(rate)),
  });
}

/** Fields that are not looked at. */
const none = (...names: (keyof Recipe)[]) =>
  Object.fromEntries(names.map((name) => [name, null]));
