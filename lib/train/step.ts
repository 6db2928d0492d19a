/** One optimizer step over variables: forward, loss, gradients, update, statistics. */
import { applyScope, type Dropping, type Forward } from "../nn/mod.ts";
import { squareSum, tf } from "../tensorflow/mod.ts";
import type { Rate } from "./learning_rates.ts";
import type { Recipe } from "./recipe.ts";
import { type Parameter, readVariables, type Variables } from "./variables.ts";

export interface Batch {
  /** [B, H, W, C] float32. */
  x: tf.Tensor4D;
  /** The mean loss of the logits [B, classes]. */
  lossOf: (logits: tf.Tensor2D) => tf.Scalar;
  /** int32 [2], for dropout. */
  seed?: tf.Tensor;
  /** The rates of dropout that are inputs. */
  drops?: ReadonlyMap<number, Dropping>;
}

type Named = Record<string, tf.Tensor>;

export interface Pass {
  loss: tf.Scalar;
  /** [B, classes], from before the update. */
  logits: tf.Tensor2D;
  /** Of the parameters that are trained. */
  gradients: Named;
  /** What the buffers are after the step. */
  updates: Map<string, tf.Tensor>;
}

/** ‖all tensors together‖₂, a scalar. */
export function globalNorm(tensors: readonly tf.Tensor[]): tf.Scalar {
  return tf.sqrt(squareSum(tensors));
}

/** Loss and gradients of `trained` in training mode; `fixed` are parameters too. */
function differentiate(
  forward: Forward,
  trained: Named,
  fixed: Named,
  buffers: Named,
  { x, lossOf, seed, drops }: Batch,
): Pass {
  const names = Object.keys(trained);
  let logits!: tf.Tensor2D;
  let updates!: Map<string, tf.Tensor>;
  const { value, grads } = tf.valueAndGrads((...values) => {
    const own = Object.fromEntries(names.map((n, i) => [n, values[i]]));
    const scope = applyScope({
      parameters: { ...fixed, ...own },
      buffers,
      training: true,
      seed,
      drops,
    });
    logits = tf.keep(forward(scope, x));
    updates = scope.updates;
    updates.forEach((t) => tf.keep(t));
    return lossOf(logits);
  })(names.map((n) => trained[n]));
  // Clones belong to the surrounding tidy, what was kept to nobody.
  const owned = (t: tf.Tensor) => {
    const copy = tf.clone(t);
    t.dispose();
    return copy;
  };
  return {
    loss: value as tf.Scalar,
    logits: owned(logits) as tf.Tensor2D,
    gradients: Object.fromEntries(names.map((n, i) => [n, grads[i]])),
    updates: new Map(Array.from(updates, ([n, t]) => [n, owned(t)])),
  };
}

/**
 * Where sharpness-aware minimisation (arXiv 2010.01412) takes its gradient:
 * p + rho·g / (‖g‖ + 1e-12) over all parameters together; adaptive (arXiv
 * 2102.11600) p + rho·p²·g / (‖|p|·g‖ + 1e-12).
 */
function perturbed(
  values: Named,
  gradients: Named,
  { rho, adaptive }: Recipe["sam"],
): Named {
  const names = Object.keys(gradients);
  const lengths = names.map((n) =>
    adaptive ? tf.mul(values[n], gradients[n]) : gradients[n]
  );
  const factor = tf.div(rho, tf.add(globalNorm(lengths), 1e-12));
  return Object.fromEntries(names.map((n, i) => {
    const direction = adaptive ? tf.mul(values[n], lengths[i]) : gradients[n];
    return [n, tf.add(values[n], tf.mul(direction, factor))];
  }));
}

/**
 * The gradients of one batch, SAM's where `sam.rho` is above 0: loss, logits
 * and statistics are then those of the unperturbed weights. Call it inside
 * `tf.tidy` or `compile`.
 */
export function gradientsOf(
  forward: Forward,
  variables: Variables,
  batch: Batch,
  sam: Recipe["sam"],
): Pass {
  const { parameters, buffers } = readVariables(variables);
  const trained: Named = {}, fixed: Named = {};
  for (const [name, { rule }] of variables.parameters) {
    (rule.lr > 0 ? trained : fixed)[name] = parameters[name];
  }
  const pass = differentiate(forward, trained, fixed, buffers, batch);
  if (sam.rho === 0) return pass;
  const moved = perturbed(trained, pass.gradients, sam);
  const { gradients } = differentiate(forward, moved, fixed, buffers, batch);
  return { ...pass, gradients };
}

/** Sets the buffers to what a pass left. */
export function applyStatistics(
  variables: Variables,
  updates: ReadonlyMap<string, tf.Tensor>,
): void {
  for (const [name, update] of updates) {
    variables.buffers.get(name)!.value.assign(update);
  }
}

/** Adds share · gradient to the sums of the batch's pieces. */
export function accumulate(
  variables: Variables,
  gradients: Named,
  share: tf.Tensor,
): void {
  for (const [name, gradient] of Object.entries(gradients)) {
    variables.parameters.get(name)!.sum!.add(tf.mul(gradient, share));
  }
}

/** The summed gradients, and zeros in their place. */
export function takeSums({ parameters }: Variables): Named {
  const sums: Named = {};
  for (const [name, { sum }] of parameters) {
    if (!sum) continue;
    sums[name] = sum.read();
    sum.assign(tf.zerosLike(sums[name]));
  }
  return sums;
}

/** average ← average + share · (value − average) */
function follow(
  { value, average }: Pick<Parameter, "value" | "average">,
  share: tf.Tensor,
) {
  average?.add(tf.mul(tf.sub(value.read(), average.read()), share));
}

/** What `stepRates` gave, as scalars. */
export function unpackRates(rates: tf.Tensor): {
  /** The share of the new weights in the running mean. */
  share: tf.Tensor;
  clipNorm: tf.Tensor;
  /** The optimizer's, by the parameters' `row`. */
  rows: tf.Tensor[][];
} {
  const rows = tf.unstack(rates).map((row) => tf.unstack(row));
  const [share, clipNorm] = rows[0];
  return { share, clipNorm, rows: rows.map((row) => row.slice(2)) };
}

/**
 * Updates every parameter in place by its gradient, scaled down, where `clips`
 * says so, to the recipe's largest norm of all (as torch 2.15
 * `clip_grad_norm_`), then the running means. `rates` is what `stepRates`
 * gives. Returns the norm before clipping.
 */
export function update(
  variables: Variables,
  gradients: Named,
  rates: tf.Tensor,
  clips: boolean,
): tf.Scalar {
  const norm = globalNorm(Object.values(gradients));
  const { share, clipNorm, rows } = unpackRates(rates);
  const factor = clips
    ? tf.minimum(tf.div(clipNorm, tf.add(norm, 1e-6)), 1)
    : null;
  for (const [name, gradient] of Object.entries(gradients)) {
    const { value, slots, rule, row } = variables.parameters.get(name)!;
    variables.optimizer.apply({
      variable: value,
      slots,
      value: value.read(),
      gradient: factor ? tf.mul(gradient, factor) : gradient,
      decays: rule.weightDecay > 0,
    }, rows[row]);
  }
  for (const parameter of variables.parameters.values()) {
    follow(parameter, share);
  }
  for (const buffer of variables.buffers.values()) follow(buffer, share);
  return norm;
}

/**
 * The numbers of step `step` (from 1) as float32, a row for each of the
 * parameters' rules: the share of the new weights in the running mean, the
 * largest norm of all gradients, then the optimizer's.
 */
export function stepRates(
  { optimizer, rules }: Pick<Variables, "optimizer" | "rules">,
  { ema: { decay, warmup }, clipNorm }: Pick<Recipe, "ema" | "clipNorm">,
  step: number,
  rate: Rate,
): tf.Tensor2D {
  const kept = warmup ? Math.min(decay, (1 + step) / (10 + step)) : decay;
  return tf.tensor2d(
    rules.map((rule) => [
      1 - kept,
      clipNorm,
      ...optimizer.rates(step, rate, rule),
    ]),
  );
}
