/** Optimizers as PyTorch 2.15 defines them, on TensorFlow's in-place ops. */
import {
  applyAdam,
  applyGradientDescent,
  applyMomentum,
  tf,
  type Variable,
} from "../tensorflow/mod.ts";
import type { ParameterRule } from "./parameter_rules.ts";
import type { Rate } from "./learning_rates.ts";
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
  /** Whether its weights decay. */
  decays: boolean;
}

/** What a rule says of the rates of its parameters. */
export type RateRule = Pick<ParameterRule, "lr" | "weightDecay">;

export interface Optimizer {
  /** PyTorch's names of the state that each parameter has; 0 at first. */
  slots: string[];
  /**
   * All that `apply` takes as numbers in step `step` (from 1) for parameters
   * under `rule`, worked out in float64. A rate's `beta1` replaces the first of
   * betas.
   */
  rates(step: number, rate: Rate, rule: RateRule): number[];
  /** Updates one parameter in place; `rates` are scalars. */
  apply(target: Target, rates: tf.Tensor[]): void;
  /**
   * What the last step took from a parameter, decoupled decay aside, by its
   * state after that step and that step's rates; missing where no state is kept.
   */
  lastUpdate?(slots: tf.Tensor[], rates: tf.Tensor[]): tf.Tensor;
}

const coupled = ({ gradient, value, decays }: Target, decay: tf.Tensor) =>
  decays ? tf.add(gradient, tf.mul(value, decay)) : gradient;

/** a · b in float32, as the device would have it. */
const product = (a: number, b: number) => Math.fround(a) * Math.fround(b);

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
    rates(step, { lr, beta1 = betas[0] }, rule) {
      // The ops take 1 − β in float32; what that rounds is taken out again.
      const rounding1 = (1 - Math.fround(beta1)) / (1 - beta1);
      const rounding2 = (1 - Math.fround(beta2)) / (1 - beta2);
      const first = (1 - beta1 ** step) * rounding1;
      const second = Math.sqrt((1 - beta2 ** step) * rounding2);
      const rate = product(lr * second / first, rule.lr);
      const decay = decoupled
        ? product(lr, rule.lr * rule.weightDecay)
        : rule.weightDecay;
      return [rate, eps * second, beta1, beta2, decay];
    },
    apply(target, [rate, eps, beta1, beta2, decay]) {
      const { variable, value, slots, decays } = target;
      if (decoupled && decays) variable.subtract(tf.mul(value, decay));
      const [m, v, largestV] = slots;
      applyAdam({
        parameter: variable,
        m,
        v,
        largestV,
        gradient: decoupled ? target.gradient : coupled(target, decay),
        rate,
        beta1,
        beta2,
        eps,
      });
    },
    lastUpdate: ([m, v, largestV], [rate, eps]) =>
      tf.div(tf.mul(m, rate), tf.add(tf.sqrt(largestV ?? v), eps)),
  };
}

/** Stochastic gradient descent with coupled decay and heavy-ball momentum. */
function sgd({ momentum, nesterov, dampening }: OptimizerSettings): Optimizer {
  if (momentum === 0) {
    return {
      slots: [],
      rates: (_, { lr }, rule) => [product(lr, rule.lr), rule.weightDecay],
      apply(target, [rate, decay]) {
        applyGradientDescent(target.variable, coupled(target, decay), rate);
      },
    };
  }
  return {
    slots: ["momentum_buffer"],
    // The first gradient enters the buffer undampened.
    rates: (step, { lr }, rule) => [
      product(lr, rule.lr),
      rule.weightDecay,
      momentum,
      step === 1 ? 1 : 1 - dampening,
    ],
    apply(target, [rate, decay, momentum, share]) {
      const gradient = coupled(target, decay);
      applyMomentum(
        target.variable,
        target.slots[0],
        dampening === 0 ? gradient : tf.mul(gradient, share),
        { rate, momentum, nesterov },
      );
    },
    lastUpdate: ([buffer], [rate]) => tf.mul(buffer, rate),
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
