/** The room's door: the study's reports, what a notebook shows of them. */
export { reports } from "./catalogue.ts";
export { facesChart } from "./faces.ts";
export { interruptSignal, runMeasurement, runPlan } from "./live.ts";
export {
  type JudgedClaim,
  type JudgedReport,
  OpenReport,
  openReport,
  type ReportParameters,
  trialTable,
} from "./open.ts";
export {
  baseOf,
  Profile,
  trainingPlan,
  type TrainingStudy,
} from "./profile.ts";
export { protocolRows } from "./protocol.ts";
export { publishedFigure } from "./published.ts";
export type {
  Claim as ReportClaim,
  Judgement,
  MeasuredRow,
  Measurement,
  ProtocolRow,
  Report,
  Results,
  Verdict,
} from "./report.ts";
export { duration, markdown, points, type Shown, table } from "./show.ts";
export { confusionChart, curvesChart, noiseOf } from "./training_charts.ts";
