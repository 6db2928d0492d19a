/** A small CLS model with its first values. */
import { modelOf } from "../../lib/models/mod.ts";
import { initialise } from "../../lib/nn/mod.ts";

export const forward = modelOf({
  model: "cls",
  patches: "dropped",
  scale: "right",
  widths: [8, 16, 24, 32],
  layers: [1, 2, 1, 1],
  stemWidth: 8,
  stemStride: 1,
  depth: 2,
  dim: 32,
  heads: 4,
  mlpRatio: 4,
  classes: 7,
});
export const shape: [number, number, number] = [56, 56, 3];
export const state = initialise(forward, shape, 0);
