/** The single writes that a store's transactions are made of. */
import type { Params } from "../definition.ts";
import { type Connection, insertRows, type Value } from "./database.ts";
import {
  type Distribution,
  encodeJson,
  encodeParam,
  encodeTime,
  encodeValue,
} from "./encoding.ts";
import { LostTrialError } from "../errors.ts";
import { HIGHEST_NUMBER, TRIAL_TABLES } from "./tables.ts";
import type { EpochReport, Outcome, TrialRow, TrialState } from "./types.ts";

/** What a new trial is made of. */
export interface Draft {
  state: TrialState;
  start: Date | null;
  complete: Date | null;
  params: Params;
  distributions: Record<string, Distribution>;
  value: number | null;
  user: Record<string, unknown>;
  system: Record<string, unknown>;
  /** By epoch: the intermediate values, and our own records of them. */
  intermediate: { epoch: number; value: number }[];
  epochs: Record<string, unknown>[];
}

const UPSERT_JSON = (owner: string) =>
  `ON CONFLICT (${owner}_id, key) DO UPDATE SET value_json=excluded.value_json`;

/** Sets attributes of a study or a trial. */
export function setAttributes(
  c: Connection,
  owner: "study" | "trial",
  kind: "user" | "system",
  id: number,
  attributes: Record<string, unknown>,
): void {
  insertRows(
    c,
    `${owner}_${kind}_attributes (${owner}_id, key, value_json)`,
    Object.entries(attributes).map(([k, v]) => [id, k, encodeJson(v)]),
    UPSERT_JSON(owner),
  );
}

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
  const rows = <T>(of: (d: Draft, id: number) => Value[][]) =>
    drafts.flatMap((d, i) => of(d, ids[i]));
  putParams(c, drafts.map((d, i) => ({ ...d, trialId: ids[i] })));
  for (const kind of ["user", "system"] as const) {
    insertRows(
      c,
      `trial_${kind}_attributes (trial_id, key, value_json)`,
      rows((d, id) =>
        Object.entries(d[kind]).map(([k, v]) => [id, k, encodeJson(v)])
      ),
    );
  }
  insertRows(
    c,
    "trial_values (trial_id, objective, value, value_type)",
    rows((d, id) => d.value === null ? [] : [[id, 0, ...encodeValue(d.value)]]),
  );
  insertRows(
    c,
    INTERMEDIATE,
    rows((d, id) =>
      d.intermediate.map((e) => [id, e.epoch, ...encodeValue(e.value)])
    ),
  );
  insertRows(
    c,
    EPOCHS,
    rows((d, id) => d.epochs.map((e) => [id, Number(e.epoch), encodeJson(e)])),
  );
  return ids;
}

/** Records the parameters of trials. */
export function putParams(
  c: Connection,
  trials: readonly Pick<TrialRow, "trialId" | "params" | "distributions">[],
  onConflict = "",
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
    onConflict,
  );
}

const INTERMEDIATE = "trial_intermediate_values (trial_id, step, " +
  "intermediate_value, intermediate_value_type)";
const EPOCHS = "ferlab_epochs (trial_id, epoch, metrics_json)";

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

/** Records epochs of a trial, over earlier records of them. */
export function putEpochs(
  c: Connection,
  trialId: number,
  reports: readonly EpochReport[],
): void {
  // One statement may not change a row twice: the last report of an epoch.
  const epochs = [...new Map(reports.map((e) => [e.epoch, e])).values()];
  insertRows(
    c,
    INTERMEDIATE,
    epochs.map((e) => [trialId, e.epoch, ...encodeValue(e.value)]),
    "ON CONFLICT (trial_id, step) DO UPDATE SET " +
      "intermediate_value=excluded.intermediate_value, " +
      "intermediate_value_type=excluded.intermediate_value_type",
  );
  insertRows(
    c,
    EPOCHS,
    epochs.map((e) => [trialId, e.epoch, encodeJson(epochRecord(e))]),
    "ON CONFLICT (trial_id, epoch) DO UPDATE SET " +
      "metrics_json=excluded.metrics_json",
  );
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
export async function stateOf(
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
  stateOf(c, trialId, c.dialect.forUpdate);

export function beat(c: Connection, trialId: number): void {
  c.run(
    "INSERT INTO trial_heartbeats (trial_id, heartbeat) " +
      "VALUES (?, CURRENT_TIMESTAMP) ON CONFLICT (trial_id) " +
      "DO UPDATE SET heartbeat=excluded.heartbeat",
    [trialId],
  );
}

/** An outcome as it is recorded: NaN is no value. */
export function recorded(outcome: Outcome): Outcome {
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

/** A WAITING copy with all epochs so far, as Optuna's retry callback makes. */
export function copyOf(row: TrialRow, deathCount = 0): Draft {
  const user = Object.fromEntries(
    Object.entries(row.attrs).filter(([key]) =>
      !/^(fail|prune)_(kind|reason)$/.test(key)
    ),
  );
  const history = row.system.retry_history as number[] | undefined;
  const { "ferlab:worker": _, ...system } = row.system;
  return {
    state: "WAITING",
    start: null,
    complete: null,
    params: row.params,
    distributions: row.distributions,
    value: null,
    user,
    system: {
      ...system,
      failed_trial: row.system.failed_trial ?? row.number,
      retry_history: [...history ?? [], row.number],
      "ferlab:deaths": {
        count: deathCount,
        epoch: row.intermediate.at(-1)?.epoch ?? -1,
      },
    },
    intermediate: row.intermediate,
    epochs: row.epochs,
  };
}
