/** The training loop: an async iterator of epochs that can stop and resume. */
import { type Dataset, gather, type Split } from "../data/mod.ts";
import { baseline } from "../models/mod.ts";
import { initialise } from "../nn/mod.ts";
import { loadCheckpoint, saveCheckpoint } from "./checkpoint.ts";
import { Evaluation } from "./metrics.ts";
import { batches, epochOrder } from "./order.ts";
import type { Recipe } from "./recipe.ts";
import { Trainer } from "./trainer.ts";

/** The loss is no longer a number: the trial is infeasible. */
export class DivergedError extends Error {
  override name = "DivergedError";
}

export type EvaluationResult = ReturnType<Evaluation["result"]>;

export interface EpochRow {
  /** From 1. */
  epoch: number;
  /** Optimizer steps done so far. */
  step: number;
  lr: number;
  /** Mean over the epoch, under augmentation. */
  trainLoss: number;
  trainAccuracy: number;
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
  const same = { epochs: 0, evalBatchSize: 0 };
  return JSON.stringify({ ...a, ...same }) ===
    JSON.stringify({ ...b, ...same });
}

/**
 * Trains by `recipe` and yields one row an epoch, the epochs of an earlier
 * run of the same checkpoint first. Aborting throws the signal's reason after
 * the running step; the last finished epoch is on disk.
 *
 * @throws DivergedError when the loss is NaN or infinite.
 */
export async function* train(
  recipe: Recipe,
  data: Dataset,
  { signal, checkpointDir, onStep, onWarning }: TrainOptions = {},
): AsyncGenerator<EpochRow> {
  const { size, channels } = data;
  const { batchSize } = recipe;
  if (data.train.n < batchSize) {
    throw new Error(
      `recipe.batchSize: ${batchSize} is more than the ${data.train.n} training images of ${data.name}`,
    );
  }
  const forward = baseline(recipe);
  const state = initialise(forward, [size, size, channels], recipe.seed);
  const trainer = new Trainer(forward, state, recipe);
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
      const order = epochOrder(data.train.n, recipe.seed, epoch);
      const steps = [...batches(order, batchSize, recipe.dropLast)];
      let loss = 0, correct = 0, seen = 0;
      for (const indices of steps) {
        signal?.throwIfAborted();
        const { images, labels } = gather(data.train, indices);
        const result = await trainer.trainBatch(
          images,
          labels,
          [indices.length, size, size, channels],
        );
        if (!Number.isFinite(result.loss)) {
          throw new DivergedError(
            `loss is ${result.loss} at step ${trainer.step} (epoch ${epoch}): lower the learning rate`,
          );
        }
        loss += result.loss * indices.length;
        correct += result.correct;
        seen += indices.length;
        onStep?.({
          step: trainer.step,
          steps: steps.length * recipe.epochs,
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
        lr: recipe.lr,
        trainLoss: loss / seen,
        trainAccuracy: correct / seen,
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
