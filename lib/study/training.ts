/** Trainings as trials: point → recipe → epochs → value and record. */
import { createHash } from "node:crypto";
import { type Dataset, repeatedImages, SPLITS } from "../data/mod.ts";
import { modelOf } from "../models/mod.ts";
import {
  assertFits,
  count,
  isOutOfMemory,
  OutOfMemoryError,
  trainingMemory,
} from "../profile/mod.ts";
import { engineInfo } from "../tensorflow/mod.ts";
import {
  chosenEpoch,
  DivergedError,
  type EpochRow,
  highest,
  type Recipe,
  train,
} from "../train/mod.ts";
import { StudyError } from "./errors.ts";
import {
  type CheckedPlan,
  completeFixed,
  firstSetting,
  fixedOf,
  type Objective,
  parsePlan,
  recipeOf,
  type TrainingPlan,
} from "./plan.ts";
import type { TrialPoint } from "./points.ts";
import { type Settle, settlePlan } from "./settled_precision.ts";
import {
  recordsPath,
  type RunOptions,
  runStudy,
  type StudyEvent,
  type StudySummary,
} from "./runner.ts";
import type { TrainTrial } from "./trial.ts";

export type TrainingEvent =
  | StudyEvent
  /** What was loaded, before anything runs. */
  | { type: "data"; lines: string[] }
  | {
    type: "step";
    point: TrialPoint;
    step: number;
    steps: number;
    loss: number;
  };

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
  const batch = recipe.batchSize / recipe.accumulate;
  return new OutOfMemoryError(
    `out of memory: a batch of ${batch} images of ${size} × ${size}: ` +
      `${error.message}; give a smaller batchSize, or a larger accumulate`,
    { cause: error },
  );
}

/** What an epoch leaves in the trial's record; NaN where no image was judged. */
function summary(row: EpochRow) {
  const { validation, test } = row;
  return {
    epoch: row.epoch,
    lr: row.lr,
    trainLoss: row.trainLoss,
    trainAccuracy: row.trainAccuracy,
    gradientNorm: row.gradientNorm,
    validationLoss: validation.loss,
    validationAccuracy: validation.accuracy,
    testLoss: test.loss,
    testAccuracy: test.accuracy,
    testBalancedAccuracy: test.balancedAccuracy,
    testMacroF1: test.macroF1,
    testKappa: test.kappa,
    testEce: test.ece,
    seconds: row.seconds,
    imagesPerSecond: row.imagesPerSecond,
  };
}

/** An epoch's metrics as a trial's record has them. */
export type EpochSummary = ReturnType<typeof summary>;

/**
 * The epoch that counts, and whether it was picked on the test split.
 *
 * @throws DivergedError when no epoch has an accuracy to pick it by
 */
export function reportedEpoch(
  rows: readonly EpochRow[],
  rule: Objective["epoch"],
): { chosen: EpochRow; optimistic: boolean } {
  const optimistic = rule === "testMaximum" ||
    rule === "validation" && !rows.some((row) => row.validation.total > 0);
  const chosen = optimistic
    ? highest(rows, (row) => row.test.accuracy)
    : rule === "last"
    ? rows.at(-1)
    : chosenEpoch(rows);
  if (chosen) return { chosen, optimistic };
  const split = optimistic ? "test" : "validation";
  throw new DivergedError(
    `no epoch's ${split} accuracy is a number, so none can be picked`,
  );
}

const sha256 = (bytes: Uint8Array | string) =>
  createHash("sha256").update(bytes).digest("hex");

/** SHA-256 over which images are in which split, in order. */
function splitHash(data: Dataset): string {
  return sha256(JSON.stringify(SPLITS.map((split) => data[split].names)));
}

/** What a finished trial leaves in its record. */
function outcome(
  rows: readonly EpochRow[],
  recipe: Recipe,
  data: Dataset,
  { epoch }: Objective,
) {
  const { chosen, optimistic } = reportedEpoch(rows, epoch);
  const { test } = chosen;
  // The numbers first: optuna-dashboard shows a trial's attributes in order.
  return {
    testAccuracy: test.accuracy,
    maxTestAccuracy: highest(rows, (r) => r.test.accuracy)?.test.accuracy ??
      NaN,
    chosenEpoch: chosen.epoch,
    /** Picked on the test split, so better than it is. */
    optimistic,
    testBalancedAccuracy: test.balancedAccuracy,
    testMacroF1: test.macroF1,
    correct: test.correct,
    total: test.total,
    confusion: test.confusion,
    seconds: rows.reduce((sum, r) => sum + r.seconds, 0),
    data: data.name,
    dataHash: data.hash,
    splitHash: splitHash(data),
    skipped: data.skipped,
    predictionsHash: sha256(Uint8Array.from(test.predictions)),
    engine: engineInfo(),
    recipe,
  };
}

/** What a complete training's record tells beside its epochs. */
export type TrainingOutcome = ReturnType<typeof outcome>;

/** Predicted class of each test image at the reported epoch, a byte each. */
export const PREDICTIONS = "test-predictions";

/** One training of a plan: what a trial of its study does. */
export function trainingTrial(
  plan: CheckedPlan,
  data: Dataset,
  { memory, onEvent }: {
    /** Bytes that one trial may take; what is free without it. */
    memory?: number;
    onEvent?: (event: TrainingEvent) => void;
  } = {},
): TrainTrial {
  const { metric, split, epoch } = plan.objective;
  return async (point, context) => {
    let recipe = recipeOf(plan, point);
    let weightsHash: string | undefined;
    const rows: EpochRow[] = [];
    const warn = (message: string) => {
      context.log(message);
      onEvent?.({ type: "warning", message });
    };
    if (data.validation.n === 0 && epoch === "validation") {
      warn(
        "no validation split: the epoch is picked on the test split, so the " +
          "reported number is optimistic",
      );
    }
    try {
      assertTrains(recipe, data, memory);
      const epochs = train(recipe, data, {
        signal: context.signal,
        checkpointDir: context.checkpointDir,
        onStep: (s) => onEvent?.({ type: "step", point, ...s }),
        onWarning: warn,
        onStart: (settled, hash) => {
          recipe = settled;
          weightsHash = hash;
        },
      });
      for await (const row of epochs) {
        rows.push(row);
        const judged = row.validation.total > 0 ? row.validation : row.test;
        await context.report({
          epoch: row.epoch,
          value: judged[metric],
          attrs: summary(row),
        });
      }
    } catch (error) {
      throw namingBatch(error, recipe, data.size);
    }
    const attrs = {
      ...outcome(rows, recipe, data, plan.objective),
      /** Of the weights that it started from, where it did. */
      ...weightsHash ? { weightsHash } : {},
    };
    const chosen = rows[attrs.chosenEpoch - 1];
    await context.saveArtifact(
      PREDICTIONS,
      Uint8Array.from(chosen.test.predictions),
    );
    return { value: chosen[split][metric], attrs };
  };
}

/**
 * Runs every missing point of `plan`. A trial's value is, unless the plan's
 * objective says otherwise, the test accuracy at the epoch that validation
 * accuracy chose; the maximum over the epochs is stored beside it as
 * `maxTestAccuracy`.
 *
 * @throws RecipeError before any training when a point makes no sound recipe;
 * StudyError when the split that is judged is empty.
 */
export async function runTrainingStudy(
  input: TrainingPlan,
  data: Dataset,
  { memory, trialOf, settle, ...options }:
    & Omit<RunOptions, "onEvent" | "completeFixed">
    & {
      /** Bytes that one trial may take; what is free without it. */
      memory?: number;
      /** How its trials are run, once the precision is settled. */
      trialOf?: (plan: CheckedPlan) => TrainTrial;
      /** How a precision of "auto" is settled where no record tells. */
      settle?: Settle;
      onEvent?: (event: TrainingEvent) => void;
    },
): Promise<StudySummary> {
  const asked = parsePlan(input);
  const { onEvent } = options;
  const names = Object.keys(firstSetting(asked.study));
  const { limits, objective } = asked;
  if (data[objective.split].n === 0) {
    throw new StudyError(
      `study "${asked.study.name}": a trial's value is of the ` +
        `${objective.split} split, of which ${data.name} has no image: ` +
        `make one, or set objective.split`,
    );
  }
  const { plan, attributes } = await settlePlan(asked, data, {
    url: options.store || recordsPath(options.dir),
    settle,
    signal: options.signal,
    onWarning: (message) => onEvent?.({ type: "warning", message }),
  });
  const { recipe } = plan;
  return await runStudy(
    { ...plan.study, fixed: fixedOf(plan, data) },
    trialOf?.(plan) ?? trainingTrial(plan, data, { memory, onEvent }),
    {
      ...options,
      completeFixed: completeFixed(names),
      attributes: {
        plan: { recipe, limits, objective, source: data.source },
        repeatedImages: repeatedImages(data),
        ...attributes,
      },
    },
  );
}
