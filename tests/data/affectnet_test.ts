/** AffectNet with .npy files and with csv lists. */
import { strict as assert } from "node:assert";
import { affectnet } from "../../lib/data/formats/affectnet.ts";
import { detectFormat } from "../../lib/data/formats/mod.ts";
import { empty, type Files, named, treeOf } from "./_tree.ts";

const NPY = JSON.parse(
  Deno.readTextFileSync(new URL("../fixtures/npy.json", import.meta.url)),
) as { three: Record<string, string>; refused: Record<string, string> };
const bytesOf = (base64: string) =>
  Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

/** A one-byte integer as numpy saves it. */
function npy(code: number): Uint8Array {
  const bytes = bytesOf(NPY.three["i1 0-d"]);
  bytes[bytes.length - 1] = code;
  return bytes;
}

/** `images/N.jpg` with `annotations/N_exp.npy`, one a code. */
function setOf(folder: string, codes: number[]): Files {
  return Object.assign(
    {},
    ...codes.map((code, i) => ({
      [`${folder}/images/${i}.jpg`]: "",
      [`${folder}/annotations/${i}_exp.npy`]: npy(code),
      [`${folder}/annotations/${i}_val.npy`]: "not read",
    })),
  );
}

const ALL = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const ORDER = "Neutral Happy Sad Surprise Fear Disgust Angry Contempt"
  .split(" ");

Deno.test("codes 0 to 7 are the expressions, 8 to 10 are left out with counts", () => {
  using tree = treeOf({
    ...setOf("train_set", [...ALL, 8, 10, 10]),
    ...setOf("val_set", ALL),
  });
  assert.equal(detectFormat(tree.dir).name, "affectnet");
  const { images, classes, left, bad, layout } = affectnet.list(tree.dir, {
    classes: 8,
  });
  assert.deepEqual(classes, ORDER);
  assert.deepEqual(left, {
    "None (8)": 3,
    "Uncertain (9)": 2,
    "No-Face (10)": 4,
  });
  assert.deepEqual(bad, []);
  assert.match(layout, /its validation set is the test split/);
  assert.equal(images.length, 16);
  for (const { name, label, split } of images) {
    const [, set, number] = /^(\w+)_set\/images\/(\d)\.jpg$/.exec(name)!;
    assert.equal(label, Number(number), name);
    assert.equal(split, set === "train" ? "train" : "test");
  }
});

Deno.test("among seven classes contempt is left out with its count", () => {
  using tree = treeOf({
    ...setOf("train_set", [7, 0, 7]),
    ...setOf("val_set", ALL),
  });
  const { images, classes, left } = affectnet.list(tree.dir, {});
  assert.deepEqual(classes, ORDER.slice(0, 7));
  assert.equal(left["contempt (7 classes)"], 3);
  assert.equal(images.length, 1 + 7);
});

Deno.test("an annotation gives one label, whatever type it was saved as", () => {
  const kinds = Object.entries(NPY.three);
  using tree = treeOf(Object.assign(
    {},
    ...kinds.map(([, base64], i) => ({
      [`train_set/images/${i}.jpg`]: "",
      [`train_set/annotations/${i}_exp.npy`]: bytesOf(base64),
    })),
  ));
  const { images, classes, bad } = affectnet.list(tree.dir, {});
  assert.deepEqual(bad, []);
  assert.equal(images.length, kinds.length);
  assert.ok(images.every(({ label }) => classes[label] === "Surprise"));
});

Deno.test("what is missing, no .npy file or no code is bad, with its path", () => {
  using tree = treeOf({
    ...setOf("train_set", [1, 11]),
    "train_set/images/2.jpg": "",
    "train_set/annotations/3_exp.npy": npy(3),
    "train_set/images/4.jpg": "",
    "train_set/annotations/4_exp.npy": "<!DOCTYPE html><p>quota exceeded",
    "train_set/images/5.jpg": "",
    "train_set/annotations/5_exp.npy": bytesOf(NPY.refused["two elements"]),
  });
  const at = "train_set/annotations";
  assert.deepEqual(affectnet.list(tree.dir, {}).bad, [
    { path: `${at}/1_exp.npy`, reason: "expression is 11; want 0 to 10" },
    { path: `${at}/2_exp.npy`, reason: "the image's annotation is missing" },
    { path: `${at}/4_exp.npy`, reason: "not a .npy file" },
    {
      path: `${at}/5_exp.npy`,
      reason: "the .npy file holds an array of 2; want one value",
    },
    {
      path: "train_set/images/3.jpg",
      reason: "listed, but the file is missing",
    },
  ]);
});

const HEADER = "subDirectory_filePath,face_x,face_y,face_width,face_height," +
  "facial_landmarks,expression,valence,arousal";
const row = (path: string, code: number) =>
  `${path},10,20,30,40,1.5;2.5;3,${code},0.1,-0.2`;
const TRAINING = [HEADER, ...ALL.map((c) => row(`${c % 2}/${c}.jpg`, c))]
  .join("\n") + "\n";
const VALIDATION = [HEADER, row("2/v.jpg", 3)].join("\n") + "\n";
const IMAGES = "Manually_Annotated_Images";
const PICTURES = empty(
  ...ALL.map((c) => `${IMAGES}/${c % 2}/${c}.jpg`),
  `${IMAGES}/2/v.jpg`,
);
const LISTS = { "training.csv": TRAINING, "validation.csv": VALIDATION };

Deno.test("csv lists give the same labels, with the face's box", () => {
  using tree = treeOf({ ...PICTURES, ...LISTS });
  const listing = affectnet.list(tree.dir, {});
  assert.deepEqual(listing.images[3], {
    name: `${IMAGES}/1/3.jpg`,
    source: { file: `${IMAGES}/1/3.jpg` },
    label: 3,
    split: "train",
    crop: { left: 10, top: 20, width: 30, height: 40 },
  });
  assert.equal(listing.images.at(-1)?.split, "test");
  assert.equal(named(listing)[`${IMAGES}/2/v.jpg`], "Surprise");
  assert.deepEqual(listing.left, {
    "contempt (7 classes)": 1,
    "None (8)": 1,
    "Uncertain (9)": 1,
    "No-Face (10)": 1,
  });
  assert.deepEqual([listing.bad, listing.unlisted], [[], []]);
});

Deno.test("csv lists and images may lie in their archives' folders", () => {
  using tree = treeOf({
    ...Object.fromEntries(
      Object.keys(PICTURES).map((path) => [`Manually_Annotated/${path}`, ""]),
    ),
    "Manually_Annotated_file_lists/training.csv": TRAINING,
  });
  assert.equal(detectFormat(tree.dir).name, "affectnet");
  const [{ name }] = affectnet.list(tree.dir, {}).images;
  assert.equal(name, `Manually_Annotated/${IMAGES}/0/0.jpg`);
});

Deno.test("a missing image is bad where its expression is used, else left out", () => {
  const { [`${IMAGES}/1/3.jpg`]: _, [`${IMAGES}/1/9.jpg`]: __, ...files } =
    PICTURES;
  using tree = treeOf({ ...files, [`${IMAGES}/1/99.jpg`]: "", ...LISTS });
  const { bad, left, unlisted } = affectnet.list(tree.dir, {});
  assert.deepEqual(bad, [{
    path: `${IMAGES}/1/3.jpg`,
    reason: "listed, but the file is missing",
  }]);
  assert.equal(left["Uncertain (9)"], 1);
  assert.deepEqual(unlisted, [`${IMAGES}/1/99.jpg`]);
});

Deno.test("bad rows of a csv list are named by line", () => {
  using tree = treeOf({
    ...PICTURES,
    "training.csv": TRAINING + [
      row("1/3.jpg", 6),
      "1/5.jpg,10",
      row("2/v.jpg", 12),
      row("../../v.jpg", 1),
      row("1/1.jpg", 1).replace(",1,0.1", ",happy,0.1"),
    ].join("\n"),
  });
  assert.deepEqual(affectnet.list(tree.dir, {}).bad, [
    {
      path: "training.csv:13",
      reason: `${IMAGES}/1/3.jpg is expression 6 of train here and ` +
        "expression 3 of train at training.csv:5",
    },
    { path: "training.csv:14", reason: "has 2 cell(s); the header has 9" },
    { path: "training.csv:15", reason: "expression is 12; want 0 to 10" },
    {
      path: "training.csv:16",
      reason: "../../v.jpg lies outside of the data folder",
    },
    { path: "training.csv:17", reason: 'expression is "happy"; want 0 to 10' },
  ]);
});

Deno.test("another header is refused", () => {
  using tree = treeOf({
    ...PICTURES,
    "training.csv": TRAINING.replace("expression", "label"),
  });
  assert.throws(() => affectnet.list(tree.dir, {}), {
    name: "DataError",
    message: /training\.csv:1: the header lacks .*expression/,
  });
});
