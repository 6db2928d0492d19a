/** Layers as plain functions over a scope of named parameters. */
import { tf } from "../tensorflow/mod.ts";
import {
  biased,
  channelPrelu,
  fusedBatchNorm,
  gelu,
  normalisedLast,
  subsample,
} from "./kernels.ts";
import { constant, normal, type Scope, uniform } from "./scope.ts";

/**
 * A convolution without bias as PyTorch's with padding (kernel − 1) / 2, for
 * kernel 3 and 1 and stride 1 and 2; weight N(0, 0.1²). The side becomes
 * ⌈side / stride⌉.
 */
export function conv2d(
  scope: Scope,
  x: tf.Tensor4D,
  { filters, kernel, stride = 1 }: {
    filters: number;
    kernel: 1 | 3;
    stride?: 1 | 2;
  },
): tf.Tensor4D {
  const weight = scope.param(
    "weight",
    [kernel, kernel, x.shape[3], filters],
    "conv",
    normal(0.1),
  );
  const [, height, width] = x.shape;
  if (kernel === 1 && (x.shape[3] % 16 !== 0 || filters % 16 !== 0)) {
    // As a matrix product: oneDNN 3.7's weight gradient of a strided 1×1
    // convolution writes out of bounds when channels do not fill a block.
    const kept = stride === 1 ? x : subsample(x, stride);
    const [batch, h, w, channels] = kept.shape;
    const y = tf.matMul(
      tf.reshape(kept, [-1, channels]) as tf.Tensor2D,
      tf.reshape(weight, [channels, filters]) as tf.Tensor2D,
    );
    return tf.reshape(y, [batch, h, w, filters]);
  }
  const same = stride === 1 || kernel === 1 || height * width % 2 === 1;
  if (same) return tf.conv2d(x, weight as tf.Tensor4D, stride, "same");
  // TensorFlow's "same" pads an even side after the image, PyTorch pads both
  // ends, of which only the one before an even side is read. (The op's own
  // explicit padding would keep the gradients off oneDNN.)
  const padded = tf.pad(x, [[0, 0], [1, height % 2], [1, width % 2], [0, 0]]);
  return tf.conv2d(padded, weight as tf.Tensor4D, stride, "valid");
}

/** Batch normalisation over B, H, W (arXiv 1502.03167). */
export function batchNorm(
  scope: Scope,
  x: tf.Tensor4D,
  { eps = 1e-5, momentum = 0.1 } = {},
): tf.Tensor4D {
  const channels = [x.shape[3]];
  const { y, mean, variance } = fusedBatchNorm({
    x,
    scale: scope.param("weight", channels, "none", constant(1)),
    offset: scope.param("bias", channels, "none", constant(0)),
    mean: scope.buffer("running_mean", channels, 0),
    variance: scope.buffer("running_var", channels, 1),
  }, { training: scope.training, eps, momentum });
  if (scope.training) {
    scope.setBuffer("running_mean", mean);
    scope.setBuffer("running_var", variance);
  }
  return y;
}

/** PReLU with one slope a channel, 0.25 at first (arXiv 1502.01852). */
export function prelu(scope: Scope, x: tf.Tensor4D): tf.Tensor4D {
  return channelPrelu(
    x,
    scope.param("weight", [x.shape[3]], "none", constant(0.25)),
  );
}

/** Layer normalisation over the last axis (arXiv 1607.06450). */
export function layerNorm(
  scope: Scope,
  x: tf.Tensor3D,
  eps = 1e-5,
): tf.Tensor3D {
  const shape = [x.shape[2]];
  const scale = scope.param("weight", shape, "none", constant(1));
  const offset = scope.param("bias", shape, "none", constant(0));
  return normalisedLast({ x, scale, offset }, eps);
}

/** x·W + b over the last axis; weight and bias U(±1/√in). */
export function linear<T extends tf.Tensor>(
  scope: Scope,
  x: T,
  outputs: number,
  { bias = true } = {},
): T {
  const inputs = x.shape[x.shape.length - 1];
  const init = uniform(1 / Math.sqrt(inputs));
  const weight = scope.param("weight", [inputs, outputs], "linear", init);
  const flat = tf.reshape(x, [-1, inputs]) as tf.Tensor2D;
  let y: tf.Tensor = tf.matMul(flat, weight as tf.Tensor2D);
  if (bias) y = biased(y, scope.param("bias", [outputs], "none", init));
  return tf.reshape(y, [...x.shape.slice(0, -1), outputs]) as unknown as T;
}

/**
 * Multi-head self-attention (arXiv 1706.03762) of tokens [B, N, D]: q, k, v
 * without bias, logits times √(heads / D), projection with bias. Records the
 * weights [B, heads, N, N] as "attention".
 */
export function selfAttention(
  scope: Scope,
  x: tf.Tensor3D,
  heads: number,
): tf.Tensor3D {
  const [batch, tokens, dim] = x.shape;
  const size = dim / heads;
  const qkv = linear(scope.within("qkv"), x, 3 * dim, { bias: false });
  const [q, k, v] = tf.unstack(
    tf.transpose(
      tf.reshape(qkv, [batch, tokens, 3, heads, size]),
      [2, 0, 3, 1, 4],
    ),
  );
  const weights = tf.softmax(
    tf.matMul(tf.mul(q, size ** -0.5), k, false, true),
  );
  scope.record("attention", weights);
  const mixed = tf.reshape(
    tf.transpose(tf.matMul(weights, v), [0, 2, 1, 3]),
    [batch, tokens, dim],
  ) as tf.Tensor3D;
  return linear(scope.within("proj"), mixed, dim);
}

/** Two linear layers with an exact GELU between them. */
export function mlp(
  scope: Scope,
  x: tf.Tensor3D,
  hidden: number,
): tf.Tensor3D {
  const h = gelu(linear(scope.within("fc1"), x, hidden)) as tf.Tensor3D;
  return linear(scope.within("fc2"), h, x.shape[2]);
}
