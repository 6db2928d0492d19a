/** Augmentation inside the compiled step: seeded, stateless, on the device. */
import { tf } from "../tensorflow/mod.ts";
import { type Boxes, type BoxRange, drawBoxes } from "./boxes.ts";
import { draw } from "./device.ts";

/**
 * Mirrors each image left to right with `probability`.
 * @param x [B, H, W, C]
 */
export function randomFlip(
  x: tf.Tensor4D,
  probability: number | tf.Tensor,
  seed: tf.Tensor,
): tf.Tensor4D {
  if (probability === 0) return x;
  const flip = tf.less(draw([x.shape[0], 1, 1, 1], seed, 1), probability);
  return tf.where(flip, tf.reverse(x, 2), x);
}

export interface Erasing extends BoxRange {
  /** Chance that an image loses a rectangle. */
  probability: number | tf.Tensor;
}

/**
 * The rectangle of each of `count` images: smaller than the image in both
 * directions, and 0 × 0 where ten tries found none.
 */
export function erasingBoxes(
  [count, height, width]: [number, number, number],
  range: BoxRange,
  seed: tf.Tensor,
): Boxes {
  return drawBoxes(
    [count, height, width],
    range,
    (h, w) => tf.logicalAnd(tf.less(h, height), tf.less(w, width)),
    { height: 0, width: 0 },
    seed,
    2,
  );
}

/** True inside of the boxes: bool [B, H, W, 1]. */
function insideOf(boxes: Boxes, height: number, width: number): tf.Tensor {
  const within = (at: tf.Tensor, start: tf.Tensor, length: tf.Tensor) => {
    const from = tf.reshape(start, [-1, 1, 1, 1]);
    const to = tf.reshape(tf.add(start, length), [-1, 1, 1, 1]);
    return tf.logicalAnd(tf.greaterEqual(at, from), tf.less(at, to));
  };
  const row = tf.reshape(tf.range(0, height), [1, height, 1, 1]);
  const column = tf.reshape(tf.range(0, width), [1, 1, width, 1]);
  return tf.logicalAnd(
    within(row, boxes.top, boxes.height),
    within(column, boxes.left, boxes.width),
  );
}

/**
 * Sets a box of each image to 0, where `chosen` (bool [B]) says so.
 * @param x [B, H, W, C]
 */
export function erase(
  x: tf.Tensor4D,
  boxes: Boxes,
  chosen: tf.Tensor,
): tf.Tensor4D {
  const [, height, width] = x.shape;
  const erased = tf.logicalAnd(
    tf.reshape(chosen, [-1, 1, 1, 1]),
    insideOf(boxes, height, width),
  );
  return tf.mul(x, tf.cast(tf.logicalNot(erased), "float32"));
}

/**
 * RandomErasing (arXiv 1708.04896) as in torchvision 0.29: with `probability`
 * one rectangle of each image becomes 0.
 * @param x [B, H, W, C]
 */
export function randomErasing(
  x: tf.Tensor4D,
  erasing: Erasing,
  seed: tf.Tensor,
): tf.Tensor4D {
  if (erasing.probability === 0) return x;
  const [count, height, width] = x.shape;
  return erase(
    x,
    erasingBoxes([count, height, width], erasing, seed),
    tf.less(draw([count], seed, 6), erasing.probability),
  );
}
