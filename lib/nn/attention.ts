/** Multi-head attention (arXiv 1706.03762): among all tokens, or of the cls token alone. */
import { tf, usesNativeOps } from "../tensorflow/mod.ts";
import { attention } from "./kernels.ts";
import { dropout, layerNorm, linear } from "./layers.ts";
import type { Scope } from "./scope.ts";

export interface AttentionOptions {
  heads: number;
  /** LayerNorm of q and k in each head (arXiv 2302.05442). */
  qkNorm?: boolean;
  /** "inverse" divides the logits by head_dim^-½ instead of multiplying. */
  scale?: "right" | "inverse";
  /** Dropout of the attention weights. */
  attentionDrop?: number;
  /** Dropout behind the projection. */
  projectionDrop?: number;
}

/** Queries, keys and values, [B, tokens, heads, d] each, or all in one as [B, N, 3, heads, d]. */
type Parts = [q: tf.Tensor4D, k: tf.Tensor4D, v: tf.Tensor4D] | [tf.Tensor5D];

/** [B, N, D] as [B, N, heads, D / heads]. */
function split(x: tf.Tensor3D, heads: number): tf.Tensor4D {
  const [batch, tokens, dim] = x.shape;
  return tf.reshape(x, [batch, tokens, heads, dim / heads]);
}

/**
 * softmax(q·kᵀ·scale)·v, heads joined and projected, to [B, M, heads·d].
 * Records "logits" and "attention", both [B, heads, M, N].
 */
function attend(
  scope: Scope,
  kind: "selfAttention" | "classAttention",
  parts: Parts,
  options: AttentionOptions,
): tf.Tensor3D {
  const { scale, attentionDrop = 0, projectionDrop = 0 } = options;
  const at = scope.within;
  const fused = usesNativeOps() && !scope.watched &&
    !(scope.training && attentionDrop > 0);
  if (parts.length === 1 && (options.qkNorm || !fused)) {
    parts = tf.unstack(parts[0], 2) as Parts;
  }
  const [q] = parts;
  const batch = q.shape[0], queries = q.shape[1];
  const [heads, size] = q.shape.slice(-2);
  const keys = (parts[1] ?? q).shape[1];
  if (options.qkNorm) {
    const [q, k, v] = parts as tf.Tensor4D[];
    parts = [layerNorm(at("q_norm"), q), layerNorm(at("k_norm"), k), v];
  }
  scope.operation({
    kind: "softmax",
    elements: batch * heads * queries * keys,
  });
  scope.operation({
    kind,
    multiplyAdds: 2 * batch * heads * queries * keys * size,
    elements: batch * heads * queries * size,
  });
  const factor = size ** (scale === "inverse" ? 0.5 : -0.5);
  const mixed = fused
    ? attention(parts, factor)
    : mixedBy(scope, parts as tf.Tensor4D[], factor, attentionDrop);
  const joined = tf.reshape(mixed, [batch, queries, heads * size]);
  const projected = linear(at("proj"), joined as tf.Tensor3D, heads * size);
  return dropout(at("proj_drop"), projected, projectionDrop);
}

/** softmax(q·kᵀ·factor)·v in steps, whose results can be watched and dropped. */
function mixedBy(
  scope: Scope,
  parts: tf.Tensor4D[],
  factor: number,
  drop: number,
): tf.Tensor4D {
  const [q, k, v] = parts.map((x) => tf.transpose(x, [0, 2, 1, 3]));
  const logits = scope.record(
    "logits",
    tf.matMul(tf.mul(q, factor), k, false, true),
  );
  // A lone key has all the weight. oneDNN's softmax misses 1 by a rounding,
  // which Adam would make a step of, where the gradient is 0.
  const lone = k.shape[2] === 1;
  const weights = scope.record(
    "attention",
    lone ? tf.add(tf.mul(logits, 0), 1) : tf.softmax(logits),
  );
  const kept = dropout(scope.within("attn_drop"), weights, drop);
  return tf.transpose(tf.matMul(kept, v), [0, 2, 1, 3]);
}

/**
 * Self-attention of tokens [B, N, D]: q, k, v without bias, from one product;
 * projection with bias.
 */
export function selfAttention(
  scope: Scope,
  x: tf.Tensor3D,
  options: AttentionOptions,
): tf.Tensor3D {
  const [batch, tokens, dim] = x.shape;
  const { heads } = options;
  const qkv = linear(scope.within("qkv"), x, 3 * dim, { bias: false });
  const packed = tf.reshape<tf.Rank.R5>(
    qkv,
    [batch, tokens, 3, heads, dim / heads],
  );
  return attend(scope, "selfAttention", [packed], options);
}

/**
 * Class attention (arXiv 2103.17239) of tokens [B, N, D]: the cls token, which
 * is the first, asks all tokens. Returns its new value [B, 1, D]. wq, wk and
 * wv have no bias.
 */
export function classAttention(
  scope: Scope,
  x: tf.Tensor3D,
  options: AttentionOptions,
): tf.Tensor3D {
  const [batch, , dim] = x.shape;
  const part = (name: string, from: tf.Tensor3D) =>
    split(
      linear(scope.within(name), from, dim, { bias: false }),
      options.heads,
    );
  const cls = tf.slice(x, [0, 0, 0], [batch, 1, dim]);
  return attend(
    scope,
    "classAttention",
    [part("wq", cls), part("wk", x), part("wv", x)],
    options,
  );
}
