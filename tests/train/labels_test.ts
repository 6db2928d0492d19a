/** Labels of raters who disagree: as shares, drawn, or any of them. */
import assert from "node:assert/strict";
import type { Dataset } from "../../lib/data/mod.ts";
import { tf } from "../../lib/tensorflow/mod.ts";
import { parseRecipe, train } from "../../lib/train/mod.ts";
import { likeliestOf } from "../../lib/train/losses.ts";
import { TrainingRun } from "../../lib/train/batches_and_rates.ts";
import { tinyData, tinyRecipe } from "./_tiny.ts";

const K = tinyData.classes.length;

/** The tiny data with these shares for each training image. */
function rated(shares: (label: number) => number[]): Dataset {
  const { labels, n } = tinyData.train;
  const targets = new Float32Array(n * K);
  labels.forEach((label, i) => targets.set(shares(label), i * K));
  return { ...tinyData, train: { ...tinyData.train, targets } };
}

const certain = rated((label) => {
  const shares = new Array(K).fill(0);
  shares[label] = 1;
  return shares;
});

/** Three of four raters for the label, one for the next class. */
const split = rated((label) => {
  const shares = new Array(K).fill(0);
  shares[label] = 0.75;
  shares[(label + 1) % K] = 0.25;
  return shares;
});

async function losses(labels: string, data: Dataset, fields = {}) {
  const rows = [];
  for await (const row of train(tinyRecipe({ labels, ...fields }), data)) {
    rows.push([row.trainLoss, row.trainAccuracy, row.test.loss]);
  }
  return rows;
}

for (const labels of ["soft", "drawn", "any"]) {
  Deno.test(`${labels}: raters who all agree train like one label, bit for bit`, async () => {
    assert.deepEqual(
      await losses(labels, certain, { accumulate: 2, epochs: 1 }),
      await losses("hard", tinyData, { accumulate: 2, epochs: 1 }),
    );
  });
}

Deno.test("any: the likeliest of the rated classes is the target, others never", () => {
  const logits = tf.tensor2d([[2, 1, 9], [0, 0.5, -3]]);
  const shares = tf.tensor2d([[0.3, 0.7, 0], [0.5, 0, 0.5]]);
  assert.deepEqual(
    Array.from(likeliestOf(logits, shares).dataSync()),
    [1, 0, 0, 1, 0, 0],
  );
});

Deno.test("drawn: labels follow the shares, anew in each epoch, the same by seed", () => {
  const labelsIn = (epoch: number, seed = 5) => {
    const run = new TrainingRun(tinyRecipe({ labels: "drawn", seed }), split);
    return [...run.batchesOf(epoch)].flatMap((b) => [...b.labels]);
  };
  assert.deepEqual(labelsIn(1), labelsIn(1));
  assert.notDeepEqual(labelsIn(1), labelsIn(2));
  // The tiny set has its classes in turn, so that a label tells its image's.
  let majority = 0, all = 0;
  for (let epoch = 1; epoch <= 50; epoch++) {
    const hard = new TrainingRun(tinyRecipe(), split);
    const truth = [...hard.batchesOf(epoch)].flatMap((b) => [...b.labels]);
    labelsIn(epoch).forEach((label, i) => {
      assert([truth[i], (truth[i] + 1) % K].includes(label));
      majority += Number(label === truth[i]);
      all++;
    });
  }
  // 2000 draws of 0.75: three standard deviations are 0.029.
  assert(Math.abs(majority / all - 0.75) < 0.03, `${majority} of ${all}`);
});

Deno.test("soft labels of two classes train another net than the majority's", async () => {
  const [soft] = await losses("soft", split, { epochs: 1 });
  const [hard] = await losses("hard", tinyData, { epochs: 1 });
  assert.notEqual(soft[0], hard[0]);
});

Deno.test("shares that are not there, or a mix of picked labels, are refused", () => {
  assert.throws(
    () => new TrainingRun(tinyRecipe({ labels: "soft" }), tinyData),
    /^RecipeError: recipe\.labels: "soft" needs raters' shares, which synthetic does not have; give "hard"$/,
  );
  assert.throws(
    () => parseRecipe({ labels: "any", mixing: { kind: "mixup" } }),
    /^RecipeError: recipe\.labels: "any" picks one label per image/,
  );
});
