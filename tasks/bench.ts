/** `deno task bench train`: training speed as JSON lines, beside PyTorch's. */
import { Command, Option } from "commander";
import { join } from "node:path";
import { modelOf } from "../lib/models/mod.ts";
import { initialise } from "../lib/nn/mod.ts";
import { compile, resolvePrecision, tf } from "../lib/tensorflow/mod.ts";
import { parseRecipe, recipes, Trainer } from "../lib/train/mod.ts";
import { torchPython } from "./python.ts";

interface Options {
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

/**
 * Multiply-adds of one image's forward pass: convolutions and matrix products
 * of the Baseline.
 */
function multiplyAdds(r: ReturnType<typeof parseRecipe>): number {
  let side = Math.ceil(r.size / r.stemStride), width = r.stemWidth;
  let total = side * side * 9 * 3 * width;
  r.widths.forEach((out, stage) => {
    for (let unit = 0; unit < r.layers[stage]; unit++) {
      total += side * side * 9 * width * out;
      if (unit === 0) {
        side = Math.ceil(side / 2);
        total += side * side * width * out;
      }
      total += side * side * 9 * out * out;
      width = out;
    }
  });
  const n = side * side + 1, d = r.dim;
  total += r.depth * (n * d * d * (4 + 2 * r.mlpRatio) + 2 * n * n * d);
  return total + d * r.classes;
}

/** Speed of 3×3 convolutions alone, GFLOPS, in this process and precision. */
async function convolutionRoof(precision: Options["precision"]) {
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

async function benchTrain(o: Options): Promise<number> {
  const preset = o.slim ? recipes.slim : recipes.full;
  const batch = o.batch ?? (o.slim ? 64 : 16);
  const recipe = parseRecipe({
    ...preset,
    size: o.size ?? preset.size,
    batchSize: batch,
    precision: o.precision,
    lr: 1e-5,
  });
  const { size } = recipe;
  const steps = o.steps ?? (o.slim ? 30 : 5);
  const forward = modelOf(recipe);
  const trainer = new Trainer(
    forward,
    initialise(forward, [size, size, 3], 0),
    recipe,
  );
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
  const ms = median(times);
  // A backward pass costs two forward passes; a multiply-add is two FLOP.
  const gflops = 6 * multiplyAdds(recipe) * batch / ms / 1e6;
  const roof = await convolutionRoof(o.precision);
  const ours = {
    engine: "ferlab",
    model: "baseline",
    net: o.slim ? "slim" : "full",
    size,
    batch,
    precision: resolvePrecision(o.precision),
    imagesPerSecond: round(1000 * batch / ms),
    msPerStep: round(ms),
    msPerStepMin: round(Math.min(...times)),
    msPerStepMax: round(Math.max(...times)),
    firstStepMs: round(firstStep),
    gflops: round(gflops),
    roofGflops: round(roof),
    shareOfRoof: round(gflops / roof),
    rssMb: round(Deno.memoryUsage().rss / 2 ** 20),
  };
  console.log(JSON.stringify(ours));
  return o.peer ? await peer(recipe, batch, steps, ours.imagesPerSecond) : 0;
}

const round = (x: number) => Number(x.toPrecision(4));

async function peer(
  recipe: ReturnType<typeof parseRecipe>,
  batch: number,
  steps: number,
  ours: number,
): Promise<number> {
  const python = await torchPython();
  const child = new Deno.Command(python, {
    args: [
      join(import.meta.dirname!, "bench_peer.py"),
      JSON.stringify({ ...recipe, batch, steps }),
    ],
    stdout: "piped",
  }).spawn();
  let best = 0, rest = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const row = JSON.parse(line) as { imagesPerSecond: number };
      best = Math.max(best, row.imagesPerSecond);
      console.log(
        JSON.stringify({ ...row, ratio: round(ours / row.imagesPerSecond) }),
      );
    }
  }
  const { code } = await child.status;
  if (best > 0) {
    console.log(JSON.stringify({ ratioToBestPyTorch: round(ours / best) }));
  }
  return code;
}

const whole = (text: string) => Math.max(1, Math.trunc(Number(text)));
const program = new Command("deno task bench")
  .description("Measures FERLab on this machine; prints JSON lines.");
program.command("train")
  .description("training speed: images/s, ms a step, GFLOPS, share of the roof")
  .addOption(
    new Option("--model <name>", "model").choices(["baseline"])
      .default("baseline"),
  )
  .option("--slim", "the slim net (48 × 48, batch 64) instead of the full one")
  .option("--size <px>", "side of the images", whole)
  .option("--batch <n>", "images a step", whole)
  .option("--steps <n>", "counted steps, after two of warm-up", whole)
  .addOption(
    new Option("--precision <name>", "arithmetic")
      .choices(["float32", "bfloat16", "auto"]).default("auto"),
  )
  .option("--peer", "run the same net in PyTorch and print the ratio")
  .action(async (o: Options) => Deno.exit(await benchTrain(o)));

await program.parseAsync(Deno.args, { from: "user" });
