/** Studies: a grid with repeats, trial records in Optuna's schema, statistics. */
export {
  expandGrid,
  type Params,
  type ParamValue,
  type StudyDefinition,
  StudyError,
  type TrialPoint,
} from "./definition.ts";
export type { TrialRow, TrialState } from "./rows.ts";
export {
  recordsPath,
  runStudy,
  type StudyEvent,
  type StudySummary,
  type TrainTrial,
  type TrialContext,
  type TrialResult,
  trialRows,
} from "./runner.ts";
export {
  type MeanInterval,
  meanInterval,
  normalCdf,
  normalQuantile,
  type ProportionInterval,
  studentCdf,
  studentQuantile,
  wilsonInterval,
} from "./statistics.ts";
export { type Claim, openStore, type Store } from "./store.ts";
export type { EpochReport, FailKind, Outcome } from "./tables.ts";
export * from "./published.ts";
export { lrSearch, Profile } from "./lr_search.ts";
export {
  bestRow,
  recipeOf,
  runTrainingStudy,
  type TrainingEvent,
  type TrainingPlan,
  type TrainingRow,
  trainingRows,
} from "./training.ts";
