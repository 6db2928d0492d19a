/** Synthetic faces: determinism, balance, and that the class can be seen. */
import assert from "node:assert/strict";
import {
  classCounts,
  DataError,
  FER_CLASSES,
  loadDataset,
  syntheticFaces,
} from "../../lib/data/mod.ts";

const small = { train: 28, validation: 14, test: 14, seed: 3 };

Deno.test("the same seed draws the same faces, another seed others", () => {
  const d = syntheticFaces(small);
  assert.deepEqual(syntheticFaces(small), d);
  assert.notEqual(syntheticFaces({ ...small, seed: 4 }).hash, d.hash);
});

Deno.test("the drawn pixels are those of this version on every machine", () => {
  assert.equal(
    syntheticFaces(small).hash,
    "153f52b20d70d4670e40f3277c08a71c93a0384c9400dd4ccb7a1a0877f509bb",
  );
});

Deno.test("face i does not depend on how many are drawn", () => {
  const few = syntheticFaces(small);
  const more = syntheticFaces({ ...small, train: 50, validation: 21 });
  const head = more.train.images.subarray(0, few.train.images.length);
  assert.deepEqual(head, few.train.images);
  assert.deepEqual(more.test, few.test);
});

Deno.test("splits share no image", () => {
  const { train, validation, test } = syntheticFaces(small);
  const seen = new Set<string>();
  for (const s of [train, validation, test]) {
    const width = s.images.length / s.n;
    for (let i = 0; i < s.n; i++) {
      seen.add(s.images.slice(i * width, (i + 1) * width).join());
    }
  }
  assert.equal(seen.size, 28 + 14 + 14);
});

Deno.test("classes are in FER2013's order and balanced", () => {
  const d = syntheticFaces({ ...small, train: 30 });
  assert.deepEqual(d.classes, FER_CLASSES);
  assert.deepEqual(classCounts(d.validation, d.classes), Array(7).fill(2));
  assert.deepEqual(classCounts(d.train, 7), [5, 5, 4, 4, 4, 4, 4]);
});

Deno.test("one channel holds the same gray values as three", () => {
  const three = syntheticFaces(small),
    one = syntheticFaces({
      ...small,
      channels: 1,
    });
  const plane = three.test.images.filter((_, i) => i % 3 === 1);
  assert.deepEqual(one.test.images, plane);
});

Deno.test("faces are drawn at the size asked for", async () => {
  const d = await loadDataset({ ...small, name: "synthetic", size: 24 });
  assert.equal(d.size, 24);
  assert.equal(d.test.images.length, 14 * 24 * 24 * 3);
});

Deno.test("faces vary in level and none is flat", () => {
  const { images, n } = syntheticFaces({ ...small, channels: 1 }).train;
  for (let i = 0; i < n; i++) {
    const face = images.subarray(i * 2304, (i + 1) * 2304);
    const mean = face.reduce((a, b) => a + b, 0) / 2304;
    const spread = face.reduce((a, b) => a + (b - mean) ** 2, 0) / 2304;
    assert.ok(Math.sqrt(spread) > 12, `face ${i}: ${Math.sqrt(spread)}`);
  }
});

/** Least squares with a ridge: weights `[features, classes]`, by Cholesky. */
function ridge(x: Float64Array[], y: ArrayLike<number>, lambda: number) {
  const f = x[0].length;
  const a = Array.from({ length: f }, () => new Float64Array(f));
  const b = Array.from({ length: f }, () => new Float64Array(7));
  x.forEach((row, i) => {
    for (let p = 0; p < f; p++) {
      b[p][y[i]] += row[p];
      for (let q = 0; q <= p; q++) a[p][q] += row[p] * row[q];
    }
  });
  for (let p = 0; p < f; p++) {
    for (let q = 0; q <= p; q++) {
      let sum = a[p][q] + (p === q ? lambda : 0);
      for (let k = 0; k < q; k++) sum -= a[p][k] * a[q][k];
      a[p][q] = p === q ? Math.sqrt(sum) : sum / a[q][q];
    }
  }
  for (let c = 0; c < 7; c++) {
    for (let p = 0; p < f; p++) {
      for (let k = 0; k < p; k++) b[p][c] -= a[p][k] * b[k][c];
      b[p][c] /= a[p][p];
    }
    for (let p = f - 1; p >= 0; p--) {
      for (let k = p + 1; k < f; k++) b[p][c] -= a[k][p] * b[k][c];
      b[p][c] /= a[p][p];
    }
  }
  return b;
}

Deno.test("a linear model reads the class above chance, yet far from perfectly", () => {
  const d = syntheticFaces({
    train: 2100,
    validation: 1,
    test: 490,
    size: 16,
    channels: 1,
  });
  const rows = (images: Uint8Array) =>
    Array.from({ length: images.length / 256 }, (_, i) => {
      const face = Float64Array.from(images.subarray(i * 256, (i + 1) * 256));
      const mean = face.reduce((a, v) => a + v, 0) / 256;
      const power = face.reduce((a, v) => a + (v - mean) ** 2, 0) / 256;
      return face.map((v) => (v - mean) / Math.sqrt(power));
    });
  const weights = ridge(rows(d.train.images), d.train.labels, 300);
  let right = 0;
  rows(d.test.images).forEach((row, i) => {
    const score = new Float64Array(7);
    row.forEach((v, p) => weights[p].forEach((w, c) => score[c] += v * w));
    if (score.indexOf(Math.max(...score)) === d.test.labels[i]) right++;
  });
  const accuracy = right / d.test.n;
  assert.ok(accuracy > 0.25 && accuracy < 0.8, `accuracy ${accuracy}`);
});

Deno.test("a number or size out of range and an unknown name are DataErrors", async () => {
  assert.throws(() => syntheticFaces({ train: 0 }), DataError);
  assert.throws(() => syntheticFaces({ size: 4 }), DataError);
  await assert.rejects(loadDataset({ name: "fer2013" }), DataError);
});
