/** Training on one data set and testing on another: classes by name. */
import assert from "node:assert/strict";
import { acrossSets, type Dataset, type Split } from "../../lib/data/mod.ts";

/** Images of one pixel whose value is 10 times the label, and the split's. */
function split(labels: number[], base: number): Split {
  return {
    images: Uint8Array.from(labels, (label) => base + 10 * label),
    labels: Int32Array.from(labels),
    n: labels.length,
    names: labels.map((label, i) => `${base}/${label}/${i}`),
  };
}

function dataset(name: string, classes: string[], labels: number[]): Dataset {
  return {
    name,
    classes,
    size: 1,
    channels: 1,
    train: split(labels, 1),
    validation: split(labels, 2),
    test: split(labels, 3),
    hash: "",
    skipped: [{ path: "x.jpg", reason: "cut short" }],
  };
}

/** RAF-DB's order against FER2013's. */
const raf = dataset(
  "raf-db",
  ["Surprise", "Fear", "Disgust", "Happiness", "Sadness", "Anger", "Neutral"],
  [0, 1, 2, 3, 4, 5, 6, 6],
);
const fer = dataset(
  "fer2013",
  ["Angry", "Disgust", "Fear", "Happy", "Sad", "Surprise", "Neutral"],
  [6, 5, 4, 3, 2, 1, 0],
);

Deno.test("classes of two sets are matched by expression, never by number", () => {
  const d = acrossSets(raf, fer);
  assert.deepEqual(
    d.classes,
    ["Anger", "Disgust", "Fear", "Happiness", "Sadness", "Surprise", "Neutral"],
  );
  assert.deepEqual([...d.train.labels], [5, 2, 1, 3, 4, 0, 6, 6]);
  assert.deepEqual([...d.test.labels], [6, 5, 4, 3, 2, 1, 0]);
  // Each image keeps its pixels: ten times its own set's label.
  assert.deepEqual([...d.train.images], [1, 11, 21, 31, 41, 51, 61, 61]);
  assert.deepEqual([...d.test.images], [63, 53, 43, 33, 23, 13, 3]);
  assert.deepEqual(d.left, {});
  assert.equal(d.name, "raf-db to fer2013");
  assert.deepEqual(d.skipped.map(({ path }) => path), [
    "raf-db: x.jpg",
    "fer2013: x.jpg",
  ]);
});

Deno.test("a class that one set lacks is left out of the other with its count", () => {
  const eight = dataset(
    "affectnet",
    [...fer.classes, "Contempt"],
    [7, 7, 0, 3],
  );
  const few = dataset("few", ["Happy", "Angry"], [0, 1, 1]);
  const test = acrossSets(fer, eight);
  assert.equal(test.test.n, 2);
  assert.deepEqual(test.left, {
    "test images of affectnet: Contempt, no class of fer2013": 2,
  });
  const train = acrossSets(eight, few);
  assert.deepEqual(train.classes, ["Angry", "Happy"]);
  assert.deepEqual([...train.train.labels], [0, 1]);
  assert.deepEqual([...train.test.labels], [1, 0, 0]);
  assert.deepEqual(train.left, {
    "train images of affectnet: Contempt, no class of few": 2,
    "validation images of affectnet: Contempt, no class of few": 2,
  });
});

Deno.test("shares of a class that is left out go to the others in proportion", () => {
  const classes = ["Sad", "Contempt", "Happy"];
  const rated = dataset("rated", classes, [0, 2]);
  rated.train.targets = Float32Array.of(0.5, 0.25, 0.25, 0, 0, 1);
  const d = acrossSets(rated, fer);
  assert.deepEqual(d.classes, ["Happy", "Sad"]);
  assert.deepEqual(
    [...d.train.targets!],
    [...Float32Array.of(1 / 3, 2 / 3, 1, 0)],
  );
});

Deno.test("the hash is of both sets and of the direction", () => {
  const hashes = [
    acrossSets(raf, fer),
    acrossSets(fer, raf),
    acrossSets(fer, fer),
  ]
    .map(({ hash }) => hash);
  assert.equal(new Set(hashes).size, 3);
});

Deno.test("sets of other sizes or without common classes are one-line errors", () => {
  assert.throws(() => acrossSets(raf, { ...fer, size: 2 }), {
    name: "DataError",
    message: /raf-db has images of 1 × 1 × 1, fer2013 of 2 × 2 × 1/,
  });
  const other = dataset("other", ["Happy", "cat"], [0, 1]);
  assert.throws(
    () => acrossSets(fer, other),
    /fewer than two classes in common/,
  );
});
