/** Loading by name or by looking: policies, classes, splits, what is recorded. */
import assert from "node:assert/strict";
import { join } from "node:path";
import sharp from "sharp";
import {
  DataError,
  describeDataset,
  detectFormat,
  loadDataset,
  type LoadOptions,
} from "../../lib/data/mod.ts";
import { inOneLine } from "../_refused.ts";
import { empty, type Files, treeOf } from "./_tree.ts";

const SIZE = 8;

/** A plain gray PNG, or a JPEG of 32 × 32. */
function plain(level: number, jpeg = false): Promise<Uint8Array> {
  const background = { r: level, g: level, b: level };
  const side = jpeg ? 32 : SIZE;
  const image = sharp({
    create: { width: side, height: side, channels: 3, background },
  });
  return (jpeg ? image.jpeg() : image.png()).toBuffer();
}

/** Loads a tree without touching the user's cache. */
function load(dir: string, o: Partial<LoadOptions> = {}) {
  const cacheDir = join(dir, ".cache");
  return loadDataset({ name: "auto", dir, size: SIZE, cacheDir, ...o });
}

/** `per` images of each class in train, valid and test; levels tell them apart. */
async function faces(per = 2, classes = ["happy", "sad"]): Promise<Files> {
  const files: Files = {};
  for (const split of ["train", "valid", "test"]) {
    for (const [c, name] of classes.entries()) {
      for (let i = 0; i < per; i++) {
        files[`${split}/${name}/${i}.png`] = await plain(
          100 * c + 10 * i + split.length,
        );
      }
    }
  }
  return files;
}

Deno.test("no format that fits, two that fit, no folder and another name are one line", async () => {
  const fails = (work: () => unknown, message: RegExp) =>
    assert.rejects(async () => await work(), inOneLine("DataError", message));
  using none = treeOf(empty("notes.txt"));
  await fails(
    () => detectFormat(none.dir),
    /is no data set.*looked for FER2013: /,
  );
  using packed = treeOf(empty("fer2013.zip"));
  await fails(
    () => detectFormat(packed.dir),
    /reads: unpack fer2013\.zip first/,
  );
  using deep = treeOf(empty("set/happy/a.jpg", "set/sad/b.jpg"));
  await fails(() => detectFormat(deep.dir), /, but .*set is one: give that;/);
  using list = treeOf({ "a/b.txt": "", "set/list.csv": "image,label\n" });
  await fails(() => detectFormat(list.dir), /, but .*set is one: give that;/);
  // As a system's /usr/share has pictures.
  using share = treeOf(
    empty("share/icons/a.png", "share/happy/b.png", "share/x/train/sad/c.png"),
  );
  await fails(() => detectFormat(share.dir), /that FERLab reads; looked for/);
  using two = treeOf({
    "list.csv": "image,label\na.jpg,sad\n",
    ...empty("happy/a.jpg", "sad/b.jpg"),
  });
  await fails(
    () => detectFormat(two.dir),
    /fits csv-list and image-folder: say/,
  );
  await fails(() => load(join(none.dir, "gone")), /there is no folder/);
  await fails(
    () => loadDataset({ name: "raf" }),
    /"raf"; choose synthetic, auto or fer/,
  );
  await fails(
    () => loadDataset({ name: "fer2013" }),
    /needs its folder; give dir/,
  );
  const odd: [Record<string, unknown>, RegExp][] = [
    [{ onBad: "ignore" }, /^data set: onBad: .* give "stop" or "skip"$/],
    [{ channels: 4 }, /^data set: channels: got 4; give 1 or 3$/],
    [{ votes: "mayority" }, /votes: .*mean "majority"/],
    [
      { seed: NaN, size: "48" },
      /size: got "48"; .*seed|seed: .*; size: got "48"/,
    ],
    [{ sise: 48 }, /sise: unknown field; did you mean size/],
    [{ split: { kind: "holdout", val: 0.1 } }, /mean split\.validation/],
  ];
  for (const [fields, message] of odd) {
    await fails(() => load(deep.dir, fields), message);
  }
});

Deno.test("bad files stop the load, each with its reason, or are left out and named", async () => {
  const text = new TextEncoder();
  const jpeg = await plain(9, true);
  const bad: Files = {
    "train/happy/cut.jpg": jpeg.subarray(0, jpeg.length / 2),
    "train/happy/none.jpg": "",
    "test/sad/page.jpg": text.encode("<!doctype html><p>404"),
  };
  const good = { ...await faces(3), "train/happy/png.jpg": await plain(77) };
  using clean = treeOf(good);
  using tree = treeOf({ ...good, ...bad });
  // A folder in a file's place cannot be read as one, whoever reads.
  Deno.mkdirSync(join(tree.dir, "train/sad/folder.jpg"));
  const paths = [...Object.keys(bad), "train/sad/folder.jpg"];
  await assert.rejects(load(tree.dir), (error: Error) => {
    assert.ok(error instanceof DataError);
    const lines = error.message.split("\n");
    assert.match(lines[0], /^image-folder: 4 file\(s\).*onBad "skip":$/);
    for (const path of paths) {
      assert.ok(lines.some((l) => l.startsWith(`  ${path}: `)), path);
    }
    return lines.length === 5;
  });
  const d = await load(tree.dir, { onBad: "skip" });
  assert.deepEqual(d.skipped.map(({ path }) => path).sort(), paths.sort());
  assert.equal(d.hash, (await load(clean.dir)).hash);
  assert.ok(d.train.names.includes("train/happy/png.jpg"));
  assert.equal(d.source?.onBad, "skip");
  assert.match(
    describeDataset(d).at(-1)!,
    /^skipped: 4, first test\/sad\/page\.jpg: /,
  );
});

Deno.test("a list of bad files stops at 200 and counts the rest", async () => {
  const bad = Array.from({ length: 203 }, (_, i) => `train/sad/bad${i}.jpg`);
  using tree = treeOf({ ...await faces(1), ...empty(...bad) });
  await assert.rejects(load(tree.dir), (error: Error) => {
    assert.equal(error.message.split("\n").length, 202);
    return /and 3 more$/.test(error.message);
  });
});

Deno.test("a limit on train keeps the classes' shares, is seeded and hashed anew", async () => {
  using tree = treeOf(await faces(6));
  const o = { channels: 1, seed: 1 } as const;
  const whole = await load(tree.dir, o);
  const { train, validation, test, hash } = await load(tree.dir, {
    ...{ ...o, train: 4 },
  });
  assert.deepEqual([...train.labels].sort(), [0, 0, 1, 1]);
  assert.deepEqual([validation, test], [whole.validation, whole.test]);
  assert.notEqual(hash, whole.hash);
  assert.equal((await load(tree.dir, { ...o, train: 4 })).hash, hash);
  const other = await load(tree.dir, { ...o, train: 4, seed: 2 });
  assert.notDeepEqual(other.train.names, train.names);
  const row = whole.train.names.indexOf(train.names[3]);
  assert.equal(
    train.images[3 * SIZE ** 2],
    whole.train.images[row * SIZE ** 2],
  );
});

Deno.test("labels go with names into the order of the expressions, pixels with them", async () => {
  using tree = treeOf({
    "list.csv": "image,label,split\n" +
      ["surprise", "anger", "neutral"].flatMap((word, i) =>
        ["train", "val", "test"].map((split) =>
          `${split}${i}.png,${word},${split}\n`
        )
      ).join(""),
    ...Object.fromEntries(
      await Promise.all(
        ["train", "val", "test"].flatMap((split) =>
          [0, 1, 2].map(async (i) =>
            [`${split}${i}.png`, await plain(50 * i)] as const
          )
        ),
      ),
    ),
  });
  const d = await load(tree.dir);
  assert.deepEqual(d.classes, ["Angry", "Surprise", "Neutral"]);
  for (const { images, labels, names, n } of [d.train, d.validation, d.test]) {
    assert.deepEqual([...labels], [1, 0, 2]);
    for (let i = 0; i < n; i++) {
      assert.equal(
        images[i * SIZE * SIZE * 3],
        50 * Number(/\d/.exec(names[i])![0]),
      );
    }
  }
});

Deno.test("one file name with other content in train and test is two images", async () => {
  using tree = treeOf(await faces(1));
  const d = await load(tree.dir, { channels: 1 });
  assert.equal(d.train.names[0], "train/happy/0.png");
  assert.equal(d.test.names[0], "test/happy/0.png");
  assert.notEqual(d.train.images[0], d.test.images[0]);
  Deno.copyFileSync(
    join(tree.dir, "test/happy/0.png"),
    join(tree.dir, "train/happy/0.png"),
  );
  const copied = await load(tree.dir, { channels: 1 });
  assert.equal(copied.train.images[0], d.test.images[0]);
});

Deno.test("a set without validation holds out a tenth of train and says so", async () => {
  const files = Object.fromEntries(
    Object.entries(await faces(10)).filter(([path]) =>
      !path.startsWith("valid")
    ),
  );
  using tree = treeOf(files);
  const d = await load(tree.dir, { seed: 4 });
  assert.deepEqual([d.train.n, d.validation.n, d.test.n], [18, 2, 20]);
  assert.deepEqual([...d.validation.labels], [0, 1]);
  assert.deepEqual(d.source?.split, { kind: "holdout", validation: 0.1 });
  assert.ok(
    describeDataset(d).includes(
      "split: validation 10 % held out of the training images, seed 4",
    ),
  );
  assert.notDeepEqual(
    (await load(tree.dir, { seed: 5 })).validation.names,
    d.validation.names,
  );
});

Deno.test("what was asked for is recorded as JSON and loads the same again", async () => {
  using tree = treeOf({
    ...await faces(6),
    "train/smug/a.png": await plain(1),
  });
  const split = { kind: "official" } as const;
  const d = await load(tree.dir, { onBad: "skip", split, train: 4, seed: 2 });
  assert.deepEqual(JSON.parse(JSON.stringify(d.source)), {
    name: "image-folder",
    size: SIZE,
    seed: 2,
    train: 4,
    split,
    onBad: "skip",
  });
  assert.deepEqual(d.train.n, 4);
  assert.deepEqual(await load(tree.dir, d.source), d);
});

Deno.test("a class that a split lacks is counted as 0 and its label is kept", async () => {
  const files = await faces(2, ["angry", "happy", "sad"]);
  for (const i of [0, 1]) delete files[`valid/happy/${i}.png`];
  using tree = treeOf(files);
  const d = await load(tree.dir);
  assert.deepEqual(d.classes, ["Angry", "Happy", "Sad"]);
  assert.deepEqual([...d.validation.labels], [0, 0, 2, 2]);
  assert.deepEqual(describeDataset(d).slice(0, 5), [
    "image-folder (folders by split and class): 3 classes, 8 × 8 × 3",
    "train 6: Angry 2, Happy 2, Sad 2",
    "validation 4: Angry 2, Happy 0, Sad 2",
    "test 6: Angry 2, Happy 2, Sad 2",
    "split: official",
  ]);
});
