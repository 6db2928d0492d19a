/** Trainings of one net in one process share their compiled steps. */
import assert from "node:assert/strict";
import { modelOf } from "../../lib/models/mod.ts";
import { initialise } from "../../lib/nn/mod.ts";
import { handleCount } from "../../lib/tensorflow/mod.ts";
import { type Recipe, Trainer } from "../../lib/train/mod.ts";
import { stepShape } from "../../lib/train/step_inputs.ts";
import { everything, tinyRecipe } from "./_tiny.ts";

const SHAPE = [8, 16, 16, 3] as const;
const pixels = Uint8Array.from({ length: 8 * 16 * 16 * 3 }, (_, i) => i * i);
const labels = Int32Array.from({ length: 8 }, (_, i) => i % 7);

/** What three steps and an evaluation come to, and whether the net was traced. */
async function train(recipe: Recipe, shared: boolean) {
  const classWeights = recipe.loss.classWeights === "balanced"
    ? [1, 2, 3, 4, 5, 6, 7 + recipe.seed]
    : undefined;
  const net = modelOf(recipe);
  const state = initialise(net, [16, 16, 3], recipe.seed);
  let traced = false;
  const trainer = new Trainer(
    (scope, images) => {
      traced = true;
      return net(scope, images);
    },
    state,
    recipe,
    { classWeights, shared },
  );
  const results: unknown[] = [];
  for (let i = 1; i <= 3; i++) {
    const lr = recipe.lr / i;
    results.push(await trainer.trainBatch(pixels, labels, [...SHAPE], { lr }));
  }
  results.push(Array.from(await trainer.logits(pixels, [...SHAPE])));
  const saved = [...trainer.save()];
  trainer.dispose();
  return { traced, results, saved };
}

/** Recipes of one net with other numbers. */
type Fields = Record<string, unknown>;
const pairs: Record<string, [Fields, Fields]> = {
  "all that can be switched on": [everything, {
    ...everything,
    seed: 9,
    lr: 3e-3,
    betas: [0.8, 0.95],
    eps: 1e-6,
    weightDecay: 0.2,
    groups: [{ match: "irback.", lr: 0.1, weightDecay: 3 }],
    schedule: { kind: "constant" },
    clipNorm: 0.3,
    ema: { decay: 0.5, warmup: false },
    loss: { ...everything.loss, labelSmoothing: 0.3 },
    mixing: { ...everything.mixing, kind: "cutmix", alpha: 1.5 },
    flip: 0.9,
    erasing: { probability: 0.2 },
    attentionDrop: 0.3,
    projectionDrop: 0.3,
    pathDrop: 0.3,
    layerScale: 0.7,
  }],
  "coupled decay": [{ weightDecay: 0.1 }, { weightDecay: 0.3, lr: 1e-2 }],
  momentum: [
    { optimizer: "sgd", dampening: 0.1, momentum: 0.5 },
    { optimizer: "sgd", dampening: 0.2, momentum: 0.9, weightDecay: 0 },
  ],
  "no momentum": [
    { optimizer: "sgd", momentum: 0, lr: 1e-3 },
    { optimizer: "sgd", momentum: 0, lr: 1e-2 },
  ],
};

for (const [what, [first, second]] of Object.entries(pairs)) {
  Deno.test(`${what}: a step compiled for other numbers gives the bits of one compiled for its own`, async () => {
    const [a, b] = [tinyRecipe(first), tinyRecipe(second)];
    const own = await train(b, false);
    assert((await train(a, true)).traced);
    const handles = handleCount();
    const shared = await train(b, true);
    assert(own.traced && !shared.traced);
    assert.deepEqual(shared.results, own.results);
    assert.deepEqual(shared.saved, own.saved);
    assert.equal(handleCount(), handles);
  });
}

Deno.test("what shapes a step, and rates of 0, tell steps apart", () => {
  const drop = { projectionDrop: 0.1 };
  const shapes = [
    drop,
    {},
    { projectionDrop: 0.1, attentionDrop: 0.1 },
    { projectionDrop: 0.1, attentionDrop: 0.2 },
    { ...drop, flip: 0 },
    { ...drop, clipNorm: 1 },
    { ...drop, loss: { labelSmoothing: 0.1 } },
    { ...drop, mixing: { kind: "mixup" } },
    { ...drop, normalise: { mean: 0.5 } },
    { ...drop, optimizer: "adamw" },
    { ...drop, depth: 2 },
  ].map((fields) => stepShape(tinyRecipe(fields)));
  assert.equal(new Set(shapes).size, shapes.length);
  const same = [
    { projectionDrop: 0.3, lr: 1, betas: [0.5, 0.5], seed: 1 },
    { ...drop, flip: 0.1, mixing: { kind: "mixup", alpha: 0 } },
  ];
  for (const fields of same) {
    assert.equal(stepShape(tinyRecipe(fields)), shapes[0]);
  }
});
