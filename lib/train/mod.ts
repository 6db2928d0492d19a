/** Training: recipe, step, loop, metrics, checkpoints. */
export { loadCheckpoint, saveCheckpoint } from "./checkpoint.ts";
export {
  chosenEpoch,
  DivergedError,
  type EpochRow,
  evaluate,
  train,
  type TrainOptions,
} from "./loop.ts";
export { crossEntropy } from "./losses.ts";
export { classificationMetrics, Evaluation } from "./metrics.ts";
export {
  parseRecipe,
  Recipe,
  RecipeError,
  recipes,
  recipeTable,
} from "./recipe.ts";
export { readSafetensors, writeSafetensors } from "../weights/mod.ts";
export { Trainer } from "./trainer.ts";
