/** What a trained net says of photos: a share for each class, and where it looked. */
import {
  type Crop,
  DataError,
  decodeImage,
  expandGray,
  imagesAt,
  readImageFile,
} from "../data/mod.ts";
import { modelOf, type StateTensors } from "../models/mod.ts";
import { applyScope, fromTorch, inspect } from "../nn/mod.ts";
import { compile, fromBytes, tf } from "../tensorflow/mod.ts";
import { normalise, scaled } from "../train/mod.ts";
import { gradCam, overMaximum, upsample } from "./gradcam.ts";
import { type TrainedNet, trainedNet, type TrainedOptions } from "./net.ts";

/** A photo: its path, or its bytes, and perhaps the box of the face in it. */
export interface Photo {
  /** Shown, and read where there are no `bytes`. */
  file: string;
  bytes?: Uint8Array;
  /**
   * In whole pixels of the upright photo, as far as it lies within; the whole
   * photo without one.
   */
  box?: Crop;
}

/** What a net says of one photo. */
export interface Prediction {
  file: string;
  box?: Crop;
  /** Of each class, summing to 1. */
  shares: number[];
  /** The label with the greatest share. */
  label: number;
  /** What the net saw: uint8, `[size, size, channels]`. */
  face: Uint8Array;
  /**
   * Grad-CAM of `label` over its maximum, `[size, size]` from 0 to 1, where it
   * was asked for.
   */
  map?: Float32Array;
}

/** A photo that there is no answer for, and why, in one line. */
export interface Unreadable {
  file: string;
  box?: Crop;
  reason: string;
}

export interface PredictOptions {
  /** Whether each prediction has its Grad-CAM (arXiv 1610.02391). */
  gradCam?: boolean;
  signal?: AbortSignal;
}

/** Photos that go through the net together; a Grad-CAM holds all activations. */
const BATCH = 32, BATCH_OF_MAPS = 4;

/** The part of a box that begins within the picture; boxes may begin before it. */
function begun({ left, top, width, height }: Crop): Crop | string {
  const x = Math.max(0, left), y = Math.max(0, top);
  const box = {
    left: x,
    top: y,
    width: width + left - x,
    height: height + top - y,
  };
  return box.width > 0 && box.height > 0
    ? box
    : `its box ${left},${top},${width},${height} lies outside the picture`;
}

/** A photo as the net's training saw pictures, or why it cannot be. */
async function faceOf(
  { file, bytes: given, box }: Photo,
  { recipe: { size }, channels, gray }: TrainedNet,
): Promise<Uint8Array | string> {
  const bytes = given ?? readImageFile(file);
  if (typeof bytes === "string") return bytes;
  const part = box && begun(box);
  if (typeof part === "string") return part;
  const values = await decodeImage(bytes, size, gray ? 1 : channels, part);
  if (typeof values === "string" || values.length === size * size * channels) {
    return values;
  }
  const wide = new Uint8Array(size * size * channels);
  expandGray(values, wide);
  return wide;
}

/** A net's tensors on the device, in our layout. */
function onDevice({ recipe, channels, tensors }: TrainedNet): StateTensors {
  const { size } = recipe;
  const found = inspect(modelOf(recipe), [1, size, size, channels]);
  const put = (infos: typeof found.parameters) =>
    Object.fromEntries(infos.map(({ name, layout }) => {
      const { data, shape } = tensors.get(name)!;
      const ours = fromTorch(data as Float32Array, shape, layout);
      return [name, tf.tensor(ours.data, ours.shape)];
    }));
  return {
    parameters: put(found.parameters),
    buffers: put(found.buffers),
  };
}

/** exp(x) over the sum, of one image's logits. */
function softmax(logits: Float32Array): number[] {
  const most = logits.reduce((a, b) => Math.max(a, b));
  const powers = Array.from(logits, (x) => Math.exp(x - most));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((x) => x / sum);
}

/** Grad-CAM of each picture's own label, [size, size] each. */
function mapsOf(
  { recipe, channels }: TrainedNet,
  values: StateTensors,
  faces: readonly Uint8Array[],
  labels: readonly number[],
): Float32Array[] {
  const { size } = recipe, n = faces.length;
  return tf.tidy(() => {
    const bytes = new Uint8Array(n * size * size * channels);
    faces.forEach((face, i) => bytes.set(face, i * face.length));
    const pixels = tf.tensor(bytes, [n, size, size, channels], "int32");
    const x = normalise(
      tf.div(pixels, 255) as tf.Tensor4D,
      recipe.normalise,
    );
    const classes = [...new Set(labels)];
    const { map } = gradCam(modelOf(recipe), values, x, {
      activation: "irback.layer3",
      classes,
    });
    const all = upsample(overMaximum(map), [size, size])
      .dataSync() as Float32Array;
    const plane = size * size;
    return labels.map((label, i) => {
      const at = (i * classes.length + classes.indexOf(label)) * plane;
      return all.slice(at, at + plane);
    });
  });
}

/**
 * What `net` says of each photo, in their order, a batch at a time: memory does
 * not grow with their number. Photos are cut and sized as the training's images
 * were, and made gray for a net that has seen gray images alone.
 *
 * @throws the signal's reason
 */
export async function* predictions(
  net: TrainedNet,
  photos: readonly Photo[],
  { gradCam = false, signal }: PredictOptions = {},
): AsyncGenerator<Prediction | Unreadable> {
  const { recipe, channels } = net;
  const { size, classes } = recipe;
  const pixels = size * size * channels;
  const batch = Math.min(gradCam ? BATCH_OF_MAPS : BATCH, photos.length);
  const forward = modelOf(recipe);
  const values = onDevice(net);
  const evaluate = compile((bytes) => [
    forward(
      applyScope({ ...values, training: false }),
      normalise(scaled(bytes), recipe.normalise),
    ),
  ], { name: "prediction" });
  try {
    for (let from = 0; from < photos.length; from += batch) {
      const some = photos.slice(from, from + batch);
      const faces: (Uint8Array | string)[] = [];
      for (const photo of some) {
        signal?.throwIfAborted();
        faces.push(await faceOf(photo, net));
      }
      // A short last batch is filled up, so that one trace serves all.
      const images = new Uint8Array(batch * pixels);
      faces.forEach((face, i) =>
        typeof face !== "string" && images.set(face, i * pixels)
      );
      const input = fromBytes(images, [batch, size, size, channels]);
      const [output] = await evaluate(input);
      const logits = output.dataSync() as Float32Array;
      tf.dispose([input, output]);
      const answers = faces.map((face, i) => {
        if (typeof face === "string") return null;
        const shares = softmax(
          logits.subarray(i * classes, (i + 1) * classes),
        );
        return { face, shares, label: shares.indexOf(Math.max(...shares)) };
      });
      const good = answers.filter((a) => a !== null);
      const maps = gradCam && good.length > 0
        ? mapsOf(net, values, good.map((a) => a.face), good.map((a) => a.label))
        : [];
      for (const [i, { file, box }] of some.entries()) {
        const answer = answers[i];
        yield answer === null
          ? { file, box, reason: faces[i] as string }
          : { file, box, ...answer, map: maps[good.indexOf(answer)] };
      }
    }
  } finally {
    evaluate.dispose();
    tf.dispose([values.parameters, values.buffers]);
  }
}

/** What `predict` found. */
export interface Predicted {
  classes: string[];
  /** In the order of the photos. */
  rows: Prediction[];
  /** Photos without an answer, and links that lead nowhere. */
  skipped: Unreadable[];
  net: TrainedNet;
}

/**
 * Shares of the classes for photos, by a net in a file. Photos are paths, of
 * folders all images below them, or `Photo`s with bytes or a face's box.
 *
 * @throws WeightsError or RecipeError for a file that holds no usable net;
 * DataError for a path where there is no image
 */
export async function predict(
  weights: string | TrainedNet,
  images: string | readonly (string | Photo)[],
  { gradCam, signal, ...options }: PredictOptions & TrainedOptions = {},
): Promise<Predicted> {
  const net = typeof weights === "string"
    ? await trainedNet(weights, options)
    : weights;
  const { photos, skipped } = photosOf(
    typeof images === "string" ? [images] : images,
  );
  const rows: Prediction[] = [];
  for await (const one of predictions(net, photos, { gradCam, signal })) {
    if ("reason" in one) skipped.push(one);
    else rows.push(one);
  }
  return { classes: net.classes, rows, skipped, net };
}

/** Paths as photos, folders as all images below them. @throws DataError */
export function photosOf(
  images: readonly (string | Photo)[],
): { photos: Photo[]; skipped: Unreadable[] } {
  const photos: Photo[] = [], skipped: Unreadable[] = [];
  for (const image of images) {
    if (typeof image !== "string") {
      photos.push(image);
      continue;
    }
    const { files, left } = imagesAt(image);
    for (const file of files) photos.push({ file });
    for (const { path, reason } of left) {
      skipped.push({ file: `${image}/${path}`, reason });
    }
  }
  if (photos.length === 0) throw new DataError("no photo is given");
  return { photos, skipped };
}
