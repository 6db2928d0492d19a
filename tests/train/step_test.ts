/** The training step against PyTorch, and what it leaves behind. */
import assert from "node:assert/strict";
import v8 from "node:v8";
import vm from "node:vm";
import { compile, handleCount, tf } from "../../lib/tensorflow/mod.ts";
import { baseline } from "../../lib/models/mod.ts";
import { initialise } from "../../lib/nn/mod.ts";
import {
  adamSchedule,
  disposeVariables,
  trainStep,
  variablesOf,
} from "../../lib/train/step.ts";
import {
  fixture,
  images,
  reference,
  tiny,
  tinyState,
} from "../models/_tiny.ts";
import { cases } from "../tensorflow/_ops.ts";
import { tinyRecipe } from "./_tiny.ts";

const adam = {
  lr: 1e-3,
  betas: [0.9, 0.999] as [number, number],
  eps: 1e-8,
  weightDecay: 0.05,
};

Deno.test("ten Adam steps with coupled decay follow PyTorch's losses", async () => {
  const stored = await fixture("ir_vit_tiny.safetensors");
  const x = images(stored.get("input")!);
  const labels = tf.tensor1d(reference.labels, "int32");
  const variables = variablesOf(await tinyState());
  const step = compile((schedule) => [
    trainStep(baseline(tiny), variables, x, labels, schedule, adam).loss,
  ]);
  const { float32 } = reference.adam_trace.baseline;
  for (const [i, wanted] of float32.entries()) {
    const schedule = adamSchedule(adam, i + 1);
    const [loss] = await step(schedule);
    const value = loss.dataSync()[0];
    assert(
      Math.abs(value - wanted) < 1e-3 * wanted,
      `step ${i + 1}: loss ${value}, PyTorch ${wanted}`,
    );
    tf.dispose([loss, schedule]);
  }
  step.dispose();
  disposeVariables(variables);
  tf.dispose([x, labels]);
});

v8.setFlagsFromString("--expose-gc");
const collectGarbage: () => void = vm.runInNewContext("gc");

/** 500 steps of a small net; returns what grew after the first 100. */
async function growth(step: (i: number) => Promise<void> | void) {
  let handles = 0, tensors = 0, rss = 0;
  for (let i = 0; i < 500; i++) {
    await step(i);
    if (i % 100 === 99) collectGarbage();
    if (i !== 99) continue;
    handles = handleCount();
    tensors = tf.memory().numTensors;
    rss = Deno.memoryUsage().rss;
  }
  return {
    handles: handleCount() - handles,
    tensors: tf.memory().numTensors - tensors,
    rss: Deno.memoryUsage().rss / rss - 1,
  };
}

function setUp() {
  const recipe = tinyRecipe();
  const forward = baseline(recipe);
  const variables = variablesOf(initialise(forward, [16, 16, 3], 1));
  const x = tf.zeros([8, 16, 16, 3]) as tf.Tensor4D;
  const labels = tf.tensor1d([0, 1, 2, 3, 4, 5, 6, 0], "int32");
  const run = (schedule: tf.Tensor) =>
    trainStep(forward, variables, x, labels, schedule, recipe).loss;
  return { recipe, run };
}

Deno.test("500 compiled steps leave no handle and no memory behind, errors included", async () => {
  const { recipe, run } = setUp();
  const step = compile((schedule) => [run(schedule)]);
  const broken = compile((x) => [tf.matMul(x as tf.Tensor2D, tf.ones([3, 3]))]);
  const grown = await growth(async (i) => {
    const schedule = adamSchedule(recipe, i + 1);
    const [loss] = await step(schedule);
    tf.dispose([schedule, loss]);
    if (i % 50 === 0) {
      const x = tf.ones([2, 2]);
      await assert.rejects(broken(x));
      x.dispose();
    }
  });
  assert.equal(grown.handles, 0);
  assert.equal(grown.tensors, 0);
  assert(grown.rss < 0.05, `RSS grew by ${grown.rss}`);
});

Deno.test("500 eager steps leave no handle and no memory behind, errors included", async () => {
  const { recipe, run } = setUp();
  const grown = await growth((i) => {
    tf.tidy(() => void run(adamSchedule(recipe, i + 1)));
    if (i % 50 === 0) {
      assert.throws(() =>
        tf.tidy(() => {
          run(adamSchedule(recipe, i + 1));
          throw new Error("in the middle of a step");
        })
      );
    }
  });
  assert.equal(grown.handles, 0);
  assert.equal(grown.tensors, 0);
  assert(grown.rss < 0.05, `RSS grew by ${grown.rss}`);
});

async function kernels(work: () => tf.Tensor): Promise<string[]> {
  const { kernelNames } = await tf.profile(() =>
    tf.tidy(() => tf.clone(work()))
  );
  return kernelNames;
}

Deno.test("every tfjs kernel of a training step is among those checked", async () => {
  const checked = new Set<string>();
  for (const work of Object.values(cases)) {
    for (const name of await kernels(work)) checked.add(name);
  }
  const { recipe, run } = setUp();
  const used = await kernels(() => run(adamSchedule(recipe, 1)));
  assert(used.length > 20);
  // Ours are held to PyTorch's numbers with the whole model.
  const missing = used.filter((n) =>
    !n.startsWith("Ferlab") && !checked.has(n)
  );
  assert.deepEqual(missing, []);
});
