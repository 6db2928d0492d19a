/** What an audit finds, and what it leaves alone. */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
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
import { inFolder } from "../_folder.ts";
import { picture, png } from "./_pictures.ts";

const CLASSES = ["Angry", "Happy", "Sad"];

/** A path, a label and what the file holds; null for no file. */
type File = [path: string, label: number, bytes: Uint8Array | null];

interface TestSet {
  files: File[];
  images?: ListedImage[];
  bad?: Listing["bad"];
  published?: Format["published"];
  unlisted?: string[];
  /** Whether paths give splits. */
  split?: boolean;
  subject?: (path: string) => string;
}

/** Audits a set that is written to a folder for it. */
async function audit(set: TestSet): Promise<Audit> {
  let result: Audit | undefined;
  await inFolder(async (dir) => {
    const write = (path: string, bytes: Uint8Array) => {
      Deno.mkdirSync(dirname(join(dir, path)), { recursive: true });
      Deno.writeFileSync(join(dir, path), bytes);
    };
    for (const [path, , bytes] of set.files) if (bytes) write(path, bytes);
    const listed = set.files.map(([path, label]) => ({
      name: path,
      source: { file: path },
      label,
      ...set.split !== false && { split: path.split("/")[0] as SplitName },
      ...set.subject && { subject: set.subject(path) },
    }));
    result = await auditListing({
      format: "folders",
      layout: "class folders",
      classes: CLASSES,
      images: [...listed, ...set.images ?? []],
      bad: set.bad ?? [],
      unlisted: set.unlisted,
      left: {},
    }, { dir, published: set.published, cacheDir: join(dir, ".cache") });
  });
  return result!;
}

/** One image of each class in train and test, none like another. */
async function faces(): Promise<File[]> {
  const files: File[] = [];
  for (const [s, split] of ["train", "test"].entries()) {
    for (const label of CLASSES.keys()) {
      files.push([
        `${split}/${label}/${split}.png`,
        label,
        await png(10 * s + label),
      ]);
    }
  }
  return files;
}

const kinds = ({ findings }: Audit) => findings.map((f) => f.kind);

/** The one finding of a kind. */
function only({ findings }: Audit, kind: FindingKind) {
  const found = findings.filter((f) => f.kind === kind);
  assert.equal(found.length, 1, JSON.stringify(findings));
  return found[0];
}

Deno.test("a clean set has no findings", async () => {
  const result = await audit({ files: await faces() });
  assert.deepEqual(result.findings, []);
  assert.deepEqual(result.counts, { train: [1, 1, 1], test: [1, 1, 1] });
  assert.deepEqual(result.sizes, [{ width: 64, height: 64, count: 6 }]);
});

Deno.test("a test image under another name in train is a leak", async () => {
  const files = await faces();
  files.push(["train/0/other.png", 0, files[3][2]]);
  const result = await audit({ files });
  assert.deepEqual(kinds(result), ["leak"]);
  assert.deepEqual(result.alsoInTrain, { test: 1 });
  const { images, text } = only(result, "leak");
  assert.deepEqual(images, ["test/0/test.png", "train/0/other.png"]);
  assert.equal(text, "test/0/test.png = train/0/other.png");
});

Deno.test("the same pixels in a file of other bytes are a leak", async () => {
  const files = await faces();
  const bytes = await (await picture(10)).png({ compressionLevel: 0 })
    .toBuffer();
  files.push(["train/0/other.png", 0, bytes]);
  const { text } = only(await audit({ files }), "leak");
  assert.equal(text, "test/0/test.png = train/0/other.png (other bytes)");
});

for (const quality of [60, 30, 10]) {
  Deno.test(`a test image saved anew at quality ${quality} is found`, async () => {
    const files = await faces();
    const jpeg = await (await picture(11)).jpeg({ quality }).toBuffer();
    files.push(["train/1/again.jpg", 1, jpeg]);
    const result = await audit({ files });
    assert.deepEqual(kinds(result), ["nearLeak"]);
    assert.match(
      result.findings[0].text,
      /^test\/1\/test\.png ~ train\/1\/again\.jpg \((0\.9[89]\d|1\.000)\)$/,
    );
  });
}

Deno.test("a mirrored test image is found, saved anew as well", async () => {
  for (const quality of [95, 30]) {
    const files = await faces();
    const jpeg = await (await picture(12)).flop().jpeg({ quality }).toBuffer();
    files.push(["train/2/flipped.jpg", 2, jpeg]);
    const result = await audit({ files });
    assert.deepEqual(kinds(result), ["nearLeak"]);
    assert.match(
      result.findings[0].text,
      /^test\/2\/test\.png ~ train\/2\/flipped\.jpg \(mirrored, \d\.\d{3}\)$/,
    );
  }
});

Deno.test("a smaller and darker colour copy is found", async () => {
  const files = await faces();
  const copy = await (await picture(11)).toColourspace("srgb").linear(0.7, 10)
    .resize(40, 40).jpeg().toBuffer();
  files.push(["train/1/again.jpg", 1, copy]);
  assert.deepEqual(kinds(await audit({ files })), ["nearLeak"]);
});

Deno.test("one image with two labels is a conflict that names both", async () => {
  const files = await faces();
  files.push(["train/2/again.png", 2, files[1][2]]);
  const result = await audit({ files });
  assert.deepEqual(kinds(result), ["conflict"]);
  assert.equal(
    result.findings[0].text,
    "train/1/train.png (Happy) = train/2/again.png (Sad)",
  );
});

Deno.test("a near copy with another label in another split is both", async () => {
  const files = await faces();
  const jpeg = await (await picture(11)).jpeg({ quality: 40 }).toBuffer();
  files.push(["train/2/again.jpg", 2, jpeg]);
  assert.deepEqual(kinds(await audit({ files })), ["nearLeak", "nearConflict"]);
});

Deno.test("one file name with different content in two splits is fine", async () => {
  const files: File[] = [];
  for (const [i, split] of ["train", "test"].entries()) {
    for (const label of CLASSES.keys()) {
      files.push([`${split}/${label}/1.png`, label, await png(3 * i + label)]);
    }
  }
  assert.deepEqual((await audit({ files })).findings, []);
});

Deno.test("copies within one split and class change no result", async () => {
  const files = await faces();
  files.push(["train/0/again.png", 0, files[0][2]]);
  const flipped = await (await picture(1)).flop().png().toBuffer();
  files.push(["train/1/flipped.png", 1, flipped]);
  const result = await audit({ files });
  assert.deepEqual(kinds(result), ["duplicate", "nearDuplicate"]);
  assert.ok(!result.findings.some(changesResults));
});

Deno.test("a copy of a copy is one group, mirrored twice is not mirrored", async () => {
  const files = await faces();
  const jpeg = (flop: boolean, quality: number) =>
    picture(0).then((p) => p.flop(flop).jpeg({ quality }).toBuffer());
  files.push(
    ["train/0/a.jpg", 0, await jpeg(true, 50)],
    ["train/0/b.jpg", 0, await jpeg(true, 80)],
    ["train/0/c.jpg", 0, await jpeg(false, 50)],
  );
  const { images, text } = only(await audit({ files }), "nearDuplicate");
  assert.equal(images.length, 4);
  assert.deepEqual(text.match(/[abc]\.jpg \((mirrored)?/g)?.sort(), [
    "a.jpg (mirrored",
    "b.jpg (mirrored",
    "c.jpg (",
  ]);
});

Deno.test("blank images are told, and are no copies of each other", async () => {
  const files = await faces();
  const flat = (level: number) =>
    sharp({
      create: {
        width: 48,
        height: 48,
        channels: 3,
        background: { r: level, g: level, b: level },
      },
    }).png().toBuffer();
  files.push(["train/0/black.png", 0, await flat(0)]);
  files.push(["test/1/black.png", 1, await flat(0)]);
  files.push(["test/1/grey.png", 1, await flat(128)]);
  const result = await audit({ files });
  assert.deepEqual(kinds(result), ["blank", "blank", "blank"]);
});

Deno.test("missing and damaged files and bad rows are told apart", async () => {
  const files = await faces();
  const jpeg = await (await picture(40)).jpeg().toBuffer();
  files.push(
    ["train/0/gone.jpg", 0, null],
    ["train/0/cut.jpg", 0, jpeg.subarray(0, jpeg.length / 2)],
    ["train/1/empty.jpg", 1, new Uint8Array()],
    ["train/1/page.jpg", 1, new TextEncoder().encode("<html>404</html>")],
  );
  const bad = [
    { path: "list.txt:7", reason: "label 9; want 1 to 7" },
    { path: "lost.jpg", reason: MISSING },
  ];
  const result = await audit({ files, bad });
  assert.deepEqual(kinds(result), [
    "missing",
    "missing",
    "undecodable",
    "undecodable",
    "undecodable",
    "unusable",
  ]);
  assert.equal(result.findings[0].text, `lost.jpg: ${MISSING}`);
  assert.equal(result.findings[1].text, `train/0/gone.jpg: ${MISSING}`);
  assert.match(result.findings[2].text, /^train\/0\/cut\.jpg: cut short/);
  assert.equal(result.findings[5].text, "list.txt:7: label 9; want 1 to 7");
});

Deno.test("a PNG named .jpg is an image like any other", async () => {
  const files = await faces();
  files.push(["train/0/really.jpg", 0, await png(50)]);
  assert.deepEqual((await audit({ files })).findings, []);
});

Deno.test("counts are held against the published ones, class by class", async () => {
  const published = {
    train: { Angry: 1, Happy: 2, Sad: 1, Contempt: 9 },
    test: { Angry: 1, Happy: 1 },
  };
  const result = await audit({ files: await faces(), published });
  assert.deepEqual(result.findings.map((f) => f.text), [
    "train Happy: 1 images, published 2 (−1)",
    "test Sad: 1 images, published 0 (+1)",
  ]);
});

Deno.test("without splits the published counts are those of all splits", async () => {
  const published = {
    train: { Angry: 1, Happy: 1, Sad: 1 },
    test: { Angry: 1, Happy: 1, Sad: 1 },
  };
  const result = await audit({
    files: await faces(),
    published,
    split: false,
  });
  assert.deepEqual(result.findings, []);
  assert.deepEqual(result.counts, { all: [2, 2, 2] });
});

Deno.test("a class without an image in a split is named, its recall n/a", async () => {
  const files = (await faces()).filter(([path]) => path !== "test/2/test.png");
  const result = await audit({ files });
  const { text } = only(result, "absent");
  assert.equal(text, "Sad: no image in test, so its recall there is n/a");
});

Deno.test("a subject in two splits is told", async () => {
  const result = await audit({
    files: await faces(),
    subject: (path) => path.includes("/0/") ? "S010" : path,
  });
  assert.deepEqual(kinds(result), ["subject"]);
  assert.equal(
    result.findings[0].text,
    "S010: 1 in train (train/0/train.png), 1 in test (test/0/test.png)",
  );
});

Deno.test("frames of one subject are alike without being copies", async () => {
  const files = await faces();
  const frame = await (await picture(0)).jpeg({ quality: 30 }).toBuffer();
  files.push(["train/1/frame.jpg", 1, frame]);
  const of = (subject?: (path: string) => string) => audit({ files, subject });
  assert.deepEqual(kinds(await of()), ["nearConflict"]);
  assert.deepEqual(
    kinds(await of((path) => /frame|0.train/.test(path) ? "S010" : path)),
    [],
  );
});

Deno.test("images that nothing lists are told by folder", async () => {
  const unlisted = ["original/a.jpg", "original/b.JPG", "c.png"];
  const result = await audit({ files: await faces(), unlisted });
  assert.deepEqual(kinds(result), ["unlisted", "unlisted"]);
  assert.deepEqual(result.findings.map((f) => f.text), [
    "original: 2 images, original/a.jpg among them",
    "c.png",
  ]);
});

Deno.test("pixels of a table are compared with files", async () => {
  const files = await faces();
  const raw = await (await picture(60, 48)).toColourspace("b-w").raw()
    .toBuffer();
  const bytes = await (await picture(60, 48)).png().toBuffer();
  files.push(["train/0/x.png", 0, bytes]);
  const images: ListedImage[] = [{
    name: "fer2013.csv:2",
    source: { pixels: new Uint8Array(raw), width: 48 },
    label: 0,
    split: "test",
  }];
  const result = await audit({ files, images });
  const { text } = only(result, "leak");
  assert.equal(text, "train/0/x.png = fer2013.csv:2 (other bytes)");
  assert.deepEqual(result.sizes.map((s) => s.count), [6, 2]);
});

Deno.test("two faces cut out of one photograph are no copies", async () => {
  const files = await faces();
  const photo: File = ["train/0/photo.png", 0, await png(70)];
  const face = (left: number, split: SplitName): ListedImage => ({
    name: `faces.csv:${left}`,
    source: { file: photo[0] },
    crop: { left, top: 8, width: 30, height: 40 },
    label: 1,
    split,
  });
  const images = [face(0, "train"), face(34, "test")];
  const found = await audit({ files: [...files, photo], images });
  assert.deepEqual(found.findings, []);
  // The same face twice is one.
  images.push({ ...face(34, "train"), name: "again" });
  const { text } = only(
    await audit({ files: [...files, photo], images }),
    "leak",
  );
  assert.equal(text, "faces.csv:34 = again");
});

Deno.test("a long group names six images and counts the rest", async () => {
  const files = await faces();
  for (let i = 0; i < 9; i++) {
    files.push([`train/0/again${i}.png`, 0, files[0][2]]);
  }
  const { text, images } = only(await audit({ files }), "duplicate");
  assert.equal(images.length, 10);
  assert.match(text, /again4\.png and 4 more$/);
});

Deno.test("a long group names each split and label that it is in", async () => {
  const files = await faces();
  for (let i = 0; i < 9; i++) {
    files.push([`train/0/again${i}.png`, 0, files[0][2]]);
  }
  files.push(["test/2/z.png", 2, files[0][2]]);
  const { text } = only(await audit({ files }), "leak");
  assert.match(text, /^train\/0\/train\.png \(Angry\) = /);
  assert.match(text, / = test\/2\/z\.png \(Sad\) and 5 more$/);
});

Deno.test("an audit's hash is that of names, labels and contents, in any order", async () => {
  const files = await faces();
  files.push(["train/0/a.png", 0, files[3][2]], ["train/1/b.png", 1, null]);
  files.push(["train/1/c.png", 1, null]);
  const one = await audit({ files });
  assert.deepEqual(one.findings.map((f) => f.kind), [
    "leak",
    "missing",
    "missing",
  ]);
  // The order of the list does not matter, a label does.
  assert.equal((await audit({ files: files.toReversed() })).hash, one.hash);
  files[0][1] = 1;
  assert.notEqual((await audit({ files })).hash, one.hash);
});
