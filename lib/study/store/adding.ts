/** Adding trials to a study: points to run, settings, copies, finished ones. */
import type { Connection } from "./database.ts";
import { decodeJson } from "./encoding.ts";
import { readResults, readTrials } from "./reading.ts";
import type { FinishedTrial, NewTrial, ResultRow, TrialRow } from "./types.ts";
import {
  addTrials,
  deleteTrials,
  type Draft,
  epochRecord,
  lockStudy,
  outcomeAsRecorded,
  outcomeAttributes,
  outcomeValue,
  partNumbers,
  waitingCopy,
  waitingTrial,
} from "./writes.ts";

const FINAL = ["diverged", "out of memory"];

/**
 * Whether a failure would come again, so that it settles its point. Without a
 * kind Optuna failed the trial, and another try may go well.
 */
export function isFinalFailure(kind: string | undefined): boolean {
  return FINAL.includes(kind ?? "");
}

/**
 * How often a point was tried in vain, of its trials, oldest first; undefined
 * where they settle it, or one is still to end. A stop is no try, and deaths
 * of the process are counted apart.
 */
export function vainTries(
  trials: readonly Pick<ResultRow, "state" | "failKind">[],
): number | undefined {
  return trials.some(({ state }) => state !== "FAIL") ||
      isFinalFailure(trials.at(-1)!.failKind)
    ? undefined
    : trials.filter(({ failKind }) =>
      failKind !== "interrupted" && failKind !== "dead"
    ).length;
}

/** The trials of each point of ours, oldest first. */
async function pointTrials(
  c: Connection,
  studyId: number,
): Promise<Map<string, ResultRow[]>> {
  const rows = (await readResults(c, studyId)).filter((row) => row.point)
    .sort((a, b) => a.trialId - b.trialId);
  return Map.groupBy(rows, (row) => row.point!.key);
}

/** Rows by id, also for many ids of one study. */
async function rowsById(
  c: Connection,
  studyId: number,
  ids: readonly number[],
): Promise<Map<number, TrialRow>> {
  const rows = ids.length > 500
    ? await readTrials(c, { studyId })
    : await readTrials(c, { trialIds: ids });
  return new Map(rows.map((r) => [r.trialId, r]));
}

/** `Store.enqueue`: the keys of the points that were added. */
export async function enqueue(
  c: Connection,
  studyId: number,
  points: readonly NewTrial[],
  tries = Infinity,
): Promise<string[]> {
  if (!await lockStudy(c, studyId)) return [];
  await partNumbers(c, studyId);
  const known = await pointTrials(c, studyId);
  const fresh: NewTrial[] = [];
  const failed: { key: string; trialId: number }[] = [];
  for (const point of new Map(points.map((p) => [p.key, p])).values()) {
    const trials = known.get(point.key);
    const last = trials?.at(-1);
    if (!last) fresh.push(point);
    else if ((vainTries(trials!) ?? Infinity) < tries) {
      failed.push({ key: point.key, trialId: last.trialId });
    }
  }
  const rows = await rowsById(c, studyId, failed.map((f) => f.trialId));
  await addTrials(c, studyId, [
    ...fresh.map(waitingTrial),
    ...failed.map((f) => waitingCopy(rows.get(f.trialId)!)),
  ]);
  return [...fresh, ...failed].map((p) => p.key);
}

/** `Store.addSetting`; `token` names this call, so that it can be done again. */
export async function addSetting(
  c: Connection,
  studyId: number,
  index: number,
  trials: readonly NewTrial[],
  token: string,
): Promise<boolean> {
  if (!await lockStudy(c, studyId)) return false;
  const [there] = await c.query(
    "SELECT token FROM ferlab_settings WHERE study_id=? AND setting=?",
    [studyId, index],
  );
  if (there) return there.token === token;
  if (index !== await countSettings(c, studyId)) return false;
  c.run(
    "INSERT INTO ferlab_settings (study_id, setting, token) VALUES (?, ?, ?)",
    [studyId, index, token],
  );
  await addTrials(c, studyId, trials.map(waitingTrial));
  return true;
}

/** `Store.settings` */
export async function countSettings(
  c: Connection,
  studyId: number,
): Promise<number> {
  const [{ n }] = await c.query(
    "SELECT count(*) AS n FROM ferlab_settings WHERE study_id=?",
    [studyId],
  );
  return Number(n);
}

/**
 * `Store.addFinished`: the indexes of the trials that were added. `token` names
 * this call; a trial without a key carries it, so that it is added once.
 */
export async function addFinished(
  c: Connection,
  studyId: number,
  trials: readonly FinishedTrial[],
  token: string,
  instead: readonly number[],
): Promise<number[]> {
  if (!await lockStudy(c, studyId)) return [];
  if (instead.length > 0) {
    const marks = instead.map(() => "?").join(", ");
    deleteTrials(c, `trial_id IN (${marks})`, [...instead]);
  }
  const known = await pointTrials(c, studyId);
  const before = await c.query(
    `SELECT a.value_json AS j FROM trial_system_attributes a
    JOIN trials t ON t.trial_id=a.trial_id
    WHERE t.study_id=? AND a.key='ferlab:added'`,
    [studyId],
  );
  const added = new Set(before.map((r) => decodeJson(String(r.j))));
  const drafts = new Map<number, Draft>();
  for (const [i, trial] of trials.entries()) {
    const name = trial.key ?? `${token}:${i}`;
    if (known.has(name) || added.has(name)) continue;
    added.add(name);
    drafts.set(i, finishedTrial(trial, name));
  }
  await addTrials(c, studyId, [...drafts.values()]);
  return [...drafts.keys()];
}

function finishedTrial(trial: FinishedTrial, name: string): Draft {
  const outcome = outcomeAsRecorded(trial.outcome), draft = waitingTrial(trial);
  const epochs = [...trial.epochs].sort((a, b) => a.epoch - b.epoch);
  return {
    ...draft,
    ...{ state: outcome.state, start: trial.start, complete: trial.complete },
    value: outcomeValue(outcome, epochs),
    attrs: { ...draft.attrs, ...outcomeAttributes(outcome) },
    system: trial.key === undefined ? { "ferlab:added": name } : draft.system,
    intermediate: epochs.map(({ epoch, value }) => ({ epoch, value })),
    epochs: epochs.map(epochRecord),
  };
}

/** `Store.retry`: the ids of the trials that got a copy. */
export async function retryTrials(
  c: Connection,
  studyId: number,
  trialIds: readonly number[],
): Promise<number[]> {
  if (!await lockStudy(c, studyId)) return [];
  const rows = await rowsById(c, studyId, trialIds);
  const open = await c.query(
    `SELECT a.value_json AS j FROM trials t JOIN trial_system_attributes a
      ON a.trial_id=t.trial_id AND a.key='retry_history'
    WHERE t.study_id=? AND t.state IN ('WAITING', 'RUNNING')`,
    [studyId],
  );
  // Trials whose copy is still to be run: a second one would be too many.
  const copied = new Set(
    open.map((r) => (decodeJson(String(r.j)) as number[]).at(-1)),
  );
  const chosen = [...new Set(trialIds)].filter((id) => {
    const row = rows.get(id);
    return row && row.state !== "WAITING" && row.state !== "RUNNING" &&
      !copied.has(row.number);
  });
  await addTrials(c, studyId, chosen.map((id) => waitingCopy(rows.get(id)!)));
  return chosen;
}
