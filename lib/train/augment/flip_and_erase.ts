/** Augmentation inside the compiled step: seeded, stateless, on the device. */
import { preparedImages, tf } from "../../tensorflow/mod.ts";
import { type Boxes, type BoxRange, drawBoxes } from "./boxes.ts";
import { draw } from "./tensor_ops.ts";

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
  return tf.where(flips(x, probability, seed), tf.reverse(x, 2), x);
}

/** Which images are mirrored: bool [B, 1, 1, 1]. */
const flips = (
  { shape: [count] }: tf.Tensor4D,
  probability: number | tf.Tensor,
  seed: tf.Tensor,
) => tf.less(draw([count, 1, 1, 1], seed, 1), probability);

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
  const { boxes, chosen } = drawErasing(x, erasing, seed);
  return erase(x, boxes, chosen);
}

function drawErasing(
  { shape: [count, height, width] }: tf.Tensor4D,
  erasing: Erasing,
  seed: tf.Tensor,
) {
  const boxes = erasingBoxes([count, height, width], erasing, seed);
  return {
    boxes,
    chosen: tf.less(draw([count], seed, 6), erasing.probability),
  };
}

/**
 * Pixels [B, H, W, C] uint8 as (pixel / 255 − mean) / std, flipped, then
 * erased: `randomFlip` and `randomErasing` in one pass of our own op.
 */
export function randomFlipAndErasing(
  bytes: tf.Tensor4D,
  { flip, erasing, normalise }: {
    flip: number | tf.Tensor;
    erasing: Erasing;
    normalise: { mean: number; std: number };
  },
  seed: tf.Tensor,
): tf.Tensor4D {
  const none = tf.zeros([bytes.shape[0]]);
  const mirrored = flip === 0
    ? none
    : tf.reshape(tf.cast(flips(bytes, flip, seed), "float32"), [-1]);
  let box = [none, none, none, none];
  if (erasing.probability !== 0) {
    const { boxes, chosen } = drawErasing(bytes, erasing, seed);
    const { top, left, width } = boxes;
    const height = tf.mul(boxes.height, tf.cast(chosen, "float32"));
    box = [top, left, tf.add(top, height), tf.add(left, width)];
  }
  return preparedImages(bytes, tf.stack([mirrored, ...box], 1), normalise);
}
