/** The room's door: the study's reports, what a notebook shows of them. */
export { reports } from "./catalogue.ts";
export type { JudgedClaim, JudgedReport } from "./claims.ts";
export { facesChart } from "./faces.ts";
export { interruptSignal, runMeasurement, runPlan } from "./live.ts";
export { OpenReport, openReport, type ReportParameters } from "./open.ts";
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
export { trialTable } from "./trial_table.ts";
