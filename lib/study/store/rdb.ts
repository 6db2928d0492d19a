/** The trial store over either database: each call is one transaction. */
import { randomUUID } from "node:crypto";
import { StudyError } from "../errors.ts";
import { claim, claimedBy } from "./claim.ts";
import type { Database } from "./database.ts";
import type { Distribution } from "./encoding.ts";
import { held, thisWorker } from "./process.ts";
import * as queue from "./adding.ts";
import { readCurves, readResults, readStudies, readTrials } from "./reading.ts";
import * as running from "./running_trials.ts";
import { hasOwnTables } from "./tables.ts";
import * as studies from "./studies.ts";
import type {
  Claim,
  CurvePoint,
  EpochReport,
  FinishedTrial,
  NewTrial,
  Outcome,
  Reaped,
  ResultRow,
  Store,
  StudyRow,
  TrialRow,
} from "./types.ts";
import { setAttributes } from "./writes.ts";

export class RdbStore implements Store {
  readonly name: string;
  readonly kind: "sqlite" | "postgres";
  readonly #db: Database;
  readonly #worker = thisWorker();
  /** Of the trials that this store claimed, by id. */
  readonly #tokens = new Map<number, string>();
  readonly #stillness = new running.Stillness();

  constructor(db: Database) {
    this.#db = db;
    this.name = db.name;
    this.kind = db.dialect.kind;
  }

  studies(): Promise<StudyRow[]> {
    return this.#db.read((c) => readStudies(c));
  }

  createStudy(study: Parameters<Store["createStudy"]>[0]): Promise<StudyRow> {
    return this.#db.write((c) => studies.createStudy(c, this.name, study));
  }

  setStudyAttribute(
    studyId: number,
    key: string,
    value: unknown,
  ): Promise<void> {
    return this.#db.write(async (c) => {
      await Promise.resolve();
      setAttributes(c, "study", "user", studyId, { [key]: value });
    });
  }

  deleteStudy(studyId: number): Promise<void> {
    return this.#db.write((c) => studies.deleteStudy(c, studyId));
  }

  trials(studyId: number): Promise<TrialRow[]> {
    return this.#db.read(async (c) =>
      readTrials(c, { studyId }, await hasOwnTables(c))
    );
  }

  results(studyId: number, after = -1): Promise<ResultRow[]> {
    return this.#db.read((c) => readResults(c, studyId, after));
  }

  spent(studyId: number): Promise<{ trials: number; hours: number }> {
    return this.#db.read((c) => studies.spent(c, studyId));
  }

  distributions(studyId: number): Promise<Record<string, Distribution>> {
    return this.#db.read((c) => studies.distributions(c, studyId));
  }

  setDistribution(
    studyId: number,
    param: string,
    distribution: Distribution,
  ): Promise<void> {
    return this.#db.write((c) =>
      studies.setDistribution(c, this.name, studyId, param, distribution)
    );
  }

  curves(studyId: number): Promise<CurvePoint[]> {
    return this.#db.read((c) => readCurves(c, studyId));
  }

  enqueue(
    studyId: number,
    points: readonly NewTrial[],
    tries?: number,
  ): Promise<number> {
    return this.#count((c) => queue.enqueue(c, studyId, points, tries));
  }

  addSetting(
    studyId: number,
    index: number,
    trials: readonly NewTrial[],
  ): Promise<boolean> {
    const token = randomUUID();
    return this.#db.write((c) =>
      queue.addSetting(c, studyId, index, trials, token)
    );
  }

  settings(studyId: number): Promise<number> {
    return this.#db.read(async (c) =>
      await hasOwnTables(c) ? queue.settings(c, studyId) : 0
    );
  }

  addFinished(
    studyId: number,
    trials: readonly FinishedTrial[],
    instead: readonly number[] = [],
  ): Promise<number> {
    const token = randomUUID();
    return this.#count((c) =>
      queue.addFinished(c, studyId, trials, token, instead)
    );
  }

  retry(studyId: number, trialIds: readonly number[]): Promise<number> {
    return this.#count((c) => queue.retry(c, studyId, trialIds));
  }

  /** Counts what all attempts added: an earlier one may have been written. */
  async #count(
    add: (c: Parameters<Parameters<Database["write"]>[0]>[0]) => Promise<
      readonly unknown[]
    >,
  ): Promise<number> {
    const added = new Set<unknown>();
    await this.#db.write(async (c) => {
      for (const one of await add(c)) added.add(one);
    });
    return added.size;
  }

  async claim(
    studyId: number,
    o: Parameters<Store["claim"]>[1] = {},
  ): Promise<Claim | null> {
    const token = randomUUID();
    const worker = { ...this.#worker, token };
    held.add(token);
    const taken = await this.#db.write(async (c, again) =>
      again && await claimedBy(c, studyId, token) ||
      await claim(c, studyId, o, worker)
    ).catch((error) => {
      held.delete(token);
      throw error;
    });
    if (taken) this.#tokens.set(taken.trialId, token);
    else held.delete(token);
    return taken;
  }

  heartbeat(trialId: number): Promise<void> {
    return this.#db.write(async (c) => {
      await Promise.resolve();
      c.run(
        "UPDATE trial_heartbeats SET heartbeat=CURRENT_TIMESTAMP " +
          "WHERE trial_id=?",
        [trialId],
      );
    });
  }

  owns(trialId: number): Promise<boolean> {
    return this.#db.read(async (c) => {
      const [row] = await c.query(
        "SELECT state FROM trials WHERE trial_id=?",
        [trialId],
      );
      return row?.state === "RUNNING";
    });
  }

  async report(
    trialId: number,
    epochs: readonly EpochReport[],
  ): Promise<void> {
    const odd = epochs.find(({ epoch }) =>
      !Number.isSafeInteger(epoch) || epoch < 0
    );
    if (odd) {
      throw new StudyError(
        `report: epoch is ${odd.epoch}: give a whole number`,
      );
    }
    await this.#db.write((c) => running.report(c, this.name, trialId, epochs));
  }

  async finish(trialId: number, outcome: Outcome): Promise<void> {
    await this.#db.write((c) => running.finish(c, this.name, trialId, outcome));
    held.delete(this.#tokens.get(trialId) ?? "");
    this.#tokens.delete(trialId);
  }

  async reap(studyId: number, graceSeconds: number): Promise<Reaped[]> {
    const of = [studyId, graceSeconds, this.#stillness] as const;
    const dead = await this.#db.read((c) => running.deadTrials(c, ...of));
    if (dead.length === 0) return [];
    return this.#db.write((c) => running.reap(c, ...of));
  }

  saveArtifact(
    trialId: number,
    name: string,
    bytes: Uint8Array,
  ): Promise<void> {
    return this.#db.write(async (c) => {
      await Promise.resolve();
      studies.saveArtifact(c, trialId, name, bytes);
    });
  }

  artifacts(studyId: number, name: string): Promise<Map<number, Uint8Array>> {
    return this.#db.read(async (c) =>
      await hasOwnTables(c)
        ? studies.artifacts(c, this.name, studyId, name)
        : new Map()
    );
  }

  close(): Promise<void> {
    for (const token of this.#tokens.values()) held.delete(token);
    return this.#db.close();
  }
}
