/** A data set and a recipe that train in well under a second. */
import { type Dataset, syntheticFaces } from "../../lib/data/mod.ts";
import { parseRecipe, type Recipe } from "../../lib/train/mod.ts";

export const tinyData: Dataset = await syntheticFaces({
  size: 16,
  train: 44,
  validation: 10,
  test: 10,
  seed: 3,
});

export function tinyRecipe(fields: Record<string, unknown> = {}): Recipe {
  return parseRecipe({
    size: 16,
    widths: [4, 4, 8, 8],
    stemWidth: 4,
    layers: [1, 1, 1, 1],
    depth: 1,
    dim: 8,
    heads: 2,
    batchSize: 8,
    evalBatchSize: 4,
    epochs: 2,
    lr: 1e-3,
    seed: 5,
    ...fields,
  });
}
