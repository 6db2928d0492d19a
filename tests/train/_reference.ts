/** PyTorch's and torchvision's numbers for augmentation, mixing and losses. */
import assert from "node:assert/strict";
import { tf } from "../../lib/tensorflow/mod.ts";
import { readSafetensors } from "../../lib/weights/mod.ts";

const file = new URL("../fixtures/augmentation_losses", import.meta.url)
  .pathname;

export const reference = JSON.parse(await Deno.readTextFile(`${file}.json`));

const { tensors } = await readSafetensors(`${file}.safetensors`);

/** A stored tensor's values and shape. */
export function stored(name: string): { shape: number[]; data: number[] } {
  const { shape, data } = tensors.get(name)!;
  return { shape, data: Array.from(data as ArrayLike<number>, Number) };
}

/** A stored [B, C, H, W] or [C, H, W] as [B, H, W, C]. */
export function images(name: string): tf.Tensor4D {
  const { shape, data } = stored(name);
  const [channels, height, width] = shape.slice(-3);
  const count = data.length / (channels * height * width);
  return tf.tidy(() =>
    tf.transpose(
      tf.tensor4d(data, [count, channels, height, width], "float32"),
      [0, 2, 3, 1],
    )
  );
}

/** A stored [B, K] in float32. */
export function matrix(name: string): tf.Tensor2D {
  const { shape, data } = stored(name);
  return tf.tensor2d(data, shape as [number, number], "float32");
}

export function near(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  tolerance: number,
  what = "value",
): void {
  assert.equal(got.length, want.length);
  for (let i = 0; i < got.length; i++) {
    assert(
      Math.abs(got[i] - want[i]) <= tolerance,
      `${what} ${i}: ${got[i]}, not ${want[i]}`,
    );
  }
}

export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}

/** The standard error of the mean. */
export function standardError(values: ArrayLike<number>): number {
  const centre = mean(values);
  const squares = Array.from(values, (v) => (v - centre) ** 2);
  return Math.sqrt(mean(squares) / (values.length - 1));
}

/** Column `i` of a list of rows, as a tensor [B]. */
export function column(rows: number[][], i: number): tf.Tensor1D {
  return tf.tensor1d(rows.map((row) => row[i]));
}
