/** Metrics against scikit-learn's numbers. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import {
  classificationMetrics,
  Evaluation,
  logLoss,
} from "../../lib/train/metrics.ts";

const fixture = JSON.parse(
  readFileSync(new URL("../fixtures/metrics.json", import.meta.url), "utf8"),
);
const sk = fixture.classification;
const logits: number[] = sk.logits.flat();

function near(actual: number, expected: number) {
  assert.ok(Math.abs(actual - expected) < 1e-10, `${actual} ≠ ${expected}`);
}

Deno.test("an evaluation in uneven batches gives scikit-learn's numbers", () => {
  const evaluation = new Evaluation(7);
  for (const [from, to] of [[0, 25], [25, 50], [50, 60]]) {
    evaluation.add(
      logits.slice(from * 7, to * 7),
      sk.labels.slice(from, to),
    );
  }
  const r = evaluation.result();
  near(r.accuracy, sk.accuracy);
  near(r.balancedAccuracy, sk.balanced_accuracy);
  near(r.macroF1, sk.macro_f1);
  near(r.loss, sk.log_loss);
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
  r.perClass.forEach((c, k) => near(c.f1, e.f1[k]));
});

Deno.test("balanced accuracy leaves out a class that does not occur", () => {
  const e = fixture.edge_absent_class;
  const r = classificationMetrics(e.labels, e.predictions, 3);
  near(r.balancedAccuracy, e.balanced_accuracy);
  near(r.macroF1, e.macro_f1_over_given_classes);
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
