/** The room's door: charts of plain rows, as SVG text. */
export { forestChart } from "./effects.ts";
export { heatMapChart } from "./heat.ts";
export type { Noise } from "./frame.ts";
export type { Channel, Rows } from "./channels.ts";
export { type Chart, escapeMarkup, percent } from "./theme.ts";
