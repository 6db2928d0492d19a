/** What a data set is in memory, and the error its loaders raise. */

/** One split: `n` images, row i of each array belongs to image i. */
export interface Split {
  /** uint8 pixels, NHWC `[n, size, size, channels]`. */
  images: Uint8Array;
  /** Class index of each image, `[n]`. */
  labels: Int32Array;
  n: number;
  /** Where image i came from: a path below the data folder. */
  names: string[];
  /** Shares of each class where raters disagree, `[n, classes]`. */
  targets?: Float32Array;
}

/** A file that was left out, and why. */
export interface SkippedFile {
  /** Path below the data folder, with forward slashes. */
  path: string;
  reason: string;
}

/** A whole data set: three splits of square images of one size. */
export interface Dataset {
  name: string;
  /** Class names; a label is an index into this list. */
  classes: string[];
  /** Side of an image in pixels. */
  size: number;
  channels: 1 | 3;
  train: Split;
  validation: Split;
  test: Split;
  /** SHA-256 (hex) over size, channels, classes, labels and pixels. */
  hash: string;
  skipped: SkippedFile[];
  /** What `loadDataset` was asked for, folder aside: enough to load it again. */
  source?: DataSource;
}

/** A data set by name, at a size, whole or in part; plain JSON data. */
export interface DataSource {
  name: "synthetic" | "fer2013";
  /** Side in pixels (48). */
  size?: number;
  channels?: 1 | 3;
  /** Seed of the drawn faces, or of the choice of a subset (0). */
  seed?: number;
  /** Images in each split; for fer2013 a class-stratified limit. */
  train?: number;
  validation?: number;
  test?: number;
}

export type SplitName = "train" | "validation" | "test";

export const SPLITS: readonly SplitName[] = ["train", "validation", "test"];

/** FER2013's official class order, 0..6. */
export const FER_CLASSES: readonly string[] = [
  "Angry",
  "Disgust",
  "Fear",
  "Happy",
  "Sad",
  "Surprise",
  "Neutral",
];

/** A data folder or option that cannot be used; the message is for the user. */
export class DataError extends Error {
  override name = "DataError";
}
