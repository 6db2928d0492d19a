/** The room's door: charts of plain rows, as SVG text. */
export { forestChart } from "./effects.ts";
export { isolationChart } from "./bests.ts";
export { costAccuracyChart } from "./cost.ts";
export { heatMapChart } from "./heat.ts";
export { lineChart } from "./line.ts";
export { type ParallelAxis, parallelChart } from "./parallel.ts";
export { lrSensitivityChart } from "./rates.ts";
export type { Noise } from "./frame.ts";
export type { Channel, Rows } from "./channels.ts";
export { type Chart, escapeMarkup, percent } from "./theme.ts";
