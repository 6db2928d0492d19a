/** What a trained net says of photos, and what it refuses. */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import sharp from "sharp";
import type { Dataset } from "../../lib/data/mod.ts";
import { type EpochRow, loadCheckpoint, train } from "../../lib/train/mod.ts";
import { confusedWith, predict, trainedNet } from "../../lib/trained/mod.ts";
import {
  aboutNet,
  modelTensors,
  readWeights,
  writeSafetensors,
} from "../../lib/weights/mod.ts";
import { folderTest as test } from "../_folder.ts";
import { ran } from "../_run.ts";
import { assertRefused } from "../_refused.ts";
import { tinyData, tinyRecipe } from "../train/_tiny.ts";

const trained = async (
  dir: string,
  fields: Record<string, unknown> = {},
  data: Dataset = tinyData,
) => {
  const rows: EpochRow[] = [];
  const recipe = tinyRecipe(fields);
  for await (const row of train(recipe, data, { checkpointDir: dir })) {
    rows.push(row);
  }
  return {
    weights: join(dir, "checkpoint.safetensors"),
    test: rows.at(-1)!.test,
  };
};

let plainly: Promise<string> | undefined;
/** The weights of the plain tiny net, which is trained once for these tests. */
const plainNet = () =>
  plainly ??= Deno.makeTempDir().then(trained).then(({ weights }) => weights);
Deno.test.afterAll(async () => {
  if (plainly) await Deno.remove(dirname(await plainly), { recursive: true });
});

/** A test image of the data as a PNG, in the middle of a larger black one. */
async function photo(
  path: string,
  i: number,
  { border = 0 } = {},
): Promise<string> {
  const { size, channels, test } = tinyData;
  const width = size * size * channels;
  const raw = { width: size, height: size, channels };
  await sharp(test.images.slice(i * width, (i + 1) * width), { raw })
    .extend({
      ...{ top: border, bottom: border, left: border, right: border },
      background: "#000",
    })
    .png().toFile(path);
  return path;
}

test("predictions are those of the training's evaluation, its running mean of weights included", async (dir) => {
  const { weights, test } = await trained(join(dir, "run"), {
    ema: { decay: 0.6 },
    normalise: { mean: 0.4, std: 0.3 },
  });
  const files: string[] = [];
  for (let i = 0; i < tinyData.test.n; i++) {
    files.push(await photo(join(dir, `${i}.png`), i));
  }
  const { rows, classes, net } = await predict(weights, files);
  assert.deepEqual(classes, tinyData.classes);
  assert.deepEqual(rows.map((r) => r.label), [...test.predictions]);
  assert.deepEqual(rows.map((r) => r.file), files);
  for (const { shares, label } of rows) {
    assert(Math.abs(shares.reduce((a, b) => a + b) - 1) < 1e-12);
    assert.equal(Math.max(...shares), shares[label]);
  }
  // The loss of the evaluation, from the shares.
  const loss = rows.reduce(
    (sum, { shares }, i) => sum - Math.log(shares[tinyData.test.labels[i]]),
    0,
  ) / rows.length;
  assert(Math.abs(loss - test.loss) < 1e-5, `${loss}, not ${test.loss}`);
  assert.deepEqual([net.epoch, net.averaged], [2, true]);
  assert.deepEqual(net.confusion, test.confusion);
  assert.deepEqual(net.notes, []);
});

test("a face's box is cut out, also where it reaches over the photo's edges", async (dir) => {
  const weights = await plainNet();
  const alone = await photo(join(dir, "alone.png"), 1);
  const file = await photo(join(dir, "large.png"), 1, { border: 5 });
  const box = { left: 5, top: 5, width: 16, height: 16 };
  const { rows, skipped } = await predict(weights, [
    alone,
    { file, box },
    // Over the upper left edge: what lies within is the whole.
    { file: alone, box: { left: -4, top: -4, width: 20, height: 20 } },
    { file, box: { left: 26, top: 0, width: 5, height: 5 } },
    { file, box: { left: -9, top: -9, width: 5, height: 5 } },
  ]);
  assert.deepEqual(rows[1].shares, rows[0].shares);
  assert.deepEqual(rows[1].face, rows[0].face);
  assert.deepEqual(rows[2].shares, rows[0].shares);
  assert.deepEqual(skipped.map((s) => s.reason), [
    "its box begins at 26, 0; the image is 26 × 26",
    "its box -9,-9,5,5 lies outside the picture",
  ]);
});

test("a net that has seen gray images alone sees photos in gray", async (dir) => {
  // The drawn faces are gray.
  const weights = await plainNet();
  const raw = { width: 16, height: 16, channels: 3 as const };
  const pixels = new Uint8Array(16 * 16 * 3).map((_, i) =>
    [200, 90, 10][i % 3]
  );
  const file = join(dir, "colour.png");
  await sharp(pixels, { raw }).png().toFile(file);
  const { rows: [{ face }], net } = await predict(weights, file);
  assert.equal(net.gray, true);
  // 0.299 · 200 + 0.587 · 90 + 0.114 · 10
  assert.deepEqual([...face.slice(0, 3)], [114, 114, 114]);
  const { train } = tinyData;
  const images = train.images.map((x, i) => i % 3 === 0 ? x : x >> 1);
  const data = { ...tinyData, train: { ...train, images } };
  const other = await trained(join(dir, "colour"), {}, data);
  assert.equal((await trainedNet(other.weights)).gray, false);
});

test("Grad-CAM of the answer comes with each photo where it is asked for", async (dir) => {
  const weights = await plainNet();
  const files = [0, 1, 2].map((i) => join(dir, `${i}.png`));
  for (const [i, file] of files.entries()) await photo(file, i);
  const { rows } = await predict(weights, files, { gradCam: true });
  for (const { map } of rows) {
    assert.equal(map!.length, 16 * 16);
    assert(map!.every((x) => x >= 0 && x <= 1));
  }
  // One at a time they are the same.
  const { rows: [last] } = await predict(weights, files[2], { gradCam: true });
  last.map!.forEach((x, i) => assert(Math.abs(x - rows[2].map![i]) < 1e-4));
  assert.equal((await predict(weights, files)).rows[0].map, undefined);
});

test("a folder is read whole, each folder once; what is no picture is told", async (dir) => {
  const weights = await plainNet();
  const photos = join(dir, "photos");
  await Deno.mkdir(join(photos, "b c"), { recursive: true });
  await photo(join(photos, "two\nlines.png"), 0);
  await photo(join(photos, "b c", "ü 😀.PNG"), 1);
  await Deno.writeTextFile(join(photos, "notes.txt"), "no photo");
  await Deno.writeFile(join(photos, "empty.jpg"), new Uint8Array());
  await Deno.writeTextFile(join(photos, "text.jpg"), "no photo");
  await Deno.symlink(photos, join(photos, "b c", "up"));
  await Deno.symlink(join(photos, "b c"), join(photos, "again"));
  await Deno.symlink("self", join(photos, "self"));
  const { rows, skipped } = await predict(weights, photos);
  const shorter = (file: string) => file.slice(photos.length + 1);
  assert.deepEqual(
    rows.map((r) => shorter(r.file)).sort(),
    ["again/ü 😀.PNG", "two\nlines.png"],
  );
  assert.deepEqual(
    Object.fromEntries(skipped.map((s) => [shorter(s.file), s.reason])),
    {
      "b c": "a folder that was read under another name",
      "again/up": "a link back to .",
      self: "a link that leads to itself",
      "empty.jpg": "empty file (0 bytes)",
      "text.jpg": skipped.find((s) => s.file.endsWith("text.jpg"))!.reason,
    },
  );
  await Deno.mkdir(join(dir, "none"));
  await assert.rejects(predict(weights, join(dir, "none")), /no file below/);
  await assert.rejects(predict(weights, join(dir, "gone")), /no such file/);
});

test("weights without recipe or classes, of another net or without sense are refused in one line", async (dir) => {
  const weights = await plainNet();
  const { tensors, metadata } = await readWeights(weights);
  const model = modelTensors(tensors);
  const write = async (
    name: string,
    content: typeof model,
    about: Record<string, string> = {},
  ) => {
    const file = join(dir, name);
    await writeSafetensors(file, content, about);
    return file;
  };
  const bare = await write("bare.safetensors", model);
  await assert.rejects(trainedNet(bare), /does not say which net it is of/);
  const recipe = tinyRecipe();
  const net = await trainedNet(bare, { recipe });
  assert.deepEqual(net.classes[6], "class 6");
  assert.equal(net.notes.length, 2);
  await assert.rejects(
    trainedNet(bare, { recipe, classes: ["a", "b"] }),
    /2 names \(a, b\) for 7 classes/,
  );
  await assert.rejects(
    trainedNet(bare, { recipe, classes: [..."aabcdef"] }),
    /7 names \(a, a, .* for 7 classes; give one of its own per class/,
  );
  await assert.rejects(
    trainedNet(bare, { recipe: { ...recipe, depth: 2 } }),
    /is of another net than its recipe \(baseline, depth 2, .*missing: blocks\.1\./,
  );
  await assert.rejects(
    trainedNet(bare, { recipe: tinyRecipe({ size: 32 }) }),
    /1 of another shape: pos_embed \[1,2,8\] for \[1,5,8\]/,
  );
  const odd = new Map(model);
  const data = new Float32Array(7).fill(NaN);
  odd.set("head.bias", { dtype: "F32", shape: [7], data });
  await assert.rejects(
    trainedNet(await write("nan.safetensors", odd), { recipe }),
    /1 of \d+ tensors hold NaN or infinite values.*head\.bias/,
  );
  const bytes = await Deno.readFile(weights);
  const cut = join(dir, "cut.safetensors");
  await Deno.writeFile(cut, bytes.slice(0, bytes.length / 2));
  await assert.rejects(trainedNet(cut), /cut\.safetensors: /);
  // What is converted keeps what its checkpoint says.
  const made = await write("made.safetensors", model, aboutNet(metadata));
  const { tensors: _, file: __, ...kept } = await trainedNet(made);
  const { tensors: ___, file: ____, ...first } = await trainedNet(weights);
  assert.deepEqual(kept, first);
});

test("a checkpoint of an earlier version is resumed, and names its classes by number", async (dir) => {
  const { weights } = await trained(dir);
  const { tensors, metadata } = await readWeights(weights);
  const { data: _, ...meta } = JSON.parse(metadata.checkpoint);
  await writeSafetensors(weights, tensors, {
    checkpoint: JSON.stringify(meta),
  });
  assert.equal((await loadCheckpoint(dir))!.meta.epoch, 2);
  const { classes, notes } = await trainedNet(weights);
  assert.deepEqual(classes[0], "class 0");
  assert.match(notes[0], /names no classes/);
});

Deno.test("classes that are often meant are those of a tenth of the answers", () => {
  const confusion = [
    [50, 10, 0],
    [30, 85, 2],
    [20, 5, 98],
  ];
  assert.deepEqual(confusedWith({ confusion }, 0), {
    images: 100,
    classes: [{ label: 1, share: 0.3 }, { label: 2, share: 0.2 }],
  });
  assert.deepEqual(confusedWith({ confusion }, 1), {
    images: 100,
    classes: [{ label: 0, share: 0.1 }],
  });
  assert.deepEqual(confusedWith({ confusion }, 2).classes, []);
  assert.deepEqual(confusedWith({}, 2), { images: 0, classes: [] });
});

const run = (...args: string[]) => ran("tasks/predict.ts", args);

test("the task prints tables, JSON and CSV, and draws Grad-CAM", async (dir) => {
  const weights = await plainNet();
  const photos = join(dir, "photos");
  await Deno.mkdir(photos);
  await photo(join(photos, "=a, b.png"), 0);
  await photo(join(photos, "c.png"), 1);
  await Deno.writeTextFile(join(photos, "bad.png"), "no photo");
  const boxes = join(dir, "boxes.csv");
  await Deno.writeTextFile(
    boxes,
    "photo,x,y,width,height\nc.png,0,0,16,16\nc.png,0,0,8,8\n",
  );
  const maps = join(dir, "maps");
  const json = await run(
    ...[weights, photos, "--format", "json", "--boxes", boxes],
    ...["--grad-cam", maps],
  );
  assert.equal(json.code, 1, json.err);
  const rows = JSON.parse(json.out);
  assert.deepEqual(rows.map((r: { box?: number[] }) => r.box), [
    undefined,
    [0, 0, 16, 16],
    [0, 0, 8, 8],
  ]);
  assert.deepEqual(Object.keys(rows[0].shares), tinyData.classes);
  assert.match(json.err, /bad\.png: [^\n]+\n/);
  const drawn = [...Deno.readDirSync(maps)].map((e) => e.name).sort();
  assert.equal(drawn.length, 3);
  assert.match(drawn[0], /^0001-a-b-\w+\.png$/);
  const { width } = await sharp(join(maps, drawn[0])).metadata();
  assert.equal(width, 224);

  const csv = await run(weights, photos, "--format", "csv");
  const [head, first] = csv.out.split("\r\n");
  assert.equal(
    head,
    `photo,box,answer,oftenConfused,${tinyData.classes.join(",")}`,
  );
  assert(first.startsWith(`"${photos}/=a, b.png",,`), first);

  const table = await run(dirname(weights), join(photos, "c.png"));
  assert.equal(table.code, 0, table.err);
  assert.match(table.out, /c\.png +\d+\.\d.*\*.*\n/);
  assert.match(table.out, /^\* the answer$/m);
  assert.match(table.err, /baseline, 16 px, 7 classes, after epoch 2/);
});

test("wrong use of the task is one line and exit code 2, before a net is read", async (dir) => {
  const file = await photo(join(dir, "a.png"), 0);
  for (
    const [args, what] of [
      [[file, "--box", "1,2,3"], /x,y,width,height in whole pixels/],
      [[file, "--box", "0,0,0,5"], /a width and height/],
      [[file, "--recipe", dir], /--recipe .*not readable as JSON/],
      [[file, "--boxes", file], /a\.png: is not UTF-8 text/],
      [[join(dir, "gone.jpg")], /gone\.jpg: no such file or folder/],
    ] as const
  ) {
    assertRefused(await run("none.safetensors", ...args), 2, what);
  }
});
