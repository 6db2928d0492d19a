/** Images that lie in a data set more than once. */
import assert from "node:assert/strict";
import {
  classCounts,
  describeDataset,
  loadDataset,
  repeatedImages,
  syntheticFaces,
} from "../../lib/data/mod.ts";
import { partOf } from "../../lib/data/dataset.ts";
import { trainWithoutCopies } from "../../lib/data/repeated_images.ts";

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

Deno.test("copies of test and validation images are taken out of train, blank ones stay", () => {
  const d = faces();
  const { train, validation, test } = d;
  const image = (split: typeof train, i: number) =>
    split.images.subarray(i * PIXELS, (i + 1) * PIXELS);
  assert.throws(
    () => trainWithoutCopies({ ...d, test: train }),
    /every training image is in validation or test as well/,
  );
  test.images.set(image(train, 0));
  validation.images.set(image(train, 3));
  train.images.fill(0, 5 * PIXELS, 6 * PIXELS);
  test.images.fill(0, 5 * PIXELS, 6 * PIXELS);
  const left = trainWithoutCopies(d);
  const kept = Array.from({ length: 14 }, (_, i) => i)
    .filter((i) => i !== 0 && i !== 3);
  assert.deepEqual(left.names, kept.map((i) => train.names[i]));
  assert.deepEqual([...left.labels], kept.map((i) => train.labels[i]));
  kept.forEach((i, row) => assert.deepEqual(image(left, row), image(train, i)));
  assert.equal(trainWithoutCopies({ ...d, train: left }), left);
});

Deno.test("parts of a training split are disjoint, cover it and have its proportions", async () => {
  const whole = {
    name: "synthetic",
    size: 16,
    train: 50,
    validation: 7,
    test: 7,
  };
  const all = await loadDataset(whole);
  const parts = [0, 1, 2].map((take) =>
    partOf(all.train, 7, { of: 3, take }, 0)
  );
  const names = parts.flatMap((p) => p.names);
  assert.deepEqual(names.toSorted(), all.train.names.toSorted());
  assert.deepEqual(parts.map((p) => p.n), [17, 17, 16]);
  for (const part of parts) {
    classCounts(part, 7).forEach((n) => assert.ok(n === 2 || n === 3, `${n}`));
  }
  const first = await loadDataset({ ...whole, part: { of: 3, take: 0 } });
  assert.deepEqual(first.train.names, parts[0].names);
  assert.notEqual(first.hash, all.hash);
  assert.match(describeDataset(first).join("\n"), /train is part 1 of 3/);
  await assert.rejects(
    loadDataset({ ...whole, part: { of: 3, take: 3 } }),
    /^DataError: part\.take: 3 of 3 parts: give a whole number from 0 to 2$/,
  );
  await assert.rejects(
    loadDataset({ ...whole, part: { of: 51, take: 0 } }),
    /^DataError: part\.of: 51 parts of 50 images/,
  );
});
