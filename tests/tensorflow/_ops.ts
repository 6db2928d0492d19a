/** Calls of tfjs ops with fixed inputs. */
import { tf } from "../../lib/tensorflow/mod.ts";

type T = tf.Tensor;
const normal = (shape: number[], seed = 1) => () =>
  tf.tensor(draw(shape, seed), shape);

/** Fixed values that no backend draws itself: about N(0, 1), no ties. */
function draw(shape: number[], seed: number): Float32Array {
  let state = seed * 2654435761 >>> 0;
  const next = () => {
    state = Math.imul(state ^ state >>> 15, state | 1);
    state ^= state + Math.imul(state ^ state >>> 7, state | 61);
    return ((state ^ state >>> 14) >>> 0) / 4294967296;
  };
  return Float32Array.from(
    { length: shape.reduce((a, b) => a * b, 1) },
    (_, i) => (next() + next() + next() - 1.5) * 2 + i * 1e-4,
  );
}

const x = normal([3, 4]), y = normal([3, 4], 2), v = normal([6], 3);
const image = normal([2, 7, 7, 3], 4);
const kernel = normal([3, 3, 3, 4], 5);
const pos = () => tf.add(tf.abs(x()), 0.1);
const unit = () => tf.mul(tf.tanh(x()), 0.9);
const ints = () => tf.tensor2d([[7, -3, 2], [5, 4, -9]], [2, 3], "int32");
const bools = () => tf.tensor1d([1, 0, 1, 1], "bool");
const oneImage = normal([1, 7, 7, 3], 6);
const one = () => oneImage() as tf.Tensor4D;
const im = () => image() as tf.Tensor4D, ke = () => kernel() as tf.Tensor4D;
const m = () => x() as tf.Tensor2D;

/** One entry an op: what both backends must agree on. */
export const cases: Record<string, () => T> = {
  abs: () => tf.abs(x()),
  acos: () => tf.acos(unit()),
  acosh: () => tf.acosh(tf.add(pos(), 1)),
  add: () => tf.add(x(), y()),
  addN: () => tf.addN([x(), y(), x()]),
  all: () => tf.all(bools()),
  any: () => tf.any(bools()),
  argMax: () => tf.argMax(x(), 1),
  argMin: () => tf.argMin(x(), 1),
  asin: () => tf.asin(unit()),
  asinh: () => tf.asinh(x()),
  atan: () => tf.atan(x()),
  atan2: () => tf.atan2(x(), y()),
  atanh: () => tf.atanh(unit()),
  avgPool: () => tf.avgPool(im(), 3, 2, "same"),
  batchNorm: () =>
    tf.batchNorm(
      im(),
      tf.tensor1d([0.1, 0.2, 0.3]),
      tf.tensor1d([1, 2, 3]),
      tf.tensor1d([0, 1, 2]),
      tf.tensor1d([1, 1.5, 2]),
      1e-3,
    ),
  bincount: () =>
    tf.bincount(tf.tensor1d([1, 2, 2], "int32"), tf.tensor1d([1, 1, 1]), 4),
  broadcastTo: () => tf.broadcastTo(tf.tensor2d([[1], [2]]), [2, 3]),
  cast: () => tf.cast(tf.mul(x(), 3), "int32"),
  ceil: () => tf.ceil(x()),
  clipByValue: () => tf.clipByValue(x(), -0.5, 0.5),
  complex: () => tf.imag(tf.complex(x(), y())),
  concat: () => tf.concat([m(), y() as tf.Tensor2D], 1),
  conv2d: () => tf.conv2d(im(), ke(), 1, "same"),
  conv2dStride: () => tf.conv2d(im(), ke(), 2, "valid"),
  "conv2d of one image": () => tf.conv2d(one(), ke(), 1, "same"),
  "conv2d of one image, strided": () => tf.conv2d(one(), ke(), [2, 1], "valid"),
  "conv2d of one image, padded": () =>
    tf.conv2d(one(), ke(), 1, [[0, 0], [1, 2], [2, 0], [0, 0]]),
  "conv2d of one image, dilated": () =>
    tf.conv2d(one(), ke(), 1, "valid", "NHWC", 2),
  conv2dTranspose: () =>
    tf.conv2dTranspose(
      normal([2, 4, 4, 4], 6)() as tf.Tensor4D,
      ke(),
      [2, 7, 7, 3],
      2,
      "same",
    ),
  cos: () => tf.cos(x()),
  cosh: () => tf.cosh(x()),
  cropAndResize: () =>
    tf.image.cropAndResize(
      im(),
      tf.tensor2d([[0, 0, 0.5, 0.5]]),
      tf.tensor1d([1], "int32"),
      [3, 3],
    ),
  cumsum: () => tf.cumsum(x(), 1),
  cumprod: () => tf.cumprod(x(), 1),
  depthToSpace: () =>
    tf.depthToSpace(normal([1, 2, 2, 4], 7)() as tf.Tensor4D, 2),
  depthwiseConv2d: () =>
    tf.depthwiseConv2d(
      im(),
      normal([3, 3, 3, 2], 8)() as tf.Tensor4D,
      1,
      "same",
    ),
  div: () => tf.div(x(), pos()),
  divNoNan: () => tf.divNoNan(x(), tf.zerosLike(x())),
  elu: () => tf.elu(x()),
  equal: () => tf.equal(x(), x()),
  erf: () => tf.erf(x()),
  exp: () => tf.exp(x()),
  expandDims: () => tf.expandDims(x(), 1),
  expm1: () => tf.expm1(x()),
  fft: () => tf.real(tf.fft(tf.complex(v(), v()))),
  fill: () => tf.fill([2, 2], 3),
  floor: () => tf.floor(x()),
  floorDiv: () => tf.floorDiv(ints(), tf.scalar(4, "int32")),
  fusedConv2d: () =>
    tf.fused.conv2d({
      x: im(),
      filter: ke(),
      strides: 1,
      pad: "same",
      bias: tf.tensor1d([1, 2, 3, 4]),
      activation: "relu",
    }),
  fusedMatMul: () =>
    tf.fused.matMul({
      a: m(),
      b: y() as tf.Tensor2D,
      transposeB: true,
      activation: "relu",
    }),
  gather: () => tf.gather(x(), tf.tensor1d([2, 0], "int32")),
  gatherND: () =>
    tf.gatherND(x(), tf.tensor2d([[0, 1], [2, 3]], [2, 2], "int32")),
  greater: () => tf.greater(x(), y()),
  greaterEqual: () => tf.greaterEqual(x(), y()),
  ifft: () => tf.real(tf.ifft(tf.complex(v(), v()))),
  isFinite: () => tf.isFinite(tf.tensor1d([1, Infinity, NaN])),
  isInf: () => tf.isInf(tf.tensor1d([1, Infinity, NaN])),
  isNaN: () => tf.isNaN(tf.tensor1d([1, Infinity, NaN])),
  leakyRelu: () => tf.leakyRelu(x(), 0.1),
  less: () => tf.less(x(), y()),
  lessEqual: () => tf.lessEqual(x(), y()),
  linspace: () => tf.linspace(0, 1, 5),
  log: () => tf.log(pos()),
  log1p: () => tf.log1p(pos()),
  logicalAnd: () => tf.logicalAnd(bools(), tf.logicalNot(bools())),
  logicalNot: () => tf.logicalNot(bools()),
  logicalOr: () => tf.logicalOr(bools(), tf.logicalNot(bools())),
  logSoftmax: () => tf.logSoftmax(x()),
  logSumExp: () => tf.logSumExp(x(), 1),
  matMul: () => tf.matMul(m(), y() as tf.Tensor2D, false, true),
  batchMatMul: () => tf.matMul(normal([2, 3, 4], 9)(), normal([2, 4, 5], 10)()),
  max: () => tf.max(x(), 1),
  maxPool: () => tf.maxPool(im(), 2, 2, "valid"),
  maximum: () => tf.maximum(x(), y()),
  mean: () => tf.mean(x(), 1),
  min: () => tf.min(x(), 0),
  minimum: () => tf.minimum(x(), y()),
  mirrorPad: () => tf.mirrorPad(x(), [[1, 1], [2, 2]], "reflect"),
  mod: () => tf.mod(x(), pos()),
  moments: () => tf.moments(im(), [0, 1, 2]).variance,
  mul: () => tf.mul(x(), y()),
  neg: () => tf.neg(x()),
  notEqual: () => tf.notEqual(x(), y()),
  oneHot: () => tf.oneHot(tf.tensor1d([1, 0, 3], "int32"), 4),
  ones: () => tf.ones([2, 2]),
  pad: () => tf.pad(x(), [[1, 0], [0, 2]]),
  pow: () => tf.pow(pos(), y()),
  prelu: () => tf.prelu(im(), tf.tensor4d([0.1, 0.2, 0.3], [1, 1, 1, 3])),
  prod: () => tf.prod(x(), 1),
  range: () => tf.range(0, 6, 2),
  reciprocal: () => tf.reciprocal(pos()),
  relu: () => tf.relu(x()),
  relu6: () => tf.relu6(tf.mul(x(), 9)),
  reshape: () => tf.reshape(x(), [2, 6]),
  resizeBilinear: () => tf.image.resizeBilinear(im(), [5, 9]),
  resizeNearestNeighbor: () => tf.image.resizeNearestNeighbor(im(), [14, 14]),
  reverse: () => tf.reverse(im(), 2),
  round: () => tf.round(x()),
  rsqrt: () => tf.rsqrt(pos()),
  scatterND: () =>
    tf.scatterND(
      tf.tensor2d([[1], [3]], [2, 1], "int32"),
      tf.tensor1d([5, 6]),
      [5],
    ),
  selu: () => tf.selu(x()),
  sigmoid: () => tf.sigmoid(x()),
  sign: () => tf.sign(x()),
  sin: () => tf.sin(x()),
  sinh: () => tf.sinh(x()),
  slice: () => tf.slice(x(), [1, 0], [2, 3]),
  softmax: () => tf.softmax(x()),
  softplus: () => tf.softplus(x()),
  spaceToBatchND: () =>
    tf.spaceToBatchND(normal([1, 4, 4, 1], 11)(), [2, 2], [[0, 0], [0, 0]]),
  split: () => tf.split(x(), 2, 1)[1],
  sqrt: () => tf.sqrt(pos()),
  square: () => tf.square(x()),
  squaredDifference: () => tf.squaredDifference(x(), y()),
  squeeze: () => tf.squeeze(tf.expandDims(x(), 0)),
  stack: () => tf.stack([x(), y()], 1),
  step: () => tf.step(x(), 0.3),
  stridedSlice: () => tf.stridedSlice(x(), [0, 0], [3, 4], [2, 2]),
  sub: () => tf.sub(x(), y()),
  sum: () => tf.sum(x(), 0),
  tan: () => tf.tan(unit()),
  tanh: () => tf.tanh(x()),
  tile: () => tf.tile(x(), [2, 1]),
  topk: () => tf.topk(x(), 2).values,
  transpose: () => tf.transpose(im(), [0, 3, 1, 2]),
  unique: () => tf.unique(tf.tensor1d([3, 1, 3])).values,
  unsortedSegmentSum: () =>
    tf.unsortedSegmentSum(
      v() as tf.Tensor1D,
      tf.tensor1d([0, 1, 0, 2, 2, 1], "int32"),
      3,
    ),
  unstack: () => tf.unstack(x())[2],
  where: () => tf.where(tf.greater(x(), 0), x(), y()),
  zeros: () => tf.zeros([3]),
  "gradient of one image's conv2d": () =>
    tf.grad((k) =>
      tf.sum(tf.square(tf.conv2d(one(), k as tf.Tensor4D, 2, "same")))
    )(ke()),
  "gradient of conv2d": () =>
    tf.grad((k) =>
      tf.sum(tf.square(tf.conv2d(im(), k as tf.Tensor4D, 2, "same")))
    )(ke()),
  "gradient of softmax": () =>
    tf.grad((a) => tf.sum(tf.mul(tf.softmax(a), y())))(x()),
  "gradient of maxPool": () =>
    tf.grad((a) =>
      tf.sum(tf.square(tf.maxPool(a as tf.Tensor4D, 2, 2, "valid")))
    )(im()),
  "gradient of erf": () => tf.grad((a) => tf.sum(tf.erf(a)))(x()),
};
