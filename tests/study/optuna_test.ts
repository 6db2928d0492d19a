// Our record files, read and run on by the real Optuna.
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import {
  recordsPath,
  runStudy,
  type StudyDefinition,
  trialRows,
} from "../../lib/study/mod.ts";
import { withOptuna } from "./_optuna.ts";

const DEFINITION: StudyDefinition = {
  name: "lr × depth",
  direction: "maximize",
  metric: "test accuracy",
  grid: { lr: [1e-5, 1e-3, 1e-1], depth: [2, 8], mixup: [true, false] },
};

interface Seen {
  number: number;
  state: string;
  params: Record<string, unknown>;
  values: (number | string)[] | null;
  steps: Record<string, number | string>;
  lr: { log: boolean; low: number; high: number };
}

Deno.test("Optuna 5.0.0 reads states, params, values and epochs", async () => {
  const dir = await Deno.makeTempDir();
  await runStudy(DEFINITION, ({ params }, { report, number }) => {
    report({ epoch: 0, value: number === 1 ? NaN : 0.25 });
    report({ epoch: 1, value: number === 2 ? -Infinity : 0.5 });
    if (number === 1) return Promise.resolve({ value: NaN });
    if (number === 2) return Promise.resolve({ value: -Infinity });
    return Promise.resolve({ value: Number(params.lr) * Number(params.depth) });
  }, { dir });
  const seen = await withOptuna<{
    best: number;
    bestParams: Record<string, unknown>;
    direction: string;
    metrics: string[];
    trials: Seen[];
  }>(
    recordsPath(dir),
    DEFINITION.name,
    `
text = lambda v: v if math.isfinite(v) else str(v)
print(json.dumps({
  "best": study.best_value, "bestParams": study.best_params,
  "direction": study.direction.name, "metrics": study.metric_names,
  "trials": [{
    "number": t.number, "state": t.state.name, "params": t.params,
    "values": t.values and [text(v) for v in t.values],
    "steps": {s: text(v) for s, v in t.intermediate_values.items()},
    "lr": {k: getattr(t.distributions["lr"], k) for k in ("log","low","high")},
  } for t in study.trials]}))`,
  );
  assert.equal(seen.best, 0.8);
  assert.equal(seen.bestParams.lr, 0.1);
  assert.equal(seen.bestParams.depth, 8);
  assert.equal(seen.direction, "MAXIMIZE");
  assert.deepEqual(seen.metrics, ["test accuracy"]);
  assert.equal(seen.trials.length, 12);
  assert.deepEqual(seen.trials.map((t) => t.number), [...Array(12).keys()]);
  assert.deepEqual(seen.trials[0].params, { lr: 1e-5, depth: 2, mixup: true });
  assert.deepEqual(seen.trials[0].steps, { 0: 0.25, 1: 0.5 });
  assert.deepEqual(seen.trials[0].lr, { log: true, low: 1e-5, high: 0.1 });
  assert.equal(seen.trials[1].state, "FAIL");
  assert.equal(seen.trials[1].values, null);
  assert.equal(seen.trials[1].steps[0], "nan");
  assert.equal(seen.trials[2].state, "COMPLETE");
  assert.deepEqual(seen.trials[2].values, ["-inf"]);
  assert.equal(seen.trials[2].steps[1], "-inf");
  assert.equal(trialRows(dir, DEFINITION.name)[2].value, -Infinity);
  const db = new DatabaseSync(recordsPath(dir), { readOnly: true });
  const column = (sql: string) =>
    db.prepare(sql).all().map((r) => [r.value, r.type]);
  assert.deepEqual(
    column(
      "SELECT value, value_type AS type FROM trial_values WHERE trial_id=3",
    ),
    [[null, "INF_NEG"]],
  );
  assert.deepEqual(
    column(
      "SELECT intermediate_value AS value, intermediate_value_type AS type " +
        "FROM trial_intermediate_values WHERE trial_id IN (2, 3) " +
        "ORDER BY trial_id, step",
    ),
    [[null, "NAN"], [0.5, "FINITE"], [0.25, "FINITE"], [null, "INF_NEG"]],
  );
  db.close();
});

Deno.test("Optuna runs a waiting grid point of ours and we do not", async () => {
  const dir = await Deno.makeTempDir();
  const def = { name: "shared", grid: { lr: [0.1, 0.01] } };
  const stop = new AbortController();
  await runStudy(def, () => {
    stop.abort();
    return Promise.resolve({ value: 0 });
  }, { dir, signal: stop.signal });
  const seen = await withOptuna<(number | string)[][]>(
    recordsPath(dir),
    def.name,
    `
study.optimize(lambda t: t.suggest_float("lr", .01, .1, log=True), n_trials=2)
print(json.dumps([[t.number, t.state.name, t.params["lr"]] for t in study.trials]))`,
  );
  assert.deepEqual(seen.map((t) => t[1]), ["FAIL", "COMPLETE", "COMPLETE"]);
  assert.deepEqual(seen.map((t) => t[2]).sort(), [0.01, 0.1, 0.1]);
  const summary = await runStudy(
    def,
    () => Promise.reject(new Error("trained twice")),
    { dir },
  );
  assert.equal(summary.ran, 0);
  assert.equal(summary.complete, 2);
});

Deno.test("attributes that Python writes with bare NaN are read", async () => {
  const dir = await Deno.makeTempDir();
  const def = { name: "nan", grid: { lr: [0.1] } };
  await runStudy(def, () => Promise.resolve({ value: 1 }), { dir });
  const db = new DatabaseSync(recordsPath(dir));
  db.prepare(
    "INSERT INTO trial_user_attributes (trial_id, key, value_json) " +
      "VALUES (1, 'loss', ?)",
  ).run('{"a": NaN, "b": [-Infinity, "say \\"NaN\\""]}');
  db.close();
  assert.deepEqual(trialRows(dir, "nan")[0].attrs.loss, {
    a: NaN,
    b: [-Infinity, 'say "NaN"'],
  });
});
