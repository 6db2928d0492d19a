/** Charts of plain rows, as SVG text: what others may import. */
import * as bests from "./isolation.ts";
import * as confusion from "./confusion.ts";
import * as cost from "./cost_accuracy.ts";
import * as effects from "./forest.ts";
import * as heat from "./heat.ts";
import * as line from "./line.ts";
import { alsoNarrow } from "./narrow.ts";
import * as pairs from "./paired.ts";
import * as parallel from "./parallel.ts";
import * as pictures from "./face_grid.ts";
import * as rates from "./lr_sensitivity.ts";
import * as runs from "./repeat_dots.ts";
import * as speed from "./throughput_knee.ts";
import * as trials from "./timeline.ts";

export * as channels from "./channels.ts";
export { wordsOf } from "./channels.ts";
export { type Chart, escapeMarkup } from "./theme.ts";
export { kneeOf } from "./throughput_knee.ts";
export { percent } from "./value_text.ts";

export const isolationChart = alsoNarrow(bests.isolationChart);
export const confusionChart = alsoNarrow(confusion.confusionChart);
export const confusionDifferenceChart = alsoNarrow(
  confusion.confusionDifferenceChart,
  2,
);
export const costAccuracyChart = alsoNarrow(cost.costAccuracyChart);
export const forestChart = alsoNarrow(effects.forestChart);
export const heatMapChart = alsoNarrow(heat.heatMapChart);
export const lineChart = alsoNarrow(line.lineChart);
export const pairedChart = alsoNarrow(pairs.pairedChart);
export const parallelChart = alsoNarrow(parallel.parallelChart);
export const faceGridChart = alsoNarrow(pictures.faceGridChart);
export const heatOverlayChart = alsoNarrow(pictures.heatOverlayChart, 2);
export const lrSensitivityChart = alsoNarrow(rates.lrSensitivityChart);
export const repeatsChart = alsoNarrow(runs.repeatsChart);
export const throughputChart = alsoNarrow(speed.throughputChart);
export const timelineChart = alsoNarrow(trials.timelineChart);
