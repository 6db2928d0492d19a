/** The compiled training and evaluation steps: uint8 batch in, scalars out. */
import {
  bytesToFloat,
  compile,
  type Compiled,
  fromBytes,
  returnMemory,
  tf,
  useLargePages,
  usesNativeOps,
} from "../tensorflow/mod.ts";
import { applyScope, type Forward, type ModelState } from "../nn/mod.ts";
import type { StoredTensor } from "../weights/mod.ts";
import { colourJitter } from "./augment/colour_jitter.ts";
import {
  randomErasing,
  randomFlip,
  randomFlipAndErasing,
} from "./augment/flip_and_erase.ts";
import {
  movesNothing,
  randomAffine,
  randomResizedCrop,
} from "./augment/geometry.ts";
import {
  applyMixing,
  mixes,
  mixingDraw,
  mixingInputs,
} from "./augment/mixing.ts";
import { likeliestOf, lossOf, targetsOf } from "./losses.ts";
import type { Rate } from "./learning_rates.ts";
import type { Recipe } from "./recipe.ts";
import {
  readSettings,
  type Settings,
  settingsTensor,
  stepShape,
} from "./step_inputs.ts";
import {
  accumulate,
  applyStatistics,
  type Batch,
  gradientsOf,
  stepRates,
  takeSums,
  update,
} from "./step.ts";
import {
  disposeVariables,
  everyVariable,
  loadVariables,
  readVariables,
  saveVariables,
  structureOf,
  type Variables,
  variablesOf,
} from "./variables.ts";

export type ImageShape = [
  batch: number,
  height: number,
  width: number,
  channels: number,
];

/** A class an image, [B], or its shares of all classes, [B·classes]. */
export type Labels = Int32Array | Float32Array;

export interface StepResult {
  /** Mean over the batch, before the step, under augmentation. */
  loss: number;
  /** Right answers; null where labels are mixed. */
  correct: number | null;
  /** Of all gradients together, before clipping. */
  gradientNorm: number;
}

/** Pixels [B, H, W, C] uint8 as float32 in [0, 1]. */
export const scaled = (bytes: tf.Tensor) =>
  tf.div(bytesToFloat(bytes), 255) as tf.Tensor4D;

/** Pixels in [0, 1] as the network's input. */
export function normalise(x: tf.Tensor4D, { mean, std }: Recipe["normalise"]) {
  if (mean === 0 && std === 1) return x;
  return tf.div(tf.sub(x, mean), std) as tf.Tensor4D;
}

/** Pixels [B, H, W, C] uint8 as the network sees them in training. */
function augment(
  bytes: tf.Tensor,
  r: Recipe,
  settings: Pick<Settings, "flip" | "erasing">,
  seed: tf.Tensor,
): tf.Tensor4D {
  const flip = r.flip && settings.flip;
  const probability = r.erasing.probability && settings.erasing;
  const erasing = { ...r.erasing, probability };
  const { crop, affine, colour, normalise: norm } = r;
  const still = crop.scaleMin === 1 && movesNothing(affine) &&
    Object.values(colour).every((strength) => strength === 0);
  if (still && usesNativeOps()) {
    const images = bytes as tf.Tensor4D;
    const changes = { flip, erasing, normalise: norm };
    return randomFlipAndErasing(images, changes, seed);
  }
  let x = scaled(bytes);
  x = randomResizedCrop(x, crop, seed);
  x = randomFlip(x, flip, seed);
  x = randomAffine(x, affine, seed);
  x = colourJitter(x, colour, seed);
  x = normalise(x, norm);
  return randomErasing(x, erasing, seed);
}

/** A model under training; `dispose` frees what it holds. */
export class Trainer {
  readonly variables: Variables;
  readonly forward: Forward;
  readonly recipe: Recipe;
  readonly #classWeights?: readonly number[];
  readonly #evaluate: Compiled;
  /** A batch in one go. */
  readonly #whole: Compiled;
  /** One of several pieces of a batch, and the step behind the last. */
  readonly #piece: Compiled;
  readonly #finish: Compiled;
  /** Optimizer steps done. */
  step = 0;

  /**
   * A precision of "auto" is float32 here: `settlePrecision` asks the machine.
   *
   * @param classWeights one a class, weigh the loss
   * @param shared whether `forward` is the recipe's own model, whose compiled
   * steps trainers of one process share
   */
  constructor(
    forward: Forward,
    state: ModelState,
    recipe: Recipe,
    { classWeights, shared = false }: {
      classWeights?: readonly number[];
      shared?: boolean;
    } = {},
  ) {
    this.forward = forward;
    this.recipe = recipe;
    this.#classWeights = classWeights;
    const variables = this.variables = variablesOf(state, recipe);
    useLargePages();
    const clips = recipe.clipNorm > 0;
    const options = {
      precision: recipe.precision === "auto" ? "float32" : recipe.precision,
      shared: shared
        ? {
          key: `${stepShape(recipe)} ${!!classWeights} ${
            structureOf(variables)
          }`,
          variables: everyVariable(variables),
        }
        : undefined,
    } as const;
    this.#whole = compile((rates, ...inputs) => {
      const { pass, scalars } = this.#pass(inputs);
      // First the statistics, which the running means follow as well.
      applyStatistics(variables, pass.updates);
      const norm = update(variables, pass.gradients, rates, clips);
      return [tf.stack([...scalars, norm])];
    }, { ...options, name: "train step" });
    this.#piece = compile((share, ...inputs) => {
      const { pass, scalars } = this.#pass(inputs);
      accumulate(variables, pass.gradients, share);
      applyStatistics(variables, pass.updates);
      return [tf.stack(scalars)];
    }, { ...options, name: "piece of a train step" });
    this.#finish = compile((rates) => [
      update(variables, takeSums(variables), rates, clips),
    ], { ...options, precision: "float32", name: "optimizer step" });
    this.#evaluate = compile((bytes) => {
      const values = readVariables(variables, "average");
      const scope = applyScope({ ...values, training: false });
      return [forward(scope, normalise(scaled(bytes), recipe.normalise))];
    }, { ...options, name: "evaluation" });
  }

  /** The batch of a compiled step's inputs, augmented and mixed. */
  batchOf(
    [bytes, labels, seed, values, numbers, partners]: tf.Tensor[],
  ): Batch {
    const { classes, mixing } = this.recipe;
    const weighted = this.#classWeights !== undefined;
    const settings = readSettings(values, this.recipe, weighted);
    const { smoothing, drops, classWeights } = settings;
    const x = augment(bytes, this.recipe, settings, seed);
    const targets = labels.rank === 1
      ? targetsOf(labels as tf.Tensor1D, classes)
      : labels as tf.Tensor2D;
    const mixed = mixes(mixing)
      ? applyMixing(x, targets, { numbers, partners })
      : { x, targets };
    return {
      x: mixed.x,
      seed,
      drops,
      lossOf: (logits) => {
        const wanted = this.recipe.labels === "any"
          ? likeliestOf(logits, mixed.targets)
          : mixed.targets;
        return lossOf(logits, wanted, this.recipe, classWeights, smoothing);
      },
    };
  }

  /** Loss, right answers and gradients of a compiled step's inputs. */
  #pass(inputs: tf.Tensor[]) {
    const pass = gradientsOf(
      this.forward,
      this.variables,
      this.batchOf(inputs),
      this.recipe.sam,
    );
    const [, labels] = inputs;
    const truth = labels.rank === 1 ? labels : tf.argMax(labels, -1);
    const right = tf.equal(tf.argMax(pass.logits, -1), truth);
    const correct = tf.sum(tf.cast(right, "float32"));
    return { pass, scalars: [pass.loss, correct] };
  }

  /** The inputs of piece `piece` of step `step`, for `batchOf`. */
  inputsOf(
    images: Uint8Array,
    labels: Labels,
    shape: ImageShape,
    { step, piece }: { step: number; piece: number },
  ): tf.Tensor[] {
    const { seed, mixing, accumulate } = this.recipe;
    // Each piece has draws of its own.
    const draw = (step - 1) * accumulate + piece + 1;
    const inputs = [
      fromBytes(images, shape),
      labels instanceof Int32Array
        ? tf.tensor1d(labels, "int32")
        : tf.tensor2d(labels, [shape[0], this.recipe.classes]),
      tf.tensor1d([seed, draw], "int32"),
      settingsTensor(this.recipe, this.#classWeights),
    ];
    if (!mixes(mixing)) return inputs;
    const [batch, height, width] = shape;
    const drawn = mixingDraw(mixing, seed, draw, [batch, height, width]);
    const { numbers, partners } = mixingInputs(drawn);
    return [...inputs, numbers, partners];
  }

  /**
   * One optimizer step at `rate`, the recipe's where none is given. `images`
   * holds B·H·W·C bytes.
   */
  async trainBatch(
    images: Uint8Array,
    labels: Labels,
    shape: ImageShape,
    rate: Rate = { lr: this.recipe.lr },
  ): Promise<StepResult> {
    const step = ++this.step;
    const rates = stepRates(this.variables, this.recipe, step, rate);
    const { loss, correct, norm } = this.recipe.accumulate === 1
      ? await this.#inOne(images, labels, shape, rates)
      : await this.#inPieces(images, labels, shape, rates);
    return {
      loss,
      correct: mixes(this.recipe.mixing) ? null : correct,
      gradientNorm: norm,
    };
  }

  async #inOne(
    images: Uint8Array,
    labels: Labels,
    shape: ImageShape,
    rates: tf.Tensor,
  ) {
    const at = { step: this.step, piece: 0 };
    const inputs = this.inputsOf(images, labels, shape, at);
    const [loss, correct, norm] = await read(this.#whole, [rates, ...inputs]);
    return { loss, correct, norm };
  }

  async #inPieces(
    images: Uint8Array,
    labels: Labels,
    [batch, ...image]: ImageShape,
    rates: tf.Tensor,
  ) {
    const size = this.recipe.batchSize / this.recipe.accumulate;
    const pixels = images.length / batch, width = labels.length / batch;
    let loss = 0, correct = 0;
    for (let start = 0, piece = 0; start < batch; start += size, piece++) {
      const end = Math.min(start + size, batch), n = end - start;
      const inputs = this.inputsOf(
        images.subarray(start * pixels, end * pixels),
        labels.subarray(start * width, end * width),
        [n, ...image],
        { step: this.step, piece },
      );
      const share = tf.scalar(n / batch);
      const [mean, right] = await read(this.#piece, [share, ...inputs]);
      loss += mean * n / batch;
      correct += right;
    }
    const [norm] = await read(this.#finish, [rates]);
    return { loss, correct, norm };
  }

  /**
   * Logits [B·classes] of a batch by the running statistics, and by the
   * running mean of the weights where the recipe keeps one.
   */
  async logits(images: Uint8Array, shape: ImageShape): Promise<Float32Array> {
    return await read(this.#evaluate, [fromBytes(images, shape)]);
  }

  /** The whole state under PyTorch's names and in its layout. */
  save(): Map<string, StoredTensor> {
    return saveVariables(this.variables);
  }

  /**
   * Puts back what `save` gave.
   *
   * @throws on a missing name or another shape, before anything is changed.
   */
  load(tensors: ReadonlyMap<string, StoredTensor>): void {
    loadVariables(this.variables, tensors);
  }

  dispose(): void {
    [this.#whole, this.#piece, this.#finish, this.#evaluate]
      .forEach((f) => f.dispose());
    disposeVariables(this.variables);
    returnMemory();
  }
}

/** The numbers of a compiled function's one result; its inputs are freed. */
async function read(
  compiled: Compiled,
  inputs: tf.Tensor[],
): Promise<Float32Array> {
  try {
    const [result] = await compiled(...inputs);
    const values = result.dataSync() as Float32Array;
    result.dispose();
    return values;
  } finally {
    inputs.forEach((i) => i.dispose());
  }
}
