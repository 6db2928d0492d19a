/** What holds for any data set: content hash, class counts, subsets. */
import { createHash } from "node:crypto";
import { hash32, Random } from "./random.ts";
import { DataError, SPLITS } from "./types.ts";
import type { Dataset, Split, SplitName, TrainPart } from "./types.ts";

/** A number for hash32, so that parts are dealt by draws of their own. */
const PARTS = 0x70617274;

/** Returns a usable image side; throws a DataError otherwise. */
export function assertSize(size: number): number {
  if (!Number.isInteger(size) || size < 8 || size > 1024) {
    throw new DataError(
      `image size ${size} is out of range; give a whole number from 8 to 1024`,
    );
  }
  return size;
}

function bytesOf(
  { buffer, byteOffset, byteLength }: Int32Array | Float32Array,
) {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/**
 * SHA-256 (hex) over size, channels, classes, and each split's labels, targets
 * and pixels.
 */
export function contentHash(
  d: Pick<Dataset, "size" | "channels" | "classes" | SplitName>,
): string {
  const h = createHash("sha256");
  h.update(JSON.stringify([d.size, d.channels, d.classes]));
  for (const split of SPLITS) {
    const { n, labels, images, targets } = d[split];
    h.update(`${split} ${n}\n`).update(bytesOf(labels)).update(images);
    if (targets) h.update("targets\n").update(bytesOf(targets));
  }
  return h.digest("hex");
}

/**
 * Images of each class.
 * @param classes how many classes there are, or their names
 */
export function classCounts(
  split: Pick<Split, "labels">,
  classes: number | readonly string[],
): number[] {
  const n = typeof classes === "number" ? classes : classes.length;
  const counts = new Array<number>(n).fill(0);
  for (const label of split.labels) counts[label]++;
  return counts;
}

/** The pixels of one image; a view. */
export function imageAt(
  { images, n }: Pick<Split, "images" | "n">,
  i: number,
): Uint8Array {
  const width = images.length / n;
  return images.subarray(i * width, (i + 1) * width);
}

/** Copies pixels, labels and targets of the images `rows`, in that order. */
export function imagesOf(
  split: Split,
  rows: readonly number[] | Uint32Array,
): Pick<Split, "images" | "labels" | "targets"> {
  const width = split.images.length / split.n;
  const images = new Uint8Array(rows.length * width);
  const labels = new Int32Array(rows.length);
  rows.forEach((row, i) => {
    images.set(imageAt(split, row), i * width);
    labels[i] = split.labels[row];
  });
  if (!split.targets) return { images, labels };
  const classes = split.targets.length / split.n;
  const targets = new Float32Array(rows.length * classes);
  rows.forEach((row, i) => {
    const from = row * classes;
    targets.set(split.targets!.subarray(from, from + classes), i * classes);
  });
  return { images, labels, targets };
}

/** Largest-remainder shares of `limit` in proportion to `counts`. */
export function shares(counts: number[], limit: number): number[] {
  const total = counts.reduce((a, b) => a + b, 0);
  const exact = counts.map((c) => c * limit / total);
  const out = exact.map(Math.floor);
  let left = limit - out.reduce((a, b) => a + b, 0);
  const order = exact.map((e, i) => ({ i, rest: e - Math.floor(e) }))
    .sort((a, b) => b.rest - a.rest || a.i - b.i);
  for (const { i } of order) {
    if (left === 0) break;
    if (out[i] < counts[i]) {
      out[i]++;
      left--;
    }
  }
  return out;
}

/** The rows of each class, shuffled by a seed of its own. */
function shuffledRows(
  { labels }: Split,
  classes: number,
  seedOf: (label: number) => number,
): number[][] {
  const rowsOf = Array.from({ length: classes }, () => [] as number[]);
  labels.forEach((label, row) => rowsOf[label].push(row));
  rowsOf.forEach((rows, label) => new Random(seedOf(label)).shuffle(rows));
  return rowsOf;
}

/**
 * `limit` images of a split, classes in the split's own proportions, chosen by
 * `seed`, in the split's order. The whole split where `limit` covers it.
 */
export function stratified(
  split: Split,
  classes: number,
  limit: number,
  seed: number,
): Split {
  if (!Number.isInteger(limit) || limit < 1) {
    throw new DataError(
      `subset size ${limit} is out of range; give a whole number from 1`,
    );
  }
  if (limit >= split.n) return split;
  const rowsOf = shuffledRows(split, classes, (label) => hash32(seed, label));
  const wanted = shares(rowsOf.map((r) => r.length), limit);
  const rows = rowsOf.flatMap((own, label) => own.slice(0, wanted[label]));
  return selected(split, rows.sort((a, b) => a - b));
}

/** The images `rows` of a split, in that order. */
const selected = (split: Split, rows: readonly number[]): Split => ({
  ...imagesOf(split, rows),
  n: rows.length,
  names: rows.map((row) => split.names[row]),
});

/**
 * One of `of` parts of a split: disjoint, together the whole split, classes in
 * its own proportions, dealt by `seed`; in the split's order.
 *
 * @throws DataError for a part that there is not, or one without an image
 */
export function partOf(
  split: Split,
  classes: number,
  { of, take }: TrainPart,
  seed: number,
): Split {
  if (!(Number.isInteger(of) && of >= 1 && of <= split.n)) {
    throw new DataError(
      `part.of: ${of} parts of ${split.n} images: give a whole number from 1 ` +
        `to ${split.n}`,
    );
  }
  if (!(Number.isInteger(take) && take >= 0 && take < of)) {
    throw new DataError(
      `part.take: ${take} of ${of} parts: give a whole number from 0 to ${
        of - 1
      }`,
    );
  }
  const rowsOf = shuffledRows(
    split,
    classes,
    (label) => hash32(seed, PARTS, label),
  );
  // A class goes on where the one before ended, so that parts are even.
  const rows = rowsOf.flat().filter((_, dealt) => dealt % of === take);
  return selected(split, rows.sort((a, b) => a - b));
}

/** The split without the images for which `isOut` says so. */
export const without = (
  split: Split,
  isOut: (image: Uint8Array) => boolean,
): Split => {
  const rows = Array.from({ length: split.n }, (_, i) => i)
    .filter((i) => !isOut(imageAt(split, i)));
  return rows.length === split.n ? split : selected(split, rows);
};

/** A data set with at most `limits[split]` images in each split, and its own hash. */
export function limited(
  d: Dataset,
  limits: Partial<Record<SplitName, number>>,
  seed: number,
): Dataset {
  if (SPLITS.every((s) => limits[s] === undefined)) return d;
  const cut = { ...d };
  SPLITS.forEach((s, i) => {
    const limit = limits[s];
    if (limit !== undefined) {
      cut[s] = stratified(d[s], d.classes.length, limit, hash32(seed, i));
    }
  });
  cut.hash = contentHash(cut);
  return cut;
}
