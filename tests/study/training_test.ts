/** Studies of real trainings on a tiny net. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  openStore,
  parsePlan,
  recordsPath,
  runTrainingStudy,
  type StudyInput,
  type TrainingEvent,
  type TrainingPlan,
  trainingRows,
  trialRows,
} from "../../lib/study/mod.ts";
import { completeFixed, isRecordOf } from "../../lib/study/plan.ts";
import { type Arithmetic, hasBfloat16 } from "../../lib/tensorflow/mod.ts";
import type { Recipe, Schedule } from "../../lib/train/mod.ts";
import { writeSafetensors } from "../../lib/weights/mod.ts";
import { tinyData, tinyRecipe } from "../train/_tiny.ts";
import { folderTest as test } from "../_folder.ts";

const { seed: _, lr: _lr, ...recipe } = tinyRecipe();
const plan: TrainingPlan = {
  recipe,
  study: { name: "tiny", parameters: { lr: [1e-3, 1e30] } },
};

test("a diverged trial fails, the others are kept, nothing runs twice", async (dir) => {
  const events: TrainingEvent[] = [];
  const options = { dir, onEvent: (e: TrainingEvent) => void events.push(e) };
  const summary = await runTrainingStudy(plan, tinyData, options);
  assert.deepEqual(
    [summary.complete, summary.failed, summary.remaining],
    [1, 1, 0],
  );
  const again = await runTrainingStudy(plan, tinyData, options);
  assert.equal(again.ran, 0);
  assert(events.some((e) => e.type === "nothing"));
  assert(events.some((e) => e.type === "step" && e.steps === 10));

  const rows = await trainingRows({ dir }, "tiny");
  assert.deepEqual(rows.map((r) => r.state), ["COMPLETE", "FAIL"]);
  const [done, failed] = rows;
  assert.equal(failed.accuracy, null);
  assert.equal(done.history.length, 2);
  assert.equal(done.total, tinyData.test.n);
  assert.equal(done.correct! / done.total!, done.accuracy);
  assert(done.low! <= done.accuracy!);
  assert(done.maxTestAccuracy! >= done.accuracy!);
  const chosen = done.history.find((e) => e.epoch === done.chosenEpoch)!;
  assert.equal(chosen.testAccuracy, done.accuracy);
  assert.equal(
    Math.max(...done.history.map((e) => e.validationAccuracy)),
    chosen.validationAccuracy,
  );
  assert.equal(done.dataHash, tinyData.hash);
});

test("other data or another recipe make another record, and it is told", async (dir) => {
  const short = {
    recipe: { ...recipe, epochs: 1 },
    study: { name: "tiny", parameters: { lr: [1e-3] } },
  };
  await runTrainingStudy(short, tinyData, { dir });
  const told: string[] = [];
  const run = (plan: TrainingPlan, data = tinyData) =>
    runTrainingStudy(plan, data, {
      dir,
      onEvent: (e) => void (e.type === "changed" && told.push(e.message)),
    });
  const same = { ...short, recipe: { ...short.recipe, dropLast: true } };
  assert.equal(
    (await run(same)).ran,
    0,
    "a default that is written down changes nothing",
  );
  assert.deepEqual(told, []);
  const wider = { ...short, recipe: { ...short.recipe, flip: 0 } };
  assert.equal((await run(wider)).ran, 1);
  assert.match(
    told[0],
    /^other fixed settings than "tiny" with its 1 trials: recipe\.flip 0\.5 → 0; "tiny@\w{8}" is a record of its own$/,
  );
  assert.equal((await run(short)).ran, 0, "the first record is still there");
  await run(short, { ...tinyData, hash: "other" });
  assert.match(told[1], /dataHash ".*" → "other"/);
});

test("a point that makes no sound recipe is refused before any training", async (dir) => {
  const bad = {
    ...plan,
    study: { name: "bad", parameters: { heads: [2, 3] } },
  };
  const events: TrainingEvent[] = [];
  await assert.rejects(
    runTrainingStudy(bad, tinyData, {
      dir,
      onEvent: (e) => void events.push(e),
    }),
    /^RecipeError: recipe\.\w+: .*3/,
  );
  assert.deepEqual(events, []);
});

Deno.test("a floor above the rate is refused with the settings concerned", () => {
  const schedule = { kind: "cosine", min: 1e-5 } as Schedule;
  const of = (study: StudyInput) =>
    parsePlan({ study, recipe: { ...recipe, schedule } });
  assert.throws(
    () => of({ name: "s", parameters: { lr: [1e-6, 1e-3], depth: [1, 2] } }),
    {
      name: "RecipeError",
      message:
        /^recipe\.schedule\.min: .*minShare, a share of lr \(2 settings lr 0\.000001, depth 1; lr 0\.000001, depth 2\)$/,
    },
  );
  const lr = { low: 1e-7, high: 1e-2, log: true };
  const search = { kind: "tpe", points: 4 } as const;
  assert.throws(
    () => of({ name: "s", parameters: { lr }, search }),
    /\.min: 0\.00001 is above lr 1e-7, .* \(2 settings lr 1e-7; lr /,
  );
  of({ name: "s", parameters: { lr: { ...lr, low: 1e-5 } }, search });
});

test("stopping in the middle keeps the epochs and goes on from them", async (dir) => {
  const one = { ...plan, study: { name: "tiny", parameters: { lr: [1e-3] } } };
  const stop = new AbortController();
  const first = await runTrainingStudy(one, tinyData, {
    dir,
    signal: stop.signal,
    onEvent: (e) => {
      if (e.type === "step" && e.step === 7) stop.abort();
    },
  });
  assert.deepEqual([first.interrupted, first.remaining], [true, 1]);
  const steps: number[] = [];
  await runTrainingStudy(one, tinyData, {
    dir,
    onEvent: (e) => {
      if (e.type === "step") steps.push(e.step);
    },
  });
  assert.deepEqual(steps, [6, 7, 8, 9, 10]);
  assert.deepEqual(
    (await trainingRows({ dir }, "tiny")).map((r) =>
      r.history.map((e) => e.epoch)
    ),
    [[1, 2]],
  );
});

test("a study with precision auto finds its records again; a machine that chooses otherwise makes its own", async (dir) => {
  const auto: TrainingPlan = {
    recipe: { ...recipe, lr: 1e-3, precision: "auto" },
    study: { name: "auto", parameters: { depth: [1, 2] } },
  };
  const told: string[] = [];
  let asked = 0;
  const run = (precision: Arithmetic, plan = auto) =>
    runTrainingStudy(plan, tinyData, {
      dir,
      settle: (r) => (asked++, Promise.resolve({ ...r, precision })),
      trialOf: ({ recipe }) => () =>
        Promise.resolve({ value: 1, attrs: { ran: recipe.precision } }),
      onEvent: (e) => void (e.type === "changed" && told.push(e.message)),
    });
  assert.equal((await run("bfloat16")).ran, 2);
  // Whatever would be chosen now: all of a study's trials share one.
  const longer = { depth: [1, 2, 3] };
  const more = { ...auto, study: { ...auto.study, parameters: longer } };
  assert.equal((await run("float32", more)).ran, 1);
  assert.equal((await run("float32")).ran, 0);
  assert.equal(asked, 1);
  const ran = async () =>
    (await trialRows({ dir }, "auto")).rows.map((r) => r.attrs.ran);
  assert.deepEqual(await ran(), ["bfloat16", "bfloat16", "bfloat16"]);
  // As if the record were another machine's.
  const store = await openStore(recordsPath(dir));
  const [{ studyId }] = await store.studies();
  await store.setStudyAttribute(studyId, "precisionChosenBy", { cpu: "x" });
  await store.close();
  assert.equal((await run("float32")).ran, 2);
  assert.match(told[0], /recipe\.precision "bfloat16" → "float32"/);
  assert.deepEqual(await ran(), ["float32", "float32"]);
  assert.equal((await run("bfloat16")).ran, 0, "its own are found");
  assert.equal(asked, 2);
  const named = { ...auto, recipe: { ...auto.recipe, precision: "bfloat16" } };
  assert.equal((await run("float32", named as TrainingPlan)).ran, 0);
});

test("a recorded trial names the precision it ran in", async (dir) => {
  const { precision: _, ...recipe } = tinyRecipe();
  const varied: TrainingPlan = {
    recipe: { ...recipe, lr: 1e-3, epochs: 1 },
    study: {
      name: "varied",
      parameters: { precision: ["float32", "bfloat16"] },
    },
  };
  await runTrainingStudy(varied, tinyData, { dir });
  const { rows } = await trialRows({ dir }, "varied");
  assert.deepEqual(
    rows.map((r) => (r.attrs.recipe as Recipe).precision),
    ["float32", "bfloat16"],
  );
});

Deno.test("an older record's auto is the precision that it stood for", () => {
  const complete = completeFixed(["lr"]);
  const of = (fields: object) =>
    (complete({ recipe: { precision: "auto", ...fields } }).recipe as Recipe)
      .precision;
  assert.equal(of({ widths: [8, 16, 32, 64], stemWidth: 8 }), "float32");
  assert.equal(of({}), hasBfloat16() ? "bfloat16" : "float32");
  assert.equal(of({ precision: "bfloat16" }), "bfloat16");
});

test("a study that starts from weights is of that file's content, and its trials keep the hash", async (dir) => {
  const file = `${dir}/start.safetensors`;
  const write = (value: number) =>
    writeSafetensors(
      file,
      new Map([["head.bias", {
        dtype: "F32" as const,
        shape: [7],
        data: new Float32Array(7).fill(value),
      }]]),
    );
  const hash = async () =>
    createHash("sha256").update(await Deno.readFile(file)).digest("hex");
  const from: TrainingPlan = {
    study: { name: "from", parameters: { lr: [1e-3] } },
    recipe: {
      ...recipe,
      epochs: 1,
      weights: { file, allow: ["missing", "unexpected"] },
    },
  };
  await write(0.5);
  const first = await hash();
  const { readFileSync } = Deno;
  let reads = 0;
  Deno.readFileSync = (path) => {
    if (path === file) reads++;
    return readFileSync(path);
  };
  try {
    isRecordOf(from);
    assert.equal((await runTrainingStudy(from, tinyData, { dir })).ran, 1);
    assert.equal((await runTrainingStudy(from, tinyData, { dir })).ran, 0);
  } finally {
    Deno.readFileSync = readFileSync;
  }
  assert.equal(reads, 1, "a file that did not change is hashed once");
  const [row] = await trainingRows({ dir }, "from");
  assert.equal(row.weightsHash, first);
  await write(0.25);
  assert.equal((await runTrainingStudy(from, tinyData, { dir })).ran, 1);
  const [other] = await trainingRows({ dir }, "from");
  assert.equal(other.weightsHash, await hash());
  assert.notEqual(other.weightsHash, first);
});
