/** The compiled training and evaluation steps: uint8 batch in, scalars out. */
import {
  bytesToFloat,
  compile,
  type Compiled,
  fromBytes,
  type Precision,
  tf,
  type Variable,
} from "../tensorflow/mod.ts";
import { randomErasing, randomFlip } from "../data/mod.ts";
import {
  applyScope,
  type Forward,
  fromTorch,
  type Layout,
  type ModelState,
  toTorch,
} from "../nn/mod.ts";
import type { CheckpointTensor } from "./checkpoint.ts";
import type { Recipe } from "./recipe.ts";
import {
  adamSchedule,
  disposeVariables,
  readVariables,
  trainStep,
  type Variables,
  variablesOf,
} from "./step.ts";

type ImageShape = [
  batch: number,
  height: number,
  width: number,
  channels: number,
];

/** Pixels [B, H, W, C] uint8 as the network's input: [0, 1], then mean/std. */
function normalise(bytes: tf.Tensor, { mean, std }: Recipe["normalise"]) {
  const x = tf.div(bytesToFloat(bytes), 255);
  if (mean === 0 && std === 1) return x as tf.Tensor4D;
  return tf.div(tf.sub(x, mean), std) as tf.Tensor4D;
}

/**
 * The arithmetic of a recipe's step. "auto" stays with float32 for channels
 * that do not fill blocks of 16, where bfloat16 has only slow kernels.
 */
function precisionOf({ precision, widths, stemWidth }: Recipe): Precision {
  const blocks = [stemWidth, ...widths].every((width) => width % 16 === 0);
  return precision === "auto" && !blocks ? "float32" : precision;
}

/** A model under training; `dispose` frees what it holds. */
export class Trainer {
  readonly #variables: Variables;
  readonly #state: ModelState;
  readonly #train: Compiled;
  readonly #evaluate: Compiled;
  readonly #recipe: Recipe;
  /** Optimizer steps done. */
  step = 0;

  constructor(forward: Forward, state: ModelState, recipe: Recipe) {
    this.#state = state;
    this.#recipe = recipe;
    const variables = this.#variables = variablesOf(state);
    const { flip, erasing } = recipe;
    const precision = precisionOf(recipe);
    this.#train = compile((bytes, labels, seed, schedule) => {
      const x = randomErasing(
        randomFlip(normalise(bytes, recipe.normalise), flip, seed),
        erasing,
        seed,
      );
      const truth = labels as tf.Tensor1D;
      const { loss, logits } = trainStep(
        forward,
        variables,
        x,
        truth,
        schedule,
        recipe,
      );
      const right = tf.equal(tf.argMax(logits, -1), truth);
      return [tf.stack([loss, tf.sum(tf.cast(right, "float32"))])];
    }, { precision, name: "train step" });
    this.#evaluate = compile((bytes) => {
      const scope = applyScope({
        ...readVariables(variables),
        training: false,
      });
      return [forward(scope, normalise(bytes, recipe.normalise))];
    }, { precision, name: "evaluation" });
  }

  /**
   * One optimizer step. `images` holds B·H·W·C bytes; returns the mean loss
   * and the number of right answers before the step, under augmentation.
   */
  async trainBatch(
    images: Uint8Array,
    labels: Int32Array,
    shape: ImageShape,
  ): Promise<{ loss: number; correct: number }> {
    const t = ++this.step;
    const inputs = [
      fromBytes(images, shape),
      tf.tensor1d(labels, "int32"),
      tf.tensor1d([this.#recipe.seed, t], "int32"),
      adamSchedule(this.#recipe, t),
    ];
    try {
      const [result] = await this.#train(...inputs);
      const [loss, correct] = result.dataSync();
      result.dispose();
      return { loss, correct };
    } finally {
      inputs.forEach((i) => i.dispose());
    }
  }

  /** Logits [B·classes] of a batch by the running statistics. */
  async logits(images: Uint8Array, shape: ImageShape): Promise<Float32Array> {
    const input = fromBytes(images, shape);
    try {
      const [result] = await this.#evaluate(input);
      const values = result.dataSync() as Float32Array;
      result.dispose();
      return values;
    } finally {
      input.dispose();
    }
  }

  #named(): Map<string, { variable: Variable; layout: Layout }> {
    const all = new Map<string, { variable: Variable; layout: Layout }>();
    for (const [name, { value, m, v }] of this.#variables.parameters) {
      const { layout } = this.#state.parameters.get(name)!.info;
      all.set(name, { variable: value, layout });
      all.set(`adam.exp_avg.${name}`, { variable: m, layout });
      all.set(`adam.exp_avg_sq.${name}`, { variable: v, layout });
    }
    for (const [name, variable] of this.#variables.buffers) {
      all.set(name, { variable, layout: "none" });
    }
    return all;
  }

  /** The whole state under PyTorch's names and in its layout. */
  save(): Map<string, CheckpointTensor> {
    const tensors = new Map<string, CheckpointTensor>();
    for (const [name, { variable, layout }] of this.#named()) {
      const value = variable.read();
      const { data, shape } = toTorch(
        value.dataSync() as Float32Array,
        variable.shape,
        layout,
      );
      value.dispose();
      tensors.set(name, { dtype: "F32", shape, data });
    }
    return tensors;
  }

  /**
   * Puts back what `save` gave.
   *
   * @throws on a missing name or another shape, before anything is changed.
   */
  load(tensors: Map<string, CheckpointTensor>): void {
    const named = [...this.#named()].map(([name, { variable, layout }]) => {
      const stored = tensors.get(name);
      if (!stored) throw new Error(`checkpoint: ${name} is missing`);
      const { data, shape } = fromTorch(
        stored.data as Float32Array,
        stored.shape,
        layout,
      );
      if (String(shape) !== String(variable.shape)) {
        throw new Error(
          `checkpoint: ${name} has shape [${shape}], the model wants [${variable.shape}]`,
        );
      }
      return { variable, data, shape };
    });
    tf.tidy(() => {
      for (const { variable, data, shape } of named) {
        variable.assign(tf.tensor(data, shape));
      }
    });
  }

  dispose(): void {
    this.#train.dispose();
    this.#evaluate.dispose();
    disposeVariables(this.#variables);
  }
}
