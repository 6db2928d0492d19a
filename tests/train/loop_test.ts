/** The training loop: same bits after a kill, honest metrics, clean stops. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { handleCount, tf } from "../../lib/tensorflow/mod.ts";
import {
  chosenEpoch,
  type EpochRow,
  evaluate,
  loadCheckpoint,
  train,
  Trainer,
} from "../../lib/train/mod.ts";
import { modelOf } from "../../lib/models/mod.ts";
import { initialise } from "../../lib/nn/mod.ts";
import { tinyData, tinyRecipe } from "./_tiny.ts";
import { inFolder } from "../_folder.ts";

async function all(rows: AsyncIterable<EpochRow>): Promise<EpochRow[]> {
  const list: EpochRow[] = [];
  for await (const row of rows) list.push(row);
  return list;
}

/** What must be the same; times are not. */
const numbers = (rows: EpochRow[]) =>
  rows.map(({ seconds: _s, imagesPerSecond: _i, ...row }) => row);

/** Starts a training in a process of its own and kills it after `epoch`. */
async function trainAndKill(dir: string, epochs: number, epoch: number) {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      join(import.meta.dirname!, "resume_child.ts"),
      dir,
      String(epochs),
    ],
    stdout: "piped",
  }).spawn();
  let printed = "";
  for await (
    const text of child.stdout.pipeThrough(new TextDecoderStream())
  ) {
    printed += text;
    if (printed.includes(`${epoch}\n`)) child.kill("SIGKILL");
  }
  const { signal } = await child.status;
  assert.equal(signal, "SIGKILL");
}

Deno.test("two epochs, kill -9 and two more give the bits of four straight", () =>
  inFolder(async (dir) => {
    const recipe = tinyRecipe({ epochs: 4 });
    const killed = join(dir, "killed"), straight = join(dir, "straight");
    await trainAndKill(killed, 4, 2);
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
    assert(a!.tensors.has("adam.exp_avg_sq.head.weight"));
    assert(a!.tensors.has("irback.bn1.running_var"));
  }));

Deno.test("another recipe does not go on from a checkpoint, and says so", () =>
  inFolder(async (dir) => {
    await all(
      train(tinyRecipe({ epochs: 1 }), tinyData, { checkpointDir: dir }),
    );
    const warnings: string[] = [];
    const rows = await all(
      train(tinyRecipe({ epochs: 1, lr: 2e-3 }), tinyData, {
        checkpointDir: dir,
        onWarning: (line) => warnings.push(line),
      }),
    );
    assert.equal(rows.length, 1);
    assert.match(warnings[0], /another recipe/);
  }));

Deno.test("more epochs of the same recipe go on from the last one", () =>
  inFolder(async (dir) => {
    await all(
      train(tinyRecipe({ epochs: 1 }), tinyData, { checkpointDir: dir }),
    );
    const steps: number[] = [];
    const rows = await all(train(tinyRecipe({ epochs: 2 }), tinyData, {
      checkpointDir: dir,
      onStep: (s) => steps.push(s.step),
    }));
    assert.deepEqual(rows.map((r) => r.epoch), [1, 2]);
    assert.deepEqual(steps, [6, 7, 8, 9, 10]);
  }));

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

Deno.test("validation chooses the epoch, the earliest among equals", () => {
  const row = (epoch: number, validation: number, test: number) =>
    ({
      epoch,
      validation: { accuracy: validation },
      test: { accuracy: test },
    }) as EpochRow;
  const rows = [row(1, 0.5, 0.4), row(2, 0.7, 0.6), row(3, 0.7, 0.9)];
  assert.equal(chosenEpoch(rows).test.accuracy, 0.6);
});

Deno.test("a loss that is no number ends the training by name", async () => {
  await assert.rejects(
    all(train(tinyRecipe({ lr: 1e30, epochs: 3 }), tinyData)),
    (e: Error) =>
      e.name === "DivergedError" && /step \d+ \(epoch \d\)/.test(e.message),
  );
});

Deno.test("a batch larger than the data is refused before training", async () => {
  await assert.rejects(
    all(train(tinyRecipe({ batchSize: 45 }), tinyData)),
    /recipe\.batchSize: 45 is more than the 44 training images/,
  );
});

Deno.test("an abort ends the running epoch and frees everything", () =>
  inFolder(async (dir) => {
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
  }));
