/** What is read from probabilities, against scikit-learn's numbers. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import {
  adaptiveEce,
  brierScore,
  Calibration,
  logLoss,
  readLogits,
  rocAuc,
  rocAucOneVsRest,
  topKAccuracy,
} from "../../lib/statistics/calibration.ts";
import { Evaluation } from "../../lib/statistics/classification.ts";

const { classification: sk, calibration: reference } = JSON.parse(
  readFileSync(new URL("../fixtures/metrics.json", import.meta.url), "utf8"),
);
const logits: number[] = sk.logits.flat();
const readings = sk.labels.map((_: number, i: number) =>
  readLogits(logits, i * 7, 7)
) as ReturnType<typeof readLogits>[];
const confidences = readings.map((r) => r.confidence);
const right = readings.map((r, i) => r.prediction === sk.labels[i]);

function near(actual: number | null, expected: number) {
  assert.ok(actual !== null, `n/a ≠ ${expected}`);
  assert.ok(Math.abs(actual - expected) < 1e-10, `${actual} ≠ ${expected}`);
}

Deno.test("log loss, Brier, top-2 and AUC are scikit-learn's", () => {
  near(logLoss(logits, sk.labels, 7), sk.log_loss);
  near(brierScore(logits, sk.labels, 7), sk.brier_multiclass);
  near(topKAccuracy(logits, sk.labels, 7, 1), sk.accuracy);
  near(topKAccuracy(logits, sk.labels, 7, 2), sk.top_2_accuracy);
  near(topKAccuracy(logits, sk.labels, 7, 7), 1);
  const { macro, perClass } = rocAucOneVsRest(logits, sk.labels, 7);
  near(macro, sk.roc_auc_ovr_macro);
  assert.equal(perClass.length, 7);
});

for (const bins of [10, 15]) {
  Deno.test(`the ${bins} bins and their errors are the reference's`, () => {
    const calibration = new Calibration(bins);
    confidences.forEach((c, i) => calibration.add(c, right[i]));
    const { ece, mce } = calibration.errors();
    near(ece, reference[`ece_${bins}`]);
    near(mce, reference[`mce_${bins}`]);
    calibration.bins().forEach((bin, b) => {
      const expected = reference[`bins_${bins}`][b];
      near(bin.low, expected.low);
      near(bin.high, expected.high);
      assert.equal(bin.count, expected.count);
      for (const key of ["accuracy", "confidence"] as const) {
        if (expected[key] === null) assert.equal(bin[key], null);
        else near(bin[key], expected[key]);
      }
    });
  });
}

Deno.test("the adaptive error splits the samples evenly by confidence", () => {
  near(adaptiveEce(confidences, right, 10), reference.adaptive_ece_10);
  // 60 samples in 7 groups: the first four hold nine, the others eight.
  const order = confidences.map((_, i) => i)
    .sort((a, b) => confidences[a] - confidences[b]);
  const gaps = [9, 9, 9, 9, 8, 8, 8].map((n) =>
    Math.abs(
      order.splice(0, n).reduce(
        (gap, i) => gap + Number(right[i]) - confidences[i],
        0,
      ),
    )
  );
  near(adaptiveEce(confidences, right, 7), gaps.reduce((a, b) => a + b) / 60);
});

Deno.test("a confidence on a bound belongs to the bin below, in any number of bins", () => {
  // The products round up at 7/25, and down just above 11/15.
  for (const n of [3, 10, 15, 25]) {
    for (let b = 1; b <= n; b++) {
      const calibration = new Calibration(n);
      calibration.add(b / n, true);
      if (b < n) calibration.add(b / n * (1 + Number.EPSILON), true);
      const counts = calibration.bins().map((bin) => bin.count);
      assert.equal(counts[b - 1], 1, `${b}/${n}`);
      if (b < n) assert.equal(counts[b], 1, `above ${b}/${n}`);
    }
  }
});

Deno.test("AUC counts ties half and is n/a for a class that is absent or everything", () => {
  near(rocAuc([0, 1, 1, 2], [false, true, false, true]), 0.875);
  near(rocAuc([-Infinity, Infinity, 0], [false, true, false]), 1);
  near(rocAuc([3, 3, 3], [true, false, true]), 0.5);
  assert.equal(rocAuc([1, 2], [true, true]), null);
  const { perClass, macro } = rocAucOneVsRest([2, 1, 0, 1, 2, 0], [0, 1], 3);
  assert.deepEqual([perClass, macro], [[1, 1, null], 1]);
  assert.equal(rocAucOneVsRest([1, 2], [1], 2).macro, null);
});

Deno.test("the lower class is first among equal logits, as in the prediction", () => {
  assert.equal(readLogits([1, 1, 0], 0, 3).prediction, 0);
  assert.equal(readLogits([NaN, 1, 2], 0, 3).prediction, 2);
  assert.equal(readLogits([2, NaN, 1], 0, 3).prediction, 0);
  assert.equal(readLogits([NaN, NaN], 0, 2).prediction, 0);
  assert.equal(topKAccuracy([1, 1, 0], [0], 3, 1), 1);
  assert.equal(topKAccuracy([1, 1, 0], [1], 3, 1), 0);
});

Deno.test("NaN logits give NaN, not a wrong number, and no samples give NaN too", () => {
  const evaluation = new Evaluation(2);
  evaluation.add([0, 1, NaN, 0], [1, 0]);
  assert.ok(Number.isNaN(evaluation.result().ece));
  assert.ok(Number.isNaN(evaluation.result().loss));
  assert.ok(Number.isNaN(brierScore([NaN, 0], [0], 2)));
  assert.ok(Number.isNaN(rocAuc([NaN, 0], [true, false])));
  const { ece, mce } = new Calibration().errors();
  assert.deepEqual([ece, mce], [NaN, NaN]);
});
