/** What `precision: "auto"` means: the arithmetic in which this machine's steps are faster. */
import { modelOf } from "../models/mod.ts";
import { initialise, releaseState } from "../nn/mod.ts";
import {
  type Arithmetic,
  type Choice,
  Choices,
  hasBfloat16,
} from "../tensorflow/mod.ts";
import type { Recipe } from "./recipe.ts";
import { Trainer } from "./trainer.ts";

/** Milliseconds of a training step in each arithmetic. */
export type StepTimes = Pick<Choice, Arithmetic | "images">;

/** Times a net's steps; @throws the signal's reason */
export type Measure = (
  recipe: Recipe,
  options: { channels: number; signal?: AbortSignal },
) => Promise<StepTimes>;

export interface PrecisionOptions {
  /** Of an image; 3 without it. */
  channels?: number;
  signal?: AbortSignal;
  onWarning?: (line: string) => void;
  /** How steps are timed. */
  measure?: Measure;
  /** Where choices are kept; the user's cache without it. */
  choices?: Choices;
  /** Whether the machine has arithmetic for bfloat16. */
  bfloat16?: boolean;
}

/** Milliseconds that all timing of a net may take, its last step aside. */
const LIMIT_MS = 20_000;
/** Timed steps in each arithmetic, at most. */
const ROUNDS = 5;
/** Operations of a timed step, about: a second of a slow core's work. */
const STEP_FLOP = 2e11;

/** The fields that a step's speed depends on, and the channels of an image. */
function shapeOf(r: Recipe, channels: number) {
  const { model, size, widths, layers, stemWidth, stemStride, depth } = r;
  const { dim, heads, mlpRatio, qkNorm, seHead, patches, classes } = r;
  const batch = Math.ceil(r.batchSize / r.accumulate);
  return {
    ...{ model, size, channels, widths, layers, stemWidth, stemStride },
    ...{ depth, dim, heads, mlpRatio, qkNorm, seHead, patches, classes, batch },
  };
}

type Shape = ReturnType<typeof shapeOf>;

/** The net in words, for `tf info`. */
function precisionText(s: Shape): string {
  const stem = s.stemStride === 2 ? ", stem stride 2" : "";
  return `${s.model}, ${s.size} px${stem}, widths ${s.widths.join("-")}, ` +
    `layers ${s.layers.join("-")}, depth ${s.depth}, batch ${s.batch}`;
}

/** Images of a timed step: those of the batch, or as many as take a second. */
function timedImages(s: Shape): number {
  let side = s.size / s.stemStride;
  let macs = 0;
  s.widths.forEach((width, i) => {
    side /= 2;
    macs += side * side * 18 * width * width * s.layers[i];
  });
  macs += side * side * s.depth * (4 + 2 * s.mlpRatio) * s.dim * s.dim;
  const images = Math.floor(STEP_FLOP / (6 * macs));
  return Math.max(1, Math.min(s.batch, images));
}

/**
 * Times a few steps of a net on random pixels in both arithmetics by turns,
 * after one each that compiles; the fastest counts, as noise only slows down.
 */
export async function timeSteps(
  recipe: Recipe,
  { channels, signal, now = () => performance.now() }: {
    channels: number;
    signal?: AbortSignal;
    now?: () => number;
  },
): Promise<StepTimes> {
  const { size, classes } = recipe;
  const images = timedImages(shapeOf(recipe, channels));
  const pixels = Uint8Array.from(
    { length: images * size * size * channels },
    (_, i) => (i * 131 + (i >> 8) * 17) & 255,
  );
  const labels = Int32Array.from({ length: images }, (_, i) => i % classes);
  const forward = modelOf(recipe);
  const began = now();
  const trainers = new Map<Arithmetic, Trainer>();
  const times: Record<Arithmetic, number> = {
    float32: Infinity,
    bfloat16: Infinity,
  };
  const step = async (trainer: Trainer) => {
    signal?.throwIfAborted();
    const start = now();
    await trainer.trainBatch(pixels, labels, [images, size, size, channels]);
    return now() - start;
  };
  try {
    for (const precision of ["float32", "bfloat16"] as const) {
      const state = initialise(forward, [size, size, channels], recipe.seed);
      trainers.set(
        precision,
        new Trainer(forward, state, {
          ...recipe,
          precision,
          batchSize: images,
          accumulate: 1,
          labels: "hard",
        }),
      );
      releaseState(state);
      await step(trainers.get(precision)!);
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const [precision, trainer] of trainers) {
        times[precision] = Math.min(times[precision], await step(trainer));
      }
      if (now() - began > LIMIT_MS) break;
    }
  } finally {
    trainers.forEach((trainer) => trainer.dispose());
  }
  return { ...times, images };
}

/** Timings that are under way in this process, by net and folder. */
const underWay = new Map<string, Promise<Arithmetic>>();

/**
 * The arithmetic that "auto" stands for: float32 where the machine has no
 * other, else the one in which the net's steps were faster. The first use of
 * a net on a machine times a few steps, at most about 20 seconds; later ones
 * find the choice in the user's cache.
 *
 * @throws the signal's reason
 */
export async function fasterArithmetic(
  recipe: Recipe,
  options: PrecisionOptions = {},
): Promise<Arithmetic> {
  const { channels = 3, bfloat16 = hasBfloat16() } = options;
  if (!bfloat16) return "float32";
  const { choices = new Choices() } = options;
  const shape = shapeOf(recipe, channels);
  const key = JSON.stringify(shape);
  const known = choices.get(key);
  if (known) return known.precision;
  // Two at once would slow each other down.
  const name = JSON.stringify([choices.folder, key]);
  const other = underWay.get(name);
  if (other) return await other;
  const choice = timedChoice(recipe, shape, choices, options)
    .finally(() => underWay.delete(name));
  underWay.set(name, choice);
  return await choice;
}

async function timedChoice(
  recipe: Recipe,
  shape: Shape,
  choices: Choices,
  { signal, onWarning, measure = timeSteps }: PrecisionOptions,
): Promise<Arithmetic> {
  const { channels } = shape;
  let times: StepTimes;
  try {
    times = await measure(recipe, { channels, signal });
  } catch (error) {
    signal?.throwIfAborted();
    const [line] = (error as Error).message.split("\n");
    onWarning?.(
      `precision: its steps could not be timed (${line}): float32 is taken`,
    );
    return "float32";
  }
  const precision = times.bfloat16 < times.float32 ? "bfloat16" : "float32";
  const net = precisionText(shape);
  choices.keep(JSON.stringify(shape), { net, precision, ...times });
  const ms = (time: number) => `${Number(time.toPrecision(3))} ms`;
  onWarning?.(
    `precision: ${precision} is the faster one for ${net}: ` +
      `float32 ${ms(times.float32)}, bfloat16 ${ms(times.bfloat16)} ` +
      `for ${times.images} images; kept for later trainings on this machine`,
  );
  return precision;
}

/** A recipe whose precision is no longer "auto". */
export async function settlePrecision(
  recipe: Recipe,
  options: PrecisionOptions = {},
): Promise<Recipe> {
  if (recipe.precision !== "auto") return recipe;
  return { ...recipe, precision: await fasterArithmetic(recipe, options) };
}

/**
 * What "auto" stood for before it was measured, which older records and
 * checkpoints were made with: bfloat16 where the machine has it and all
 * channels fill blocks of 16.
 */
export function formerPrecision(
  { precision, widths, stemWidth = 16 }: Partial<Recipe>,
): Recipe["precision"] | undefined {
  if (precision !== "auto") return precision;
  const blocks = [stemWidth, ...widths ?? []].every((width) =>
    width % 16 === 0
  );
  return blocks && hasBfloat16() ? "bfloat16" : "float32";
}
