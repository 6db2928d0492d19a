/** Losses and their gradients against PyTorch's in float64. */
import assert from "node:assert/strict";
import { compile, tf } from "../../lib/tensorflow/mod.ts";
import {
  balancedWeights,
  crossEntropy,
  lossOf,
  posterLoss,
  softCrossEntropy,
  targetsOf,
} from "../../lib/train/losses.ts";
import type { Recipe } from "../../lib/train/recipe.ts";
import { matrix, near, reference, stored } from "./_reference.ts";

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

Deno.test("class weights with soft targets are PyTorch's mean over the batch", () => {
  // torch.nn.CrossEntropyLoss(weight, label_smoothing)(logits, soft) of PyTorch
  // 2.15 in float64: smoothing, the loss, and the gradient's first row.
  const cases = [
    "0 3.6520978631916594 -0.010498289 -0.006899356 0.105039813 " +
    "-0.012949797 -0.058322383 0.007719214 -0.024089202",
    "0.2 3.6172108396749736 -0.012806444 -0.014334295 0.107873773 " +
    "-0.010934614 -0.053733238 0.005486319 -0.021551501",
  ];
  for (const numbers of cases) {
    const [labelSmoothing, loss, ...row] = numbers.split(" ").map(Number);
    const { value, grad } = tf.valueAndGrad((z) =>
      softCrossEntropy(z as tf.Tensor2D, soft, {
        labelSmoothing,
        classWeights,
        soft: true,
      })
    )(logits);
    near(value.dataSync(), [loss], 1e-6);
    near(grad.dataSync().slice(0, 7), row, 1e-6);
  }
});

Deno.test("a recipe's targets are soft where raters share or images mix", () => {
  const loss = { kind: "crossEntropy", labelSmoothing: 0 } as Recipe["loss"];
  const none = { kind: "none", alpha: 0.2 } as Recipe["mixing"];
  const mixup = { ...none, kind: "mixup" } as const;
  const value = (
    labels: Recipe["labels"],
    mixing: Recipe["mixing"],
    targets = soft,
  ) =>
    lossOf(logits, targets, { loss, labels, mixing }, classWeights)
      .dataSync()[0];
  const wanted = 3.6520978631916594;
  near([value("soft", none), value("hard", mixup)], [wanted, wanted], 1e-6);
  const unmixed = { ...mixup, alpha: 0 };
  const { class_weighted } = reference.losses.values;
  for (
    const [labels, mixing] of [
      ["hard", none],
      ["drawn", none],
      ["any", mixup],
      ["hard", unmixed],
    ] as const
  ) near([value(labels, mixing, hard)], [class_weighted], 1e-6);
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
