/** ONNX files: the nets of PyTorch's fixtures, as onnxruntime computes them. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import protobuf from "protobufjs";
import { applyScope } from "../../lib/nn/mod.ts";
import { tf } from "../../lib/tensorflow/mod.ts";
import { onnxOf, type TrainedNet, trainedNet } from "../../lib/trained/mod.ts";
import { syntheticFaces } from "../../lib/data/mod.ts";
import { initialise, toTorch } from "../../lib/nn/mod.ts";
import { modelOf } from "../../lib/models/mod.ts";
import { type StoredTensor, writeSafetensors } from "../../lib/weights/mod.ts";
import { inFolder } from "../_folder.ts";
import { readBack, readerTest } from "../_readers.ts";
import {
  distance,
  fixture,
  storedOf,
  tiny,
  type Variant,
  variants,
} from "../models/_tiny.ts";
import { tinyRecipe } from "../train/_tiny.ts";

const CLASSES = ["a", "b", "c", "d", "e", "f", "g"];

/** The net of a PyTorch fixture, read from a file as a user's would be. */
async function fixtureNet(
  variant: Variant,
  more: Record<string, unknown> = {},
): Promise<TrainedNet> {
  const stored = await storedOf(variant);
  const state = [...stored].filter(([name]) =>
    name.startsWith("state.") && !name.endsWith("num_batches_tracked")
  );
  // What the Baseline alone has is no part of another net.
  const own = variant.startsWith("cls")
    ? state.filter(([name]) => !name.includes(".attn.qkv."))
    : state;
  return await netOf(
    new Map(own.map(([name, { shape, data }]) => [
      name.slice("state.".length),
      { dtype: "F32", shape, data },
    ])),
    { ...tiny, ...variants[variant], size: 56, ...more },
  );
}

async function netOf(
  tensors: Map<string, StoredTensor>,
  recipe: Record<string, unknown>,
): Promise<TrainedNet> {
  let net: TrainedNet | undefined;
  await inFolder(async (dir) => {
    const file = join(dir, "net.safetensors");
    await writeSafetensors(file, tensors, {});
    net = await trainedNet(file, { recipe, classes: CLASSES });
  });
  return net!;
}

/** A net of random values, its statistics and norms too. */
function randomNet(fields: Record<string, unknown>): Promise<TrainedNet> {
  const recipe = tinyRecipe(fields);
  const { size, seed } = recipe;
  const state = initialise(modelOf(recipe), [size, size, 3], seed);
  const tensors = new Map<string, StoredTensor>();
  for (const entries of [state.parameters, state.buffers]) {
    for (const [name, { info, data }] of entries) {
      // Values that are 0 or 1 at first would hide where they are missing.
      const values = data.map((x, i) => x + 0.1 + 0.05 * Math.sin(i + 1));
      const stored = toTorch(values, info.shape, info.layout);
      tensors.set(name, { dtype: "F32", ...stored });
    }
  }
  return netOf(tensors, recipe);
}

/** Our own logits of images [B, C, H, W] as ONNX takes them. */
function ours(net: TrainedNet, images: Float32Array): Float32Array {
  const { recipe, channels } = net;
  const { size, normalise: { mean, std } } = recipe;
  return tf.tidy(() => {
    const x = tf.transpose(
      tf.tensor4d(
        images,
        [images.length / (channels * size * size), channels, size, size],
      ),
      [0, 2, 3, 1],
    );
    const state = initialise(modelOf(recipe), [size, size, channels], 0);
    const tensors = (entries: typeof state.parameters) =>
      Object.fromEntries([...entries].map(([name, { info }]) => {
        const { shape, data } = net.tensors.get(name)!;
        const t = tf.tensor(data as Float32Array, shape);
        return [
          name,
          info.layout === "conv"
            ? tf.transpose(t, [2, 3, 1, 0])
            : info.layout === "linear"
            ? tf.transpose(t)
            : t,
        ];
      }));
    const logits = modelOf(recipe)(
      applyScope({
        parameters: tensors(state.parameters),
        buffers: tensors(state.buffers),
        training: false,
      }),
      tf.div(tf.sub(x, mean), std) as tf.Tensor4D,
    );
    return logits.dataSync() as Float32Array;
  });
}

/** Nets beyond the fixtures: each switch of a recipe that shapes a net. */
const OTHERS: Record<string, Record<string, unknown>> = {
  everything: {
    model: "cls",
    patches: "catBeforeMlp",
    scale: "right",
    depth: 2,
    qkNorm: true,
    layerScale: 0.1,
    seHead: true,
    normalise: { mean: 0.5, std: 0.25 },
  },
  baselineScaled: { layerScale: 0.2, qkNorm: true, layers: [2, 1, 1, 2] },
  meanPool: { model: "meanPool", layerScale: 0.1, seHead: true, depth: 2 },
  oddSide: { size: 43, normalise: { mean: 0.1, std: 1 } },
  stride: { size: 50, stemStride: 2 },
};

const NETS: [string, () => Promise<TrainedNet>][] = [
  ...(Object.keys(variants) as Variant[]).map((
    variant,
  ): [string, () => Promise<TrainedNet>] => [
    variant,
    () => fixtureNet(variant),
  ]),
  ...Object.entries(OTHERS).map((
    [name, fields],
  ): [string, () => Promise<TrainedNet>] => [name, () => randomNet(fields)]),
];

const RUN = `
import json, sys
import numpy as np, onnxruntime as ort
session = ort.InferenceSession(sys.argv[1])
shape = [int(n) for n in sys.argv[3].split(",")]
x = np.fromfile(sys.argv[2], dtype=np.float32).reshape(shape)
[logits] = session.run(None, {"images": x})
[alone] = session.run(["logits"], {"images": x[:1]})
print(json.dumps({
  "logits": logits.ravel().tolist(), "alone": alone.ravel().tolist(),
  "metadata": session.get_modelmeta().custom_metadata_map,
  "shape": session.get_inputs()[0].shape}))
`;

interface Answer {
  logits: number[];
  alone: number[];
  metadata: Record<string, string>;
  shape: (string | number)[];
}

async function byOnnxruntime(
  net: TrainedNet,
  images: Float32Array,
): Promise<Answer> {
  let answer: Answer | undefined;
  const { channels, recipe: { size } } = net;
  await inFolder(async (dir) => {
    const file = join(dir, "net.onnx"), input = join(dir, "images");
    await Deno.writeFile(file, await onnxOf(net));
    await Deno.writeFile(input, new Uint8Array(images.buffer));
    const batch = images.length / (channels * size * size);
    const shape = [batch, channels, size, size].join(",");
    answer = await readBack<Answer>(RUN, file, input, shape);
  });
  return answer!;
}

/** Synthetic faces as ONNX takes them, [B, 3, size, size] from 0 to 1. */
function facesOf(size: number, count: number): Float32Array {
  const { test } = syntheticFaces({
    size,
    train: 1,
    validation: 1,
    test: count,
    seed: 11,
  });
  const plane = size * size;
  return Float32Array.from({ length: count * 3 * plane }, (_, i) => {
    const image = Math.floor(i / (3 * plane));
    const c = Math.floor(i / plane) % 3;
    return test.images[(image * plane + i % plane) * 3 + c] / 255;
  });
}

readerTest(
  "onnxruntime gives each net's logits of faces and of noise, one image or several",
  "onnxruntime",
  async () => {
    for (const [name, make] of NETS) {
      const net = await make();
      const { size } = net.recipe;
      const faces = facesOf(size, 3);
      const noise = faces.map((_, i) => Math.abs(Math.sin(i * 12.9898)));
      for (const images of [faces, noise]) {
        const found = await byOnnxruntime(net, images);
        const wanted = ours(net, images);
        const d = distance(found.logits, wanted);
        assert(d < 1e-5, `${name}: by ${d}`);
        assert(distance(found.alone, wanted.slice(0, 7)) < 1e-5, name);
        assert.deepEqual(found.shape, ["batch", 3, size, size]);
        assert.deepEqual(JSON.parse(found.metadata.classes), CLASSES);
      }
    }
  },
);

readerTest(
  "onnxruntime gives PyTorch's logits of each fixture",
  "onnxruntime",
  async () => {
    for (const variant of Object.keys(variants) as Variant[]) {
      const stored = await storedOf(variant);
      const { logits } = await byOnnxruntime(
        await fixtureNet(variant),
        stored.get("input")!.data.slice(),
      );
      const d = distance(logits, stored.get("logits_eval")!.data);
      assert(d < 2e-5, `${variant}: by ${d}`);
    }
    const large = await fixture("ir_vit_tiny.stem_stride2.safetensors");
    const { logits } = await byOnnxruntime(
      await fixtureNet("baseline", { size: 112, stemStride: 2 }),
      large.get("input")!.data.slice(),
    );
    assert(distance(logits, large.get("logits_eval")!.data) < 2e-5);
  },
);

/** SHA-256 of the graphs that onnxruntime computed as ours by the test above. */
const CHECKED: Record<string, string> = JSON.parse(
  await Deno.readTextFile(new URL("../fixtures/onnx.json", import.meta.url)),
);

/** The graph's bytes in a model's, without what is told beside it. */
function graphOf(model: Uint8Array): Uint8Array {
  const { root } = protobuf.parse(
    'syntax = "proto3"; message Model { bytes graph = 7; }',
  );
  const decoded = root.lookupType("Model").decode(model);
  return (decoded as unknown as { graph: Uint8Array }).graph;
}

for (const [name, make] of NETS.slice(0, Object.keys(variants).length)) {
  Deno.test(`${name}: the graph is the one that onnxruntime has checked`, async () => {
    const graph = graphOf(await onnxOf(await make()));
    assert.equal(
      createHash("sha256").update(graph).digest("hex"),
      CHECKED[name],
      "run the tests with FERLAB_PYTHON_READERS, then put the new sum into " +
        "tests/fixtures/onnx.json",
    );
  });
}
