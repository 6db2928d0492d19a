/** Charts of plain rows, as SVG text: what others may import. */
export { isolationChart } from "./bests.ts";
export {
  type Confusion,
  confusionChart,
  confusionDifferenceChart,
} from "./confusion.ts";
export { costAccuracyChart } from "./cost.ts";
export { forestChart } from "./effects.ts";
export { heatMapChart } from "./heat.ts";
export { lineChart } from "./line.ts";
export { type MomentCounts, secondMomentsChart } from "./moments.ts";
export { pairedChart } from "./pairs.ts";
export { parallelChart } from "./parallel.ts";
export {
  faceGridChart,
  type FaceRow,
  heatOverlayChart,
  type HeatRow,
} from "./pictures.ts";
export { lrSensitivityChart } from "./rates.ts";
export { repeatsChart } from "./runs.ts";
export { kneeOf, throughputChart } from "./throughput.ts";
export { timelineChart } from "./trials.ts";
export type { Noise } from "./noise.ts";
export * as channels from "./channels.ts";
export { type Channel, type Rows, wordsOf } from "./channels.ts";
export { type Chart, escapeMarkup } from "./theme.ts";
export { percent } from "./values.ts";
