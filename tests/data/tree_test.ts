/** What every format passes over or names: clutter, links, rows that repeat. */
import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { detectFormat, formatOf } from "../../lib/data/formats/mod.ts";
import { LISTED_TWICE } from "../../lib/data/formats/collector.ts";
import { CLUTTER_LEFT } from "../../lib/data/formats/tree.ts";
import { loadDataset } from "../../lib/data/mod.ts";
import { png } from "./_pictures.ts";
import { empty, type Files, treeOf } from "./_tree.ts";

const FOLDERS = empty(
  "train/happy/a.jpg",
  "train/sad/b.jpg",
  "test/happy/c.jpg",
  "test/sad/d.jpg",
);

Deno.test("what systems leave is passed over at every depth, and counted", () => {
  using tree = treeOf({
    ...FOLDERS,
    ...empty(
      "__MACOSX/train/happy/._a.jpg",
      "train/__MACOSX/happy/._a.jpg",
      "train/happy/__MACOSX/._a.jpg",
      "train/happy/._a.jpg",
      "train/happy/.DS_Store",
      "train/happy/.ipynb_checkpoints/a-checkpoint.jpg",
      "test/sad/Thumbs.db",
      "test/sad/desktop.ini",
      "test/sad/.hidden",
    ),
  });
  const { images, bad, left } = detectFormat(tree.dir).list(tree.dir, {});
  assert.deepEqual(
    images.map((i) => i.name).sort(),
    Object.keys(FOLDERS).sort(),
  );
  assert.deepEqual(bad, []);
  assert.deepEqual(left, { [CLUTTER_LEFT]: 8 });
});

Deno.test("links that lead back are named, and the rest is listed", async () => {
  const pictures: Files = {};
  for (const [i, path] of Object.keys(FOLDERS).entries()) {
    pictures[path] = await png(i + 1);
  }
  using tree = treeOf(pictures);
  const link = (target: string, path: string) =>
    symlinkSync(target, join(tree.dir, path));
  link("self", "self");
  link(".", "train/here");
  link("..", "train/happy/up");
  link(tree.dir, "test/sad/root");
  link("x.jpg", "test/sad/x.jpg");
  link("../sad", "train/happy/sideways");
  link("../happy", "train/sad/back");
  const { images, bad } = formatOf("image-folder").list(tree.dir, {});
  assert.equal(images.length, 4);
  assert.deepEqual(Object.fromEntries(bad.map((b) => [b.path, b.reason])), {
    "self": "a link that leads to itself",
    "train/here": "a link back to train",
    "train/happy/up": "a link back to train",
    "test/sad/root": "a link back to .",
    "test/sad/x.jpg": "a link that leads to itself",
    "train/happy/sideways": "a folder among images",
    "train/sad/back": "a folder among images",
  });
  await assert.rejects(
    loadDataset({
      name: "auto",
      dir: tree.dir,
      size: 16,
      split: { kind: "holdout", validation: 1 },
    }),
    /\n {2}self: a link that leads to itself/,
  );
});

Deno.test("folders that link to each other are walked once each", () => {
  using tree = treeOf({
    "fer2013new.csv":
      "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust," +
      "fear,contempt,unknown,NF\nTraining,fer0000000.png,9,0,0,1,0,0,0,0,0,0\n",
    ...empty("a/fer0000000.png", "b/fer0000001.png"),
  });
  symlinkSync("../b", join(tree.dir, "a/b"));
  symlinkSync("../a", join(tree.dir, "b/a"));
  const { images, unlisted, bad } = detectFormat(tree.dir).list(tree.dir, {});
  assert.deepEqual(images.map((i) => i.name), ["a/fer0000000.png"]);
  assert.deepEqual(bad.map((b) => b.path), ["a/b/a", "b/a/b"]);
  assert.ok(unlisted!.includes("b/fer0000001.png"));
});

const FER_VOTES =
  "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear," +
  "contempt,unknown,NF\n";
const BOX = "p.jpg 0 10 10 50 50 90";
const AFFECT = "subDirectory_filePath,expression\n";

/** One list a format: its rows, one of them again, and again otherwise. */
const LISTS: [
  format: string,
  files: (rows: string) => Files,
  rows: string[],
][] = [
  ["raf-db", (rows) => ({
    "EmoLabel/list_patition_label.txt": `${rows}test_0001.jpg 5\n`,
    ...empty(
      "Image/aligned/train_00001_aligned.jpg",
      "Image/aligned/test_0001_aligned.jpg",
    ),
  }), ["train_00001.jpg 1\n", "train_00001.jpg 2\n"]],
  ["csv-list", (rows) => ({
    "list.csv": `image,label,split\n${rows}y.jpg,sad,test\n`,
    ...empty("x.jpg", "y.jpg"),
  }), ["x.jpg,happy,train\n", "x.jpg,sad,train\n"]],
  ["expw", (rows) => ({ "label/label.lst": rows, "image/origin/p.jpg": "" }), [
    `${BOX} 0\n`,
    `${BOX} 1\n`,
  ]],
  ["affectnet", (rows) => ({
    "training.csv": AFFECT + rows,
    "Manually_Annotated_Images/1/a.jpg": "",
  }), ["1/a.jpg,1\n", "1/a.jpg,2\n"]],
  ["ferplus", (rows) => ({
    "fer2013new.csv": FER_VOTES + rows,
    "images/fer0000000.png": "",
  }), [
    "Training,fer0000000.png,9,0,0,1,0,0,0,0,0,0\n",
    "Training,fer0000000.png,0,9,0,1,0,0,0,0,0,0\n",
  ]],
];
for (const [format, files, [row, other]] of LISTS) {
  Deno.test(`${format}: a file listed twice is a conflict only with two labels`, () => {
    const listing = (rows: string) => {
      using tree = treeOf(files(rows));
      return formatOf(format).list(tree.dir, {});
    };
    const once = listing(row), twice = listing(row + row);
    assert.deepEqual(twice.images, once.images);
    assert.deepEqual(twice.bad, []);
    assert.equal(twice.left[LISTED_TWICE], 1);
    const conflict = listing(row + other);
    assert.equal(conflict.bad.length, 1);
    assert.equal(conflict.left[LISTED_TWICE], undefined);
  });
}
