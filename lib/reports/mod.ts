/** The room's door: what a notebook puts a report together from. */
export {
  type Claim,
  claims,
  type ClaimsFile,
  decide,
  type JudgedClaim,
  publishedText,
} from "./claims.ts";
export {
  asFamily,
  differenceText,
  type Effect,
  effects,
  effectsText,
  effectTable,
  FEWEST,
  fewest,
  leaderOf,
  seedsText,
} from "./effects.ts";
export { facesChart } from "./faces.ts";
export { type BlockLook, type Looked, lookInside } from "./look.ts";
export { notebookIndex } from "./notebooks.ts";
export {
  atProfile,
  decades,
  type Grid,
  parseProfile,
  pretrained,
  Profile,
  startOf,
} from "./profiles.ts";
export { protocol } from "./protocol.ts";
export {
  type Published,
  published,
  publishedNoise,
  publishedRepeats,
  tableOf,
} from "./published.ts";
export {
  type Best,
  bestPer,
  bestSetting,
  bestTrial,
  epochRows,
  isDone,
  noiseOf,
  parametersOf,
  paramsOf,
  type Row,
  type SettingRow,
  settings,
  settingText,
  type Trial,
  valuesOf,
  where,
} from "./rows.ts";
export {
  duration,
  list,
  markdown,
  points,
  pText,
  rateText,
  type Shown,
  table,
  valueText,
} from "./show.ts";
export {
  type Ratio,
  ratios,
  ratioText,
  type SpeedCell,
  speeds,
  speedTable,
  speedText,
  timed,
} from "./speed.ts";
export { openStudy, Study, type StudyCell, type Where } from "./study.ts";
export { costTable, trialTable } from "./tables.ts";
export {
  better,
  byRule,
  cannotTell,
  equal,
  gains,
  holdsIf,
  type Judgement,
  keepUnlessBeaten,
  nearBest,
  noGain,
  notRun,
  peakWithin,
  tooFew,
  type Verdict,
  type Words,
  worse,
} from "./verdicts.ts";
