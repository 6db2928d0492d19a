/** The single writes that a store's transactions are made of. */
import type { DatabaseSync } from "node:sqlite";
import type { StudyDefinition, TrialPoint } from "./definition.ts";
import {
  decodeJson,
  type Distribution,
  distributionOf,
  encodeJson,
  encodeParam,
  encodeTime,
  encodeValue,
} from "./encoding.ts";
import { readTrials, type TrialRow } from "./rows.ts";

export interface EpochReport {
  epoch: number;
  value: number;
  attrs?: Record<string, unknown>;
}

export type FailKind =
  | "diverged"
  | "out of memory"
  | "error"
  | "interrupted"
  | "dead";

export type Outcome =
  | { state: "COMPLETE"; value: number; attrs?: Record<string, unknown> }
  | {
    state: "FAIL";
    kind: FailKind;
    reason: string;
    attrs?: Record<string, unknown>;
    /** Adds a WAITING copy that goes on from the checkpoint. */
    again?: boolean;
  };

/** Writes to Optuna's tables; each call belongs inside a transaction. */
export class Tables {
  constructor(readonly db: DatabaseSync) {}

  end(studyId: number, trialId: number, outcome: Outcome): void {
    let ended = outcome;
    if (ended.state === "COMPLETE" && Number.isNaN(ended.value)) {
      ended = {
        state: "FAIL",
        kind: "diverged",
        reason: "the value is NaN",
        attrs: ended.attrs,
      };
    }
    if (ended.state === "COMPLETE") {
      const [value, type] = encodeValue(ended.value);
      this.run(
        "INSERT INTO trial_values (trial_id, objective, value, value_type) " +
          "VALUES (?, 0, ?, ?)",
        trialId,
        value,
        type,
      );
    }
    const attrs = ended.state === "COMPLETE" ? { ...ended.attrs } : {
      ...ended.attrs,
      fail_kind: ended.kind,
      fail_reason: ended.reason,
    };
    for (const [key, value] of Object.entries(attrs)) {
      this.attribute("trial", "user", trialId, key, value);
    }
    this.run(
      "UPDATE trials SET state=?, datetime_complete=? " +
        "WHERE trial_id=? AND state='RUNNING'",
      ended.state,
      encodeTime(new Date()),
      trialId,
    );
    if (ended.state === "FAIL" && ended.again) {
      const row = readTrials(this.db, studyId)
        .find((r) => r.trialId === trialId)!;
      this.copy(studyId, row);
    }
  }

  distributions(
    studyId: number,
    def: StudyDefinition,
  ): Map<string, Distribution> {
    const stored = new Map<string, Distribution>();
    const rows = this.db.prepare(
      "SELECT DISTINCT param_name AS n, distribution_json AS d " +
        "FROM trial_params JOIN trials USING (trial_id) WHERE study_id=? " +
        "ORDER BY trial_id",
    ).all(studyId);
    for (const row of rows) {
      stored.set(String(row.n), decodeJson(String(row.d)) as Distribution);
    }
    return new Map(
      Object.entries(def.grid).map(([name, values]) => [
        name,
        distributionOf(name, values, stored.get(name)),
      ]),
    );
  }

  addPoint(
    studyId: number,
    point: TrialPoint,
    distributions: Map<string, Distribution>,
  ): void {
    const trialId = this.newTrial(studyId);
    for (const [name, value] of Object.entries(point.params)) {
      const distribution = distributions.get(name)!;
      this.run(
        "INSERT INTO trial_params (trial_id, param_name, param_value, " +
          "distribution_json) VALUES (?, ?, ?, ?)",
        trialId,
        name,
        encodeParam(value, distribution),
        encodeJson(distribution),
      );
    }
    const { params, repeat, seed, key } = point;
    this.attribute("trial", "system", trialId, "fixed_params", params);
    this.attribute("trial", "system", trialId, "ferlab:point", {
      key,
      repeat,
      seed,
    });
    this.attribute("trial", "user", trialId, "repeat", repeat);
    this.attribute("trial", "user", trialId, "seed", seed);
  }

  /** A WAITING copy with all epochs so far, as Optuna's retry callback makes. */
  copy(studyId: number, row: TrialRow): void {
    const trialId = this.newTrial(studyId);
    const from = row.trialId;
    this.run(
      "INSERT INTO trial_params (trial_id, param_name, param_value, " +
        "distribution_json) SELECT ?, param_name, param_value, " +
        "distribution_json FROM trial_params WHERE trial_id=? ORDER BY param_id",
      trialId,
      from,
    );
    this.run(
      "INSERT INTO trial_intermediate_values (trial_id, step, " +
        "intermediate_value, intermediate_value_type) SELECT ?, step, " +
        "intermediate_value, intermediate_value_type " +
        "FROM trial_intermediate_values WHERE trial_id=? ORDER BY step",
      trialId,
      from,
    );
    for (const [key, value] of Object.entries(row.attrs)) {
      if (key.startsWith("fail_")) continue;
      this.attribute("trial", "user", trialId, key, value);
    }
    const history = row.system.retry_history as number[] | undefined;
    const system: Record<string, unknown> = {
      ...row.system,
      failed_trial: row.system.failed_trial ?? row.number,
      retry_history: [...history ?? [], row.number],
    };
    delete system["ferlab:worker"];
    for (const [key, value] of Object.entries(system)) {
      this.attribute("trial", "system", trialId, key, value);
    }
  }

  newTrial(studyId: number): number {
    const trialId = this.insert(
      "INSERT INTO trials (number, study_id, state) VALUES (NULL, ?, 'WAITING')",
      studyId,
    );
    this.run(
      "UPDATE trials SET number=(SELECT count(*) FROM trials " +
        "WHERE study_id=? AND trial_id<?) WHERE trial_id=?",
      studyId,
      trialId,
      trialId,
    );
    return trialId;
  }

  beat(trialId: number): void {
    this.run(
      "INSERT INTO trial_heartbeats (trial_id, heartbeat) " +
        "VALUES (?, CURRENT_TIMESTAMP) ON CONFLICT (trial_id) " +
        "DO UPDATE SET heartbeat=CURRENT_TIMESTAMP",
      trialId,
    );
  }

  attribute(
    owner: "study" | "trial",
    kind: "user" | "system",
    id: number,
    key: string,
    value: unknown,
  ): void {
    this.run(
      `INSERT INTO ${owner}_${kind}_attributes (${owner}_id, key, value_json)
      VALUES (?, ?, ?) ON CONFLICT (${owner}_id, key)
      DO UPDATE SET value_json=excluded.value_json`,
      id,
      key,
      encodeJson(value),
    );
  }

  get(sql: string, ...values: (string | number | null)[]) {
    return this.db.prepare(sql).get(...values);
  }

  run(sql: string, ...values: (string | number | null)[]) {
    return this.db.prepare(sql).run(...values);
  }

  insert(sql: string, ...values: (string | number | null)[]): number {
    return Number(this.run(sql, ...values).lastInsertRowid);
  }
}
