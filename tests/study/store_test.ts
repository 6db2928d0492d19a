// What every trial store does, on SQLite and on PostgreSQL.
import assert from "node:assert/strict";
import {
  type FailKind,
  LostTrialError,
  type Outcome,
  type Store,
} from "../../lib/study/store/mod.ts";
import { ran } from "../_run.ts";
import { DISTRIBUTIONS, point, points } from "./_points.ts";
import { type Place, queued, storeTest as test } from "./_stores.ts";

const STUDY = {
  name: "study",
  direction: "maximize",
  metric: "accuracy",
} as const;
const COMPLETE: Outcome = { state: "COMPLETE", value: 0.5 };
const failed = (kind: FailKind, again = false): Outcome => ({
  state: "FAIL",
  kind,
  reason: `because of ${kind}`,
  again,
});

/** Claims the next trial and ends it. */
async function run(store: Store, studyId: number, outcome: Outcome) {
  const claim = await store.claim(studyId);
  await store.finish(claim!.trialId, outcome);
  return claim!;
}

/** Lets a trial's recorded process be another machine's, last heard of then. */
async function moveAway({ sql }: Place, trialId: number, secondsAgo: number) {
  const worker = '{"pid":1,"host":"far","start":null}';
  await sql(
    `UPDATE trial_system_attributes SET value_json='${worker}' WHERE ` +
      `key='ferlab:worker' AND trial_id=${trialId}`,
  );
  await age({ sql }, trialId, secondsAgo);
}

async function age(
  { sql }: Pick<Place, "sql">,
  trialId: number,
  secondsAgo: number,
) {
  const time = new Date(Date.now() - 1000 * secondsAgo).toISOString()
    .replace("T", " ").replace("Z", "");
  await sql(
    `UPDATE trial_heartbeats SET heartbeat='${time}' WHERE trial_id=${trialId}`,
  );
}

/** Removes a trial with all its rows, as one does by hand. */
async function deleteTrial({ sql }: Place, number: number): Promise<void> {
  const [id] = await sql(`SELECT trial_id FROM trials WHERE number=${number}`);
  const tables = ["params", "user_attributes", "system_attributes", "values"];
  await sql(
    [...tables.map((table) => `trial_${table}`), "trials"]
      .map((table) => `DELETE FROM ${table} WHERE trial_id=${id}`).join("; "),
  );
}

test("a study is made once, and keeps its direction", async (place) => {
  const store = await place.open();
  const made = await store.createStudy(STUDY);
  const again = await (await place.open()).createStudy(STUDY);
  assert.deepEqual(again, made);
  assert.deepEqual(
    [made.name, made.direction, made.metric, made.start],
    ["study", "maximize", "accuracy", null],
  );
  await assert.rejects(
    store.createStudy({ ...STUDY, direction: "minimize" }),
    /direction maximize and metric accuracy, asked were minimize/,
  );
  await assert.rejects(
    store.createStudy({ ...STUDY, metric: "loss" }),
    /metric accuracy, asked were maximize and loss/,
  );
  await place.sql(
    "INSERT INTO study_directions (direction, study_id, objective) " +
      `VALUES ('MINIMIZE', ${made.studyId}, 1)`,
  );
  await assert.rejects(store.createStudy(STUDY), /has 2 objectives/);
});

test("attributes of a study are kept, the last one wins", async (place) => {
  const store = await place.open();
  const { studyId } = await store.createStudy(STUDY);
  await store.setStudyAttribute(studyId, "definition", { a: [1, "x"] });
  await store.setStudyAttribute(studyId, "definition", { a: Infinity });
  const [study] = await store.studies();
  assert.deepEqual(study.attrs, { definition: { a: Infinity } });
  assert.deepEqual(study.system, { "study:metric_names": ["accuracy"] });
});

test("points are queued once, numbered from 0", async (place) => {
  const store = await place.open();
  const studyId = await queued(store, 250);
  assert.equal(await store.enqueue(studyId, points(251)), 1);
  const rows = await store.trials(studyId);
  assert.deepEqual(rows.map((r) => r.number), [...Array(251).keys()]);
  const { params, attrs, system, ...row } = rows[7];
  assert.deepEqual(params, point(7).params);
  assert.deepEqual(row.distributions, DISTRIBUTIONS);
  assert.deepEqual(attrs, { repeat: 1, seed: 1007 });
  assert.deepEqual(system, {
    fixed_params: point(7).params,
    "ferlab:point": { key: "point7", repeat: 1, seed: 1007 },
  });
  assert.deepEqual(
    [row.state, row.value, row.values, row.start, row.complete],
    ["WAITING", null, [], null, null],
  );
});

test("a number is never given again, whatever was deleted", async (place) => {
  const numbers = async (store: Store, id: number) =>
    (await store.trials(id)).map((trial) => trial.number);
  const store = await place.open();
  const studyId = await queued(store, 7);
  await deleteTrial(place, 3);
  assert.equal(await store.enqueue(studyId, [point(7)]), 1);
  assert.deepEqual(await numbers(store, studyId), [0, 1, 2, 4, 5, 6, 7]);
  await deleteTrial(place, 7);
  await deleteTrial(place, 6);
  const reopened = await place.open();
  assert.equal(await reopened.enqueue(studyId, points(9)), 4);
  assert.deepEqual(
    await numbers(store, studyId),
    [0, 1, 2, 4, 5, 8, 9, 10, 11],
  );
  const claim = (await store.claim(studyId))!;
  await store.finish(claim.trialId, failed("error", true));
  await store.retry(studyId, []);
  await store.addSetting(studyId, 0, [{ ...point(9), key: "setting" }]);
  assert.deepEqual((await numbers(store, studyId)).slice(-2), [12, 13]);
  const other = await store.createStudy({ ...STUDY, name: "other" });
  await store.enqueue(other.studyId, points(1));
  assert.deepEqual(await numbers(store, other.studyId), [0]);
});

test("a parameter outside its choices is refused, nothing written", async (place) => {
  const store = await place.open();
  const studyId = await queued(store, 1);
  const odd = { ...point(1), params: { ...point(1).params, mixup: "none" } };
  await assert.rejects(
    store.enqueue(studyId, [point(2), odd]),
    /parameter mixup: "none" is not among its choices/,
  );
  assert.equal((await store.trials(studyId)).length, 1);
});

test("a trial runs: claimed, reported, finished", async (place) => {
  const store = await place.open();
  const studyId = await queued(store, 2);
  const claim = (await store.claim(studyId))!;
  assert.deepEqual(claim, {
    trialId: claim.trialId,
    number: 0,
    key: "point0",
    params: point(0).params,
    repeat: 0,
    seed: 1000,
  });
  assert.equal(await store.owns(claim.trialId), true);
  await store.report(claim.trialId, [
    { epoch: 2, value: 0.25, attrs: { loss: 2 } },
    { epoch: 1, value: NaN, attrs: { loss: NaN, best: -Infinity } },
  ]);
  await store.report(claim.trialId, [
    { epoch: 2, value: 1 / 3, attrs: { loss: 0.1 } },
    { epoch: 3, value: Infinity },
  ]);
  await store.heartbeat(claim.trialId);
  await store.finish(claim.trialId, {
    state: "COMPLETE",
    value: 0.1 + 0.2,
    attrs: { chosenEpoch: 2, name: "größer 'x'" },
  });
  assert.equal(await store.owns(claim.trialId), false);
  const [row, other] = await store.trials(studyId);
  assert.equal(row.state, "COMPLETE");
  assert.deepEqual(row.values, [0.1 + 0.2]);
  assert.deepEqual(row.intermediate, [
    { epoch: 1, value: NaN },
    { epoch: 2, value: 1 / 3 },
    { epoch: 3, value: Infinity },
  ]);
  assert.deepEqual(row.epochs, [
    { loss: NaN, best: -Infinity, epoch: 1, value: NaN },
    { loss: 0.1, epoch: 2, value: 1 / 3 },
    { epoch: 3, value: Infinity },
  ]);
  assert.equal(row.attrs.name, "größer 'x'");
  const seconds = (Number(row.complete) - Number(row.start)) / 1000;
  assert.ok(seconds >= 0 && seconds < 60, `${seconds}`);
  assert.ok(Math.abs(Date.now() - Number(row.complete)) < 60_000);
  assert.equal(other.state, "WAITING");
  assert.deepEqual(await store.curves(studyId), [
    { trialId: claim.trialId, state: "COMPLETE", epoch: 1, value: NaN },
    { trialId: claim.trialId, state: "COMPLETE", epoch: 2, value: 1 / 3 },
    { trialId: claim.trialId, state: "COMPLETE", epoch: 3, value: Infinity },
  ]);
  const [study] = await store.studies();
  assert.deepEqual(study.trials, {
    WAITING: 1,
    RUNNING: 0,
    COMPLETE: 1,
    FAIL: 0,
    PRUNED: 0,
  });
  assert.deepEqual([study.start, study.end], [row.start, row.complete]);
  const [result] = await store.results(studyId);
  assert.deepEqual(result, {
    trialId: row.trialId,
    number: 0,
    state: "COMPLETE",
    params: row.params,
    value: row.value,
    point: { key: "point0", repeat: 0, seed: 1000 },
    start: row.start,
    complete: row.complete,
  });
});

test("an objective is any number but NaN, which fails", async (place) => {
  const store = await place.open();
  const studyId = await queued(store, 5);
  for (const value of [Infinity, -Infinity, NaN, 5e-324, -0.1]) {
    await run(store, studyId, { state: "COMPLETE", value });
  }
  const rows = await store.trials(studyId);
  assert.deepEqual(
    rows.map((r) => r.value),
    [Infinity, -Infinity, null, 5e-324, -0.1],
  );
  assert.deepEqual(rows[2].state, "FAIL");
  assert.deepEqual(rows[2].attrs.fail_kind, "diverged");
  assert.deepEqual(
    await place.sql(
      "SELECT value_type FROM trial_values WHERE value IS NULL ORDER BY trial_id",
    ),
    ["INF_POS", "INF_NEG"],
  );
});

test("a pruned trial's value is its last one that is a number", async (place) => {
  const store = await place.open();
  const studyId = await queued(store, 3);
  for (const [i, values] of [[0.5, 0.75], [0.5, NaN], []].entries()) {
    const { trialId } = (await store.claim(studyId))!;
    const epochs = values.map((value, e) => ({ epoch: e + 1, value }));
    await store.report(trialId, epochs);
    await store.finish(trialId, { state: "PRUNED", reason: `worst of ${i}` });
  }
  const rows = await store.trials(studyId);
  assert.deepEqual(rows.map((r) => r.state), ["PRUNED", "PRUNED", "PRUNED"]);
  assert.deepEqual(rows.map((r) => r.value), [0.75, null, null]);
  assert.equal(rows[1].attrs.prune_reason, "worst of 1");
});

test("an epoch has to be a whole number", async (place) => {
  const store = await place.open();
  const studyId = await queued(store, 1);
  const { trialId } = (await store.claim(studyId))!;
  await assert.rejects(
    store.report(trialId, [{ epoch: 0.5, value: 1 }]),
    /epoch is 0\.5/,
  );
});

test("the same end may be recorded twice, another one not", async (place) => {
  const store = await place.open();
  const studyId = await queued(store, 3);
  const ends: Outcome[] = [
    COMPLETE,
    failed("interrupted", true),
    { state: "PRUNED", reason: "poor" },
  ];
  const keys = new Set(points(3).map((p) => p.key));
  for (const outcome of ends) {
    const { trialId, key } = (await store.claim(studyId, { keys }))!;
    keys.delete(key!);
    await store.finish(trialId, outcome);
    await store.finish(trialId, outcome);
    await assert.rejects(
      store.finish(trialId, { state: "COMPLETE", value: 0.75 }),
      LostTrialError,
    );
    await assert.rejects(
      store.report(trialId, [{ epoch: 1, value: 1 }]),
      (e: Error) =>
        e instanceof LostTrialError &&
        /another process took it/.test(e.message),
    );
  }
  const rows = await store.trials(studyId);
  assert.deepEqual(
    rows.map((r) => r.state),
    ["COMPLETE", "FAIL", "PRUNED", "WAITING"],
  );
});

test("a copy goes on with the epochs, and is claimed first", async (place) => {
  const store = await place.open();
  const studyId = await queued(store, 2);
  const first = (await store.claim(studyId))!;
  await store.report(first.trialId, [
    { epoch: 1, value: 0.5, attrs: { loss: 3 } },
  ]);
  await store.finish(first.trialId, {
    ...failed("interrupted", true),
    attrs: { note: "kept" },
  } as Outcome);
  const copy = (await store.claim(studyId))!;
  assert.equal(copy.number, 2);
  assert.equal(copy.continues, 0);
  assert.equal(copy.key, "point0");
  await store.finish(copy.trialId, failed("error", true));
  const rows = await store.trials(studyId);
  const { attrs, system, ...row } = rows[3];
  assert.deepEqual(row.params, rows[0].params);
  assert.deepEqual(row.epochs, [{ loss: 3, epoch: 1, value: 0.5 }]);
  assert.deepEqual(row.intermediate, [{ epoch: 1, value: 0.5 }]);
  assert.deepEqual(attrs, { repeat: 0, seed: 1000, note: "kept" });
  assert.equal(system.failed_trial, 0);
  assert.deepEqual(system.retry_history, [0, 2]);
  assert.equal(system["ferlab:worker"], undefined);
});

test("a point that failed for a passing reason is queued again", async (place) => {
  const store = await place.open();
  const kinds: FailKind[] = [
    ...["error", "crashed", "interrupted", "dead"] as const,
    ...["diverged", "out of memory"] as const,
  ];
  const studyId = await queued(store, 8);
  for (const kind of kinds) await run(store, studyId, failed(kind));
  await run(store, studyId, COMPLETE);
  await run(store, studyId, { state: "PRUNED", reason: "poor" });
  assert.equal(await store.enqueue(studyId, points(8)), 4);
  assert.equal(await store.enqueue(studyId, points(8)), 0);
  const rows = await store.trials(studyId);
  assert.deepEqual(
    rows.slice(8).map((r) => r.system.retry_history),
    [[0], [1], [2], [3]],
  );
});

test("a point has only so many tries, stops not counted", async (place) => {
  const store = await place.open();
  const studyId = await queued(store, 1);
  const queue = () => store.enqueue(studyId, points(1), 3);
  for (const kind of ["error", "interrupted", "crashed"] as const) {
    await run(store, studyId, failed(kind));
    assert.equal(await queue(), 1, kind);
  }
  await run(store, studyId, failed("error"));
  assert.equal(await queue(), 0);
  assert.equal(await store.enqueue(studyId, points(1)), 1, "without a limit");
});

test("trials are retried on demand, one copy at a time", async (place) => {
  const store = await place.open();
  const studyId = await queued(store, 3);
  const a = await run(store, studyId, failed("diverged"));
  const b = await run(store, studyId, COMPLETE);
  const ids = [a.trialId, b.trialId, a.trialId];
  assert.equal(await store.retry(studyId, ids), 2);
  assert.equal(await store.retry(studyId, ids), 0);
  const rows = await store.trials(studyId);
  assert.deepEqual(rows.slice(3).map((r) => r.system.failed_trial), [0, 1]);
  assert.equal(await store.retry(studyId, [rows[2].trialId]), 0, "it waits");
});

test("a claim is limited to keys", async (place) => {
  const store = await place.open();
  const studyId = await queued(store, 150);
  const keys = new Set(["point149", "point70"]);
  const claimed = [
    await store.claim(studyId, { keys }),
    await store.claim(studyId, { keys }),
    await store.claim(studyId, { keys }),
  ];
  assert.deepEqual(claimed.map((c) => c?.key), [
    "point70",
    "point149",
    undefined,
  ]);
});

test("stores that claim at once never take the same trial", async (place) => {
  const stores = [await place.open(), await place.open(), await place.open()];
  const studyId = await queued(stores[0], 60);
  const claims = await Promise.all(
    Array.from({ length: 63 }, (_, i) => stores[i % 3].claim(studyId)),
  );
  const ids = claims.flatMap((c) => c ? [c.trialId] : []);
  assert.equal(new Set(ids).size, 60);
  assert.equal(ids.length, 60);
  assert.deepEqual(await place.sql("SELECT count(*) FROM trial_heartbeats"), [
    "60",
  ]);
});

test("processes that add and claim at once do neither twice", async (place) => {
  const store = await place.open();
  const studyId = await queued(store, 0);
  const outputs = await Promise.all([1, 2, 3].map(async () => {
    const args = [place.url, String(studyId)];
    const { code, out, err } = await ran("tests/study/_claims.ts", args);
    assert.equal(code, 0, err);
    return out.trim().split("\n");
  }));
  const rows = await store.trials(studyId);
  assert.deepEqual(rows.map((r) => r.number), [...Array(40).keys()]);
  assert.ok(rows.every((r) => r.state === "COMPLETE"));
  assert.ok(rows.every((r) => r.epochs.length === 2));
  const claimed = outputs.flat().filter((line) => line !== "");
  assert.deepEqual(
    claimed.map(Number).sort((a, b) => a - b),
    rows.map((r) => r.trialId),
  );
});

test("a setting is added by one of those that want to", async (place) => {
  const stores = [await place.open(), await place.open()];
  const { studyId } = await stores[0].createStudy(STUDY);
  const add = (index: number) =>
    Promise.all(
      stores.map((s, i) =>
        s.addSetting(studyId, index, [point(4 * index + 2 * i)])
      ),
    );
  assert.deepEqual((await add(0)).sort(), [false, true]);
  assert.deepEqual((await add(1)).sort(), [false, true]);
  assert.deepEqual(await add(1), [false, false]);
  assert.deepEqual(await add(3), [false, false], "2 comes first");
  assert.equal(await stores[1].settings(studyId), 2);
  assert.equal((await stores[1].trials(studyId)).length, 2);
});

test("finished trials are taken in as they are, once", async (place) => {
  const store = await place.open();
  const studyId = await queued(store, 1);
  const start = new Date("2024-06-01T10:00:00.123Z");
  const complete = new Date("2024-06-01T11:00:00.456Z");
  const { key: _, ...free } = point(2);
  const ended = (trial: typeof free, outcome: Outcome) => ({
    ...trial,
    outcome,
    epochs: [{ epoch: 1, value: 0.5, attrs: { loss: 2 } }],
    start,
    complete,
  });
  const trials = [
    ended(point(0), COMPLETE),
    ended(point(1), { ...COMPLETE, attrs: { note: "x" } }),
    ended(free, failed("error")),
    ended(point(1), COMPLETE),
    ended(point(3), { state: "PRUNED", reason: "poor" }),
  ];
  assert.equal(await store.addFinished(studyId, trials), 3);
  assert.equal(await store.addFinished(studyId, [trials[1]]), 0);
  const rows = await store.trials(studyId);
  assert.deepEqual(rows.map((r) => [r.state, r.value]), [
    ["WAITING", null],
    ["COMPLETE", 0.5],
    ["FAIL", null],
    ["PRUNED", 0.5],
  ]);
  assert.deepEqual([rows[1].start, rows[1].complete], [start, complete]);
  assert.deepEqual(rows[1].epochs, [{ loss: 2, epoch: 1, value: 0.5 }]);
  assert.equal(rows[1].attrs.note, "x");
  assert.equal(rows[2].system["ferlab:point"], undefined);
});

test("a trial whose process is gone is put back at once", async (place) => {
  const store = await place.open();
  const studyId = await queued(store, 1);
  const { trialId } = (await store.claim(studyId))!;
  assert.deepEqual(await store.reap(studyId, 120), [], "we live");
  await place.sql(
    "UPDATE trial_system_attributes SET value_json=replace(value_json, " +
      `'"pid":${Deno.pid}', '"pid":4194305') WHERE key='ferlab:worker'`,
  );
  assert.deepEqual(await store.reap(studyId, 120), [
    { trialId, number: 0, again: true },
  ]);
  const [row, copy] = await store.trials(studyId);
  assert.deepEqual([row.state, row.attrs.fail_kind], ["FAIL", "dead"]);
  assert.deepEqual(copy.state, "WAITING");
  await assert.rejects(
    store.report(trialId, [{ epoch: 1, value: 1 }]),
    LostTrialError,
  );
});

test("a clock that was set takes no live trial over", async (place) => {
  const store = await place.open();
  const studyId = await queued(store, 1);
  const { trialId } = (await store.claim(studyId))!;
  const day = 24 * 3600;
  for (const ahead of [day, -day]) {
    await age(place, trialId, ahead);
    const other = await place.open();
    assert.deepEqual(await other.reap(studyId, 120), []);
    assert.deepEqual(await other.reap(studyId, 120), []);
  }
  await moveAway(place, trialId, -day);
  const other = await place.open();
  assert.deepEqual(await other.reap(studyId, 0), []);
  assert.equal((await other.reap(studyId, 0)).length, 1, "it stands still");
});

test("of another machine only old heartbeats tell", async (place) => {
  const store = await place.open();
  const studyId = await queued(store, 3);
  const [a, b, c] = [
    (await store.claim(studyId))!,
    (await store.claim(studyId))!,
    (await store.claim(studyId))!,
  ];
  await moveAway(place, a.trialId, 60);
  await moveAway(place, b.trialId, 130);
  await moveAway(place, c.trialId, 130);
  await place.sql(`DELETE FROM trial_heartbeats WHERE trial_id=${c.trialId}`);
  assert.deepEqual(await store.reap(studyId, 120), [
    { trialId: b.trialId, number: 1, again: true },
  ]);
  await age(place, a.trialId, 200);
  await store.heartbeat(a.trialId);
  assert.deepEqual(await store.reap(studyId, 120), []);
});

test("a claim that nobody works on is put back though its process lives", async (place) => {
  const store = await place.open();
  const studyId = await queued(store, 1);
  const { trialId } = (await store.claim(studyId))!;
  assert.deepEqual(await store.reap(studyId, 0), [], "first seen now");
  await store.heartbeat(trialId);
  await age(place, trialId, 1);
  assert.deepEqual(await store.reap(studyId, 0), [], "it has beaten");
  assert.equal((await store.reap(studyId, 0)).length, 1);
});

test("dead three times in a row without an epoch is given up", async (place) => {
  const store = await place.open();
  const studyId = await queued(store, 1);
  const seen: boolean[] = [];
  const die = async (...epochs: number[]) => {
    const { trialId } = (await store.claim(studyId))!;
    await store.report(trialId, epochs.map((epoch) => ({ epoch, value: 1 })));
    await moveAway(place, trialId, 130);
    const [{ again }] = await store.reap(studyId, 120);
    seen.push(again);
  };
  await die();
  await die();
  await die(1);
  await die(1);
  await die();
  await die();
  assert.deepEqual(seen, [true, true, true, true, true, false]);
  const last = (await store.trials(studyId)).at(-1)!;
  assert.equal(last.state, "FAIL");
  assert.match(String(last.attrs.fail_reason), /3 times in a row/);
  assert.equal(await store.claim(studyId), null);
  assert.equal(await store.enqueue(studyId, points(1)), 1, "the user may");
});

test("two that put back at once make one copy", async (place) => {
  const stores = [await place.open(), await place.open()];
  const studyId = await queued(stores[0], 4);
  for (let i = 0; i < 4; i++) {
    await moveAway(place, (await stores[0].claim(studyId))!.trialId, 130);
  }
  const reaped = await Promise.all(stores.map((s) => s.reap(studyId, 120)));
  assert.equal(reaped.flat().length, 4);
  assert.equal((await stores[0].trials(studyId)).length, 8);
});

test("artifacts come back as they were", async (place) => {
  const store = await place.open();
  const studyId = await queued(store, 2);
  const a = (await store.claim(studyId))!.trialId;
  const b = (await store.claim(studyId))!.trialId;
  const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => i % 251);
  await store.saveArtifact(a, "predictions", new Uint8Array([1]));
  await store.saveArtifact(a, "predictions", bytes);
  await store.saveArtifact(b, "other", new Uint8Array());
  assert.deepEqual(
    await store.artifacts(studyId, "predictions"),
    new Map([[a, bytes]]),
  );
  await place.sql(`UPDATE ferlab_artifacts SET sha256='0' WHERE trial_id=${b}`);
  await assert.rejects(
    store.artifacts(studyId, "other"),
    /is not what was saved/,
  );
});

test("a study goes with all that belongs to it, others stay", async (place) => {
  const store = await place.open();
  const studyId = await queued(store, 2);
  const other = (await store.createStudy({ ...STUDY, name: "other" })).studyId;
  for (const id of [studyId, other]) {
    await store.addSetting(id, 0, [point(9)]);
    const { trialId } = (await store.claim(id))!;
    await store.report(trialId, [{ epoch: 1, value: 1 }]);
    await store.saveArtifact(trialId, "x", new Uint8Array([1]));
    await store.finish(trialId, COMPLETE);
  }
  const before = await store.trials(other);
  await store.deleteStudy(studyId);
  await store.deleteStudy(studyId);
  assert.deepEqual((await store.studies()).map((s) => s.name), ["other"]);
  assert.deepEqual(await store.trials(other), before);
  assert.equal(await store.settings(other), 1);
  for (const table of ["trials", "ferlab_epochs", "ferlab_artifacts"]) {
    assert.deepEqual(await place.sql(`SELECT count(*) FROM ${table}`), ["1"]);
  }
});

test("distributions grow, and stored values keep their meaning", async (place) => {
  const store = await place.open();
  const studyId = await queued(store, 2);
  assert.deepEqual(await store.distributions(studyId), DISTRIBUTIONS);
  const more = {
    name: "CategoricalDistribution",
    attributes: { choices: [false, true, "both", 3] },
  } as const;
  const choices = [...more.attributes.choices];
  await store.setDistribution(studyId, "mixup", {
    name: more.name,
    attributes: { choices },
  });
  const rows = await store.trials(studyId);
  assert.deepEqual(rows.map((r) => r.params.mixup), [true, false]);
  assert.deepEqual(rows[0].distributions.mixup.attributes, { choices });
  await assert.rejects(
    store.setDistribution(studyId, "mixup", {
      name: "CategoricalDistribution",
      attributes: { choices: [true, false] },
    }),
    /does not hold/,
  );
  await assert.rejects(
    store.setDistribution(studyId, "depth", {
      name: "IntDistribution",
      attributes: { step: 1, low: 2, high: 9, log: false },
    }),
    /does not hold/,
  );
});

test("an unknown revision is refused and nothing written", async (place) => {
  await (await place.open()).close();
  await place.sql("UPDATE alembic_version SET version_num='v9.9.9.z'");
  await place.sql("DROP TABLE ferlab_settings");
  for (const readOnly of [false, true]) {
    await assert.rejects(
      place.open({ readOnly }),
      /v9\.9\.9\.z.*v3\.2\.0\.a.*nothing was written/,
    );
  }
  await assert.rejects(place.sql("SELECT * FROM ferlab_settings"));
});

test("a store for reading reads and writes nothing", async (place) => {
  await assert.rejects(
    place.open({ readOnly: true }),
    /no trial records here: run the study first/,
  );
  const store = await place.open();
  const studyId = await queued(store, 3);
  const reader = await place.open({ readOnly: true });
  await run(store, studyId, COMPLETE);
  assert.deepEqual(await reader.trials(studyId), await store.trials(studyId));
  await assert.rejects(
    reader.setStudyAttribute(studyId, "a", 1),
    /opened for reading only/,
  );
  await place.sql("DROP TABLE ferlab_epochs");
  assert.equal((await reader.trials(studyId)).length, 3);
});
