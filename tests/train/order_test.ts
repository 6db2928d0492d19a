/** The order of an epoch, shuffled or balanced by class, and its batches. */
import assert from "node:assert/strict";
import {
  balancedOrder,
  batches,
  epochOrder,
} from "../../lib/train/epoch_order.ts";
import { reference } from "./_reference.ts";

Deno.test("an epoch's order is a permutation that seed and epoch decide", () => {
  const order = epochOrder(1000, 3, 7);
  assert.deepEqual(
    [...order].sort((a, b) => a - b),
    Array.from({ length: 1000 }, (_, i) => i),
  );
  assert.deepEqual(order, epochOrder(1000, 3, 7));
  for (const [seed, epoch] of [[3, 8], [4, 7], [7, 3]]) {
    const same = epochOrder(1000, seed, epoch)
      .filter((x, i) => x === order[i]).length;
    assert.ok(same < 10, `${same} of 1000 places agree`);
  }
});

Deno.test("over neighbouring seeds and epochs every order of 4 is as frequent", () => {
  const counts = new Map<string, number>();
  for (let seed = 0; seed < 120; seed++) {
    for (let epoch = 1; epoch <= 100; epoch++) {
      const key = epochOrder(4, seed, epoch).join("");
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  const chiSquare = [...counts.values()]
    .reduce((sum, n) => sum + (n - 500) ** 2 / 500, 0);
  assert.equal(counts.size, 24);
  // The 99.9 % quantile of chi-square with 23 degrees of freedom.
  assert.ok(chiSquare < 49.73, `chi-square ${chiSquare}`);
});

Deno.test("batches cover the order once, the short last one on request", () => {
  const order = epochOrder(10, 0, 1);
  const all = [...batches(order, 4, false)];
  assert.deepEqual(all.map((b) => b.length), [4, 4, 2]);
  assert.deepEqual(all.flatMap((b) => [...b]), [...order]);
  assert.deepEqual([...batches(order, 4, true)].map((b) => b.length), [4, 4]);
  assert.deepEqual([...batches(order, 11, true)], []);
  assert.throws(() => [...batches(order, 0, true)], /batch size 0/);
});

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
