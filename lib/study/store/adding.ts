/** Adding trials to a study: points to run, settings, copies, finished ones. */
import type { Connection } from "./database.ts";
import { decodeJson } from "./encoding.ts";
import { readTrials } from "./reading.ts";
import type {
  FinishedTrial,
  NewTrial,
  Point,
  TrialRow,
  TrialState,
} from "./types.ts";
import {
  addTrials,
  copyOf,
  deleteTrials,
  type Draft,
  epochRecord,
  lockStudy,
  outcomeAttributes,
  outcomeValue,
  partNumbers,
  recorded,
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
 * How often a point was tried in vain: a stop is no try, and deaths of the
 * process are counted apart.
 */
export function failedTries(
  trials: readonly { state: TrialState; failKind?: string }[],
): number {
  return trials.filter(({ state, failKind }) =>
    state === "FAIL" && failKind !== "interrupted" && failKind !== "dead"
  ).length;
}

interface PointTrial {
  trialId: number;
  state: TrialState;
  failKind?: string;
}

/** The trials of each point of ours, oldest first. */
async function pointTrials(
  c: Connection,
  studyId: number,
): Promise<Map<string, PointTrial[]>> {
  const rows = await c.query(
    `SELECT t.trial_id, t.state, p.value_json AS point, f.value_json AS kind
    FROM trials t
    JOIN trial_system_attributes p
      ON p.trial_id=t.trial_id AND p.key='ferlab:point'
    LEFT JOIN trial_user_attributes f
      ON f.trial_id=t.trial_id AND f.key='fail_kind'
    WHERE t.study_id=? ORDER BY t.trial_id`,
    [studyId],
  );
  const points = new Map<string, PointTrial[]>();
  for (const r of rows) {
    const { key } = decodeJson(String(r.point)) as Point;
    const list = points.get(key) ?? [];
    list.push({
      trialId: Number(r.trial_id),
      state: r.state as TrialState,
      failKind: r.kind === null
        ? undefined
        : decodeJson(String(r.kind)) as string,
    });
    points.set(key, list);
  }
  return points;
}

function waiting(trial: NewTrial): Draft {
  const { key, params, distributions, repeat, seed } = trial;
  return {
    state: "WAITING",
    start: null,
    complete: null,
    params,
    distributions,
    value: null,
    user: { repeat, seed },
    system: { fixed_params: params, "ferlab:point": { key, repeat, seed } },
    intermediate: [],
    epochs: [],
  };
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
    else if (
      trials!.every((t) => t.state === "FAIL") &&
      !isFinalFailure(last.failKind) && failedTries(trials!) < tries
    ) failed.push({ key: point.key, trialId: last.trialId });
  }
  const rows = await rowsById(c, studyId, failed.map((f) => f.trialId));
  await addTrials(c, studyId, [
    ...fresh.map(waiting),
    ...failed.map((f) => copyOf(rows.get(f.trialId)!)),
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
  if (index !== await settings(c, studyId)) return false;
  c.run(
    "INSERT INTO ferlab_settings (study_id, setting, token) VALUES (?, ?, ?)",
    [studyId, index, token],
  );
  await addTrials(c, studyId, trials.map(waiting));
  return true;
}

/** `Store.settings` */
export async function settings(
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
    drafts.set(i, finished(trial, name));
  }
  await addTrials(c, studyId, [...drafts.values()]);
  return [...drafts.keys()];
}

function finished(trial: FinishedTrial, name: string): Draft {
  const { key, params, distributions, repeat, seed } = trial;
  const outcome = recorded(trial.outcome);
  const epochs = [...trial.epochs].sort((a, b) => a.epoch - b.epoch);
  return {
    state: outcome.state,
    start: trial.start,
    complete: trial.complete,
    params,
    distributions,
    value: outcomeValue(outcome, epochs),
    user: { repeat, seed, ...outcomeAttributes(outcome) },
    system: key === undefined ? { "ferlab:added": name } : {
      fixed_params: params,
      "ferlab:point": { key, repeat, seed },
    },
    intermediate: epochs.map(({ epoch, value }) => ({ epoch, value })),
    epochs: epochs.map(epochRecord),
  };
}

/** `Store.retry`: the ids of the trials that got a copy. */
export async function retry(
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
  await addTrials(c, studyId, chosen.map((id) => copyOf(rows.get(id)!)));
  return chosen;
}
