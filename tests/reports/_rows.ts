/** Results of hand-made rows, as the judges of reports take them. */
import type { Profile } from "../../lib/reports/mod.ts";
import { resultsOf } from "../../lib/reports/report.ts";
import type { Results } from "../../lib/reports/report.ts";
import type { TrainingRow } from "../../lib/study/mod.ts";

/** A trial with an accuracy as a share; null is one that diverged. */
export function row(
  params: TrainingRow["params"],
  repeat: number,
  accuracy: number | null,
  more: Partial<TrainingRow> = {},
): TrainingRow {
  return {
    number: 0,
    state: accuracy === null ? "FAIL" : "COMPLETE",
    params,
    repeat,
    seed: 100 + repeat,
    accuracy,
    ...accuracy === null
      ? { fail_kind: "diverged" as const, fail_reason: "loss is NaN" }
      : {},
    epochs: [],
    ...more,
  };
}

/**
 * A grid of depth (or another name) and rate with a run an accuracy, repeats
 * in order: `{ 2: { 0.001: [0.5, 0.51, null] } }`.
 */
export const grid = (
  values: Record<number, Record<number, (number | null)[]>>,
  name = "depth",
): TrainingRow[] =>
  Object.entries(values).flatMap(([value, byRate]) =>
    Object.entries(byRate).flatMap(([lr, runs]) =>
      runs.map((accuracy, repeat) =>
        row({ [name]: Number(value), lr: Number(lr) }, repeat, accuracy)
      )
    )
  );

export const results = (
  studies: Record<string, TrainingRow[]>,
  profile: Profile = "cpu",
): Results =>
  resultsOf(
    { profile, data: profile === "paper" ? "raf-db" : "fer2013" },
    new Map(Object.entries(studies)),
  );

/** An epoch with these accuracies. */
export const epoch = (
  epoch: number,
  validationAccuracy: number,
  testAccuracy: number,
): TrainingRow["epochs"][number] => ({
  epoch,
  lr: 1e-3,
  trainLoss: 1,
  trainAccuracy: 0.5,
  gradientNorm: 1,
  validationLoss: 1,
  validationAccuracy,
  testLoss: 1,
  testAccuracy,
  testBalancedAccuracy: testAccuracy,
  testMacroF1: testAccuracy,
  testKappa: 0.4,
  testEce: 0.1,
  seconds: 1,
  imagesPerSecond: 100,
});
