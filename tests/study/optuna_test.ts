// Our trial records, read and run on by the real Optuna, and the other way.
import assert from "node:assert/strict";
import type { Outcome } from "../../lib/study/store/mod.ts";
import { optunaCommand, withOptuna, withStorage } from "./_optuna.ts";
import { DISTRIBUTIONS, point, points } from "./_points.ts";
import { type Place, queued, storeTest as test } from "./_stores.ts";

/** Runs Python code that has the queued `study`; the JSON of its last line. */
const python = <T>(place: Place, code: string) =>
  withOptuna<T>(place.optuna, "study", code);

const FAILED: Outcome = { state: "FAIL", kind: "error", reason: "no luck" };

interface Seen {
  number: number;
  state: string;
  params: Record<string, unknown>;
  values: (number | string)[] | null;
  steps: Record<string, number | string>;
}

test("Optuna 5.0.0 reads states, params, values and epochs", async (place) => {
  const store = await place.open();
  const studyId = await queued(store, 7);
  const outcomes: Outcome[] = [
    { state: "COMPLETE", value: 0.5 },
    { state: "COMPLETE", value: NaN },
    { state: "COMPLETE", value: -Infinity },
    FAILED,
    { state: "PRUNED", reason: "poor" },
    { state: "COMPLETE", value: Infinity, attrs: { note: "é" } },
  ];
  for (const outcome of outcomes) {
    const { trialId, number } = (await store.claim(studyId))!;
    await store.report(trialId, [
      { epoch: 1, value: number === 0 ? NaN : 0.25 },
      { epoch: 2, value: number === 2 ? -Infinity : 0.75 },
    ]);
    await store.finish(trialId, outcome);
  }
  const seen = await python<{
    best: [number, string];
    direction: string;
    metrics: string[];
    trials: Seen[];
    lr: string;
    failed: Record<string, unknown>;
    frame: number[];
    columns: string[];
  }>(
    place,
    `
text = lambda v: v if math.isfinite(v) else str(v)
frame = study.trials_dataframe()
print(json.dumps({
  "best": [study.best_trial.number, str(study.best_value)],
  "direction": study.direction.name, "metrics": study.metric_names,
  "trials": [{
    "number": t.number, "state": t.state.name, "params": t.params,
    "values": t.values and [text(v) for v in t.values],
    "steps": {s: text(v) for s, v in t.intermediate_values.items()},
  } for t in study.trials],
  "lr": str(study.trials[0].distributions["lr"]),
  "failed": study.trials[3].user_attrs,
  "frame": frame.shape, "columns": list(frame.columns)}))`,
  );
  assert.deepEqual(seen.best, [5, "inf"], "the best is no failed one");
  assert.equal(seen.direction, "MAXIMIZE");
  assert.deepEqual(seen.metrics, ["accuracy"]);
  assert.deepEqual(
    seen.trials.map((t) => [t.state, t.values]),
    [
      ["COMPLETE", [0.5]],
      ["FAIL", null],
      ["COMPLETE", ["-inf"]],
      ["FAIL", null],
      ["PRUNED", [0.75]],
      ["COMPLETE", ["inf"]],
      ["WAITING", null],
    ],
  );
  assert.deepEqual(seen.trials.map((t) => t.number), [...Array(7).keys()]);
  assert.deepEqual(seen.trials[3].params, point(3).params);
  assert.deepEqual(seen.trials[0].steps, { 1: "nan", 2: 0.75 });
  assert.deepEqual(seen.trials[2].steps, { 1: 0.25, 2: "-inf" });
  assert.equal(
    seen.lr,
    "FloatDistribution(high=0.1, log=True, low=1e-05, step=None)",
  );
  assert.equal(seen.failed.fail_kind, "error");
  assert.equal(seen.failed.fail_reason, "no luck");
  assert.equal(seen.frame[0], 7);
  assert.ok(seen.columns.includes("params_lr"));
  const list = await optunaCommand<{ number: number; state: string }[]>(
    "trials",
    ...["--storage", place.optuna, "--study-name", "study", "-f", "json"],
  );
  assert.deepEqual(
    list.map((t) => t.state),
    ["COMPLETE", "FAIL", "COMPLETE", "FAIL", "PRUNED", "COMPLETE", "WAITING"],
  );
});

test("after a trial's row was deleted Optuna still sees each trial, its own too", async (place) => {
  const store = await place.open();
  const studyId = await queued(store, 7);
  for (const table of ["params", "user_attributes", "system_attributes"]) {
    await place.sql(
      `DELETE FROM trial_${table} WHERE trial_id IN ` +
        "(SELECT trial_id FROM trials WHERE number=3); SELECT 1",
    );
  }
  await place.sql("DELETE FROM trials WHERE number=3; SELECT 1");
  await store.enqueue(studyId, points(7));
  const numbers = () =>
    python<number[]>(
      place,
      "print(json.dumps([t.number for t in study.trials]))",
    );
  assert.deepEqual(await numbers(), [0, 1, 2, 4, 5, 6, 7]);
  await python(place, `study.enqueue_trial({"lr": 0.01}); print(0)`);
  assert.equal((await numbers()).length, 7, "two trials 7");
  await store.enqueue(studyId, points(7));
  assert.deepEqual(await numbers(), [0, 1, 2, 4, 5, 6, 7, 8]);
});

test("Optuna finds the best trial and the important parameter", async (place) => {
  const store = await place.open();
  const studyId = await queued(store, 40);
  for (let i = 0; i < 40; i++) {
    const { trialId, params } = (await store.claim(studyId))!;
    const value = Number(params.depth) + Number(params.lr);
    await store.finish(trialId, { state: "COMPLETE", value });
  }
  const importances = await python<Record<string, number>>(
    place,
    "print(json.dumps(optuna.importance.get_param_importances(study)))",
  );
  assert.equal(Object.keys(importances)[0], "depth");
  assert.ok(importances.depth > 0.5, JSON.stringify(importances));
  const best = await optunaCommand<{ number: number; params: unknown }>(
    "best-trial",
    ...["--storage", place.optuna, "--study-name", "study", "-f", "json"],
  );
  assert.equal(best.number, 39);
  assert.deepEqual(best.params, point(39).params);
});

test("Python's optimize runs our waiting points, and we do not", async (place) => {
  const store = await place.open();
  const studyId = await queued(store, 3);
  const claim = (await store.claim(studyId))!;
  const seen = await python<[number, string, unknown][]>(
    place,
    `
def objective(t):
    t.suggest_float("lr", 1e-5, 0.1, log=True)
    t.suggest_categorical("mixup", [False, True, "both"])
    t.report(0.5, 1)
    return t.suggest_int("depth", 1, 8)
study.optimize(objective, n_trials=2)
print(json.dumps([[t.number, t.state.name, t.params] for t in study.trials]))`,
  );
  assert.deepEqual(seen, [
    [0, "RUNNING", point(0).params],
    [1, "COMPLETE", point(1).params],
    [2, "COMPLETE", point(2).params],
  ]);
  assert.equal(await store.claim(studyId), null);
  await store.finish(claim.trialId, { state: "COMPLETE", value: 9 });
  const rows = await store.trials(studyId);
  assert.deepEqual(rows.map((r) => r.value), [9, 2, 3]);
  assert.deepEqual(rows[1].intermediate, [{ epoch: 1, value: 0.5 }]);
  const age = Date.now() - Number(rows[1].complete);
  assert.ok(Math.abs(age) < 60_000 || place.optuna.startsWith("sqlite"));
  assert.equal(await store.enqueue(studyId, points(3)), 0);
});

test("we run what Python queued, if all its parameters are known", async (place) => {
  const store = await place.open();
  const studyId = await queued(store, 0);
  await python(
    place,
    `
study.enqueue_trial({"lr": 0.01, "depth": 3})
study.enqueue_trial({"lr": 0.5, "depth": 3, "mixup": True})
study.enqueue_trial({"lr": 0.01, "depth": 3, "mixup": "both"},
                    user_attrs={"seed": 7, "repeat": 2, "x": [float("nan")]})
print(0)`,
  );
  assert.equal(await store.claim(studyId), null);
  const claim = (await store.claim(studyId, { distributions: DISTRIBUTIONS }))!;
  assert.deepEqual(claim, {
    trialId: claim.trialId,
    number: 2,
    params: { lr: 0.01, depth: 3, mixup: "both" },
    repeat: 2,
    seed: 7,
  });
  const keys = new Set<string>();
  assert.equal(
    await store.claim(studyId, { keys, distributions: DISTRIBUTIONS }),
    null,
  );
  await store.finish(claim.trialId, { state: "COMPLETE", value: 0.5 });
  const [, , row] = await store.trials(studyId);
  assert.deepEqual(row.distributions, DISTRIBUTIONS);
  assert.deepEqual(row.attrs.x, [NaN]);
  const seen = await python<unknown>(
    place,
    `
def objective(t):
    t.suggest_float("lr", 1e-5, 0.1, log=True)
    t.suggest_categorical("mixup", [False, True, "both"])
    return t.suggest_int("depth", 1, 8)
study.optimize(objective, n_trials=1)
print(json.dumps([[t.state.name, t.params.get("depth")] for t in study.trials]))`,
  );
  assert.deepEqual(seen, [
    ["COMPLETE", 3],
    ["WAITING", null],
    ["COMPLETE", 3],
  ]);
});

test("what Optuna's worker left is put back when its heartbeat stops", async (place) => {
  const store = await place.open();
  const studyId = await queued(store, 0);
  await python(
    place,
    `
storage = optuna.storages.RDBStorage(storage, heartbeat_interval=60)
study = optuna.load_study(study_name="study", storage=storage)
trial = study.ask()
trial.suggest_float("lr", 1e-5, 0.1, log=True)
trial.report(0.5, 1)
storage.record_heartbeat(trial._trial_id)
study.ask()
print(0)`,
  );
  assert.deepEqual(await store.reap(studyId, 60), []);
  await place.sql(
    "UPDATE trial_heartbeats SET heartbeat='2024-01-01 00:00:00'",
  );
  const [{ number, again }] = await store.reap(studyId, 60);
  assert.deepEqual([number, again], [0, true]);
  const rows = await store.trials(studyId);
  assert.deepEqual(rows.map((r) => r.state), ["FAIL", "RUNNING", "WAITING"]);
  assert.deepEqual(rows[2].params, rows[0].params);
  assert.deepEqual(rows[2].intermediate, [{ epoch: 1, value: 0.5 }]);
});

test("a study that Python made is gone on with, and deleted by Python", async (place) => {
  const code = `
study = optuna.create_study(study_name="theirs", storage=storage,
                            direction="minimize")
study.enqueue_trial({"lr": 0.01, "depth": 3, "mixup": True})
print(0)`;
  const store = await place.open();
  await queued(store, 2);
  await withOptuna(place.optuna, "study", code);
  const { studyId, metric } = await store.createStudy({
    name: "theirs",
    direction: "minimize",
    metric: "loss",
  });
  assert.equal(metric, "value");
  const claim = (await store.claim(studyId, { distributions: DISTRIBUTIONS }))!;
  await store.report(claim.trialId, [{ epoch: 1, value: 2 }]);
  await store.saveArtifact(claim.trialId, "x", new Uint8Array([1]));
  await store.addSetting(studyId, 0, [point(5)]);
  await store.finish(claim.trialId, { state: "COMPLETE", value: 2 });
  await python(
    place,
    `optuna.delete_study(study_name="theirs", storage=storage); print(0)`,
  );
  assert.deepEqual((await store.studies()).map((s) => s.name), ["study"]);
  for (const table of ["epochs", "artifacts", "settings"]) {
    const rows = await place.sql(`SELECT count(*) FROM ferlab_${table}`);
    assert.deepEqual(rows, ["0"], table);
  }
});

test("tables that Python made are used as they are", async (place) => {
  await withStorage(
    place.optuna,
    `
study = optuna.create_study(study_name="mine", storage=storage)
def objective(t):
    t.set_user_attr("odd", [float("inf"), float("nan"), 'say "NaN"'])
    t.suggest_float("x", 0, 1)
    return t.number
study.optimize(objective, n_trials=3)
print(0)`,
  );
  const reader = await place.open({ readOnly: true });
  const [{ studyId, direction }] = await reader.studies();
  assert.equal(direction, "minimize");
  const rows = await reader.trials(studyId);
  assert.deepEqual(rows.map((r) => r.value), [0, 1, 2]);
  assert.deepEqual(rows[0].attrs.odd, [Infinity, NaN, 'say "NaN"']);
  const store = await place.open();
  assert.deepEqual(await store.trials(studyId), rows);
  const before = await store.distributions(studyId);
  const point = { params: { x: 0.5 }, distributions: before, repeat: 0 };
  await store.enqueue(studyId, [{ ...point, key: "ours", seed: 1 }]);
  assert.equal((await store.claim(studyId))?.number, 3);
});

const store = new URL("../../lib/study/store/mod.ts", import.meta.url).href;

/** Claims a trial in a process that ends at once. */
async function claimAndDie(url: string): Promise<void> {
  const code = `import { openStore } from ${JSON.stringify(store)};
    const store = await openStore(${JSON.stringify(url)});
    await store.claim((await store.studies())[0].studyId);
    Deno.exit(0);`;
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", code],
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

test(
  "a Python worker keeps the copy of a trial that died on this machine",
  async (place) => {
    const store = await place.open();
    const studyId = await queued(store, 1);
    await claimAndDie(place.url);
    await place.sql(
      "UPDATE trial_heartbeats SET heartbeat='2024-01-01 00:00:00'",
    );
    await python(
      place,
      `
storage = optuna.storages.RDBStorage(
    storage, heartbeat_interval=60,
    heartbeat_stale_trial_callback=
        optuna.storages.RetryHeartbeatStaleTrialCallback())
study = optuna.load_study(study_name="study", storage=storage)
optuna.storages.fail_stale_trials(study)
storage.record_heartbeat(study.ask()._trial_id)
print(0)`,
    );
    const states = async () =>
      (await store.trials(studyId)).map((t) => t.state);
    assert.deepEqual(await states(), ["FAIL", "RUNNING"]);
    assert.deepEqual(await store.reap(studyId, 60), []);
    await place.sql(
      "UPDATE trial_heartbeats SET heartbeat='2024-01-01 00:00:00'",
    );
    assert.equal((await store.reap(studyId, 60)).length, 1);
    assert.deepEqual(await states(), ["FAIL", "FAIL", "WAITING"]);
  },
);
