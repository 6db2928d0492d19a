/** What a data set is in memory, and the error its loaders raise. */
import { EXPRESSIONS } from "./expressions.ts";

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
  /** The labels before label noise, `[n]`; synthetic faces with noise only. */
  cleanLabels?: Int32Array;
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
  /** How it lies on disk, in words. */
  layout?: string;
  skipped: SkippedFile[];
  /** Left out by rule, not by fault: "contempt (7 classes)" → how many. */
  left?: Record<string, number>;
  /** What `loadDataset` was asked for, folder aside: enough to load it again. */
  source?: DataSource;
}

/** What a user may say about reading; plain JSON data, recorded with trials. */
export interface ReadOptions {
  /** With (8) or without (7, the default) contempt. */
  classes?: 7 | 8;
  /** RAF-DB: what the list's first label is; a list from 0 has to be named. */
  firstLabel?: 0 | 1;
  /** FERPlus: how its ten votes become a label. */
  votes?: "majority" | "probability" | "crossEntropy" | "multiTarget";
}

/** A data set by name, at a size, whole or in part; plain JSON data. */
export interface DataSource extends ReadOptions {
  /** "synthetic", a format's name, or "auto": the one that the folder fits. */
  name: string;
  /** Side in pixels (48). */
  size?: number;
  channels?: 1 | 3;
  /** Seed of the drawn faces, or of the choice of a subset (0). */
  seed?: number;
  /** Images in each split; of sets on disk a class-stratified limit. */
  train?: number;
  validation?: number;
  test?: number;
  /**
   * How images are divided. Without it the official split, and where that has
   * no validation a tenth of the training images.
   */
  split?: SplitRule;
  /**
   * Training images that are in validation or test as well, pixel by pixel:
   * kept and counted (default), or dropped from the training split.
   */
  copies?: "keep" | "drop";
  /**
   * One of `of` disjoint parts of the training split, `take` from 0, each with
   * the classes in the split's own proportions. What is trained on one part has
   * seen nothing of another.
   */
  part?: TrainPart;
  /** Files that cannot be used: an error (default), or left out and named. */
  onBad?: "stop" | "skip";
  /** How synthetic faces are drawn and labelled. */
  faces?: FaceOptions;
}

/** A part of the training split; plain JSON data. */
export interface TrainPart {
  of: number;
  take: number;
}

/**
 * How images are divided into splits; plain JSON data. Amounts are shares
 * below 1, or numbers of images.
 */
export type SplitRule =
  | { kind: "official" }
  /** Taken from the training images, or from all where there is no split. */
  | { kind: "holdout"; validation?: number; test?: number }
  /**
   * Fold `fold` (from 0) of `folds` is the validation split of a set with a
   * test split of its own, else the test split, and the next one validation.
   */
  | { kind: "folds"; folds: number; fold: number };

/** How synthetic faces are drawn and labelled; plain JSON data. */
export interface FaceOptions {
  /**
   * Shares of the classes in every split: those of a data set's training
   * split, or a share 0..1 for each class named, the rest shared equally by
   * the others (all equal).
   */
  balance?: "fer2013" | "raf-db" | Readonly<Record<string, number>>;
  /** Chance 0..1 that a train label is replaced by another class (0). */
  labelNoise?: number;
  /** Least and greatest intensity of the expressions, 0..1 ([0.25, 1]). */
  intensity?: readonly [number, number];
  /**
   * How often glasses (0.15), a hand (0.08) and a bar (0.06) hide a part of
   * the face, as a multiple of these chances, 0..6 (1).
   */
  occlusion?: number;
}

export type SplitName = "train" | "validation" | "test";

export const SPLITS: readonly SplitName[] = ["train", "validation", "test"];

/** FER2013's official class order, 0..6. */
export const FER_CLASSES: readonly string[] = EXPRESSIONS.slice(0, 7);

/** A data folder or option that cannot be used; the message is for the user. */
export class DataError extends Error {
  override name = "DataError";
}
