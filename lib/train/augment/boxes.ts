/** Random rectangles of images, as erasing and cropping draw them. */
import { tf } from "../../tensorflow/mod.ts";
import { draw, uniformBetween } from "./tensor_ops.ts";

/** One rectangle an image, in pixels: float32 [B] each, whole numbers. */
export interface Boxes {
  top: tf.Tensor;
  left: tf.Tensor;
  height: tf.Tensor;
  width: tf.Tensor;
}

export interface BoxRange {
  /** Share of the image's area, drawn uniformly. */
  areaMin: number;
  areaMax: number;
  /** Height over width, drawn log-uniformly. */
  ratioMin: number;
  ratioMax: number;
}

/**
 * Sides of rectangles of `area` pixels and height over width `ratio`, rounded
 * half to even.
 */
export function sides(
  area: tf.Tensor,
  ratio: tf.Tensor,
): { height: tf.Tensor; width: tf.Tensor } {
  return {
    height: tf.round(tf.sqrt(tf.mul(area, ratio))),
    width: tf.round(tf.sqrt(tf.div(area, ratio))),
  };
}

/** torchvision's number of tries for a rectangle that fits. */
const TRIES = 10;

/**
 * Draws a rectangle for each of `count` images of height × width pixels: the
 * first of ten tries that `accepts`, anywhere in the image. Where none is
 * accepted, both sides are those of `otherwise`, in the middle (torchvision
 * 0.29, `RandomErasing` and `RandomResizedCrop`).
 * @param use the first of four numbers for `draw`
 */
export function drawBoxes(
  [count, height, width]: [number, number, number],
  range: BoxRange,
  accepts: (height: tf.Tensor, width: tf.Tensor) => tf.Tensor,
  otherwise: { height: number; width: number },
  seed: tf.Tensor,
  use: number,
): Boxes {
  const area = uniformBetween(
    draw([count, TRIES], seed, use),
    range.areaMin * height * width,
    range.areaMax * height * width,
  );
  const ratio = tf.exp(uniformBetween(
    draw([count, TRIES], seed, use + 1),
    Math.log(range.ratioMin),
    Math.log(range.ratioMax),
  ));
  const tried = sides(area, ratio); // [B, 10]
  const accepted = tf.cast(accepts(tried.height, tried.width), "float32");
  const first = tf.mul(accepted, tf.equal(tf.cumsum(accepted, 1), 1));
  const found = tf.greater(tf.sum(first, 1), 0);
  const side = (tries: tf.Tensor, fallback: number) =>
    tf.where(found, tf.sum(tf.mul(tries, first), 1), fallback);
  const start = (length: number, side: tf.Tensor, use: number) => {
    const free = tf.sub(length, side);
    const anywhere = tf.floor(
      tf.mul(draw([count], seed, use), tf.add(free, 1)),
    );
    return tf.where(found, anywhere, tf.floor(tf.div(free, 2)));
  };
  const h = side(tried.height, otherwise.height);
  const w = side(tried.width, otherwise.width);
  return {
    height: h,
    width: w,
    top: start(height, h, use + 2),
    left: start(width, w, use + 3),
  };
}
