/** The models against PyTorch's numbers of the reduced networks. */
import assert from "node:assert/strict";
import { compile, tf } from "../../lib/tensorflow/mod.ts";
import { type ModelName, modelOf } from "../../lib/models/mod.ts";
import { applyScope, initialise, toTorch } from "../../lib/nn/mod.ts";
import { crossEntropy } from "../../lib/train/mod.ts";
import {
  distance,
  fixture,
  full,
  images,
  lossOf,
  model,
  reference,
  relativeL2,
  storedOf,
  tensorsOf,
  tiny,
  tinyState,
  type Variant,
  variants,
} from "./_tiny.ts";

const values = (t: tf.Tensor) => t.dataSync() as Float32Array;
const labels = () => tf.tensor1d(reference.labels, "int32");
const largest = (numbers: Float32Array) =>
  numbers.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
/** An activation as PyTorch stores it. */
const asStored = (t: tf.Tensor) =>
  values(t.rank === 4 ? tf.transpose(t, [0, 3, 1, 2]) : t);

for (const variant of Object.keys(variants) as Variant[]) {
  const facts = reference.variants[variant];
  const stored = await storedOf(variant);
  const state = await tinyState(variant);
  const forward = model(variant);
  const expected = (name: string) => stored.get(name)!.data;

  const run = (training: boolean) => {
    const seen = new Map<string, tf.Tensor>();
    const scope = applyScope({
      ...tensorsOf(state),
      training,
      record: (name, value) => void seen.set(name, value),
    });
    const logits = forward(scope, images(stored.get("input")!));
    return { seen, logits, updates: scope.updates };
  };

  Deno.test(`${variant}: parameters are as many as PyTorch's`, () => {
    let count = 0;
    state.parameters.forEach(({ data }) => count += data.length);
    assert.equal(count, facts.params);
  });

  for (const mode of ["eval", "train"] as const) {
    Deno.test(`${variant}: logits, loss and activations in ${mode} mode are PyTorch's`, () => {
      tf.tidy(() => {
        const { seen, logits } = run(mode === "train");
        assert(distance(values(logits), expected(`logits_${mode}`)) < 2e-5);
        const loss = values(crossEntropy(logits, labels()))[0];
        const wanted = facts[`loss_${mode}`];
        assert(Math.abs(loss - wanted) < 1e-5, `loss ${loss}, not ${wanted}`);
        const names = [...stored.keys()]
          .filter((n) => n.startsWith(`act_${mode}.`));
        assert(names.length >= 4);
        for (const name of names) {
          const activation = seen.get(name.slice(name.indexOf(".") + 1));
          assert(activation, `${name} is not recorded`);
          const wanted = expected(name);
          const d = distance(asStored(activation), wanted);
          // Rounding grows with the numbers.
          const allowed = 2e-5 * Math.max(1, largest(wanted));
          assert(d < allowed, `${name} differs by ${d}, ${allowed} is allowed`);
        }
      });
    });
  }

  Deno.test(`${variant}: the cls token's attention is PyTorch's`, () => {
    tf.tidy(() => {
      const { seen } = run(false);
      for (let i = 0; i < tiny.depth; i++) {
        const weights = seen.get(`blocks.${i}.attn.attention`)!;
        const [batch, heads, , tokens] = weights.shape;
        const ofCls = tf.slice(
          weights,
          [0, 0, 0, 0],
          [batch, heads, 1, tokens],
        );
        const d = distance(values(ofCls), expected(`attn_eval.blocks.${i}`));
        assert(d < 3e-5, `block ${i} differs by ${d}`);
        const entropy = -values(
          tf.mean(tf.sum(tf.mul(ofCls, tf.log(ofCls)), -1)),
        )[0];
        const wanted = facts.mean_cls_attention_entropy_nats_eval[i];
        assert(Math.abs(entropy - wanted) < 1e-4, `block ${i}: ${entropy}`);
      }
    });
  });

  Deno.test(`${variant}: running statistics after one training step are PyTorch's`, () => {
    tf.tidy(() => {
      const { updates } = run(true);
      assert.deepEqual(
        [...updates.keys()].sort(),
        [...state.buffers.keys()].sort(),
      );
      for (const [name, value] of updates) {
        const d = distance(values(value), expected(`after.${name}`));
        assert(d < 1e-5, `${name} differs by ${d}`);
      }
    });
  });

  Deno.test(`${variant}: every parameter's gradient is PyTorch's`, () => {
    tf.tidy(() => {
      const tensors = tensorsOf(state);
      const names = Object.keys(tensors.parameters);
      const x = images(stored.get("input")!);
      const loss = lossOf(forward, tensors, (y) => crossEntropy(y, labels()));
      const [, ...grads] = tf.grads(loss)(
        [x, ...Object.values(tensors.parameters)],
      );
      const noise = new Set(facts.rounding_noise_gradients);
      const zero = new Set(facts.exactly_zero_gradients);
      names.forEach((name, i) => {
        const { info } = state.parameters.get(name)!;
        const ours = toTorch(values(grads[i]), info.shape, info.layout).data;
        const wanted = expected(`grad.${name}`);
        if (zero.has(name)) {
          assert.equal(distance(ours, new Float32Array(ours.length)), 0, name);
        } else if (noise.has(name)) {
          assert(distance(ours, wanted) < 1e-5, `${name} is not near zero`);
        } else {
          const d = relativeL2(ours, wanted);
          assert(d < 5e-4, `${name}: relative difference ${d}`);
        }
      });
    });
  });
}

const stored = await storedOf("baseline");
const state = await tinyState();

Deno.test("maps that a watcher puts in place of others train to PyTorch's logits", () => {
  tf.tidy(() => {
    const scope = applyScope({
      ...tensorsOf(state),
      training: true,
      record: (_, value) => tf.add(value, 0),
    });
    const logits = model("baseline")(scope, images(stored.get("input")!));
    const d = distance(values(logits), stored.get("logits_train")!.data);
    assert(d < 2e-5, `logits differ by ${d}`);
  });
});

Deno.test("a stem of stride 2 gives PyTorch's logits", async () => {
  const other = await fixture("ir_vit_tiny.stem_stride2.safetensors");
  tf.tidy(() => {
    const scope = applyScope({ ...tensorsOf(state), training: false });
    const forward = modelOf({ ...tiny, stemStride: 2 });
    const logits = forward(scope, images(other.get("input")!));
    assert(distance(values(logits), other.get("logits_eval")!.data) < 2e-5);
  });
});

Deno.test("the compiled Baseline gives the eager one's loss and gradients", async () => {
  const tensors = tensorsOf(state);
  const x = images(stored.get("input")!), y = labels();
  const loss = lossOf(model("baseline"), tensors, (z) => crossEntropy(z, y));
  const step = (...v: tf.Tensor[]) => {
    const { value, grads } = tf.valueAndGrads(loss)(v);
    return [value as tf.Tensor, ...grads];
  };
  const inputs = [x, ...Object.values(tensors.parameters)];
  const compiled = compile(step);
  const one = await compiled(...inputs);
  const other = tf.tidy(() => step(...inputs));
  one.forEach((t, i) => {
    const d = distance(values(t), values(other[i]));
    assert(d < 1e-5, `output ${i} differs by ${d}`);
  });
  compiled.dispose();
  tf.dispose([one, other, inputs, Object.values(tensors.buffers), y]);
});

interface InitialFacts {
  name: string;
  shape: number[];
  mean: number;
  std: number;
  min: number;
  max: number;
}

for (const name of ["baseline", "cls"] satisfies ModelName[]) {
  Deno.test(`the full ${name} has PyTorch's names, shapes and initial statistics`, async () => {
    const file = new URL("../fixtures/init_and_shapes.json", import.meta.url);
    const { models } = JSON.parse(await Deno.readTextFile(file)) as {
      models: Record<ModelName, InitialFacts[]>;
    };
    // The backbone is the same in both, and stored once.
    const wanted = [
      ...models.baseline.filter((p) => p.name.startsWith("irback.")),
      ...models[name].filter((p) => !p.name.startsWith("irback.")),
    ];
    const { parameters } = initialise(
      modelOf({ ...full, model: name }),
      [112, 112, 3],
      1,
    );
    assert.deepEqual(
      [...parameters.keys()].sort(),
      wanted.map((p) => p.name).sort(),
    );
    let count = 0;
    for (const p of wanted) {
      const { info, data } = parameters.get(p.name)!;
      const { shape } = toTorch(data, info.shape, info.layout);
      assert.deepEqual(shape, p.shape, p.name);
      count += data.length;
      checkStatistics(p, data, info.layout === "linear");
    }
    assert.equal(count, 55_980_743);
  });
}

/** Two draws of one distribution agree within 6 standard errors. */
function checkStatistics(
  p: InitialFacts,
  data: Float32Array,
  bounded: boolean,
) {
  let sum = 0, squares = 0, low = Infinity, high = -Infinity;
  for (const v of data) {
    sum += v;
    squares += v * v;
    low = Math.min(low, v);
    high = Math.max(high, v);
  }
  const n = data.length, m = sum / n;
  const sd = Math.sqrt(Math.max(0, squares / n - m * m));
  if (p.std === 0) {
    assert.deepEqual([low, high], [p.mean, p.mean], p.name);
    return;
  }
  const error = 6 * p.std / Math.sqrt(n);
  assert(Math.abs(m - p.mean) < 1.5 * error, `${p.name}: mean ${m}`);
  assert(Math.abs(sd - p.std) < 1.5 * error, `${p.name}: deviation ${sd}`);
  if (bounded && n > 1e4) {
    const near = (a: number, b: number) => Math.abs(a - b) < 0.01 * p.std;
    assert(near(low, p.min) && near(high, p.max), p.name);
  }
}

const small = { ...tiny, depth: 3 };
const ofModel = (options: Partial<typeof tiny>, training = false, seed = 1) => {
  const forward = modelOf({ ...small, ...options });
  const state = initialise(forward, [32, 32, 3], 4);
  // A cls token and positions of 0 would hide what depends on them.
  for (const name of ["cls_token", "pos_embed"]) {
    state.parameters.get(name)?.data.forEach((_, i, all) =>
      all[i] = Math.sin(i)
    );
  }
  const scope = applyScope({
    ...tensorsOf(state),
    training,
    seed: tf.tensor1d([seed, 2], "int32"),
  });
  const x = tf.randomUniform([4, 32, 32, 3], 0, 1, "float32", 5);
  return { state, logits: values(forward(scope, x as tf.Tensor4D)) };
};

Deno.test("LayerScale, SE head and mean pool have the parameters of their papers", () => {
  const count = (options: Partial<typeof tiny>) => {
    let n = 0;
    ofModel(options).state.parameters.forEach(({ data }) => n += data.length);
    return n;
  };
  const plain = count({}), { dim, depth } = small;
  assert.equal(count({ layerScale: 1e-5 }), plain + 2 * depth * dim);
  assert.equal(count({ seHead: true }), plain + 2 * (dim * dim + dim));
  const { parameters } = ofModel({ model: "meanPool" }).state;
  const own = [...parameters.keys()].filter((n) => !n.startsWith("irback."));
  assert(own.every((n) => /^(blocks\.\d\.(mlp|norm2)|norm|head)\./.test(n)));
});

Deno.test("a LayerScale near 0 makes the blocks vanish", () => {
  const { logits } = ofModel({ layerScale: 1e-12, model: "meanPool" });
  const shallow = ofModel({ layerScale: 1e-12, model: "meanPool", depth: 1 });
  assert(distance(logits, shallow.logits) < 1e-6);
});

for (const name of ["baseline", "cls", "meanPool"] satisfies ModelName[]) {
  for (const drop of ["attentionDrop", "projectionDrop", "pathDrop"] as const) {
    if (name === "meanPool" && drop === "attentionDrop") continue;
    Deno.test(`${name}: ${drop} acts in training alone, anew in each step`, () => {
      tf.tidy(() => {
        const options = { model: name, [drop]: 0.5 };
        const plain = ofModel({ model: name }).logits;
        assert.deepEqual(ofModel(options).logits, plain);
        assert.deepEqual(
          ofModel({ model: name, [drop]: 0 }, true).logits,
          ofModel({ model: name }, true).logits,
        );
        const one = ofModel(options, true).logits;
        assert.deepEqual(ofModel(options, true).logits, one);
        assert.notDeepEqual(ofModel(options, true, 2).logits, one);
      });
    });
  }
}
