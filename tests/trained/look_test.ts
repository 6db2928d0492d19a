/** Looks into small nets: what dropped patches do, and a dry run. */
import assert from "node:assert/strict";
import { tf } from "../../lib/tensorflow/mod.ts";
import { type Recipe, recipes } from "../../lib/train/mod.ts";
import { aboveMean, lookInside } from "../../lib/trained/look_inside.ts";
import { withEnv } from "../_env.ts";

const small: Recipe = {
  ...recipes.slim,
  ...{ widths: [8, 16, 32, 64], stemWidth: 8, layers: [1, 1, 1, 1], dim: 64 },
  ...{ size: 32, depth: 2, batchSize: 32, lr: 1e-3 },
};

Deno.test("behind dropped patches a block sees one token, and nothing trains its queries and keys", async () => {
  const { columns, faces, blocks } = await lookInside({
    ViT: { ...small, model: "baseline" },
    CLS: { ...small, model: "cls", patches: "dropped" },
  }, { train: 64 });
  assert.deepEqual(
    blocks.map(({ net, block }) => `${net} ${block}`),
    ["ViT 1", "ViT 2", "CLS 1", "CLS 2"],
  );
  const [, vit, first, second] = blocks;
  assert(vit.entropy > 0 && vit.gradients.qkv > 0);
  assert(first.entropy > 0 && first.gradients.wq > 0);
  assert.equal(second.entropy, 0);
  assert.equal(second.gradients.wq, 0);
  assert.equal(second.gradients.wk, 0);
  assert(second.gradients.wv > 0);

  assert.deepEqual(columns, [
    "ViT: attention, last block",
    "ViT: rollout",
    "ViT: Grad-CAM",
    "CLS: attention, block 1",
    "CLS: Grad-CAM",
  ]);
  assert.equal(faces.length, 7);
  for (const { face, maps, side } of faces) {
    assert.equal(face.length, 32 * 32 * 3);
    assert.equal(maps.length, columns.length);
    for (const map of maps) {
      assert.equal(map.length, side * side);
      assert(map.every((v) => v >= 0 && v <= 1 + 1e-6));
    }
  }
});

Deno.test("attention shows as what a patch has above the mean, never an even look", () => {
  const of = (
    shares: number[],
  ) => [...aboveMean(tf.tensor3d(shares, [1, 2, 2])).dataSync()];
  assert.deepEqual(of([0.25, 0.25, 0.25, 0.25]), [0, 0, 0, 0]);
  // Their mean is 0.25: the shares are 1.5, 0.5, 2 and 0 times as large.
  assert.deepEqual(of([0.375, 0.125, 0.5, 0]), [0.5, 0, 1, 0]);
  assert.deepEqual(of([0, 0, 0, 0]), [0, 0, 0, 0]);
});

Deno.test("a dry run trains no net to look into", async () => {
  const { faces, blocks } = await withEnv(
    { FERLAB_DRY_RUN: "1" },
    () => lookInside({ ViT: small }),
  );
  assert.deepEqual([faces, blocks], [[], []]);
});

Deno.test("nets of several sizes have no faces in common", async () => {
  await assert.rejects(
    lookInside({ a: small, b: { ...small, size: 64 } }),
    /^RecipeError: lookInside: the nets see 32 and 64 pixels: give one size$/,
  );
});
