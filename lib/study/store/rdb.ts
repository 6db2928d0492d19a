/** The trial store over either database: each call is one transaction. */
import { randomUUID } from "node:crypto";
import { StudyError } from "../errors.ts";
import * as adding from "./adding.ts";
import { claimedBy, claimTrial } from "./claim.ts";
import type { Connection, Database } from "./database.ts";
import { held, thisWorker } from "./process.ts";
import { readCurves, readResults, readStudies, readTrials } from "./reading.ts";
import * as running from "./running_trials.ts";
import * as studies from "./studies.ts";
import { hasOwnTables } from "./tables.ts";
import type { Store } from "./types.ts";
import { setAttributes, trialState } from "./writes.ts";

/** The store whose tables are in `db`. */
export function storeIn(db: Database): Store {
  const { name } = db;
  const thisProcess = thisWorker();
  /** Of the trials that this store claimed, by id. */
  const tokens = new Map<number, string>();
  const stillness = new running.Stillness();

  /** Sends writes without a look at what is there. */
  const send = (writes: (c: Connection) => void): Promise<void> =>
    db.write((c) => Promise.resolve(writes(c)));

  /** Counts what all attempts added: an earlier one may have been written. */
  async function count(
    add: (c: Connection) => Promise<readonly unknown[]>,
  ): Promise<number> {
    const added = new Set<unknown>();
    await db.write(async (c) => {
      for (const one of await add(c)) added.add(one);
    });
    return added.size;
  }

  const close = () => {
    for (const token of tokens.values()) held.delete(token);
    return db.close();
  };

  return {
    name,
    kind: db.dialect.kind,
    studies: () => db.read((c) => readStudies(c)),
    createStudy: (study) =>
      db.write((c) => studies.createStudy(c, name, study)),
    setStudyAttribute: (studyId, key, value) =>
      send((c) => setAttributes(c, "study", "user", studyId, { [key]: value })),
    deleteStudy: (studyId) => send((c) => studies.deleteStudy(c, studyId)),
    trials: (studyId) =>
      db.read(async (c) => readTrials(c, { studyId }, await hasOwnTables(c))),
    results: (studyId, after) => db.read((c) => readResults(c, studyId, after)),
    spent: (studyId) => db.read((c) => studies.spent(c, studyId)),
    distributions: (studyId) =>
      db.read((c) => studies.distributions(c, studyId)),
    setDistribution: (studyId, param, distribution) =>
      db.write((c) =>
        studies.setDistribution(c, name, studyId, param, distribution)
      ),
    curves: (studyId) => db.read((c) => readCurves(c, studyId)),
    enqueue: (studyId, points, tries) =>
      count((c) => adding.enqueue(c, studyId, points, tries)),
    addSetting(studyId, index, trials) {
      const token = randomUUID();
      return db.write((c) =>
        adding.addSetting(c, studyId, index, trials, token)
      );
    },
    settings: (studyId) =>
      db.read(async (c) =>
        await hasOwnTables(c) ? adding.countSettings(c, studyId) : 0
      ),
    addFinished(studyId, trials, instead = []) {
      const token = randomUUID();
      return count((c) =>
        adding.addFinished(c, studyId, trials, token, instead)
      );
    },
    retry: (studyId, ids) => count((c) => adding.retryTrials(c, studyId, ids)),
    async claim(studyId, wanted = {}) {
      const token = randomUUID();
      const worker = { ...thisProcess, token };
      held.add(token);
      const taken = await db.write(async (c, again) =>
        again && await claimedBy(c, studyId, token) ||
        await claimTrial(c, studyId, wanted, worker)
      ).catch((error) => {
        held.delete(token);
        throw error;
      });
      if (taken) tokens.set(taken.trialId, token);
      else held.delete(token);
      return taken;
    },
    heartbeat: (trialId) => send((c) => running.keepAlive(c, trialId)),
    owns: (trialId) =>
      db.read(async (c) => await trialState(c, trialId) === "RUNNING"),
    async report(trialId, epochs) {
      const odd = epochs.find(({ epoch }) =>
        !Number.isSafeInteger(epoch) || epoch < 0
      );
      if (odd) {
        throw new StudyError(
          `report: epoch is ${odd.epoch}: give a whole number`,
        );
      }
      await db.write((c) => running.reportEpochs(c, name, trialId, epochs));
    },
    async finish(trialId, outcome) {
      await db.write((c) => running.finishTrial(c, name, trialId, outcome));
      held.delete(tokens.get(trialId) ?? "");
      tokens.delete(trialId);
    },
    async reap(studyId, graceSeconds) {
      const of = [studyId, graceSeconds, stillness] as const;
      const dead = await db.read((c) => running.deadTrials(c, ...of));
      return dead.length > 0 ? db.write((c) => running.reap(c, ...of)) : [];
    },
    saveArtifact: (trialId, artifact, bytes) =>
      send((c) => studies.saveArtifact(c, trialId, artifact, bytes)),
    artifacts: (studyId, artifact) =>
      db.read(async (c) =>
        await hasOwnTables(c)
          ? studies.artifacts(c, name, studyId, artifact)
          : new Map()
      ),
    close,
    [Symbol.asyncDispose]: close,
  };
}
