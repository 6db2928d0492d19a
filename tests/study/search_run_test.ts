// Studies that search, prune, run several at once, or have a budget.
import assert from "node:assert/strict";
import {
  runStudy,
  type StudyEvent,
  type StudyInput,
  type TrainTrial,
} from "../../lib/study/mod.ts";
import { folderTest as test, inFolder } from "../_folder.ts";
import { trialsIn } from "./_store.ts";

const bowl: TrainTrial = ({ params }) =>
  Promise.resolve({ value: -((Math.log10(Number(params.lr)) + 3) ** 2) });

const tpe = (points: number, more: Partial<StudyInput> = {}): StudyInput => ({
  name: "tpe",
  parameters: { lr: { low: 1e-6, high: 1, log: true } },
  search: { kind: "tpe", points },
  ...more,
});

test("TPE finds the optimum, goes on from its record and stops at its points", async (dir) => {
  const first = await runStudy(tpe(12), bowl, { dir });
  assert.deepEqual([first.ran, first.total, first.remaining], [12, 12, 0]);
  const more = await runStudy(tpe(30), bowl, { dir });
  assert.deepEqual([more.ran, more.complete], [18, 30]);
  assert.equal((await runStudy(tpe(30), bowl, { dir })).ran, 0);
  const rows = await trialsIn(dir, "tpe");
  assert(Math.max(...rows.map((r) => r.value!)) > -0.05);
  await inFolder(async (other) => {
    await runStudy(tpe(30), bowl, { dir: other });
    assert.deepEqual(
      (await trialsIn(other, "tpe")).map((r) => r.params),
      rows.map((r) => r.params),
      "the same study makes the same points, in one go or two",
    );
  });
});

test("a search of more points than there are ends with all of them, each run once", async (dir) => {
  const parameters = {
    lr: { low: 1, high: 3, step: 0.8 },
    depth: { low: 1, high: 9, int: true, step: 4 },
    on: [true, 1, "1"],
  };
  const study = tpe(99, { parameters, repeats: 2 });
  const nan: TrainTrial = ({ params }) =>
    Promise.resolve({ value: params.on === "1" ? NaN : Number(params.lr) });
  for (const ran of [54, 0]) {
    const summary = await runStudy(study, nan, { dir });
    assert.deepEqual([summary.ran, summary.total], [ran, 54]);
    assert.deepEqual([summary.complete, summary.failed], [36, 18]);
  }
});

test("each setting of a search has all its repeats, with paired seeds", async (dir) => {
  await runStudy(tpe(4, { repeats: 3 }), bowl, { dir });
  const rows = await trialsIn(dir, "tpe");
  assert.equal(rows.length, 12);
  assert.equal(new Set(rows.map((r) => r.params.lr)).size, 4);
  assert.equal(new Set(rows.map((r) => r.attrs.seed)).size, 3);
});

test("jobs run at once, each point still once", async (dir) => {
  let now = 0, most = 0;
  const parameters = { x: Array.from({ length: 12 }, (_, i) => i) };
  const summary = await runStudy(
    { name: "jobs", parameters },
    async ({ params }, c) => {
      most = Math.max(most, ++now);
      for (let epoch = 1; epoch < 4; epoch++) {
        await c.report({ epoch, value: 0 });
      }
      now--;
      return { value: Number(params.x) };
    },
    { dir, jobs: 3 },
  );
  assert.deepEqual([summary.ran, summary.complete, most], [12, 12, 3]);
});

test("a budget of trials ends the study, a larger one goes on", async (dir) => {
  const of = (trials: number): StudyInput => ({
    name: "budget",
    parameters: { lr: [1, 2, 3, 4, 5] },
    budget: { trials },
  });
  const events: StudyEvent[] = [];
  const value: TrainTrial = () => Promise.resolve({ value: 1 });
  const first = await runStudy(of(2), value, {
    dir,
    onEvent: (e) => events.push(e),
  });
  assert.deepEqual([first.ran, first.remaining], [2, 3]);
  assert.deepEqual(events.filter((e) => e.type === "budget"), [
    { type: "budget", message: "the budget of 2 trials is spent" },
  ]);
  assert.equal((await runStudy(of(4), value, { dir })).ran, 2);
});

test("a pruned trial is settled, keeps its epochs and its last value", async (dir) => {
  const def: StudyInput = {
    name: "prune",
    parameters: { level: [5, 6, 7, 8, 9, 1] },
    pruner: { kind: "median", startup: 5 },
  };
  const train: TrainTrial = async ({ params }, { report }) => {
    for (let epoch = 1; epoch <= 4; epoch++) {
      await report({ epoch, value: Number(params.level) + epoch });
    }
    return { value: Number(params.level) };
  };
  const events: StudyEvent[] = [];
  const summary = await runStudy(def, train, {
    dir,
    onEvent: (e) => events.push(e),
  });
  assert.deepEqual([summary.complete, summary.pruned], [5, 1]);
  const pruned = (await trialsIn(dir, "prune")).at(-1)!;
  assert.deepEqual(
    [pruned.state, pruned.value, pruned.intermediate.length],
    ["PRUNED", 2, 1],
  );
  assert.match(String(pruned.attrs.prune_reason), /median/);
  assert.equal(events.filter((e) => e.type === "pruned").length, 1);
  assert.equal((await runStudy(def, train, { dir })).ran, 0);
});
