/** Training: recipe, step, loop, checkpoints, diagnostics. */
export { loadCheckpoint, NEWEST, saveCheckpoint } from "./checkpoint.ts";
export {
  type Diagnoser,
  diagnoser,
  type Diagnostics,
  type ParameterDiagnostics,
  type SecondMoments,
} from "./diagnostics.ts";
export { type ParameterRule, parameterRules } from "./parameter_rules.ts";
export {
  locateNonFinite,
  type LocateOptions,
  type NonFinite,
} from "./locate_non_finite.ts";
export {
  chosenEpoch,
  DivergedError,
  type EpochRow,
  evaluate,
  highest,
  train,
  type TrainOptions,
} from "./loop.ts";
export {
  crossEntropy,
  type LossOptions,
  posterLoss,
  softCrossEntropy,
  targetsOf,
} from "./losses.ts";
export {
  type LrRangeOptions,
  type LrRangeRow,
  lrRangeTest,
  steepestRate,
} from "./lr_range.ts";
export {
  fasterArithmetic,
  formerPrecision,
  type Measure,
  type PrecisionOptions,
  settlePrecision,
  type StepTimes,
} from "./precision.ts";
export { loadPretrained, type Pretrained, weightsPath } from "./pretrained.ts";
export { randomSteps } from "./random_steps.ts";
export {
  lrAt,
  plateau,
  type Rate,
  type RunLength,
  scheduleCurve,
} from "./learning_rates.ts";
export {
  parseRecipe,
  Recipe,
  RecipeError,
  recipes,
  recipeTable,
} from "./recipe.ts";
export { TrainingRun } from "./batches_and_rates.ts";
export { followsRunLength, Schedule } from "./schedules.ts";
export { squareRootRule } from "./square_root.ts";
export { normalise, scaled, type StepResult, Trainer } from "./trainer.ts";
export { readVariables } from "./variables.ts";
