/** What an audit finds, and what it leaves alone. */
import assert from "node:assert/strict";
import { join } from "node:path";
import sharp from "sharp";
import { auditListing } from "../../lib/data/audit/audit.ts";
import {
  type Audit,
  changesResults,
  type FindingKind,
} from "../../lib/data/audit/types.ts";
import { MISSING } from "../../lib/data/formats/collector.ts";
import type { Format, ListedImage, Listing } from "../../lib/data/listing.ts";
import type { SplitName } from "../../lib/data/types.ts";
import { picture, png } from "./_pictures.ts";
import { type Files, treeOf } from "./_tree.ts";

const CLASSES = ["Angry", "Happy", "Sad"];

/** What files hold by `SPLIT/LABEL/NAME`; null for a file that is not there. */
type Faces = Record<string, Uint8Array | null>;

interface More {
  images?: ListedImage[];
  bad?: Listing["bad"];
  published?: Format["published"];
  unlisted?: string[];
  /** Whether paths give splits. */
  split?: boolean;
  subject?: (path: string) => string;
}

/** Audits a set that is written to a folder for it. */
async function audit(files: Faces, more: More = {}): Promise<Audit> {
  const { images = [], bad = [], published, unlisted, split, subject } = more;
  const there = Object.entries(files).filter(([, bytes]) => bytes);
  using tree = treeOf(Object.fromEntries(there) as Files);
  const listed = Object.keys(files).map((path) => ({
    name: path,
    source: { file: path },
    label: Number(path.split("/")[1]),
    ...split !== false && { split: path.split("/")[0] as SplitName },
    ...subject && { subject: subject(path) },
  }));
  return await auditListing({
    ...{ format: "folders", layout: "class folders", classes: CLASSES },
    ...{ images: [...listed, ...images], bad, unlisted, left: {} },
  }, { dir: tree.dir, published, cacheDir: join(tree.dir, ".cache") });
}

/** One image of each class in train and test, none like another. */
const FACES: Faces = {
  "train/0/train.png": await png(0),
  "train/1/train.png": await png(1),
  "train/2/train.png": await png(2),
  "test/0/test.png": await png(10),
  "test/1/test.png": await png(11),
  "test/2/test.png": await png(12),
};
const [FIRST, SECOND, , TESTED] = Object.values(FACES);

/** A picture as JPEG, mirrored where asked. */
async function jpeg(seed: number, quality: number, flop = false) {
  return await (await picture(seed)).flop(flop).jpeg({ quality }).toBuffer();
}

/** So many more copies of the first training image. */
const copies = (n: number) =>
  Object.fromEntries(
    Array.from({ length: n }, (_, i) => [`train/0/again${i}.png`, FIRST]),
  );

const kinds = ({ findings }: Audit) => findings.map((f) => f.kind);

/** The one finding of a kind. */
function only({ findings }: Audit, kind: FindingKind) {
  const found = findings.filter((f) => f.kind === kind);
  assert.equal(found.length, 1, JSON.stringify(findings));
  return found[0];
}

Deno.test("a clean set has no findings", async () => {
  const result = await audit(FACES);
  assert.deepEqual(result.findings, []);
  assert.deepEqual(result.counts, { train: [1, 1, 1], test: [1, 1, 1] });
  assert.deepEqual(result.sizes, [{ width: 64, height: 64, count: 6 }]);
});

Deno.test("a test image under another name in train is a leak", async () => {
  const result = await audit({ ...FACES, "train/0/other.png": TESTED });
  assert.deepEqual(kinds(result), ["leak"]);
  assert.deepEqual(result.alsoInTrain, { test: 1 });
  const { images, text } = only(result, "leak");
  assert.deepEqual(images, ["test/0/test.png", "train/0/other.png"]);
  assert.equal(text, "test/0/test.png = train/0/other.png");
});

Deno.test("the same pixels in a file of other bytes are a leak", async () => {
  const bytes = await (await picture(10)).png({ compressionLevel: 0 })
    .toBuffer();
  const { text } = only(
    await audit({ ...FACES, "train/0/other.png": bytes }),
    "leak",
  );
  assert.equal(text, "test/0/test.png = train/0/other.png (other bytes)");
});

for (const [quality, isMirrored] of [[60], [30], [10], [95, 1], [30, 1]]) {
  const how = `${isMirrored ? "mirrored and " : ""}saved anew at ${quality}`;
  Deno.test(`a test image ${how} is found in train`, async () => {
    const again = await jpeg(11, quality, !!isMirrored);
    const { text } = only(
      await audit({ ...FACES, "train/1/again.jpg": again }),
      "nearLeak",
    );
    const [, mirrored, share] =
      /^test\/1\/test\.png ~ train\/1\/again\.jpg \((mirrored, )?([\d.]{5})\)$/
        .exec(text)!;
    assert.equal(!!mirrored, !!isMirrored);
    assert.ok(Number(share) >= (isMirrored ? 0.9 : 0.98), share);
  });
}

Deno.test("a smaller and darker colour copy is found", async () => {
  const copy = await (await picture(11)).toColourspace("srgb").linear(0.7, 10)
    .resize(40, 40).jpeg().toBuffer();
  const result = await audit({ ...FACES, "train/1/again.jpg": copy });
  assert.deepEqual(kinds(result), ["nearLeak"]);
});

Deno.test("one image with two labels is a conflict that names both", async () => {
  const result = await audit({ ...FACES, "train/2/again.png": SECOND });
  assert.deepEqual(kinds(result), ["conflict"]);
  assert.equal(
    result.findings[0].text,
    "train/1/train.png (Happy) = train/2/again.png (Sad)",
  );
});

Deno.test("a near copy with another label in another split is both", async () => {
  const again = await jpeg(11, 40);
  const result = await audit({ ...FACES, "train/2/again.jpg": again });
  assert.deepEqual(kinds(result), ["nearLeak", "nearConflict"]);
});

Deno.test("one file name with different content in two splits is fine", async () => {
  const files = Object.entries(FACES)
    .map(([path, bytes]) => [path.replace(/t\w+\.png/, "1.png"), bytes]);
  assert.deepEqual((await audit(Object.fromEntries(files))).findings, []);
});

Deno.test("copies within one split and class change no result", async () => {
  const flipped = await (await picture(1)).flop().png().toBuffer();
  const result = await audit({
    ...{ ...FACES, ...copies(1), "train/1/flipped.png": flipped },
  });
  assert.deepEqual(kinds(result), ["duplicate", "nearDuplicate"]);
  assert.ok(!result.findings.some(changesResults));
});

Deno.test("a copy of a copy is one group, mirrored twice is not mirrored", async () => {
  const { images, text } = only(
    await audit({
      ...FACES,
      "train/0/a.jpg": await jpeg(0, 50, true),
      "train/0/b.jpg": await jpeg(0, 80, true),
      "train/0/c.jpg": await jpeg(0, 50),
    }),
    "nearDuplicate",
  );
  assert.equal(images.length, 4);
  assert.deepEqual(text.match(/[abc]\.jpg \((mirrored)?/g)?.sort(), [
    "a.jpg (mirrored",
    "b.jpg (mirrored",
    "c.jpg (",
  ]);
});

Deno.test("blank images are told, and are no copies of each other", async () => {
  const flat = (level: number) => {
    const background = { r: level, g: level, b: level };
    const create = { width: 48, height: 48, channels: 3 as const, background };
    return sharp({ create }).png().toBuffer();
  };
  const result = await audit({
    ...FACES,
    "train/0/black.png": await flat(0),
    "test/1/black.png": await flat(0),
    "test/1/grey.png": await flat(128),
  });
  assert.deepEqual(kinds(result), ["blank", "blank", "blank"]);
});

Deno.test("missing and damaged files and bad rows are told apart", async () => {
  const whole = await jpeg(40, 80);
  const result = await audit({
    ...FACES,
    "train/0/gone.jpg": null,
    "train/0/cut.jpg": whole.subarray(0, whole.length / 2),
    "train/1/empty.jpg": new Uint8Array(),
    "train/1/page.jpg": new TextEncoder().encode("<html>404</html>"),
  }, {
    bad: [
      { path: "list.txt:7", reason: "label 9; want 1 to 7" },
      { path: "lost.jpg", reason: MISSING },
    ],
  });
  assert.deepEqual(kinds(result), [
    ...["missing", "missing"],
    ...["undecodable", "undecodable", "undecodable", "unusable"],
  ]);
  assert.equal(result.findings[0].text, `lost.jpg: ${MISSING}`);
  assert.equal(result.findings[1].text, `train/0/gone.jpg: ${MISSING}`);
  assert.match(result.findings[2].text, /^train\/0\/cut\.jpg: cut short/);
  assert.equal(result.findings[5].text, "list.txt:7: label 9; want 1 to 7");
});

Deno.test("a PNG named .jpg is an image like any other", async () => {
  const files = { ...FACES, "train/0/really.jpg": await png(50) };
  assert.deepEqual((await audit(files)).findings, []);
});

Deno.test("counts are held against the published ones, class by class", async () => {
  const published = {
    train: { Angry: 1, Happy: 2, Sad: 1, Contempt: 9 },
    test: { Angry: 1, Happy: 1 },
  };
  const result = await audit(FACES, { published });
  assert.deepEqual(result.findings.map((f) => f.text), [
    "train Happy: 1 images, published 2 (−1)",
    "test Sad: 1 images, published 0 (+1)",
  ]);
});

Deno.test("without splits the published counts are those of all splits", async () => {
  const counts = { Angry: 1, Happy: 1, Sad: 1 };
  const published = { train: counts, test: counts };
  const result = await audit(FACES, { published, split: false });
  assert.deepEqual(result.findings, []);
  assert.deepEqual(result.counts, { all: [2, 2, 2] });
});

Deno.test("a class without an image in a split is named, its recall n/a", async () => {
  const { "test/2/test.png": _, ...files } = FACES;
  const { text } = only(await audit(files), "absent");
  assert.equal(text, "Sad: no image in test, so its recall there is n/a");
});

Deno.test("a subject in two splits is told", async () => {
  const subject = (path: string) => path.includes("/0/") ? "S010" : path;
  const { text } = only(await audit(FACES, { subject }), "subject");
  assert.equal(
    text,
    "S010: 1 in train (train/0/train.png), 1 in test (test/0/test.png)",
  );
});

Deno.test("frames of one subject are alike without being copies", async () => {
  const files = { ...FACES, "train/1/frame.jpg": await jpeg(0, 30) };
  assert.deepEqual(kinds(await audit(files)), ["nearConflict"]);
  const subject = (path: string) => /frame|0.train/.test(path) ? "S010" : path;
  assert.deepEqual(kinds(await audit(files, { subject })), []);
});

Deno.test("images that nothing lists are told by folder", async () => {
  const unlisted = ["original/a.jpg", "original/b.JPG", "c.png"];
  const result = await audit(FACES, { unlisted });
  assert.deepEqual(kinds(result), ["unlisted", "unlisted"]);
  assert.deepEqual(result.findings.map((f) => f.text), [
    "original: 2 images, original/a.jpg among them",
    "c.png",
  ]);
});

Deno.test("pixels of a table are compared with files", async () => {
  const small = await picture(60, 48);
  const bytes = await small.png().toBuffer();
  const raw = await small.toColourspace("b-w").raw().toBuffer();
  const images: ListedImage[] = [{
    name: "fer2013.csv:2",
    source: { pixels: new Uint8Array(raw), width: 48 },
    label: 0,
    split: "test",
  }];
  const result = await audit({ ...FACES, "train/0/x.png": bytes }, { images });
  const { text } = only(result, "leak");
  assert.equal(text, "train/0/x.png = fer2013.csv:2 (other bytes)");
  assert.deepEqual(result.sizes.map((s) => s.count), [6, 2]);
});

Deno.test("two faces cut out of one photograph are no copies", async () => {
  const files = { ...FACES, "train/0/photo.png": await png(70) };
  const face = (left: number, split: SplitName): ListedImage => ({
    name: `faces.csv:${left}`,
    source: { file: "train/0/photo.png" },
    crop: { left, top: 8, width: 30, height: 40 },
    label: 1,
    split,
  });
  const images = [face(0, "train"), face(34, "test")];
  assert.deepEqual((await audit(files, { images })).findings, []);
  // The same face twice is one.
  images.push({ ...face(34, "train"), name: "again" });
  const { text } = only(await audit(files, { images }), "leak");
  assert.equal(text, "faces.csv:34 = again");
});

Deno.test("a long group names six images, each split and label, and counts the rest", async () => {
  const one = only(await audit({ ...FACES, ...copies(9) }), "duplicate");
  assert.equal(one.images.length, 10);
  assert.match(one.text, /again4\.png and 4 more$/);
  const two = { ...FACES, ...copies(9), "test/2/z.png": FIRST };
  const { text } = only(await audit(two), "leak");
  assert.match(text, /^train\/0\/train\.png \(Angry\) = /);
  assert.match(text, / = test\/2\/z\.png \(Sad\) and 5 more$/);
});

Deno.test("an audit's hash is that of names, labels and contents, in any order", async () => {
  const files = {
    ...{ ...FACES, "train/0/a.png": TESTED },
    ...{ "train/1/b.png": null, "train/1/c.png": null },
  };
  const one = await audit(files);
  assert.deepEqual(kinds(one), ["leak", "missing", "missing"]);
  const turned = Object.fromEntries(Object.entries(files).toReversed());
  assert.equal((await audit(turned)).hash, one.hash);
  const image = { source: { file: "train/0/a.png" }, name: "x", label: 0 };
  const hash = async (more: Partial<ListedImage>) =>
    (await audit(files, { images: [{ ...image, ...more }] })).hash;
  const hashes = [{}, { label: 1 }, { name: "y" }].map(hash);
  assert.equal(new Set(await Promise.all(hashes)).size, 3);
});
