/** Reading trial records as plain rows, for tables and charts. */
import type { DatabaseSync } from "node:sqlite";
import { type Params, StudyError } from "./definition.ts";
import {
  decodeJson,
  decodeParam,
  decodeTime,
  decodeValue,
  type Distribution,
} from "./encoding.ts";

export type TrialState = "WAITING" | "RUNNING" | "COMPLETE" | "FAIL" | "PRUNED";

export interface TrialRow {
  trialId: number;
  number: number;
  state: TrialState;
  params: Params;
  values: number[];
  /** The first of `values`; null without one. */
  value: number | null;
  /** User attributes: `seed`, `repeat`, `epochs`, `fail_kind`, … */
  attrs: Record<string, unknown>;
  system: Record<string, unknown>;
  intermediate: { epoch: number; value: number }[];
  start: Date | null;
  complete: Date | null;
}

/** The id of a study. @throws StudyError when the file has none of the name */
export function studyIdOf(
  db: DatabaseSync,
  name: string,
  path: string,
): number {
  const row = db.prepare("SELECT study_id FROM studies WHERE study_name=?")
    .get(name);
  if (!row) {
    const names = db.prepare("SELECT study_name AS n FROM studies").all()
      .map((r) => `"${r.n}"`).join(", ");
    throw new StudyError(
      `${path}: no study "${name}": it has ${names || "no study yet"}`,
    );
  }
  return Number(row.study_id);
}

/** All trials of a study in the order of their numbers. */
export function readTrials(db: DatabaseSync, studyId: number): TrialRow[] {
  const rows = new Map<number, TrialRow>();
  const each = (
    columns: string,
    table: string,
    order: string,
    use: (row: TrialRow, r: Record<string, unknown>) => void,
  ) => {
    const sql = `SELECT trial_id, ${columns} FROM ${table} WHERE trial_id IN ` +
      `(SELECT trial_id FROM trials WHERE study_id=?) ORDER BY ${order}`;
    for (const r of db.prepare(sql).all(studyId)) {
      const row = rows.get(Number(r.trial_id));
      if (row) use(row, r);
    }
  };
  // One read transaction, so that the tables fit each other.
  const nested = db.isTransaction;
  if (!nested) db.exec("BEGIN");
  try {
    const trials = db.prepare(
      "SELECT * FROM trials WHERE study_id=? ORDER BY trial_id",
    ).all(studyId);
    for (const t of trials) {
      rows.set(Number(t.trial_id), {
        trialId: Number(t.trial_id),
        number: Number(t.number),
        state: t.state as TrialState,
        params: {},
        values: [],
        value: null,
        attrs: {},
        system: {},
        intermediate: [],
        start: decodeTime(t.datetime_start as string | null),
        complete: decodeTime(t.datetime_complete as string | null),
      });
    }
    each(
      "param_name, param_value, distribution_json",
      "trial_params",
      "param_id",
      (row, r) => {
        const d = decodeJson(String(r.distribution_json)) as Distribution;
        row.params[String(r.param_name)] = decodeParam(
          Number(r.param_value),
          d,
        );
      },
    );
    each("value, value_type", "trial_values", "objective", (row, r) => {
      row.values.push(
        decodeValue(r.value as number | null, String(r.value_type)),
      );
      row.value = row.values[0];
    });
    each(
      "step, intermediate_value AS v, intermediate_value_type AS t",
      "trial_intermediate_values",
      "step",
      (row, r) =>
        row.intermediate.push({
          epoch: Number(r.step),
          value: decodeValue(r.v as number | null, String(r.t)),
        }),
    );
    for (const kind of ["user", "system"] as const) {
      each(
        "key, value_json",
        `trial_${kind}_attributes`,
        `trial_${kind}_attribute_id`,
        (row, r) => {
          const attrs = kind === "user" ? row.attrs : row.system;
          attrs[String(r.key)] = decodeJson(String(r.value_json));
        },
      );
    }
  } finally {
    if (!nested) db.exec("COMMIT");
  }
  return [...rows.values()].sort((a, b) => a.number - b.number);
}
