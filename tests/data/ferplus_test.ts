/** FERPlus: the rules against the official ones, pairing by position, splits. */
import { strict as assert } from "node:assert";
import { ferplus } from "../../lib/data/formats/ferplus.ts";
import { detectFormat } from "../../lib/data/formats/mod.ts";
import { judge, NO_AGREEMENT } from "../../lib/data/formats/votes.ts";
import { empty, named, treeOf } from "./_tree.ts";

interface OfficialRow {
  votes: number[];
  majority: number | null;
  probability: number[] | null;
  multiTarget: number[] | null;
}

const OFFICIAL = JSON.parse(
  Deno.readTextFileSync(new URL("../fixtures/ferplus.json", import.meta.url)),
).rows as OfficialRow[];

/** The shares of a verdict, to nine digits; null for an image left out. */
function shares(votes: number[], rule: Parameters<typeof judge>[1]) {
  const verdict = judge(votes, rule);
  return "left" in verdict
    ? null
    : verdict.shares.map((s) => Math.round(s * 1e9) / 1e9);
}

Deno.test("the four rules judge votes as ferplus.py does", () => {
  for (const { votes, majority, probability, multiTarget } of OFFICIAL) {
    const text = votes.join();
    const most = shares(votes, "majority");
    assert.deepEqual(most && most.indexOf(1), majority, `majority of ${text}`);
    for (const rule of ["probability", "crossEntropy"] as const) {
      assert.deepEqual(shares(votes, rule), probability, `${rule} of ${text}`);
    }
    const several = shares(votes, "multiTarget");
    assert.deepEqual(
      several && several.flatMap((share, i) => share > 0 ? [i] : []),
      multiTarget,
      `multi-target of ${text}`,
    );
  }
});

Deno.test("shares sum to 1, those of multi-target are equal, a tie's label is its first", () => {
  const votes = [4, 0, 0, 4, 0, 0, 0, 0, 2, 0];
  assert.deepEqual(judge(votes, "multiTarget"), {
    label: 0,
    shares: [0.5, 0, 0, 0.5, 0, 0, 0, 0],
  });
  assert.deepEqual(judge([2, 0, 0, 6, 0, 0, 2, 0, 0, 0], "crossEntropy"), {
    label: 3,
    shares: [0.2, 0, 0, 0.6, 0, 0, 0.2, 0],
  });
});

Deno.test("an image is left out with its reason", () => {
  const leftBy = (...votes: number[]) => judge(votes, "majority");
  assert.deepEqual(leftBy(5, 5, 0, 0, 0, 0, 0, 0, 0, 0), {
    left: NO_AGREEMENT,
  });
  assert.deepEqual(leftBy(2, 0, 0, 0, 0, 0, 0, 0, 8, 0), {
    left: "voted unknown",
  });
  assert.deepEqual(leftBy(0, 0, 0, 0, 0, 0, 0, 0, 0, 9), {
    left: "voted no face (NF)",
  });
});

const HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger," +
  "disgust,fear,contempt,unknown,NF";
const ROWS = [
  "Training,fer0000000.png,9,0,0,1,0,0,0,0,0,0",
  "Training,fer0000001.png,0,10,0,0,0,0,0,0,0,0",
  "Training,,0,0,0,0,0,0,0,0,0,10",
  "Training,fer0000003.png,4,0,0,4,0,0,0,2,0,0",
  "Training,fer0000004.png,2,0,0,0,0,0,0,8,0,0",
  "PublicTest,fer0000005.png,0,0,0,0,7,3,0,0,0,0",
  "PublicTest,fer0000006.png,4,0,0,4,0,0,0,0,2,0",
  "PrivateTest,fer0000007.png,0,0,2,0,0,0,8,0,0,0",
];
const VOTES = [HEADER, ...ROWS].join("\n") + "\n";
/** Row i's 48 × 48 pixels all have the value i. */
const PIXELS = "emotion,pixels,Usage\n" +
  ROWS.map((row, i) =>
    `0,${Array(48 * 48).fill(i).join(" ")},${row.split(",")[0]}\n`
  ).join("");
const BOTH = { "fer2013new.csv": VOTES, "fer2013.csv": PIXELS };
const IMAGES = empty(...ROWS.flatMap((row) => {
  const [usage, name] = row.split(",");
  const folder = usage === "Training"
    ? "FER2013Train"
    : usage === "PublicTest"
    ? "FER2013Valid"
    : "FER2013Test";
  return name ? [`${folder}/${name}`] : [];
}));

Deno.test("votes pair with the pixels of fer2013.csv by position", () => {
  using tree = treeOf(BOTH);
  assert.equal(detectFormat(tree.dir).name, "ferplus", "the votes decide");
  const { images, classes, left, bad } = ferplus.list(tree.dir, {});
  assert.deepEqual(
    images.map(({ name, label, split, source, target }) => [
      name,
      classes[label],
      split,
      "pixels" in source && source.pixels[100],
      target,
    ]),
    [
      ["fer2013.csv:2", "Neutral", "train", 0, undefined],
      ["fer2013.csv:3", "Happy", "train", 1, undefined],
      ["fer2013.csv:7", "Angry", "validation", 5, undefined],
      ["fer2013.csv:9", "Fear", "test", 7, undefined],
    ],
  );
  assert.deepEqual(left, {
    "without an image name in FER+": 1,
    [NO_AGREEMENT]: 2,
    "contempt (7 classes)": 1,
  });
  assert.deepEqual(bad, []);
});

Deno.test("eight classes keep contempt, last", () => {
  using tree = treeOf(BOTH);
  const listing = ferplus.list(tree.dir, { classes: 8 });
  assert.equal(listing.classes.at(-1), "Contempt");
  assert.equal(named(listing)["fer2013.csv:6"], "Contempt");
});

Deno.test("other rules give the training images shares and leave the test images as they are", () => {
  using tree = treeOf(BOTH);
  const { images: majority } = ferplus.list(tree.dir, {});
  const isTrain = (i: { split?: string }) => i.split === "train";
  for (const votes of ["probability", "crossEntropy", "multiTarget"] as const) {
    const { images } = ferplus.list(tree.dir, { votes, classes: 8 });
    assert.deepEqual(
      images.filter((i) => !isTrain(i)),
      majority.filter((i) => !isTrain(i)),
    );
    const targets = images.filter(isTrain).map((i) => i.target!);
    assert.equal(targets.length, 4);
    for (const target of targets) {
      assert.equal(target.length, 8);
      assert.ok(Math.abs(target.reduce((a, b) => a + b) - 1) < 1e-12);
    }
  }
});

Deno.test("among seven classes contempt's share goes to the others", () => {
  using tree = treeOf(BOTH);
  const shareOf = (classes: 7 | 8) =>
    ferplus.list(tree.dir, { votes: "crossEntropy", classes }).images
      .find(({ name }) => name === "fer2013.csv:5")?.target;
  assert.deepEqual(shareOf(8), [0.5, 0, 0, 0.5, 0, 0, 0, 0]);
  assert.deepEqual(shareOf(7), [0.5, 0, 0, 0.5, 0, 0, 0]);
  using other = treeOf({
    ...BOTH,
    "fer2013new.csv": VOTES.replace(
      "4,0,0,4,0,0,0,2,0,0",
      "6,0,0,0,0,0,0,4,0,0",
    ),
  });
  const [, , { target, label }] = ferplus.list(other.dir, {
    votes: "multiTarget",
  }).images;
  assert.deepEqual([label, target], [0, [1, 0, 0, 0, 0, 0, 0]]);
});

Deno.test("images by name give the same listing as the pixels, name and source aside", () => {
  using csv = treeOf(BOTH);
  using tree = treeOf({ ...IMAGES, "fer2013new.csv": VOTES });
  const bare = (dir: string) =>
    ferplus.list(dir, { classes: 8 }).images
      .map(({ label, split }) => ({ label, split }));
  assert.deepEqual(bare(tree.dir), bare(csv.dir));
  const { images, layout, unlisted } = ferplus.list(tree.dir, {});
  assert.equal(images[0].name, "FER2013Train/fer0000000.png");
  assert.match(layout, /FER2013Test\/, FER2013Train\/, FER2013Valid\//);
  assert.deepEqual(unlisted, []);
});

Deno.test("tables with different numbers of rows say by how many", () => {
  using tree = treeOf({
    ...BOTH,
    "fer2013.csv": PIXELS.split("\n").slice(0, -3).join("\n"),
  });
  assert.throws(() => ferplus.list(tree.dir, {}), {
    name: "DataError",
    message: /fer2013\.csv has 6 rows and fer2013new\.csv has 8: 2 fewer;/,
  });
});

Deno.test("rows of different Usage do not pair", () => {
  using tree = treeOf({
    ...BOTH,
    "fer2013.csv": PIXELS.replace("PublicTest", "Training"),
  });
  assert.throws(() => ferplus.list(tree.dir, {}), {
    name: "DataError",
    message: /fer2013\.csv:7 is Training, but fer2013new\.csv:7 is PublicTest/,
  });
});

Deno.test("a row of pixels that is bad does not move the others", () => {
  using tree = treeOf({
    ...BOTH,
    "fer2013.csv": PIXELS.replace(/^0,1 1/m, "0,x 1"),
  });
  const { images, bad } = ferplus.list(tree.dir, {});
  assert.deepEqual(bad.map(({ path }) => path), ["fer2013.csv:3"]);
  for (const { name, source } of images) {
    const [, line] = name.split(":");
    assert.equal("pixels" in source && source.pixels[0], Number(line) - 2);
  }
});

Deno.test("a row of votes that is bad is named by its line", () => {
  const bad = (row: string) => {
    using tree = treeOf({
      ...BOTH,
      "fer2013new.csv": VOTES.replace(ROWS[1], row),
    });
    return ferplus.list(tree.dir, {}).bad;
  };
  const path = "fer2013new.csv:3";
  assert.deepEqual(bad("Training,fer0000001.png,0,ten,0,0,0,0,0,0,0,0"), [
    { path, reason: 'a vote count is "ten"; want a whole number' },
  ]);
  assert.deepEqual(bad("Training,fer0000001.png,0,10,0"), [
    { path, reason: "has 5 cell(s); the header has 12" },
  ]);
  assert.deepEqual(bad("Test,fer0000001.png,0,10,0,0,0,0,0,0,0,0"), [
    { path, reason: 'Usage is "Test"; want Training, PublicTest, PrivateTest' },
  ]);
});

Deno.test("votes without pixels or with another header are refused", () => {
  using alone = treeOf({ "fer2013new.csv": VOTES });
  assert.throws(
    () => ferplus.list(alone.dir, {}),
    /put fer2013\.csv beside it/,
  );
  using other = treeOf({
    ...BOTH,
    "fer2013new.csv": VOTES.replace("Image name,", ""),
  });
  assert.throws(() => ferplus.list(other.dir, {}), {
    message: /fer2013new\.csv:1: the header lacks Image name/,
  });
});
