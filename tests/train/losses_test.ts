/** Losses and their gradients against PyTorch's in float64. */
import assert from "node:assert/strict";
import { compile, tf } from "../../lib/tensorflow/mod.ts";
import {
  balancedWeights,
  crossEntropy,
  posterLoss,
  softCrossEntropy,
  targetsOf,
} from "../../lib/train/losses.ts";
import { matrix, near, reference, stored } from "../data/_reference.ts";

type Loss = (logits: tf.Tensor2D) => tf.Scalar;

const logits = matrix("loss.logits");
const labels = tf.tensor1d(stored("loss.targets").data, "int32");
const hard = targetsOf(labels, 7);
const soft = matrix("loss.soft_targets");
const classWeights: number[] = reference.losses.class_weights;

const losses: Record<string, Loss> = {
  cross_entropy: (z) => crossEntropy(z, labels),
  "label_smoothing_0.1": (z) =>
    softCrossEntropy(z, hard, { labelSmoothing: 0.1 }),
  "label_smoothing_0.2": (z) =>
    softCrossEntropy(z, hard, { labelSmoothing: 0.2 }),
  "study_label_smoothing_class_0.2": (z) =>
    softCrossEntropy(z, hard, { labelSmoothing: 0.2 }),
  soft_targets: (z) => softCrossEntropy(z, soft),
  "soft_targets_label_smoothing_0.2": (z) =>
    softCrossEntropy(z, soft, { labelSmoothing: 0.2 }),
  "poster_2ls_plus_ce_0.2": (z) => posterLoss(z, hard, { labelSmoothing: 0.2 }),
  focal_gamma_2: (z) => softCrossEntropy(z, hard, { gamma: 2 }),
  class_weighted: (z) => softCrossEntropy(z, hard, { classWeights }),
  "class_weighted_label_smoothing_0.2": (z) =>
    softCrossEntropy(z, hard, { classWeights, labelSmoothing: 0.2 }),
};

Deno.test("every loss and its gradient are PyTorch's, eager and compiled", async () => {
  const { values } = reference.losses;
  assert.deepEqual(Object.keys(losses).sort(), Object.keys(values).sort());
  const run = compile((z) =>
    Object.values(losses).flatMap((loss) => {
      const { value, grads } = tf.valueAndGrads((z) => loss(z as tf.Tensor2D))([
        z,
      ]);
      return [value, grads[0]];
    })
  );
  const compiled = await run(logits);
  run.dispose();
  Object.entries(losses).forEach(([name, loss], i) => {
    const { value, grad } = tf.valueAndGrad((z) => loss(z as tf.Tensor2D))(
      logits,
    );
    const wanted = stored(`loss.grad.${name}`).data;
    for (const [v, g] of [[value, grad], compiled.slice(2 * i, 2 * i + 2)]) {
      near(v.dataSync(), [values[name]], 1e-6, name);
      near(g.dataSync(), wanted, 1e-6, `gradient of ${name}`);
    }
  });
});

Deno.test("without options the loss of targets is that of labels", () => {
  const [a, b] = [crossEntropy(logits, labels), softCrossEntropy(logits, hard)];
  near(a.dataSync(), b.dataSync(), 1e-7);
  const even = softCrossEntropy(logits, hard, {
    classWeights: new Array(7).fill(3),
  });
  near(even.dataSync(), a.dataSync(), 1e-6);
});

Deno.test("logits of ±10000 give finite losses and gradients", () => {
  const extreme = tf.tensor2d([[1e4, -1e4, 0], [1e4, -1e4, 0], [0, 0, 0]]);
  const targets = targetsOf(tf.tensor1d([0, 1, 2], "int32"), 3);
  for (
    const options of [
      {},
      { gamma: 0.5 },
      { gamma: 1 },
      { gamma: 5, labelSmoothing: 0.1 },
      { classWeights: [1, 2, 0] },
      { classWeights: [0, 0, 0] },
    ]
  ) {
    const { value, grad } = tf.valueAndGrad((z) =>
      softCrossEntropy(z as tf.Tensor2D, targets, options)
    )(extreme);
    const all = [...value.dataSync(), ...grad.dataSync()];
    assert(all.every(Number.isFinite), `${JSON.stringify(options)}: ${all}`);
  }
});

Deno.test("balanced weights give every class the same total, an absent one none", () => {
  const weights = balancedWeights([1290, 281, 0, 4772]);
  const total = [1290, 281, 0, 4772].map((n, i) => n * weights[i]);
  near(total, [6343 / 4, 6343 / 4, 0, 6343 / 4], 1e-9);
  assert.equal(weights[2], 0);
});
