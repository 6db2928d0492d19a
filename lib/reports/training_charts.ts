/** Charts that every study of trainings has. */
import {
  type Chart,
  confusionMatrixChart,
  curveBandsChart,
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

/**
 * Validation accuracy by epoch, a line a series: the mean of its repeats, in a
 * band from the lowest to the highest. The noise is that of `all` rows.
 */
export function bandsChart(
  rows: readonly TrainingRow[],
  seriesOf: (row: TrainingRow) => string,
  { all = rows, title }: { all?: readonly TrainingRow[]; title?: string } = {},
): Chart {
  return curveBandsChart(
    rows.flatMap((r) =>
      r.epochs.map((e) => ({
        series: seriesOf(r),
        repeat: r.repeat,
        epoch: e.epoch,
        value: e.validationAccuracy,
      }))
    ),
    { title, yLabel: "validation accuracy", noise: noiseOf(all) },
  );
}

/** Confusion matrix of a trial on the test split at its chosen epoch. */
export function confusionChart(
  row: TrainingRow,
  { classes }: { classes: string[] },
): Chart {
  return confusionMatrixChart(row.confusion ?? [], classes);
}
