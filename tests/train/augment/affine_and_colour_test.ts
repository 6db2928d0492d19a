/** Crops, affine maps and colour against torchvision. */
import assert from "node:assert/strict";
import { compile, tf } from "../../../lib/tensorflow/mod.ts";
import {
  affine,
  affineMaps,
  cropBoxes,
  randomAffine,
  randomResizedCrop,
  resizedCrop,
} from "../../../lib/train/augment/geometry.ts";
import {
  adjustColour,
  colourJitter,
} from "../../../lib/train/augment/colour_jitter.ts";
import { column, images, mean, near, reference } from "../_reference.ts";

const seed = tf.tensor1d([7, 11], "int32");

function boxesOf(rows: number[][]) {
  const [top, left, height, width] = [0, 1, 2, 3].map((i) => column(rows, i));
  return { top, left, height, width };
}

function mapsOf(rows: number[][]) {
  const [angle, translateX, translateY, scale, shear] = [0, 1, 2, 3, 4].map((
    i,
  ) => column(rows, i));
  return { angle, translateX, translateY, scale, shear };
}

function factorsOf(rows: number[][]) {
  const [brightness, contrast, saturation, hue] = [0, 1, 2, 3].map((i) =>
    column(rows, i)
  );
  return { brightness, contrast, saturation, hue };
}

Deno.test("a resized crop is torchvision's, its edges included", () => {
  const { boxes, output } = reference.crop;
  const x = images("mix.input");
  near(resizedCrop(x, boxesOf(boxes)).dataSync(), output, 1e-6);
});

Deno.test("where no try fits, the crop is torchvision's central one", () => {
  for (const [height, width, [low, high], box] of reference.crop.fallback) {
    // Three times the image's area never fits.
    const drawn = cropBoxes(
      [3, height, width],
      { scaleMin: 3, scaleMax: 4, ratioMin: low, ratioMax: high },
      seed,
    );
    const { top, left, height: h, width: w } = drawn;
    const found = [top, left, h, w].map((t) => t.dataSync()[2]);
    assert.deepEqual(found, box);
  }
});

Deno.test("crops lie in the image, with the area and the ratio asked for", async () => {
  const range = { scaleMin: 0.25, scaleMax: 0.5, ratioMin: 0.5, ratioMax: 1 };
  const run = compile((seed) => {
    const { top, left, height, width } = cropBoxes([5000, 64, 96], range, seed);
    return [top, left, height, width];
  });
  const [top, left, height, width] = (await run(seed)).map((t) =>
    Array.from(t.dataSync())
  );
  run.dispose();
  for (let i = 0; i < 5000; i++) {
    assert(height[i] >= 1 && top[i] >= 0 && top[i] + height[i] <= 64);
    assert(width[i] >= 1 && left[i] >= 0 && left[i] + width[i] <= 96);
    const ratio = width[i] / height[i], area = width[i] * height[i] / 64 / 96;
    assert(ratio > 0.48 && ratio < 1.03, `ratio ${ratio}`);
    assert(area > 0.245 && area < 0.51, `area ${area}`);
  }
  const vertical = top.map((t, i) => (t + 0.5) / (64 - height[i] + 1));
  const horizontal = left.map((l, i) => (l + 0.5) / (96 - width[i] + 1));
  for (const place of [vertical, horizontal]) {
    assert(Math.abs(mean(place) - 0.5) < 5 * Math.sqrt(1 / 12 / 5000));
  }
});

Deno.test("an affine map is torchvision's", () => {
  const { maps, output } = reference.affine;
  const x = images("mix.input");
  near(affine(x, mapsOf(maps)).dataSync(), output, 1e-5);
});

Deno.test("affine maps fill their ranges evenly, in whole pixels", () => {
  const drawn = affineMaps(
    [5000, 40, 80],
    { degrees: 15, translate: 0.1, scaleMin: 0.8, scaleMax: 1.1, shear: 5 },
    seed,
  );
  const ranges = {
    angle: [-15, 15],
    translateX: [-8, 8],
    translateY: [-4, 4],
    scale: [0.8, 1.1],
    shear: [-5, 5],
  } as const;
  for (const [name, [low, high]] of Object.entries(ranges)) {
    const values = Array.from(drawn[name as keyof typeof ranges].dataSync());
    const share = values.map((v) => (v - low) / (high - low));
    assert(Math.abs(mean(share) - 0.5) < 5 * Math.sqrt(1 / 12 / 5000), name);
    assert(Math.min(...share) > -1e-6 && Math.min(...share) < 0.01, name);
    assert(Math.max(...share) < 1 + 1e-6 && Math.max(...share) > 0.99, name);
    if (name.startsWith("translate")) assert(values.every(Number.isInteger));
  }
});

Deno.test("brightness, contrast, saturation and hue are torchvision's", () => {
  const { factors, output, grey, contrast, saturation, hue } = reference.colour;
  const x = images("mix.input"), all = factorsOf(factors);
  const same = (got: tf.Tensor, want: number[], what: string) =>
    near(got.dataSync(), want, 1e-5, what);
  same(adjustColour(x, all), output, "all four");
  same(adjustColour(x, { contrast: all.contrast }), contrast, "contrast");
  same(adjustColour(x, { saturation: all.saturation }), saturation, "sat");
  same(adjustColour(x, { hue: all.hue }), hue, "hue");
  const first = tf.slice(x, 0, [5, 8, 10, 1]) as tf.Tensor4D;
  same(adjustColour(first, all), grey, "grey");
});

Deno.test("the hue of greys and of colours with equal channels turns as in torchvision", () => {
  const { ties, turn, turned } = reference.colour;
  const x = tf.tensor4d(ties, [1, 2, 4, 3]);
  near(adjustColour(x, { hue: tf.tensor1d([turn]) }).dataSync(), turned, 1e-5);
});

const crop = { scaleMin: 0.5, scaleMax: 1, ratioMin: 0.75, ratioMax: 4 / 3 };
const turn = {
  degrees: 10,
  translate: 0.1,
  scaleMin: 0.9,
  scaleMax: 1.1,
  shear: 0,
};
const jitter = { brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 };

Deno.test("one trace draws anew for each image and each seed", async () => {
  const one = tf.slice(images("mix.input"), 0, [1, 8, 10, 3]);
  const x = tf.concat([one, one, one]) as tf.Tensor4D;
  const run = compile((seed) => [
    randomResizedCrop(x, crop, seed),
    randomAffine(x, turn, seed),
    colourJitter(x, jitter, seed),
  ]);
  const once = await run(seed), again = await run(seed);
  const other = await run(tf.tensor1d([7, 12], "int32"));
  assert.equal(run.signatures, 1);
  run.dispose();
  for (let i = 0; i < 3; i++) {
    const values = once[i].dataSync();
    assert.deepEqual(values, again[i].dataSync());
    assert.notDeepEqual(values, other[i].dataSync());
    assert.notDeepEqual(values.slice(0, 240), values.slice(240, 480));
    assert(values.every((v) => v >= -1e-6 && v <= 1 + 1e-6));
  }
});

Deno.test("brightness is drawn within 1 ± its strength and not below 0", () => {
  const x = tf.fill([5000, 1, 1, 1], 0.25) as tf.Tensor4D;
  const still = { brightness: 0, contrast: 0, saturation: 0, hue: 0 };
  const factors = (brightness: number) =>
    Array.from(
      colourJitter(x, { ...still, brightness }, seed).dataSync(),
      (v) => v / 0.25,
    );
  const little = factors(0.4), much = factors(2);
  assert(Math.min(...little) >= 0.6 - 1e-6 && Math.max(...little) <= 1.4);
  assert(Math.abs(mean(little) - 1) < 5 * 0.8 / Math.sqrt(12 * 5000));
  assert(Math.min(...much) >= 0 && Math.max(...much) <= 3);
  assert(Math.abs(mean(much) - 1.5) < 5 * 3 / Math.sqrt(12 * 5000));
});

Deno.test("neutral settings return the images themselves", () => {
  const x = images("mix.input");
  const still = { brightness: 0, contrast: 0, saturation: 0, hue: 0 };
  const rest = { degrees: 0, translate: 0, scaleMin: 1, scaleMax: 1, shear: 0 };
  assert.equal(randomResizedCrop(x, { ...crop, scaleMin: 1 }, seed), x);
  assert.equal(randomAffine(x, rest, seed), x);
  assert.equal(colourJitter(x, still, seed), x);
  const grey = tf.ones([2, 4, 4, 1]) as tf.Tensor4D;
  const colours = { ...still, saturation: 0.5, hue: 0.2 };
  assert.equal(colourJitter(grey, colours, seed), grey);
});
