/** Flip and erasing against torchvision. */
import assert from "node:assert/strict";
import {
  bytesToFloat,
  compile,
  fromBytes,
  preparedImages,
  tf,
  usesNativeOps,
} from "../../../lib/tensorflow/mod.ts";
import {
  erase,
  erasingBoxes,
  randomErasing,
  randomFlip,
  randomFlipAndErasing,
} from "../../../lib/train/augment/flip_and_erase.ts";
import { sides } from "../../../lib/train/augment/boxes.ts";
import { Random } from "../../../lib/data/mod.ts";
import {
  column,
  images,
  mean,
  near,
  reference,
  standardError,
} from "../_reference.ts";

const study = { areaMin: 0.02, areaMax: 0.1, ratioMin: 0.3, ratioMax: 3.3 };

const seedOf = (...parts: number[]) => tf.tensor1d(parts, "int32");

Deno.test("the sides of an erasing box are torchvision's to the pixel", () => {
  const { drawn, geometry } = reference.erasing;
  const rows = [...drawn, ...geometry] as number[][];
  const area = tf.tensor1d(rows.map(([h, w, scale]) => h * w * scale));
  const { height, width } = sides(area, column(rows, 3));
  assert.equal(rows.length, 86);
  near(height.dataSync(), rows.map((r) => r[4]), 0, "height");
  near(width.dataSync(), rows.map((r) => r[5]), 0, "width");
});

Deno.test("erasing blackens the box and nothing else", () => {
  const x = images("erase.input");
  for (const [k, box] of (reference.erasing.examples as number[][]).entries()) {
    const [top, left, height, width] = box.map((v) => tf.tensor1d([v]));
    const boxes = { top, left, height, width };
    const want = images(`erase.output.${k}`).dataSync();
    near(erase(x, boxes, tf.tensor1d([true])).dataSync(), want, 0);
    near(erase(x, boxes, tf.tensor1d([false])).dataSync(), x.dataSync(), 0);
  }
});

/** Boxes drawn in a compiled function: [top, left, height, width]. */
async function drawErasing(
  shape: [number, number, number],
  range: typeof study,
): Promise<ArrayLike<number>[]> {
  const run = compile((seed) => {
    const { top, left, height, width } = erasingBoxes(shape, range, seed);
    return [top, left, height, width];
  });
  const drawn = await run(seedOf(5, 1));
  run.dispose();
  return drawn.map((t) => t.dataSync());
}

Deno.test("the erased share of the image is torchvision's on average", async () => {
  const [top, left, height, width] = await drawErasing(
    [20000, 224, 224],
    study,
  );
  const { monteCarlo } = reference.erasing;
  const shares = Array.from(height, (h, i) => h * width[i] / 224 ** 2);
  const difference = mean(shares) - monteCarlo.mean_erased_fraction;
  const error = Math.hypot(standardError(shares), monteCarlo.standard_error);
  assert(Math.abs(difference) < 5 * error, `${difference} ± ${error}`);
  for (
    const [start, length, side] of [[top, height, 224], [left, width, 224]] as [
      ArrayLike<number>,
      ArrayLike<number>,
      number,
    ][]
  ) {
    // (i + 1/2) / (H − h + 1) is uniform but for whole steps.
    const place = Array.from(
      start,
      (at, i) => (at + 0.5) / (side - length[i] + 1),
    );
    assert(Math.abs(mean(place) - 0.5) < 5 * Math.sqrt(1 / 12 / 20000));
    assert(Math.min(...place) < 0.005 && Math.max(...place) > 0.995);
  }
});

Deno.test("a box that does not fit is drawn again, ten times in all", async () => {
  const range = { areaMin: 0.9, areaMax: 1, ratioMin: 0.5, ratioMax: 2 };
  const [side, images] = [40, 20000];
  const [, , height, width] = await drawErasing([images, side, side], range);
  const random = new Random(1);
  let fitting = 0;
  for (let i = 0; i < 100000; i++) {
    const area = random.between(0.9, 1) * side ** 2;
    const ratio = Math.exp(random.between(Math.log(0.5), Math.log(2)));
    const h = Math.round(Math.sqrt(area * ratio));
    const w = Math.round(Math.sqrt(area / ratio));
    if (h < side && w < side) fitting++;
  }
  const none = (1 - fitting / 100000) ** 10;
  const missed = Array.from(height).filter((h) => h === 0).length / images;
  // The 100000 tries leave an error of (1 − p)^9 · 10 · √(p (1 − p) / n).
  const p = fitting / 100000;
  const error = Math.hypot(
    Math.sqrt(none * (1 - none) / images),
    10 * (1 - p) ** 9 * Math.sqrt(p * (1 - p) / 100000),
  );
  assert(none > 0.2 && none < 0.8, `${none}: the range tests nothing`);
  assert(Math.abs(missed - none) < 5 * error, `${missed}, not ${none}`);
  Array.from(height).forEach((h, i) => {
    assert(h < side && width[i] < side && (h > 0) === (width[i] > 0));
  });
  const never = { areaMin: 1, areaMax: 1, ratioMin: 1, ratioMax: 1 };
  const refused = await drawErasing([8, 7, 7], never);
  assert.deepEqual([...Array.from(refused[2]), ...Array.from(refused[3])], [
    ...new Array(16).fill(0),
  ]);
});

Deno.test("each image is mirrored or erased with the given probability", () => {
  near(
    randomFlip(images("hflip.input"), 1, seedOf(0, 0)).dataSync(),
    images("hflip.output").dataSync(),
    0,
  );
  const x = tf.tile(tf.tensor4d([1, 2], [1, 1, 2, 1]), [4000, 1, 1, 1]);
  const flipped = randomFlip(x as tf.Tensor4D, 0.3, seedOf(1, 2));
  const first = flipped.arraySync().map(([[[v]]]) => v - 1);
  assert(Math.abs(mean(first) - 0.3) < 5 * Math.sqrt(0.21 / 4000));
  const erased = randomErasing(
    tf.ones([4000, 8, 8, 1]),
    { ...study, areaMin: 0.1, areaMax: 0.3, probability: 0.4 },
    seedOf(1, 2),
  );
  const whole = Array.from(tf.min(erased, [1, 2, 3]).dataSync());
  assert(Math.abs(mean(whole) - 0.6) < 5 * Math.sqrt(0.24 / 4000));
});

Deno.test("the seed alone decides, and probability 0 leaves the images", async () => {
  const x = tf.ones([64, 16, 16, 1]) as tf.Tensor4D;
  const erasing = { ...study, areaMin: 0.1, areaMax: 0.3, probability: 1 };
  const run = compile((seed) => [randomErasing(x, erasing, seed)]);
  const [once] = await run(seedOf(3, 4));
  const [again] = await run(seedOf(3, 4));
  const [later] = await run(seedOf(3, 5));
  run.dispose();
  const eager = randomErasing(x, erasing, seedOf(3, 4));
  assert.deepEqual(once.dataSync(), again.dataSync());
  assert.deepEqual(once.dataSync(), eager.dataSync());
  assert.notDeepEqual(once.dataSync(), later.dataSync());
  const seed = seedOf(3, 4);
  assert.equal(randomErasing(x, { ...erasing, probability: 0 }, seed), x);
  assert.equal(randomFlip(x, 0, seed), x);
});

Deno.test({
  name: "our own op flips and erases as TensorFlow's ops do, to the bit",
  ignore: !usesNativeOps(),
  fn: () => {
    const erasing = {
      ...{ probability: 0.7, areaMin: 0.02, areaMax: 0.4 },
      ...{ ratioMin: 0.3, ratioMax: 3.3 },
    };
    for (
      const [shape, flip, chance, mean, std] of [
        [[9, 8, 7, 3], 0.5, 0.7, 0, 1],
        [[5, 1, 13, 1], 1, 0.7, 0.485, 0.229],
        [[7, 12, 12, 4], 0, 1, -3, 1e-3],
        [[3, 6, 5, 3], 0.5, 0, 0.5, 0.5],
      ] as [number[], number, number, number, number][]
    ) {
      tf.tidy(() => {
        const size = shape.reduce((a, b) => a * b, 1);
        const pixels = Uint8Array.from({ length: size }, (_, i) => i * 37);
        const bytes = fromBytes(pixels, shape) as tf.Tensor4D;
        const normalise = { mean, std };
        const drawn = { ...erasing, probability: chance };
        const seed = seedOf(3, 9);
        const ours = randomFlipAndErasing(
          bytes,
          { flip, erasing: drawn, normalise },
          seed,
        );
        const scaled = tf.div(bytesToFloat(bytes), 255);
        const x = tf.div(tf.sub(scaled, mean), std) as tf.Tensor4D;
        const theirs = randomErasing(randomFlip(x, flip, seed), drawn, seed);
        // A negative pixel times 0 is −0.
        assert.deepEqual(
          ours.dataSync().map((v) => v + 0),
          theirs.dataSync().map((v) => v + 0),
          JSON.stringify(shape),
        );
      });
    }
    tf.tidy(() => {
      const bytes = fromBytes(new Uint8Array(24), [2, 2, 2, 3]) as tf.Tensor4D;
      for (
        const changes of [tf.zeros([3, 5]), tf.zeros([2, 4]), tf.zeros([2])]
      ) {
        assert.throws(
          () => preparedImages(bytes, changes, { mean: 0, std: 1 }),
          /fit images/,
        );
      }
      const none = fromBytes(new Uint8Array(0), [0, 2, 2, 3]) as tf.Tensor4D;
      const plain = { mean: 0, std: 1 };
      assert.equal(preparedImages(none, tf.zeros([0, 5]), plain).size, 0);
      const odd = tf.tensor2d([[NaN, NaN, -Infinity, Infinity, 1e9], [
        ...[0, -1e9, -1e9, 1e9, Infinity],
      ]]);
      const y = preparedImages(bytes, odd, { mean: 1, std: 1 }).dataSync();
      assert.deepEqual([...y].map((v) => v + 0), [
        ...new Array(12).fill(-1),
        ...new Array(12).fill(0),
      ]);
    });
  },
});
