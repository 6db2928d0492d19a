/** One optimizer step over variables: forward, loss, gradients, Adam, statistics. */
import { applyAdam, tf, Variable } from "../tensorflow/mod.ts";
import { applyScope, type Forward, type ModelState } from "../nn/mod.ts";
import { crossEntropy } from "./losses.ts";
import type { Recipe } from "./recipe.ts";

interface Trained {
  value: Variable;
  /** Adam's moments. */
  m: Variable;
  v: Variable;
}

/** A model and its optimizer on the device, updated in place. */
export interface Variables {
  parameters: Map<string, Trained>;
  buffers: Map<string, Variable>;
}

export function variablesOf(state: ModelState): Variables {
  const parameters: Variables["parameters"] = new Map();
  const buffers: Variables["buffers"] = new Map();
  tf.tidy(() => {
    for (const [name, { info, data }] of state.parameters) {
      const value = tf.tensor(data, info.shape);
      const zeros = tf.zerosLike(value);
      parameters.set(name, {
        value: new Variable(value, name),
        m: new Variable(zeros, `${name}.m`),
        v: new Variable(zeros, `${name}.v`),
      });
    }
    for (const [name, { info, data }] of state.buffers) {
      buffers.set(name, new Variable(tf.tensor(data, info.shape), name));
    }
  });
  return { parameters, buffers };
}

/** The current values, for `applyScope`. */
export function readVariables({ parameters, buffers }: Variables) {
  return {
    parameters: Object.fromEntries(
      Array.from(parameters, ([name, p]) => [name, p.value.read()]),
    ),
    buffers: Object.fromEntries(
      Array.from(buffers, ([name, v]) => [name, v.read()]),
    ),
  };
}

export function disposeVariables({ parameters, buffers }: Variables): void {
  for (const { value, m, v } of parameters.values()) {
    [value, m, v].forEach((x) => x.dispose());
  }
  buffers.forEach((v) => v.dispose());
}

type Adam = Pick<Recipe, "lr" | "betas" | "eps" | "weightDecay">;

/**
 * What of Adam changes with the step number (from 1): [4] float32, made
 * outside of the compiled step, in float64.
 */
export function adamSchedule({ lr, betas, eps }: Adam, step: number) {
  const power2 = betas[1] ** step;
  // TensorFlow adds eps before the bias correction of √v.
  return tf.tensor1d([
    lr,
    betas[0] ** step,
    power2,
    eps * Math.sqrt(1 - power2),
  ]);
}

/**
 * Trains on one batch: x [B, H, W, C] float32, labels [B] int32, `schedule`
 * from `adamSchedule`. The decay is coupled (added to the gradient) and left
 * out for parameters of one dimension. Returns the loss and the logits [B,
 * classes] from before the update. Call it inside `tf.tidy` or `compile`.
 */
export function trainStep(
  forward: Forward,
  variables: Variables,
  x: tf.Tensor4D,
  labels: tf.Tensor1D,
  schedule: tf.Tensor,
  { betas, weightDecay }: Pick<Adam, "betas" | "weightDecay">,
): { loss: tf.Scalar; logits: tf.Tensor2D } {
  const { parameters, buffers } = readVariables(variables);
  const names = Object.keys(parameters);
  let logits!: tf.Tensor2D;
  let updates!: Map<string, tf.Tensor>;
  const { value: loss, grads } = tf.valueAndGrads((...values) => {
    const scope = applyScope({
      parameters: Object.fromEntries(names.map((n, i) => [n, values[i]])),
      buffers,
      training: true,
    });
    logits = tf.keep(forward(scope, x));
    updates = scope.updates;
    updates.forEach((t) => tf.keep(t));
    return crossEntropy(logits, labels);
  })(names.map((n) => parameters[n]));
  const [lr, beta1Power, beta2Power, eps] = tf.unstack(schedule);
  names.forEach((name, i) => {
    const { value, m, v } = variables.parameters.get(name)!;
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
    variables.buffers.get(name)!.assign(update);
    update.dispose();
  }
  const result = tf.clone(logits);
  logits.dispose();
  return { loss, logits: result };
}
