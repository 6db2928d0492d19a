/** What commands use of studies on record; loads no TensorFlow. */
export {
  canonical,
  canonicalNumber,
  type Params,
  type ParamValue,
  parseStudy,
  type Study,
} from "./definition.ts";
export { oneLine, StudyError } from "./errors.ts";
export { csvLine, type CsvTable, readCsv } from "./exchange/csv.ts";
export {
  type Difference,
  differences,
  identityOf,
  isNamed,
  recordsOf,
} from "./identity.ts";
export { byteLines } from "./byte_lines.ts";
export { pointsOf, sampledSettings, type TrialPoint } from "./points.ts";
export {
  isSettled,
  type Progress,
  progressOf,
  RETRIES,
  sampledKeys,
} from "./progress.ts";
export { provenance } from "./provenance.ts";
export * from "./store/mod.ts";
export { clock, eventLines, Tally, timeLeft } from "./tally.ts";
export type { TrainingEvent } from "./training.ts";
