/** The training loop: an async iterator of epochs that can stop and resume. */
import {
  balancedOrder,
  classCounts,
  type Dataset,
  gather,
  type Split,
} from "../data/mod.ts";
import { modelOf } from "../models/mod.ts";
import { initialise } from "../nn/mod.ts";
import { loadCheckpoint, saveCheckpoint } from "./checkpoint.ts";
import { balancedWeights } from "./losses.ts";
import { Evaluation } from "./metrics.ts";
import { epsWarning } from "./optimizers.ts";
import { batches, epochOrder } from "./order.ts";
import { lrAt, type Rate } from "./rates.ts";
import { type Recipe, RecipeError } from "./recipe.ts";
import { followsRunLength } from "./schedules.ts";
import { Trainer } from "./trainer.ts";

/** Loss or gradient is no longer a number: the trial is infeasible. */
export class DivergedError extends Error {
  override name = "DivergedError";
}

export type EvaluationResult = ReturnType<Evaluation["result"]>;

export interface EpochRow {
  /** From 1. */
  epoch: number;
  /** Optimizer steps done so far. */
  step: number;
  /** Of the epoch's first step. */
  lr: number;
  /** Mean over the epoch, under augmentation. */
  trainLoss: number;
  /** Under augmentation; null where labels are mixed. */
  trainAccuracy: number | null;
  /** Norm of all gradients together, mean over the steps, before clipping. */
  gradientNorm: number;
  validation: EvaluationResult;
  test: EvaluationResult;
  /** Wall time of the epoch, evaluation included. */
  seconds: number;
  /** Training alone. */
  imagesPerSecond: number;
}

export interface TrainOptions {
  signal?: AbortSignal;
  /** Where the checkpoint lies; without it nothing is saved or resumed. */
  checkpointDir?: string;
  onStep?: (s: { step: number; steps: number; loss: number }) => void;
  onWarning?: (line: string) => void;
}

/** Loss and metrics of `split`; every sample counts once. */
export async function evaluate(
  trainer: Trainer,
  split: Split,
  data: Dataset,
  batchSize: number,
  signal?: AbortSignal,
): Promise<EvaluationResult> {
  const { size, channels } = data;
  const pixels = size * size * channels;
  const classes = data.classes.length;
  const evaluation = new Evaluation(classes);
  for (let at = 0; at < split.n; at += batchSize) {
    signal?.throwIfAborted();
    const n = Math.min(batchSize, split.n - at);
    // A short last batch is filled up, so that one trace serves all.
    const images = new Uint8Array(batchSize * pixels);
    images.set(split.images.subarray(at * pixels, (at + n) * pixels));
    const logits = await trainer.logits(images, [
      batchSize,
      size,
      size,
      channels,
    ]);
    evaluation.add(
      logits.subarray(0, n * classes),
      split.labels.subarray(at, at + n),
    );
  }
  return evaluation.result();
}

type Recorded = Recipe & { dataHash: string };

/** Whether `b` trains what `a` did, perhaps for more epochs. */
function continues(a: Recorded, b: Recorded): boolean {
  const same = {
    evalBatchSize: 0,
    ...followsRunLength(b.schedule) ? {} : { epochs: 0 },
  };
  return JSON.stringify({ ...a, ...same }) ===
    JSON.stringify({ ...b, ...same });
}

/** The images of an epoch, in order. */
function orderOf(recipe: Recipe, data: Dataset, epoch: number): Uint32Array {
  const { n, labels } = data.train;
  return recipe.sampler === "balanced"
    ? balancedOrder(labels, data.classes.length, n, recipe.seed, epoch)
    : epochOrder(n, recipe.seed, epoch);
}

/** The rate of step `step` (from 0) of a training with this history. */
function rateOf(
  { schedule, lr, epochs }: Recipe,
  step: number,
  stepsPerEpoch: number,
  history: readonly EpochRow[],
): Rate {
  const metrics = schedule.kind === "plateau"
    ? history.map(({ validation }) =>
      schedule.mode === "max" ? validation.accuracy : validation.loss
    )
    : undefined;
  return lrAt(schedule, lr, { step, stepsPerEpoch, epochs, metrics });
}

/** What no training can be made of, before it begins. @throws RecipeError */
function checkFits(recipe: Recipe, data: Dataset, stepsPerEpoch: number) {
  if (data.train.n < recipe.batchSize) {
    throw new RecipeError(
      `recipe.batchSize: ${recipe.batchSize} is more than the ${data.train.n} training images of ${data.name}; give at most ${data.train.n}`,
    );
  }
  if (data.classes.length !== recipe.classes) {
    throw new RecipeError(
      `recipe.classes: ${recipe.classes}, but ${data.name} has ${data.classes.length}; give ${data.classes.length}`,
    );
  }
  try {
    rateOf(recipe, 0, stepsPerEpoch, []);
  } catch (error) {
    throw new RecipeError(`recipe.${(error as Error).message}`);
  }
}

/**
 * Trains by `recipe` and yields one row an epoch, the epochs of an earlier
 * run of the same checkpoint first. Aborting throws the signal's reason after
 * the running step; the last finished epoch is on disk.
 *
 * @throws RecipeError before any training when the data or the run do not fit
 * the recipe; DivergedError when loss or gradient is NaN or infinite.
 */
export async function* train(
  recipe: Recipe,
  data: Dataset,
  { signal, checkpointDir, onStep, onWarning }: TrainOptions = {},
): AsyncGenerator<EpochRow> {
  const { size, channels } = data;
  const { batchSize } = recipe;
  const { n, labels } = data.train;
  const stepsPerEpoch = recipe.dropLast
    ? Math.floor(n / batchSize)
    : Math.ceil(n / batchSize);
  checkFits(recipe, data, stepsPerEpoch);
  const eps = epsWarning(recipe);
  if (eps) onWarning?.(eps);
  const forward = modelOf(recipe);
  const state = initialise(forward, [size, size, channels], recipe.seed);
  const trainer = new Trainer(forward, state, recipe, {
    classWeights: recipe.loss.classWeights === "balanced"
      ? balancedWeights(classCounts({ labels }, data.classes))
      : undefined,
  });
  const recorded: Recorded = { ...recipe, dataHash: data.hash };
  const history: EpochRow[] = [];
  try {
    const saved = checkpointDir ? await loadCheckpoint(checkpointDir) : null;
    if (saved) {
      if (saved.warning) onWarning?.(saved.warning);
      if (continues(saved.meta.recipe as Recorded, recorded)) {
        trainer.load(saved.tensors);
        trainer.step = saved.meta.step;
        history.push(...saved.meta.history as EpochRow[]);
      } else {
        onWarning?.(
          `${checkpointDir}: the checkpoint is of another recipe or other data, training starts anew`,
        );
      }
    }
    yield* history.slice(0, recipe.epochs);
    const evalBatch = Math.min(
      recipe.evalBatchSize,
      Math.max(data.validation.n, data.test.n),
    );
    for (let epoch = history.length + 1; epoch <= recipe.epochs; epoch++) {
      const start = performance.now();
      const order = orderOf(recipe, data, epoch);
      const rateAt = (step: number) =>
        rateOf(recipe, step, stepsPerEpoch, history);
      const { lr } = rateAt(trainer.step);
      let loss = 0, correct: number | null = 0, norm = 0, seen = 0;
      for (const indices of batches(order, batchSize, recipe.dropLast)) {
        signal?.throwIfAborted();
        const { images, labels } = gather(data.train, indices);
        const result = await trainer.trainBatch(
          images,
          labels,
          [indices.length, size, size, channels],
          rateAt(trainer.step),
        );
        for (const what of ["loss", "gradientNorm"] as const) {
          if (Number.isFinite(result[what])) continue;
          throw new DivergedError(
            `${what} is ${
              result[what]
            } at step ${trainer.step} (epoch ${epoch}): lower the learning rate`,
          );
        }
        const { length } = indices;
        loss += result.loss * length;
        norm += result.gradientNorm * length;
        correct = correct === null || result.correct === null
          ? null
          : correct + result.correct;
        seen += length;
        onStep?.({
          step: trainer.step,
          steps: stepsPerEpoch * recipe.epochs,
          loss: result.loss,
        });
      }
      const trainSeconds = (performance.now() - start) / 1000;
      const validation = await evaluate(
        trainer,
        data.validation,
        data,
        evalBatch,
        signal,
      );
      const test = await evaluate(trainer, data.test, data, evalBatch, signal);
      const row: EpochRow = {
        epoch,
        step: trainer.step,
        lr,
        trainLoss: loss / seen,
        trainAccuracy: correct === null ? null : correct / seen,
        gradientNorm: norm / seen,
        validation,
        test,
        seconds: (performance.now() - start) / 1000,
        imagesPerSecond: seen / trainSeconds,
      };
      history.push(row);
      if (checkpointDir) {
        await saveCheckpoint(checkpointDir, {
          tensors: trainer.save(),
          meta: { epoch, step: trainer.step, recipe: recorded, history },
        });
      }
      yield row;
    }
  } finally {
    trainer.dispose();
  }
}

/** The epoch that validation accuracy chose; the earliest among equals. */
export function chosenEpoch(rows: readonly EpochRow[]): EpochRow {
  return rows.reduce((best, row) =>
    row.validation.accuracy > best.validation.accuracy ? row : best
  );
}
