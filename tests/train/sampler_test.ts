/** The class-balanced sampler on RAF-DB's counts. */
import assert from "node:assert/strict";
import { balancedOrder } from "../../lib/train/order.ts";
import { reference } from "./_reference.ts";

const { counts, distinct, draws } = reference.sampler as {
  counts: number[];
  distinct: number[];
  draws: number;
};
const labels = counts.flatMap((n, label) => new Array<number>(n).fill(label));

Deno.test("every class is drawn as often, with torchsampler's number of distinct images", () => {
  const epochs = 20;
  const times = counts.map(() => 0), found = counts.map(() => 0);
  const perImage = new Uint32Array(labels.length);
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const order = balancedOrder(labels, 7, draws, 3, epoch);
    assert.equal(order.length, draws);
    for (const i of order) times[labels[i]]++, perImage[i]++;
    for (const i of new Set(order)) found[labels[i]]++;
  }
  counts.forEach((n, label) => {
    const p = 1 / 7;
    const expected = epochs * draws * p;
    const deviation = Math.sqrt(epochs * draws * p * (1 - p));
    assert(Math.abs(times[label] - expected) < 5 * deviation, `class ${label}`);
    // The number of images hit at least once, each with chance p / n a draw.
    const missOne = (1 - p / n) ** draws, missTwo = (1 - 2 * p / n) ** draws;
    const variance = n * missOne + n * (n - 1) * missTwo - (n * missOne) ** 2;
    const spread = Math.sqrt(variance / epochs);
    const seen = found[label] / epochs;
    assert(
      Math.abs(seen - distinct[label]) < 5 * spread,
      `class ${label}: ${seen} distinct images, not ${distinct[label]}`,
    );
  });
  // Fear's 281 images are drawn about 125 times each.
  const fear = perImage.subarray(1290, 1290 + 281);
  const each = epochs * draws / 7 / 281;
  const chiSquare = fear.reduce((s, k) => s + (k - each) ** 2 / each, 0);
  assert(Math.abs(chiSquare - 280) < 5 * Math.sqrt(560), `${chiSquare}`);
});

Deno.test("seed and epoch decide the order", () => {
  const order = balancedOrder(labels, 7, 1000, 1, 1);
  assert.deepEqual(order, balancedOrder(labels, 7, 1000, 1, 1));
  for (const [seed, epoch] of [[1, 2], [2, 1]]) {
    const other = balancedOrder(labels, 7, 1000, seed, epoch);
    const same = order.filter((image, i) => other[i] === image).length;
    assert(same < 20, `${same} of 1000 places agree`);
  }
});

Deno.test("a class without images is left out, a wrong label is refused", () => {
  const order = balancedOrder([0, 0, 0, 2], 4, 4000, 0, 1);
  const last = order.filter((i) => i === 3).length;
  assert(Math.abs(last - 2000) < 5 * Math.sqrt(1000));
  assert.throws(
    () => balancedOrder([0, 7], 7, 1, 0, 1),
    /^RangeError: image 1 has label 7; give labels 0 to 6$/,
  );
  assert.throws(() => balancedOrder([], 7, 1, 0, 1), /no images to sample/);
});
