// A trial of a dead process that Optuna's retry callback put back.
import assert from "node:assert/strict";
import { withOptuna } from "./_optuna.ts";
import { queued, storeTest } from "./_stores.ts";

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

storeTest(
  "a Python worker keeps the copy of a trial that died on this machine",
  async (place) => {
    const store = await place.open();
    const studyId = await queued(store, 1);
    await claimAndDie(place.url);
    await place.sql(
      "UPDATE trial_heartbeats SET heartbeat='2024-01-01 00:00:00'",
    );
    await withOptuna(
      place.optuna,
      "study",
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
