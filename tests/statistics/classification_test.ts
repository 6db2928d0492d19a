/** Metrics against scikit-learn's numbers. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { logLoss } from "../../lib/statistics/calibration.ts";
import {
  classificationMetrics,
  cohenKappa,
  Evaluation,
  matthews,
} from "../../lib/statistics/classification.ts";

const fixture = JSON.parse(
  readFileSync(new URL("../fixtures/metrics.json", import.meta.url), "utf8"),
);
const sk = fixture.classification;
const logits: number[] = sk.logits.flat();

function near(actual: number | null, expected: number) {
  assert.ok(actual !== null, `n/a ≠ ${expected}`);
  assert.ok(Math.abs(actual - expected) < 1e-10, `${actual} ≠ ${expected}`);
}

Deno.test("an evaluation in uneven batches gives scikit-learn's numbers", () => {
  const evaluation = new Evaluation(7);
  for (const [from, to] of [[0, 25], [25, 50], [50, 60]]) {
    evaluation.add(logits.slice(from * 7, to * 7), sk.labels.slice(from, to));
  }
  const r = evaluation.result();
  near(r.accuracy, sk.accuracy);
  near(r.balancedAccuracy, sk.balanced_accuracy);
  near(r.macroF1, sk.macro_f1);
  near(r.weightedF1, sk.weighted_f1);
  near(r.kappa, sk.cohen_kappa);
  near(cohenKappa(r.confusion, "linear"), sk.cohen_kappa_linear);
  near(matthews(r.confusion), sk.matthews);
  near(r.loss, sk.log_loss);
  near(r.ece, fixture.calibration.ece_15);
  r.perClass.forEach((c, k) => {
    near(c.recall, sk.recall[k]);
    near(c.precision, sk.precision[k]);
    near(c.f1, sk.f1[k]);
    assert.equal(c.support, sk.support[k]);
  });
  assert.deepEqual(r.confusion, sk.confusion_matrix);
  assert.deepEqual(r.predictions, sk.predictions);
  assert.deepEqual([r.correct, r.total], [sk.correct, sk.total]);
});

Deno.test("a class never predicted has an F1 of 0", () => {
  const e = fixture.edge_never_predicted;
  const r = classificationMetrics(e.labels, e.predictions, 3);
  near(r.macroF1, e.macro_f1);
  near(r.balancedAccuracy, e.balanced_accuracy);
  near(r.kappa, e.cohen_kappa);
  r.perClass.forEach((c, k) => near(c.f1, e.f1[k]));
  assert.equal(r.perClass[2].precision, 0);
  assert.equal(r.perClass[2].recall, 0);
});

Deno.test("a class that does not occur has no recall, and balanced accuracy leaves it out", () => {
  const e = fixture.edge_absent_class;
  const r = classificationMetrics(e.labels, e.predictions, 3);
  near(r.balancedAccuracy, e.balanced_accuracy);
  near(r.macroF1, e.macro_f1_over_given_classes);
  const { recall, precision, f1, support } = r.perClass[2];
  assert.deepEqual([recall, precision, f1, support], [null, 0, 0, 0]);
});

Deno.test("a class neither in truth nor in predictions is n/a and leaves every mean alone", () => {
  const e = fixture.edge_never_predicted;
  const r = classificationMetrics(e.labels, e.predictions, 4);
  const without = classificationMetrics(e.labels, e.predictions, 3);
  const { recall, precision, f1 } = r.perClass[3];
  assert.deepEqual([recall, precision, f1], [null, null, null]);
  const { perClass: _p, confusion: _c, ...means } = without;
  const { perClass: _q, confusion: _d, ...same } = r;
  assert.deepEqual(same, means);
  assert.deepEqual(JSON.parse(JSON.stringify(r)), r);
});

Deno.test("a constant predictor of 90 to 10 is right 0.9 overall and 0.5 by class", () => {
  const labels = [...new Array(90).fill(0), ...new Array(10).fill(1)];
  const r = classificationMetrics(labels, new Array(100).fill(0), 2);
  near(r.accuracy, 0.9);
  near(r.balancedAccuracy, 0.5);
  near(r.kappa, 0);
  assert.equal(matthews(r.confusion), 0);
  assert.equal(classificationMetrics([0, 0], [0, 0], 2).kappa, null);
});

Deno.test("the size of a batch changes no metric, the last one short or not", () => {
  // 10 samples, 4/4, 4/4 and 0/2 right in batches of 4.
  const labels = [0, 1, 2, 0, 1, 2, 0, 1, 2, 0];
  const rows = labels.map((label, i) =>
    [0, 1, 2].map((k) => (k === (i < 8 ? label : (label + 1) % 3) ? i : 0.5))
  );
  rows[0] = [1, 0, 0];
  const results = [1, 3, 4, 10].map((size) => {
    const evaluation = new Evaluation(3);
    for (let at = 0; at < 10; at += size) {
      evaluation.add(
        rows.slice(at, at + size).flat(),
        labels.slice(at, at + size),
      );
    }
    return evaluation.result();
  });
  near(results[0].accuracy, 0.8);
  for (const result of results) assert.deepEqual(result, results[0]);
});

Deno.test("the log loss of huge logits does not overflow", () => {
  near(logLoss([1000, 0, -1000, 0], [0, 1], 2), 0);
  near(logLoss([0, 1000], [0], 2), 1000);
  near(logLoss([-5000, -5000], [1], 2), Math.log(2));
});

Deno.test("metrics refuse labels and lengths that do not fit", () => {
  assert.throws(
    () => classificationMetrics([7], [0], 7),
    /label 7 is no class/,
  );
  assert.throws(() => classificationMetrics([0], [-1], 7), /prediction -1/);
  assert.throws(() => classificationMetrics([0], [], 7), /1 labels for 0/);
  const evaluation = new Evaluation(2);
  assert.throws(() => evaluation.add([0, 1, 2], [0]), /give 2/);
  assert.throws(() => evaluation.add([0, 1], [2]), /label 2 is no class/);
  assert.equal(evaluation.result().total, 0);
});

Deno.test("a split without images has no accuracy, not one of 0", () => {
  const result = new Evaluation(3).result();
  const { accuracy, balancedAccuracy, macroF1, weightedF1, loss } = result;
  assert.deepEqual(
    [accuracy, balancedAccuracy, macroF1, weightedF1, loss],
    [NaN, NaN, NaN, NaN, NaN],
  );
  assert.deepEqual([result.correct, result.total, result.kappa], [0, 0, null]);
});
