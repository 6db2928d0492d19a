/** Trial records: every change of a study's file, each in one transaction. */
import type { DatabaseSync } from "node:sqlite";
import { expandGrid, type StudyDefinition, StudyError } from "./definition.ts";
import { decodeJson, encodeTime, encodeValue } from "./encoding.ts";
import { isAlive, thisWorker, type Worker } from "./process.ts";
import { readTrials, studyIdOf, type TrialRow } from "./rows.ts";
import { openForWriting, transaction } from "./schema.ts";
import { type EpochReport, type Outcome, Tables } from "./tables.ts";

/** Seconds without a heartbeat after which another machine's trial is lost. */
export const GRACE_SECONDS = 120;

export interface Claim {
  trialId: number;
  number: number;
  key: string;
}

/** The key of our own point; undefined for a trial that another tool made. */
export function keyOf(row: TrialRow): string | undefined {
  const point = row.system["ferlab:point"] as { key?: string } | undefined;
  return point?.key;
}

/** Whether a trial settles its point, so that it is never run again. */
export function isSettled(row: TrialRow): boolean {
  return row.state === "COMPLETE" || row.state === "PRUNED" ||
    row.state === "FAIL" && row.attrs.fail_kind === "diverged";
}

// Trials that this process runs now, as `${real path}#${trialId}`.
const active = new Set<string>();

/** A record file that is open for writing. Close it when done. */
export class Store {
  readonly path: string;
  readonly #db: DatabaseSync;
  readonly #tables: Tables;
  readonly #file: string;
  readonly #worker = thisWorker();

  constructor(path: string) {
    this.path = path;
    this.#db = openForWriting(path);
    this.#tables = new Tables(this.#db);
    this.#file = Deno.realPathSync(path);
  }

  close(): void {
    this.#db.close();
  }

  /** All trials of a study, by number. @throws StudyError without the study */
  trials(studyName: string): TrialRow[] {
    return readTrials(this.#db, studyIdOf(this.#db, studyName, this.path));
  }

  /**
   * The study's id; makes the study when there is none of the name.
   *
   * @throws StudyError when it is there with another direction or metric.
   */
  createStudy(def: StudyDefinition): number {
    const direction = (def.direction ?? "maximize").toUpperCase();
    const metric = def.metric ?? "value";
    expandGrid(def); // a bad definition writes nothing
    return transaction(this.#db, () => {
      const found = this.#tables.get(
        "SELECT study_id AS id FROM studies WHERE study_name=?",
        def.name,
      );
      const id = found ? Number(found.id) : this.#tables.insert(
        "INSERT INTO studies (study_name) VALUES (?)",
        def.name,
      );
      if (!found) {
        this.#tables.run(
          "INSERT INTO study_directions (direction, study_id, objective) " +
            "VALUES (?, ?, 0)",
          direction,
          id,
        );
        this.#tables.attribute("study", "system", id, "study:metric_names", [
          metric,
        ]);
      }
      const recorded = this.#tables.get(
        "SELECT direction AS d FROM study_directions WHERE study_id=?",
        id,
      )?.d;
      const names = this.#tables.get(
        "SELECT value_json AS j FROM study_system_attributes " +
          "WHERE study_id=? AND key='study:metric_names'",
        id,
      )?.j;
      const known = names ? (decodeJson(String(names)) as string[])[0] : metric;
      if (recorded !== direction || known !== metric) {
        throw new StudyError(
          `study "${def.name}" in ${this.path} has direction ` +
            `${String(recorded).toLowerCase()} and metric ${known}, asked ` +
            `were ${direction.toLowerCase()} and ${metric}: ` +
            `give the study a new name`,
        );
      }
      this.#checkConditions(id, def);
      this.#tables.attribute("study", "user", id, "definition", def);
      return id;
    });
  }

  /** Refuses conditions that differ from those the trials were run under. */
  #checkConditions(studyId: number, { name, conditions }: StudyDefinition) {
    const row = this.#tables.get(
      "SELECT value_json AS j FROM study_user_attributes " +
        "WHERE study_id=? AND key='definition'",
      studyId,
    );
    if (!row) return;
    const before = (decodeJson(String(row.j)) as StudyDefinition).conditions;
    const text = (from: typeof conditions, key: string) =>
      JSON.stringify(from?.[key]) ?? "nothing";
    const keys = Object.keys({ ...before, ...conditions });
    const changed = keys.find((k) => text(before, k) !== text(conditions, k));
    if (changed !== undefined) {
      throw new StudyError(
        `study "${name}" in ${this.path} was run with ${changed} ` +
          `${text(before, changed)}, asked was ${text(conditions, changed)}: ` +
          `choose another folder, or give the study a new name`,
      );
    }
  }

  /**
   * Adds a WAITING trial for every point that has none to run and no result;
   * returns how many. A point whose last trial failed by an error is tried
   * again, one that diverged is not.
   */
  enqueue(studyId: number, def: StudyDefinition): number {
    const points = expandGrid(def);
    return transaction(this.#db, () => {
      const rows = readTrials(this.#db, studyId);
      const distributions = this.#tables.distributions(studyId, def);
      const last = new Map<string, TrialRow>();
      const held = new Set<string>();
      for (const row of rows) {
        const key = keyOf(row);
        if (key === undefined) continue;
        last.set(key, row);
        if (row.state !== "FAIL" || isSettled(row)) held.add(key);
      }
      const missing = points.filter((p) => !held.has(p.key));
      for (const point of missing) {
        const failed = last.get(point.key);
        if (failed) this.#tables.copy(studyId, failed);
        else this.#tables.addPoint(studyId, point, distributions);
      }
      return missing.length;
    });
  }

  /**
   * Takes the next WAITING trial of the given points, those that were broken
   * off first; null when none is left.
   */
  claim(studyId: number, keys: ReadonlySet<string>): Claim | null {
    return transaction(this.#db, () => {
      const waiting = this.#db.prepare(
        `SELECT t.trial_id AS id, t.number AS number, p.value_json AS point
        FROM trials t
        JOIN trial_system_attributes p
          ON p.trial_id=t.trial_id AND p.key='ferlab:point'
        LEFT JOIN trial_system_attributes f
          ON f.trial_id=t.trial_id AND f.key='failed_trial'
        WHERE t.study_id=? AND t.state='WAITING'
        ORDER BY f.key IS NULL, t.trial_id`,
      ).all(studyId);
      for (const row of waiting) {
        const { key } = decodeJson(String(row.point)) as { key: string };
        if (!keys.has(key)) continue;
        const trialId = Number(row.id);
        const { changes } = this.#tables.run(
          "UPDATE trials SET state='RUNNING', datetime_start=? " +
            "WHERE trial_id=? AND state='WAITING'",
          encodeTime(new Date()),
          trialId,
        );
        if (Number(changes) !== 1) continue;
        this.#tables.attribute(
          "trial",
          "system",
          trialId,
          "ferlab:worker",
          this.#worker,
        );
        this.#tables.beat(trialId);
        active.add(`${this.#file}#${trialId}`);
        return { trialId, number: Number(row.number), key };
      }
      return null;
    });
  }

  /** Whether a trial is still this process's to write. */
  owns(trialId: number): boolean {
    return this.#stateOf(trialId) === "RUNNING";
  }

  /** Forgets a trial that another process took over. */
  release(trialId: number): void {
    active.delete(`${this.#file}#${trialId}`);
  }

  /** Says that a running trial lives. */
  heartbeat(trialId: number): void {
    this.#tables.beat(trialId);
  }

  /**
   * Records one epoch: its value as intermediate value, value and attributes
   * in the user attribute `epochs`. A later report of an epoch replaces it.
   *
   * @throws StudyError when the trial is no longer this process's to write.
   */
  report(trialId: number, { epoch, value, attrs }: EpochReport): void {
    if (!Number.isSafeInteger(epoch) || epoch < 0) {
      throw new StudyError(`report: epoch is ${epoch}: give a whole number`);
    }
    transaction(this.#db, () => {
      this.#checkOwn(trialId);
      const [stored, type] = encodeValue(value);
      this.#tables.run(
        "INSERT INTO trial_intermediate_values (trial_id, step, " +
          "intermediate_value, intermediate_value_type) VALUES (?, ?, ?, ?) " +
          "ON CONFLICT (trial_id, step) DO UPDATE SET " +
          "intermediate_value=excluded.intermediate_value, " +
          "intermediate_value_type=excluded.intermediate_value_type",
        trialId,
        epoch,
        stored,
        type,
      );
      const text = this.#tables.get(
        "SELECT value_json AS j FROM trial_user_attributes " +
          "WHERE trial_id=? AND key='epochs'",
        trialId,
      )?.j;
      const before = text
        ? decodeJson(String(text)) as { epoch: number }[]
        : [];
      const epochs = before.filter((e) => e.epoch !== epoch);
      epochs.push({ ...attrs, epoch, value } as { epoch: number });
      epochs.sort((a, b) => a.epoch - b.epoch);
      this.#tables.attribute("trial", "user", trialId, "epochs", epochs);
      this.#tables.beat(trialId);
    });
  }

  /**
   * Ends a running trial. A value of NaN has no place in Optuna's tables, so
   * the trial fails as diverged. With `again` a WAITING copy is added.
   *
   * @throws StudyError when the trial is no longer this process's to write.
   */
  finish(studyId: number, trialId: number, outcome: Outcome): void {
    try {
      transaction(this.#db, () => {
        this.#checkOwn(trialId);
        this.#tables.end(studyId, trialId, outcome);
      });
    } finally {
      active.delete(`${this.#file}#${trialId}`);
    }
  }

  /**
   * Puts back the RUNNING trials of dead processes: each is marked FAIL and a
   * WAITING copy is added. Returns how many.
   */
  reap(studyId: number, graceSeconds = GRACE_SECONDS): number {
    return transaction(this.#db, () => {
      const stale = new Set(
        this.#db.prepare(
          "SELECT trial_id AS id FROM trial_heartbeats WHERE " +
            "(julianday('now') - julianday(heartbeat)) * 86400 > ?",
        ).all(graceSeconds).map((r) => Number(r.id)),
      );
      let reaped = 0;
      for (const row of readTrials(this.#db, studyId)) {
        if (row.state !== "RUNNING" || keyOf(row) === undefined) continue;
        if (this.#lives(row, stale.has(row.trialId))) continue;
        this.#tables.end(studyId, row.trialId, {
          state: "FAIL",
          kind: "dead",
          reason: "its process ended before the trial did",
          again: true,
        });
        reaped++;
      }
      return reaped;
    });
  }

  #lives(row: TrialRow, stale: boolean): boolean {
    const worker = row.system["ferlab:worker"] as Worker | undefined;
    if (!worker) return !stale;
    if (worker.pid === this.#worker.pid && worker.host === this.#worker.host) {
      return active.has(`${this.#file}#${row.trialId}`);
    }
    return isAlive(worker) ?? !stale;
  }

  #stateOf(trialId: number) {
    return this.#tables.get(
      "SELECT state FROM trials WHERE trial_id=?",
      trialId,
    )?.state;
  }

  #checkOwn(trialId: number): void {
    const state = this.#stateOf(trialId);
    if (state !== "RUNNING") {
      throw new StudyError(
        `trial id ${trialId} in ${this.path} is ${state ?? "gone"}, not ` +
          `RUNNING: another process took it over, its copy goes on`,
      );
    }
  }
}

/** Opens or makes a record file. @throws StudyError in one line */
export function openStore(path: string): Store {
  return new Store(path);
}
