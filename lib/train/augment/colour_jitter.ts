/** Random brightness, contrast, saturation and hue inside the compiled step. */
import { tf } from "../../tensorflow/mod.ts";
import { draw, uniformBetween } from "./tensor_ops.ts";

export interface ColourJitter {
  /** Factors lie within 1 ± this, and not below 0. */
  brightness: number;
  contrast: number;
  saturation: number;
  /** Largest turn of the hue either way, in turns; at most 0.5. */
  hue: number;
}

/** float32 [B] each; one that is missing changes nothing. */
export type ColourFactors = Partial<Record<keyof ColourJitter, tf.Tensor>>;

/** Luma [B, H, W, 1] of colour images, the image itself when it is grey. */
function grey(x: tf.Tensor4D): tf.Tensor {
  if (x.shape[3] !== 3) return x;
  return tf.sum(tf.mul(x, tf.tensor1d([0.2989, 0.587, 0.114])), 3, true);
}

/** factor · x + (1 − factor) · other, within [0, 1]. */
function blend(
  x: tf.Tensor,
  other: tf.Tensor | number,
  factor: tf.Tensor,
): tf.Tensor4D {
  const mixed = tf.add(tf.mul(x, factor), tf.mul(other, tf.sub(1, factor)));
  return tf.clipByValue(mixed, 0, 1) as tf.Tensor4D;
}

/** Turns the hue of colours by `turn`, through HSV. */
function turnHue(x: tf.Tensor4D, turn: tf.Tensor): tf.Tensor4D {
  const value = tf.max(x, 3, true);
  const chroma = tf.sub(value, tf.min(x, 3, true));
  const divisor = tf.where(tf.equal(chroma, 0), tf.onesLike(chroma), chroma);
  const [r, g, b] = tf.split(x, 3, 3);
  const sector = (p: tf.Tensor, q: tf.Tensor, start: number) =>
    tf.add(tf.div(tf.sub(p, q), divisor), start);
  // Sixths of a turn; 0 is red.
  const hue = tf.where(
    tf.equal(r, value),
    sector(g, b, 0),
    tf.where(tf.equal(g, value), sector(b, r, 2), sector(r, g, 4)),
  );
  const turned = tf.add(hue, tf.mul(turn, 6));
  const k = tf.mod(tf.add(turned, tf.tensor1d([5, 3, 1])), 6);
  const share = tf.clipByValue(tf.minimum(k, tf.sub(4, k)), 0, 1);
  return tf.sub(value, tf.mul(chroma, share)) as tf.Tensor4D;
}

/**
 * Brightness, contrast, saturation and hue by the given factors, in this
 * order, each as torchvision 0.29's `adjust_…` of a tensor. Images of one
 * channel have neither saturation nor hue.
 * @param x [B, H, W, C] in [0, 1]
 */
export function adjustColour(
  x: tf.Tensor4D,
  factors: ColourFactors,
): tf.Tensor4D {
  const perImage = (f: tf.Tensor) => tf.reshape(f, [-1, 1, 1, 1]);
  const { brightness, contrast, saturation, hue } = factors;
  const coloured = x.shape[3] === 3;
  let y = x;
  if (brightness) y = blend(y, 0, perImage(brightness));
  if (contrast) {
    y = blend(y, tf.mean(grey(y), [1, 2, 3], true), perImage(contrast));
  }
  if (saturation && coloured) y = blend(y, grey(y), perImage(saturation));
  if (hue && coloured) y = turnHue(y, perImage(hue));
  return y;
}

/**
 * ColorJitter: factors are drawn for each image. torchvision also shuffles
 * the order of the four; here it is fixed, since one compiled step serves
 * all images.
 * @param x [B, H, W, C] in [0, 1], so before any normalisation
 */
export function colourJitter(
  x: tf.Tensor4D,
  { brightness, contrast, saturation, hue }: ColourJitter,
  seed: tf.Tensor,
): tf.Tensor4D {
  const factor = (use: number, strength: number, centre: number) => {
    if (strength === 0) return undefined;
    const low = centre === 0 ? -strength : Math.max(0, centre - strength);
    return uniformBetween(
      draw([x.shape[0]], seed, use),
      low,
      centre + strength,
    );
  };
  return adjustColour(x, {
    brightness: factor(16, brightness, 1),
    contrast: factor(17, contrast, 1),
    saturation: factor(18, saturation, 1),
    hue: factor(19, hue, 0),
  });
}
