/** MixUp and CutMix against torchvision, their draws against their laws. */
import assert from "node:assert/strict";
import { compile, tf } from "../../../lib/tensorflow/mod.ts";
import {
  applyMixing,
  cutmixBox,
  type Mixing,
  type MixingDraw,
  mixingDraw,
  mixingInputs,
  shareOutside,
  symmetricBeta,
} from "../../../lib/train/augment/mixing.ts";
import { Random } from "../../../lib/data/mod.ts";
import {
  images,
  matrix,
  mean,
  near,
  reference,
  standardError,
  stored,
} from "../_reference.ts";

const ROLL = Int32Array.of(4, 0, 1, 2, 3);

const oneHot = (labels: number[]) =>
  tf.cast(tf.oneHot(tf.tensor1d(labels, "int32"), 7), "float32") as tf.Tensor2D;

/** One compiled step for all draws of the fixture. */
function mixer() {
  const x = images("mix.input"), targets = oneHot(stored("mix.labels").data);
  const run = compile((numbers, partners) => {
    const mixed = applyMixing(x, targets, { numbers, partners });
    return [mixed.x, mixed.targets];
  });
  const check = async (
    draw: MixingDraw,
    expected: { image: string; label: string },
  ) => {
    const { numbers, partners } = mixingInputs(draw);
    const [image, label] = await run(numbers, partners);
    near(image.dataSync(), images(expected.image).dataSync(), 1e-6);
    near(label.dataSync(), matrix(expected.label).dataSync(), 1e-6);
  };
  return { run, check };
}

Deno.test("MixUp and CutMix are torchvision's, in one trace", async () => {
  const { run, check } = mixer();
  const { mixup, cutmix } = reference;
  for (const one of [...mixup.examples, mixup.general_permutation]) {
    const partners = Int32Array.from(one.permutation ?? ROLL);
    const box: [number, number, number, number] = [0, 0, 0, 0];
    await check({ kind: "mixup", lambda: one.lam, box, partners }, one);
  }
  for (const one of [...cutmix.examples, cutmix.general_permutation]) {
    const box = cutmixBox(one.lam, one.r_x, one.r_y, 8, 10);
    assert.deepEqual(box, one.box_x1_y1_x2_y2);
    const lambda = shareOutside(box, 8, 10);
    assert(Math.abs(lambda - one.lam_adjusted) < 1e-12);
    const partners = Int32Array.from(one.permutation ?? ROLL);
    await check({ kind: "cutmix", lambda, box, partners }, one);
  }
  assert.equal(run.signatures, 1);
  run.dispose();
});

/** Mixes x [B, 6, 5, 2] and one-hot targets by step `step`'s draw. */
function mixed(settings: Mixing, batch: number, step = 3) {
  const x = tf.randomUniform([batch, 6, 5, 2], 0, 1, "float32", 1);
  const targets = oneHot(Array.from({ length: batch }, (_, i) => i % 7));
  const draw = mixingDraw(settings, 9, step, [batch, 6, 5]);
  const result = applyMixing(x as tf.Tensor4D, targets, mixingInputs(draw));
  return { x, targets, draw, result };
}

Deno.test("alpha 0 and kind none change no bit, and a negative alpha is refused", () => {
  for (const batch of [8, 7, 1]) {
    for (
      const settings of [
        { kind: "none", alpha: 1, pairing: "permutation" },
        { kind: "mixup", alpha: 0, pairing: "roll" },
        { kind: "mixup-or-cutmix", alpha: 0, pairing: "permutation" },
      ] as const
    ) {
      const { x, targets, draw, result } = mixed(settings, batch);
      assert.equal(draw.kind, "none");
      assert.deepEqual(result.x.dataSync(), x.dataSync());
      assert.deepEqual(result.targets.dataSync(), targets.dataSync());
    }
  }
  for (const alpha of [-1, NaN, Infinity]) {
    assert.throws(
      () => mixed({ kind: "mixup", alpha, pairing: "roll" }, 8),
      /^RangeError: mixing: alpha is [^\n]*; give a number from 0$/,
    );
  }
});

Deno.test("odd and single batches mix, and targets sum to 1", () => {
  for (const kind of ["mixup", "cutmix", "mixup-or-cutmix"] as const) {
    for (const pairing of ["roll", "permutation"] as const) {
      for (const [batch, alpha] of [[8, 0.2], [7, 1], [1, 1]]) {
        for (const step of [1, 2, 3, 4]) {
          const { x, draw, result } = mixed(
            { kind, alpha, pairing },
            batch,
            step,
          );
          assert(draw.lambda >= 0 && draw.lambda <= 1);
          const sums = tf.sum(result.targets, 1).dataSync();
          near(sums, new Array(batch).fill(1), 1e-6, "sum");
          if (batch === 1) near(result.x.dataSync(), x.dataSync(), 1e-6);
        }
      }
    }
  }
});

Deno.test("partners are the batch rolled by one or a permutation", () => {
  const draw = (pairing: Mixing["pairing"], step: number) =>
    mixingDraw({ kind: "mixup", alpha: 1, pairing }, 0, step, [64, 8, 8])
      .partners;
  const rolled = [63, ...Array.from({ length: 63 }, (_, k) => k)];
  assert.deepEqual([...draw("roll", 1)], rolled);
  const order = draw("permutation", 1);
  assert.deepEqual(
    [...order].sort((a, b) => a - b),
    Array.from({ length: 64 }, (_, k) => k),
  );
  assert.deepEqual(order, draw("permutation", 1));
  assert.notDeepEqual(order, draw("permutation", 2));
});

/** The distribution functions of Beta(alpha, alpha) in closed form. */
const laws: Record<string, (x: number) => number> = {
  0.5: (x) => 2 / Math.PI * Math.asin(Math.sqrt(x)),
  1: (x) => x,
  2: (x) => 3 * x ** 2 - 2 * x ** 3,
  3: (x) => x ** 3 * (10 - 15 * x + 6 * x ** 2),
};

Deno.test("lambda follows Beta(alpha, alpha)", () => {
  const n = 20000;
  for (const alpha of [0.05, 0.2, 0.5, 0.6, 1, 2, 3, 40]) {
    const random = new Random(17);
    const values = Array.from({ length: n }, () => symmetricBeta(alpha, random))
      .sort((a, b) => a - b);
    const variance = 1 / (4 * (2 * alpha + 1));
    const squares = values.map((v) => (v - 0.5) ** 2);
    assert(
      Math.abs(mean(values) - 0.5) < 5 * Math.sqrt(variance / n),
      `alpha ${alpha}: mean ${mean(values)}`,
    );
    assert(
      Math.abs(mean(squares) - variance) < 5 * standardError(squares),
      `alpha ${alpha}: variance ${mean(squares)}, not ${variance}`,
    );
    const law = laws[alpha];
    if (!law) continue;
    const distance = Math.max(
      ...values.map((v, i) => Math.abs(law(v) - (i + 0.5) / n)),
    );
    // Kolmogorov's bound at 1 in 1000.
    assert(distance < 1.95 / Math.sqrt(n), `alpha ${alpha}: ${distance}`);
  }
  const random = new Random(1);
  for (let i = 0; i < 1000; i++) {
    const tiny = symmetricBeta(1e-4, random), huge = symmetricBeta(1e6, random);
    assert(tiny >= 0 && tiny <= 1 && Math.abs(huge - 0.5) < 0.01);
  }
});

Deno.test("over the steps the draws of CutMix follow torchvision's", () => {
  const draws = Array.from({ length: 20000 }, (_, step) =>
    mixingDraw(
      { kind: "mixup-or-cutmix", alpha: 1, pairing: "roll" },
      4,
      step,
      [1, 224, 224],
    ));
  const cut = draws.filter((d) => d.kind === "cutmix").map((d) => d.lambda);
  const blended = draws.filter((d) => d.kind === "mixup").map((d) => d.lambda);
  assert.equal(cut.length + blended.length, 20000);
  assert(Math.abs(cut.length - 10000) < 5 * Math.sqrt(5000));
  assert(Math.abs(mean(blended) - 0.5) < 5 * standardError(blended));
  const { mean_lam_adjusted, standard_error } =
    reference.cutmix.monte_carlo_224_alpha_1;
  const error = Math.hypot(standardError(cut), standard_error);
  assert(
    Math.abs(mean(cut) - mean_lam_adjusted) < 5 * error,
    `${mean(cut)}, not ${mean_lam_adjusted}`,
  );
});

Deno.test("CutMix centres its box anywhere in the image", () => {
  const x: number[] = [], y: number[] = [];
  for (let step = 0; step < 20000; step++) {
    const { box: [x1, y1, x2, y2] } = mixingDraw(
      { kind: "cutmix", alpha: 0.2, pairing: "roll" },
      4,
      step,
      [1, 112, 224],
    );
    // Boxes of at most 20 × 10 pixels are never clipped so far inside.
    if (x2 - x1 > 20 || y2 - y1 > 10) continue;
    const [column, row] = [(x1 + x2) / 2, (y1 + y2) / 2];
    if (column < 12 || column > 211 || row < 6 || row > 105) continue;
    x.push(column);
    y.push(row);
  }
  assert(x.length > 2000);
  for (const [places, low, high] of [[x, 12, 211], [y, 6, 105]] as const) {
    assert(
      Math.abs(mean(places) - (low + high) / 2) < 5 * standardError(places),
    );
    assert(Math.min(...places) < low + 3 && Math.max(...places) > high - 3);
  }
});
