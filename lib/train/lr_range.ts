/** The learning-rate range test (arXiv 1506.01186): one short run of rising rates. */
import type { Dataset } from "../data/mod.ts";
import { type Recipe, RecipeError } from "./recipe.ts";
import { TrainingRun } from "./batches_and_rates.ts";

export interface LrRangeRow {
  /** From 1. */
  step: number;
  lr: number;
  /** Before the step, under augmentation. */
  loss: number;
  /** Running mean of the loss, its start corrected. */
  smoothed: number;
}

export interface LrRangeOptions {
  /** First and last rate; the rates between are even in their logarithm. */
  from?: number;
  to?: number;
  steps?: number;
  /** Share of the old value in the running mean, 0 to below 1. */
  smoothing?: number;
  signal?: AbortSignal;
  onStep?: (row: LrRangeRow) => void;
}

/**
 * Trains the recipe's model, from its own start values and on its own batches,
 * while the rate rises, and ends early where the loss is four times its least
 * or no number; that last row is included.
 *
 * @throws RecipeError for rates or steps that make no test.
 */
export async function lrRangeTest(
  recipe: Recipe,
  data: Dataset,
  {
    from = 1e-6,
    to = 1,
    steps = 100,
    smoothing = 0.9,
    signal,
    onStep,
  }: LrRangeOptions = {},
): Promise<LrRangeRow[]> {
  if (!(from > 0 && to > from && steps >= 2)) {
    throw new RecipeError(
      `LR range test: from ${from} to ${to} in ${steps} steps; give 0 < from < to and at least 2 steps`,
    );
  }
  const run = new TrainingRun({
    ...recipe,
    batchSize: Math.min(recipe.batchSize, data.train.n),
    accumulate: 1,
    dropLast: true,
    schedule: { kind: "constant", per: "epoch" },
  }, data);
  const { trainer } = await run.start();
  const rows: LrRangeRow[] = [];
  let mean = 0, least = Infinity;
  try {
    for (let epoch = 1; rows.length < steps; epoch++) {
      for (const { images, labels, shape } of run.batchesOf(epoch)) {
        signal?.throwIfAborted();
        const step = rows.length + 1;
        const lr = from * (to / from) ** ((step - 1) / (steps - 1));
        const { loss } = await trainer.trainBatch(images, labels, shape, {
          lr,
        });
        mean = smoothing * mean + (1 - smoothing) * loss;
        const smoothed = mean / (1 - smoothing ** step);
        const row = { step, lr, loss, smoothed };
        rows.push(row);
        onStep?.(row);
        least = Math.min(least, smoothed);
        if (!(smoothed < 4 * least) || rows.length === steps) return rows;
      }
    }
    return rows;
  } finally {
    trainer.dispose();
  }
}

/**
 * Where the smoothed loss falls fastest over ln(lr), a usual first choice;
 * null where it never falls. The first tenth of the rows, where the running
 * mean still settles, and the last are left out.
 */
export function steepestRate(rows: readonly LrRangeRow[]): number | null {
  const start = Math.max(1, Math.floor(rows.length / 10));
  let best: number | null = null, slope = 0;
  for (let i = start; i < rows.length - 2; i++) {
    const own = (rows[i + 1].smoothed - rows[i - 1].smoothed) /
      Math.log(rows[i + 1].lr / rows[i - 1].lr);
    if (own < slope) [best, slope] = [rows[i].lr, own];
  }
  return best;
}
