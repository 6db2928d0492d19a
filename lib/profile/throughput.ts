/** Images per second by batch size. */
import { applyScope, type Forward, type ModelState } from "../nn/mod.ts";
import { quantile } from "../statistics/mod.ts";
import {
  type Arithmetic,
  compile,
  statelessUniform,
  tf,
  Variable,
} from "../tensorflow/mod.ts";
import { count } from "./count.ts";
import { assertFits, inferenceMemory, isOutOfMemory } from "./memory_fit.ts";
import { releaseMemory } from "./memory.ts";

/** What one batch size runs, ready to be timed. */
export interface Prepared {
  /** Must read a value back, or the device may still be at work. */
  step(): Promise<void>;
  /** Images of a step. */
  images: number;
  /** Frees everything; called once, after an error too. */
  dispose(): void;
}

/** Prepares a batch size; frees what it took if it throws. */
export type Run = (batchSize: number) => Prepared | Promise<Prepared>;

export interface ThroughputRow {
  batchSize: number;
  /** Why there is no figure: out of memory. The others are null then. */
  error: string | null;
  /** Steps before the clock started, and how long they took. */
  warmUp: number;
  warmUpSeconds: number | null;
  /** Images and seconds of all timed steps. */
  images: number | null;
  seconds: number | null;
  /** images / seconds; null where the clock saw no time pass. */
  imagesPerSecond: number | null;
  /** Of the single steps' images per second. */
  median: number | null;
  lowerQuartile: number | null;
  upperQuartile: number | null;
  /** Interquartile range over median. */
  spread: number | null;
}

export interface ThroughputOptions {
  run: Run;
  batchSizes: readonly number[];
  /** Steps before the clock starts: tracing, first allocations. */
  warmUp?: number;
  /** Timed steps a batch size. */
  repeats?: number;
  signal?: AbortSignal;
  onProgress?: (done: { batchSize: number; step: number; of: number }) => void;
  /** Milliseconds. */
  now?: () => number;
}

function rowOf(
  batchSize: number,
  imagesPerStep: number,
  all: readonly number[],
  warmUp: number,
): ThroughputRow {
  const sum = (times: readonly number[]) => times.reduce((a, b) => a + b, 0);
  const times = all.slice(warmUp);
  const seconds = sum(times);
  const images = imagesPerStep * times.length;
  const rates = times.filter((t) => t > 0).map((t) => imagesPerStep / t);
  const [lowerQuartile, median, upperQuartile] = [0.25, 0.5, 0.75]
    .map((q) => rates.length > 0 ? quantile(rates, q) : null);
  return {
    batchSize,
    error: null,
    warmUp,
    warmUpSeconds: sum(all.slice(0, warmUp)),
    images,
    seconds,
    imagesPerSecond: seconds > 0 ? images / seconds : null,
    median,
    lowerQuartile,
    upperQuartile,
    spread: median === null ? null : (upperQuartile! - lowerQuartile!) / median,
  };
}

const failed = (
  batchSize: number,
  error: string,
  warmUp: number,
): ThroughputRow => ({
  batchSize,
  error,
  warmUp,
  warmUpSeconds: null,
  images: null,
  seconds: null,
  imagesPerSecond: null,
  median: null,
  lowerQuartile: null,
  upperQuartile: null,
  spread: null,
});

/**
 * Times each batch size on its own, one after the other; everything of a size
 * is freed before the next. A size that is out of memory gives a row with
 * `error`, and the next one runs.
 *
 * @throws the signal's reason when aborted, and every other error of a step.
 */
export async function throughput(
  {
    run,
    batchSizes,
    warmUp = 2,
    repeats = 10,
    signal,
    onProgress,
    now = () => performance.now(),
  }: ThroughputOptions,
): Promise<ThroughputRow[]> {
  if (!(repeats >= 1)) {
    throw new RangeError(`throughput: repeats is ${repeats}; give at least 1`);
  }
  const timed = async (batchSize: number): Promise<ThroughputRow> => {
    const prepared = await run(batchSize);
    try {
      const times: number[] = [];
      const of = warmUp + repeats;
      for (let step = 1; step <= of; step++) {
        signal?.throwIfAborted();
        const start = now();
        await prepared.step();
        times.push((now() - start) / 1000);
        onProgress?.({ batchSize, step, of });
      }
      return rowOf(batchSize, prepared.images, times, warmUp);
    } finally {
      prepared.dispose();
    }
  };
  const rows: ThroughputRow[] = [];
  for (const batchSize of batchSizes) {
    signal?.throwIfAborted();
    try {
      rows.push(await timed(batchSize));
    } catch (thrown) {
      if (!isOutOfMemory(thrown)) throw thrown;
      const why = thrown.message.split("\n")[0];
      const error = `batch ${batchSize}: out of memory: ${why}`;
      rows.push(failed(batchSize, error, warmUp));
    } finally {
      releaseMemory();
    }
  }
  return rows;
}

const valuesOf = (variables: (readonly [string, Variable])[]) =>
  Object.fromEntries(variables.map(([name, v]) => [name, v.read()]));

/**
 * A `run` for the compiled forward pass in evaluation on random images of
 * `shape` [H, W, C], its logits read back.
 *
 * `memory` is what a batch may take, in bytes; without it what is free. A
 * batch whose estimate is above is refused before anything is allocated.
 */
export function inference(
  forward: Forward,
  state: ModelState,
  shape: [number, number, number],
  { precision, memory }: { precision?: Arithmetic; memory?: number } = {},
): Run {
  const one = count(forward, shape);
  const fixed = 4 * (one.parameters + one.buffers);
  const perImage = inferenceMemory(one) - fixed;
  return (batchSize) => {
    assertFits(fixed + batchSize * perImage, memory);
    const held: { dispose(): void }[] = [];
    const hold = <T extends { dispose(): void }>(value: T): T => {
      held.push(value);
      return value;
    };
    const dispose = () => held.splice(0).forEach((h) => h.dispose());
    const variables = (entries: ModelState["parameters"]) =>
      [...entries].map(([name, { info, data }]) => {
        const value = tf.tensor(data, info.shape);
        try {
          return [name, hold(new Variable(value, name))] as const;
        } finally {
          value.dispose();
        }
      });
    try {
      const parameters = variables(state.parameters);
      const buffers = variables(state.buffers);
      const images = hold(
        tf.tidy(() =>
          statelessUniform(
            [batchSize, ...shape],
            tf.tensor1d([0, 0], "int32"),
          )
        ),
      );
      const call = hold(compile((x) => {
        const scope = applyScope({
          parameters: valuesOf(parameters),
          buffers: valuesOf(buffers),
          training: false,
        });
        return [forward(scope, x as tf.Tensor4D)];
      }, { precision, name: "inference" }));
      const step = async () => {
        const [logits] = await call(images);
        try {
          logits.dataSync();
        } finally {
          logits.dispose();
        }
      };
      return { step, images: batchSize, dispose };
    } catch (error) {
      dispose();
      throw error;
    }
  };
}
