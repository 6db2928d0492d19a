/** The single writes that a store's transactions are made of. */
import { type Connection, insertRows, type Value } from "./database.ts";
import {
  encodeJson,
  encodeParam,
  encodeTime,
  encodeValue,
} from "./encoding.ts";
import { LostTrialError } from "../errors.ts";
import { HIGHEST_NUMBER, TRIAL_TABLES } from "./tables.ts";
import type {
  EpochReport,
  NewTrial,
  Outcome,
  TrialRow,
  TrialState,
} from "./types.ts";

/** What a new trial is made of. */
export type Draft = Omit<TrialRow, "trialId" | "number" | "values">;

/** Sets attributes of studies or trials, each list by its id. */
function putAttributes(
  c: Connection,
  owner: "study" | "trial",
  kind: "user" | "system",
  of: readonly [id: number, attributes: Record<string, unknown>][],
): void {
  insertRows(
    c,
    `${owner}_${kind}_attributes (${owner}_id, key, value_json)`,
    of.flatMap(([id, attributes]) =>
      Object.entries(attributes).map(([k, v]) => [id, k, encodeJson(v)])
    ),
    `ON CONFLICT (${owner}_id, key) DO UPDATE SET ` +
      "value_json=excluded.value_json",
  );
}

/** Sets attributes of a study or a trial. */
export const setAttributes = (
  c: Connection,
  owner: "study" | "trial",
  kind: "user" | "system",
  id: number,
  attributes: Record<string, unknown>,
): void => putAttributes(c, owner, kind, [[id, attributes]]);

/** Locks a study against other writers of trial numbers and settings. */
export async function lockStudy(
  c: Connection,
  studyId: number,
): Promise<boolean> {
  const found = await c.query(
    `SELECT study_id FROM studies WHERE study_id=? ${c.dialect.forUpdate}`,
    [studyId],
  );
  return found.length === 1;
}

/** Behind the highest number that a locked study ever had. */
async function nextNumber(c: Connection, studyId: number): Promise<number> {
  const [[{ highest }], [kept]] = await Promise.all([
    c.query(
      "SELECT max(number) AS highest FROM trials WHERE study_id=?",
      [studyId],
    ),
    c.query(
      "SELECT value_json AS j FROM study_system_attributes " +
        `WHERE study_id=? AND key='${HIGHEST_NUMBER}'`,
      [studyId],
    ),
  ]);
  return 1 + Math.max(Number(highest ?? -1), Number(kept?.j ?? -1));
}

/** Notes the highest number of a locked study: of a deleted trial else nothing tells. */
function noteHighest(c: Connection, studyId: number, number: number): void {
  setAttributes(c, "study", "system", studyId, { [HIGHEST_NUMBER]: number });
}

/**
 * Gives trials of a locked study whose number an earlier one has a number of
 * their own. Optuna numbers by how many there are, so that it gives a number
 * twice after a trial was deleted, and then reads only one of the two.
 */
export async function partNumbers(
  c: Connection,
  studyId: number,
): Promise<void> {
  const doubled = await c.query(
    `SELECT t.trial_id FROM trials t WHERE t.study_id=? AND EXISTS (
      SELECT 1 FROM trials o WHERE o.study_id=t.study_id
        AND o.number=t.number AND o.trial_id<t.trial_id
    ) ORDER BY t.trial_id`,
    [studyId],
  );
  if (doubled.length === 0) return;
  const first = await nextNumber(c, studyId);
  doubled.forEach(({ trial_id }, i) => {
    c.run("UPDATE trials SET number=? WHERE trial_id=?", [first + i, trial_id]);
  });
  noteHighest(c, studyId, first + doubled.length - 1);
}

/** Adds trials to a locked study; their ids. */
export async function addTrials(
  c: Connection,
  studyId: number,
  drafts: readonly Draft[],
): Promise<number[]> {
  if (drafts.length === 0) return [];
  const first = await nextNumber(c, studyId);
  noteHighest(c, studyId, first + drafts.length - 1);
  const time = (date: Date | null) => date && encodeTime(date);
  const sent: ReturnType<Connection["query"]>[] = [];
  for (let from = 0; from < drafts.length; from += 100) {
    const chunk = drafts.slice(from, from + 100);
    sent.push(c.query(
      "INSERT INTO trials (number, study_id, state, datetime_start, " +
        `datetime_complete) VALUES ${
          chunk.map(() => "(?, ?, ?, ?, ?)").join(", ")
        } RETURNING trial_id`,
      chunk.flatMap((d, i) => [
        first + from + i,
        studyId,
        d.state,
        time(d.start),
        time(d.complete),
      ]),
    ));
  }
  const ids = (await Promise.all(sent)).flat()
    .map((r) => Number(r.trial_id)).sort((a, b) => a - b);
  const rows = drafts.map((draft, i) => ({ ...draft, trialId: ids[i] }));
  putParams(c, rows);
  putAttributes(c, "trial", "user", rows.map((r) => [r.trialId, r.attrs]));
  putAttributes(c, "trial", "system", rows.map((r) => [r.trialId, r.system]));
  putValues(c, rows);
  putEpochs(c, rows);
  return ids;
}

/** Records the parameters of trials; what is on record stays. */
export function putParams(
  c: Connection,
  trials: readonly Pick<TrialRow, "trialId" | "params" | "distributions">[],
): void {
  insertRows(
    c,
    "trial_params (trial_id, param_name, param_value, distribution_json)",
    trials.flatMap(({ trialId, params, distributions }) =>
      Object.entries(params).map(([name, value]) => [
        trialId,
        name,
        encodeParam(name, value, distributions[name]),
        encodeJson(distributions[name]),
      ])
    ),
    "ON CONFLICT (trial_id, param_name) DO NOTHING",
  );
}

/** Records the values of trials that have one. */
export function putValues(
  c: Connection,
  trials: readonly Pick<TrialRow, "trialId" | "value">[],
): void {
  insertRows(
    c,
    "trial_values (trial_id, objective, value, value_type)",
    trials.flatMap(({ trialId, value }) =>
      value === null ? [] : [[trialId, 0, ...encodeValue(value)]]
    ),
  );
}

/** Records epochs of trials, over earlier records of them. */
export function putEpochs(
  c: Connection,
  trials: readonly Pick<TrialRow, "trialId" | "intermediate" | "epochs">[],
): void {
  insertRows(
    c,
    "trial_intermediate_values (trial_id, step, intermediate_value, " +
      "intermediate_value_type)",
    trials.flatMap(({ trialId, intermediate }) =>
      intermediate.map((e) => [trialId, e.epoch, ...encodeValue(e.value)])
    ),
    "ON CONFLICT (trial_id, step) DO UPDATE SET " +
      "intermediate_value=excluded.intermediate_value, " +
      "intermediate_value_type=excluded.intermediate_value_type",
  );
  insertRows(
    c,
    "ferlab_epochs (trial_id, epoch, metrics_json)",
    trials.flatMap(({ trialId, epochs }) =>
      epochs.map((e) => [trialId, Number(e.epoch), encodeJson(e)])
    ),
    "ON CONFLICT (trial_id, epoch) DO UPDATE SET " +
      "metrics_json=excluded.metrics_json",
  );
}

/** Removes trials with all that belongs to them. */
export function deleteTrials(
  c: Connection,
  condition: string,
  values: Value[],
): void {
  const own = ["ferlab_epochs", "ferlab_artifacts"];
  for (const table of [...own, ...TRIAL_TABLES, "trials"]) {
    c.run(`DELETE FROM ${table} WHERE ${condition}`, values);
  }
}

/** An epoch as `TrialRow.epochs` shows it. */
export function epochRecord(
  { epoch, value, attrs }: EpochReport,
): Record<string, unknown> {
  return { ...attrs, epoch, value };
}

export function lostTrial(
  where: string,
  trialId: number,
  state: TrialState | undefined,
): LostTrialError {
  return new LostTrialError(
    state === undefined
      ? `trial id ${trialId} was deleted from ${where}`
      : `trial id ${trialId} in ${where} is ${state}, not RUNNING: another ` +
        `process took it over, its copy goes on`,
  );
}

/** The state of a trial; undefined where there is none. */
export async function trialState(
  c: Connection,
  trialId: number,
  lock = "",
): Promise<TrialState | undefined> {
  const [row] = await c.query(
    `SELECT state FROM trials WHERE trial_id=? ${lock}`,
    [trialId],
  );
  return row?.state as TrialState | undefined;
}

/** The same; no other transaction may change it then. */
export const lockTrial = (c: Connection, trialId: number) =>
  trialState(c, trialId, c.dialect.forUpdate);

export function beat(c: Connection, trialId: number): void {
  c.run(
    "INSERT INTO trial_heartbeats (trial_id, heartbeat) " +
      "VALUES (?, CURRENT_TIMESTAMP) ON CONFLICT (trial_id) " +
      "DO UPDATE SET heartbeat=excluded.heartbeat",
    [trialId],
  );
}

/** An outcome as it is recorded: NaN is no value. */
export function outcomeAsRecorded(outcome: Outcome): Outcome {
  if (outcome.state !== "COMPLETE" || !Number.isNaN(outcome.value ?? NaN)) {
    return outcome;
  }
  return {
    state: "FAIL",
    kind: "diverged",
    reason: "the value is NaN",
    attrs: outcome.attrs,
  };
}

/** The user attributes that an outcome leaves. */
export function outcomeAttributes(o: Outcome): Record<string, unknown> {
  if (o.state === "FAIL") {
    return { ...o.attrs, fail_kind: o.kind, fail_reason: o.reason };
  }
  if (o.state === "PRUNED") return { ...o.attrs, prune_reason: o.reason };
  return { ...o.attrs };
}

/** The objective value that an outcome leaves; null for none. */
export function outcomeValue(
  o: Outcome,
  intermediate: readonly { epoch: number; value: number }[],
): number | null {
  if (o.state === "COMPLETE") return o.value;
  const last = intermediate.at(-1)?.value;
  return o.state === "PRUNED" && last !== undefined && !Number.isNaN(last)
    ? last
    : null;
}

/** Of how many deaths in a row without a new epoch a trial is the last. */
export function deaths(row: TrialRow): number {
  const before = row.system["ferlab:deaths"] as
    | { count: number; epoch: number }
    | undefined;
  const epoch = row.intermediate.at(-1)?.epoch ?? -1;
  return epoch > (before?.epoch ?? -1) ? 0 : (before?.count ?? 0) + 1;
}

/** What a trial is before it has run: one repeat of one setting. */
export const waitingTrial = (
  { key, params, distributions, repeat, seed }: Omit<NewTrial, "key"> & {
    key?: string;
  },
): Draft => ({
  state: "WAITING",
  ...{ start: null, complete: null, value: null },
  ...{ params, distributions, attrs: { repeat, seed } },
  system: key === undefined
    ? {}
    : { fixed_params: params, "ferlab:point": { key, repeat, seed } },
  ...{ intermediate: [], epochs: [] },
});

/** A WAITING copy with all epochs so far, as Optuna's retry callback makes. */
export function waitingCopy(row: TrialRow, deathCount = 0): Draft {
  const attrs = Object.fromEntries(
    Object.entries(row.attrs).filter(([key]) =>
      !/^(fail|prune)_(kind|reason)$/.test(key)
    ),
  );
  const history = row.system.retry_history as number[] | undefined;
  const { "ferlab:worker": _, ...system } = row.system;
  return {
    ...row,
    state: "WAITING",
    ...{ start: null, complete: null, value: null, attrs },
    system: {
      ...system,
      failed_trial: row.system.failed_trial ?? row.number,
      retry_history: [...history ?? [], row.number],
      "ferlab:deaths": {
        count: deathCount,
        epoch: row.intermediate.at(-1)?.epoch ?? -1,
      },
    },
  };
}
