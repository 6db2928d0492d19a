/** Studies from and for other programs: tables, Optuna, W&B, TensorBoard, MLflow. */
export {
  csvOf,
  EXPORT_FORMATS,
  type ExportFormat,
  exportFormatOf,
  exportRuns,
  exportStudy,
  jsonOf,
  type Tracker,
  TRACKERS,
} from "./export_study.ts";
export { trialColumns } from "../frames.ts";
export { importTrials, type TrialSource } from "./import_trials.ts";
export { readStored } from "./optuna.ts";
export type { Picture } from "./tensorboard.ts";
export { readRuns, type RunColumns, runColumns } from "./wandb.ts";
export { addHistory } from "./wandb_history.ts";
