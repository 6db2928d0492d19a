/** The Baseline: IR50, then a plain ViT (arXiv 2010.11929) over its map. */
import {
  type Forward,
  layerNorm,
  mlp,
  type Scope,
  selfAttention,
} from "../nn/mod.ts";
import { tf } from "../tensorflow/mod.ts";
import {
  blocks,
  branch,
  head,
  type TokenOptions,
  tokens,
} from "./token_model.ts";
import { ir50 } from "./ir50.ts";

/** x + attention(norm(x)), then x + mlp(norm(x)), of tokens [B, N, D]. */
function block(
  scope: Scope,
  x: tf.Tensor3D,
  options: TokenOptions,
  i: number,
): tf.Tensor3D {
  const at = scope.within;
  const { dim, mlpRatio, heads, qkNorm, attentionDrop, projectionDrop } =
    options;
  const normed = scope.record("norm1", layerNorm(at("norm1"), x));
  const y = selfAttention(at("attn"), normed, {
    heads,
    qkNorm,
    attentionDrop,
    projectionDrop,
  });
  x = tf.add(x, branch(scope, y, options, { block: i, part: 1 }));
  const z = mlp(at("mlp"), layerNorm(at("norm2"), x), {
    hidden: dim * mlpRatio,
    drop: projectionDrop,
  });
  return tf.add(x, branch(scope, z, options, { block: i, part: 2 }));
}

/**
 * Images [B, H, W, 3] to logits [B, classes]. Records "tokens", "blocks.i",
 * "blocks.i.norm1" and "norm".
 */
export function baseline(options: TokenOptions): Forward {
  return (scope, images) => {
    const map = ir50(scope.within("irback"), images, options); // [B, h, w, D]
    let x = tokens(scope, map); // [B, 1 + h·w, D]
    x = blocks(scope, x, options, (at, x, i) => block(at, x, options, i));
    // The notes' final norm is timm's (1e-6); with qkNorm it was PyTorch's.
    return head(scope, x, options, options.qkNorm ? 1e-5 : 1e-6);
  };
}
