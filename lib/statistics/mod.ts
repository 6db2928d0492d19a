/** Statistics of predictions, and for comparing trainings; knows no training. */
export { benjaminiHochberg, bonferroni, holm, holmSidak } from "./adjust.ts";
export {
  bootstrapAccuracyDifference,
  type BootstrapInterval,
  bootstrapInterval,
  type BootstrapOptions,
  resamples,
} from "./bootstrap.ts";
export {
  adaptiveEce,
  brierScore,
  Calibration,
  logLoss,
  rocAucOneVsRest,
  topKAccuracy,
} from "./calibration.ts";
export {
  classificationMetrics,
  cohenKappa,
  Evaluation,
  matthews,
} from "./classification.ts";
export { kendallTauB, pearson, spearman } from "./correlation.ts";
export {
  chiSquareQuantile,
  normalCdf,
  normalQuantile,
  studentCdf,
  studentQuantile,
} from "./distributions.ts";
export {
  averageRanks,
  type FriedmanTest,
  friedmanTest,
  type NemenyiTest,
  nemenyiTest,
} from "./friedman.ts";
export {
  clopperPearsonInterval,
  type MeanInterval,
  meanInterval,
  type PooledSd,
  pooledSd,
  type ProportionInterval,
  wilsonInterval,
} from "./intervals.ts";
export {
  detectableDifference,
  type PairedDesign,
  pairedPower,
  repeatsNeeded,
} from "./power.ts";
export { pairedDifferences, quantile, tied } from "./sample.ts";
export {
  discordantPairs,
  type McNemarTest,
  mcnemarTest,
  type SignTest,
  signTest,
  wilcoxonSignedRank,
  type WilcoxonTest,
} from "./sign_tests.ts";
export {
  oneSampleTTest,
  pairedTTest,
  type TTest,
  type WelchTest,
  welchTTest,
} from "./t_tests.ts";
