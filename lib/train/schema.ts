/** The recipe's schema: every field, its default, its range and its meaning. */
import { z } from "zod";
import {
  beta,
  oneOf,
  positive,
  real,
  takes,
  wholeNumber,
} from "../faults/mod.ts";
import { risesBy, Schedule } from "./schedules.ts";

function four(low: number, high: number) {
  const item = wholeNumber(low, high);
  return z.tuple([item, item, item, item], takes("a list of 4 whole numbers"));
}

/** A share below 1. */
function share(value = 0) {
  const error = takes("a number from 0 to below 1");
  return z.number(error).min(0, error).lt(1, error).default(value);
}

const flag = (value: boolean) => oneOf([true, false]).default(value);

const group = takes("an object of the group's fields");

/** The fields, before the checks across them. */
export const Fields = z.strictObject({
  model: oneOf(["baseline", "cls", "meanPool"]).default("baseline").describe(
    "The network behind IR50: baseline is a plain ViT, cls has blocks in which only the cls token asks, meanPool is the control with neither.",
  ),
  patches: oneOf(["dropped", "catBeforeMlp", "catAfterMlp"]).default("dropped")
    .describe(
      "What the cls model does with the patches in a block: dropped (as published), catBeforeMlp or catAfterMlp.",
    ),
  scale: oneOf(["inverse", "right"]).default("inverse").describe(
    "Whether the cls model divides its attention logits by head_dim^-0.5 (inverse, as published by mistake) or multiplies (right).",
  ),
  size: wholeNumber(16, 1024).default(48)
    .describe("Side of the square input, in pixels; 16 to 1024."),
  widths: four(1, 8192).default([16, 32, 64, 128])
    .describe("Channels of the four stages; each 1 to 8192."),
  layers: four(1, 100).default([2, 2, 2, 2])
    .describe("Residual units of the four stages; each 1 to 100."),
  stemWidth: wholeNumber(1, 8192).default(16)
    .describe("Channels of the first convolution; 1 to 8192."),
  stemStride: oneOf([1, 2]).default(1)
    .describe("Stride of the first convolution, in pixels; 1 or 2."),
  depth: wholeNumber(1, 100).default(4)
    .describe("Transformer blocks; 1 to 100."),
  dim: wholeNumber(1, 8192).default(128).describe(
    "Width of the tokens, in channels; the last of widths, as nothing projects them.",
  ),
  heads: wholeNumber(1, 1024).default(4)
    .describe("Attention heads; 1 to 1024, a divisor of dim."),
  mlpRatio: wholeNumber(1, 64).default(4)
    .describe("Hidden width of a block's MLP in units of dim; 1 to 64."),
  qkNorm: flag(false)
    .describe("LayerNorm of queries and keys in each head; true or false."),
  layerScale: real(0, 1e6).default(0).describe(
    "First value of LayerScale's factors (arXiv 2103.17239); 0 switches it off.",
  ),
  seHead: flag(false).describe(
    "Squeeze-and-excitation of the token that the head reads; true or false.",
  ),
  attentionDrop: share()
    .describe("Dropout of the attention weights; 0 to below 1."),
  projectionDrop: share().describe(
    "Dropout behind the attention's projection and both MLP layers; 0 to below 1.",
  ),
  pathDrop: share().describe(
    "Stochastic depth of the last block, growing from 0 at the first; 0 to below 1.",
  ),
  classes: wholeNumber(2, 100000).default(7)
    .describe("Number of classes; 2 to 100000."),
  weights: z.strictObject({
    file: z.string(takes("a path, or an empty text")).default("").describe(
      "PyTorch's or safetensors weights to start from, or an index of their shards, by path; empty for none.",
    ),
    allow: z.array(
      oneOf(["missing", "unexpected", "wrongShape"]),
      takes("a list of missing, unexpected and wrongShape"),
    ).default([]).describe(
      "Which misfits of the file do not stop the run: missing, unexpected, wrongShape.",
    ),
  }, group).prefault({}).describe("Pretrained weights."),
  batchSize: wholeNumber(1, 1e6).default(64)
    .describe("Images per training step; 1 to 1000000."),
  evalBatchSize: wholeNumber(1, 65536).default(256)
    .describe("Images per evaluation step; 1 to 65536, no effect on results."),
  epochs: wholeNumber(1, 100000).default(10)
    .describe("Passes over the training images; 1 to 100000."),
  seed: wholeNumber(0, 2147483647).default(0).describe(
    "Seed of the start values, the order and the augmentation; 0 to 2147483647.",
  ),
  optimizer: oneOf(["adam", "adamw", "sgd"]).default("adam").describe(
    "adam (decay added to the gradient), adamw (decoupled decay) or sgd.",
  ),
  lr: positive().default(2e-4)
    .describe("Learning rate, before the schedule; above 0."),
  betas: z.tuple([beta(), beta()], takes("a list of 2 numbers"))
    .default([0.9, 0.999]).describe(
      "Decay per step of Adam's two running means; each from 0 to below 1.",
    ),
  eps: positive().default(1e-8)
    .describe("Added to Adam's denominator; above 0."),
  amsgrad: flag(false).describe(
    "Whether Adam divides by the largest second moment so far; true or false.",
  ),
  momentum: share(0.9).describe("SGD's momentum; 0 to below 1."),
  nesterov: flag(false)
    .describe("Whether SGD's momentum is Nesterov's; true or false."),
  dampening: real(0, 1).default(0)
    .describe(
      "The part of a gradient that SGD's momentum does not take up (dampening); 0 to 1.",
    ),
  weightDecay: real(0, 1e6).default(0)
    .describe("Weight decay of the parameters of weightDecayOn; from 0."),
  weightDecayOn: oneOf(["kernels", "matrices", "all"]).default("kernels")
    .describe(
      "What decays: kernels (weights of convolutions and linear layers), matrices (what has more than one dimension, so cls token and positions too, as in the notes) or all.",
    ),
  groups: z.array(
    z.strictObject({
      match: z.string(takes("the beginning of parameter names"))
        .min(1, takes("the beginning of parameter names"))
        .describe("The beginning of the names, for instance irback."),
      lr: real(0, 1e6).default(1)
        .describe("Factor of the learning rate; 0 freezes the group."),
      weightDecay: real(0, 1e6).default(1)
        .describe("Factor of the weight decay; from 0."),
    }, group),
    takes("a list of groups"),
  ).default([]).describe(
    "Parameters with a rate or decay of their own, by name; the first match counts.",
  ),
  schedule: Schedule.default({ kind: "constant", per: "epoch" })
    .describe("How the learning rate changes over the run."),
  clipNorm: real(0, 1e6).default(0).describe(
    "Largest norm of all gradients together; larger ones are scaled down; 0 is no limit.",
  ),
  accumulate: wholeNumber(1, 1e6).default(1).describe(
    "Pieces that a batch is cut into, whose gradients are added up before the step; 1 to batchSize.",
  ),
  sam: z.strictObject({
    rho: real(0, 1e6).default(0).describe(
      "How far from the weights the gradient is taken (SAM, arXiv 2010.01412); 0 switches it off.",
    ),
    adaptive: flag(false).describe(
      "Whether the distance is in units of each weight (arXiv 2102.11600); true or false.",
    ),
  }, group).prefault({}).describe("Sharpness-aware minimisation."),
  ema: z.strictObject({
    decay: share().describe(
      "Decay per step of the weights' running mean, which evaluation then uses; 0 switches it off, to below 1.",
    ),
    warmup: flag(true).describe(
      "Whether the decay is at most (1 + step) / (10 + step); true or false.",
    ),
  }, group).prefault({}).describe("Exponential moving average of the weights."),
  loss: z.strictObject({
    kind: oneOf(["crossEntropy", "focal", "poster"]).default("crossEntropy")
      .describe(
        "crossEntropy, focal (arXiv 1708.02002) or poster (twice the smoothed cross-entropy plus the plain one).",
      ),
    labelSmoothing: real(0, 1).default(0).describe(
      "Share of a target that is spread over all classes; 0 to 1.",
    ),
    gamma: real(0, 100).default(2)
      .describe("The focal loss's exponent; 0 to 100."),
    classWeights: oneOf(["none", "balanced"]).default("none").describe(
      "none, or balanced: each class weighs one over its number of training images. As in PyTorch a batch's loss is then divided by its labels' weight, or by the number of images where targets are shares (labels soft, or mixing).",
    ),
  }, group).prefault({}).describe("What is minimised."),
  sampler: oneOf(["shuffle", "balanced"]).default("shuffle").describe(
    "An epoch's images: shuffle takes each once, balanced draws as many of each class with replacement.",
  ),
  labels: oneOf(["hard", "soft", "drawn", "any"]).default("hard").describe(
    "Where raters disagree: the majority's label (hard), the raters' shares as target (soft), a label drawn by the shares in each epoch (drawn), or whichever of the rated labels the model thinks likeliest (any).",
  ),
  mixing: z.strictObject({
    kind: oneOf(["none", "mixup", "cutmix", "mixup-or-cutmix"]).default("none")
      .describe(
        "none, mixup (arXiv 1710.09412), cutmix (arXiv 1905.04899), or either by chance on every batch.",
      ),
    alpha: real(0, 1000).default(0.2).describe(
      "Both parameters of the Beta distribution of the share; 0 mixes nothing, to 1000.",
    ),
    pairing: oneOf(["roll", "permutation"]).default("roll").describe(
      "Whether an image is mixed with the one before it (roll) or with any (permutation).",
    ),
  }, group).prefault({}).describe("Mixing of images and labels."),
  flip: real(0, 1).default(0.5)
    .describe("Probability that an image is mirrored left to right; 0 to 1."),
  erasing: z.strictObject({
    probability: real(0, 1).default(0.5)
      .describe("Probability that a rectangle of an image is erased; 0 to 1."),
    areaMin: real(0, 1).default(0.02)
      .describe("Smallest rectangle, as a share of the image; 0 to 1."),
    areaMax: real(0, 1).default(0.1)
      .describe("Largest rectangle, as a share of the image; areaMin to 1."),
    ratioMin: positive().default(0.3)
      .describe("Smallest height over width of the rectangle; above 0."),
    ratioMax: positive().default(3.3)
      .describe("Largest height over width of the rectangle; from ratioMin."),
  }, group).prefault({}).describe("Random erasing (arXiv 1708.04896)."),
  crop: z.strictObject({
    scaleMin: real(0.01, 1).default(1)
      .describe(
        "Smallest crop, as a share of the image; 0.01 to 1; 1 is none.",
      ),
    scaleMax: real(0.01, 1).default(1)
      .describe("Largest crop, as a share of the image; scaleMin to 1."),
    ratioMin: positive().default(3 / 4)
      .describe("Smallest width over height of the crop; above 0."),
    ratioMax: positive().default(4 / 3)
      .describe("Largest width over height of the crop; from ratioMin."),
  }, group).prefault({}).describe("Random resized crop."),
  affine: z.strictObject({
    degrees: real(0, 180).default(0)
      .describe("Largest rotation either way, in degrees; 0 to 180."),
    translate: real(0, 1).default(0)
      .describe("Largest shift either way, as a share of the side; 0 to 1."),
    scaleMin: real(0.01, 100).default(1)
      .describe("Smallest enlargement; 0.01 to 100."),
    scaleMax: real(0.01, 100).default(1)
      .describe("Largest enlargement; scaleMin to 100."),
    shear: real(0, 89).default(0)
      .describe("Largest shear either way, in degrees; 0 to 89."),
  }, group).prefault({}).describe("Random affine maps."),
  colour: z.strictObject({
    brightness: real(0, 10).default(0)
      .describe("Factors of brightness lie within 1 ± this; 0 to 10."),
    contrast: real(0, 10).default(0)
      .describe("Factors of contrast lie within 1 ± this; 0 to 10."),
    saturation: real(0, 10).default(0)
      .describe("Factors of saturation lie within 1 ± this; 0 to 10."),
    hue: real(0, 0.5).default(0)
      .describe("Largest turn of the hue either way, in turns; 0 to 0.5."),
  }, group).prefault({}).describe("Random colour changes."),
  normalise: z.strictObject({
    mean: real(-1e6, 1e6).default(0)
      .describe("Taken from the pixels, which lie in [0, 1]; any number."),
    std: positive().default(1)
      .describe("What the pixels are divided by, after mean; above 0."),
  }, group).prefault({}).describe("Input normalisation."),
  precision: oneOf(["auto", "float32", "bfloat16"]).default("auto").describe(
    "Number format of convolutions and matrix products: float32, bfloat16, or auto: where the CPU computes in both, the one in which this net's steps were faster when they were first timed on this machine.",
  ),
  dropLast: oneOf([true, false]).default(true).describe(
    "Whether an epoch's last batch is left out when it is not full; true or false.",
  ),
}, takes("an object of recipe fields"));

type Field = keyof z.output<typeof Fields>;

/** The recipe's schema: defaults, ranges and the checks across fields. */
export const Recipe = Fields.superRefine((r, context) => {
  // `others` are the fields that it is held against.
  const refuse = (path: PropertyKey[], message: string, ...others: Field[]) =>
    context.addIssue({
      code: "custom",
      path,
      message,
      params: { with: others },
    });
  const width = r.widths[3];
  if (r.dim !== width) {
    refuse(
      ["dim"],
      `${r.dim} is not the last of widths, ${width}; give ${width}, or change widths[3]`,
      "widths",
    );
  }
  if (r.dim % r.heads !== 0) {
    refuse(
      ["heads"],
      `${r.heads} does not divide dim ${r.dim}; give a divisor of ${r.dim}`,
      "dim",
    );
  }
  const stride = r.stemStride * 2 ** r.widths.length;
  if (r.size < stride) {
    refuse(
      ["size"],
      `${r.size} is less than the strides' product ${stride}, so no map is left; give at least ${stride}`,
      ...["stemStride", "widths"] as const,
    );
  }
  const ordered = (group: string, low: string, high: string) => {
    const values = r[group as "crop"] as unknown as Record<string, number>;
    if (values[low] > values[high]) {
      refuse(
        [group, low],
        `${values[low]} is above ${high} ${values[high]}; give at most ${
          values[high]
        }`,
      );
    }
  };
  ordered("erasing", "areaMin", "areaMax");
  ordered("erasing", "ratioMin", "ratioMax");
  ordered("crop", "scaleMin", "scaleMax");
  ordered("crop", "ratioMin", "ratioMax");
  ordered("affine", "scaleMin", "scaleMax");
  const rises = risesBy(r.schedule, r.lr);
  if (rises) refuse(["schedule", rises.field], rises.fault, "lr");
  if (r.nesterov && (r.momentum === 0 || r.dampening > 0)) {
    refuse(
      ["nesterov"],
      "Nesterov's momentum needs a momentum above 0 and a dampening of 0; change these or give false",
      ...["momentum", "dampening"] as const,
    );
  }
  if (r.labels === "any" && r.mixing.kind !== "none") {
    refuse(
      ["labels"],
      `"any" picks one label per image, which cannot be mixed; give mixing.kind "none", or labels "soft"`,
      "mixing",
    );
  }
  if (r.batchSize % r.accumulate !== 0) {
    refuse(
      ["accumulate"],
      `${r.accumulate} does not divide batchSize ${r.batchSize}; give a divisor of ${r.batchSize}`,
      "batchSize",
    );
  }
});
export type Recipe = z.infer<typeof Recipe>;
