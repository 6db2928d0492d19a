/** Augmentation inside the compiled step: seeded, stateless, on the device. */
import { statelessUniform, tf } from "../tensorflow/mod.ts";

/** Draws `shape` uniforms for use number `use` of `seed` (int32 [2]). */
function draw(shape: number[], seed: tf.Tensor, use: number): tf.Tensor {
  return statelessUniform(
    shape,
    tf.add(seed, tf.tensor1d([use << 24, 0], "int32")),
  );
}

/**
 * Mirrors each image left to right with `probability`.
 * @param x [B, H, W, C]
 */
export function randomFlip(
  x: tf.Tensor4D,
  probability: number,
  seed: tf.Tensor,
): tf.Tensor4D {
  if (probability === 0) return x;
  const flip = tf.less(draw([x.shape[0], 1, 1, 1], seed, 1), probability);
  return tf.where(flip, tf.reverse(x, 2), x);
}

export interface Erasing {
  probability: number;
  /** Share of the image's area. */
  areaMin: number;
  areaMax: number;
  /** Height over width, drawn log-uniformly. */
  ratioMin: number;
  ratioMax: number;
}

/**
 * RandomErasing (arXiv 1708.04896) as in torchvision: with `probability` one
 * rectangle of each image becomes 0.
 * @param x [B, H, W, C]
 */
export function randomErasing(
  x: tf.Tensor4D,
  e: Erasing,
  seed: tf.Tensor,
): tf.Tensor4D {
  if (e.probability === 0) return x;
  const [n, height, width] = x.shape;
  const one = (use: number) => draw([n, 1, 1, 1], seed, use);
  const between = (u: tf.Tensor, low: number, high: number) =>
    tf.add(tf.mul(u, high - low), low);
  const area = between(
    one(2),
    e.areaMin * height * width,
    e.areaMax * height * width,
  );
  const ratio = tf.exp(
    between(one(3), Math.log(e.ratioMin), Math.log(e.ratioMax)),
  );
  const h = tf.minimum(tf.round(tf.sqrt(tf.mul(area, ratio))), height - 1);
  const w = tf.minimum(tf.round(tf.sqrt(tf.div(area, ratio))), width - 1);
  const top = tf.floor(tf.mul(one(4), tf.add(tf.sub(height, h), 1)));
  const left = tf.floor(tf.mul(one(5), tf.add(tf.sub(width, w), 1)));
  const row = tf.reshape(tf.range(0, height), [1, height, 1, 1]);
  const column = tf.reshape(tf.range(0, width), [1, 1, width, 1]);
  const inside = (at: tf.Tensor, start: tf.Tensor, length: tf.Tensor) =>
    tf.logicalAnd(
      tf.greaterEqual(at, start),
      tf.less(at, tf.add(start, length)),
    );
  const erase = tf.logicalAnd(
    tf.less(one(6), e.probability),
    tf.logicalAnd(inside(row, top, h), inside(column, left, w)),
  );
  return tf.mul(x, tf.cast(tf.logicalNot(erase), "float32"));
}
