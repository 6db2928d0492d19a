/** MixUp and CutMix: drawn on the host once a batch, applied inside the compiled step. */
import { hash32, Random } from "../../data/mod.ts";
import { tf } from "../../tensorflow/mod.ts";
import { gather } from "./tensor_ops.ts";

export interface Mixing {
  /** "mixup-or-cutmix" takes either with equal chance on every batch. */
  kind: "none" | "mixup" | "cutmix" | "mixup-or-cutmix";
  /** lambda ~ Beta(alpha, alpha); 0 mixes nothing. */
  alpha: number;
  /**
   * "roll" pairs each image with the one before it (torchvision),
   * "permutation" with one of a random order (arXiv 1710.09412).
   */
  pairing: "roll" | "permutation";
}

/** Whether any batch is mixed. */
export const mixes = ({ kind, alpha }: Pick<Mixing, "kind" | "alpha">) =>
  kind !== "none" && alpha > 0;

/** Columns x1 to x2 and rows y1 to y2, the ends left out. */
export type MixingBox = [x1: number, y1: number, x2: number, y2: number];

/** How one batch is mixed. */
export interface MixingDraw {
  kind: "none" | "mixup" | "cutmix";
  /** An image's share of its targets; the partner has the rest. */
  lambda: number;
  /** What CutMix takes from the partner; empty otherwise. */
  box: MixingBox;
  /** The partner's place in the batch. */
  partners: Int32Array;
}

/**
 * Beta(alpha, alpha): algorithm BA of Cheng 1978 (CACM 21(4), 317), in
 * logarithms so that a small alpha does not overflow.
 */
export function symmetricBeta(alpha: number, random: Random): number {
  const spread = alpha <= 1 ? 1 / alpha : 1 / Math.sqrt(alpha);
  while (true) {
    const u1 = random.next(), u2 = random.next();
    if (u1 === 0) continue;
    const logit = spread * Math.log(u1 / (1 - u1));
    const softplus = Math.max(logit, 0) +
      Math.log1p(Math.exp(-Math.abs(logit)));
    const accepted = 2 * alpha * (Math.LN2 - softplus) +
      (alpha + 1 / spread) * logit - Math.log(4);
    if (accepted >= Math.log(u1 * u1 * u2)) return 1 / (1 + Math.exp(-logit));
  }
}

/**
 * CutMix's rectangle around (x, y), clipped at the border: its area before
 * clipping is the share 1 − lambda of the image (torchvision 0.29).
 */
export function cutmixBox(
  lambda: number,
  x: number,
  y: number,
  height: number,
  width: number,
): MixingBox {
  const half = Math.sqrt(1 - lambda) / 2;
  const halfWidth = Math.trunc(half * width);
  const halfHeight = Math.trunc(half * height);
  return [
    Math.max(x - halfWidth, 0),
    Math.max(y - halfHeight, 0),
    Math.min(x + halfWidth, width),
    Math.min(y + halfHeight, height),
  ];
}

/** The share of the image that `box` leaves. */
export function shareOutside(
  [x1, y1, x2, y2]: MixingBox,
  height: number,
  width: number,
): number {
  return 1 - ((x2 - x1) * (y2 - y1)) / (width * height);
}

function partnersOf(
  count: number,
  pairing: Mixing["pairing"],
  random: Random,
): Int32Array {
  if (pairing === "roll") {
    return Int32Array.from({ length: count }, (_, k) => (k || count) - 1);
  }
  const order = Array.from({ length: count }, (_, k) => k);
  random.shuffle(order);
  return Int32Array.from(order);
}

const NO_BOX: MixingBox = [0, 0, 0, 0];

/**
 * How step number `step` mixes a batch of `count` images, from the seed and
 * the step alone.
 * @throws RangeError when alpha is negative or not a number.
 */
export function mixingDraw(
  { kind, alpha, pairing }: Mixing,
  seed: number,
  step: number,
  [count, height, width]: [number, number, number],
): MixingDraw {
  if (!(alpha >= 0 && alpha < Infinity)) {
    throw new RangeError(`mixing: alpha is ${alpha}; give a number from 0`);
  }
  const random = new Random(hash32(seed, step, 0x6d6978));
  const partners = partnersOf(count, pairing, random);
  if (kind === "none" || alpha === 0) {
    return { kind: "none", lambda: 1, box: NO_BOX, partners };
  }
  const cut = random.chance(0.5);
  const lambda = symmetricBeta(alpha, random);
  if (kind === "mixup" || (kind === "mixup-or-cutmix" && !cut)) {
    return { kind: "mixup", lambda, box: NO_BOX, partners };
  }
  const x = Math.floor(random.next() * width);
  const y = Math.floor(random.next() * height);
  const box = cutmixBox(lambda, x, y, height, width);
  return {
    kind: "cutmix",
    lambda: shareOutside(box, height, width),
    box,
    partners,
  };
}

/** A draw as inputs of a compiled step: float32 [6] and int32 [B]. */
export function mixingInputs(
  { kind, lambda, box, partners }: MixingDraw,
): { numbers: tf.Tensor1D; partners: tf.Tensor1D } {
  const blend = kind === "mixup" ? lambda : 1;
  return {
    numbers: tf.tensor1d([blend, lambda, ...box]),
    partners: tf.tensor1d(partners, "int32"),
  };
}

/** share · a + (1 − share) · b */
function blend(a: tf.Tensor, b: tf.Tensor, share: tf.Tensor): tf.Tensor {
  return tf.add(tf.mul(a, share), tf.mul(b, tf.sub(1, share)));
}

/**
 * Mixes a batch as its draw says (MixUp arXiv 1710.09412, CutMix arXiv
 * 1905.04899); one trace serves every draw.
 * @param x [B, H, W, C]
 * @param targets [B, K] float32, the share of each class
 * @param inputs from `mixingInputs`
 */
export function applyMixing(
  x: tf.Tensor4D,
  targets: tf.Tensor2D,
  { numbers, partners }: { numbers: tf.Tensor; partners: tf.Tensor },
): { x: tf.Tensor4D; targets: tf.Tensor2D } {
  const [, height, width] = x.shape;
  const [share, lambda, x1, y1, x2, y2] = tf.unstack(numbers);
  const column = tf.reshape(tf.range(0, width), [1, 1, width, 1]);
  const row = tf.reshape(tf.range(0, height), [1, height, 1, 1]);
  const within = (at: tf.Tensor, from: tf.Tensor, to: tf.Tensor) =>
    tf.logicalAnd(tf.greaterEqual(at, from), tf.less(at, to));
  const cut = tf.logicalAnd(within(column, x1, x2), within(row, y1, y2));
  const other = gather(x, partners, 0);
  return {
    x: tf.where(cut, other, blend(x, other, share)) as tf.Tensor4D,
    targets: blend(
      targets,
      gather(targets, partners, 0),
      lambda,
    ) as tf.Tensor2D,
  };
}
