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

/** The shapes of an op's inputs, and the op; those in `positive` are drawn above 0. */
const cases: Record<string, [shapes: string, op: Op]> = {
  add: ["3×1×2, 4×1", tf.add as Op],
  sub: ["2, 3×4×2", tf.sub as Op],
  mul: ["3×1, 4", tf.mul as Op],
  div: ["3×1, 4", tf.div as Op],
  maximum: ["3×1, 2×1×4", tf.maximum as Op],
  minimum: ["4, 3×4", tf.minimum as Op],
  squaredDifference: ["3×1, 2×3×4", tf.squaredDifference as Op],
  atan2: ["3×1, 4", tf.atan2 as Op],
  mod: ["3×4, 4", (x, y) => tf.mod(x, tf.add(y, 2))],
  addN: ["3, 3", (x, y) => tf.addN([x, y, x])],
  where: [
    "2×3, 3",
    (x, y) => tf.where(tf.tensor1d([true, false, true], "bool"), x, y),
  ],
  "where by a comparison": [
    "5",
    (x) => tf.where(tf.less(x, 1), tf.square(x), x),
  ],
  "mask by a comparison": [
    "5",
    (x) => tf.mul(x, tf.cast(tf.greater(x, 1), "float32")),
  ],
  broadcastTo: ["3×1", (x) => tf.broadcastTo(x, [2, 3, 4])],
  clipByValue: ["7", (x) => tf.clipByValue(x, -0.5, 1)],
  matMul: ["2×3, 3×4", product],
  "matMul, transposed": ["3×2, 4×3", (x, y) => tf.matMul(x, y, true, true)],
  "matMul, batches": ["2×2×3, 2×3×2", product],
  "matMul, left broadcast": ["2×3, 4×3×2", product],
  "matMul, right broadcast": ["2×3×2×3, 3×2", product],
  "matMul, both broadcast": ["2×1×2×3, 3×3×2", product],
  "matMul, broadcast, a transposed": [
    "3×2, 2×3×4",
    (x, y) => tf.matMul(x, y, true, false),
  ],
  "matMul, broadcast, b transposed": [
    "2×2×3, 4×3",
    (x, y) => tf.matMul(x, y, false, true),
  ],
  "matMul, broadcast, both transposed": [
    "1×3×2, 2×4×3",
    (x, y) => tf.matMul(x, y, true, true),
  ],
  dot: ["3, 3", tf.dot as Op],
  outerProduct: ["3, 2", tf.outerProduct as Op],
  sum: ["2×3×2", (x) => tf.sum(x, [0, 2])],
  mean: ["2×3", (x) => tf.mean(x, [-1], true)],
  prod: ["2×3", (x) => tf.prod(x, 1)],
  "prod over two axes": ["2×2×3", (x) => tf.prod(x, [2, 0])],
  "prod over the last axis": ["2×3", (x) => tf.prod(x, -1)],
  "prod, kept": ["2×3", (x) => tf.prod(x, [1], true)],
  "prod of all": ["2×3", (x) => tf.prod(x)],
  max: ["2×5", (x) => tf.max(x, 1)],
  "max over the last axis": ["2×5", (x) => tf.max(x, -1, true)],
  "max of all": ["2×3", (x) => tf.max(x)],
  min: ["2×3×2", (x) => tf.min(x, [0, 2])],
  logSumExp: ["2×3", (x) => tf.logSumExp(x, 1)],
  "moments' variance": ["4×2", (x) => tf.moments(x, [0]).variance],
  norm: ["2×3", (x) => tf.norm(x, 2, 1)],
  cumsum: ["2×4", (x) => tf.cumsum(x, 1, true, true)],
  softmax: ["2×3", (x) => tf.softmax(x)],
  logSoftmax: ["2×3", (x) => tf.logSoftmax(x)],
  softmaxCrossEntropy: [
    "3×3",
    (x) => tf.losses.softmaxCrossEntropy(tf.eye(3), x as tf.Tensor2D),
  ],
  squareSum: ["2×3, 2", (...x) => squareSum(x)],
  mirrorPad: ["3×3", (x) => tf.mirrorPad(x, [[2, 1], [0, 2]], "reflect")],
  "mirrorPad, symmetric": [
    "3×3",
    (x) => tf.mirrorPad(x, [[2, 1], [3, 0]], "symmetric"),
  ],
  pad: ["2×2", (x) => tf.pad(x, [[2, 1], [0, 2]], 3)],
  reshape: ["2×3", (x) => tf.reshape(x, [3, 2])],
  transpose: ["2×3×2", (x) => tf.transpose(x, [2, 0, 1])],
  reverse: ["2×3×2", (x) => tf.reverse(x, [0, 2])],
  tile: ["2×2", (x) => tf.tile(x, [2, 3])],
  concat: ["2×3, 2×1", (x, y) => tf.concat([x, y], 1)],
  stack: ["2×3, 2×3", (x, y) => tf.stack([x, y], 1)],
  unstack: ["2×3", (x) => tf.unstack(x, 1)[1]],
  split: ["2×3", (x) => tf.split(x, [1, 2], 1)[1]],
  slice: ["2×3", (x) => tf.slice(x, [1, 0], [1, 2])],
  gather: ["2×3", (x) => tf.gather(x, indices(2, 0, 2), 1)],
  "gather of rows": ["2×3", (x) => tf.gather(x, indices(1, 1, 0))],
  "gather in batches": [
    "2×3",
    (x) => tf.gather(x, tf.tensor2d([[1, 0], [2, 2]], [2, 2], "int32"), 1, 1),
  ],
  unsortedSegmentSum: [
    "3×2",
    (x) => tf.unsortedSegmentSum(x, indices(0, 2, 0), 3),
  ],
  "cumsum of columns": ["3×3", (x) => tf.cumsum(x, 0)],
  "cumsum along the middle": ["2×3×2", (x) => tf.cumsum(x, 1, true)],
  "gather of a table": [
    "2×3×2",
    (x) => tf.gather(x, tf.tensor2d([[0, 2], [2, 1]], [2, 2], "int32"), 1),
  ],
  "gather of rows in batches": [
    "2×3×2",
    (x) => tf.gather(x, tf.tensor2d([[1, 0], [2, 2]], [2, 2], "int32"), 1, 1),
  ],
  "gather in batches, further in": [
    "2×3×2",
    (x) => tf.gather(x, tf.tensor2d([[1, 0], [1, 1]], [2, 2], "int32"), 2, 1),
  ],
  "cumsum along the last axis": ["2×3", (x) => tf.cumsum(x, -1)],
  "concat along the last axis": ["2×1, 2×2", (x, y) => tf.concat([x, y], -1)],
  "stack along the last axis": ["2, 2", (x, y) => tf.stack([x, y], -1)],
  "unstack along the last axis": ["2×3", (x) => tf.unstack(x, -1)[1]],
  "split along the last axis": ["2×3", (x) => tf.split(x, 3, -1)[2]],
  "reverse along the last axis": ["2×3", (x) => tf.reverse(x, -1)],
  "gather along the last axis": ["2×3", (x) => tf.gather(x, indices(1, 1), -1)],
  "min over the last axis": ["2×3", (x) => tf.min(x, -1)],
  "softmax along the first axis": [
    "2×3",
    (x) => tf.transpose(tf.softmax(tf.transpose(x), -1)),
  ],
  spaceToBatchND: [
    "1×2×2×1",
    (x) => tf.spaceToBatchND(x, [2, 2], [[0, 0], [1, 1]]),
  ],
  batchToSpaceND: [
    "4×1×2×1",
    (x) => tf.batchToSpaceND(x, [2, 2], [[0, 0], [1, 0]]),
  ],
  conv2d: ["1×4×3×2, 3×2×2×2", (x, k) => tf.conv2d(a(x), a(k), 2, "same")],
  conv2dTranspose: [
    "1×2×2×2, 3×3×1×2",
    (x, k) => tf.conv2dTranspose(a(x), a(k), [1, 4, 4, 1], 2, "same"),
  ],
  depthwiseConv2d: [
    "1×3×3×2, 2×2×2×2",
    (x, k) => tf.depthwiseConv2d(a(x), a(k), 1, "valid"),
  ],
  maxPool: ["1×3×3×2", (x) => tf.maxPool(a(x), 2, 1, "same")],
  avgPool: ["1×3×3×2", (x) => tf.avgPool(a(x), 2, 2, "same")],
  batchNorm: [
    "2×2×1×3, 3, 3, 3, 3",
    (x, m, v, o, s) =>
      tf.batchNorm(
        x,
        m as tf.Tensor1D,
        tf.square(v) as tf.Tensor1D,
        o as tf.Tensor1D,
        s as tf.Tensor1D,
      ),
  ],
  resizeBilinear: ["1×3×3×1", (x) => tf.image.resizeBilinear(a(x), [5, 3])],
  "resizeBilinear, corners": [
    "1×3×3×1",
    (x) => tf.image.resizeBilinear(a(x), [5, 3], true),
  ],
  "resizeBilinear, half pixels": [
    "1×3×3×1",
    (x) => tf.image.resizeBilinear(a(x), [5, 2], false, true),
  ],
  resizeNearestNeighbor: [
    "1×3×3×1",
    (x) => tf.image.resizeNearestNeighbor(a(x), [5, 2]),
  ],
  "resizeNearestNeighbor, half pixels": [
    "1×3×3×1",
    (x) => tf.image.resizeNearestNeighbor(a(x), [2, 5], false, true),
  ],
  prelu: ["2×3, 3", tf.prelu as Op],
  leakyRelu: ["7", (x) => tf.leakyRelu(x, 0.1)],
  dilation2d: [
    "1×3×3×1, 2×2×1",
    (x, k) => tf.dilation2d(a(x), k as tf.Tensor3D, 1, "same"),
  ],
  localResponseNormalization: [
    "1×2×2×4",
    (x) => tf.localResponseNormalization(a(x), 1),
  ],
  pow: ["3×1, 4", (x, y) => tf.pow(tf.abs(x), y)],
  "squared": ["5", (x) => tf.pow(x, 2)],
  relu6: ["7", (x) => tf.relu6(tf.mul(x, 4))],
  atanh: ["7", (x) => tf.atanh(tf.mul(x, 0.5))],
  tan: ["7", (x) => tf.tan(tf.mul(x, 0.5))],
  asin: ["7", (x) => tf.asin(tf.mul(x, 0.5))],
  acos: ["7", (x) => tf.acos(tf.mul(x, 0.5))],
  acosh: ["7", (x) => tf.acosh(tf.add(tf.abs(x), 1))],
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
    ] as Op[]).map((op) => [op.name.replace(/_*$/, ""), ["7", op]]),
  ),
};
const positive: Record<string, [shapes: string, op: Op]> = {
  log: ["5", tf.log as Op],
  log1p: ["5", tf.log1p as Op],
  sqrt: ["5", tf.sqrt as Op],
  rsqrt: ["5", tf.rsqrt as Op],
};

Deno.test("gradients are those of finite differences, broadcast inputs too", () => {
  const wrong: string[] = [];
  for (const [list, above] of [[cases, false], [positive, true]] as const) {
    for (const [name, [texts, op]] of Object.entries(list)) {
      const shapes = texts.split(", ").map((s) => s.split("×").map(Number));
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
