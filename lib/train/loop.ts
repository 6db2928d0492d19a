/** The training loop: an async iterator of epochs that can stop and resume. */
import { type Dataset, isGray, type Split } from "../data/mod.ts";
import { firstTen, type SeenData } from "../weights/mod.ts";
import {
  type Checkpoint,
  loadCheckpoint,
  saveCheckpoint,
} from "./checkpoint.ts";
import { diagnoser, type Diagnostics } from "./diagnostics.ts";
import { whereDiverged } from "./locate_non_finite.ts";
import { Evaluation } from "../statistics/mod.ts";
import { epsWarning } from "./optimizers.ts";
import {
  formerPrecision,
  type PrecisionOptions,
  settlePrecision,
} from "./precision.ts";
import { riseWarning } from "./learning_rates.ts";
import type { Recipe } from "./recipe.ts";
import { TrainingRun } from "./batches_and_rates.ts";
import { followsRunLength } from "./schedules.ts";
import type { StepResult, Trainer } from "./trainer.ts";

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
  /**
   * Training alone, without the process's first step, which traces and
   * compiles; null where no other was timed.
   */
  imagesPerSecond: number | null;
  /** After the epoch's last step, where asked for. */
  diagnostics?: Diagnostics;
}

export interface TrainOptions {
  signal?: AbortSignal;
  /** Where the checkpoint lies; without it nothing is saved or resumed. */
  checkpointDir?: string;
  /**
   * The recipe that is trained, its precision settled, and the SHA-256 of the
   * weights that it starts from.
   */
  onStart?: (recipe: Recipe, weightsHash?: string) => void;
  /** How a precision of "auto" is settled, where no checkpoint tells. */
  settle?: (recipe: Recipe, options: PrecisionOptions) => Promise<Recipe>;
  onStep?: (s: { step: number; steps: number; loss: number }) => void;
  onWarning?: (line: string) => void;
  /** Adds diagnostics to each row, on the epoch's first batch; off by default. */
  diagnose?: boolean;
  /**
   * Whether a training that diverges is replayed from its last checkpoint up
   * to the op that did it; on by default.
   */
  locate?: boolean;
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

/** Images that tell whether a data set is gray, at most. */
const LOOKED_AT = 512;

/** What the net sees of `data`, for its checkpoint. */
function seenOf({ name, classes, size, channels, train }: Dataset): SeenData {
  const every = Math.ceil(train.n / LOOKED_AT), width = size * size * channels;
  let gray = true;
  for (let i = 0; i < train.n && gray; i += every) {
    const image = train.images.subarray(i * width, (i + 1) * width);
    gray = channels === 1 || isGray(image);
  }
  return { name, classes, size, channels, gray };
}

type Recorded = Recipe & { dataHash: string; weightsHash?: string };

/** What a checkpoint was made by. */
function recordedOf({ meta }: Checkpoint): Recorded {
  const recorded = (meta.recipe ?? {}) as Recorded;
  return { ...recorded, precision: formerPrecision(recorded)! };
}

/** The fields by which `b` trains something else than `a`; more epochs are not. */
function changes(a: Recorded, b: Recorded): string[] {
  // Where the file lies is no part of what was trained.
  const free = ["evalBatchSize", "weights"];
  if (!followsRunLength(b.schedule)) free.push("epochs");
  const names = Object.keys({ ...a, ...b }) as (keyof Recorded)[];
  return names.filter((name) =>
    !free.includes(name) && JSON.stringify(a[name]) !== JSON.stringify(b[name])
  );
}

/**
 * The recipe with the precision that it trains in: a checkpoint's own, or what
 * this machine has chosen.
 */
async function settledRecipe(
  recipe: Recipe,
  data: Dataset,
  saved: Checkpoint | null,
  { signal, onWarning, settle = settlePrecision }: TrainOptions,
): Promise<Recipe> {
  if (recipe.precision !== "auto") return recipe;
  if (saved) {
    const before = recordedOf(saved);
    const { precision, dataHash, weightsHash } = before;
    const resumed = { ...recipe, precision };
    const same = { ...resumed, dataHash: data.hash, weightsHash };
    if (dataHash && changes(before, same).length === 0) return resumed;
  }
  const { size, channels } = data;
  const options = { channels, signal, onWarning };
  const { precision } = await settle({ ...recipe, size }, options);
  return { ...recipe, precision };
}

/**
 * Trains by a recipe and yields one row an epoch, the epochs of an earlier
 * run of the same checkpoint first. Aborting throws the signal's reason after
 * the running step; the last finished epoch is on disk.
 *
 * @throws RecipeError before any training when the data or the run do not fit
 * the recipe; WeightsError when the pretrained weights do not fit the model;
 * DivergedError when loss or gradient is NaN or infinite.
 */
export async function* train(
  asked: Recipe,
  data: Dataset,
  options: TrainOptions = {},
): AsyncGenerator<EpochRow> {
  const { signal, checkpointDir, onWarning } = options;
  // Refuses what does not fit before anything is timed.
  new TrainingRun(asked, data);
  let saved = checkpointDir ? await loadCheckpoint(checkpointDir) : null;
  if (saved?.warning) onWarning?.(saved.warning);
  const recipe = await settledRecipe(asked, data, saved, options);
  const run = new TrainingRun(recipe, data);
  const eps = epsWarning(recipe);
  if (eps) onWarning?.(eps);
  const { stepsPerEpoch } = run;
  const rise = riseWarning(recipe.schedule, { ...recipe, stepsPerEpoch });
  if (rise) onWarning?.(rise);
  const { trainer, pretrained } = await run.start();
  options.onStart?.(recipe, pretrained?.hash);
  if (pretrained && pretrained.leftAlone.length > 0) {
    onWarning?.(
      `${recipe.weights.file}: ignored beside the weights: ${
        firstTen(pretrained.leftAlone)
      }`,
    );
  }
  const recorded: Recorded = {
    ...recipe,
    dataHash: data.hash,
    weightsHash: pretrained?.hash,
  };
  const seen = seenOf(data);
  const history: EpochRow[] = [];
  const diagnostics = options.diagnose ? diagnoser(trainer) : null;
  try {
    if (saved) {
      const changed = changes(recordedOf(saved), recorded);
      if (changed.length === 0) {
        trainer.load(saved.tensors);
        trainer.step = saved.meta.step;
        history.push(...saved.meta.history as EpochRow[]);
      } else {
        onWarning?.(
          `${checkpointDir}: the checkpoint is of another recipe or other ` +
            `data (${firstTen(changed)} differ), training starts anew`,
        );
      }
    }
    saved = null; // its tensors may go
    yield* history.slice(0, recipe.epochs);
    const begun = history.length;
    while (history.length < recipe.epochs) {
      const start = performance.now();
      const isWarm = history.length > begun;
      const trained = await trainEpoch(run, trainer, history, options, isWarm);
      const evalBatch = Math.min(
        recipe.evalBatchSize,
        Math.max(data.validation.n, data.test.n),
      );
      const on = (split: Split) =>
        evaluate(trainer, split, data, evalBatch, signal);
      const row: EpochRow = {
        ...trained,
        validation: await on(data.validation),
        test: await on(data.test),
        seconds: 0,
      };
      if (diagnostics) {
        const [batch] = run.batchesOf(row.epoch);
        row.diagnostics = await diagnostics.run(
          batch.images,
          batch.labels,
          batch.shape,
          run.rateOf(trainer.step - 1, history),
        );
      }
      row.seconds = (performance.now() - start) / 1000;
      history.push(row);
      if (checkpointDir) {
        const { epoch, step } = row;
        await saveCheckpoint(checkpointDir, {
          tensors: trainer.save(),
          meta: { epoch, step, recipe: recorded, data: seen, history },
        });
      }
      yield row;
    }
  } finally {
    diagnostics?.dispose();
    trainer.dispose();
  }
}

/** Trains the epoch behind `history`. @throws DivergedError */
async function trainEpoch(
  run: TrainingRun,
  trainer: Trainer,
  history: readonly EpochRow[],
  options: TrainOptions,
  isWarm: boolean,
) {
  const { signal, onStep } = options;
  let start = isWarm ? performance.now() : NaN, timed = 0;
  const epoch = history.length + 1;
  const { lr } = run.rateOf(trainer.step, history);
  let loss = 0, correct: number | null = 0, norm = 0, seen = 0;
  for (const { images, labels, shape } of run.batchesOf(epoch)) {
    signal?.throwIfAborted();
    const rate = run.rateOf(trainer.step, history);
    const result = await trainer.trainBatch(images, labels, shape, rate);
    if (
      !Number.isFinite(result.loss) || !Number.isFinite(result.gradientNorm)
    ) {
      throw await diverged(run, trainer.step, result, history, options);
    }
    const [n] = shape;
    loss += result.loss * n;
    norm += result.gradientNorm * n;
    correct = correct === null || result.correct === null
      ? null
      : correct + result.correct;
    seen += n;
    if (Number.isNaN(start)) start = performance.now();
    else timed += n;
    onStep?.({
      step: trainer.step,
      steps: run.stepsPerEpoch * run.recipe.epochs,
      loss: result.loss,
    });
  }
  const seconds = (performance.now() - start) / 1000;
  return {
    epoch,
    step: trainer.step,
    lr,
    trainLoss: loss / seen,
    trainAccuracy: correct === null ? null : correct / seen,
    gradientNorm: norm / seen,
    imagesPerSecond: seconds > 0 && timed > 0 ? timed / seconds : null,
  };
}

/** The error of a step without a finite loss and gradient, and where it began. */
async function diverged(
  run: TrainingRun,
  step: number,
  { loss, gradientNorm }: StepResult,
  history: readonly EpochRow[],
  { locate = true, checkpointDir }: TrainOptions,
): Promise<DivergedError> {
  const what = Number.isFinite(loss)
    ? `the gradient's norm is ${gradientNorm}`
    : `loss is ${loss}`;
  const advice = epsWarning(run.recipe) ?? "lower the learning rate";
  const message = `${what} at step ${step} (epoch ${
    history.length + 1
  }): ${advice}`;
  const saved = history.length > 0 && locate && checkpointDir
    ? await loadCheckpoint(checkpointDir)
    : null;
  if (!locate || (history.length > 0 && !saved)) {
    return new DivergedError(message);
  }
  const { trainer } = await run.start();
  try {
    if (saved) {
      trainer.load(saved.tensors);
      trainer.step = saved.meta.step;
    }
    const where = await whereDiverged(run, trainer, step, history);
    return new DivergedError(where ? `${message} (${where})` : message);
  } finally {
    trainer.dispose();
  }
}

/**
 * The item whose value is the highest, the earliest among equals; null where
 * no value is a number.
 */
export function highest<T>(
  items: readonly T[],
  valueOf: (item: T) => number,
): T | null {
  let best: T | null = null, most = NaN;
  for (const item of items) {
    const value = valueOf(item);
    if (Number.isNaN(value) || value <= most) continue;
    [best, most] = [item, value];
  }
  return best;
}

/**
 * The epoch that validation accuracy chose, the earliest among equals; null
 * where no epoch was judged. A loss of NaN comes of outputs that are no
 * numbers, so that their accuracy judges nothing.
 */
export function chosenEpoch(rows: readonly EpochRow[]): EpochRow | null {
  return highest(
    rows,
    ({ validation: { loss, accuracy } }) => Number.isNaN(loss) ? NaN : accuracy,
  );
}
