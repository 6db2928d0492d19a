/** The room's door: charts of plain rows, as SVG text. */
export { confusionMatrixChart } from "./confusion_matrix.ts";
export { type CurveBandRow, curveBandsChart } from "./curve_bands.ts";
export {
  faceGridChart,
  type FaceRow,
  heatOverlayChart,
  type HeatRow,
} from "./pictures.ts";
export { type Effect, forestChart } from "./forest.ts";
export { type HeatMapCell, heatMapChart } from "./heat_map.ts";
export { isolationChart, type IsolationRow } from "./isolation.ts";
export {
  type LearningCurveRow,
  learningCurvesChart,
} from "./learning_curves.ts";
export {
  lrAccuracyChart,
  type LrAccuracyRow,
  type PublishedLrRow,
} from "./lr_accuracy.ts";
export { type Pair, pairedChart, type PairedMean } from "./paired.ts";
export {
  type ParallelAxis,
  parallelCoordinatesChart,
  type ParallelRow,
} from "./parallel_coordinates.ts";
export { lrSensitivityChart, type SensitivityCurve } from "./sensitivity.ts";
export { type Chart, type ChartOptions, escapeMarkup, percent } from "./old.ts";
export { confusionDifferenceChart } from "./confusion_difference.ts";
export { costAccuracyChart, type CostPoint } from "./cost_accuracy.ts";
export { type RepeatRow, repeatsChart } from "./repeats.ts";
export { type MomentCounts, secondMomentsChart } from "./moments.ts";
export {
  kneeOf,
  throughputKneeChart,
  type ThroughputRow as MeasuredThroughput,
} from "./throughput_knee.ts";
export { timelineChart, type TimelineTrial } from "./timeline.ts";
