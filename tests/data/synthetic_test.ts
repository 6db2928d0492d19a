/** Synthetic faces: the same bits, balance, noise, and a class that shows. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import {
  classCounts,
  DataError,
  FER_CLASSES,
  loadDataset,
  type LoadOptions,
  syntheticFaces,
  type SyntheticOptions,
} from "../../lib/data/mod.ts";
import { classShares, labelSequence } from "../../lib/data/synthetic/labels.ts";

const small = { train: 28, validation: 14, test: 14, seed: 3 };

Deno.test("the same seed draws the same faces, another seed others", () => {
  const d = syntheticFaces(small);
  assert.deepEqual(syntheticFaces(small), d);
  assert.notEqual(syntheticFaces({ ...small, seed: 4 }).hash, d.hash);
});

const PINNED: [SyntheticOptions, string][] = [
  [small, "153f52b20d70d4670e40f3277c08a71c93a0384c9400dd4ccb7a1a0877f509bb"],
  [
    { ...small, size: 24, channels: 1 },
    "b51da9aceaa79800eb088c533d97251bcf2b1c38e6da2867f891e020d31e0687",
  ],
  [
    { size: 112, train: 70, validation: 7, test: 7, seed: 9 },
    "baae5814041b08075203dd3557628cc3f2643c182ae7752c9c5252b42e967362",
  ],
  [
    // Pixels so large that a shape's end shows.
    { size: 8, train: 400, validation: 7, test: 7, seed: 8, channels: 1 },
    "8ccd0d5d07ea1912cee30a00ac44a317f2b206f571f5cd6adbb1a5fe2c24cfff",
  ],
  [
    {
      ...small,
      classes: 8,
      faces: {
        balance: { Disgust: 0.02 },
        labelNoise: 0.2,
        intensity: [0.1, 0.6],
        occlusion: 3,
      },
    },
    "21e92fba4795a4a148d95d03eb1712049bacfe22cf1ffa55171f96ddf90d1aa0",
  ],
];

Deno.test("the drawn pixels are those of this version on every machine", () => {
  for (const [options, hash] of PINNED) {
    assert.equal(syntheticFaces(options).hash, hash, JSON.stringify(options));
  }
});

Deno.test("faces are drawn by exactly rounded operations alone", () => {
  // ECMAScript leaves the bits of the others (sin, exp, pow, hypot) open.
  const exact = /^(abs|floor|imul|max|min|round|sign|sqrt)$/;
  const folder = new URL("../../lib/data/synthetic/", import.meta.url);
  const files = [...Deno.readDirSync(folder)].map(({ name }) => name);
  for (const file of files.concat("../random.ts")) {
    const source = readFileSync(new URL(file, folder), "utf8");
    const used = [...source.matchAll(/Math\.(\w+)/g)].map(([, name]) => name);
    assert.deepEqual(used.filter((name) => !exact.test(name)), [], file);
    assert.doesNotMatch(source, /\w \*\* /, file);
  }
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

Deno.test("eight classes are the seven and contempt", () => {
  const d = syntheticFaces({ ...small, classes: 8, train: 32 });
  assert.deepEqual(d.classes, [...FER_CLASSES, "Contempt"]);
  assert.deepEqual(classCounts(d.train, 8), Array(8).fill(4));
  // The first seven images are those of seven classes.
  const seven = syntheticFaces(small).train.images;
  const width = 48 * 48 * 3;
  assert.deepEqual(
    d.train.images.subarray(0, 7 * width),
    seven.subarray(0, 7 * width),
  );
});

Deno.test("at a data set's size its proportions give its class counts", () => {
  // Published training splits, in FER2013's class order.
  const sets: Record<"raf-db" | "fer2013", number[]> = {
    "raf-db": [705, 717, 281, 4772, 1982, 1290, 2524],
    "fer2013": [3995, 436, 4097, 7215, 4830, 3171, 4965],
  };
  for (const name of ["raf-db", "fer2013"] as const) {
    const counts = sets[name];
    const n = counts.reduce((a, b) => a + b);
    const shares = classShares(name, FER_CLASSES);
    const labels = labelSequence(shares, n);
    assert.deepEqual(classCounts({ labels }, 7), counts);
    // A test split of a quarter of the size keeps them too.
    const part = classCounts({ labels: labels.subarray(0, n >> 2) }, 7);
    part.forEach((count, c) => assert.ok(Math.abs(count - counts[c] / 4) < 2));
  }
});

Deno.test("a class may be rare or absent in every split", () => {
  const balance = { Disgust: 0.05, Fear: 0 };
  const d = syntheticFaces({ ...small, train: 200, faces: { balance } });
  assert.deepEqual(classCounts(d.train, 7), [38, 10, 0, 38, 38, 38, 38]);
  assert.deepEqual(classCounts(d.test, 7)[2], 0);
});

Deno.test("label noise takes its share of the train labels and keeps the clean ones", () => {
  const noisy = (labelNoise: number) =>
    syntheticFaces({ ...small, size: 8, train: 4000, faces: { labelNoise } });
  const clean = noisy(0), some = noisy(0.2), more = noisy(0.4);
  assert.equal(clean.train.cleanLabels, undefined);
  assert.deepEqual(some.train.cleanLabels, clean.train.labels);
  assert.deepEqual(some.train.images, clean.train.images);
  assert.deepEqual([some.validation, some.test], [
    clean.validation,
    clean.test,
  ]);
  assert.notEqual(some.hash, clean.hash);
  const wrong = [...some.train.labels.keys()]
    .filter((i) => some.train.labels[i] !== clean.train.labels[i]);
  // Four standard errors of a share of 0.2 among 4000.
  assert.ok(Math.abs(wrong.length / 4000 - 0.2) < 0.025, `${wrong.length}`);
  // A wrong label of little noise stays with more of it.
  for (const i of wrong) {
    assert.equal(more.train.labels[i], some.train.labels[i]);
  }
  // Each of the six other classes is as likely.
  const turns = new Array(7).fill(0);
  for (const i of wrong) {
    turns[(some.train.labels[i] - clean.train.labels[i] + 7) % 7]++;
  }
  assert.equal(turns[0], 0);
  for (const n of turns.slice(1)) {
    assert.ok(Math.abs(n / wrong.length - 1 / 6) < 0.053, `${turns}`);
  }
});

Deno.test("occlusion hides the share of faces that its chances say", () => {
  const at = (occlusion: number) =>
    syntheticFaces({
      ...small,
      size: 16,
      train: 2000,
      channels: 1,
      faces: { occlusion },
    })
      .train.images;
  const free = at(0);
  const share = (images: Uint8Array) => {
    let hidden = 0;
    for (let i = 0; i < free.length; i += 256) {
      const face = images.subarray(i, i + 256);
      if (face.some((v, p) => v !== free[i + p])) hidden++;
    }
    return hidden / 2000;
  };
  const usual = 1 - 0.85 * 0.92 * 0.94, triple = 1 - 0.55 * 0.76 * 0.82;
  assert.ok(Math.abs(share(at(1)) - usual) < 0.04, `${share(at(1))}`);
  assert.ok(Math.abs(share(at(3)) - triple) < 0.045, `${share(at(3))}`);
});

Deno.test("one channel holds the same gray values as three", () => {
  const three = syntheticFaces(small),
    one = syntheticFaces({ ...small, channels: 1 });
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

/** Test accuracy of a linear model on faces of 16 × 16 pixels. */
function linearAccuracy(o: SyntheticOptions): number {
  const d = syntheticFaces({ ...o, validation: 1, size: 16, channels: 1 });
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
  return right / d.test.n;
}

Deno.test("a linear model reads the class above chance, yet far from perfectly", () => {
  const accuracy = linearAccuracy({ train: 2100, test: 490 });
  assert.ok(accuracy > 0.25 && accuracy < 0.8, `accuracy ${accuracy}`);
});

Deno.test("expressions of full intensity are read better than faint ones", () => {
  const at = (intensity: [number, number]) =>
    linearAccuracy({ train: 1400, test: 490, faces: { intensity } });
  const faint = at([0.2, 0.3]), full = at([0.9, 1]);
  assert.ok(full > faint + 0.15, `${full} against ${faint}`);
});

Deno.test("an option out of range or unknown is a DataError that names it", async () => {
  const faces = (faces: LoadOptions["faces"]) => ({ faces });
  const wrong: [SyntheticOptions, RegExp][] = [
    [{ train: 0 }, /0 train images/],
    [{ size: 4 }, /image size 4/],
    [{ classes: 6 as 7 }, /number of classes 6/],
    [faces({ labelNoise: 1.5 }), /label noise 1.5 .* 0 to 1/],
    [faces({ occlusion: -1 }), /occlusion -1 .* 0 to 6/],
    [faces({ intensity: [0, 2] }), /greatest intensity 2/],
    [faces({ intensity: [0.9, 0.5] }), /least intensity 0.9 .* 0 to 0.5/],
    [faces({ balance: { Joy: 0.1 } }), /no class "Joy"; choose from Angry/],
    [faces({ balance: { Sad: 2 } }), /share 2 of Sad/],
    [faces({ balance: { Sad: 0.6, Fear: 0.6 } }), /shares sum to 1.2/],
    [faces({ balance: "rafdb" as "raf-db" }), /"fer2013" or "raf-db"/],
    [{ classes: 8, ...faces({ balance: "raf-db" }) }, /no contempt/],
  ];
  for (const [options, message] of wrong) {
    assert.throws(
      () => syntheticFaces(options),
      (e) => e instanceof DataError && message.test(e.message),
      JSON.stringify(options),
    );
  }
  await assert.rejects(loadDataset({ name: "fer2013" }), DataError);
});
