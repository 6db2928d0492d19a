/** The CLS model: IR50, then blocks in which only the cls token asks. */
import {
  classAttention,
  type Forward,
  layerNorm,
  mlp,
  type Scope,
} from "../nn/mod.ts";
import { tf } from "../tensorflow/mod.ts";
import {
  blocks,
  branch,
  clsOf,
  head,
  patchesOf,
  type TokenOptions,
  tokens,
} from "./token_model.ts";
import { ir50 } from "./ir50.ts";

/**
 * What becomes of the patches in a block: "dropped" leaves the cls token alone
 * after the first block, as published; "catBeforeMlp" keeps them and gives the
 * MLP all tokens; "catAfterMlp" keeps them unchanged and gives the MLP the cls
 * token, which is CaiT's class attention (arXiv 2103.17239).
 */
export type Patches = "dropped" | "catBeforeMlp" | "catAfterMlp";

export interface ClsOptions extends TokenOptions {
  patches: Patches;
  /**
   * "inverse" divides the attention logits by head_dim^-½, as the published
   * code did by mistake.
   */
  scale: "right" | "inverse";
}

/** Tokens [B, N, D] to [B, N, D], or to [B, 1, D] where patches are dropped. */
function block(
  scope: Scope,
  x: tf.Tensor3D,
  options: ClsOptions,
  i: number,
): tf.Tensor3D {
  const at = scope.within;
  const { patches, dim, mlpRatio, projectionDrop } = options;
  const normed = scope.record("norm1", layerNorm(at("norm1"), x));
  const y = classAttention(at("attn"), normed, options);
  let z = tf.add(clsOf(x), branch(scope, y, options, { block: i, part: 1 }));
  if (patches === "catBeforeMlp") z = tf.concat([z, patchesOf(x)], 1);
  const hidden = dim * mlpRatio;
  const m = mlp(at("mlp"), layerNorm(at("norm2"), z as tf.Tensor3D), {
    hidden,
    drop: projectionDrop,
  });
  z = tf.add(z, branch(scope, m, options, { block: i, part: 2 }));
  if (patches === "catAfterMlp") z = tf.concat([z, patchesOf(x)], 1);
  return z as tf.Tensor3D;
}

/**
 * Images [B, H, W, 3] to logits [B, classes]. Records "tokens", "blocks.i",
 * "blocks.i.norm1" and "norm".
 */
export function clsVit(options: ClsOptions): Forward {
  return (scope, images) => {
    const map = ir50(scope.within("irback"), images, options); // [B, h, w, D]
    let x = tokens(scope, map); // [B, 1 + h·w, D]
    x = blocks(scope, x, options, (at, x, i) => block(at, x, options, i));
    return head(scope, x, options, 1e-5);
  };
}
