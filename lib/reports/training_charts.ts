/** Charts that every study of trainings has. */
import {
  type Chart,
  confusionMatrixChart,
  learningCurvesChart,
} from "../charts/mod.ts";
import { analysis, analysisRows, type TrainingRow } from "../study/mod.ts";

/** The pooled sd of repeats' test accuracies; null without repeats. */
export const noiseOf = (rows: readonly TrainingRow[]) =>
  analysis.noiseFloor(analysisRows(rows));

/** Validation accuracy by epoch, one line a trial. */
export function curvesChart(rows: readonly TrainingRow[]): Chart {
  const isRepeated = rows.some((r) => r.repeat > 0);
  return learningCurvesChart(
    rows.flatMap((r) =>
      r.epochs.map((e) => ({
        trial: analysis.describe(r.params) +
          (isRepeated ? `, repeat ${r.repeat + 1}` : ""),
        epoch: e.epoch,
        metric: "validation" as const,
        value: e.validationAccuracy,
      }))
    ),
    { yLabel: "validation accuracy", noise: noiseOf(rows) },
  );
}

/** Confusion matrix of a trial on the test split at its chosen epoch. */
export function confusionChart(
  row: TrainingRow,
  { classes }: { classes: string[] },
): Chart {
  return confusionMatrixChart(row.confusion ?? [], classes);
}
