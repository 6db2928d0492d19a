/** Images that lie in a data set more than once. */
import assert from "node:assert/strict";
import {
  describeDataset,
  repeatedImages,
  syntheticFaces,
} from "../../lib/data/mod.ts";

/** Drawn faces: each once, in every split. */
const faces = () =>
  syntheticFaces({ size: 16, train: 14, validation: 7, test: 7, channels: 1 });
const PIXELS = 16 * 16;

Deno.test("each image once: nothing is counted", () => {
  assert.deepEqual(repeatedImages(faces()), {
    validationInTrain: 0,
    testInTrain: 0,
    conflicting: 0,
  });
});

Deno.test("a test image in train, one of validation, and a second label are counted and told", () => {
  const d = faces();
  const { train, validation, test } = d;
  const copy = (from: typeof train, i: number, to: typeof train, j: number) =>
    to.images.set(
      from.images.subarray(i * PIXELS, (i + 1) * PIXELS),
      j * PIXELS,
    );
  copy(train, 0, test, 0); // class 0 in both
  copy(train, 1, validation, 1);
  copy(train, 2, train, 3); // classes 2 and 3
  // Blank images show nothing that could be the same.
  train.images.fill(0, 5 * PIXELS, 6 * PIXELS);
  test.images.fill(0, 5 * PIXELS, 6 * PIXELS);
  assert.deepEqual(repeatedImages(d), {
    validationInTrain: 1,
    testInTrain: 1,
    conflicting: 2,
  });
  const lines = describeDataset(d).join("\n");
  assert.match(lines, /1 of 7 test and 1 of 7 validation images are in train/);
  assert.match(lines, /2 images are copies with several labels/);
});
