/** What every reader of a data set on disk gives: a list of its images. */
import type { ReadOptions, SkippedFile, SplitName } from "./types.ts";

/** A box in whole pixels; it may reach over the image's right and lower edge. */
export interface Crop {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** One image that a data set lists. */
export interface ListedImage {
  /**
   * Unique: a path below the data folder with "/" (and `#FACE` where a file
   * shows several), or `file.csv:LINE`.
   */
  name: string;
  /** A file below the data folder, or grey pixels that a table holds. */
  source: { file: string } | { pixels: Uint8Array; width: number };
  /** Index into the listing's `classes`. */
  label: number;
  /** A share of each class, summing to 1, where raters disagree. */
  target?: readonly number[];
  /** Undefined where the data set has no official split. */
  split?: SplitName;
  /** The face's box in whole pixels of the file, where it shows more. */
  crop?: Crop;
  /** Who is shown: images of one subject never lie in two splits. */
  subject?: string;
}

/** All images of a data set, in the order of its own list, else by path. */
export interface Listing {
  /** The format's name, as `--data` takes it. */
  format: string;
  /** Its layout in words: "label list and aligned images". */
  layout: string;
  /** Expression names as in `EXPRESSIONS`, in the order of the labels. */
  classes: string[];
  images: ListedImage[];
  /** Rows and files that cannot be used, each with its reason. */
  bad: SkippedFile[];
  /** Image files that lie beside the listed ones and that no row names. */
  unlisted?: string[];
  /** Left out by rule, not by fault: "contempt (7 classes)" → how many. */
  left: Record<string, number>;
}

/** A format that FERLab reads: one file below `formats/` each. */
export interface Format {
  name: string;
  /** What it is and how it looks on disk, one line for `--help` and errors. */
  about: string;
  /** Whether a folder looks like this format; reads names, no images. */
  detect(dir: string): boolean;
  /**
   * Lists a folder; image files are not opened.
   *
   * @throws DataError when nothing usable is there; single bad rows and files
   * go to `bad`, with `file:line` or path.
   */
  list(dir: string, o: ReadOptions): Listing;
  /** The published counts, class by class, to hold a listing against. */
  published?: Partial<Record<SplitName, Record<string, number>>>;
}
