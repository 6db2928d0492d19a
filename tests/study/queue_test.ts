// What a study's queue reads of its results, and what a study has spent.
import assert from "node:assert/strict";
import { parseStudy } from "../../lib/study/definition.ts";
import { openRecord } from "../../lib/study/identity.ts";
import { fitDistributions, StudyQueue } from "../../lib/study/queue.ts";
import type { FinishedTrial, Outcome } from "../../lib/study/store/mod.ts";
import { point } from "./_points.ts";
import { queued, storeTest as test } from "./_stores.ts";

const HOUR = 3_600_000;

/** A trial that took so many hours from the start of 2026. */
function taking(hours: number | null, outcome: Outcome): FinishedTrial {
  const { key: _, ...rest } = point(7);
  const begin = Date.parse("2026-01-01T00:00:00.250Z");
  return {
    ...rest,
    outcome,
    epochs: [],
    start: hours === null ? null : new Date(begin),
    complete: new Date(begin + (hours ?? 0) * HOUR),
  };
}

test("trials that ended count with their hours", async ({ open }) => {
  const store = await open();
  const studyId = await queued(store, 2);
  assert.deepEqual(await store.spent(studyId), { trials: 0, hours: 0 });
  await store.addFinished(studyId, [
    taking(1.5, { state: "COMPLETE", value: 1 }),
    taking(0.25, { state: "FAIL", kind: "error", reason: "no image" }),
    taking(null, { state: "PRUNED", reason: "worse" }),
  ]);
  const { trials, hours } = await store.spent(studyId);
  assert.equal(trials, 3);
  assert.ok(Math.abs(hours - 1.75) < 1e-6, `${hours} h`);
});

test("results after a trial leave out it and those before", async ({ open }) => {
  const store = await open();
  const studyId = await queued(store, 3);
  const all = await store.results(studyId);
  assert.deepEqual(await store.results(studyId, all[0].trialId), all.slice(1));
  assert.deepEqual(await store.results(studyId, all[2].trialId), []);
});

test("a trial that ends after later ones is not missed", async ({ open }) => {
  const store = await open();
  const study = parseStudy({ name: "s", parameters: { lr: [1, 2, 3, 4] } });
  const record = await openRecord(store, study);
  const { studyId } = record.row;
  const fitted = await fitDistributions(store, study, studyId);
  const queue = new StudyQueue(store, study, record, fitted, 120, 4);
  await queue.enqueue();
  const ids: number[] = [];
  for (let i = 0; i < 3; i++) ids.push((await queue.next())!.claim.trialId);
  const complete: number[] = [];
  for (const i of [0, 2, 1]) {
    await store.finish(ids[i], { state: "COMPLETE", value: i });
    complete.push((await queue.progress()).complete);
  }
  assert.deepEqual(complete, [1, 2, 3]);
  assert.equal((await queue.progress()).remaining, 1);
});
