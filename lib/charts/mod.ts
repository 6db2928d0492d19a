/** Charts of plain rows, as SVG text: what others may import. */
export { isolationChart } from "./bests.ts";
export * as channels from "./channels.ts";
export { wordsOf } from "./channels.ts";
export { confusionChart, confusionDifferenceChart } from "./confusion.ts";
export { costAccuracyChart } from "./cost.ts";
export { forestChart } from "./effects.ts";
export { heatMapChart } from "./heat.ts";
export { lineChart } from "./line.ts";
export { pairedChart } from "./pairs.ts";
export { parallelChart } from "./parallel.ts";
export { faceGridChart, heatOverlayChart } from "./pictures.ts";
export { lrSensitivityChart } from "./rates.ts";
export { repeatsChart } from "./runs.ts";
export { type Chart, escapeMarkup } from "./theme.ts";
export { kneeOf, throughputChart } from "./throughput.ts";
export { timelineChart } from "./trials.ts";
export { percent } from "./values.ts";
