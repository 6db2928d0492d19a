/** What augmentation asks of the device: stateless draws, gathering, warping. */
import {
  type Attr,
  AttrType,
  backend,
  DataType,
  statelessUniform,
  tf,
} from "../../tensorflow/mod.ts";

/**
 * Draws `shape` uniforms in [0, 1) for use number `use` of `seed` (int32 [2]).
 * Every draw of a step has its own number: flip 1, erasing 2 to 6, crop 7 to
 * 10, affine 11 to 15, colour 16 to 19.
 */
export function draw(
  shape: number[],
  seed: tf.Tensor,
  use: number,
): tf.Tensor {
  return statelessUniform(
    shape,
    tf.add(seed, tf.tensor1d([use << 24, 0], "int32")),
  );
}

/** Uniforms of [0, 1) as uniforms of [low, high). */
export function uniformBetween(
  uniforms: tf.Tensor,
  low: number,
  high: number,
): tf.Tensor {
  return tf.add(tf.mul(uniforms, high - low), low);
}

const type = (name: string, value: number): Attr => ({
  name,
  type: AttrType.TYPE,
  value,
});
const text = (name: string, value: string): Attr => ({
  name,
  type: AttrType.STRING,
  value,
});

/**
 * Float32 `x` at int32 `indices` along `axis`, the first `batchDims`
 * dimensions in step. tfjs's own gather reads the indices, which a compiled
 * step cannot; here they are not checked.
 */
export function gather(
  x: tf.Tensor,
  indices: tf.Tensor,
  axis: number,
  batchDims = 0,
): tf.Tensor {
  return backend.executeSingleOutput("GatherV2", [
    { name: "batch_dims", type: AttrType.INT, value: batchDims },
    type("Tparams", DataType.FLOAT),
    type("Tindices", DataType.INT32),
    type("Taxis", DataType.INT32),
  ], [x, indices, tf.scalar(axis, "int32")]);
}

/**
 * Each image under its own affine map, bilinear, 0 outside.
 * @param x [B, H, W, C]
 * @param maps [B, 8]: a row [a, b, c, d, e, f, 0, 0] lets the output's pixel
 * (column j, row i) show the input at column a·j + b·i + c, row d·j + e·i + f.
 */
export function warp(x: tf.Tensor4D, maps: tf.Tensor): tf.Tensor4D {
  const [, height, width] = x.shape;
  return backend.executeSingleOutput("ImageProjectiveTransformV3", [
    type("dtype", DataType.FLOAT),
    text("interpolation", "BILINEAR"),
    text("fill_mode", "CONSTANT"),
  ], [
    x,
    maps,
    tf.tensor1d([height, width], "int32"),
    tf.scalar(0),
  ]) as tf.Tensor4D;
}
