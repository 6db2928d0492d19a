/** Parameters between our axis order and PyTorch's: copied at the border only. */
import type { Layout } from "./scope.ts";

/** The order of our axes in PyTorch's tensor. */
const TORCH_AXES = { conv: [3, 2, 0, 1], linear: [1, 0] };
const OUR_AXES = { conv: [2, 3, 1, 0], linear: [1, 0] };

function permute(data: Float32Array, shape: number[], axes: number[]) {
  const strides = shape.map((_, i) =>
    shape.slice(i + 1).reduce((a, b) => a * b, 1)
  );
  const out = axes.map((a) => shape[a]);
  const steps = axes.map((a) => strides[a]);
  const result = new Float32Array(data.length);
  const index = new Array(out.length).fill(0);
  for (let i = 0, at = 0; i < result.length; i++) {
    result[i] = data[at];
    for (let axis = out.length - 1; axis >= 0; axis--) {
      at += steps[axis];
      if (++index[axis] < out[axis]) break;
      at -= out[axis] * steps[axis];
      index[axis] = 0;
    }
  }
  return { data: result, shape: out };
}

/** Our values and shape as PyTorch lays them out. */
export function toTorch(data: Float32Array, shape: number[], layout: Layout) {
  return layout === "none"
    ? { data, shape }
    : permute(data, shape, TORCH_AXES[layout]);
}

/** PyTorch's values and shape as we lay them out. */
export function fromTorch(data: Float32Array, shape: number[], layout: Layout) {
  return layout === "none"
    ? { data, shape }
    : permute(data, shape, OUR_AXES[layout]);
}
