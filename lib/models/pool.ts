/**
 * The control of the CLS model: IR50, the mean of its map, then residual MLPs.
 * What the blocks' attention adds is what this model lacks.
 */
import { type Forward, layerNorm, mlp } from "../nn/mod.ts";
import { tf } from "../tensorflow/mod.ts";
import { blocks, branch, head, type TokenOptions } from "./token_model.ts";
import { ir50 } from "./ir50.ts";

/**
 * Images [B, H, W, 3] to logits [B, classes]: `depth` times x + mlp(norm(x)),
 * named as the CLS model's MLPs. Records "tokens", "blocks.i" and "norm".
 */
export function meanPool(options: TokenOptions): Forward {
  const { dim, mlpRatio, projectionDrop } = options;
  return (scope, images) => {
    const map = ir50(scope.within("irback"), images, options); // [B, h, w, D]
    const mean = tf.expandDims(tf.mean(map, [1, 2]), 1) as tf.Tensor3D;
    const x = scope.record("tokens", mean); // [B, 1, D]
    const out = blocks(scope, x, options, (at, x, i) => {
      const y = mlp(at.within("mlp"), layerNorm(at.within("norm2"), x), {
        hidden: dim * mlpRatio,
        drop: projectionDrop,
      });
      return tf.add(x, branch(at, y, options, { block: i, part: 2 }));
    });
    return head(scope, out, options, 1e-5);
  };
}
