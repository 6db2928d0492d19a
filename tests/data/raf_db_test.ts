/** RAF-DB in its three layouts; labels from 1, and from 0 only where said. */
import { strict as assert } from "node:assert";
import { join } from "node:path";
import { detectFormat } from "../../lib/data/formats/mod.ts";
import { rafDb } from "../../lib/data/formats/raf_db.ts";
import { CLUTTER_LEFT } from "../../lib/data/formats/tree.ts";
import { disguises, empty, type Files, named, treeOf } from "./_tree.ts";

const LIST = "EmoLabel/list_patition_label.txt";
/** Seven of each split, one a class. */
const NAMES = [1, 2, 3, 4, 5, 6, 7].flatMap((i) => [
  `train_0000${i}`,
  `test_000${i}`,
]);
const ORDER = "Surprise Fear Disgust Happy Sad Angry Neutral".split(" ");

const line = (name: string, label: number) => `${name}.jpg ${label}\n`;
const listFrom = (first: number) =>
  NAMES.map((name, i) => line(name, (i >> 1) + first)).join("");
const ALIGNED = empty(...NAMES.map((n) => `Image/aligned/${n}_aligned.jpg`));
const withList = (list: string | Uint8Array, files: Files = ALIGNED) =>
  treeOf({ ...files, [LIST]: list });

Deno.test("labels 1 to 7 load, and label 1 is Surprise at index 0", () => {
  using tree = withList(listFrom(1));
  const listing = rafDb.list(tree.dir, {});
  assert.deepEqual(listing.classes, ORDER);
  assert.equal(listing.layout, "label list and aligned images");
  assert.deepEqual(listing.images[0], {
    name: "Image/aligned/train_00001_aligned.jpg",
    source: { file: "Image/aligned/train_00001_aligned.jpg" },
    label: 0,
    split: "train",
  });
  assert.deepEqual(
    listing.images.map((i) => i.label),
    NAMES.map((_, i) => i >> 1),
  );
  assert.equal(listing.images[1].split, "test");
  assert.deepEqual([listing.bad, listing.unlisted], [[], []]);
});

Deno.test("labels 0 to 6 are refused, and load where the user says so", () => {
  using tree = withList(listFrom(0));
  assert.throws(() => rafDb.list(tree.dir, {}), {
    name: "DataError",
    message: `${join(tree.dir, LIST)}:1: label "0" is not one of RAF-DB's, ` +
      "1 (Surprise) to 7 (Neutral); where the list counts 0 to 6 in the same " +
      "order, say firstLabel: 0",
  });
  const listing = rafDb.list(tree.dir, { firstLabel: 0 });
  using clean = withList(listFrom(1));
  assert.deepEqual(listing.images, rafDb.list(clean.dir, {}).images);
  assert.match(listing.layout, /labels from 0/);
});

Deno.test("what is wrong in a list is told with its file, line and value", () => {
  const fourth = (row: string) => listFrom(1).replace("test_0002.jpg 2", row);
  const both = `:4: label "0" beside label "7" at ${LIST}:13`;
  const wrong: [list: string, says: string, firstLabel?: 0 | 1][] = [
    [
      fourth("test_0002.jpg 2 1"),
      ':4: "test_0002.jpg 2 1" has a third column, "1"',
    ],
    [fourth("test_0002.jpg"), ':4: "test_0002.jpg" has no label'],
    [fourth("test_0002.jpg 8"), ':4: label "8" is not one of RAF-DB\'s'],
    [fourth("test_0002.jpg 2.5"), ':4: label "2.5" is not one of RAF-DB\'s'],
    [fourth("test_0002.jpg fear"), ':4: label "fear" is not one of RAF-DB\'s'],
    [listFrom(1), ':13: label "7" in a list that counts 0 to 6', 0],
    // Both 0 and 7 are wrong, whatever the user says.
    [fourth("test_0002.jpg 0"), both],
    [fourth("test_0002.jpg 0"), both, 0],
    [fourth("test_0002.jpg 0"), both, 1],
  ];
  for (const [list, says, firstLabel] of wrong) {
    using tree = withList(list);
    assert.throws(
      () => rafDb.list(tree.dir, { firstLabel }),
      (error: Error) =>
        error.name === "DataError" && error.message.includes(LIST + says),
      says,
    );
  }
});

Deno.test("an image that is listed twice is bad, with both labels", () => {
  using tree = withList(listFrom(1) + line("train_00003", 5));
  const listing = rafDb.list(tree.dir, {});
  assert.equal(listing.images.length, 14);
  assert.deepEqual(listing.bad, [{
    path: `${LIST}:15`,
    reason:
      "Image/aligned/train_00003_aligned.jpg is labelled 5 here and labelled 3 " +
      `at ${LIST}:5`,
  }]);
});

Deno.test("original images beside the aligned ones are no part of the list", () => {
  using tree = withList(listFrom(1), {
    ...ALIGNED,
    ...empty(...NAMES.map((n) => `Image/original/${n}.jpg`)),
  });
  using clean = withList(listFrom(1));
  assert.deepEqual(rafDb.list(tree.dir, {}), rafDb.list(clean.dir, {}));
});

Deno.test("original images alone are refused", () => {
  using tree = withList(
    listFrom(1),
    empty(...NAMES.map((n) => `Image/original/${n}.jpg`)),
  );
  assert.throws(() => rafDb.list(tree.dir, {}), /unpack aligned\.zip/);
});

Deno.test("a double or another extension is still the image", () => {
  using tree = withList(listFrom(1), {
    ...ALIGNED,
    "Image/aligned/train_00008_aligned.jpg.jpg": "",
    "Image/aligned/train_00009_aligned.PNG": "",
  });
  Deno.writeTextFileSync(
    join(tree.dir, LIST),
    line("train_00008", 1) + line("train_00009", 2) +
      "train_00001_aligned.jpg.jpg 3\n",
  );
  assert.deepEqual(named(rafDb.list(tree.dir, {})), {
    "Image/aligned/train_00008_aligned.jpg.jpg": "Surprise",
    "Image/aligned/train_00009_aligned.PNG": "Fear",
    "Image/aligned/train_00001_aligned.jpg": "Disgust",
  });
});

Deno.test("class folders give the same labels, with test or valid as the test set", () => {
  for (
    const [base, half] of [["", "test"], ["", "valid"], ["DATASET/", "test"]]
  ) {
    using tree = treeOf(empty(
      ...NAMES.map((name, i) =>
        `${base}${name.startsWith("train") ? "train" : half}/${
          (i >> 1) + 1
        }/${name}_aligned.jpg`
      ),
    ));
    assert.equal(detectFormat(tree.dir).name, "raf-db");
    const listing = rafDb.list(tree.dir, {});
    assert.deepEqual(listing.classes, ORDER);
    assert.equal(listing.images.filter((i) => i.split === "test").length, 7);
    assert.deepEqual(
      named(listing)[`${base}train/4/train_00004_aligned.jpg`],
      "Happy",
    );
  }
});

Deno.test("valid beside test is a validation set", () => {
  using tree = treeOf(empty("train/1/a.jpg", "valid/1/b.jpg", "test/1/c.jpg"));
  const { images } = rafDb.list(tree.dir, {});
  assert.deepEqual(
    Object.fromEntries(images.map((i) => [i.name, i.split])),
    {
      "train/1/a.jpg": "train",
      "valid/1/b.jpg": "validation",
      "test/1/c.jpg": "test",
    },
  );
});

Deno.test("class folders from 0 are refused unless said, and 0 beside 7 always", () => {
  using tree = treeOf(empty("train/0/a.jpg", "train/6/b.jpg"));
  assert.ok(!rafDb.detect(tree.dir));
  assert.throws(() => rafDb.list(tree.dir, {}), /train\/0: label "0"/);
  assert.deepEqual(named(rafDb.list(tree.dir, { firstLabel: 0 })), {
    "train/0/a.jpg": "Surprise",
    "train/6/b.jpg": "Neutral",
  });
  using mix = treeOf(empty("train/0/a.jpg", "train/7/b.jpg"));
  assert.throws(
    () => rafDb.list(mix.dir, { firstLabel: 0 }),
    /train\/0: label "0" beside label "7" at train\/7/,
  );
});

Deno.test("among class folders an original beside its aligned image is left out", () => {
  using tree = treeOf(empty(
    "train/1/train_00001.jpg",
    "train/1/train_00001_aligned.jpg",
    "train/1/Thumbs.db",
    "train/notes/x.jpg",
    "train/y.jpg",
  ));
  const listing = rafDb.list(tree.dir, {});
  assert.deepEqual(named(listing), {
    "train/1/train_00001_aligned.jpg": "Surprise",
  });
  assert.deepEqual(listing.left, {
    "original beside its aligned image": 1,
    [CLUTTER_LEFT]: 1,
  });
  assert.deepEqual(listing.bad, [
    { path: "train/notes", reason: "is no class folder; want 1 to 7" },
    { path: "train/y.jpg", reason: "lies in no class folder" },
  ]);
});

const CSV = (half: string) =>
  "image,label\n" +
  NAMES.map((name, i) => [name, (i >> 1) + 1] as const)
    .filter(([name]) => name.startsWith(half))
    .map(([name, label]) => `${name}_aligned.jpg,${label}\n`).join("");
const PARCEL = empty(
  ...NAMES.map((name, i) =>
    `DATASET/${name.split("_")[0]}/${(i >> 1) + 1}/${name}_aligned.jpg`
  ),
);

Deno.test("csv tables give the same labels over images in class folders or none", () => {
  for (
    const files of [
      PARCEL,
      empty(...NAMES.map((name) => `images/${name}_aligned.jpg`)),
    ]
  ) {
    using tree = treeOf({
      ...files,
      "train_labels.csv": CSV("train"),
      "test_labels.csv": CSV("test"),
    });
    assert.equal(detectFormat(tree.dir).name, "raf-db");
    const { images, classes, bad, unlisted } = rafDb.list(tree.dir, {});
    assert.equal(images.length, 14);
    for (const { name, label, split } of images) {
      const [, half, number] = /(train|test)_0*(\d)_aligned/.exec(name)!;
      assert.equal(classes[label], ORDER[Number(number) - 1], name);
      assert.equal(split, half);
    }
    assert.deepEqual([bad, unlisted], [[], []]);
  }
});

Deno.test("a csv table that came through editors equals the clean one", () => {
  const test = { "test_labels.csv": CSV("test") };
  const list = (train: string) => {
    using tree = treeOf({ ...PARCEL, ...test, "train_labels.csv": train });
    return rafDb.list(tree.dir, {});
  };
  const want = list(CSV("train"));
  for (const [what, text] of Object.entries(disguises(CSV("train")))) {
    assert.deepEqual(list(text), want, what);
  }
  assert.deepEqual(list(CSV("train").replaceAll(",", ";")), want);
  assert.deepEqual(
    list(CSV("train").replace(/(\w+\.jpg),(\d)/g, '"$1","$2"')),
    want,
  );
});

Deno.test("csv tables of other images are not taken for RAF-DB", () => {
  using tree = treeOf({
    ...empty("a.jpg", "b.jpg"),
    "train_labels.csv": "image,label\na.jpg,happy\n",
    "test_labels.csv": "image,label\nb.jpg,sad\n",
  });
  assert.equal(detectFormat(tree.dir).name, "csv-list");
});

Deno.test("a csv label that differs from its image's class folder is bad", () => {
  using tree = treeOf({
    ...PARCEL,
    "train_labels.csv": CSV("train").replace(
      "00002_aligned.jpg,2",
      "00002_aligned.jpg,5",
    ),
    "test_labels.csv": CSV("test"),
  });
  const { bad, images, unlisted } = rafDb.list(tree.dir, {});
  assert.equal(images.length, 13);
  assert.deepEqual(unlisted, []);
  assert.deepEqual(bad, [{
    path: "DATASET/train/2/train_00002_aligned.jpg",
    reason: "is labelled 5 at train_labels.csv:3, but lies in 2/",
  }]);
});

Deno.test("a csv table's third column and other headers name file, line and value", () => {
  const refuses = (train: string, message: RegExp) => {
    using tree = treeOf({ ...PARCEL, "train_labels.csv": train });
    assert.throws(() => rafDb.list(tree.dir, {}), {
      name: "DataError",
      message,
    });
  };
  refuses(
    "image,label,age\na.jpg,1,2\n",
    /train_labels\.csv:1: .*third column, "age"/,
  );
  refuses(
    "image,label\na.jpg,1,2\n",
    /train_labels\.csv:2: .*third column, "2"/,
  );
  refuses(
    "name,class\na.jpg,1\n",
    /train_labels\.csv:1: the header lacks image, label; it has name, class/,
  );
});

Deno.test("a folder where nothing can be used says so, with the first reasons", () => {
  using tree = withList(listFrom(1), empty("Image/aligned/other.jpg"));
  assert.throws(() => rafDb.list(tree.dir, {}), {
    name: "DataError",
    message: /no image can be used, 14 bad.*train_00001_aligned\.jpg: listed/s,
  });
});
