/** `deno task bench train`: training speed as JSON lines, beside PyTorch's. */
import { join } from "node:path";
import { modelOf } from "../lib/models/mod.ts";
import { initialise, releaseState } from "../lib/nn/mod.ts";
import { count, flops, peakMemory } from "../lib/profile/mod.ts";
import {
  type Arithmetic,
  compile,
  hasBfloat16,
  tf,
} from "../lib/tensorflow/mod.ts";
import {
  parseRecipe,
  type Recipe,
  recipes,
  settlePrecision,
  Trainer,
} from "../lib/train/mod.ts";
import { torchPython } from "./python.ts";

/** Options of {@link benchTrain}. */
export interface TrainOptions {
  model: "baseline" | "cls";
  slim?: boolean;
  size?: number;
  batch?: number;
  precision: "float32" | "bfloat16" | "auto";
  steps?: number;
  peer?: boolean;
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2
    ? sorted[middle]
    : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Speed of 3×3 convolutions alone, GFLOPS, in this process and precision. */
async function convolutionRoof(precision: Arithmetic) {
  const [batch, side, width, repeats] = [16, 28, 128, 10];
  const x = tf.randomNormal([batch, side, side, width]) as tf.Tensor4D;
  const k = tf.randomNormal([3, 3, width, width], 0, 0.03) as tf.Tensor4D;
  const run = compile((a, b) => {
    let y = a as tf.Tensor4D;
    for (let i = 0; i < repeats; i++) {
      y = tf.conv2d(y, b as tf.Tensor4D, 1, "same");
    }
    return [tf.mean(y)];
  }, { precision });
  const times: number[] = [];
  for (let i = 0; i < 8; i++) {
    const start = performance.now();
    const [result] = await run(x, k);
    result.dataSync();
    result.dispose();
    if (i >= 2) times.push(performance.now() - start);
  }
  const flop = 2 * repeats * batch * side * side * 9 * width * width;
  return flop / median(times) / 1e6;
}

/** Measures training and prints it; gives the exit code. */
export async function benchTrain(o: TrainOptions): Promise<number> {
  const preset = o.slim ? recipes.slim : recipes.full;
  const batch = o.batch ?? (o.slim ? 64 : 16);
  const asked = parseRecipe({
    ...preset,
    model: o.model,
    size: o.size ?? preset.size,
    batchSize: batch,
    precision: o.precision,
    lr: 1e-5,
  });
  const recipe = await settlePrecision(asked, { onWarning: console.error });
  const precision = recipe.precision as Arithmetic;
  const { size } = recipe;
  const steps = o.steps ?? (o.slim ? 30 : 5);
  const forward = modelOf(recipe);
  const state = initialise(forward, [size, size, 3], 0);
  const trainer = new Trainer(forward, state, recipe);
  releaseState(state);
  const images = crypto.getRandomValues(new Uint8Array(65536));
  const pixels = new Uint8Array(batch * size * size * 3)
    .map((_, i) => images[i % 65536]);
  const labels = Int32Array.from({ length: batch }, (_, i) => i % 7);
  const times: number[] = [];
  let firstStep = 0;
  for (let i = 0; i < steps + 2; i++) {
    const start = performance.now();
    await trainer.trainBatch(pixels, labels, [batch, size, size, 3]);
    const ms = performance.now() - start;
    if (i === 0) firstStep = ms;
    if (i >= 2) times.push(ms);
  }
  trainer.dispose();
  const peak = peakMemory();
  const ms = median(times);
  // A backward pass costs two forward passes; a multiply-add is two FLOP.
  const macs = flops(count(forward, [size, size, 3]), "macs").total;
  const gflops = 6 * macs * batch / ms / 1e6;
  const roof = await convolutionRoof(precision);
  const ours = {
    engine: "ferlab",
    model: o.model,
    net: o.slim ? "slim" : "full",
    size,
    batch,
    precision,
    imagesPerSecond: round(1000 * batch / ms),
    msPerStep: round(ms),
    msPerStepMin: round(Math.min(...times)),
    msPerStepMax: round(Math.max(...times)),
    firstStepMs: round(firstStep),
    gflops: round(gflops),
    roofGflops: round(roof),
    shareOfRoof: round(gflops / roof),
    peakRssMb: Math.round(peak / 2 ** 20),
  };
  console.log(JSON.stringify(ours));
  return o.peer ? await peer(recipe, batch, steps, ours) : 0;
}

const round = (x: number) => Number(x.toPrecision(4));

/**
 * PyTorch's variants, each in a process of its own, so that its memory is its
 * own. bfloat16 is left out where the CPU has no arithmetic for it, which
 * makes it ten times slower.
 */
function variants(): string[] {
  const plain = ["eager", "channels-last", "channels-last torch.compile"];
  return hasBfloat16()
    ? [...plain, "channels-last bf16", "channels-last bf16 torch.compile"]
    : plain;
}

async function peer(
  recipe: Recipe,
  batch: number,
  steps: number,
  ours: { imagesPerSecond: number; peakRssMb: number },
): Promise<number> {
  const python = await torchPython();
  let best = 0, leastMb = Infinity;
  for (const variant of variants()) {
    const { code, stdout } = await new Deno.Command(python, {
      args: [
        join(import.meta.dirname!, "bench_peer.py"),
        JSON.stringify({ ...recipe, batch, steps, variant }),
      ],
      stderr: "inherit",
    }).output();
    if (code !== 0) return code;
    const text = new TextDecoder().decode(stdout).trim();
    if (!text) continue;
    const row = JSON.parse(text) as typeof ours;
    best = Math.max(best, row.imagesPerSecond);
    leastMb = Math.min(leastMb, row.peakRssMb);
    const ratio = round(ours.imagesPerSecond / row.imagesPerSecond);
    console.log(JSON.stringify({ ...row, ratio }));
  }
  if (best > 0) {
    console.log(JSON.stringify({
      ratioToBestPyTorch: round(ours.imagesPerSecond / best),
      memoryToLeastPyTorch: round(ours.peakRssMb / leastMb),
    }));
  }
  return 0;
}
