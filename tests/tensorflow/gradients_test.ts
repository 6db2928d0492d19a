/** Gradients of tfjs's ops on our backend, against finite differences and PyTorch's rules. */
import assert from "node:assert/strict";
import {
  compile,
  noteParameter,
  squareSum,
  tf,
} from "../../lib/tensorflow/mod.ts";

type Op = (...inputs: tf.Tensor[]) => tf.Tensor;

/** Fixed values from 0.3 to 1.7 apart from each other and from whole numbers; of both signs unless `positive`. */
function values(shape: number[], seed: number, positive: boolean): tf.Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  // A permutation: (7919·i + seed) mod a prime above the size.
  const at = (i: number) => ((i + seed) * 7919 % 1009) / 1009;
  const data = Float32Array.from({ length: size }, (_, i) => {
    const value = 0.3 + 1.4 * at(i);
    const away = Math.abs(value - 1) < 0.05 ? value + 0.1 : value;
    return positive || (i * 31 + seed) % 3 ? away : -away;
  });
  return tf.tensor(data, shape);
}

/** Σ output · weights, the weights being different for each output. */
function weigh(y: tf.Tensor): number {
  const data = Array.from(y.dataSync());
  return data.reduce((sum, v, i) => sum + v * (0.5 + (i * 37 % 11) / 11), 0);
}
function weightsFor(y: tf.Tensor): tf.Tensor {
  const data = Array.from(
    { length: y.size },
    (_, i) => 0.5 + (i * 37 % 11) / 11,
  );
  return tf.tensor(data, y.shape);
}

/** The largest difference of an op's gradients from central differences, relative to 1 + |gradient|. */
function deviation(op: Op, shapes: number[][], positive: boolean): number {
  return tf.tidy(() => {
    const inputs = shapes.map((shape, i) =>
      values(shape, 5 + 17 * i, positive)
    );
    const got = tf.grads((...x) =>
      tf.sum(tf.mul(op(...x), tf.tidy(() => weightsFor(op(...inputs)))))
    )(inputs);
    let worst = 0;
    const step = 2 ** -7;
    inputs.forEach((input, which) => {
      assert.deepEqual(got[which].shape, input.shape);
      const gradient = got[which].dataSync();
      const data = input.dataSync();
      data.forEach((value, i) => {
        const [high, low] = [step, -step].map((by) =>
          tf.tidy(() => {
            const moved = Float32Array.from(data);
            moved[i] = value + by;
            return weigh(op(...inputs.map((x, j) =>
              j === which ? tf.tensor(moved, input.shape) : x
            )));
          })
        );
        const want = (high - low) / (2 * step);
        const off = Math.abs(want - gradient[i]) / (1 + Math.abs(want));
        worst = Math.max(worst, Number.isNaN(off) ? Infinity : off);
      });
    });
    return worst;
  });
}

const a = (x: tf.Tensor) => x as tf.Tensor4D;
const product = (x: tf.Tensor, y: tf.Tensor) => tf.matMul(x, y);
const indices = (...v: number[]) => tf.tensor1d(v, "int32");

/** Ops with the shapes of their inputs; those in `positive` are drawn above 0. */
const cases: Record<string, [op: Op, ...shapes: number[][]]> = {
  add: [tf.add as Op, [3, 1, 2], [4, 1]],
  sub: [tf.sub as Op, [2], [3, 4, 2]],
  mul: [tf.mul as Op, [3, 1], [4]],
  div: [tf.div as Op, [3, 1], [4]],
  maximum: [tf.maximum as Op, [3, 1], [2, 1, 4]],
  minimum: [tf.minimum as Op, [4], [3, 4]],
  squaredDifference: [tf.squaredDifference as Op, [3, 1], [2, 3, 4]],
  atan2: [tf.atan2 as Op, [3, 1], [4]],
  mod: [(x, y) => tf.mod(x, tf.add(y, 2)), [3, 4], [4]],
  addN: [(x, y) => tf.addN([x, y, x]), [3], [3]],
  where: [
    (x, y) => tf.where(tf.tensor1d([true, false, true], "bool"), x, y),
    [2, 3],
    [3],
  ],
  "where by a comparison": [(x) => tf.where(tf.less(x, 1), tf.square(x), x), [
    5,
  ]],
  "mask by a comparison": [
    (x) => tf.mul(x, tf.cast(tf.greater(x, 1), "float32")),
    [5],
  ],
  broadcastTo: [(x) => tf.broadcastTo(x, [2, 3, 4]), [3, 1]],
  clipByValue: [(x) => tf.clipByValue(x, -0.5, 1), [7]],
  matMul: [product, [2, 3], [3, 4]],
  "matMul, transposed": [(x, y) => tf.matMul(x, y, true, true), [3, 2], [4, 3]],
  "matMul, batches": [product, [2, 2, 3], [2, 3, 2]],
  "matMul, left broadcast": [product, [2, 3], [4, 3, 2]],
  "matMul, right broadcast": [product, [2, 3, 2, 3], [3, 2]],
  "matMul, both broadcast": [product, [2, 1, 2, 3], [3, 3, 2]],
  "matMul, broadcast, a transposed": [
    (x, y) => tf.matMul(x, y, true, false),
    [3, 2],
    [2, 3, 4],
  ],
  "matMul, broadcast, b transposed": [
    (x, y) => tf.matMul(x, y, false, true),
    [2, 2, 3],
    [4, 3],
  ],
  "matMul, broadcast, both transposed": [
    (x, y) => tf.matMul(x, y, true, true),
    [1, 3, 2],
    [2, 4, 3],
  ],
  dot: [tf.dot as Op, [3], [3]],
  outerProduct: [tf.outerProduct as Op, [3], [2]],
  sum: [(x) => tf.sum(x, [0, 2]), [2, 3, 2]],
  mean: [(x) => tf.mean(x, [-1], true), [2, 3]],
  prod: [(x) => tf.prod(x, 1), [2, 3]],
  "prod over two axes": [(x) => tf.prod(x, [2, 0]), [2, 2, 3]],
  "prod over the last axis": [(x) => tf.prod(x, -1), [2, 3]],
  "prod, kept": [(x) => tf.prod(x, [1], true), [2, 3]],
  "prod of all": [(x) => tf.prod(x), [2, 3]],
  max: [(x) => tf.max(x, 1), [2, 5]],
  "max over the last axis": [(x) => tf.max(x, -1, true), [2, 5]],
  "max of all": [(x) => tf.max(x), [2, 3]],
  min: [(x) => tf.min(x, [0, 2]), [2, 3, 2]],
  logSumExp: [(x) => tf.logSumExp(x, 1), [2, 3]],
  "moments' variance": [(x) => tf.moments(x, [0]).variance, [4, 2]],
  norm: [(x) => tf.norm(x, 2, 1), [2, 3]],
  cumsum: [(x) => tf.cumsum(x, 1, true, true), [2, 4]],
  softmax: [(x) => tf.softmax(x), [2, 3]],
  logSoftmax: [(x) => tf.logSoftmax(x), [2, 3]],
  softmaxCrossEntropy: [
    (x) => tf.losses.softmaxCrossEntropy(tf.eye(3), x as tf.Tensor2D),
    [3, 3],
  ],
  squareSum: [(...x) => squareSum(x), [2, 3], [2]],
  mirrorPad: [(x) => tf.mirrorPad(x, [[2, 1], [0, 2]], "reflect"), [3, 3]],
  "mirrorPad, symmetric": [
    (x) => tf.mirrorPad(x, [[2, 1], [3, 0]], "symmetric"),
    [3, 3],
  ],
  pad: [(x) => tf.pad(x, [[2, 1], [0, 2]], 3), [2, 2]],
  reshape: [(x) => tf.reshape(x, [3, 2]), [2, 3]],
  transpose: [(x) => tf.transpose(x, [2, 0, 1]), [2, 3, 2]],
  reverse: [(x) => tf.reverse(x, [0, 2]), [2, 3, 2]],
  tile: [(x) => tf.tile(x, [2, 3]), [2, 2]],
  concat: [(x, y) => tf.concat([x, y], 1), [2, 3], [2, 1]],
  stack: [(x, y) => tf.stack([x, y], 1), [2, 3], [2, 3]],
  unstack: [(x) => tf.unstack(x, 1)[1], [2, 3]],
  split: [(x) => tf.split(x, [1, 2], 1)[1], [2, 3]],
  slice: [(x) => tf.slice(x, [1, 0], [1, 2]), [2, 3]],
  gather: [(x) => tf.gather(x, indices(2, 0, 2), 1), [2, 3]],
  "gather of rows": [(x) => tf.gather(x, indices(1, 1, 0)), [2, 3]],
  "gather in batches": [
    (x) => tf.gather(x, tf.tensor2d([[1, 0], [2, 2]], [2, 2], "int32"), 1, 1),
    [2, 3],
  ],
  unsortedSegmentSum: [
    (x) => tf.unsortedSegmentSum(x, indices(0, 2, 0), 3),
    [3, 2],
  ],
  "cumsum of columns": [(x) => tf.cumsum(x, 0), [3, 3]],
  "cumsum along the middle": [(x) => tf.cumsum(x, 1, true), [2, 3, 2]],
  "gather of a table": [
    (x) => tf.gather(x, tf.tensor2d([[0, 2], [2, 1]], [2, 2], "int32"), 1),
    [2, 3, 2],
  ],
  "gather of rows in batches": [
    (x) => tf.gather(x, tf.tensor2d([[1, 0], [2, 2]], [2, 2], "int32"), 1, 1),
    [2, 3, 2],
  ],
  "gather in batches, further in": [
    (x) => tf.gather(x, tf.tensor2d([[1, 0], [1, 1]], [2, 2], "int32"), 2, 1),
    [2, 3, 2],
  ],
  "cumsum along the last axis": [(x) => tf.cumsum(x, -1), [2, 3]],
  "concat along the last axis": [(x, y) => tf.concat([x, y], -1), [2, 1], [
    2,
    2,
  ]],
  "stack along the last axis": [(x, y) => tf.stack([x, y], -1), [2], [2]],
  "unstack along the last axis": [(x) => tf.unstack(x, -1)[1], [2, 3]],
  "split along the last axis": [(x) => tf.split(x, 3, -1)[2], [2, 3]],
  "reverse along the last axis": [(x) => tf.reverse(x, -1), [2, 3]],
  "gather along the last axis": [(x) => tf.gather(x, indices(1, 1), -1), [
    2,
    3,
  ]],
  "min over the last axis": [(x) => tf.min(x, -1), [2, 3]],
  "softmax along the first axis": [
    (x) => tf.transpose(tf.softmax(tf.transpose(x), -1)),
    [2, 3],
  ],
  spaceToBatchND: [
    (x) => tf.spaceToBatchND(x, [2, 2], [[0, 0], [1, 1]]),
    [1, 2, 2, 1],
  ],
  batchToSpaceND: [
    (x) => tf.batchToSpaceND(x, [2, 2], [[0, 0], [1, 0]]),
    [4, 1, 2, 1],
  ],
  conv2d: [(x, k) => tf.conv2d(a(x), a(k), 2, "same"), [1, 4, 3, 2], [
    3,
    2,
    2,
    2,
  ]],
  conv2dTranspose: [
    (x, k) => tf.conv2dTranspose(a(x), a(k), [1, 4, 4, 1], 2, "same"),
    [1, 2, 2, 2],
    [3, 3, 1, 2],
  ],
  depthwiseConv2d: [
    (x, k) => tf.depthwiseConv2d(a(x), a(k), 1, "valid"),
    [1, 3, 3, 2],
    [2, 2, 2, 2],
  ],
  maxPool: [(x) => tf.maxPool(a(x), 2, 1, "same"), [1, 3, 3, 2]],
  avgPool: [(x) => tf.avgPool(a(x), 2, 2, "same"), [1, 3, 3, 2]],
  batchNorm: [
    (x, m, v, o, s) =>
      tf.batchNorm(
        x,
        m as tf.Tensor1D,
        tf.square(v) as tf.Tensor1D,
        o as tf.Tensor1D,
        s as tf.Tensor1D,
      ),
    [2, 2, 1, 3],
    [3],
    [3],
    [3],
    [3],
  ],
  resizeBilinear: [
    (x) => tf.image.resizeBilinear(a(x), [5, 3]),
    [1, 3, 3, 1],
  ],
  "resizeBilinear, corners": [
    (x) => tf.image.resizeBilinear(a(x), [5, 3], true),
    [1, 3, 3, 1],
  ],
  "resizeBilinear, half pixels": [
    (x) => tf.image.resizeBilinear(a(x), [5, 2], false, true),
    [1, 3, 3, 1],
  ],
  resizeNearestNeighbor: [
    (x) => tf.image.resizeNearestNeighbor(a(x), [5, 2]),
    [1, 3, 3, 1],
  ],
  "resizeNearestNeighbor, half pixels": [
    (x) => tf.image.resizeNearestNeighbor(a(x), [2, 5], false, true),
    [1, 3, 3, 1],
  ],
  prelu: [tf.prelu as Op, [2, 3], [3]],
  leakyRelu: [(x) => tf.leakyRelu(x, 0.1), [7]],
  dilation2d: [
    (x, k) => tf.dilation2d(a(x), k as tf.Tensor3D, 1, "same"),
    [1, 3, 3, 1],
    [2, 2, 1],
  ],
  localResponseNormalization: [
    (x) => tf.localResponseNormalization(a(x), 1),
    [1, 2, 2, 4],
  ],
  pow: [(x, y) => tf.pow(tf.abs(x), y), [3, 1], [4]],
  "squared": [(x) => tf.pow(x, 2), [5]],
  relu6: [(x) => tf.relu6(tf.mul(x, 4)), [7]],
  atanh: [(x) => tf.atanh(tf.mul(x, 0.5)), [7]],
  tan: [(x) => tf.tan(tf.mul(x, 0.5)), [7]],
  asin: [(x) => tf.asin(tf.mul(x, 0.5)), [7]],
  acos: [(x) => tf.acos(tf.mul(x, 0.5)), [7]],
  acosh: [(x) => tf.acosh(tf.add(tf.abs(x), 1)), [7]],
  ...Object.fromEntries(
    ([
      tf.abs,
      tf.asinh,
      tf.atan,
      tf.cos,
      tf.cosh,
      tf.elu,
      tf.erf,
      tf.exp,
      tf.expm1,
      tf.neg,
      tf.reciprocal,
      tf.relu,
      tf.selu,
      tf.sigmoid,
      tf.sin,
      tf.sinh,
      tf.softplus,
      tf.square,
      tf.tanh,
    ] as Op[]).map((op) => [op.name.replace(/_*$/, ""), [op, [7]]]),
  ),
};
const positive: Record<string, [op: Op, ...shapes: number[][]]> = {
  log: [tf.log as Op, [5]],
  log1p: [tf.log1p as Op, [5]],
  sqrt: [tf.sqrt as Op, [5]],
  rsqrt: [tf.rsqrt as Op, [5]],
};

Deno.test("gradients are those of finite differences, broadcast inputs too", () => {
  const wrong: string[] = [];
  for (const [list, above] of [[cases, false], [positive, true]] as const) {
    for (const [name, [op, ...shapes]] of Object.entries(list)) {
      let off: number | string;
      try {
        off = deviation(op, shapes, above);
      } catch (error) {
        off = (error as Error).message;
      }
      if (!(typeof off === "number" && off < 5e-3)) {
        wrong.push(`${name}: ${off}`);
      }
    }
  }
  assert.deepEqual(wrong, []);
});

/** The gradient of Σ weights · op(x) to x, weights 1, 2, 3, …. */
function gradientAt(op: (x: tf.Tensor) => tf.Tensor, x: number[]): number[] {
  return tf.tidy(() => {
    const gradient = tf.grad((x: tf.Tensor) => {
      const y = tf.reshape(op(x), [-1]);
      return tf.sum(tf.mul(y, tf.range(1, y.size + 1)));
    })(tf.tensor1d(x));
    return Array.from(gradient.dataSync());
  });
}

// PyTorch 2.15: amax, amin, maximum, minimum, relu6, pow, F.pad(mode="reflect").
Deno.test("at ties, bounds and mirrors gradients are PyTorch's", () => {
  const rows = (x: tf.Tensor) => tf.reshape(x, [2, 3]);
  const wanted: [string, (x: tf.Tensor) => tf.Tensor, number[], number[]][] = [
    ["max", (x) => tf.max(x), [1, 3, 3, 2], [0, 0.5, 0.5, 0]],
    ["max of rows", (x) => tf.max(rows(x), 1), [2, 2, 2, 0, 1, 1], [
      1 / 3,
      1 / 3,
      1 / 3,
      0,
      1,
      1,
    ]],
    ["min", (x) => tf.min(x, 0, true), [1, 3, 1, 1], [1 / 3, 0, 1 / 3, 1 / 3]],
    ["maximum", (x) => tf.maximum(x, [1, 2, 3]), [0, 2, 5], [0, 1, 3]],
    ["minimum", (x) => tf.minimum(x, 2), [0, 2, 5], [1, 1, 0]],
    ["relu6", (x) => tf.relu6(x), [0, 3, 6, 7], [0, 2, 0, 0]],
    ["pow 0", (x) => tf.pow(x, 0), [0, 2], [0, 0]],
    ["clip", (x) => tf.clipByValue(x, 0, 1), [0, 0.5, 1, 2], [1, 2, 3, 0]],
    ["floorDiv", (x) => tf.floorDiv(x, 2), [1, 5], [0, 0]],
    [
      "mirrorPad reflect",
      (x) => tf.mirrorPad(x, [[1, 1]], "reflect"),
      [7, 8, 9],
      [2, 9, 4],
    ],
    [
      "mirrorPad symmetric",
      (x) => tf.mirrorPad(x, [[1, 1]], "symmetric"),
      [7, 8, 9],
      [3, 3, 9],
    ],
    ["squaredDifference", (x) => tf.squaredDifference([1, 2], x), [3], [8]],
    [
      "matMul",
      (x) => tf.matMul(tf.reshape(x, [1, 2]), tf.ones([3, 2, 1])),
      [5, 6],
      [6, 6],
    ],
  ];
  for (const [name, op, x, want] of wanted) {
    const got = gradientAt(op, x);
    want.forEach((value, i) =>
      assert.ok(Math.abs(got[i] - value) < 1e-6, `${name}: ${got}`)
    );
  }
});

Deno.test("mirrorPad's gradient has a gradient", () => {
  const padded = (x: tf.Tensor) =>
    tf.sum(tf.pow(tf.mirrorPad(x, [[1, 1]], "reflect"), 3));
  // Σx³ of [8, 7, 8, 9, 8]: the sum of its second derivatives 6x, by element.
  const second = tf.grad((x) => tf.sum(tf.grad(padded)(x)))(
    tf.tensor1d([7, 8, 9]),
  );
  assert.deepEqual(Array.from(second.dataSync()), [42, 144, 54]);
});

Deno.test("an op without a gradient names its function, line and the parameter before it", async () => {
  const squash = (x: tf.Tensor) => tf.cumprod(x, 0);
  const loss = (x: tf.Tensor) => {
    noteParameter("head.2.weight");
    return tf.sum(squash(x));
  };
  const x = tf.tensor1d([1, 2]);
  const message =
    /op Cumprod \(squash, gradients_test\.ts:\d+, after parameter head\.2\.weight\) has no gradient: /;
  assert.throws(() => tf.grad(loss)(x), message);
  await assert.rejects(compile((x) => [tf.grad(loss)(x)])(x), message);
  assert.throws(
    () => tf.grad((x) => tf.sum(squash(x)))(x),
    /op Cumprod \(squash, gradients_test\.ts:\d+\) has no gradient/,
  );
});

Deno.test("what is whole or true carries no gradient, and nothing beside it either", () => {
  const gradient = tf.grad((x: tf.Tensor) =>
    tf.sum(tf.mul(x, tf.cast(tf.cast(x, "int32"), "float32")))
  )(tf.tensor1d([1.5, 2.5]));
  assert.deepEqual(Array.from(gradient.dataSync()), [1, 2]);
});
