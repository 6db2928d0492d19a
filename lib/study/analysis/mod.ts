/** What a study's trials say: noise, tuning, comparisons. Plain rows in. */
export { boundaryWarnings, type SearchedParameter } from "./boundary.ts";
export { compareSettings, type Comparison } from "./compare_settings.ts";
export { compareAll, type Correction } from "./compare_all.ts";
export { infeasible } from "./infeasible.ts";
export { bestOfBias, type NoiseFloor, noiseFloor, noiseLine } from "./noise.ts";
export { repeatsPlan } from "./repeats.ts";
export { type AnalysisRow, bestOf, type Setting, settings } from "./rows.ts";
export { selectionBias } from "./selection_bias.ts";
export { counted, describe, rateText, showValue } from "./text.ts";
