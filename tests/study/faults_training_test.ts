/** What goes wrong around trainings: choice on test, kills, want of memory. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Dataset } from "../../lib/data/mod.ts";
import {
  findings,
  loadPlanData,
  parsePlan,
  runPlanned,
  runTrainingStudy,
  type TrainingEvent,
  type TrainingPlan,
  trainingRows,
} from "../../lib/study/mod.ts";
import { reportedEpoch } from "../../lib/study/training.ts";
import { tf } from "../../lib/tensorflow/mod.ts";
import type { EpochRow } from "../../lib/train/mod.ts";
import { folderTest as test } from "../_folder.ts";
import { killedWhen, program } from "../_run.ts";
import { tinyData, tinyRecipe } from "../train/_tiny.ts";
import { trialsIn } from "./_store.ts";

const { seed: _, lr: _lr, ...recipe } = tinyRecipe();
const plan = (more: Partial<TrainingPlan> = {}): TrainingPlan => ({
  recipe,
  study: { name: "tiny", parameters: { lr: [1e-3] } },
  ...more,
});

const { validation } = tinyData;
/** The tiny data without a validation split. */
const unvalidated: Dataset = {
  ...tinyData,
  validation: {
    ...validation,
    ...{ n: 0, names: [], images: new Uint8Array(0) },
    labels: new Int32Array(0),
  },
};

Deno.test("validation best at epoch 5 with .86 on test is reported, the .90 of epoch 9 is not", () => {
  const history = (validated: boolean) =>
    Array.from({ length: 10 }, (_, i) => {
      const epoch = i + 1;
      const on = (accuracy: number, total: number) => ({ accuracy, total });
      return {
        epoch,
        validation: validated ? on(epoch === 5 ? 0.88 : 0.8, 100) : on(NaN, 0),
        test: on(epoch === 5 ? 0.86 : epoch === 9 ? 0.9 : 0.82, 100),
      } as EpochRow;
    });
  const told = (
    rows: EpochRow[],
    rule: Parameters<typeof reportedEpoch>[1],
  ) => {
    const { chosen, optimistic } = reportedEpoch(rows, rule);
    return [chosen.epoch, chosen.test.accuracy, optimistic];
  };
  assert.deepEqual(told(history(true), "validation"), [5, 0.86, false]);
  assert.deepEqual(told(history(true), "testMaximum"), [9, 0.9, true]);
  assert.deepEqual(told(history(true), "last"), [10, 0.82, false]);
  assert.deepEqual(told(history(false), "validation"), [9, 0.9, true]);
  const [first, ...rest] = history(true);
  first.validation.accuracy = first.test.accuracy = NaN;
  assert.deepEqual(told([first, ...rest], "validation"), [5, 0.86, false]);
  assert.deepEqual(told([first, ...rest], "testMaximum"), [9, 0.9, true]);
  assert.throws(() => told([first], "validation"), {
    name: "DivergedError",
    message: /no epoch's validation accuracy is a number/,
  });
});

test("without a validation split the record and the report say that the number is optimistic", async (dir) => {
  const warnings: string[] = [];
  const { complete } = await runTrainingStudy(plan(), unvalidated, {
    dir,
    onEvent: (e) => void (e.type === "warning" && warnings.push(e.message)),
  });
  assert.equal(complete, 1);
  assert.match(warnings[0], /picked on the test split, .* optimistic$/);
  const rows = await trainingRows({ dir }, "tiny");
  const [row] = rows;
  assert.equal(row.optimistic, true);
  assert.equal(row.accuracy, row.maxTestAccuracy);
  assert(Number.isNaN(row.history[0].validationAccuracy));
  const analysed = rows.map((r) => ({ ...r, value: r.accuracy }));
  assert(
    findings(plan(), analysed).some((line) =>
      /^no validation split: .* optimistic/.test(line)
    ),
  );
  const [{ attrs }] = await trialsIn(dir, "tiny");
  assert.equal(attrs.seed, row.recipe!.seed);
  assert.match(String(row.splitHash), /^[0-9a-f]{64}$/);
  const { cpu } = attrs.provenance as { cpu?: string };
  assert(cpu, JSON.stringify(attrs.provenance));
  const objective = { epoch: "testMaximum" } as const;
  assert(
    findings(plan({ objective }), analysed).some((line) =>
      /^the epoch was picked on the test split, as the plan says/.test(line)
    ),
  );
  const objectiveOnNothing = { split: "validation" } as const;
  await assert.rejects(
    runTrainingStudy(plan({ objective: objectiveOnNothing }), unvalidated, {
      dir,
    }),
    /a trial's value is of the validation split, of which .* has no image/,
  );
});

test("killed in epoch 3 of 4: the rest is run, epochs once and in order, wall time adds up", async (dir) => {
  const child = program("tests/study/_worker.ts", [dir, "training"], {
    stdout: "piped",
  }).spawn();
  // A step of epoch 3; there are 5 in an epoch.
  await killedWhen(child, (printed) => /^step 12$/m.test(printed));
  const before = await trialsIn(dir, "killed");
  assert.deepEqual(before.map((t) => t.state), ["RUNNING"]);
  const events: TrainingEvent[] = [];
  const run = () =>
    runTrainingStudy(
      plan({
        study: { name: "killed", parameters: { lr: [1e-3] } },
        recipe: { ...recipe, epochs: 4 },
      }),
      tinyData,
      { dir, onEvent: (e) => void events.push(e) },
    );
  const { ran, complete } = await run();
  assert.deepEqual([ran, complete], [1, 1]);
  const start = events.find((e) => e.type === "start")!;
  assert.deepEqual(start, {
    ...{ type: "start", total: 1, missing: 1, resumed: 1 },
  });
  const [killed, resumed] = await trialsIn(dir, "killed");
  assert.equal(killed.attrs.fail_kind, "dead");
  assert.deepEqual(resumed.epochs.map((e) => e.epoch), [1, 2, 3, 4]);
  // The first two epochs are those of the process that was killed.
  assert.deepEqual(resumed.epochs.slice(0, 2), before[0].epochs);
  const seconds = resumed.epochs.map((e) => Number(e.seconds));
  assert.equal(resumed.attrs.seconds, seconds.reduce((a, b) => a + b));
  events.length = 0;
  assert.equal((await run()).ran, 0);
  assert(events.some((e) => e.type === "nothing"));
});

test("a batch that needs too much fails by its size, with and without isolation the others are the same bits", async (dir) => {
  const input: TrainingPlan = {
    recipe: { ...recipe, epochs: 1, lr: 1e-3 },
    study: { name: "batch", parameters: { batchSize: [8, 100_000, 12] } },
    data: { name: "synthetic", seed: 3 },
    limits: { train: 24, validation: 4, test: 4 },
  };
  const memory = 4e9;
  const data = await loadPlanData(parsePlan(input));
  const rows = [];
  const tensors: number[] = [];
  for (const isolate of [false, true]) {
    const at = join(dir, String(isolate));
    const { complete, failed } = await runPlanned(input, data, {
      dir: at,
      isolate,
      memory,
      onEvent(e) {
        if (e.type === "trial") tensors.push(tf.memory().numTensors);
      },
    });
    assert.deepEqual([complete, failed], [2, 1]);
    const [first, middle, last] = await trainingRows({ dir: at }, "batch");
    assert.equal(middle.failKind, "out of memory");
    assert.match(
      middle.reason!,
      /^out of memory: a batch of 100000 images of 16 × 16: needs about .* are free; give/,
    );
    rows.push([first, last].map((r) => [
      ...[r.accuracy, r.predictionsHash, r.history[0].trainLoss],
      ...[r.history[0].gradientNorm, r.history[0].testLoss],
    ]));
  }
  assert.deepEqual(rows[0], rows[1]);
  assert.equal(new Set(tensors).size, 1, "each trial frees what it took");
});
