/** Grad-CAM against PyTorch's maps of the reduced Baseline. */
import assert from "node:assert/strict";
import { tf } from "../../lib/tensorflow/mod.ts";
import { gradCam, overMaximum, upsample } from "../../lib/trained/gradcam.ts";
import {
  distance,
  fixture,
  images,
  model,
  tensorsOf,
  tinyState,
} from "../models/_tiny.ts";

const values = (t: tf.Tensor) => t.dataSync() as Float32Array;
const expected = await fixture("attention_gradcam.safetensors");
const stored = await fixture("ir_vit_tiny.safetensors");
const forward = model("baseline");
const state = tensorsOf(await tinyState());
const x = images(stored.get("input")!);

const close = (t: tf.Tensor, name: string) => {
  const { data, shape } = expected.get(name)!;
  assert.deepEqual(t.shape, shape, name);
  const d = distance(values(t), data);
  assert(d < 1e-5, `${name} differs by ${d}`);
};

const recorded = {
  layer4: "irback.layer4",
  layer3: "irback.layer3",
  block1_norm1: "blocks.1.norm1",
};
for (const [key, activation] of Object.entries(recorded)) {
  Deno.test(`Grad-CAM of all classes on ${activation} is PyTorch's`, () => {
    const before = tf.memory().numTensors;
    const cam = gradCam(forward, state, x, { activation });
    close(cam.weights, `gradcam.${key}.weights`);
    close(cam.signed, `gradcam.${key}.signed`);
    close(cam.map, `gradcam.${key}.map`);
    tf.dispose({ ...cam });
    assert.equal(tf.memory().numTensors, before);
  });
}

Deno.test("the predicted class's map at the image's size is PyTorch's", () => {
  // The model predicts class 3 for all four images.
  const { map } = gradCam(forward, state, x, {
    activation: "irback.layer4",
    classes: [3],
  });
  assert.deepEqual(map.shape, [4, 1, 4, 4]);
  const large = upsample(overMaximum(map), [56, 56]);
  assert.deepEqual(large.shape, [4, 1, 56, 56]);
  close(tf.squeeze(large, [1]), "gradcam.layer4.map_upsampled_bilinear");
});

Deno.test("maps over their maximum are PyTorch's", () => {
  const { map } = gradCam(forward, state, x, { activation: "irback.layer4" });
  close(overMaximum(map), "gradcam.layer4.map_over_max");
});

Deno.test("chosen classes come in the order asked for", () => {
  const activation = "irback.layer4";
  const all = gradCam(forward, state, x, { activation });
  const some = gradCam(forward, state, x, { activation, classes: [5, 0] });
  const picked = tf.gather(all.signed, [5, 0], 1);
  assert(distance(values(some.signed), values(picked)) < 1e-7);
});

Deno.test("what Grad-CAM cannot show is refused", () => {
  const cam = (activation: string, classes?: number[]) => () =>
    gradCam(forward, state, x, { activation, classes });
  assert.throws(cam("layer9"), /no layer9; choose one of .*irback\.layer4/);
  assert.throws(cam("irback.layer4", [7]), /no class 7, the model has 7/);
  const dropped = () =>
    gradCam(
      (scope, images) =>
        tf.squeeze(
          scope.record("cls", tf.mean(images, [1, 2]).reshape([-1, 1, 3])),
          [1],
        ),
      state,
      x,
      { activation: "cls" },
    );
  assert.throws(dropped, /cls is \[4,1,3\], neither a map nor/);
});
