/** Running trials: epochs, ends, and those whose process is dead. */
import type { Connection, Value } from "./database.ts";
import { decodeJson, encodeTime } from "./encoding.ts";
import { isRunning } from "./process.ts";
import { readTrials } from "./reading.ts";
import type {
  EpochReport,
  Outcome,
  Reaped,
  TrialRow,
  Worker,
} from "./types.ts";
import {
  addTrials,
  beat,
  deaths,
  epochRecord,
  lockStudy,
  lockTrial,
  lostTrial,
  outcomeAsRecorded,
  outcomeAttributes,
  outcomeValue,
  putEpochs,
  putValues,
  setAttributes,
  waitingCopy,
} from "./writes.ts";

/** Deaths in a row without a new epoch after which a trial is given up. */
const MAX_DEATHS = 3;

/** `Store.heartbeat` */
export function keepAlive(c: Connection, trialId: number): void {
  c.run(
    "UPDATE trial_heartbeats SET heartbeat=CURRENT_TIMESTAMP WHERE trial_id=?",
    [trialId],
  );
}

/** `Store.report` */
export async function reportEpochs(
  c: Connection,
  where: string,
  trialId: number,
  epochs: readonly EpochReport[],
): Promise<void> {
  const state = await lockTrial(c, trialId);
  if (state !== "RUNNING") throw lostTrial(where, trialId, state);
  // One statement may not change a row twice: the last report of an epoch.
  const last = [...new Map(epochs.map((e) => [e.epoch, e])).values()];
  putEpochs(c, [{
    trialId,
    intermediate: last,
    epochs: last.map(epochRecord),
  }]);
  beat(c, trialId);
}

/** `Store.finish` */
export async function finishTrial(
  c: Connection,
  where: string,
  trialId: number,
  outcome: Outcome,
): Promise<void> {
  const ended = outcomeAsRecorded(outcome);
  const again = ended.state === "FAIL" && ended.again;
  const studyId = again ? await studyOf(c, trialId) : undefined;
  // The study before the trial, as everybody who locks both.
  if (studyId !== undefined) await lockStudy(c, studyId);
  const [state, [row]] = await Promise.all([
    lockTrial(c, trialId),
    readTrials(c, { trialIds: [trialId] }),
  ]);
  if (state !== "RUNNING") {
    if (row && endedSo(row, ended)) return;
    throw lostTrial(where, trialId, state);
  }
  end(c, row, ended);
  if (studyId !== undefined) {
    const attrs = { ...row.attrs, ...ended.attrs };
    await addTrials(c, studyId, [waitingCopy({ ...row, attrs })]);
  }
}

async function studyOf(
  c: Connection,
  trialId: number,
): Promise<number | undefined> {
  const [row] = await c.query(
    "SELECT study_id FROM trials WHERE trial_id=?",
    [trialId],
  );
  return row && Number(row.study_id);
}

/** Whether an earlier attempt ended a trial the same way. */
function endedSo(row: TrialRow, o: Outcome): boolean {
  if (row.state !== o.state) return false;
  if (o.state === "COMPLETE") return row.value === o.value;
  return o.state === "PRUNED"
    ? row.attrs.prune_reason === o.reason
    : row.attrs.fail_kind === o.kind && row.attrs.fail_reason === o.reason;
}

function end(c: Connection, row: TrialRow, outcome: Outcome): void {
  const { trialId, intermediate } = row;
  putValues(c, [{ trialId, value: outcomeValue(outcome, intermediate) }]);
  setAttributes(c, "trial", "user", trialId, outcomeAttributes(outcome));
  c.run(
    "UPDATE trials SET state=?, datetime_complete=? WHERE trial_id=?",
    [outcome.state, encodeTime(new Date()), trialId],
  );
}

/** For how long heartbeats have not changed, by this process's own time. */
export class Stillness {
  readonly #seen = new Map<number, { beat: string; since: number }>();

  /** Seconds since this heartbeat of a trial was first seen here. */
  of(trialId: number, beat: string): number {
    const now = performance.now();
    const known = this.#seen.get(trialId);
    if (known?.beat === beat) return (now - known.since) / 1000;
    this.#seen.set(trialId, { beat, since: now });
    return 0;
  }
}

/**
 * Whether a trial's process runs. Copies by Optuna's retry callback keep the
 * worker of the trial that died.
 */
function hasWorker(json: Value, trialId: number): boolean | "unknown" {
  if (json === null) return "unknown";
  const worker = decodeJson(String(json)) as Worker & { trialId?: number };
  return (worker.trialId ?? trialId) === trialId
    ? isRunning(worker)
    : "unknown";
}

/**
 * The running trials whose process is dead: it is gone, or its heartbeat
 * stands still. How old a heartbeat is says nothing of a process that runs on
 * this machine, whose clock may have been set.
 */
export async function deadTrials(
  c: Connection,
  studyId: number,
  graceSeconds: number,
  stillness: Stillness,
): Promise<number[]> {
  const running = await c.query(
    `SELECT t.trial_id, w.value_json AS worker, h.heartbeat,
      ${c.dialect.age("h.heartbeat")} AS age
    FROM trials t JOIN trial_heartbeats h ON h.trial_id=t.trial_id
    LEFT JOIN trial_system_attributes w
      ON w.trial_id=t.trial_id AND w.key='ferlab:worker'
    WHERE t.study_id=? AND t.state='RUNNING' ORDER BY t.trial_id`,
    [studyId],
  );
  return running.filter(({ trial_id, worker, heartbeat, age }) => {
    const still = stillness.of(Number(trial_id), String(heartbeat));
    const runs = hasWorker(worker, Number(trial_id));
    return runs === false || still > graceSeconds ||
      runs === "unknown" && Number(age) > graceSeconds;
  }).map((r) => Number(r.trial_id));
}

/** `Store.reap`, within a write transaction. */
export async function reap(
  c: Connection,
  studyId: number,
  graceSeconds: number,
  stillness: Stillness,
): Promise<Reaped[]> {
  await lockStudy(c, studyId);
  const reaped: Reaped[] = [];
  const dead = await deadTrials(c, studyId, graceSeconds, stillness);
  for (const trialId of dead) {
    if (await lockTrial(c, trialId) !== "RUNNING") continue;
    const [row] = await readTrials(c, { trialIds: [trialId] });
    const count = deaths(row);
    const again = count < MAX_DEATHS;
    end(c, row, {
      state: "FAIL",
      kind: "dead",
      reason: again
        ? "its process ended before the trial did"
        : `its process ended ${MAX_DEATHS} times in a row without an epoch`,
    });
    if (again) await addTrials(c, studyId, [waitingCopy(row, count)]);
    reaped.push({ trialId, number: row.number, again });
  }
  return reaped;
}
