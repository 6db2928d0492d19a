/** Random crops and affine maps inside the compiled step, as in torchvision 0.29. */
import { tf } from "../../tensorflow/mod.ts";
import { type Boxes, drawBoxes } from "./boxes.ts";
import { draw, gather, uniformBetween, warp } from "./tensor_ops.ts";

export interface ResizedCrop {
  /** Share of the image's area; a least share of 1 leaves the image whole. */
  scaleMin: number;
  scaleMax: number;
  /** Width over height, drawn log-uniformly. */
  ratioMin: number;
  ratioMax: number;
}

/** Rounds half to even, as Python does. */
function roundEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 ? rounded - 1 : rounded;
}

/** The largest rectangle of an allowed ratio, for when no try fits. */
function largestCrop(height: number, width: number, crop: ResizedCrop) {
  const { ratioMin, ratioMax } = crop;
  if (width / height < ratioMin) {
    return { height: roundEven(width / ratioMin), width };
  }
  if (width / height > ratioMax) {
    return { height, width: roundEven(height * ratioMax) };
  }
  return { height, width };
}

/** The crop of each of `count` images: the central one where ten tries failed. */
export function cropBoxes(
  [count, height, width]: [number, number, number],
  crop: ResizedCrop,
  seed: tf.Tensor,
): Boxes {
  const fits = (side: tf.Tensor, length: number) =>
    tf.logicalAnd(tf.greater(side, 0), tf.lessEqual(side, length));
  return drawBoxes(
    [count, height, width],
    {
      areaMin: crop.scaleMin,
      areaMax: crop.scaleMax,
      // Boxes count height over width.
      ratioMin: 1 / crop.ratioMax,
      ratioMax: 1 / crop.ratioMin,
    },
    (h, w) => tf.logicalAnd(fits(h, height), fits(w, width)),
    largestCrop(height, width, crop),
    seed,
    7,
  );
}

/** x along `axis` (1 or 2) at the places `at` [B, N], linearly between two. */
function sampleAlong(
  x: tf.Tensor4D,
  axis: 1 | 2,
  at: tf.Tensor,
): tf.Tensor4D {
  const [count, places] = at.shape;
  const low = tf.floor(at);
  const high = tf.minimum(tf.add(low, 1), x.shape[axis] - 1);
  const share = tf.reshape(
    tf.sub(at, low),
    axis === 1 ? [count, places, 1, 1] : [count, 1, places, 1],
  );
  const pick = (index: tf.Tensor) =>
    gather(x, tf.cast(index, "int32"), axis, 1);
  return tf.add(
    tf.mul(pick(low), tf.sub(1, share)),
    tf.mul(pick(high), share),
  ) as tf.Tensor4D;
}

/**
 * A box of each image, enlarged to the image's size: bilinear, pixel centres
 * at one half, nothing from outside of the box.
 * @param x [B, H, W, C]
 */
export function resizedCrop(x: tf.Tensor4D, boxes: Boxes): tf.Tensor4D {
  const [, height, width] = x.shape;
  const places = (length: number, start: tf.Tensor, side: tf.Tensor) => {
    const size = tf.reshape(side, [-1, 1]);
    const at = tf.sub(
      tf.mul(tf.add(tf.range(0, length), 0.5), tf.div(size, length)),
      0.5,
    );
    const inside = tf.maximum(tf.minimum(at, tf.sub(size, 1)), 0);
    return tf.add(inside, tf.reshape(start, [-1, 1]));
  };
  const rows = sampleAlong(x, 1, places(height, boxes.top, boxes.height));
  return sampleAlong(rows, 2, places(width, boxes.left, boxes.width));
}

/**
 * RandomResizedCrop: a random rectangle of each image, at the image's size.
 * @param x [B, H, W, C]
 */
export function randomResizedCrop(
  x: tf.Tensor4D,
  crop: ResizedCrop,
  seed: tf.Tensor,
): tf.Tensor4D {
  if (crop.scaleMin === 1) return x;
  const [count, height, width] = x.shape;
  return resizedCrop(x, cropBoxes([count, height, width], crop, seed));
}

export interface Affine {
  /** Largest rotation either way, in degrees. */
  degrees: number;
  /** Largest shift either way, as a share of the side. */
  translate: number;
  scaleMin: number;
  scaleMax: number;
  /** Largest shear either way along x, in degrees. */
  shear: number;
}

/** One map an image: float32 [B] each. */
export interface AffineMaps {
  /** Degrees, clockwise. */
  angle: tf.Tensor;
  /** Pixels to the right and down, after the rotation. */
  translateX: tf.Tensor;
  translateY: tf.Tensor;
  scale: tf.Tensor;
  /** Degrees, along x. */
  shear: tf.Tensor;
}

/** Draws a map for each of `count` images; shifts are whole pixels. */
export function affineMaps(
  [count, height, width]: [number, number, number],
  { degrees, translate, scaleMin, scaleMax, shear }: Affine,
  seed: tf.Tensor,
): AffineMaps {
  const one = (use: number, low: number, high: number) =>
    uniformBetween(draw([count], seed, use), low, high);
  const shift = (use: number, length: number) =>
    tf.round(one(use, -translate * length, translate * length));
  return {
    angle: one(11, -degrees, degrees),
    translateX: shift(12, width),
    translateY: shift(13, height),
    scale: one(14, scaleMin, scaleMax),
    shear: one(15, -shear, shear),
  };
}

/**
 * Shears, scales, rotates and shifts each image about its centre: bilinear, 0
 * outside (`torchvision.transforms.functional.affine` of a tensor).
 * @param x [B, H, W, C]
 */
export function affine(x: tf.Tensor4D, maps: AffineMaps): tf.Tensor4D {
  const [, height, width] = x.shape;
  const rotation = tf.mul(maps.angle, Math.PI / 180);
  const lean = tf.tan(tf.mul(maps.shear, Math.PI / 180));
  const cos = tf.cos(rotation), sin = tf.sin(rotation);
  // The inverse of rotation · scale · shear, from output to input.
  const [xx, xy, yx, yy] = [
    tf.sub(cos, tf.mul(sin, lean)),
    tf.add(tf.mul(cos, lean), sin),
    tf.neg(sin),
    cos,
  ].map((entry) => tf.div(entry, maps.scale));
  const centreX = (width - 1) / 2, centreY = (height - 1) / 2;
  const fromX = tf.add(maps.translateX, centreX);
  const fromY = tf.add(maps.translateY, centreY);
  const offset = (a: tf.Tensor, b: tf.Tensor, centre: number) =>
    tf.sub(centre, tf.add(tf.mul(a, fromX), tf.mul(b, fromY)));
  const zero = tf.zerosLike(cos);
  return warp(
    x,
    tf.stack([
      xx,
      xy,
      offset(xx, xy, centreX),
      yx,
      yy,
      offset(yx, yy, centreY),
      zero,
      zero,
    ], 1),
  );
}

/** Whether no image is turned, shifted, scaled or sheared. */
export const movesNothing = (
  { degrees, translate, scaleMin, scaleMax, shear }: Affine,
): boolean =>
  !degrees && !translate && !shear && scaleMin === 1 && scaleMax === 1;

/**
 * RandomAffine: each image rotated, shifted, scaled and sheared at random.
 * @param x [B, H, W, C]
 */
export function randomAffine(
  x: tf.Tensor4D,
  settings: Affine,
  seed: tf.Tensor,
): tf.Tensor4D {
  if (movesNothing(settings)) return x;
  const [count, height, width] = x.shape;
  return affine(x, affineMaps([count, height, width], settings, seed));
}
