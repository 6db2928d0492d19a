/** Taking the next waiting trial, never one that another process took. */
import type { Params } from "../definition.ts";
import type { Connection, Row } from "./database.ts";
import { decodeJson, type Distribution, encodeTime } from "./encoding.ts";
import { readTrials } from "./reading.ts";
import type { Claim, Point, TrialRow, Worker } from "./types.ts";
import { beat, putParams, setAttributes } from "./writes.ts";

interface Wanted {
  keys?: ReadonlySet<string>;
  distributions?: Record<string, Distribution>;
}

const PAGE = 64;

/** What chosen waiting trials say of their parameters. */
const candidates = (chosen: string) =>
  `SELECT t.trial_id, p.value_json AS point, x.value_json AS fixed
  FROM (${chosen}) t
  LEFT JOIN trial_system_attributes p
    ON p.trial_id=t.trial_id AND p.key='ferlab:point'
  LEFT JOIN trial_system_attributes x
    ON x.trial_id=t.trial_id AND x.key='fixed_params'
  ORDER BY t.trial_id`;

// SQLite reads what stands left of a CROSS JOIN first: the fewer rows.
const BROKEN_OFF = candidates(
  `SELECT w.trial_id FROM trial_system_attributes f CROSS JOIN trials w
  WHERE f.key='failed_trial' AND w.trial_id=f.trial_id AND w.study_id=?
    AND w.state='WAITING'`,
);
const ANY = candidates(
  `SELECT trial_id FROM trials WHERE study_id=? AND state='WAITING'
    AND trial_id>? ORDER BY trial_id LIMIT ${PAGE}`,
);

/** Waiting trials, those that were broken off first, then by id. */
async function* waiting(
  c: Connection,
  studyId: number,
): AsyncGenerator<Row> {
  const [brokenOff, first] = await Promise.all([
    c.query(BROKEN_OFF, [studyId]),
    c.query(ANY, [studyId, -1]),
  ]);
  yield* brokenOff;
  for (let page = first;;) {
    yield* page;
    if (page.length < PAGE) return;
    page = await c.query(ANY, [studyId, page.at(-1)!.trial_id]);
  }
}

/** The parameters of a trial that Optuna queued, if they are all known. */
function queuedParams(
  fixed: Record<string, unknown>,
  distributions: Record<string, Distribution>,
): Params | undefined {
  const params: Params = {};
  for (const [name, d] of Object.entries(distributions)) {
    const value = fixed[name];
    if (!fits(value, d)) return undefined;
    params[name] = value as Params[string];
  }
  return params;
}

function fits(value: unknown, d: Distribution): boolean {
  if (d.name === "CategoricalDistribution") {
    return d.attributes.choices.includes(value as string);
  }
  const { low, high } = d.attributes;
  return typeof value === "number" && value >= low && value <= high &&
    (d.name === "FloatDistribution" || Number.isSafeInteger(value));
}

function isWanted(row: Row, wanted: Wanted): boolean {
  if (row.point !== null) {
    const { key } = decodeJson(String(row.point)) as Point;
    return wanted.keys?.has(key) ?? true;
  }
  if (!wanted.distributions || row.fixed === null) return false;
  const fixed = decodeJson(String(row.fixed)) as Record<string, unknown>;
  return queuedParams(fixed, wanted.distributions) !== undefined;
}

/** `Store.claim`; `token` names this call, so that it can be done again. */
export async function claimTrial(
  c: Connection,
  studyId: number,
  wanted: Wanted,
  worker: Worker & { token: string },
): Promise<Claim | null> {
  for await (const candidate of waiting(c, studyId)) {
    if (!isWanted(candidate, wanted)) continue;
    const trialId = Number(candidate.trial_id);
    const taken = await c.query(
      `UPDATE trials SET state='RUNNING', datetime_start=?
      WHERE trial_id=(SELECT trial_id FROM trials WHERE trial_id=?
        AND state='WAITING' ${c.dialect.skipLocked})
      RETURNING trial_id`,
      [encodeTime(new Date()), trialId],
    );
    if (taken.length === 0) continue;
    setAttributes(c, "trial", "system", trialId, {
      "ferlab:worker": { ...worker, trialId },
    });
    beat(c, trialId);
    const [row] = await readTrials(c, { trialIds: [trialId] });
    if (row.system["ferlab:point"] === undefined) {
      Object.assign(row.params, putQueuedParams(c, row, wanted.distributions!));
    }
    return claimOf(row);
  }
  return null;
}

/** Records the parameters of a trial that Optuna queued. */
function putQueuedParams(
  c: Connection,
  row: TrialRow,
  distributions: Record<string, Distribution>,
): Params {
  const fixed = row.system.fixed_params as Record<string, unknown>;
  const params = queuedParams(fixed, distributions)!;
  putParams(c, [{ trialId: row.trialId, params, distributions }]);
  return params;
}

/** The running trial that an earlier attempt of a call took. */
export async function claimedBy(
  c: Connection,
  studyId: number,
  token: string,
): Promise<Claim | null> {
  const [found] = await c.query(
    `SELECT t.trial_id FROM trials t JOIN trial_system_attributes w
      ON w.trial_id=t.trial_id AND w.key='ferlab:worker'
    WHERE t.study_id=? AND t.state='RUNNING' AND w.value_json LIKE ?`,
    [studyId, `%"${token}"%`],
  );
  if (!found) return null;
  const [row] = await readTrials(c, { trialIds: [Number(found.trial_id)] });
  return claimOf(row);
}

function claimOf(row: TrialRow): Claim {
  const point = row.system["ferlab:point"] as Point | undefined;
  const history = row.system.retry_history as number[] | undefined;
  const number = (value: unknown) =>
    typeof value === "number" ? value : undefined;
  return {
    trialId: row.trialId,
    number: row.number,
    ...(point && { key: point.key }),
    params: row.params,
    repeat: point?.repeat ?? number(row.attrs.repeat) ?? 0,
    seed: point?.seed ?? number(row.attrs.seed) ?? null,
    ...(history?.length && { continues: history.at(-1) }),
  };
}
