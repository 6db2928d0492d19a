/** Layers as plain functions over a scope of named parameters. */
import { tf, usesNativeOps } from "../tensorflow/mod.ts";
import {
  type Norm,
  normConv,
  normJoin,
  runningStatistics,
  type Statistics,
} from "./fused.ts";
import {
  biased,
  biasedGelu,
  channelPrelu,
  fusedBatchNorm,
  matrixProduct,
  normalisedLast,
  subsample,
} from "./kernels.ts";
import { constant, normal, type Scope, uniform } from "./scope.ts";

/** A map [B, H, W, C], perhaps with a norm that whoever reads it has yet to do. */
export interface FeatureMap {
  x: tf.Tensor4D;
  norm?: Norm;
  /** What x was measured to have while it was written. */
  statistics?: Statistics;
}

/** The map with its norm done. */
function withNormDone({ x, norm }: FeatureMap): tf.Tensor4D {
  if (!norm) return x;
  const slope = norm.slope ?? tf.onesLike(norm.scale);
  return normJoin(x, { ...norm, slope }, null, false).out;
}

/**
 * A convolution without bias as PyTorch's with padding (kernel − 1) / 2, for
 * kernel 3 and 1 and stride 1 and 2; weight N(0, 0.1²). The side becomes
 * ⌈side / stride⌉. Where a norm alone was still to be done, without a PReLU,
 * `shortcut` is the map before it: what is done with that costs less than with
 * `map.x` itself.
 */
export function conv2d(
  scope: Scope,
  map: FeatureMap,
  { filters, kernel, stride = 1 }: {
    filters: number;
    kernel: 1 | 3;
    stride?: 1 | 2;
  },
): FeatureMap & { shortcut?: FeatureMap } {
  const { x } = map;
  const [batch, height, width, channels] = x.shape;
  const weight = scope.param(
    "weight",
    [kernel, kernel, channels, filters],
    "conv",
    normal(0.1),
  );
  const pixels = batch * Math.ceil(height / stride) * Math.ceil(width / stride);
  scope.operation({
    kind: "conv",
    multiplyAdds: pixels * weight.size,
    elements: pixels * filters,
  });
  if (usesNativeOps()) {
    // Nobody takes a shortcut from within a branch, behind its norm and PReLU:
    // its gradient, all 0, would be a constant of the map's size.
    const passes = map.norm !== undefined && !map.norm.slope;
    const { y, statistics, passed } = normConv(x, weight, {
      norm: map.norm,
      stride,
      measure: scope.training,
      passes,
    });
    return { x: y, statistics, shortcut: passes ? { x: passed } : undefined };
  }
  return { x: convolution(x, weight as tf.Tensor4D, stride) };
}

/** The same by TensorFlow's own ops. */
function convolution(
  x: tf.Tensor4D,
  weight: tf.Tensor4D,
  stride: 1 | 2,
): tf.Tensor4D {
  const [, height, width, channels] = x.shape;
  const [kernel, , , filters] = weight.shape;
  if (kernel === 1 && (channels % 16 !== 0 || filters % 16 !== 0)) {
    // As a matrix product: oneDNN 3.7's weight gradient of a strided 1×1
    // convolution writes out of bounds when channels do not fill a block.
    const kept = stride === 1 ? x : subsample(x, stride);
    const [batch, h, w] = kept.shape;
    const y = tf.matMul(
      tf.reshape(kept, [-1, channels]) as tf.Tensor2D,
      tf.reshape(weight, [channels, filters]) as tf.Tensor2D,
    );
    return tf.reshape(y, [batch, h, w, filters]);
  }
  const same = stride === 1 || kernel === 1 || height * width % 2 === 1;
  if (same) return tf.conv2d(x, weight, stride, "same");
  // TensorFlow's "same" pads an even side after the image, PyTorch pads both
  // ends, of which only the one before an even side is read. (The op's own
  // explicit padding would keep the gradients off oneDNN.)
  const padded = tf.pad(x, [[0, 0], [1, height % 2], [1, width % 2], [0, 0]]);
  return tf.conv2d(padded, weight, stride, "valid");
}

/** Batch normalisation over B, H, W (arXiv 1502.03167). */
export function batchNorm(
  scope: Scope,
  { x, statistics }: FeatureMap,
  { eps = 1e-5, momentum = 0.1 } = {},
): FeatureMap {
  const { training } = scope;
  const channels = [x.shape[3]];
  scope.operation({ kind: "batchNorm", elements: x.size });
  const scale = scope.param("weight", channels, "none", constant(1));
  const offset = scope.param("bias", channels, "none", constant(0));
  const old: Statistics = [
    scope.buffer("running_mean", channels, 0),
    scope.buffer("running_var", channels, 1),
  ];
  const update = ([mean, variance]: Statistics) => {
    scope.setBuffer("running_mean", mean);
    scope.setBuffer("running_var", variance);
  };
  if (usesNativeOps() && (statistics || !training)) {
    const [mean, variance] = training ? statistics! : old;
    if (training) {
      const pixels = x.size / x.shape[3];
      update(runningStatistics(old, statistics!, { momentum, pixels }));
    }
    return { x, norm: { mean, variance, scale, offset, eps, training } };
  }
  const { y, mean, variance } = fusedBatchNorm(
    { x, scale, offset, mean: old[0], variance: old[1] },
    { training, eps, momentum },
  );
  if (training) update([mean, variance]);
  return { x: y };
}

/** PReLU with one slope a channel, 0.25 at first (arXiv 1502.01852). */
export function prelu(scope: Scope, map: FeatureMap): FeatureMap {
  const { x, norm } = map;
  scope.operation({ kind: "prelu", elements: x.size });
  const slope = scope.param("weight", [x.shape[3]], "none", constant(0.25));
  if (norm && !norm.slope) return { x, norm: { ...norm, slope } };
  return { x: channelPrelu(withNormDone(map), slope) };
}

/** The sum of a map and a shortcut, or the map alone, with their norms done. */
export function addShortcut(
  scope: Scope,
  map: FeatureMap,
  shortcut?: FeatureMap,
): FeatureMap {
  const { x, norm } = map;
  if (norm && (shortcut ? !norm.slope : norm.slope)) {
    const { out, statistics } = normJoin(
      x,
      norm,
      shortcut ?? null,
      scope.training,
    );
    return { x: out, statistics };
  }
  const y = withNormDone(map);
  return { x: shortcut ? tf.add(y, withNormDone(shortcut)) : y };
}

/** Layer normalisation over the last axis (arXiv 1607.06450). */
export function layerNorm<T extends tf.Tensor>(
  scope: Scope,
  x: T,
  eps = 1e-5,
): T {
  scope.operation({ kind: "layerNorm", elements: x.size, eps });
  const shape = [x.shape[x.rank - 1]];
  const scale = scope.param("weight", shape, "none", constant(1));
  const offset = scope.param("bias", shape, "none", constant(0));
  return normalisedLast({ x, scale, offset }, eps) as T;
}

/** x·W + b over the last axis, perhaps through GELU; weight and bias U(±1/√in). */
export function linear<T extends tf.Tensor>(
  scope: Scope,
  x: T,
  outputs: number,
  { bias = true, activation = "none" as "none" | "gelu" } = {},
): T {
  const inputs = x.shape[x.shape.length - 1];
  scope.operation({
    kind: "linear",
    multiplyAdds: x.size * outputs,
    elements: x.size / inputs * outputs,
    bias,
  });
  const init = uniform(1 / Math.sqrt(inputs));
  const weight = scope.param("weight", [inputs, outputs], "linear", init);
  const flat = tf.reshape(x, [-1, inputs]) as tf.Tensor2D;
  let y: tf.Tensor = matrixProduct(flat, weight as tf.Tensor2D);
  if (bias) {
    const offset = scope.param("bias", [outputs], "none", init);
    y = activation === "gelu" ? biasedGelu(y, offset) : biased(y, offset);
  }
  return tf.reshape(y, [...x.shape.slice(0, -1), outputs]) as unknown as T;
}

/**
 * In training each value is 0 with probability `rate`, the others are divided
 * by 1 − rate (arXiv 1207.0580).
 */
export function dropout<T extends tf.Tensor>(
  scope: Scope,
  x: T,
  rate: number,
): T {
  return dropped(scope, x, rate, x.shape);
}

/**
 * Stochastic depth (arXiv 1603.09382): in training the whole branch `x` of an
 * image is 0 with probability `rate`, the others are divided by 1 − rate.
 */
export function dropPath<T extends tf.Tensor>(
  scope: Scope,
  x: T,
  rate: number,
): T {
  const [batch, ...rest] = x.shape;
  return dropped(scope, x, rate, [batch, ...rest.map(() => 1)]);
}

function dropped<T extends tf.Tensor>(
  scope: Scope,
  x: T,
  rate: number,
  shape: number[],
): T {
  if (!scope.training || rate === 0) return x;
  const { rate: least, factor } = scope.dropping(rate);
  const kept = tf.greaterEqual(scope.uniform("drop", shape), least);
  return tf.mul(x, tf.mul(tf.cast(kept, "float32"), factor)) as T;
}

/** x times a trained factor a channel, `initial` at first (arXiv 2103.17239). */
export function layerScale(
  scope: Scope,
  x: tf.Tensor3D,
  initial: number,
): tf.Tensor3D {
  const gamma = scope.param(
    "gamma",
    [x.shape[2]],
    "none",
    constant(initial),
  );
  return tf.mul(x, gamma);
}

/** x·σ(W₂·relu(W₁·x)) of x [B, D], both products with bias (arXiv 1709.01507). */
export function squeezeExcite(scope: Scope, x: tf.Tensor2D): tf.Tensor2D {
  const dim = x.shape[1];
  const h = tf.relu(linear(scope.within("linear1"), x, dim));
  scope.operation({ kind: "relu", elements: h.size });
  return tf.mul(x, tf.sigmoid(linear(scope.within("linear2"), h, dim)));
}

/** Two linear layers with an exact GELU between them, `drop` after each. */
export function mlp<T extends tf.Tensor2D | tf.Tensor3D>(
  scope: Scope,
  x: T,
  { hidden, drop = 0 }: { hidden: number; drop?: number },
): T {
  const at = scope.within;
  let h = linear(at("fc1"), x, hidden, { activation: "gelu" }) as T;
  scope.operation({ kind: "gelu", elements: h.size });
  h = dropout(at("drop1"), h, drop);
  h = linear(at("fc2"), h, x.shape[x.shape.length - 1]);
  return dropout(at("drop2"), h, drop);
}
