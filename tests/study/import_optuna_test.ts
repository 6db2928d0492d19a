// A study that the real Optuna 5.0.0 made, taken into one of ours and read back.
import assert from "node:assert/strict";
import { join } from "node:path";
import { importTrials } from "../../lib/study/exchange/import_trials.ts";
import { readStored } from "../../lib/study/exchange/optuna.ts";
import { openStore } from "../../lib/study/store/mod.ts";
import { folderTest as test } from "../_folder.ts";
import { withOptuna, withStorage } from "./_optuna.ts";

const MAKE = `
study = optuna.create_study(storage=storage, study_name="made",
                            direction="minimize")
study.set_metric_names(["val loss"])
def objective(trial):
    lr = trial.suggest_float("lr", 1e-5, 1e-1, log=True)
    depth = trial.suggest_int("depth", 2, 8, step=2)
    loss = trial.suggest_categorical("loss", ["ce", None, True, 3])
    if loss == "ce":
        trial.suggest_float("smoothing", 0, 0.5, step=0.1)
    trial.set_user_attr("note", {"text": "a", "nan": float("nan")})
    for step in range(3):
        trial.report([1.5, float("nan"), float("inf")][(step + trial.number) % 3], step)
    if trial.number % 4 == 1:
        raise optuna.TrialPruned()
    if trial.number % 4 == 2:
        return float("nan")
    return float("-inf") if trial.number == 4 else lr * depth
study.sampler = optuna.samplers.RandomSampler(seed=1)
study.optimize(objective, n_trials=12)
study.ask()
study.enqueue_trial({"lr": 0.01})
optuna.create_study(storage=storage, study_name="two",
                    directions=["minimize", "maximize"]).optimize(
    lambda t: (1, 2), n_trials=1)
print(0)`;

const READ = `
text = lambda v: v if v is None or math.isfinite(v) else str(v)
print(json.dumps({
  "metrics": study.metric_names, "direction": study.direction.name,
  "best": text(study.best_value),
  "trials": [{
    "state": t.state.name, "params": t.params, "value": text(t.value),
    "steps": {s: text(v) for s, v in t.intermediate_values.items()},
    "distributions": {n: repr(d) for n, d in t.distributions.items()},
    "start": t.datetime_start.isoformat(timespec="milliseconds"),
    "complete": t.datetime_complete.isoformat(timespec="milliseconds"),
    "note": str(t.user_attrs["note"]),
  } for t in study.trials if t.state.is_finished()]}))
`;

interface Read {
  best: string;
  trials: { state: string }[];
}

test("Optuna reads from our copy of its study what it wrote", async (folder) => {
  const made = join(folder, "made.db");
  const ours = join(folder, "ours.sqlite");
  await withStorage(`sqlite:///${made}`, MAKE);
  const bytes = await Deno.readFile(made);
  const from = await openStore(made, { readOnly: true });
  const source = await readStored(from, "made");
  await assert.rejects(
    readStored(from, "two"),
    /^StudyError: .*made\.db: study "two" has 2 objectives, /,
  );
  await assert.rejects(readStored(from), /which study\? .* "made", "two"$/);
  await from.close();
  assert.deepEqual(await Deno.readFile(made), bytes, "it is only read");
  assert.deepEqual(source.notes, ["left out: 2 trials that have not ended"]);

  const to = await openStore(ours);
  const first = await importTrials(to, "copy", source);
  assert.deepEqual([first.added, first.known], [12, 0]);
  const again = await importTrials(to, "copy", source);
  assert.deepEqual([again.added, again.known], [0, 12]);
  await to.close();
  const read = (file: string, study: string) =>
    withOptuna<Read>(`sqlite:///${file}`, study, READ);
  const after = await read(ours, "copy");
  assert.deepEqual(after, await read(made, "made"));
  assert.equal(after.best, "-inf");
  assert.deepEqual(
    new Set(after.trials.map((t) => t.state)),
    new Set(["COMPLETE", "PRUNED", "FAIL"]),
  );
});
