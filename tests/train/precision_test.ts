// precision "auto": timed once a net and machine, kept, and the trial's own.
import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Arithmetic, Choices } from "../../lib/tensorflow/mod.ts";
import {
  fasterArithmetic,
  loadCheckpoint,
  type Measure,
  type PrecisionOptions,
  type Recipe,
  train,
} from "../../lib/train/mod.ts";
import { timeSteps } from "../../lib/train/precision.ts";
import { folderTest as test } from "../_folder.ts";
import { tinyData, tinyRecipe as tiny } from "./_tiny.ts";

const tinyRecipe = (fields = {}) => tiny({ precision: "auto", ...fields });

/** A machine with bfloat16 that takes these times, and how often it was asked. */
function machine(
  folder: string,
  float32: number,
  bfloat16: number,
  name = "a",
) {
  const asked: string[] = [], told: string[] = [];
  const measure: Measure = ({ batchSize }) => {
    asked.push(String(batchSize));
    return Promise.resolve({ float32, bfloat16, images: batchSize });
  };
  const options: PrecisionOptions = {
    bfloat16: true,
    choices: new Choices(folder, name),
    measure,
    onWarning: (line) => told.push(line),
  };
  return { asked, told, options };
}

test("the first use of a net times it, the faster one is kept and told once", async (dir) => {
  const { asked, told, options } = machine(dir, 40, 30);
  const net = tinyRecipe();
  assert.equal(await fasterArithmetic(net, options), "bfloat16");
  // Values are no part of a net.
  const other = tinyRecipe({ lr: 0.1, seed: 9, epochs: 7, flip: 0 });
  assert.equal(await fasterArithmetic(other, options), "bfloat16");
  assert.deepEqual(asked, ["8"]);
  assert.equal(told.length, 1);
  assert.match(
    told[0],
    /^precision: bfloat16 is the faster one for baseline, 16 px, .*batch 8: float32 40 ms, bfloat16 30 ms for 8 images/,
  );
  await fasterArithmetic(tinyRecipe({ batchSize: 16 }), options);
  await fasterArithmetic(tinyRecipe({ depth: 2 }), options);
  assert.deepEqual(asked, ["8", "16", "8"], "another batch, another depth");
  const kept = options.choices!.all();
  assert.equal(kept.length, 3);
  assert.deepEqual(
    { ...kept[0], net: "" },
    { net: "", precision: "bfloat16", float32: 40, bfloat16: 30, images: 16 },
  );
  const slow = machine(dir, 30, 40, "b");
  assert.equal(await fasterArithmetic(net, slow.options), "float32");
  assert.deepEqual(slow.asked, ["8"], "another machine asks for itself");
  assert.equal(options.choices!.all().length, 3);
});

test("several trainings that start at once time the net once", async (dir) => {
  const { asked, options } = machine(dir, 40, 30);
  const all = [1, 2, 3].map(() => fasterArithmetic(tinyRecipe(), options));
  assert.deepEqual(
    await Promise.all(all),
    ["bfloat16", "bfloat16", "bfloat16"],
  );
  assert.deepEqual(asked, ["8"]);
});

for (
  const text of [
    "",
    "{",
    "null",
    "[]",
    '{"machine":"a","net":"x","precision":"float16","float32":1,"bfloat16":1,"images":1}',
    '{"machine":"a","net":"x","precision":"float32","float32":null,"bfloat16":1,"images":1}',
    '{"machine":"a","net":"\\u001b[2J","precision":"float32","float32":1,"bfloat16":1,"images":1}',
    '{"machine":"b","net":"x","precision":"float32","float32":1,"bfloat16":1,"images":1}',
  ]
) {
  test(`a kept choice of ${JSON.stringify(text)} counts as none`, async (dir) => {
    const { asked, options } = machine(dir, 40, 30);
    await fasterArithmetic(tinyRecipe(), options);
    const [file] = readdirSync(dir);
    writeFileSync(join(dir, file), text);
    assert.deepEqual(options.choices!.all(), []);
    assert.equal(await fasterArithmetic(tinyRecipe(), options), "bfloat16");
    assert.equal(asked.length, 2);
    assert.equal(options.choices!.all().length, 1);
    assert.deepEqual(readdirSync(dir), [file], "no temporary file is left");
  });
}

test("without bfloat16 nothing is timed, and a cache that is a file costs nothing", async (dir) => {
  const none = machine(dir, 40, 30);
  none.options.bfloat16 = false;
  assert.equal(await fasterArithmetic(tinyRecipe(), none.options), "float32");
  assert.deepEqual(none.asked, []);
  writeFileSync(join(dir, "file"), "");
  const { asked, options } = machine(join(dir, "file"), 40, 30);
  for (let i = 0; i < 2; i++) {
    assert.equal(await fasterArithmetic(tinyRecipe(), options), "bfloat16");
  }
  assert.equal(asked.length, 2);
});

test("steps that cannot be timed leave float32, a stop is passed on", async (dir) => {
  const { told, options } = machine(dir, 40, 30);
  const failing = { ...options, measure: () => Promise.reject(Error("OOM")) };
  assert.equal(await fasterArithmetic(tinyRecipe(), failing), "float32");
  assert.match(told[0], /could not be timed \(OOM\): float32/);
  assert.deepEqual(options.choices!.all(), []);
  const signal = AbortSignal.abort(new Error("stopped"));
  await assert.rejects(
    fasterArithmetic(tinyRecipe(), { ...options, signal, measure: timeSteps }),
    /stopped/,
  );
  assert.deepEqual(options.choices!.all(), []);
});

Deno.test("steps are timed by turns until the time is up", async () => {
  let clock = 0;
  // A clock on which each look is 3 s later: a step takes 3 s.
  const times = await timeSteps(tinyRecipe(), {
    channels: tinyData.channels,
    now: () => clock += 3000,
  });
  assert.deepEqual(times, { float32: 3000, bfloat16: 3000, images: 8 });
  // The start, two steps that compile, one round of two, and the look behind.
  assert.equal(clock / 3000, 1 + 2 * 2 + 2 * 2 + 1);
});

test("a training names its precision, and a resumed one keeps it", async (dir) => {
  const settled = async (recipe: Recipe, choice?: Arithmetic) => {
    let started: Recipe | undefined, asked = 0;
    const rows = train(recipe, tinyData, {
      checkpointDir: join(dir, "checkpoints"),
      settle: (r) => {
        asked++;
        return Promise.resolve({ ...r, precision: choice! });
      },
      onStart: (r) => started = r,
    });
    const losses: number[] = [];
    for await (const row of rows) losses.push(row.trainLoss);
    return { precision: started!.precision, asked, losses };
  };
  const first = await settled(tinyRecipe({ epochs: 1 }), "bfloat16");
  assert.deepEqual([first.precision, first.asked], ["bfloat16", 1]);
  const saved = await loadCheckpoint(join(dir, "checkpoints"));
  assert.equal((saved!.meta.recipe as Recipe).precision, "bfloat16");
  const second = await settled(tinyRecipe({ epochs: 2 }), "float32");
  assert.deepEqual([second.precision, second.asked], ["bfloat16", 0]);
  assert.equal(second.losses[0], first.losses[0], "it went on");
  const other = await settled(tinyRecipe({ epochs: 2, lr: 0.1 }), "float32");
  assert.deepEqual([other.precision, other.asked], ["float32", 1]);
});
