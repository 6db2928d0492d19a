/** Faults put into a training step, and where they are found. */
import assert from "node:assert/strict";
import { handleCount, tf } from "../../lib/tensorflow/mod.ts";
import { constant, conv2d, type Forward, linear } from "../../lib/nn/mod.ts";
import { locateNonFinite } from "../../lib/train/locate_non_finite.ts";
import { crossEntropy } from "../../lib/train/losses.ts";
import {
  fixture,
  images,
  model,
  reference,
  tensorsOf,
  tinyState,
} from "../models/_tiny.ts";

const forward = model("baseline");
const state = await tinyState();
const input = (await fixture("ir_vit_tiny.safetensors")).get("input")!;

type Step = Parameters<typeof locateNonFinite<tf.Tensor1D>>[0];

/** A step of the reduced Baseline, with some parameters or pixels changed. */
function tinyStep(
  change: (name: string, data: Float32Array) => Float32Array = (_, d) => d,
): Step {
  const changed = new Map(
    [...state.parameters].map(([name, { info, data }]) => [
      name,
      { info, data: change(name, data) },
    ]),
  );
  return {
    forward,
    ...tensorsOf({ parameters: changed, buffers: state.buffers }),
    images: images({ ...input, data: change("images", input.data) }),
    targets: tf.tensor1d(reference.labels, "int32"),
    loss: crossEntropy,
  };
}

/** What is found; nothing may be left behind. */
function located(step: Step) {
  const count = () => [tf.memory().numTensors, handleCount()];
  // A tensor is on the device from its first use on.
  locateNonFinite(step);
  const before = count();
  const found = locateNonFinite(step);
  assert.deepEqual(count(), before);
  const { parameters, buffers, images, targets } = step;
  tf.dispose([images, targets, parameters, buffers]);
  return found;
}

const filled =
  (names: string, value: number) => (name: string, d: Float32Array) =>
    name === names ? d.map(() => value) : d;
const one = (names: string, value: number) => (name: string, d: Float32Array) =>
  name === names ? d.map((v, i) => i === 4 ? value : v) : d;

Deno.test("a healthy step has nothing to find", () => {
  assert.equal(located(tinyStep()), null);
});

Deno.test("a NaN in a parameter is named before anything is computed", () => {
  const name = "blocks.0.mlp.fc1.weight";
  assert.deepEqual(located(tinyStep(one(name, NaN))), {
    where: "parameter",
    op: "",
    layer: "blocks.0.mlp.fc1",
    parameter: name,
    message: `parameter ${name} holds NaN: ` +
      "1 of 4096 values not finite before the step",
  });
});

Deno.test("a NaN pixel is the input's", () => {
  const found = located(tinyStep(one("images", NaN)));
  assert.equal(found?.where, "input");
  assert.equal(found.layer, "images");
  assert.match(found.message, /^images hold NaN: .*first in image 0/);
});

Deno.test("weights too large are found in the op that overflows", () => {
  const name = "blocks.1.mlp.fc2.weight";
  const found = located(tinyStep(filled(name, 3e38)));
  assert.equal(found?.where, "forward");
  assert.equal(found.layer, "blocks.1.mlp.fc2");
  assert.match(found.op, /MatMul/);
  assert.match(found.message, /^loss is NaN: .*inputs up to 3\.0e\+38$/);
});

Deno.test("attention logits that overflow are the attention's, not its projections'", () => {
  const qkv = "blocks.1.attn.qkv.weight";
  const found = located(
    tinyStep((name, d) => name === qkv ? d.map((v) => v * 1e21) : d),
  );
  assert.equal(found?.where, "forward");
  assert.equal(found.layer, "blocks.1.attn");
  assert.match(found.op, /BatchMatMul/);
});

/** The mean pixel through `layers`, then a head; `head.weight` is not 0. */
function small(
  layers: (...args: Parameters<Forward>) => tf.Tensor2D,
  parameters: Step["parameters"],
): Step {
  const ramp = Array.from({ length: 49 }, (_, i) => Math.sin(i));
  return {
    ...tinyStep(),
    forward: (scope, x) => linear(scope.within("head"), layers(scope, x), 7),
    parameters: {
      ...parameters,
      "head.weight": tf.tensor2d(ramp, [7, 7]),
      "head.bias": tf.zeros([7]),
    },
    buffers: {},
  };
}
const pooled = (x: tf.Tensor4D) => tf.mean(x, [1, 2]) as tf.Tensor2D;

Deno.test("a shortcut's sum that overflows is its block's, not its last layer's", () => {
  const found = located(small((scope, x) => {
    const y = linear(scope.within("block.fc"), pooled(x), 7);
    return scope.record("block", tf.add(y, y));
  }, {
    "block.fc.weight": tf.zeros([3, 7]),
    "block.fc.bias": tf.fill([7], 2e38),
  }));
  assert.equal(found?.layer, "block");
  assert.match(found.op, /^Add/);
  assert.match(found.message, /\(forward\), inputs up to 2\.0e\+38$/);
});

Deno.test("an infinity that a mask takes away is no fault", () => {
  const found = located({
    ...tinyStep(),
    loss: (logits, labels) => {
      const masked = tf.where(
        tf.scalar(false),
        tf.log(tf.zerosLike(logits)),
        0,
      );
      return tf.add(crossEntropy(logits, labels), tf.sum(masked));
    },
  });
  assert.equal(found, null);
});

Deno.test("a running variance that overflows is found though the loss is finite", () => {
  const found = located(
    tinyStep((name, d) => name === "images" ? d.map((v) => v * 1e25) : d),
  );
  assert.equal(found?.layer, "irback.bn1");
  assert.equal(found.op, "FusedBatchNormV3");
  assert.match(found.message, /^buffer irback\.bn1\.running_var is Infinity: /);
});

Deno.test("the logarithm of 0 is the loss's", () => {
  const found = located({
    ...tinyStep(),
    loss: (logits) => tf.mean(tf.log(tf.mul(tf.softmax(logits), 0))),
  });
  assert.equal(found?.where, "loss");
  assert.equal(found.layer, "loss");
  assert.equal(found.op, "Log");
  assert.match(found.message, /^loss is -Infinity: .*\(loss\), inputs up to 0/);
});

Deno.test("a root of 0, whose slope is infinite, is found in the gradient of its layer", () => {
  const found = located(small((scope, x) => {
    const y = linear(scope.within("below"), pooled(x), 7);
    const scale = scope.within("root").param("s", [7], "none", constant(0));
    return tf.add(y, tf.sqrt(scale));
  }, {
    "below.weight": tf.zeros([3, 7]),
    "below.bias": tf.zeros([7]),
    "root.s": tf.zeros([7]),
  }));
  assert.equal(found?.where, "backward");
  assert.equal(found.layer, "root");
  assert.equal(found.parameter, "root.s");
  assert.match(found.message, /^gradient of root\.s is -?Infinity: /);
});

Deno.test("a filter's gradient that overflows is its own layer's, not its input's", () => {
  const conv = { filters: 7, kernel: 3 } as const;
  const found = located({
    ...small((scope, x) => {
      const { x: y } = conv2d(scope.within("first"), { x }, conv);
      return pooled(conv2d(scope.within("second"), { x: y }, conv).x);
    }, {
      "first.weight": tf.fill([3, 3, 3, 7], 1e4),
      "second.weight": tf.zeros([3, 3, 7, 7]),
    }),
    loss: (logits, labels) => tf.mul(crossEntropy(logits, labels), 1e38),
  });
  assert.equal(found?.where, "backward");
  assert.equal(found.op, "Conv2DBackpropFilter");
  assert.equal(found.layer, "second");
  assert.equal(found.parameter, "second.weight");
});
