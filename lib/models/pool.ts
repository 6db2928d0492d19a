/**
 * The control of the CLS model: IR50, the mean of its map, then residual MLPs.
 * What the blocks' attention adds is what this model lacks.
 */
import { type Forward, layerNorm, mlp } from "../nn/mod.ts";
import { tf } from "../tensorflow/mod.ts";
import { branch, head, type TokenOptions } from "./frame.ts";
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
    let x = scope.record("tokens", mean); // [B, 1, D]
    for (let i = 0; i < options.depth; i++) {
      const block = scope.within(`blocks.${i}`);
      const y = mlp(
        block.within("mlp"),
        layerNorm(block.within("norm2"), x),
        { hidden: dim * mlpRatio, drop: projectionDrop },
      );
      x = tf.add(x, branch(block, y, options, { block: i, part: 2 }));
      x = scope.record(`blocks.${i}`, x);
    }
    return head(scope, x, options, 1e-5);
  };
}
