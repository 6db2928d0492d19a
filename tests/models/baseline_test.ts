/** The Baseline against PyTorch's numbers of the reduced network. */
import assert from "node:assert/strict";
import { compile, tf } from "../../lib/tensorflow/mod.ts";
import { baseline } from "../../lib/models/mod.ts";
import { applyScope, initialise, toTorch } from "../../lib/nn/mod.ts";
import { crossEntropy } from "../../lib/train/losses.ts";
import {
  distance,
  fixture,
  images,
  reference,
  relativeL2,
  tensorsOf,
  tiny,
  tinyState,
} from "./_tiny.ts";

const stored = await fixture("ir_vit_tiny.safetensors");
const state = await tinyState();
const expected = (name: string) => stored.get(name)!.data;
const labels = () => tf.tensor1d(reference.labels, "int32");
const values = (t: tf.Tensor) => t.dataSync() as Float32Array;
/** An activation as PyTorch stores it. */
const asStored = (t: tf.Tensor) =>
  values(t.rank === 4 ? tf.transpose(t, [0, 3, 1, 2]) : t);

function run(training: boolean) {
  const seen = new Map<string, tf.Tensor>();
  const scope = applyScope({
    ...tensorsOf(state),
    training,
    record: (name, value) => void seen.set(name, value),
  });
  const logits = baseline(tiny)(scope, images(stored.get("input")!));
  return { seen, logits, updates: scope.updates };
}

for (const mode of ["eval", "train"]) {
  Deno.test(`logits, loss and activations in ${mode} mode are PyTorch's`, () => {
    tf.tidy(() => {
      const { seen, logits } = run(mode === "train");
      assert(distance(values(logits), expected(`logits_${mode}`)) < 2e-5);
      const loss = values(crossEntropy(logits, labels()))[0];
      const wanted = mode === "train"
        ? reference.baseline.loss_train
        : reference.baseline.loss_eval;
      assert(Math.abs(loss - wanted) < 1e-5, `loss ${loss}, not ${wanted}`);
      const names = [...stored.keys()]
        .filter((n) => n.startsWith(`act_${mode}.`));
      assert(names.length >= 7);
      for (const name of names) {
        const activation = seen.get(name.slice(name.indexOf(".") + 1));
        assert(activation, `${name} is not recorded`);
        const d = distance(asStored(activation), expected(name));
        assert(d < 1e-4, `${name} differs by ${d}`);
      }
    });
  });
}

Deno.test("the cls token's attention weights are PyTorch's", () => {
  tf.tidy(() => {
    const { seen } = run(false);
    for (let i = 0; i < tiny.depth; i++) {
      const weights = seen.get(`blocks.${i}.attn.attention`)!;
      const [batch, heads, , tokens] = weights.shape;
      const ofCls = tf.slice(weights, [0, 0, 0, 0], [batch, heads, 1, tokens]);
      const d = distance(values(ofCls), expected(`attn_eval.blocks.${i}`));
      assert(d < 3e-5, `block ${i} differs by ${d}`);
    }
  });
});

Deno.test("running statistics after one training step are PyTorch's", () => {
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

Deno.test("every parameter's gradient is PyTorch's", () => {
  tf.tidy(() => {
    const { parameters, buffers } = tensorsOf(state);
    const names = Object.keys(parameters);
    const x = images(stored.get("input")!);
    const grads = tf.grads((...v: tf.Tensor[]) => {
      const scope = applyScope({
        parameters: Object.fromEntries(names.map((n, i) => [n, v[i]])),
        buffers,
        training: true,
      });
      return crossEntropy(baseline(tiny)(scope, x), labels());
    })(names.map((n) => parameters[n]));
    const noise = new Set(reference.baseline.rounding_noise_gradients);
    names.forEach((name, i) => {
      const { info } = state.parameters.get(name)!;
      const ours = toTorch(values(grads[i]), info.shape, info.layout).data;
      const wanted = expected(`grad.${name}`);
      if (noise.has(name)) {
        assert(distance(ours, wanted) < 1e-5, `${name} is not near zero`);
      } else {
        const d = relativeL2(ours, wanted);
        assert(d < 5e-4, `${name}: relative difference ${d}`);
      }
    });
  });
});

Deno.test("a stem of stride 2 gives PyTorch's logits", async () => {
  const other = await fixture("ir_vit_tiny.stem_stride2.safetensors");
  tf.tidy(() => {
    const scope = applyScope({ ...tensorsOf(state), training: false });
    const forward = baseline({ ...tiny, stemStride: 2 });
    const logits = forward(scope, images(other.get("input")!));
    assert(distance(values(logits), other.get("logits_eval")!.data) < 2e-5);
  });
});

Deno.test("the compiled Baseline gives the eager one's loss and gradients", async () => {
  const { parameters, buffers } = tensorsOf(state);
  const names = Object.keys(parameters);
  const x = images(stored.get("input")!);
  const y = labels();
  const step = (...v: tf.Tensor[]) => {
    const { value, grads } = tf.valueAndGrads((...v: tf.Tensor[]) => {
      const scope = applyScope({
        parameters: Object.fromEntries(names.map((n, i) => [n, v[i]])),
        buffers,
        training: true,
      });
      return crossEntropy(baseline(tiny)(scope, x), y);
    })(v);
    return [value as tf.Tensor, ...grads];
  };
  const inputs = names.map((n) => parameters[n]);
  const compiled = compile(step);
  const one = await compiled(...inputs);
  const other = tf.tidy(() => step(...inputs));
  one.forEach((t, i) => {
    const d = distance(values(t), values(other[i]));
    assert(d < 1e-5, `output ${i} differs by ${d}`);
  });
  compiled.dispose();
  tf.dispose([one, other, inputs, Object.values(buffers), x, y]);
});

Deno.test("the full model has PyTorch's names, shapes and initial statistics", async () => {
  const file = new URL("../fixtures/init_and_shapes.json", import.meta.url);
  const { models } = JSON.parse(await Deno.readTextFile(file)) as {
    models: Record<
      string,
      {
        name: string;
        shape: number[];
        mean: number;
        std: number;
        min: number;
        max: number;
      }[]
    >;
  };
  const { parameters } = initialise(
    baseline({
      widths: [64, 128, 256, 512],
      layers: [3, 4, 14, 3],
      stemWidth: 64,
      stemStride: 1,
      depth: 8,
      dim: 512,
      heads: 8,
      mlpRatio: 4,
      classes: 7,
    }),
    [112, 112, 3],
    1,
  );
  const wanted = models.baseline;
  assert.deepEqual(
    [...parameters.keys()].sort(),
    wanted.map((p) => p.name).sort(),
  );
  let count = 0;
  for (const { name, shape, mean, std, min, max } of wanted) {
    const { info, data } = parameters.get(name)!;
    assert.deepEqual(toTorch(data, info.shape, info.layout).shape, shape, name);
    count += data.length;
    let sum = 0, squares = 0, low = Infinity, high = -Infinity;
    for (const v of data) {
      sum += v;
      squares += v * v;
      low = Math.min(low, v);
      high = Math.max(high, v);
    }
    const n = data.length, m = sum / n;
    const sd = Math.sqrt(Math.max(0, squares / n - m * m));
    if (std === 0) {
      assert.deepEqual([low, high], [mean, mean], name);
      continue;
    }
    // Two draws of one distribution: 6 standard errors.
    const error = 6 * std / Math.sqrt(n);
    assert(Math.abs(m - mean) < 1.5 * error, `${name}: mean ${m}`);
    assert(Math.abs(sd - std) < 1.5 * error, `${name}: deviation ${sd}`);
    if (info.layout === "linear" && n > 1e4) {
      assert(
        Math.abs(low - min) < 0.01 * std && Math.abs(high - max) < 0.01 * std,
        name,
      );
    }
  }
  assert.equal(count, 55_980_743);
});
