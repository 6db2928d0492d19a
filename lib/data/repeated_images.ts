/** Images that a data set in memory holds more than once, pixel by pixel. */
import { createHash } from "node:crypto";
import { imageAt, without } from "./dataset.ts";
import { DataError, SPLITS } from "./types.ts";
import type { Dataset, Split, SplitName } from "./types.ts";

/** What is recorded with a study of these data; plain JSON data. */
export interface RepeatedImages {
  /** Images of the split that are in train as well. */
  validationInTrain: number;
  testInTrain: number;
  /** Images of one picture that has several labels. */
  conflicting: number;
}

/** Whether all values of an image are alike, as all black. */
export const isUniform = (image: Uint8Array) =>
  image.every((v) => v === image[0]);

const pictureOf = (image: Uint8Array) =>
  createHash("sha256").update(image).digest("base64");

/**
 * The training split without those images that are in validation or test as
 * well, pixel by pixel; blank ones show nothing and stay.
 *
 * @throws DataError where nothing is left to train on
 */
export function trainWithoutCopies(d: Pick<Dataset, SplitName>): Split {
  const held = new Set<string>();
  for (const split of [d.validation, d.test]) {
    for (let i = 0; i < split.n; i++) held.add(pictureOf(imageAt(split, i)));
  }
  const train = without(
    d.train,
    (image) => held.has(pictureOf(image)) && !isUniform(image),
  );
  if (train.n > 0) return train;
  throw new DataError(
    "copies: every training image is in validation or test as well",
  );
}

/** A loaded data set is looked through once: it is hundreds of megabytes. */
const counted = new WeakMap<Dataset, RepeatedImages>();

/**
 * Counts images with equal pixels; blank ones show nothing and do not count.
 * `deno task data audit` also finds near copies, and names them.
 */
export function repeatedImages(d: Dataset): RepeatedImages {
  let found = counted.get(d);
  if (!found) counted.set(d, found = countRepeats(d));
  return found;
}

function countRepeats(d: Dataset): RepeatedImages {
  const pictures = new Map<
    string,
    { count: Record<string, number>; labels: Set<number> }
  >();
  for (const split of SPLITS) {
    const { labels, n } = d[split];
    for (let i = 0; i < n; i++) {
      const image = imageAt(d[split], i);
      if (isUniform(image)) continue;
      const key = pictureOf(image);
      let picture = pictures.get(key);
      if (!picture) {
        pictures.set(key, picture = { count: {}, labels: new Set() });
      }
      picture.count[split] = (picture.count[split] ?? 0) + 1;
      picture.labels.add(labels[i]);
    }
  }
  const found = { validationInTrain: 0, testInTrain: 0, conflicting: 0 };
  for (const { count, labels } of pictures.values()) {
    if (count.train) {
      found.validationInTrain += count.validation ?? 0;
      found.testInTrain += count.test ?? 0;
    }
    if (labels.size > 1) {
      found.conflicting += Object.values(count).reduce((a, b) => a + b, 0);
    }
  }
  return found;
}

/** What was found, in lines; none where nothing was. */
export function repeatedLines(d: Dataset): string[] {
  const { validationInTrain, testInTrain, conflicting } = repeatedImages(d);
  const lines = [];
  if (validationInTrain + testInTrain > 0) {
    lines.push(
      `${testInTrain} of ${d.test.n} test and ${validationInTrain} of ` +
        `${d.validation.n} validation images are in train, pixel by pixel: ` +
        `results flatter; \`deno task data audit\` names them`,
    );
  }
  if (conflicting > 0) {
    lines.push(`${conflicting} images are copies with several labels`);
  }
  return lines;
}
