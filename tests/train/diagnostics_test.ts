/** Diagnostics: what they say of a training, and that they do not change it. */
import assert from "node:assert/strict";
import { modelOf } from "../../lib/models/mod.ts";
import { initialise } from "../../lib/nn/mod.ts";
import { handleCount, tf } from "../../lib/tensorflow/mod.ts";
import {
  diagnoser,
  type EpochRow,
  lrRangeTest,
  steepestRate,
  train,
  Trainer,
} from "../../lib/train/mod.ts";
import { tinyData, tinyRecipe } from "./_tiny.ts";

const images = tinyData.train.images.subarray(
  0,
  8 * 16 * 16 * tinyData.channels,
);
const labels = tinyData.train.labels.subarray(0, 8);
const { channels } = tinyData;
const shape: [number, number, number, number] = [8, 16, 16, channels];

/** Diagnostics after `steps` steps on one batch, and the state before and after. */
async function look(fields: Record<string, unknown>, steps: number) {
  const recipe = tinyRecipe(fields);
  const forward = modelOf(recipe);
  const state = initialise(forward, [16, 16, tinyData.channels], 2);
  const handles = handleCount();
  const trainer = new Trainer(forward, state, recipe);
  const watch = diagnoser(trainer);
  for (let i = 0; i < steps; i++) {
    await trainer.trainBatch(images, labels, shape);
  }
  const before = trainer.save();
  const found = await watch.run(images, labels, shape);
  const after = trainer.save();
  const next = await trainer.trainBatch(images, labels, shape);
  watch.dispose();
  trainer.dispose();
  assert.equal(handleCount(), handles);
  return { found, before, after, next };
}

Deno.test("diagnostics change nothing and foresee the next step's gradient norm", async () => {
  const { found, before, after, next } = await look({}, 3);
  assert.deepEqual(after, before);
  assert.equal(found.step, 3);
  assert(Math.abs(found.gradientNorm / next.gradientNorm - 1) < 1e-5);
  const squares = found.parameters.reduce(
    (sum, p) => sum + p.gradientNorm ** 2,
    0,
  );
  assert(Math.abs(Math.sqrt(squares) / found.gradientNorm - 1) < 1e-5);
});

Deno.test("the update's norm is that of the step that was made", async () => {
  for (
    const fields of [
      { optimizer: "adam" },
      { optimizer: "adam", amsgrad: true },
      { optimizer: "sgd", lr: 0.01 },
    ]
  ) {
    const one = await look(fields, 1), two = await look(fields, 2);
    for (
      const { name, updateNorm, weightNorm, updateRatio } of two.found
        .parameters
    ) {
      const from = one.before.get(name)!.data as Float32Array;
      const to = two.before.get(name)!.data as Float32Array;
      const moved = Math.hypot(...to.map((v, i) => v - from[i]));
      assert(
        Math.abs(updateNorm! - moved) < 1e-3 * moved + 1e-6,
        `${JSON.stringify(fields)} ${name}: ${updateNorm}, moved ${moved}`,
      );
      if (weightNorm > 0) assert.equal(updateRatio, updateNorm! / weightNorm);
    }
  }
});

Deno.test("√v̂ is counted by its size, and against eps", async () => {
  const { found, before } = await look({ eps: 1e-3 }, 2);
  const { edges, counts, belowEps } = found.secondMoments!;
  const roots = [...before].filter(([n]) => n.startsWith("adam.exp_avg_sq."))
    .flatMap(([, { data }]) =>
      Array.from(data as Float32Array, (v) => Math.sqrt(v / (1 - 0.999 ** 2)))
    );
  assert.equal(counts.reduce((a, b) => a + b, 0), roots.length);
  const inBin = (i: number) =>
    roots.filter((r) =>
      Math.log10(r) >= edges[i] && Math.log10(r) < edges[i + 1]
    )
      .length;
  const middle = edges.findIndex((e) => Math.abs(e + 2) < 1e-9);
  for (let i = middle - 4; i < middle + 4; i++) {
    // A value on an edge may fall to either side in float32.
    assert(Math.abs(counts[i] - inBin(i)) <= 1, `bin ${i}`);
  }
  const below = roots.filter((r) => r < 1e-3).length / roots.length;
  assert(Math.abs(belowEps - below) < 2e-4);
  assert.equal((await look({ optimizer: "sgd" }, 1)).found.secondMoments, null);
});

Deno.test("queries and keys of a lone cls token are dead, and its entropy is 0", async () => {
  const { found } = await look(
    { model: "cls", patches: "dropped", depth: 2 },
    1,
  );
  const dead = found.parameters.filter((p) => p.dead).map((p) => p.name);
  assert.deepEqual(
    dead.filter((n) => n.startsWith("blocks.1.attn")),
    ["blocks.1.attn.wq.weight", "blocks.1.attn.wk.weight"],
  );
  assert.deepEqual(found.attention.map((a) => a.layer), [
    "blocks.0.attn",
    "blocks.1.attn",
  ]);
  assert.equal(found.attention[1].all.entropy, 0);
  const { found: none } = await look({ model: "meanPool" }, 1);
  assert.deepEqual(none.attention, []);
});

Deno.test("a training with diagnostics has the numbers of one without", async () => {
  const collect = async (diagnose: boolean) => {
    const rows: EpochRow[] = [];
    for await (const row of train(tinyRecipe(), tinyData, { diagnose })) {
      rows.push(row);
    }
    return rows;
  };
  const [plain, watched] = [await collect(false), await collect(true)];
  assert.deepEqual(
    watched.map((r) => [r.trainLoss, r.test.loss]),
    plain.map((r) => [r.trainLoss, r.test.loss]),
  );
  assert.equal(plain[0].diagnostics, undefined);
  assert.equal(watched[1].diagnostics!.step, watched[1].step);
});

Deno.test("the LR range test rises evenly in the logarithm and ends where the loss explodes", async () => {
  const before = tf.memory().numTensors;
  const rows = await lrRangeTest(
    tinyRecipe({ optimizer: "sgd", momentum: 0 }),
    tinyData,
    { from: 1e-4, to: 1e6, steps: 41 },
  );
  assert(rows.length < 41 && rows.length > 10);
  rows.forEach((r, i) =>
    assert(Math.abs(Math.log10(r.lr) - (-4 + i / 4)) < 1e-9)
  );
  const last = rows.at(-1)!.smoothed;
  assert(!(last < 4 * Math.min(...rows.map((r) => r.smoothed))));
  assert.equal(rows[0].smoothed, rows[0].loss);
  assert.equal(tf.memory().numTensors, before);
  await assert.rejects(
    lrRangeTest(tinyRecipe(), tinyData, { from: 1, to: 0.1 }),
    /^RecipeError: LR range test: from 1 to 0\.1/,
  );
});

Deno.test("the steepest rate is where the loss falls fastest", () => {
  const rows = [2, 2, 2, 1.9, 1.5, 1.4, 1.4, 9].map((smoothed, i) => ({
    step: i + 1,
    lr: 10 ** (i - 7),
    loss: smoothed,
    smoothed,
  }));
  assert.equal(steepestRate(rows), 1e-4);
  assert.equal(steepestRate(rows.slice(0, 3)), null);
});
