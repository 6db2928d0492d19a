/** Studies of real trainings on a tiny net. */
import assert from "node:assert/strict";
import {
  bestRow,
  runTrainingStudy,
  type TrainingEvent,
  type TrainingPlan,
  trainingRows,
} from "../../lib/study/mod.ts";
import { modelOf } from "../../lib/models/mod.ts";
import { count, trainingMemory } from "../../lib/profile/mod.ts";
import { tinyData, tinyRecipe } from "../train/_tiny.ts";
import { inFolder } from "../_folder.ts";

const { seed: _, lr: _lr, ...recipe } = tinyRecipe();
const plan: TrainingPlan = {
  recipe,
  study: { name: "tiny", grid: { lr: [1e-3, 1e30] } },
};

Deno.test("a diverged trial fails, the others are kept, nothing runs twice", () =>
  inFolder(async (dir) => {
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

    const rows = trainingRows(dir, "tiny");
    assert.deepEqual(rows.map((r) => r.state), ["COMPLETE", "FAIL"]);
    const [done, failed] = rows;
    assert.equal(failed.accuracy, null);
    assert.equal(done.epochs.length, 2);
    assert.equal(done.total, tinyData.test.n);
    assert.equal(done.correct! / done.total!, done.accuracy);
    assert(done.interval!.low <= done.accuracy!);
    assert(done.maxTestAccuracy! >= done.accuracy!);
    const chosen = done.epochs.find((e) => e.epoch === done.chosenEpoch)!;
    assert.equal(chosen.testAccuracy, done.accuracy);
    assert.equal(
      Math.max(...done.epochs.map((e) => e.validationAccuracy)),
      chosen.validationAccuracy,
    );
    assert.equal(done.dataHash, tinyData.hash);
    assert.equal(bestRow(rows), done);
  }));

Deno.test("a trial without the memory fails by its batch, the next is as if alone", () =>
  inFolder(async (dir) => {
    const grid = (batchSize: number[]): TrainingPlan => ({
      ...plan,
      recipe: { ...recipe, lr: 1e-3, epochs: 1 },
      study: { name: "batch", grid: { batchSize } },
    });
    const forward = modelOf(tinyRecipe());
    const memory = trainingMemory(count(forward, [16, 16, 3], { batch: 20 }));
    const together = `${dir}/together`, alone = `${dir}/alone`;
    const summary = await runTrainingStudy(grid([4, 40, 8]), tinyData, {
      dir: together,
      memory,
    });
    assert.deepEqual([summary.complete, summary.failed], [2, 1]);
    const [, failed, after] = trainingRows(together, "batch");
    assert.equal(failed.params.batchSize, 40);
    assert.equal(failed.fail_kind, "out of memory");
    assert.match(
      failed.fail_reason!,
      /^out of memory: a batch of 40 images of 16 × 16: needs about .* are free; give/,
    );
    await runTrainingStudy(grid([8]), tinyData, { dir: alone });
    const [only] = trainingRows(alone, "batch");
    assert.deepEqual(
      [after.accuracy, after.epochs[0].trainLoss],
      [only.accuracy, only.epochs[0].trainLoss],
    );
  }));

Deno.test("records of other data or another recipe are not mixed in", () =>
  inFolder(async (dir) => {
    await runTrainingStudy(plan, tinyData, { dir });
    const wider = { ...plan, recipe: { ...plan.recipe, flip: 0 } };
    await assert.rejects(
      runTrainingStudy(wider, tinyData, { dir }),
      /study "tiny" in .*records\.sqlite was run with recipe .* choose another folder/,
    );
    await assert.rejects(
      runTrainingStudy(plan, { ...tinyData, hash: "other" }, { dir }),
      /was run with dataHash .*, asked was "other"/,
    );
  }));

Deno.test("a point that makes no sound recipe is refused before any training", () =>
  inFolder(async (dir) => {
    const bad = { ...plan, study: { name: "bad", grid: { heads: [2, 3] } } };
    const events: TrainingEvent[] = [];
    await assert.rejects(
      runTrainingStudy(bad, tinyData, {
        dir,
        onEvent: (e) => void events.push(e),
      }),
      /^RecipeError: recipe\.\w+: .*3/,
    );
    assert.deepEqual(events, []);
  }));

Deno.test("stopping in the middle keeps the epochs and goes on from them", () =>
  inFolder(async (dir) => {
    const one = { ...plan, study: { name: "tiny", grid: { lr: [1e-3] } } };
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
      trainingRows(dir, "tiny").map((r) => r.epochs.map((e) => e.epoch)),
      [[1, 2]],
    );
  }));
