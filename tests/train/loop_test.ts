/** The training loop: same bits after a kill, honest metrics, clean stops. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { handleCount, tf } from "../../lib/tensorflow/mod.ts";
import {
  chosenEpoch,
  type EpochRow,
  evaluate,
  loadCheckpoint,
  type Recipe,
  train,
  Trainer,
} from "../../lib/train/mod.ts";
import { TrainingRun } from "../../lib/train/batches_and_rates.ts";
import { modelOf } from "../../lib/models/mod.ts";
import { initialise } from "../../lib/nn/mod.ts";
import { loadPretrained } from "../../lib/train/pretrained.ts";
import { writeSafetensors } from "../../lib/weights/mod.ts";
import { everything, tinyData, tinyRecipe } from "./_tiny.ts";
import { folderTest as test } from "../_folder.ts";
import { killedWhen, program } from "../_run.ts";

async function all(rows: AsyncIterable<EpochRow>): Promise<EpochRow[]> {
  const list: EpochRow[] = [];
  for await (const row of rows) list.push(row);
  return list;
}

/** What must be the same; times are not. */
const numbers = (rows: EpochRow[]) =>
  rows.map(({ seconds: _s, imagesPerSecond: _i, ...row }) => row);

/** Starts a training in a process of its own and kills it after `epoch`. */
async function trainAndKill(dir: string, recipe: Recipe, epoch: number) {
  const child = program(
    "tests/train/resume_child.ts",
    [dir, JSON.stringify(recipe)],
    { stdout: "piped" },
  ).spawn();
  await killedWhen(child, (printed) => printed.includes(`${epoch}\n`));
}

for (
  const [what, fields, state] of [
    ["by the defaults", {}, "adam.exp_avg_sq.head.weight"],
    ["with everything on", everything, "ema.irback.bn1.running_var"],
  ] as const
) {
  test(`${what}, two epochs, kill -9 and two more give the bits of four straight`, async (dir) => {
    const recipe = tinyRecipe({ epochs: 4, ...fields });
    const killed = join(dir, "killed"), straight = join(dir, "straight");
    await trainAndKill(killed, recipe, 2);
    const saved = await loadCheckpoint(killed);
    assert(saved && saved.meta.epoch >= 2 && saved.meta.epoch < 4);
    const resumed = await all(
      train(recipe, tinyData, { checkpointDir: killed }),
    );
    const whole = await all(
      train(recipe, tinyData, { checkpointDir: straight }),
    );
    assert.deepEqual(resumed.map((r) => r.epoch), [1, 2, 3, 4]);
    assert.deepEqual(numbers(resumed), numbers(whole));
    const [a, b] = await Promise.all([killed, straight].map(loadCheckpoint));
    assert.deepEqual(a!.tensors, b!.tensors);
    assert(a!.tensors.has(state));
    assert(a!.tensors.has("irback.bn1.running_var"));
  });
}

Deno.test("mixed labels leave the training accuracy out, alpha 0 is no mixing", async () => {
  const run = async (mixing: unknown) =>
    numbers(await all(train(tinyRecipe({ epochs: 1, mixing }), tinyData)));
  const [plain] = await run({ kind: "none" });
  assert.deepEqual(await run({ kind: "mixup", alpha: 0 }), [plain]);
  const [mixed] = await run({ kind: "mixup", alpha: 1 });
  assert(plain.trainAccuracy !== null && mixed.trainAccuracy === null);
  assert.notEqual(mixed.trainLoss, plain.trainLoss);
});

Deno.test("a batch in pieces has the gradient of the whole, batch norm aside", async () => {
  // One image a piece would need statistics of one image: two pieces of four
  // equal halves have the same statistics as their whole.
  const half = tinyData.train.images.subarray(0, 4 * 256 * tinyData.channels);
  const images = new Uint8Array([...half, ...half]);
  const of = tinyData.train.labels.subarray(0, 4);
  const labels = new Int32Array([...of, ...of]);
  const shape = [8, 16, 16, tinyData.channels] as const;
  const weights = async (accumulate: number) => {
    const recipe = tinyRecipe({
      accumulate,
      optimizer: "sgd",
      momentum: 0,
      lr: 0.1,
      flip: 0,
      erasing: { probability: 0 },
    });
    const forward = modelOf(recipe);
    const state = initialise(forward, [16, 16, tinyData.channels], 1);
    const trainer = new Trainer(forward, state, recipe);
    const result = await trainer.trainBatch(images, labels, [...shape]);
    const head = trainer.save().get("head.weight")!.data as Float32Array;
    trainer.dispose();
    return { ...result, head };
  };
  const one = await weights(1), two = await weights(2);
  assert(Math.abs(one.loss - two.loss) < 1e-5);
  assert.equal(one.correct, two.correct);
  assert(
    Math.abs(one.gradientNorm - two.gradientNorm) < 1e-4 * one.gradientNorm,
  );
  assert(one.head.every((v, i) => Math.abs(v - two.head[i]) < 1e-5));
});

test("the schedule moves the rate, and a longer run of it is another one", async (dir) => {
  const recipe = (epochs: number) =>
    tinyRecipe({ epochs, schedule: { kind: "cosine" } });
  const two = await all(train(recipe(2), tinyData, { checkpointDir: dir }));
  assert.deepEqual(two.map((r) => r.lr), [1e-3, 5e-4]);
  const warnings: string[] = [];
  const four = await all(train(recipe(4), tinyData, {
    checkpointDir: dir,
    onWarning: (line) => warnings.push(line),
  }));
  assert.match(warnings[0], /another recipe .*\(epochs differ\)/);
  assert(Math.abs(four[2].lr - 5e-4) < 1e-18);
});

test("a rate cut at a plateau of validation holds after a resume", async (dir) => {
  const schedule = { kind: "plateau", patience: 0, factor: 0.5, threshold: 10 };
  const recipe = (epochs: number) => tinyRecipe({ epochs, schedule });
  await all(train(recipe(2), tinyData, { checkpointDir: dir }));
  const rows = await all(train(recipe(4), tinyData, { checkpointDir: dir }));
  assert.deepEqual(rows.map((r) => r.lr), [1e-3, 1e-3, 5e-4, 2.5e-4]);
});

test("pretrained weights are the start, and a misfit stops the run", async (dir) => {
  const donor = tinyRecipe({ epochs: 1 });
  await all(train(donor, tinyData, { checkpointDir: dir }));
  const { tensors } = (await loadCheckpoint(dir))!;
  const file = join(dir, "backbone.safetensors");
  const backbone = new Map(
    [...tensors].filter(([name]) => name.startsWith("irback."))
      .map(([name, t]) => [`module.${name.slice("irback.".length)}`, t]),
  );
  await writeSafetensors(file, backbone);
  const recipe = (allow: string[]) =>
    tinyRecipe({ weights: { file, allow }, epochs: 1, seed: 9 });
  await assert.rejects(
    all(train(recipe([]), tinyData)),
    /missing: cls_token.*allow "missing" if that is meant/,
  );
  const { trainer, pretrained } = await new TrainingRun(
    recipe(["missing"]),
    tinyData,
  ).start();
  const now = trainer.save();
  trainer.dispose();
  assert.equal(pretrained!.loaded, backbone.size);
  for (const name of tensors.keys()) {
    if (!name.startsWith("irback.")) continue;
    assert.deepEqual(now.get(name), tensors.get(name), name);
  }
  const head = "head.weight";
  assert.notDeepEqual(now.get(head), tensors.get(head));
});

test("an index's shards are a start, whole numbers too, and all count in the hash", async (dir) => {
  const file = join(dir, "model.safetensors.index.json");
  const weight_map = { "head.bias": "a.safetensors", "cls_token": "b" };
  await Deno.writeTextFile(file, JSON.stringify({ weight_map }));
  const recipe = tinyRecipe({ weights: { file, allow: ["missing"] } });
  const load = async (first: bigint) => {
    const state = initialise(modelOf(recipe), [16, 16, 3], 1);
    const token = state.parameters.get("cls_token")!;
    await writeSafetensors(
      join(dir, "a.safetensors"),
      new Map([["head.bias", {
        dtype: "I64",
        shape: [7],
        data: BigInt64Array.of(first, 1n, 2n, 3n, 4n, 5n, 6n),
      }]]),
    );
    await writeSafetensors(
      join(dir, "b"),
      new Map([["cls_token", {
        dtype: "F32",
        shape: [...token.info.shape],
        data: new Float32Array(token.data.length).fill(0.5),
      }]]),
    );
    const { hash, loaded } = await loadPretrained(state, recipe.weights);
    assert.equal(loaded, 2);
    const { data } = state.parameters.get("head.bias")!;
    assert.deepEqual([...data], [Number(first), 1, 2, 3, 4, 5, 6]);
    assert.equal(state.parameters.get("cls_token")!.data[0], 0.5);
    return hash;
  };
  assert.equal(await load(-1n), await load(-1n));
  assert.notEqual(await load(-1n), await load(9n));
});

Deno.test("a training says what it leaves alone of a file of weights", async () => {
  const { pathname: file } = new URL(
    "../fixtures/weights/published/start.pth",
    import.meta.url,
  );
  const recipe = tinyRecipe({ weights: { file, allow: ["missing"] } });
  const said: string[] = [];
  const onWarning = (line: string) => said.push(line);
  await train(recipe, tinyData, { onWarning }).next();
  assert.deepEqual(said, [
    `${file}: ignored beside the weights: objects of argparse.Namespace`,
  ]);
});

test("more epochs of the same recipe go on from the last one", async (dir) => {
  await all(train(tinyRecipe({ epochs: 1 }), tinyData, { checkpointDir: dir }));
  const steps: number[] = [];
  const rows = await all(train(tinyRecipe({ epochs: 2 }), tinyData, {
    checkpointDir: dir,
    onStep: (s) => steps.push(s.step),
  }));
  assert.deepEqual(rows.map((r) => r.epoch), [1, 2]);
  assert.deepEqual(steps, [6, 7, 8, 9, 10]);
});

Deno.test("evaluation counts every sample once, whatever the batch", async () => {
  const recipe = tinyRecipe();
  const forward = modelOf(recipe);
  const state = initialise(forward, [16, 16, tinyData.channels], 1);
  const trainer = new Trainer(forward, state, recipe);
  try {
    const results = [];
    for (const batch of [1, 3, 4, 10]) {
      results.push(await evaluate(trainer, tinyData.test, tinyData, batch));
    }
    for (const { total, accuracy, loss, predictions } of results) {
      assert.equal(total, 10);
      assert.equal(accuracy, results[0].accuracy);
      assert.deepEqual(predictions, results[0].predictions);
      assert(Math.abs(loss - results[0].loss) < 1e-5);
    }
  } finally {
    trainer.dispose();
  }
});

Deno.test("the first step, which compiles, counts in no epoch's speed", async () => {
  const rows = await all(
    train(tinyRecipe({ batchSize: 44, epochs: 2 }), tinyData),
  );
  assert.equal(rows[0].imagesPerSecond, null, "its only step is the first");
  assert.ok(rows[1].imagesPerSecond! > 0);
});

Deno.test("validation chooses the epoch, the earliest among equals", () => {
  const row = (epoch: number, validation: number, test: number) =>
    ({
      epoch,
      validation: { accuracy: validation },
      test: { accuracy: test },
    }) as EpochRow;
  const rows = [row(1, 0.5, 0.4), row(2, 0.7, 0.6), row(3, 0.7, 0.9)];
  assert.equal(chosenEpoch(rows)?.test.accuracy, 0.6);
  const of = (...accuracies: number[]) =>
    chosenEpoch(accuracies.map((accuracy, i) => row(i + 1, accuracy, 0)))
      ?.epoch ?? null;
  assert.equal(of(NaN, 0.2, NaN, 0.5), 4, "NaN hides no epoch");
  assert.equal(of(0, NaN), 1);
  assert.equal(of(NaN, NaN), null);
  assert.equal(of(), null);
  const unjudged = row(1, 0.9, 0);
  Object.assign(unjudged.validation, { loss: NaN });
  assert.equal(chosenEpoch([unjudged, ...rows])?.epoch, 2);
});

Deno.test("a loss that is no number ends the training, and its place is named", async () => {
  await assert.rejects(
    all(train(tinyRecipe({ lr: 1e30, epochs: 3 }), tinyData)),
    (e: Error) =>
      e.name === "DivergedError" &&
      /step \d+ \(epoch \d\): .* \(.*(in layer \S+, op \S+|holds).*\)$/
        .test(e.message),
  );
  await assert.rejects(
    all(train(tinyRecipe({ lr: 1e30 }), tinyData, { locate: false })),
    /lower the learning rate$/,
  );
  await assert.rejects(
    all(train(tinyRecipe({ eps: 1e-45 }), tinyData, { locate: false })),
    /at step \d+ \(epoch 1\): recipe\.eps: 1e-45 vanishes .*: give at least/,
  );
});

Deno.test("a batch larger than the data and labels from 1 are refused before training", async () => {
  await assert.rejects(
    all(train(tinyRecipe({ batchSize: 45 }), tinyData)),
    /recipe\.batchSize: 45 is more than the 44 training images/,
  );
  const labels = tinyData.train.labels.map((label) => label + 1);
  await assert.rejects(
    all(train(tinyRecipe(), {
      ...tinyData,
      train: { ...tinyData.train, labels },
    })),
    /^RecipeError: synthetic: training label 7 is no class; give labels 0 to 6$/,
  );
});

test("an abort ends the running epoch and frees everything", async (dir) => {
  const handles = handleCount(), { numTensors } = tf.memory();
  const stop = new AbortController();
  const rows: number[] = [];
  await assert.rejects(async () => {
    const epochs = train(tinyRecipe({ epochs: 3 }), tinyData, {
      signal: stop.signal,
      checkpointDir: dir,
      onStep: ({ step }) => {
        if (step === 8) stop.abort(new Error("stopped"));
      },
    });
    for await (const row of epochs) rows.push(row.epoch);
  }, /stopped/);
  assert.deepEqual(rows, [1]);
  assert.equal((await loadCheckpoint(dir))!.meta.epoch, 1);
  assert.equal(handleCount(), handles);
  assert.equal(tf.memory().numTensors, numTensors);
});
