/** Multi-head attention (arXiv 1706.03762): among all tokens, or of the cls token alone. */
import { tf } from "../tensorflow/mod.ts";
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

/** [B, N, D] as [B, heads, N, D / heads]. */
function split(x: tf.Tensor3D, heads: number): tf.Tensor4D {
  const [batch, tokens, dim] = x.shape;
  return tf.transpose(
    tf.reshape(x, [batch, tokens, heads, dim / heads]),
    [0, 2, 1, 3],
  );
}

/**
 * softmax(q·kᵀ·scale)·v, heads joined and projected: q [B, heads, M, d], k and
 * v [B, heads, N, d] to [B, M, heads·d]. Records "logits" and "attention",
 * both [B, heads, M, N].
 */
function attend(
  scope: Scope,
  kind: "selfAttention" | "classAttention",
  [q, k, v]: tf.Tensor4D[],
  { qkNorm, scale, attentionDrop = 0, projectionDrop = 0 }: AttentionOptions,
): tf.Tensor3D {
  const at = scope.within;
  const [batch, heads, queries, size] = q.shape;
  if (qkNorm) {
    q = layerNorm(at("q_norm"), q);
    k = layerNorm(at("k_norm"), k);
  }
  const factor = size ** (scale === "inverse" ? 0.5 : -0.5);
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
  scope.operation({ kind: "softmax", elements: weights.size });
  scope.operation({
    kind,
    multiplyAdds: 2 * weights.size * size,
    elements: q.size,
  });
  const kept = dropout(at("attn_drop"), weights, attentionDrop);
  const mixed = tf.reshape(
    tf.transpose(tf.matMul(kept, v), [0, 2, 1, 3]),
    [batch, queries, heads * size],
  ) as tf.Tensor3D;
  const projected = linear(at("proj"), mixed, heads * size);
  return dropout(at("proj_drop"), projected, projectionDrop);
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
  const parts = tf.unstack(
    tf.transpose(
      tf.reshape(qkv, [batch, tokens, 3, heads, dim / heads]),
      [2, 0, 3, 1, 4],
    ),
  );
  return attend(scope, "selfAttention", parts as tf.Tensor4D[], options);
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
