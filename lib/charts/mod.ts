/** Charts of plain rows, as SVG text: what others may import. */
import * as confusion from "./confusion.ts";
import * as costAccuracy from "./cost_accuracy.ts";
import * as faceGrid from "./face_grid.ts";
import * as forest from "./forest.ts";
import * as heat from "./heat.ts";
import * as isolation from "./isolation.ts";
import * as line from "./line.ts";
import * as lrSensitivity from "./lr_sensitivity.ts";
import { alsoNarrow } from "./narrow.ts";
import * as paired from "./paired.ts";
import * as parallel from "./parallel.ts";
import * as repeatDots from "./repeat_dots.ts";
import * as throughputKnee from "./throughput_knee.ts";
import * as timeline from "./timeline.ts";

export * as channels from "./channels.ts";
export { wordsOf } from "./channels.ts";
export { type Chart, escapeMarkup } from "./theme.ts";
export { kneeOf } from "./throughput_knee.ts";
export { percent } from "./value_text.ts";

export const isolationChart = alsoNarrow(isolation.isolationChart);
export const confusionChart = alsoNarrow(confusion.confusionChart);
export const confusionDifferenceChart = alsoNarrow(
  confusion.confusionDifferenceChart,
  2,
);
export const costAccuracyChart = alsoNarrow(costAccuracy.costAccuracyChart);
export const forestChart = alsoNarrow(forest.forestChart);
export const heatMapChart = alsoNarrow(heat.heatMapChart);
export const lineChart = alsoNarrow(line.lineChart);
export const pairedChart = alsoNarrow(paired.pairedChart);
export const parallelChart = alsoNarrow(parallel.parallelChart);
export const faceGridChart = alsoNarrow(faceGrid.faceGridChart);
export const heatOverlayChart = alsoNarrow(faceGrid.heatOverlayChart, 2);
export const lrSensitivityChart = alsoNarrow(lrSensitivity.lrSensitivityChart);
export const repeatsChart = alsoNarrow(repeatDots.repeatsChart);
export const throughputChart = alsoNarrow(throughputKnee.throughputChart);
export const timelineChart = alsoNarrow(timeline.timelineChart);
