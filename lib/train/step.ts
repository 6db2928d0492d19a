/** The compiled training and evaluation steps: uint8 batch in, scalars out. */
import {
  applyAdam,
  bytesToFloat,
  compile,
  type Compiled,
  fromBytes,
  tf,
  Variable,
} from "../tensorflow/mod.ts";
import { randomErasing, randomFlip } from "../data/mod.ts";
import {
  applyScope,
  type Forward,
  fromTorch,
  type ModelState,
  toTorch,
} from "../nn/mod.ts";
import type { CheckpointTensor } from "./checkpoint.ts";
import type { Recipe } from "./recipe.ts";

/** Pixels [B, H, W, C] uint8 as the network's input: [0, 1], then mean/std. */
function normalise(bytes: tf.Tensor, recipe: Recipe): tf.Tensor4D {
  const x = tf.div(bytesToFloat(bytes), 255);
  const { mean, std } = recipe.normalise;
  if (mean === 0 && std === 1) return x as tf.Tensor4D;
  return tf.div(tf.sub(x, mean), std);
}

/** Mean cross-entropy of integer labels. Logits [B, C], labels [B] int32. */
export function crossEntropy(
  logits: tf.Tensor2D,
  labels: tf.Tensor1D,
): tf.Scalar {
  const oneHot = tf.oneHot(labels, logits.shape[1]);
  const perSample = tf.sum(tf.mul(tf.logSoftmax(logits), oneHot), -1);
  return tf.neg(tf.mean(perSample));
}

interface Trained {
  value: Variable;
  m: Variable;
  v: Variable;
}

/** Parameters, statistics and optimizer state on the device, and their step. */
export class Trainer {
  readonly #parameters = new Map<string, Trained>();
  readonly #buffers = new Map<string, Variable>();
  readonly #state: ModelState;
  readonly #train: Compiled;
  readonly #evaluate: Compiled;
  readonly #recipe: Recipe;
  /** Optimizer steps done. */
  step = 0;

  constructor(forward: Forward, state: ModelState, recipe: Recipe) {
    this.#state = state;
    this.#recipe = recipe;
    tf.tidy(() => {
      for (const [name, { info, data }] of state.parameters) {
        const value = tf.tensor(data, info.shape);
        const zeros = tf.zerosLike(value);
        this.#parameters.set(name, {
          value: new Variable(value, name),
          m: new Variable(zeros, `${name}.m`),
          v: new Variable(zeros, `${name}.v`),
        });
      }
      for (const [name, { info, data }] of state.buffers) {
        this.#buffers.set(
          name,
          new Variable(tf.tensor(data, info.shape), name),
        );
      }
    });
    const { precision } = recipe;
    this.#train = compile(
      (bytes, labels, seed, hyper) =>
        this.#trainStep(forward, bytes, labels as tf.Tensor1D, seed, hyper),
      { precision, name: "train step" },
    );
    this.#evaluate = compile(
      (bytes) => [
        forward(
          applyScope({ ...this.#read(), training: false }),
          normalise(bytes, recipe),
        ),
      ],
      { precision, name: "evaluation" },
    );
  }

  #read() {
    const values = (entries: Iterable<[string, Variable]>) =>
      Object.fromEntries(Array.from(entries, ([n, v]) => [n, v.read()]));
    return {
      parameters: values(
        Array.from(this.#parameters, ([n, p]) => [n, p.value]),
      ),
      buffers: values(this.#buffers),
    };
  }

  #trainStep(
    forward: Forward,
    bytes: tf.Tensor,
    labels: tf.Tensor1D,
    seed: tf.Tensor,
    hyper: tf.Tensor,
  ): tf.Tensor[] {
    const { flip, erasing, betas, weightDecay } = this.#recipe;
    const x = randomErasing(
      randomFlip(normalise(bytes, this.#recipe), flip, seed),
      erasing,
      seed,
    );
    const { parameters, buffers } = this.#read();
    const names = Object.keys(parameters);
    const kept: tf.Tensor[] = [];
    let logits!: tf.Tensor2D;
    let updates!: Map<string, tf.Tensor>;
    const { value, grads } = tf.valueAndGrads((...values: tf.Tensor[]) => {
      const scope = applyScope({
        parameters: Object.fromEntries(names.map((n, i) => [n, values[i]])),
        buffers,
        training: true,
      });
      logits = tf.keep(forward(scope, x));
      updates = scope.updates;
      kept.push(logits, ...[...updates.values()].map((t) => tf.keep(t)));
      return crossEntropy(logits, labels);
    })(names.map((n) => parameters[n]));
    const [lr, beta1Power, beta2Power, eps] = tf.unstack(hyper);
    names.forEach((name, i) => {
      const { value, m, v } = this.#parameters.get(name)!;
      const decayed = weightDecay > 0 && value.shape.length > 1;
      applyAdam({
        parameter: value,
        m,
        v,
        gradient: decayed
          ? tf.add(grads[i], tf.mul(parameters[name], weightDecay))
          : grads[i],
        beta1Power,
        beta2Power,
        lr,
        beta1: tf.scalar(betas[0]),
        beta2: tf.scalar(betas[1]),
        eps,
      });
    });
    for (const [name, update] of updates) {
      this.#buffers.get(name)!.assign(update);
    }
    const correct = tf.sum(
      tf.cast(tf.equal(tf.argMax(logits, -1), labels), "float32"),
    );
    kept.forEach((t) => t.dispose());
    return [tf.stack([value, correct])];
  }

  /**
   * One optimizer step. `images` holds B·H·W·C bytes; returns the mean loss
   * and the number of right answers before the step, under augmentation.
   */
  async trainBatch(
    images: Uint8Array,
    labels: Int32Array,
    shape: [number, number, number, number],
    lr: number,
  ): Promise<{ loss: number; correct: number }> {
    const t = ++this.step;
    const [beta1, beta2] = this.#recipe.betas;
    const power2 = beta2 ** t;
    const inputs = [
      fromBytes(images, shape),
      tf.tensor1d(labels, "int32"),
      tf.tensor1d([this.#recipe.seed, t], "int32"),
      tf.tensor1d([
        lr,
        beta1 ** t,
        power2,
        this.#recipe.eps * Math.sqrt(1 - power2),
      ]),
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

  /** Logits [B·classes] of a batch with the running statistics. */
  async logits(
    images: Uint8Array,
    shape: [number, number, number, number],
  ): Promise<Float32Array> {
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

  #variables(): Map<string, { variable: Variable; layout: string }> {
    const all = new Map<string, { variable: Variable; layout: string }>();
    for (const [name, { value, m, v }] of this.#parameters) {
      const { layout } = this.#state.parameters.get(name)!.info;
      all.set(name, { variable: value, layout });
      all.set(`adam.exp_avg.${name}`, { variable: m, layout });
      all.set(`adam.exp_avg_sq.${name}`, { variable: v, layout });
    }
    for (const [name, variable] of this.#buffers) {
      all.set(name, { variable, layout: "none" });
    }
    return all;
  }

  /** The whole state under PyTorch's names and in its layout. */
  save(): Map<string, CheckpointTensor> {
    const tensors = new Map<string, CheckpointTensor>();
    for (const [name, { variable, layout }] of this.#variables()) {
      const value = variable.read();
      const torch = toTorch(
        value.dataSync() as Float32Array,
        variable.shape,
        layout as "none",
      );
      value.dispose();
      tensors.set(name, { dtype: "F32", shape: torch.shape, data: torch.data });
    }
    return tensors;
  }

  /** Puts back what `save` gave; throws on a missing name or another shape. */
  load(tensors: Map<string, CheckpointTensor>): void {
    tf.tidy(() => {
      for (const [name, { variable, layout }] of this.#variables()) {
        const stored = tensors.get(name);
        if (!stored) throw new Error(`checkpoint: ${name} is missing`);
        const { data, shape } = fromTorch(
          stored.data as Float32Array,
          stored.shape,
          layout as "none",
        );
        if (String(shape) !== String(variable.shape)) {
          throw new Error(
            `checkpoint: ${name} has shape [${shape}], the model wants [${variable.shape}]`,
          );
        }
        variable.assign(tf.tensor(data, shape));
      }
    });
  }

  dispose(): void {
    this.#train.dispose();
    this.#evaluate.dispose();
    for (const { value, m, v } of this.#parameters.values()) {
      [value, m, v].forEach((x) => x.dispose());
    }
    this.#buffers.forEach((x) => x.dispose());
  }
}
