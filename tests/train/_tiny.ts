/** A data set and a recipe that train in well under a second. */
import { type Dataset, syntheticFaces } from "../../lib/data/mod.ts";
import { parseRecipe, type Recipe } from "../../lib/train/mod.ts";

export const tinyData: Dataset = await syntheticFaces({
  size: 16,
  train: 44,
  validation: 10,
  test: 10,
  seed: 3,
});

export function tinyRecipe(fields: Record<string, unknown> = {}): Recipe {
  return parseRecipe({
    size: 16,
    widths: [4, 4, 8, 8],
    stemWidth: 4,
    layers: [1, 1, 1, 1],
    depth: 1,
    dim: 8,
    heads: 2,
    batchSize: 8,
    evalBatchSize: 4,
    epochs: 2,
    lr: 1e-3,
    seed: 5,
    precision: "float32",
    ...fields,
  });
}

/** All that a recipe can switch on. */
export const everything = {
  model: "cls",
  patches: "catBeforeMlp",
  scale: "right",
  depth: 2,
  qkNorm: true,
  layerScale: 0.1,
  seHead: true,
  attentionDrop: 0.1,
  projectionDrop: 0.1,
  pathDrop: 0.1,
  optimizer: "adamw",
  amsgrad: true,
  weightDecay: 0.05,
  groups: [{ match: "irback.", lr: 0.5 }],
  schedule: { kind: "oneCycle" },
  clipNorm: 1,
  accumulate: 2,
  sam: { rho: 0.05, adaptive: true },
  ema: { decay: 0.9 },
  loss: { kind: "poster", labelSmoothing: 0.1, classWeights: "balanced" },
  sampler: "balanced",
  mixing: { kind: "mixup-or-cutmix", alpha: 0.4, pairing: "permutation" },
  crop: { scaleMin: 0.7 },
  affine: { degrees: 10, translate: 0.1, shear: 5 },
  colour: { brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 0.1 },
  normalise: { mean: 0.5, std: 0.25 },
};
