/** Layers and named parameters: what the whole model's fixtures do not show. */
import assert from "node:assert/strict";
import { tf } from "../../lib/tensorflow/mod.ts";
import {
  applyScope,
  constant,
  conv2d,
  dropout,
  dropPath,
  type Forward,
  fromTorch,
  gelu,
  initialise,
  linear,
  prelu,
  toTorch,
} from "../../lib/nn/mod.ts";
import { fusedBatchNorm, subsample } from "../../lib/nn/kernels.ts";

const near = (a: ArrayLike<number>, b: ArrayLike<number>, tolerance = 1e-5) => {
  assert.equal(a.length, b.length);
  for (let i = 0; i < a.length; i++) {
    assert(Math.abs(a[i] - b[i]) < tolerance, `${i}: ${a[i]}, not ${b[i]}`);
  }
};

Deno.test("layouts go to PyTorch's order and back", () => {
  const data = Float32Array.from({ length: 24 }, (_, i) => i);
  const conv = toTorch(data, [1, 2, 3, 4], "conv");
  assert.deepEqual(conv.shape, [4, 3, 1, 2]);
  // HWIO [0, 1, 2, 3] is OIHW [3, 2, 0, 1].
  assert.equal(conv.data[3 * 6 + 2 * 2 + 1], data[1 * 12 + 2 * 4 + 3]);
  assert.deepEqual(fromTorch(conv.data, conv.shape, "conv"), {
    data,
    shape: [1, 2, 3, 4],
  });
  const dense = toTorch(data, [4, 6], "linear");
  assert.deepEqual([dense.shape, dense.data[1]], [[6, 4], 6]);
  assert.equal(toTorch(data, [24], "none").data, data);
});

const small: Forward = (scope, x) => {
  const { x: y } = conv2d(scope.within("a"), { x }, { filters: 2, kernel: 3 });
  return linear(scope.within("b"), tf.reshape(y, [x.shape[0], -1]), 3);
};

Deno.test("a parameter's first value depends on its name and the seed alone", () => {
  const first = initialise(small, [4, 4, 3], 7).parameters;
  const again = initialise(small, [4, 4, 3], 7).parameters;
  const other = initialise(small, [4, 4, 3], 8).parameters;
  const later = initialise(
    (scope, x) => {
      scope.param("extra", [5], "none", constant(1));
      return small(scope, x);
    },
    [4, 4, 3],
    7,
  ).parameters;
  assert.deepEqual([...first.keys()], ["a.weight", "b.weight", "b.bias"]);
  for (const [name, { data }] of first) {
    assert.deepEqual(again.get(name)!.data, data);
    assert.deepEqual(later.get(name)!.data, data);
    assert.notDeepEqual(other.get(name)!.data, data);
  }
});

Deno.test("an op without a gradient names the layer before it and its line", () => {
  const weight = tf.ones([2, 2]);
  const model = (weight: tf.Tensor) => {
    const scope = applyScope({
      parameters: { "head.fc.weight": weight },
      buffers: {},
      training: true,
    });
    const inner = scope.within("head").within("fc");
    const w = inner.param("weight", [2, 2], "linear", constant(0));
    return tf.sum(tf.cumprod(w, 0));
  };
  assert.throws(
    () => tf.grad(model)(weight),
    /op Cumprod \(model, layers_test\.ts:\d+, after parameter head\.fc\.weight\) has no/,
  );
});

Deno.test("a missing parameter and a wrong shape are named", () => {
  const x = tf.zeros([1, 4, 4, 3]) as tf.Tensor4D;
  const scope = (parameters: Record<string, tf.Tensor>) =>
    applyScope({ parameters, buffers: {}, training: false });
  assert.throws(() => small(scope({}), x), /parameter a\.weight is missing/);
  assert.throws(
    () => small(scope({ "a.weight": tf.zeros([3, 3, 3, 4]) }), x),
    /parameter a\.weight is \[3,3,3,4\], the model wants \[3,3,3,2\]/,
  );
});

Deno.test("PReLU takes slopes above 1 and below 0", () => {
  tf.tidy(() => {
    const scope = applyScope({
      parameters: { weight: tf.tensor1d([2, -1]) },
      buffers: {},
      training: true,
    });
    const x = tf.tensor4d([-3, -3, 4, 4], [1, 1, 2, 2]);
    near(prelu(scope, { x }).x.dataSync(), [-6, 3, 4, 4]);
  });
});

Deno.test("GELU and its gradient are those of the normal distribution", () => {
  tf.tidy(() => {
    // x·Φ(x) and Φ(x) + x·φ(x), by SciPy's norm.cdf and norm.pdf.
    const x = tf.tensor1d([-2, -0.5, 0, 1, 3]);
    near(gelu(x).dataSync(), [
      -0.04550026389635842,
      -0.15426876936299347,
      0,
      0.8413447460685429,
      2.9959503059110614,
    ]);
    near(tf.grad((t) => tf.sum(gelu(t)))(x).dataSync(), [
      -0.08523180107819736,
      0.1325048741932446,
      0.5,
      1.0833154705876863,
      1.0119454862500137,
    ]);
  });
});

Deno.test("subsampling keeps rows and columns 0, 2, 4 and spreads the gradient", () => {
  tf.tidy(() => {
    const x = tf.tensor4d([...Array(15).keys()], [1, 3, 5, 1]);
    near(subsample(x, 2).dataSync(), [0, 2, 4, 10, 12, 14]);
    const grad = tf.grad((t) => tf.sum(subsample(t as tf.Tensor4D, 2)))(x);
    near(grad.dataSync(), [1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1]);
  });
});

Deno.test("a strided 1×1 convolution is the product of the kept pixels, gradients too", () => {
  // 16 and 32 channels take the convolution, 15 and 30 the matrix product.
  for (const [channels, filters] of [[16, 32], [15, 30]]) {
    tf.tidy(() => {
      const x = tf.randomNormal([2, 5, 6, channels], 0, 1, "float32", 1);
      const w = tf.randomNormal([1, 1, channels, filters], 0, 1, "float32", 2);
      const weigh = tf.randomNormal([2, 3, 3, filters], 0, 1, "float32", 3);
      const layer = (x: tf.Tensor, w: tf.Tensor) => {
        const parameters = { weight: w };
        const scope = applyScope({ parameters, buffers: {}, training: true });
        const o = { filters, kernel: 1 as const, stride: 2 as const };
        return conv2d(scope, { x: x as tf.Tensor4D }, o).x;
      };
      const plain = (x: tf.Tensor, w: tf.Tensor) =>
        tf.reshape(
          tf.matMul(
            tf.reshape(subsample(x as tf.Tensor4D, 2), [18, channels]),
            tf.reshape(w, [channels, filters]),
          ),
          [2, 3, 3, filters],
        );
      near(layer(x, w).dataSync(), plain(x, w).dataSync(), 1e-4);
      const grads = [layer, plain].map((f) =>
        tf.grads((x, w) => tf.sum(tf.mul(f(x, w), weigh)))([x, w])
      );
      grads[0].forEach((g, i) =>
        near(g.dataSync(), grads[1][i].dataSync(), 1e-4)
      );
    });
  }
});

Deno.test("batch norm's running statistics follow the written rule", () => {
  tf.tidy(() => {
    const inputs = {
      x: tf.tensor4d([1, 2, 3, 6], [4, 1, 1, 1]),
      scale: tf.ones([1]),
      offset: tf.zeros([1]),
      mean: tf.tensor1d([10]),
      variance: tf.tensor1d([2]),
    };
    // Batch mean 3, unbiased variance 14/3.
    const rules = [[0.1, 9.3, 1.8 + 0.1 * 14 / 3], [1, 3, 14 / 3]];
    for (const [momentum, mean, variance] of rules) {
      const r = fusedBatchNorm(inputs, { training: true, eps: 0, momentum });
      near([...r.mean.dataSync(), ...r.variance.dataSync()], [mean, variance]);
    }
    const frozen = fusedBatchNorm(inputs, {
      training: false,
      eps: 0,
      momentum: 0.1,
    });
    near(frozen.y.dataSync(), [-9, -8, -7, -4].map((d) => d / Math.SQRT2));
  });
});

Deno.test("dropout keeps the mean, drop path takes whole images, both scale what they keep", () => {
  tf.tidy(() => {
    const draw = (seed: number) =>
      applyScope({
        parameters: {},
        buffers: {},
        training: true,
        seed: tf.tensor1d([seed, 1], "int32"),
      });
    const x = tf.ones([200, 7, 30]);
    const kept = dropout(draw(1), x, 0.2).dataSync();
    assert.deepEqual([...new Set(kept)].sort(), [0, Math.fround(1 / 0.8)]);
    const mean = Array.from(kept).reduce((a, b) => a + b, 0) / kept.length;
    // Five standard errors of 42,000 draws.
    assert(Math.abs(mean - 1) < 5 * Math.sqrt(0.2 / 0.8 / kept.length));
    const paths = tf.reshape(dropPath(draw(2), x, 0.5), [200, 210]);
    const rows = paths.arraySync() as number[][];
    rows.forEach((row) => assert.equal(new Set(row).size, 1));
    const alive = rows.filter(([v]) => v === 2).length;
    assert(alive + rows.filter(([v]) => v === 0).length === 200);
    assert(Math.abs(alive - 100) < 5 * Math.sqrt(50));
    assert.equal(dropout(draw(1), x, 0), x);
    const evaluating = applyScope({
      parameters: {},
      buffers: {},
      training: false,
    });
    assert.equal(dropout(evaluating, x, 0.5), x);
  });
});

Deno.test("batch norm outside of training has the gradient of a scaling", () => {
  tf.tidy(() => {
    const x = tf.randomNormal([2, 3, 3, 4], 0, 1, "float32", 1) as tf.Tensor4D;
    const scale = tf.tensor1d([1, 2, 3, 4]);
    const variance = tf.tensor1d([0.5, 1, 2, 4]);
    const dx = tf.grad((v) =>
      tf.sum(
        fusedBatchNorm({
          x: v as tf.Tensor4D,
          scale,
          offset: tf.zeros([4]),
          mean: tf.tensor1d([1, 0, -1, 2]),
          variance,
        }, { training: false, eps: 1e-5, momentum: 0.1 }).y,
      )
    )(x);
    const wanted = tf.mul(
      tf.onesLike(x),
      tf.div(scale, tf.sqrt(tf.add(variance, 1e-5))),
    );
    near(dx.dataSync(), wanted.dataSync());
  });
});
