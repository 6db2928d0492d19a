/** TensorFlow ops that tfjs has no name for: fused, stateless, uint8, in place. */
import { backend, idOf, tf } from "./backend.ts";
import { type Attr, AttrType, binding, DataType } from "./binding.ts";
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

export interface AdamStep {
  parameter: Variable;
  m: Variable;
  v: Variable;
  gradient: tf.Tensor;
  /** Scalars: beta^t after this step's multiplication, and the rest. */
  beta1Power: tf.Tensor;
  beta2Power: tf.Tensor;
  lr: tf.Tensor;
  beta1: tf.Tensor;
  beta2: tf.Tensor;
  eps: tf.Tensor;
}

/**
 * One Adam update in place (arXiv 1412.6980). TensorFlow's op adds eps to
 * √v before the bias correction; pass `eps · √(1 − beta2^t)` to get the
 * paper's and PyTorch's form.
 */
export function applyAdam(s: AdamStep): void {
  binding.executeOp("ResourceApplyAdam", [
    type("T", DataType.FLOAT),
    bool("use_locking", false),
    bool("use_nesterov", false),
  ], [
    s.parameter.id,
    s.m.id,
    s.v.id,
    ...[s.beta1Power, s.beta2Power, s.lr, s.beta1, s.beta2, s.eps, s.gradient]
      .map(idOf),
  ], 0);
}
