/** What a training study's trials say, as lines for a report. */
import {
  type AnalysisRow,
  boundaryWarnings,
  infeasible,
  noiseFloor,
  noiseLine,
  repeatsPlan,
  selectionBias,
} from "./analysis/mod.ts";
import { parsePlan, type TrainingPlan } from "./plan.ts";
import type { TrainingRow } from "./training_rows.ts";

/** A plan's trials as the analyses take them. */
export function analysisRows(rows: readonly TrainingRow[]): AnalysisRow[] {
  return rows.map((row) => ({
    params: row.params,
    repeat: row.repeat,
    seed: row.seed,
    state: row.state,
    value: row.accuracy,
    failKind: row.fail_kind,
    maxTestValue: row.maxTestAccuracy,
    predictions: row.predictions,
  }));
}

/** A difference worth seeing, as a share: one point of accuracy. */
const WORTH_SEEING = 0.01;

const PICKED_ON_TEST = "the epoch was picked on the test split, as the plan " +
  "says (testMaximum), so every number here is optimistic";

/**
 * What to know before a conclusion is drawn: the noise and how many repeats
 * would see a difference of one point, how much picking epochs on test
 * flatters, whether the best setting lies on the edge of what was searched,
 * and which settings cannot be trained.
 */
export function findings(
  input: TrainingPlan,
  rows: readonly TrainingRow[],
): string[] {
  const { study, objective } = parsePlan(input);
  const analysed = analysisRows(rows);
  const noise = noiseFloor(analysed);
  // Values of two settings differ by √2 times the sd of one's repeats.
  const plan = noise && noise.sd > 0 && repeatsPlan({
    difference: WORTH_SEEING,
    sd: Math.SQRT2 * noise.sd,
    present: study.repeats,
  });
  const bias = selectionBias(analysed, {
    direction: study.direction,
    hasValidation: !rows.some((r) => r.optimistic),
  }).lines;
  if (objective.epoch === "testMaximum") bias[0] = PICKED_ON_TEST;
  return [
    noiseLine(noise),
    ...plan ? [plan.text] : [],
    ...bias,
    ...boundaryWarnings(analysed, study.parameters, study.direction),
    ...infeasible(analysed, study.direction).warnings,
  ];
}
