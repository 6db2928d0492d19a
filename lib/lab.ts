/**
 * What a notebook imports: the pieces of a report and the charts by name, all
 * else in groups, one per folder of lib.
 */
export * from "./reports/mod.ts";
export * from "./charts/mod.ts";
// The same pieces, with results that keep their call.
export {
  answer,
  asFamily,
  bestPer,
  better,
  claims,
  confusionChart,
  confusionDifferenceChart,
  costAccuracyChart,
  decide,
  differenceText,
  effects,
  effectsText,
  effectTable,
  epochRows,
  equal,
  explore,
  forestChart,
  gains,
  gainText,
  heatMapChart,
  isolationChart,
  keepUnlessBeaten,
  lineChart,
  lrSensitivityChart,
  noGain,
  noiseOf,
  openStudy,
  pairedChart,
  parallelChart,
  peakWithin,
  repeatsChart,
  runsAtBest,
  settings,
  trialTable,
  where,
  worse,
} from "./explore/mod.ts";

export * as charts from "./charts/mod.ts";
export * as data from "./data/mod.ts";
export * as models from "./models/mod.ts";
export * as profiling from "./profile/mod.ts";
export * as statistics from "./statistics/mod.ts";
export * as study from "./study/mod.ts";
export * as train from "./train/mod.ts";
export * as trained from "./trained/mod.ts";
export * as weights from "./weights/mod.ts";

export {
  type Best,
  bestTrial,
  duration,
  parametersOf,
  paramsOf,
  points,
  pText,
  type Published,
  published,
  publishedNoise,
  publishedText,
  rateText,
  type Row,
  settingText,
  speeds,
  speedText,
  type Trial,
  valueText,
} from "./rows/mod.ts";
export { loadDataset, syntheticFaces } from "./data/mod.ts";
export { modelOf } from "./models/mod.ts";
export { costOf, flopsOf } from "./profile/mod.ts";
export { analysis, decades, frameTable } from "./study/mod.ts";
export { engineInfo } from "./tensorflow/mod.ts";
export { parseRecipe, type Recipe, recipes, recipeTable } from "./train/mod.ts";
export { lookInside, predict } from "./trained/mod.ts";
export { z } from "zod";
