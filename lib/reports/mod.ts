/** What a notebook puts a report together from, and others may import. */
export * from "./answers.ts";
export * from "./claims.ts";
export { ClaimsFile, readClaims } from "./claims_file.ts";
export {
  asFamily,
  differenceText,
  type Effect,
  type EffectOptions,
  effects,
  effectsText,
  effectTable,
  fewest,
  gainText,
  leaderOf,
  type Testing,
} from "./effects.ts";
export { fromRoot } from "./run_in_cell.ts";
export * from "./profiles.ts";
export { protocol } from "./protocol.ts";
export { list, markdown, type Shown, table } from "./markdown_and_tables.ts";
export * from "./speed.ts";
export { openStudy, Study, type StudyCell, type Where } from "./study.ts";
export { costTable, trialTable } from "./trial_tables.ts";
export * from "./verdicts.ts";
