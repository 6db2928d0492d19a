/** Losses of classification, for hard and for mixed targets. */
import { tf } from "../tensorflow/mod.ts";
import { mixes } from "./augment/mixing.ts";
import type { Recipe } from "./recipe.ts";

/** Mean cross-entropy of integer labels. Logits [B, C], labels [B] int32. */
export function crossEntropy(
  logits: tf.Tensor2D,
  labels: tf.Tensor1D,
): tf.Scalar {
  return softCrossEntropy(logits, targetsOf(labels, logits.shape[1]));
}

/** Integer labels [B] as targets [B, classes] float32, 1 at the label. */
export function targetsOf(labels: tf.Tensor1D, classes: number): tf.Tensor2D {
  return tf.cast(tf.oneHot(labels, classes), "float32") as tf.Tensor2D;
}

/**
 * Of the classes that a target gives a share, the one with the largest logit,
 * as a target of 1: the multi-target loss of Barsoum et al. 2016
 * (arXiv 1608.01041, equation 5). All are [B, K].
 */
export function likeliestOf(
  logits: tf.Tensor2D,
  targets: tf.Tensor2D,
): tf.Tensor2D {
  const rated = tf.where(tf.greater(targets, 0), logits, -Infinity);
  return targetsOf(tf.argMax(rated, -1) as tf.Tensor1D, logits.shape[1]);
}

/** Weights n / (K · count) of K classes; 0 for a class without images. */
export function balancedWeights(counts: readonly number[]): number[] {
  const images = counts.reduce((sum, n) => sum + n, 0);
  return counts.map((n) => n && images / (counts.length * n));
}

/** Label smoothing as tensors of one value each. */
export interface Smoothing {
  /** What a target keeps: 1 less the share that is spread. */
  kept: tf.Tensor;
  /** What each class gets. */
  spread: tf.Tensor;
}

export interface LossOptions {
  /** Share of a target that is spread evenly over all classes. */
  labelSmoothing?: number | Smoothing;
  /** Focal loss's exponent on 1 − p (arXiv 1708.02002); 0 is cross-entropy. */
  gamma?: number;
  /** One weight a class. */
  classWeights?: readonly number[] | tf.Tensor1D;
  /**
   * Whether `targets` are shares of classes rather than one class each, as for
   * PyTorch a target of floats is. Only class weights ask for it.
   */
  soft?: boolean;
}

// Keeps the slope of (1 − p)^gamma finite at p = 1 where gamma is below 1.
const LEAST_DOUBT = 1e-7;

/**
 * The mean over the batch of −Σ w · t · (1 − p)^gamma · log p. What class
 * weights change in the mean is as in `torch.nn.CrossEntropyLoss` (2.15),
 * smoothing included: of one-hot targets, its class indices, the sum is divided
 * by the targets' weight (by 1 where that is 0); of `soft` ones, its class
 * probabilities, by the batch as without weights.
 *
 * @param logits [B, K]
 * @param targets [B, K] float32, each row's sum 1
 */
export function softCrossEntropy(
  logits: tf.Tensor2D,
  targets: tf.Tensor2D,
  { labelSmoothing = 0, gamma = 0, classWeights, soft = false }: LossOptions =
    {},
): tf.Scalar {
  const [batch, classes] = logits.shape;
  const { kept, spread } = typeof labelSmoothing !== "number"
    ? labelSmoothing
    : { kept: 1 - labelSmoothing, spread: labelSmoothing / classes };
  const logP = tf.logSoftmax(logits);
  let terms: tf.Tensor = tf.mul(
    logP,
    labelSmoothing === 0 ? targets : tf.add(tf.mul(targets, kept), spread),
  );
  if (gamma > 0) {
    const doubt = tf.maximum(tf.sub(1, tf.exp(logP)), LEAST_DOUBT);
    terms = tf.mul(terms, tf.pow(doubt, gamma));
  }
  if (!classWeights) return tf.neg(tf.div(tf.sum(terms), batch));
  const weights = classWeights instanceof tf.Tensor
    ? classWeights
    : tf.tensor1d([...classWeights]);
  const sum = tf.sum(tf.mul(terms, weights));
  if (soft) return tf.neg(tf.div(sum, batch));
  const total = tf.sum(tf.mul(targets, weights));
  const divisor = tf.where(tf.greater(total, 0), total, 1);
  return tf.neg(tf.div(sum, divisor));
}

/**
 * POSTER's loss (arXiv 2204.04083, its published code): twice the
 * cross-entropy with smoothing plus the one without.
 */
export function posterLoss(
  logits: tf.Tensor2D,
  targets: tf.Tensor2D,
  { labelSmoothing = 0.2, ...options }: LossOptions = {},
): tf.Scalar {
  return tf.add(
    tf.mul(
      softCrossEntropy(logits, targets, { ...options, labelSmoothing }),
      2,
    ),
    softCrossEntropy(logits, targets, options),
  );
}

/** Whether a recipe's targets are shares of classes: rated or mixed ones. */
export const hasSoftTargets = (
  { labels, mixing }: Pick<Recipe, "labels" | "mixing">,
): boolean => labels !== "any" && (labels === "soft" || mixes(mixing));

/**
 * The recipe's loss of logits [B, K] against targets [B, K]. `smoothing` is its
 * label smoothing as an input of the step.
 */
export function lossOf(
  logits: tf.Tensor2D,
  targets: tf.Tensor2D,
  recipe: Pick<Recipe, "loss" | "labels" | "mixing">,
  classWeights?: LossOptions["classWeights"],
  smoothing?: Smoothing,
): tf.Scalar {
  const { kind, labelSmoothing, gamma } = recipe.loss;
  const options = {
    labelSmoothing: labelSmoothing && (smoothing ?? labelSmoothing),
    classWeights,
    soft: hasSoftTargets(recipe),
  };
  switch (kind) {
    case "crossEntropy":
      return softCrossEntropy(logits, targets, options);
    case "focal":
      return softCrossEntropy(logits, targets, { ...options, gamma });
    case "poster":
      return posterLoss(logits, targets, options);
  }
}
