/** The Baseline: IR50, then a plain ViT (arXiv 2010.11929) over its map. */
import {
  constant,
  type Forward,
  layerNorm,
  linear,
  mlp,
  type Scope,
  selfAttention,
} from "../nn/mod.ts";
import { tf } from "../tensorflow/mod.ts";
import { ir50, type Ir50Options } from "./ir50.ts";

export interface BaselineOptions extends Ir50Options {
  /** Blocks of the ViT. */
  depth: number;
  /** Width of the tokens; the map's channels, as nothing projects them. */
  dim: number;
  heads: number;
  /** Hidden width of a block's MLP over dim. */
  mlpRatio: number;
  classes: number;
}

function block(
  scope: Scope,
  x: tf.Tensor3D,
  { dim, heads, mlpRatio }: BaselineOptions,
): tf.Tensor3D {
  const at = scope.within;
  x = tf.add(
    x,
    selfAttention(at("attn"), layerNorm(at("norm1"), x), heads),
  );
  return tf.add(x, mlp(at("mlp"), layerNorm(at("norm2"), x), dim * mlpRatio));
}

/**
 * Images [B, H, W, 3] to logits [B, classes]. The map's pixels, row by row,
 * are the tokens; a cls token goes before them, a position table is added,
 * and the head reads the cls token. Records "tokens", "blocks.i", "norm".
 */
export function baseline(options: BaselineOptions): Forward {
  const { depth, dim, classes } = options;
  return (scope, images) => {
    const map = ir50(scope.within("irback"), images, options);
    const [batch, height, width] = map.shape;
    const n = 1 + height * width;
    const cls = scope.param("cls_token", [1, 1, dim], "none", constant(0));
    const position = scope.param(
      "pos_embed",
      [1, n, dim],
      "none",
      constant(0),
    );
    const patches = tf.reshape(map, [batch, n - 1, dim]);
    // A sum, as the gradient of `tile` is one slice a copy.
    const first = tf.add(tf.zeros([batch, 1, dim]), cls);
    let x = tf.add(tf.concat([first, patches], 1), position) as tf.Tensor3D;
    scope.record("tokens", x);
    for (let i = 0; i < depth; i++) {
      x = block(scope.within(`blocks.${i}`), x, options);
      scope.record(`blocks.${i}`, x);
    }
    x = layerNorm(scope.within("norm"), x, 1e-6);
    scope.record("norm", x);
    const token = tf.reshape(tf.slice(x, [0, 0, 0], [batch, 1, dim]), [
      batch,
      dim,
    ]) as tf.Tensor2D;
    return linear(scope.within("head"), token, classes);
  };
}
