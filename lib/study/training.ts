/** Studies whose trials are trainings: grid point → recipe → epochs → value. */
import type { Dataset } from "../data/mod.ts";
import {
  chosenEpoch,
  type EpochRow,
  parseRecipe,
  type Recipe,
  train,
} from "../train/mod.ts";
import {
  runStudy,
  type StudyDefinition,
  type StudyEvent,
  type StudySummary,
  type TrialPoint,
} from "./runner.ts";

export type TrainingEvent =
  | StudyEvent
  | {
    type: "step";
    point: TrialPoint;
    step: number;
    steps: number;
    loss: number;
  };

export interface TrainingStudyOptions {
  /** Fields of the recipe that the grid does not vary. */
  recipe: Partial<Recipe>;
  data: Dataset;
  /** Records and checkpoints. */
  dir: string;
  signal?: AbortSignal;
  onEvent?: (event: TrainingEvent) => void;
}

/** The recipe of one grid point: the base, the point's fields, its seed. */
export function recipeOf(base: Partial<Recipe>, point: TrialPoint): Recipe {
  return parseRecipe({ ...base, ...point.params, seed: point.seed });
}

/** What an epoch leaves in the trial's record. */
function summary(row: EpochRow) {
  return {
    epoch: row.epoch,
    trainLoss: row.trainLoss,
    trainAccuracy: row.trainAccuracy,
    validationLoss: row.validation.loss,
    validationAccuracy: row.validation.accuracy,
    testLoss: row.test.loss,
    testAccuracy: row.test.accuracy,
    testBalancedAccuracy: row.test.balancedAccuracy,
    testMacroF1: row.test.macroF1,
    seconds: row.seconds,
    imagesPerSecond: row.imagesPerSecond,
  };
}

export type EpochSummary = ReturnType<typeof summary>;

/**
 * Runs every missing point of `definition`. A trial's value is the test
 * accuracy at the epoch that validation accuracy chose; the maximum over the
 * epochs is stored beside it as `maxTestAccuracy`.
 */
export function runTrainingStudy(
  definition: StudyDefinition,
  { recipe, data, dir, signal, onEvent }: TrainingStudyOptions,
): Promise<StudySummary> {
  return runStudy(definition, async (point, context) => {
    const full = recipeOf(recipe, point);
    const rows: EpochRow[] = [];
    const epochs = train(full, data, {
      signal: context.signal,
      checkpointDir: context.checkpointDir,
      onStep: (s) => onEvent?.({ type: "step", point, ...s }),
    });
    for await (const row of epochs) {
      rows.push(row);
      context.report({
        epoch: row.epoch,
        value: row.validation.accuracy,
        attrs: summary(row),
      });
    }
    const chosen = chosenEpoch(rows);
    return {
      value: chosen.test.accuracy,
      attrs: {
        repeat: point.repeat,
        recipe: full,
        data: data.name,
        dataHash: data.hash,
        chosenEpoch: chosen.epoch,
        correct: chosen.test.correct,
        total: chosen.test.total,
        confusion: chosen.test.confusion,
        maxTestAccuracy: Math.max(...rows.map((r) => r.test.accuracy)),
        seconds: rows.reduce((sum, r) => sum + r.seconds, 0),
      },
    };
  }, { dir, signal, onEvent });
}
