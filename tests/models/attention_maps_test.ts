/** Attention maps against PyTorch's and against sums done by hand. */
import assert from "node:assert/strict";
import { tf } from "../../lib/tensorflow/mod.ts";
import type { Forward } from "../../lib/nn/mod.ts";
import {
  attentionMaps,
  attentionStatistics,
  clsAttention,
  readStatistics,
  rollout,
  type StateTensors,
} from "../../lib/models/attention_maps.ts";
import {
  distance,
  fixture,
  images,
  model,
  reference,
  storedOf,
  tensorsOf,
  tinyState,
  type Variant,
  variants,
} from "./_tiny.ts";

const values = (t: tf.Tensor) => t.dataSync() as Float32Array;
const expected = await fixture("attention_gradcam.safetensors");
const of = (name: string) => expected.get(name)!.data;

async function tinyNet(variant: Variant = "baseline") {
  const stored = await storedOf(variant);
  const state = tensorsOf(await tinyState(variant));
  const x = images(stored.get("input")!);
  const free = () =>
    tf.dispose([x, Object.values(state).flatMap(Object.values)]);
  return { forward: model(variant), state, x, free };
}

function statisticsOf(forward: Forward, state: StateTensors, x: tf.Tensor4D) {
  const { layers, statistics } = attentionStatistics(forward, state, x);
  const numbers = values(statistics);
  statistics.dispose();
  return readStatistics(layers, numbers);
}

/** A model without parameters that records the given attention logits. */
const attending = (...blocks: number[][][]): Forward => (scope, x) => {
  blocks.forEach((rows, i) => {
    const logits = tf.tensor4d([[rows]]);
    const at = scope.within(`blocks.${i}.attn`);
    at.record("logits", logits);
    at.record("attention", tf.softmax(logits));
  });
  return tf.zeros([x.shape[0], 7]);
};
const nothing = { parameters: {}, buffers: {} };
const noImages = tf.zeros([1, 1, 1, 3]) as tf.Tensor4D;

Deno.test("attention maps, the cls row and the rollout are PyTorch's", async () => {
  const { forward, state, x, free } = await tinyNet();
  const before = tf.memory().numTensors;
  const maps = attentionMaps(forward, state, x);
  assert.equal(maps.length, 2);
  maps.forEach((weights, i) => {
    assert.deepEqual(weights.shape, [4, 4, 17, 17]);
    const d = distance(values(weights), of(`attention.blocks.${i}`));
    assert(d < 1e-5, `block ${i} differs by ${d}`);
    const cls = clsAttention(weights);
    assert.deepEqual(cls.shape, [4, 4, 4]);
    const rows = [0, 1, 2, 3].flatMap((b) => [
      ...of("attention.cls_mean").subarray((4 * i + b) * 17 + 1).slice(0, 16),
    ]);
    assert(distance(values(cls), rows) < 1e-5);
    cls.dispose();
  });
  const rolled = rollout(maps);
  assert.deepEqual(rolled.shape, [4, 4, 4]);
  assert(distance(values(rolled), of("attention.rollout_cls")) < 1e-5);
  tf.dispose([maps, rolled]);
  assert.equal(tf.memory().numTensors, before);
  free();
});

for (const variant of Object.keys(variants) as Variant[]) {
  Deno.test(`${variant}: the cls query's entropy is PyTorch's`, async () => {
    const { forward, state, x, free } = await tinyNet(variant);
    const before = tf.memory().numTensors;
    const blocks = statisticsOf(forward, state, x);
    const wanted = reference.variants[variant]
      .mean_cls_attention_entropy_nats_eval;
    assert(distance(blocks.map(({ cls }) => cls.entropy), wanted) < 1e-5);
    const clsAlone = variant.startsWith("cls");
    for (const { cls, all } of blocks) {
      if (clsAlone) assert.deepEqual(cls, all);
      else assert(all.maxLogit >= cls.maxLogit);
    }
    assert.equal(tf.memory().numTensors, before);
    free();
  });
}

Deno.test("a block's statistics are those of its logits", () => {
  const forward = attending([[0, 0, 0], [200, -5, -5], [-9, -9, -9]]);
  const [{ cls, all }] = statisticsOf(forward, nothing, noImages);
  assert.equal(cls.maxLogit, 0);
  assert.equal(all.maxLogit, 200);
  const even = Math.log(3);
  assert(Math.abs(cls.entropy - even) < 1e-6);
  assert(Math.abs(all.entropy - 2 / 3 * even) < 1e-6);
});

Deno.test("where cls alone asks, kept patches roll out as themselves", () => {
  // Weights by the logits' exponentials; one patch, so that maps are 1 × 1.
  const forward = attending(
    [[Math.log(3), Math.log(1)]],
    [[Math.log(1), Math.log(4)]],
  );
  const maps = attentionMaps(forward, nothing, noImages);
  // Rows of cls: (3/4 + 1, 1/4) / 2 and (1/5 + 1, 4/5) / 2.
  const first = [7 / 8, 1 / 8], second = [3 / 5, 2 / 5];
  const patch = second[0] * first[1] + second[1];
  assert(distance(values(rollout(maps)), [patch]) < 1e-6);
});

Deno.test("where patches are dropped, the rollout is the first block's", async () => {
  const { forward, state, x, free } = await tinyNet("cls_dropped");
  const maps = attentionMaps(forward, state, x);
  assert.deepEqual(maps.map((w) => w.shape), [[4, 4, 1, 17], [4, 4, 1, 1]]);
  const half = tf.div(clsAttention(maps[0]), 2);
  assert(distance(values(rollout(maps)), values(half)) < 1e-6);
  assert.throws(() => clsAttention(maps[1]), /sees no patches/);
  tf.dispose([maps, half]);
  free();
});

Deno.test("a model without attention and a map that is no square are refused", () => {
  assert.throws(
    () => attentionMaps(attending(), nothing, noImages),
    /no attention blocks/,
  );
  assert.throws(
    () => clsAttention(tf.ones([1, 1, 1, 4])),
    /3 patches are not a square map/,
  );
});
