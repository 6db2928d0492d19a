// When two studies are one, and what is told when they are not.
import assert from "node:assert/strict";
import {
  differenceLines,
  differences,
  runStudy,
  type StudyEvent,
  type StudyInput,
  type TrainTrial,
} from "../../lib/study/mod.ts";
import { identityOf } from "../../lib/study/identity.ts";
import { withEnv } from "../_env.ts";
import { folderTest as test } from "../_folder.ts";
import { trialsIn, withStore } from "./_store.ts";

const DEF: StudyInput = {
  name: "s",
  parameters: { lr: [0.1, 0.01] },
  fixed: { epochs: 5, betas: [0.9, 0.999], erasing: { p: 0.5 } },
};
const lr: TrainTrial = ({ params }) =>
  Promise.resolve({ value: Number(params.lr) });

async function run(dir: string, def: StudyInput) {
  const told: string[] = [];
  const summary = await runStudy(def, lr, {
    dir,
    onEvent: (e: StudyEvent) =>
      void (e.type === "changed" && told.push(e.message)),
  });
  return { ran: summary.ran, told };
}

Deno.test("differences are told by path, old value and new, nested ones too", () => {
  const before = { a: 1, b: { c: [1, 2], d: "x" }, gone: true };
  const after = { a: 1.0, b: { c: [1, 3], d: "x", new: null }, e: 1e-3 };
  assert.deepEqual(differences(before, after), [
    { path: "b.c", before: [1, 2], after: [1, 3] },
    { path: "gone", before: true, after: undefined },
    { path: "e", before: undefined, after: 0.001 },
  ]);
  assert.deepEqual(differenceLines(differences(before, after)), [
    "b.c [1,2] → [1,3]",
    "gone true → nothing",
    "e nothing → 0.001",
  ]);
});

test("content counts: not the order of keys, nor how a number is written", async (dir) => {
  assert.equal((await run(dir, DEF)).ran, 2);
  const again = await run(dir, {
    fixed: { erasing: { p: 1 / 2 }, betas: [0.9, 999e-3], epochs: 5.0 },
    parameters: { lr: [10 ** -1, 1e-2] },
    name: "s",
  });
  assert.deepEqual(again, { ran: 0, told: [] });
});

test("added values, repeats and parameters' roles reuse what is there", async (dir) => {
  await run(dir, DEF);
  const parameters = {
    lr: { values: [0.1, 0.01, 0.001], role: "nuisance" as const },
  };
  assert.deepEqual(await run(dir, { ...DEF, parameters }), {
    ran: 1,
    told: [],
  });
  assert.equal((await run(dir, { ...DEF, parameters, repeats: 2 })).ran, 3);
  const [trial] = await trialsIn(dir, "s");
  assert.deepEqual(
    trial.distributions.lr.attributes,
    { step: null, low: 0.001, high: 0.1, log: true },
    "all trials have the widened distribution, as Optuna wants it",
  );
});

test("the device is no part of a trial's identity", async (dir) => {
  const on = (device: string) =>
    withEnv({ FERLAB_DEVICE: device }, () => run(dir, DEF));
  assert.equal((await on("cpu")).ran, 2);
  assert.deepEqual(await on("auto"), { ran: 0, told: [] });
});

test("whole numbers become Float when a fraction joins them", async (dir) => {
  const of = (...decay: number[]): StudyInput => ({
    name: "w",
    parameters: { decay },
  });
  const one: TrainTrial = () => Promise.resolve({ value: 1 });
  await runStudy(of(0, 1), one, { dir });
  await runStudy(of(0, 0.5, 1), one, { dir });
  const rows = await trialsIn(dir, "w");
  assert.deepEqual(rows.map((r) => r.params.decay), [0, 1, 0.5]);
  for (const { distributions } of rows) {
    assert.equal(distributions.decay.name, "FloatDistribution");
  }
});

test("other fixed settings make a record of their own and tell old and new", async (dir) => {
  await run(dir, DEF);
  const fixed = { ...DEF.fixed, epochs: 10, erasing: { p: 0.25 } };
  const changed = await run(dir, { ...DEF, fixed });
  assert.equal(changed.ran, 2);
  assert.match(
    changed.told[0],
    /^other fixed settings than "s" with its 2 trials: epochs 5 → 10; erasing\.p 0\.5 → 0\.25; "s@[0-9a-f]{8}" is a record of its own$/,
  );
  const turned = await run(dir, { ...DEF, direction: "minimize" });
  assert.match(turned.told[0], /direction "maximize" → "minimize"/);
  assert.deepEqual(await run(dir, DEF), { ran: 0, told: [] });
  const names = await withStore(
    dir,
    async (store) =>
      (await store.studies()).map((s) => s.name.replace(/@.*/, "@")),
  );
  assert.deepEqual(names, ["s", "s@", "s@"]);
});

test("what has changed is told against the record of the same parameters", async (dir) => {
  await run(dir, DEF);
  const other = { ...DEF, parameters: { depth: [1] }, fixed: { lr: 1 } };
  await run(dir, other);
  const fixed = { ...DEF.fixed, epochs: 10 };
  const { told } = await run(dir, { ...DEF, fixed });
  assert.match(
    told[0],
    /^other fixed settings than "s" with its 2 trials: epochs 5 → 10; "s@/,
  );
});

test("numbers and words under one parameter name are refused", async (dir) => {
  await run(dir, DEF);
  await assert.rejects(
    run(dir, { ...DEF, parameters: { lr: [0.1, "high"] } }),
    /parameters\.lr: "high" does not fit the FloatDistribution of the recorded trials: give the study a new name/,
  );
});

Deno.test("an attribute of our name that is no identity is none", () => {
  for (const ferlab of [5, null, "x", { family: "a" }]) {
    assert.equal(identityOf({ attrs: { ferlab } } as never), undefined);
  }
});
