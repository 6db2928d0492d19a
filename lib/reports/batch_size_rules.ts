/** Two rules about batch sizes: of the published table, and of Adam. */
import { readPublishedTables } from "../study/mod.ts";
import { type Shown, table } from "./show.ts";
import { rateText } from "./speed_rows.ts";

export interface Rounded {
  batchSize: number;
  throughput: number;
  seconds: number;
  /** Whether batch = throughput × seconds for unrounded values of both. */
  fits: boolean;
}

/** Half a unit of the last printed digit of the step time, in s. */
const HALF_MS = 0.0005;

/** The published main table's product of throughput and step time. */
export async function roundedRows(): Promise<Rounded[]> {
  const { tables } = await readPublishedTables("batch-size");
  return tables[0].records.map((r) => {
    const batchSize = Number(r.batch_size);
    const throughput = Number(r.throughput);
    const seconds = Number(r.time_per_step);
    // The integer may be rounded or cut off.
    const low = (throughput - 0.5) * (seconds - HALF_MS);
    const high = (throughput + 1) * (seconds + HALF_MS);
    return {
      batchSize,
      throughput,
      seconds,
      fits: low <= batchSize && batchSize <= high,
    };
  });
}

/** Throughput × seconds a step of the published table; it is the batch. */
export async function roundingTable(): Promise<Shown> {
  return table((await roundedRows()).map((r) => ({
    batch: r.batchSize,
    "images/s": r.throughput,
    "s a step": r.seconds,
    product: rateText(r.throughput * r.seconds),
    "is the batch within rounding": r.fits ? "yes" : "no",
  })));
}

/** Where the published search began: batch 256, LR 2e-4 (depth 4). */
const start = { batchSize: 256, lr: 2e-4, betas: [0.9, 0.999], eps: 1e-8 };
/** RAF-DB's training images. */
const TRAIN_IMAGES = 12271;

/**
 * Adam's settings at another batch size by the square-root rule
 * (arXiv 2205.10287): with κ = batch / batch₀, LR √κ, 1 − β κ, eps 1 / √κ.
 */
export function squareRootRule(batchSize: number) {
  const kappa = batchSize / start.batchSize;
  return {
    batchSize,
    lr: start.lr * Math.sqrt(kappa),
    betas: start.betas.map((beta) => 1 - kappa * (1 - beta)),
    eps: start.eps / Math.sqrt(kappa),
    /** The last, smaller batch dropped, as published. */
    stepsPerEpoch: Math.floor(TRAIN_IMAGES / batchSize),
  };
}

/** The square-root rule from the study's start, and the steps of an epoch. */
export function squareRootTable(): Shown {
  const digits = (value: number) => Number(value.toPrecision(3));
  return table([16, 32, 64, 128, 256, 512, 1024].map((size) => {
    const { batchSize, lr, betas, eps, stepsPerEpoch } = squareRootRule(size);
    const [beta1, beta2] = betas.map((beta) =>
      beta > 0 ? String(Number(beta.toFixed(6))) : "none: below 0"
    );
    return {
      batch: batchSize,
      "steps an epoch (RAF-DB)": stepsPerEpoch,
      LR: digits(lr).toExponential(),
      beta1,
      beta2,
      eps: digits(eps).toExponential(),
    };
  }));
}
