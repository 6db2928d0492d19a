/** Training steps on random pixels, to be timed. */
import { modelOf } from "../models/mod.ts";
import { initialise, releaseState } from "../nn/mod.ts";
import type { Recipe } from "./recipe.ts";
import { Trainer } from "./trainer.ts";

/** A recipe's net, its batch, and steps of whole trainings on it. */
export function randomSteps(recipe: Recipe, seed = 0): {
  step: () => Promise<void>;
  images: number;
  dispose: () => void;
} {
  const { size, classes, batchSize } = recipe;
  const forward = modelOf(recipe);
  const state = initialise(forward, [size, size, 3], seed);
  const trainer = new Trainer(forward, state, recipe, { shared: true });
  releaseState(state);
  const pixels = Uint8Array.from(
    { length: batchSize * size * size * 3 },
    (_, i) => (i * 131 + (i >> 8) * 17) & 255,
  );
  const labels = Int32Array.from({ length: batchSize }, (_, i) => i % classes);
  return {
    step: async () => {
      await trainer.trainBatch(pixels, labels, [batchSize, size, size, 3]);
    },
    images: batchSize,
    dispose: () => trainer.dispose(),
  };
}
