/** FER2013 as a csv (columns, bad rows, Usage words) and as folders. */
import assert from "node:assert/strict";
import { join } from "node:path";
import sharp from "sharp";
import { fer2013 } from "../../lib/data/formats/fer2013.ts";
import { readFer2013Csv } from "../../lib/data/formats/fer2013_csv.ts";
import {
  DataError,
  describeDataset,
  detectFormat,
  FER_CLASSES,
  loadDataset,
  type LoadOptions,
} from "../../lib/data/mod.ts";
import { inOneLine } from "../_refused.ts";
import { disguises, empty, type Files, treeOf, utf16 } from "./_tree.ts";

const USAGES = ["Training", "PublicTest", "PrivateTest"];
const HEADER = "emotion,pixels,Usage";
const RAW = { width: 48, height: 48, channels: 1 } as const;

/** 2304 values, or `count`, from `first` upwards. */
function values(first: number, count = 2304): string {
  return Array.from(
    { length: count },
    (_, i) => i === 0 ? first : (first + i) % 256,
  ).join(" ");
}

function bytesOf(pixels: string): Uint8Array {
  return Uint8Array.from(pixels.split(" "), Number);
}

/** A row of each split, first values 10, 20 and 30, emotions 0, 3 and 6. */
const GOOD = USAGES.map((usage, i) =>
  `${i * 3},${values(10 + i * 10)},${usage}`
);
const CSV = [HEADER, ...GOOD].join("\n") + "\n";

/** A folder with fer2013.csv. */
function csvTree(...lines: string[]) {
  return treeOf({ "fer2013.csv": lines.join("\n") });
}

/** Loads a tree without touching the user's cache. */
function load(dir: string, o: Partial<LoadOptions> = {}) {
  const cacheDir = join(dir, ".cache");
  return loadDataset({ name: "fer2013", dir, cacheDir, ...o });
}

/** Name, first value, label and split of each image. */
function firsts(dir: string): [string, number, number, string?][] {
  return fer2013.list(dir, {}).images.map(({ name, source, label, split }) => {
    assert.ok("pixels" in source);
    assert.equal(source.pixels.length, 2304);
    return [name, source.pixels[0], label, split];
  });
}

const WANTED = [
  ["fer2013.csv:2", 10, 0, "train"],
  ["fer2013.csv:3", 20, 3, "validation"],
  ["fer2013.csv:4", 30, 6, "test"],
];

Deno.test("the published csv gives pixels, labels and the official split", () => {
  using tree = csvTree(CSV);
  assert.deepEqual(firsts(tree.dir), WANTED);
  const { classes, bad, layout } = fer2013.list(tree.dir, {});
  assert.deepEqual(classes, FER_CLASSES);
  assert.deepEqual(bad, []);
  assert.equal(layout, "table fer2013.csv");
});

Deno.test("the csv reads the same in any order of columns, quoted, and from Windows", () => {
  const moved = GOOD.map((row) => row.split(","))
    .map(([emotion, pixels, usage]) => `${emotion}, ${usage}, ${pixels}`);
  const variants = {
    ...disguises(CSV),
    "emotion, Usage, pixels": ["emotion, Usage, pixels", ...moved].join("\n"),
    quotes: CSV.replace(/,(.*),/g, ',"$1",'),
    semicolons: CSV.replaceAll(",", ";"),
    "blanks between pixels": CSV.replaceAll(" 100 ", "  100\t"),
  };
  for (const [name, text] of Object.entries(variants)) {
    using tree = csvTree(text);
    assert.deepEqual(firsts(tree.dir), WANTED, name);
    assert.deepEqual(fer2013.list(tree.dir, {}).bad, [], name);
  }
  using said = csvTree("\ufeffsep=|\r\n" + CSV.replaceAll(",", "|"));
  assert.equal(detectFormat(said.dir).name, "fer2013");
  assert.deepEqual(
    firsts(said.dir),
    WANTED.map(([, ...row], i) => [`fer2013.csv:${3 + i}`, ...row]),
  );
  using alone = csvTree("sep=;");
  assert.throws(() => readFer2013Csv(join(alone.dir, "fer2013.csv")), /empty/);
});

Deno.test("each bad row is named by its line and the kept rows do not move", async () => {
  const bad: [string, RegExp][] = [
    ["0,,Training", /has no pixels/],
    [`0,${values(1, 2303)},Training`, /has 2303 pixels; want 2304/],
    [`0,${values(1, 2305)},Training`, /has 2305 pixels; want 2304/],
    [`0,${values(300)},Training`, /pixel 1 is "300"/],
    [`0,${values(1).replace(" 7 ", " x7 ")},Training`, /pixel 7 is "x7"/],
    [`0,${values(1).replace(" 7 ", " -7 ")},Training`, /pixel 7 is "-7"/],
    [`7,${values(1)},Training`, /emotion is "7"; want 0 to 6/],
    [`,${values(1)},Training`, /emotion is ""/],
    [`0,${values(1)},Holdout`, /Usage is "Holdout"/],
    ["junk", /has 1 cell\(s\); the header has 3/],
    ["a,b", /has 2 cell/],
    ["a,b,c,d", /has 4 cell/],
  ];
  // Bad rows stand before and behind the good ones.
  const rows = bad.map(([row]) => row);
  using tree = csvTree(HEADER, ...rows.slice(0, 6), ...GOOD, ...rows.slice(6));
  assert.deepEqual(
    firsts(tree.dir),
    WANTED.map(([, ...row], i) => [`fer2013.csv:${8 + i}`, ...row]),
  );
  const listing = fer2013.list(tree.dir, {});
  const reasons = new Map(listing.bad.map((b) => [b.path, b.reason]));
  assert.equal(reasons.size, bad.length);
  bad.forEach(([, want], i) => {
    const line = i < 6 ? 2 + i : 5 + i;
    assert.match(reasons.get(`fer2013.csv:${line}`) ?? "", want);
  });
  await assert.rejects(load(tree.dir), (error: Error) => {
    assert.ok(error instanceof DataError);
    for (const path of reasons.keys()) assert.ok(error.message.includes(path));
    return true;
  });
  const d = await load(tree.dir, { onBad: "skip" });
  assert.deepEqual(
    [d.train, d.validation, d.test].map((s) => [s.images[0], s.labels[0], s.n]),
    [[10, 0, 1], [20, 3, 1], [30, 6, 1]],
  );
  assert.deepEqual(
    d.skipped.map(({ path }) => path),
    [2, 3, 4, 5, 6, 7, 11, 12, 13, 14, 15, 16].map((n) => `fer2013.csv:${n}`),
  );
});

Deno.test("a csv with other Usage words stops and lists those it has", () => {
  const rows = ["Train", "Train", "Test"].map((u) => `0,${values(1)},${u}`);
  using tree = csvTree(HEADER, ...rows);
  assert.throws(() => fer2013.list(tree.dir, {}), {
    name: "DataError",
    message:
      /Training or PublicTest or PrivateTest; found "Train" \(2 rows\), "Test" \(1 rows\)$/,
  });
});

Deno.test("a split whose rows are all bad is an error, not an empty split", async () => {
  using tree = csvTree(HEADER, GOOD[0], GOOD[1], "0,1 2 3,PrivateTest");
  await assert.rejects(load(tree.dir, { onBad: "skip" }), /no test images/);
});

Deno.test("an all-black image is kept and counted as blank", async () => {
  const black = `2,${new Array(2304).fill(0).join(" ")},Training`;
  using tree = csvTree(HEADER, black, ...GOOD);
  const d = await load(tree.dir);
  assert.equal(d.train.n, 2);
  assert.equal(d.train.labels[0], 2);
  assert.ok(describeDataset(d).includes("blank images in train: 1"));
});

Deno.test("the csv and the folders of the same images have one hash", async () => {
  const files: Files = {};
  for (const [i, usage] of USAGES.entries()) {
    const folder = ["train/angry", "test/happy", "test/neutral"][i];
    const pixels = bytesOf(values(10 + i * 10));
    files[`${folder}/${usage}_1.jpg`] = await sharp(pixels, { raw: RAW })
      .png().toBuffer();
  }
  using folders = treeOf(files);
  using csv = csvTree(CSV);
  const [a, b] = [await load(folders.dir), await load(csv.dir)];
  assert.equal(a.hash, b.hash);
  assert.deepEqual(a.train.images, b.train.images);
});

Deno.test("rows of a csv are resized as files are", async () => {
  using tree = csvTree(CSV);
  const d = await load(tree.dir, { size: 16, channels: 1 });
  const want = await sharp(bytesOf(values(10)), { raw: RAW })
    .resize(16, 16, { fit: "fill" }).toColourspace("b-w").raw().toBuffer();
  assert.deepEqual([...d.train.images], [...want]);
});

Deno.test("the challenge's csv without Usage has no split until a rule gives one", async () => {
  const rows = Array.from({ length: 40 }, (_, i) => `${i % 2},${values(i)}`);
  using tree = treeOf({ "train.csv": ["emotion,pixels", ...rows].join("\n") });
  await assert.rejects(
    load(tree.dir),
    /40 of 40 images have no official split/,
  );
  const split = { kind: "holdout", validation: 0.25, test: 10 } as const;
  const d = await load(tree.dir, { name: "auto", split });
  assert.equal(d.name, "fer2013");
  assert.deepEqual([d.train.n, d.validation.n, d.test.n], [20, 10, 10]);
});

Deno.test("rows that lie over the edges of the pieces of the file are whole", () => {
  // 400 rows are many pieces of 256 KiB.
  const rows = Array.from(
    { length: 400 },
    (_, i) => `${i % 7},${values(i % 250)},Training`,
  );
  using tree = treeOf({ "big.csv": [HEADER, ...rows].join("\r\n") });
  const table = readFer2013Csv(join(tree.dir, "big.csv"));
  assert.deepEqual(table.bad, []);
  assert.equal(table.rows.length, 400);
  for (const [i, { line, index, label, pixels }] of table.rows.entries()) {
    assert.deepEqual([line, index, label], [i + 2, i, i % 7]);
    assert.equal([...pixels].join(" "), values(i % 250));
  }
});

Deno.test("UTF-16, an empty csv, other columns and two csvs are one-line errors", () => {
  for (const little of [true, false]) {
    using tree = treeOf({ "fer2013.csv": utf16(CSV, little) });
    assert.throws(() => fer2013.list(tree.dir, {}), /fer2013\.csv: is UTF-16/);
  }
  using tree = treeOf({
    "empty.csv": "",
    "other.csv": "a,b\n1,2\n",
    "one.csv": HEADER,
    "two.csv": HEADER,
  });
  const read = (name: string) => () => readFer2013Csv(join(tree.dir, name));
  assert.throws(read("empty.csv"), /empty\.csv: is empty/);
  assert.throws(read("other.csv"), /other\.csv:1: is no header/);
  assert.throws(
    () => fer2013.list(tree.dir, {}),
    /one\.csv and two\.csv in .* both have the columns/,
  );
});

// The folders: splits by file name, classes by folder.

/** FER2013's official order, by folder name. */
const FOLDERS = "angry disgust fear happy sad surprise neutral".split(" ");
const FACES = empty(
  ...FOLDERS.flatMap((folder) => [
    `train/${folder}/Training_0.jpg`,
    `test/${folder}/PublicTest_0.jpg`,
    `test/${folder}/PrivateTest_0.jpg`,
  ]),
);

Deno.test("the name's prefix gives the official split, the folder the class", () => {
  using tree = treeOf({
    ...FACES,
    ...empty("train/happy/Training_7.jpg", "test/happy/PrivateTest_8.jpg"),
  });
  const listing = fer2013.list(tree.dir, {});
  assert.deepEqual(listing.classes, FER_CLASSES);
  assert.equal(listing.images.length, 23);
  for (const { name, label, split } of listing.images) {
    const [, folder, prefix] = /^t\w+\/(\w+)\/(\w+)_\d\.jpg$/.exec(name)!;
    assert.equal(label, FOLDERS.indexOf(folder), name);
    const want = { Training: "train", PublicTest: "validation" }[prefix];
    assert.equal(split, want ?? "test", name);
  }
  assert.deepEqual(listing.bad, []);
});

Deno.test("a file of another prefix and a folder of no class are bad, each with its reason", () => {
  using tree = treeOf({
    ...FACES,
    ...empty("train/happy/constructor_94.jpg", "train/smug/Training_95.jpg"),
  });
  const { bad, images } = fer2013.list(tree.dir, {});
  assert.deepEqual(bad.map(({ path }) => path), [
    "train/happy/constructor_94.jpg",
    "train/smug",
  ]);
  assert.match(bad[0].reason, /prefix/);
  assert.match(bad[1].reason, /class folder/);
  assert.equal(images.length, 21);
});

Deno.test("no class folders and an empty split are one-line errors", async () => {
  const fails = (dir: string, want: RegExp) =>
    assert.rejects(
      loadDataset({ name: "fer2013", dir }),
      inOneLine("DataError", want),
    );
  using tree = treeOf(FACES);
  await fails(join(tree.dir, "train"), /no class folders/);
  const isLeft = (path: string) => !path.includes("PrivateTest");
  using short = treeOf(empty(...Object.keys(FACES).filter(isLeft)));
  await fails(short.dir, /no test images .*PrivateTest_N\.jpg/);
});
