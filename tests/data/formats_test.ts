/** What holds for every format: clutter, links, editors, rows that repeat. */
import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { detectFormat, formatOf, FORMATS } from "../../lib/data/formats/mod.ts";
import { LISTED_TWICE, MISSING } from "../../lib/data/formats/collector.ts";
import { CLUTTER_LEFT, Tree } from "../../lib/data/formats/tree.ts";
import { loadDataset, SPLITS } from "../../lib/data/mod.ts";
import { inOneLine } from "../_refused.ts";
import { png } from "./_pictures.ts";
import { disguises, empty, type Files, treeOf, utf16 } from "./_tree.ts";

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

Deno.test("what a list names outside of its folder is not there", () => {
  using tree = treeOf(empty("set/a.jpg", "other/b.jpg"));
  const set = new Tree(join(tree.dir, "set"));
  assert.equal(set.image("a.jpg"), "a.jpg");
  assert.equal(set.image("../other/b.jpg"), undefined);
  assert.deepEqual(set.walk("../other"), ["../other"]);
});

const VOTES =
  "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear," +
  "contempt,unknown,NF\n";
const BOX = "p.jpg 0 10 10 50 50 90";

interface List {
  /** Where it lies. */
  path: string;
  /** The images beside it. */
  images: Files;
  header?: string;
  row: string;
  /** A row of another image. */
  next?: string;
  /** Another row of the same image. */
  other?: string;
}

/** Formats without a list, or whose own tests say what theirs may hold. */
const WITHOUT_LIST = ["fer2013", "image-folder"];

/** The list of each format that has one. */
const LISTS: Record<string, List> = {
  "raf-db": {
    path: "EmoLabel/list_patition_label.txt",
    images: empty(
      "Image/aligned/train_00001_aligned.jpg",
      "Image/aligned/test_0001_aligned.jpg",
    ),
    row: "train_00001.jpg 1\n",
    next: "test_0001.jpg 5\n",
    other: "train_00001.jpg 2\n",
  },
  "csv-list": {
    path: "list.csv",
    images: empty("x.jpg", "y.jpg"),
    header: "image,label,split\n",
    row: "x.jpg,happy,train\n",
    next: "y.jpg,sad,test\n",
    other: "x.jpg,sad,train\n",
  },
  "expw": {
    path: "label/label.lst",
    images: empty("image/origin/p.jpg", "image/origin/q.jpg"),
    row: `${BOX} 0\n`,
    next: "q.jpg 1 -2 20 60 70 8.5 3\n",
    other: `${BOX} 1\n`,
  },
  "affectnet": {
    path: "training.csv",
    images: empty(
      "Manually_Annotated_Images/1/a.jpg",
      "Manually_Annotated_Images/2/b.jpg",
    ),
    header: "subDirectory_filePath,expression\n",
    row: "1/a.jpg,1\n",
    next: "2/b.jpg,6\n",
    other: "1/a.jpg,2\n",
  },
  "ferplus": {
    path: "fer2013new.csv",
    images: empty("images/fer0000000.png", "images/fer0000001.png"),
    header: VOTES,
    row: "Training,fer0000000.png,9,0,0,1,0,0,0,0,0,0\n",
    next: "PublicTest,fer0000001.png,0,0,0,0,7,3,0,0,0,0\n",
    other: "Training,fer0000000.png,0,9,0,1,0,0,0,0,0,0\n",
  },
  "ck+": {
    path: "Emotion/S005/001/S005_001_00000011_emotion.txt",
    images: empty(
      "cohn-kanade-images/S005/001/S005_001_00000001.png",
      "cohn-kanade-images/S005/001/S005_001_00000011.png",
    ),
    row: "   5.0000000e+00\n",
  },
};

Deno.test("every format has its list among those that are tested here", () => {
  assert.deepEqual(
    [...Object.keys(LISTS), ...WITHOUT_LIST].sort(),
    FORMATS.map(({ name }) => name).sort(),
  );
});

for (
  const [format, { path, images, header = "", row, next = "", other }] of Object
    .entries(LISTS)
) {
  const listing = (text: string | Uint8Array) => {
    using tree = treeOf({ ...images, [path]: text });
    return formatOf(format).list(tree.dir, {});
  };

  Deno.test(`${format}: a list that came through editors is the clean one, another encoding refused by name`, () => {
    const text = header + row + next;
    using tree = treeOf({ ...images, [path]: text });
    assert.equal(detectFormat(tree.dir).name, format);
    const want = listing(text);
    assert.ok(want.images.length > 0);
    const said = {
      "sep=;": `sep=;\n${text.replaceAll(",", ";")}`,
      "sep= and a comma": `\ufeffsep=,\r\n${text.replaceAll("\n", "\r\n")}`,
      "sep= and a tab": `SEP=\t\n${text.replaceAll(",", "\t")}`,
      "sep=\\t": `"sep=\\t"\r${text.replaceAll(",", "\t")}`,
    };
    const all = { ...disguises(text), ...header && said };
    for (const [what, same] of Object.entries(all)) {
      assert.deepEqual(listing(same), want, what);
    }
    const latin1 = new TextEncoder().encode(`${text}m?de`)
      .map((byte) => byte === 63 ? 0xfc : byte);
    for (
      const [bytes, what] of [
        [utf16(text, true), "UTF-16"],
        [utf16(text, false), "UTF-16"],
        [latin1, "no UTF-8"],
      ] as const
    ) {
      assert.throws(() => listing(bytes), {
        name: "DataError",
        message: new RegExp(
          `/${path}: is ${what} text: save it as UTF-8$`
            .replaceAll(".", "\\."),
        ),
      });
    }
  });

  if (other === undefined) continue;
  Deno.test(`${format}: a file listed twice is a conflict only with two labels`, () => {
    const start = header + next + row;
    const once = listing(start), twice = listing(start + row);
    assert.deepEqual(twice.images, once.images);
    assert.deepEqual(twice.bad, []);
    assert.equal(twice.left[LISTED_TWICE], 1);
    const conflict = listing(start + other);
    assert.equal(conflict.bad.length, 1);
    assert.equal(conflict.left[LISTED_TWICE], undefined);
  });

  if (format === "csv-list") continue; // It says in which line.
  Deno.test(`${format}: a listed image that is missing is bad, one that no line names unlisted`, () => {
    const [first, ...rest] = Object.keys(images);
    const extra = first.replace(/(\w+)\.(\w+)$/, "9$1.$2");
    using tree = treeOf({
      ...empty(...rest, extra),
      [path]: header + row + next,
    });
    const { bad, unlisted = [], images: listed } = formatOf(format)
      .list(tree.dir, {});
    assert.equal(bad.length, 1);
    assert.ok(first.endsWith(bad[0].path), bad[0].path);
    assert.equal(bad[0].reason, MISSING);
    assert.deepEqual(unlisted, [extra]);
    assert.deepEqual(listed.map(({ name }) => name.replace(/#.*/, "")), rest);
  });
}

Deno.test("a format without a list is known by its folders or its table", () => {
  const happy = "train/happy/Training_1.jpg", sad = "train/sad/Training_2.jpg";
  for (
    const [name, files] of [
      ["fer2013", { "fer2013.csv": "emotion, Usage, pixels\n" }],
      ["fer2013", empty(happy, sad)],
      ["image-folder", empty("happy/a.jpg", "sad/b.jpg")],
    ] as const
  ) {
    using tree = treeOf({ ...files });
    assert.equal(detectFormat(tree.dir).name, name);
  }
});

Deno.test("a folder of another kind is not taken, and refused in one line", () => {
  using tree = treeOf(empty("readme.txt", "a.jpg"));
  for (const { name, detect, list } of FORMATS) {
    assert.throws(() => list(join(tree.dir, "gone"), {}), /no folder .*gone/);
    assert.ok(!detect(tree.dir), name);
    assert.throws(() => list(tree.dir, {}), inOneLine("DataError", /./));
  }
});

Deno.test("published counts add up to the published sums", () => {
  const sum = (format: string, split: "train" | "validation" | "test") =>
    Object.values(formatOf(format).published![split] ?? {})
      .reduce((a, b) => a + b, 0);
  assert.equal(sum("fer2013", "train"), 28709);
  assert.equal(sum("fer2013", "validation"), 3589);
  assert.equal(sum("fer2013", "test"), 3589);
  assert.equal(sum("raf-db", "train"), 12271);
  assert.equal(sum("raf-db", "test"), 3068);
  assert.equal(formatOf("raf-db").published?.train?.Happy, 4772);
  assert.equal(sum("affectnet", "train"), 287651);
  assert.equal(formatOf("affectnet").published?.train?.Contempt, 3750);
});

Deno.test("data/README.md names every format and its published counts", () => {
  const file = new URL("../../data/README.md", import.meta.url);
  const rows = Deno.readTextFileSync(file).split("\n").filter((line) =>
    line.startsWith("|")
  )
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
  let checked = 0;
  for (const { name, published = {} } of FORMATS) {
    assert.ok(rows.some(([first]) => first === `\`${name}\``), name);
    for (const split of SPLITS) {
      const counts = Object.values(published[split] ?? {});
      if (counts.length === 0) continue;
      const all = counts.reduce((a, b) => a + b);
      const row = [
        split,
        ...[...counts, all].map((n) => n.toLocaleString("en")),
      ];
      assert.ok(rows.some((r) => r.join() === row.join()), `${name}: ${row}`);
      checked++;
    }
  }
  assert.ok(checked >= 7);
});
