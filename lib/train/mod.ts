/** Training: recipe, step, loop, metrics, checkpoints, and looks inside. */
export {
  attentionMaps,
  type AttentionStatistics,
  attentionStatistics,
  clsAttention,
  readStatistics,
  rollout,
  type StateTensors,
} from "./attention_maps.ts";
export {
  adaptiveEce,
  brierScore,
  Calibration,
  logLoss,
  rocAucOneVsRest,
  topKAccuracy,
} from "./calibration.ts";
export { loadCheckpoint, saveCheckpoint } from "./checkpoint.ts";
export {
  type Diagnoser,
  diagnoser,
  type Diagnostics,
  type ParameterDiagnostics,
  type SecondMoments,
} from "./diagnostics.ts";
export {
  type GradCam,
  gradCam,
  type GradCamOptions,
  overMaximum,
  upsample,
} from "./gradcam.ts";
export { onnxOf } from "./onnx_net.ts";
export { type ParameterRule, parameterRules } from "./parameter_rules.ts";
export {
  locateNonFinite,
  type LocateOptions,
  type NonFinite,
} from "./locate_non_finite.ts";
export { type Looked, lookInside } from "./look_inside.ts";
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
  classificationMetrics,
  cohenKappa,
  Evaluation,
  matthews,
} from "./metrics.ts";
export {
  fasterArithmetic,
  formerPrecision,
  type Measure,
  type PrecisionOptions,
  settlePrecision,
  type StepTimes,
} from "./precision.ts";
export { type Confused, confusedWith } from "./confused.ts";
export {
  type Photo,
  photosOf,
  predict,
  type Predicted,
  type Prediction,
  predictions,
  type PredictOptions,
  type Unreadable,
} from "./predict.ts";
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
export { type TrainedNet, trainedNet, type TrainedOptions } from "./trained.ts";
export { type StepResult, Trainer } from "./trainer.ts";
export { readVariables } from "./variables.ts";
