/** Studies: definition, search, trial records in Optuna's schema, running. */
export * as analysis from "./analysis/mod.ts";
export {
  canonicalNumber,
  isPlanned,
  type Parameter,
  type Params,
  type ParamValue,
  parseStudy,
  plannedTrials,
  type Study,
  type StudyInput,
  StudySchema,
} from "./definition.ts";
export { CrashedError, PrunedError, StudyError } from "./errors.ts";
export { type CostEstimate, estimateCost } from "./estimate.ts";
export {
  EXPORT_FORMATS,
  type ExportFormat,
  exportStudy,
} from "./exchange/export_study.ts";
export { epochsFrame, frameTable, trialsFrame } from "./frames.ts";
export { readStudyFile, type StudyFile, studyFolder } from "./study_file.ts";
export { findings } from "./report_lines.ts";
export { differenceLines, differences, recordsOf } from "./identity.ts";
export { joinStudy, loadPlanData, runPlanned, runStudyFile } from "./launch.ts";
export {
  firstSetting,
  isRecordOf,
  parsePlan,
  recipeOf,
  type TrainingPlan,
} from "./plan.ts";
export { decades, pointsOf, type TrialPoint } from "./points.ts";
export * from "./published.ts";
export {
  recordsPath,
  type RunOptions,
  runStudy,
  type StudyEvent,
  type StudySummary,
} from "./runner.ts";
export * from "./store/mod.ts";
export { eventLines, Tally } from "./tally.ts";
export {
  TIMED_MODES,
  type TimedMode,
  type TimedSteps,
  timingTrial,
} from "./timing_trial.ts";
export type {
  TrainTrial,
  TrialContext,
  TrialEvent,
  TrialResult,
} from "./trial.ts";
export {
  type EpochSummary,
  runTrainingStudy,
  type TrainingEvent,
} from "./training.ts";
export {
  type RecordPlace,
  type TrainingRow,
  trainingRows,
  trialRows,
} from "./training_rows.ts";
