/** TensorFlow ops that tfjs has no name for: fused, stateless, uint8, in place. */
import { backend, tensorId, tf } from "./backend.ts";
import {
  type Attr,
  AttrType,
  binding,
  DataType,
  usesNativeOps,
} from "./binding.ts";
import type { Variable } from "./variable.ts";

const type = (name: string, value: number): Attr => ({
  name,
  type: AttrType.TYPE,
  value,
});
const bool = (name: string, value: boolean): Attr => ({
  name,
  type: AttrType.BOOL,
  value,
});

const FLOAT = type("T", DataType.FLOAT);

/** A uint8 tensor, one byte a value; tfjs calls its dtype int32. */
export function fromBytes(bytes: Uint8Array, shape: number[]): tf.Tensor {
  const id = binding.createTensor(shape, DataType.UINT8, bytes);
  return backend.createOutputTensor({ id, shape, dtype: DataType.UINT8 });
}

/** uint8 values as float32, 0..255. */
export function bytesToFloat(x: tf.Tensor): tf.Tensor {
  return backend.executeSingleOutput("Cast", [
    type("SrcT", DataType.UINT8),
    type("DstT", DataType.FLOAT),
    bool("Truncate", false),
  ], [x]);
}

/**
 * Pixels [B, H, W, C] uint8 as (pixel / 255 − mean) / std by our own op.
 * `changes` [B, 5] says of each image whether it is mirrored, above 0, and the
 * box that becomes 0: top, left, bottom, right.
 */
export function preparedImages(
  bytes: tf.Tensor4D,
  changes: tf.Tensor,
  { mean, std }: { mean: number; std: number },
): tf.Tensor4D {
  return backend.executeSingleOutput("FerlabImages", [
    { name: "mean", type: AttrType.FLOAT, value: mean },
    { name: "std", type: AttrType.FLOAT, value: std },
  ], [bytes, changes]) as tf.Tensor4D;
}

/**
 * Uniform float32 in [0, 1) that depends on `seed` (int32 [2]) alone, so that
 * any step can be redone.
 */
export function statelessUniform(shape: number[], seed: tf.Tensor): tf.Tensor {
  return stateless("StatelessRandomUniform", shape, seed);
}

/** Standard normal float32 that depends on `seed` (int32 [2]) alone. */
export function statelessNormal(shape: number[], seed: tf.Tensor): tf.Tensor {
  return stateless("StatelessRandomNormal", shape, seed);
}

function stateless(op: string, shape: number[], seed: tf.Tensor): tf.Tensor {
  return backend.executeSingleOutput(op, [
    type("dtype", DataType.FLOAT),
    type("T", DataType.INT32),
    type("Tseed", DataType.INT32),
  ], [tf.tensor1d(shape, "int32"), seed]);
}

const SQUARE_SUM = "FerlabSquareSum";
tf.registerKernel({
  kernelName: SQUARE_SUM,
  backendName: "tensorflow",
  kernelFunc: ({ inputs }) => {
    const tensors = Object.values(inputs) as tf.Tensor[];
    if (usesNativeOps()) {
      const n: Attr = { name: "N", type: AttrType.INT, value: tensors.length };
      return backend.executeSingleOutput(SQUARE_SUM, [n], tensors);
    }
    return tf.tidy(() => {
      const halves = tensors.map((x) =>
        backend.executeSingleOutput("L2Loss", [FLOAT], [x])
      );
      return tf.mul(tf.addN(halves), 2);
    });
  },
});
tf.registerGradient({
  kernelName: SQUARE_SUM,
  saveAllInputs: true,
  gradFunc: (dy, saved) =>
    Object.fromEntries(
      saved.map((x, i) => [i, () => tf.mul(tf.mul(dy as tf.Tensor, x), 2)]),
    ),
});

/** Σx² over all of `tensors` together. */
export function squareSum(tensors: readonly tf.Tensor[]): tf.Scalar {
  return tf.engine().runKernel(
    SQUARE_SUM,
    [...tensors] as unknown as tf.NamedTensorMap,
  ) as tf.Scalar;
}

/**
 * How many values of `x` lie in each of `bins` bins of one width from `low` to
 * `high`, int32 [bins]; values outside count in the outer bins.
 */
export function histogram(
  x: tf.Tensor,
  [low, high]: [low: number, high: number],
  bins: number,
): tf.Tensor {
  const counts = backend.executeSingleOutput("HistogramFixedWidth", [
    FLOAT,
    type("dtype", DataType.INT32),
  ], [x, tf.tensor1d([low, high]), tf.scalar(bins, "int32")]);
  return tf.reshape(counts, [bins]);
}

/** Runs an op that updates variables in place. */
function update(
  op: string,
  attrs: Attr[],
  variables: Variable[],
  inputs: tf.Tensor[],
): void {
  binding.executeOp(
    op,
    [FLOAT, bool("use_locking", false), ...attrs],
    [...variables.map((v) => v.id), ...inputs.map(tensorId)],
    0,
  );
}

export interface AdamStep {
  parameter: Variable;
  m: Variable;
  v: Variable;
  /** The largest v so far, for AMSGrad. */
  largestV?: Variable;
  gradient: tf.Tensor;
  /** Scalars. */
  rate: tf.Tensor;
  beta1: tf.Tensor;
  beta2: tf.Tensor;
  eps: tf.Tensor;
}

/**
 * m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², p ← p − rate·m / (√v + eps), all
 * in place; the bias corrections belong into `rate` and `eps`.
 */
export function applyAdam(s: AdamStep): void {
  const none = tf.scalar(0);
  const scalars = [none, none, s.rate, s.beta1, s.beta2, s.eps, s.gradient];
  if (s.largestV) {
    const variables = [s.parameter, s.m, s.v, s.largestV];
    update("ResourceApplyAdamWithAmsgrad", [], variables, scalars);
  } else {
    update(
      "ResourceApplyAdam",
      [bool("use_nesterov", false)],
      [s.parameter, s.m, s.v],
      scalars,
    );
  }
}

/** p ← p − rate·g in place. */
export function applyGradientDescent(
  parameter: Variable,
  gradient: tf.Tensor,
  rate: tf.Tensor,
): void {
  update("ResourceApplyGradientDescent", [], [parameter], [rate, gradient]);
}

/**
 * b ← momentum·b + g, p ← p − rate·b in place; with Nesterov's momentum
 * p ← p − rate·(g + momentum·b).
 */
export function applyMomentum(
  parameter: Variable,
  buffer: Variable,
  gradient: tf.Tensor,
  { rate, momentum, nesterov }: {
    rate: tf.Tensor;
    momentum: tf.Tensor;
    nesterov: boolean;
  },
): void {
  update(
    "ResourceApplyMomentum",
    [bool("use_nesterov", nesterov)],
    [parameter, buffer],
    [rate, gradient, momentum],
  );
}
