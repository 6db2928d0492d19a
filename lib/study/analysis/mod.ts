/** What a study's trials say: noise, tuning, comparisons. Plain rows in. */
export { boundaryWarnings, type SearchedParameter } from "./boundary.ts";
export {
  type CompareOptions,
  compareSettings,
  type Comparison,
  type Verdict,
} from "./compare_settings.ts";
export {
  type AllComparisons,
  compareAll,
  type Correction,
  type RankComparison,
} from "./compare_all.ts";
export { type Infeasible, infeasible } from "./infeasible.ts";
export type { McNemarResult } from "./mcnemar.ts";
export { bestOfBias, type NoiseFloor, noiseFloor, noiseLine } from "./noise.ts";
export { type RepeatsPlan, repeatsPlan } from "./repeats.ts";
export {
  type AnalysisRow,
  bestOf,
  type Direction,
  type Run,
  type Setting,
  settings,
} from "./rows.ts";
export {
  type Excess,
  type SelectionBias,
  selectionBias,
} from "./selection_bias.ts";
export { counted, describe, rateText, showValue, type Unit } from "./text.ts";
