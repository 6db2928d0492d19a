/** Studies whose trials are trainings: grid point → recipe → epochs → value. */
import type { Dataset } from "../data/mod.ts";
import { modelOf } from "../models/mod.ts";
import {
  assertFits,
  count,
  isOutOfMemory,
  OutOfMemoryError,
  trainingMemory,
} from "../profile/mod.ts";
import {
  chosenEpoch,
  type EpochRow,
  parseRecipe,
  type Recipe,
  train,
} from "../train/mod.ts";
import { expandGrid } from "./definition.ts";
import {
  runStudy,
  type StudyDefinition,
  type StudyEvent,
  type StudySummary,
  type TrialPoint,
  trialRows,
} from "./runner.ts";
import type { TrialState } from "./rows.ts";
import { keyOf } from "./store.ts";
import type { FailKind } from "./tables.ts";
import { type ProportionInterval, wilsonInterval } from "./statistics.ts";

/** A study with all that its trials share. */
export interface TrainingPlan {
  /** Images a split; without it all. */
  limits?: { train: number; validation: number; test: number };
  /** Fields of the recipe that the grid does not vary; `size` is the data's. */
  recipe: Partial<Recipe> & Pick<Recipe, "size">;
  study: StudyDefinition;
}

export type TrainingEvent =
  | StudyEvent
  | {
    type: "step";
    point: TrialPoint;
    step: number;
    steps: number;
    loss: number;
  }
  | { type: "warning"; message: string };

/** The recipe of one grid point: the plan's, the point's fields, its seed. */
export function recipeOf(plan: TrainingPlan, point: TrialPoint): Recipe {
  return parseRecipe({
    ...plan.recipe,
    ...point.params,
    seed: point.seed,
  });
}

/**
 * Refuses a trial that would not fit: Linux would end the whole process, and
 * with it the study.
 */
function assertTrains(recipe: Recipe, data: Dataset, memory?: number): void {
  const { size, channels } = data;
  const batch = recipe.batchSize / recipe.accumulate;
  const counted = count(modelOf(recipe), [size, size, channels], { batch });
  assertFits(trainingMemory(counted), memory);
}

/** What fails for want of memory says so, with the batch that wanted it. */
function namingBatch(error: unknown, recipe: Recipe, size: number): unknown {
  if (!isOutOfMemory(error)) return error;
  return new OutOfMemoryError(
    `out of memory: a batch of ${
      recipe.batchSize / recipe.accumulate
    } images of ${size} × ${size}: ${error.message}; give a smaller batchSize, or a larger accumulate`,
    { cause: error },
  );
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

/** What a finished trial leaves in its record. */
function outcome(
  chosen: EpochRow,
  rows: readonly EpochRow[],
  recipe: Recipe,
  data: Dataset,
) {
  return {
    recipe,
    data: data.name,
    dataHash: data.hash,
    chosenEpoch: chosen.epoch,
    correct: chosen.test.correct,
    total: chosen.test.total,
    confusion: chosen.test.confusion,
    maxTestAccuracy: Math.max(...rows.map((r) => r.test.accuracy)),
    seconds: rows.reduce((sum, r) => sum + r.seconds, 0),
  };
}

/**
 * Runs every missing point of `plan`. A trial's value is the test accuracy at
 * the epoch that validation accuracy chose; the maximum over the epochs is
 * stored beside it as `maxTestAccuracy`.
 *
 * @throws RecipeError before any training when a point makes no sound recipe.
 */
export async function runTrainingStudy(
  plan: TrainingPlan,
  data: Dataset,
  { dir, signal, onEvent, memory }: {
    /** Records and checkpoints. */
    dir: string;
    signal?: AbortSignal;
    /** Bytes that one trial may take; what is free without it. */
    memory?: number;
    onEvent?: (event: TrainingEvent) => void;
  },
): Promise<StudySummary> {
  const conditions = {
    data: data.name,
    dataHash: data.hash,
    size: plan.recipe.size,
    recipe: plan.recipe,
    ...plan.study.conditions,
  };
  const study = { ...plan.study, conditions };
  for (const point of expandGrid(study)) recipeOf(plan, point);
  return await runStudy(study, async (point, context) => {
    const recipe = recipeOf(plan, point);
    const rows: EpochRow[] = [];
    try {
      assertTrains(recipe, data, memory);
      const epochs = train(recipe, data, {
        signal: context.signal,
        checkpointDir: context.checkpointDir,
        onStep: (s) => onEvent?.({ type: "step", point, ...s }),
        onWarning: (message) => onEvent?.({ type: "warning", message }),
      });
      for await (const row of epochs) {
        rows.push(row);
        context.report({
          epoch: row.epoch,
          value: row.validation.accuracy,
          attrs: summary(row),
        });
      }
    } catch (error) {
      throw namingBatch(error, recipe, data.size);
    }
    const chosen = chosenEpoch(rows);
    return {
      value: chosen.test.accuracy,
      attrs: outcome(chosen, rows, recipe, data),
    };
  }, { dir, signal, onEvent });
}

type Outcome = ReturnType<typeof outcome>;

/** A settled trial; what a failed one never reached is undefined. */
export interface TrainingRow extends Partial<Outcome> {
  number: number;
  state: TrialState;
  params: Record<string, number | string | boolean>;
  repeat: number;
  /** Of a failed trial: what kind of failure, and its one line. */
  fail_kind?: FailKind;
  fail_reason?: string;
  /** Test accuracy at the chosen epoch; null for a failed trial. */
  accuracy: number | null;
  /** 95 % Wilson interval of `accuracy`. */
  interval?: ProportionInterval;
  epochs: ReturnType<typeof summary>[];
}

/** Every point's last trial that ended, complete or failed, by number. */
export function trainingRows(dir: string, study: string): TrainingRow[] {
  const ended = trialRows(dir, study).filter((t) =>
    t.state === "COMPLETE" || t.state === "FAIL"
  );
  return [...new Map(ended.map((t) => [keyOf(t) ?? t.number, t])).values()]
    .map((t) => {
      const attrs = t.attrs as Partial<Outcome> & {
        repeat?: number;
        epochs?: ReturnType<typeof summary>[];
      };
      const { correct, total } = attrs;
      return {
        ...attrs,
        number: t.number,
        state: t.state,
        params: t.params,
        repeat: attrs.repeat ?? 0,
        accuracy: t.value,
        interval: correct === undefined || total === undefined
          ? undefined
          : wilsonInterval(correct, total),
        epochs: attrs.epochs ?? [],
      };
    });
}

/** The best complete trial. @throws when none is complete */
export function bestRow(rows: readonly TrainingRow[]): TrainingRow {
  const done = rows.filter((r) => r.accuracy !== null);
  if (done.length === 0) throw new Error("no trial of the study is complete");
  return done.reduce((a, b) => b.accuracy! > a.accuracy! ? b : a);
}
