/** Grad-CAM (arXiv 1610.02391): where a recorded activation speaks for a class. */
import { applyScope, type Forward } from "../nn/mod.ts";
import { tf } from "../tensorflow/mod.ts";
import type { StateTensors } from "../models/mod.ts";

export interface GradCamOptions {
  /** A recorded activation's name, for instance "irback.layer4". */
  activation: string;
  /** Class indices; all classes without it. */
  classes?: readonly number[];
}

/** B images, K classes, an activation of h × w positions and C channels. */
export interface GradCam {
  /** [B, K, C]: mean over positions of the logit's gradient. */
  weights: tf.Tensor3D;
  /** [B, K, h, w]: sum over channels of weight · activation. */
  signed: tf.Tensor4D;
  /** [B, K, h, w]: relu(signed). */
  map: tf.Tensor4D;
}

/** A map [B, h, w, C] itself, tokens [B, 1 + h·w, C] as a map without cls. */
function asMap(x: tf.Tensor, name: string): tf.Tensor4D {
  if (x.rank === 4) return x as tf.Tensor4D;
  const [batch, tokens, channels] = x.shape;
  const side = Math.sqrt(tokens - 1);
  if (x.rank !== 3 || side === 0 || !Number.isInteger(side)) {
    throw new Error(
      `Grad-CAM: ${name} is [${x.shape}], neither a map nor cls and a square of patches`,
    );
  }
  const patches = tf.slice(x, [0, 1, 0], [batch, tokens - 1, channels]);
  return tf.reshape(patches, [batch, side, side, channels]);
}

/** Refuses what the model does not record and classes that it does not have. */
function checked(
  { activation, classes }: GradCamOptions,
  seen: ReadonlyMap<string, tf.Tensor>,
  count: number,
): { value: tf.Tensor; classes: readonly number[] } {
  const value = seen.get(activation);
  if (!value) {
    const names = [...seen.keys()].join(", ");
    throw new Error(
      `Grad-CAM: the model records no ${activation}; choose one of ${names}`,
    );
  }
  const all = Array.from({ length: count }, (_, k) => k);
  const wrong = classes?.find((k) => !all.includes(k));
  if (wrong !== undefined) {
    throw new Error(`Grad-CAM: no class ${wrong}, the model has ${count}`);
  }
  return { value, classes: classes ?? all };
}

/**
 * Grad-CAM in eval mode of each image and class: the gradient of the class's
 * logit, before the softmax, to the activation. Of tokens, the cls token is
 * left out; behind the last attention ("norm", the last "blocks.i") its map
 * is 0, as the logits read the cls token alone. One pass a class.
 *
 * @param images [B, H, W, C]
 * @throws for an activation that is not recorded or has no positions, and for
 * a class that does not exist
 */
export function gradCam(
  forward: Forward,
  values: StateTensors,
  images: tf.Tensor4D,
  options: GradCamOptions,
): GradCam {
  const { activation: name } = options;
  const run = (record: (name: string, value: tf.Tensor) => tf.Tensor | void) =>
    forward(applyScope({ ...values, training: false, record }), images);
  return tf.tidy(() => {
    const seen = new Map<string, tf.Tensor>();
    const logits = run((at, value) => void seen.set(at, value));
    const { value, classes } = checked(options, seen, logits.shape[1]);
    const map = asMap(value, name); // [B, h, w, C]
    const logitSum = (k: number) => (probe: tf.Tensor) =>
      tf.sum(tf.slice(
        run((at, x) => at === name ? tf.add(x, probe) : undefined),
        [0, k],
        [-1, 1],
      ));
    const weights = classes.map((k) => {
      const gradient = tf.grad(logitSum(k))(tf.zerosLike(value));
      return tf.mean(asMap(gradient, name), [1, 2], true); // [B, 1, 1, C]
    });
    const signed = tf.stack(
      weights.map((w) => tf.sum(tf.mul(map, w), -1)),
      1,
    ) as tf.Tensor4D;
    return {
      weights: tf.stack(weights.map((w) => tf.squeeze(w, [1, 2])), 1),
      signed,
      map: tf.relu(signed),
    } as GradCam & tf.TensorContainerObject;
  });
}

/** Maps [..., h, w] over their maximum, which becomes 1; maps of 0 stay 0. */
export function overMaximum<T extends tf.Tensor>(maps: T): T {
  return tf.tidy(() =>
    tf.div(maps, tf.add(tf.max(maps, [-2, -1], true), 1e-7))
  );
}

/**
 * Maps [..., h, w] as [..., height, width], bilinear between half-pixel
 * centres (PyTorch's align_corners=False).
 */
export function upsample(
  maps: tf.Tensor,
  [height, width]: [number, number],
): tf.Tensor {
  const outer = maps.shape.slice(0, -2);
  const [h, w] = maps.shape.slice(-2);
  return tf.tidy(() => {
    const channel = tf.reshape(maps, [-1, h, w, 1]) as tf.Tensor4D;
    const size: [number, number] = [height, width];
    const large = tf.image.resizeBilinear(channel, size, false, true);
    return tf.reshape(large, [...outer, height, width]);
  });
}
