/** Studies and artifacts: making, naming, removing. */
import { createHash } from "node:crypto";
import { DamagedValueError, StudyError } from "../errors.ts";
import type { Connection } from "./database.ts";
import { decodeJson, type Distribution, encodeJson } from "./encoding.ts";
import { readStudies } from "./reading.ts";
import type { StudyRow } from "./types.ts";
import { deleteTrials, lockStudy, setAttributes } from "./writes.ts";

interface NewStudy {
  name: string;
  direction: "maximize" | "minimize";
  metric: string;
}

/** `Store.createStudy` */
export async function createStudy(
  c: Connection,
  where: string,
  study: NewStudy,
): Promise<StudyRow> {
  const { name, metric } = study;
  const [made] = await c.query(
    "INSERT INTO studies (study_name) VALUES (?) " +
      "ON CONFLICT (study_name) DO NOTHING RETURNING study_id",
    [name],
  );
  if (made) {
    const studyId = Number(made.study_id);
    c.run(
      "INSERT INTO study_directions (direction, study_id, objective) " +
        "VALUES (?, ?, 0)",
      [study.direction.toUpperCase(), studyId],
    );
    setAttributes(c, "study", "system", studyId, {
      "study:metric_names": [metric],
    });
  }
  const [row] = await readStudies(c, name);
  const objectives = await c.query(
    "SELECT objective FROM study_directions WHERE study_id=?",
    [row.studyId],
  );
  if (objectives.length > 1) {
    throw new StudyError(
      `study "${name}" in ${where} has ${objectives.length} objectives, ` +
        `this program knows one: give the study a new name`,
    );
  }
  const named = row.system["study:metric_names"] !== undefined;
  if (row.direction !== study.direction || named && row.metric !== metric) {
    throw new StudyError(
      `study "${name}" in ${where} has direction ${row.direction} and ` +
        `metric ${row.metric}, asked were ${study.direction} and ${metric}: ` +
        `give the study a new name`,
    );
  }
  return row;
}

/** `Store.distributions` */
export async function distributions(
  c: Connection,
  studyId: number,
): Promise<Record<string, Distribution>> {
  const rows = await c.query(
    `SELECT p.param_name, p.distribution_json FROM trial_params p
    JOIN (
      SELECT q.param_name, max(q.trial_id) AS trial_id
      FROM trial_params q JOIN trials t ON t.trial_id=q.trial_id
      WHERE t.study_id=? GROUP BY q.param_name
    ) last ON last.trial_id=p.trial_id AND last.param_name=p.param_name`,
    [studyId],
  );
  return Object.fromEntries(
    rows.map((r) => [
      String(r.param_name),
      decodeJson(String(r.distribution_json)) as Distribution,
    ]),
  );
}

/** `Store.spent` */
export async function spent(
  c: Connection,
  studyId: number,
): Promise<{ trials: number; hours: number }> {
  const { age } = c.dialect;
  const [{ n, seconds }] = await c.query(
    `SELECT count(*) AS n,
      sum(${age("datetime_start")} - ${age("datetime_complete")}) AS seconds
    FROM trials WHERE study_id=? AND datetime_complete IS NOT NULL`,
    [studyId],
  );
  return { trials: Number(n), hours: Number(seconds) / 3600 };
}

/** `Store.setDistribution` @throws StudyError when it does not hold the old */
export async function setDistribution(
  c: Connection,
  where: string,
  studyId: number,
  param: string,
  distribution: Distribution,
): Promise<void> {
  await lockStudy(c, studyId);
  const before = (await distributions(c, studyId))[param];
  if (before && !holds(distribution, before)) {
    throw new StudyError(
      `parameter ${param} in ${where} has ${encodeJson(before)}, which ` +
        `${encodeJson(distribution)} does not hold: run the study again, or ` +
        `give it a new name`,
    );
  }
  c.run(
    "UPDATE trial_params SET distribution_json=? WHERE param_name=? " +
      "AND trial_id IN (SELECT trial_id FROM trials WHERE study_id=?)",
    [encodeJson(distribution), param, studyId],
  );
}

/** Whether all that is stored under `old` means the same under `d`. */
function holds(d: Distribution, old: Distribution): boolean {
  if (d.name === "CategoricalDistribution") {
    return old.name === d.name &&
      old.attributes.choices.every((v, i) => v === d.attributes.choices[i]);
  }
  return old.name !== "CategoricalDistribution" &&
    (d.name === "FloatDistribution" || old.name === d.name) &&
    d.attributes.low <= old.attributes.low &&
    d.attributes.high >= old.attributes.high;
}

/** `Store.deleteStudy` */
export function deleteStudy(c: Connection, studyId: number): void {
  const ofStudy = "trial_id IN (SELECT trial_id FROM trials WHERE study_id=?)";
  deleteTrials(c, ofStudy, [studyId]);
  for (
    const table of [
      "ferlab_settings",
      "study_system_attributes",
      "study_user_attributes",
      "study_directions",
      "studies",
    ]
  ) c.run(`DELETE FROM ${table} WHERE study_id=?`, [studyId]);
}

const sha256 = (bytes: Uint8Array) =>
  createHash("sha256").update(bytes).digest("hex");

/** `Store.saveArtifact` */
export function saveArtifact(
  c: Connection,
  trialId: number,
  name: string,
  bytes: Uint8Array,
): void {
  c.run(
    "INSERT INTO ferlab_artifacts (trial_id, name, sha256, bytes) " +
      "VALUES (?, ?, ?, ?) ON CONFLICT (trial_id, name) DO UPDATE SET " +
      "sha256=excluded.sha256, bytes=excluded.bytes",
    [trialId, name, sha256(bytes), bytes],
  );
}

/** `Store.artifacts` @throws DamagedValueError when bytes are not what was kept */
export async function artifacts(
  c: Connection,
  where: string,
  studyId: number,
  name: string,
): Promise<Map<number, Uint8Array>> {
  const rows = await c.query(
    "SELECT a.trial_id, a.sha256, a.bytes FROM ferlab_artifacts a " +
      "JOIN trials t ON t.trial_id=a.trial_id " +
      "WHERE t.study_id=? AND a.name=? ORDER BY a.trial_id",
    [studyId, name],
  );
  return new Map(rows.map((r) => {
    const bytes = new Uint8Array(r.bytes as Uint8Array);
    if (sha256(bytes) !== r.sha256) {
      throw new DamagedValueError(
        `${where}: "${name}" of trial id ${r.trial_id} is not what was saved`,
      );
    }
    return [Number(r.trial_id), bytes];
  }));
}
