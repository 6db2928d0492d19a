/** Optimizers as PyTorch 2.15 defines them, on TensorFlow's in-place ops. */
import {
  applyAdam,
  applyGradientDescent,
  applyMomentum,
  tf,
  type Variable,
} from "../tensorflow/mod.ts";
import type { Recipe } from "./recipe.ts";

export type OptimizerSettings = Pick<
  Recipe,
  | "optimizer"
  | "betas"
  | "eps"
  | "amsgrad"
  | "momentum"
  | "nesterov"
  | "dampening"
>;

/** One parameter in an update. */
export interface Target {
  variable: Variable;
  /** Its optimizer state, in the order of `slots`. */
  slots: Variable[];
  /** Its value before the update. */
  value: tf.Tensor;
  gradient: tf.Tensor;
  /** Factor of the learning rate. */
  lrScale: number;
  /** 0 leaves the parameter undecayed. */
  weightDecay: number;
}

export interface Optimizer {
  /** PyTorch's names of the state that each parameter has; 0 at first. */
  slots: string[];
  /**
   * What changes with the step (from 1): scalars for `apply`, worked out in
   * float64. `beta1` replaces the first of betas where a schedule cycles it.
   */
  rates(step: number, lr: number, beta1?: number): number[];
  /** Updates one parameter in place; `rates` are scalars. */
  apply(target: Target, rates: tf.Tensor[]): void;
  /**
   * What the last step took from a parameter, decoupled decay aside, by its
   * state after that step and that step's rates; missing where no state is kept.
   */
  lastUpdate?(slots: tf.Tensor[], rates: tf.Tensor[]): tf.Tensor;
}

const coupled = ({ gradient, value, weightDecay }: Target) =>
  weightDecay === 0 ? gradient : tf.add(gradient, tf.mul(value, weightDecay));

/**
 * Adam (arXiv 1412.6980) with decay added to the gradient, or, decoupled,
 * AdamW (arXiv 1711.05101), which first takes lr·decay·p from p. AMSGrad
 * (openreview ryQu7f-RZ) divides by the largest v so far.
 */
function adam(
  { betas, eps, amsgrad }: OptimizerSettings,
  decoupled: boolean,
): Optimizer {
  const beta2 = betas[1];
  return {
    slots: ["exp_avg", "exp_avg_sq", ...(amsgrad ? ["max_exp_avg_sq"] : [])],
    rates(step, lr, beta1 = betas[0]) {
      // The ops take 1 − β in float32; what that rounds is taken out again.
      const rounding1 = (1 - Math.fround(beta1)) / (1 - beta1);
      const rounding2 = (1 - Math.fround(beta2)) / (1 - beta2);
      const first = (1 - beta1 ** step) * rounding1;
      const second = Math.sqrt((1 - beta2 ** step) * rounding2);
      return [lr * second / first, eps * second, beta1, lr];
    },
    apply(target, [rate, eps, beta1, lr]) {
      const { variable, value, slots, lrScale, weightDecay } = target;
      if (decoupled && weightDecay > 0) {
        variable.subtract(
          tf.mul(value, tf.mul(lr, lrScale * weightDecay)),
        );
      }
      const [m, v, largestV] = slots;
      applyAdam({
        parameter: variable,
        m,
        v,
        largestV,
        gradient: decoupled ? target.gradient : coupled(target),
        rate: scaled(rate, lrScale),
        beta1,
        beta2: tf.scalar(beta2),
        eps,
      });
    },
    lastUpdate: ([m, v, largestV], [rate, eps]) =>
      tf.div(tf.mul(m, rate), tf.add(tf.sqrt(largestV ?? v), eps)),
  };
}

const scaled = (rate: tf.Tensor, scale: number) =>
  scale === 1 ? rate : tf.mul(rate, scale);

/** Stochastic gradient descent with coupled decay and heavy-ball momentum. */
function sgd({ momentum, nesterov, dampening }: OptimizerSettings): Optimizer {
  if (momentum === 0) {
    return {
      slots: [],
      rates: (_, lr) => [lr],
      apply(target, [lr]) {
        const rate = scaled(lr, target.lrScale);
        applyGradientDescent(target.variable, coupled(target), rate);
      },
    };
  }
  return {
    slots: ["momentum_buffer"],
    // The first gradient enters the buffer undampened.
    rates: (step, lr) => [lr, step === 1 ? 1 : 1 - dampening],
    apply(target, [lr, share]) {
      const gradient = coupled(target);
      applyMomentum(
        target.variable,
        target.slots[0],
        dampening === 0 ? gradient : tf.mul(gradient, share),
        {
          rate: scaled(lr, target.lrScale),
          momentum: tf.scalar(momentum),
          nesterov,
        },
      );
    },
    lastUpdate: ([buffer], [lr]) => tf.mul(buffer, lr),
  };
}

export function optimizerOf(settings: OptimizerSettings): Optimizer {
  switch (settings.optimizer) {
    case "adam":
      return adam(settings, false);
    case "adamw":
      return adam(settings, true);
    case "sgd":
      return sgd(settings);
  }
}

/**
 * A line where Adam's eps is too small for float32, in which it is added:
 * the bias correction of the first step makes it smaller still, and what is
 * below the smallest normal number counts as 0. Null where all is well.
 */
export function epsWarning(
  { optimizer, eps, betas }: OptimizerSettings,
): string | null {
  const smallest = 2 ** -126;
  const first = eps * Math.sqrt(1 - betas[1]);
  return optimizer === "sgd" || first >= smallest
    ? null
    : `recipe.eps: ${eps} vanishes in float32, in which Adam adds it (${
      first.toExponential(1)
    } at the first step); a gradient of 0 gives NaN: give at least ${
      (smallest / Math.sqrt(1 - betas[1])).toExponential(0)
    }`;
}
