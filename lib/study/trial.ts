/** One trial as its objective sees it, and how what it did is recorded. */
import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { dottedFrom, notPlain } from "../faults/mod.ts";
import type { Study } from "./definition.ts";
import { CrashedError, oneLine, PrunedError, RunEndedError } from "./errors.ts";
import type { TrialPoint } from "./points.ts";
import { type Curve, pruneReason } from "./pruners.ts";
import { keepUnsaved } from "./unsaved_results.ts";
import {
  type CurvePoint,
  type EpochReport,
  LostTrialError,
  type Outcome,
  type Store,
  StoreUnavailableError,
} from "./store/mod.ts";

export interface TrialResult {
  value: number;
  attrs?: Record<string, unknown>;
}

export interface TrialContext {
  /** Aborted when the study is asked to stop; reject or return soon after. */
  signal: AbortSignal;
  /**
   * Records one epoch; a report of the same epoch replaces the earlier.
   *
   * @throws PrunedError when the study's pruner ends the trial: let it pass.
   */
  report(r: EpochReport): Promise<void>;
  /** Keeps bytes with the trial's record, such as test predictions. */
  saveArtifact(name: string, bytes: Uint8Array): Promise<void>;
  /** Adds a line to the trial's log file. */
  log(line: string): void;
  trialId: number;
  number: number;
  /** The point's own folder, the same one after a broken-off run. */
  checkpointDir: string;
}

export type TrainTrial = (
  point: TrialPoint,
  ctx: TrialContext,
) => Promise<TrialResult>;

export type TrialEvent =
  | { type: "trial"; point: TrialPoint; number: number }
  | { type: "epoch"; point: TrialPoint; number: number; report: EpochReport }
  | { type: "complete"; point: TrialPoint; number: number; value: number }
  | { type: "pruned"; point: TrialPoint; number: number; reason: string }
  | { type: "failed"; point: TrialPoint; number: number; reason: string }
  | { type: "interrupted"; point: TrialPoint; number: number }
  | { type: "lost"; point: TrialPoint; number: number; reason: string }
  | { type: "warning"; message: string };

export type Ending = Outcome | { state: "LOST"; reason: string };

/** What a trial needs of the run that it belongs to. */
export interface TrialRun {
  store: Store;
  study: Study;
  studyId: number;
  dir: string;
  signal: AbortSignal;
  heartbeatSeconds: number;
  /** Recorded with each trial: machine, versions, hashes. */
  provenance: Record<string, unknown>;
  onEvent: (event: TrialEvent) => void;
}

/** How an objective's return or throw is recorded. */
async function outcomeOf(
  work: () => Promise<TrialResult>,
  signal: AbortSignal,
): Promise<Outcome> {
  const interrupted: Outcome = {
    state: "FAIL",
    kind: "interrupted",
    reason: "stopped by the user",
    again: true,
  };
  try {
    const result = await work();
    const { value, attrs } = result ?? {};
    if (signal.aborted) return interrupted;
    if (typeof value !== "number") {
      const reason = `the trial returned ${String(value)} as its value: ` +
        "return { value } with a number";
      return { state: "FAIL", kind: "error", reason, attrs };
    }
    return Number.isNaN(value)
      ? { state: "FAIL", kind: "diverged", reason: "the value is NaN", attrs }
      : { state: "COMPLETE", value, attrs };
  } catch (error) {
    const reason = (error as { code?: string } | null)?.code === "ENOSPC"
      ? `the disk is full: make room (${oneLine(error)})`
      : oneLine(error);
    switch (error instanceof Error ? error.name : "") {
      case "PrunedError":
        return { state: "PRUNED", reason };
      case "DivergedError":
        return { state: "FAIL", kind: "diverged", reason };
      case "OutOfMemoryError":
        return { state: "FAIL", kind: "out of memory", reason };
    }
    if (signal.aborted) return interrupted;
    const kind = error instanceof CrashedError ? "crashed" : "error";
    return { state: "FAIL", kind, reason };
  }
}

const said = (ending: Ending): string => {
  switch (ending.state) {
    case "COMPLETE":
      return `complete: ${ending.value}`;
    case "FAIL":
      return `failed (${ending.kind}): ${ending.reason}`;
    default:
      return `${ending.state.toLowerCase()}: ${ending.reason}`;
  }
};

/** Writes lines into a trial's log; a full disk costs lines, no trial. */
function logger(
  file: string,
  onEvent: TrialRun["onEvent"],
): (line: string) => void {
  let warned = false;
  return (line) => {
    try {
      appendFileSync(file, `${new Date().toISOString()} ${line}\n`);
    } catch (error) {
      const message = `${file}: cannot be written (${oneLine(error)})`;
      if (!warned) onEvent({ type: "warning", message });
      warned = true;
    }
  };
}

/** The curves of a study's other trials, for its pruner. */
async function curvesBut(
  { store, studyId }: TrialRun,
  trialId: number,
): Promise<{ own: Curve; others: Curve[] }> {
  const curves = Map.groupBy(await store.curves(studyId), (p) => p.trialId);
  const curveOf = (points: readonly CurvePoint[]): Curve => ({
    values: new Map(points.map(({ epoch, value }) => [epoch, value])),
    finished: points[0]?.state === "COMPLETE",
  });
  const own = curveOf(curves.get(trialId) ?? []);
  // A broken-off trial's epochs are its copy's as well.
  const others = [...curves.values()].filter(([{ trialId: id, state }]) =>
    id !== trialId && state !== "FAIL"
  );
  return { own, others: others.map(curveOf) };
}

/** Why the study's pruner ends a trial at an epoch; null where it does not. */
async function whyPruned(
  run: TrialRun,
  trialId: number,
  epoch: number,
): Promise<string | null> {
  const { pruner, direction } = run.study;
  if (pruner.kind === "none") return null;
  const { own, others } = await curvesBut(run, trialId);
  return pruneReason(pruner, own, others, epoch, direction);
}

/** Trains one claimed trial and records how it ended. */
export async function runTrial(
  run: TrialRun,
  train: TrainTrial,
  point: TrialPoint,
  { trialId, number }: { trialId: number; number: number },
): Promise<Ending> {
  const { store, study, signal, onEvent } = run;
  let lost: string | undefined;
  let unsaved: EpochReport[] = [];
  const unsavedArtifacts = new Map<string, Uint8Array>();
  const checkpointDir = join(run.dir, "checkpoints", point.key);
  const logFile = join(run.dir, "logs", `${number}-${point.key}.log`);
  const log = logger(logFile, onEvent);
  const noteLost = (error: unknown) => {
    if (error instanceof LostTrialError) lost = oneLine(error);
  };

  const beat = setInterval(() => {
    // A busy or restarting store: the next beat comes long before the grace
    // is over.
    store.heartbeat(trialId).catch(() => {});
  }, 1000 * run.heartbeatSeconds);

  /** The attributes that a record can hold; of each other one a warning. */
  const recordable = (attrs: Record<string, unknown> = {}) =>
    Object.fromEntries(
      Object.entries(attrs).filter(([name, value]) => {
        const [odd] = notPlain(value, [name]);
        if (odd === undefined) return true;
        const at = `trial ${number}: ${dottedFrom("attrs")(odd.path)}`;
        onEvent({
          type: "warning",
          message: `${at}: ${odd.what}; ${name} is not recorded`,
        });
      }),
    );

  /** A store that is away for a while ends no training. */
  const unlessAway = async <T>(what: string, work: () => Promise<T>) => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) {
        noteLost(error);
        throw error;
      }
      onEvent({
        type: "warning",
        message: `${oneLine(error)}; ${what} is kept and saved later`,
      });
    }
  };
  const saveEpochs = async () => {
    const sent = [...unsaved];
    if (sent.length) await store.report(trialId, sent);
    unsaved = unsaved.filter((report) => !sent.includes(report));
  };
  const saveArtifacts = async () => {
    for (const [name, bytes] of unsavedArtifacts) {
      await store.saveArtifact(trialId, name, bytes);
      unsavedArtifacts.delete(name);
    }
  };

  let outcome: Outcome;
  try {
    outcome = await outcomeOf(async () => {
      mkdirSync(checkpointDir, { recursive: true });
      const { params, repeat, seed } = point;
      log(
        `trial ${number} of study "${study.name}": ${
          JSON.stringify(params)
        }, ` +
          `repeat ${repeat}, seed ${seed}`,
      );
      const result = await train(point, {
        signal,
        trialId,
        number,
        checkpointDir,
        log,
        async saveArtifact(name, bytes) {
          unsavedArtifacts.set(name, bytes);
          await unlessAway(name, saveArtifacts);
        },
        async report(given) {
          const report = { ...given, attrs: recordable(given.attrs) };
          unsaved.push(report);
          const why = await unlessAway("the epoch", async () => {
            await saveEpochs();
            return await whyPruned(run, trialId, report.epoch);
          });
          log(`epoch ${report.epoch}: ${report.value}`);
          onEvent({ type: "epoch", point, number, report });
          if (why) throw new PrunedError(why);
        },
      });
      return { ...result, attrs: recordable(result?.attrs) };
    }, signal);
  } finally {
    clearInterval(beat);
  }

  let ending: Ending = outcome;
  if (lost === undefined) {
    const attrs = { ...outcome.attrs, ...run.provenance };
    try {
      await saveEpochs();
      await saveArtifacts();
      await store.finish(trialId, { ...outcome, attrs });
    } catch (error) {
      if (error instanceof StoreUnavailableError) {
        const file = keepUnsaved(run, { trialId, key: point.key }, {
          outcome: { ...outcome, attrs },
          epochs: unsaved,
          artifacts: unsavedArtifacts,
        });
        throw new RunEndedError(
          `${error.message}; how trial ${number} ended is kept in ${file} ` +
            `and is taken into the record at the next start`,
        );
      }
      noteLost(error);
      if (lost === undefined) throw error;
    }
  }
  if (lost !== undefined) ending = { state: "LOST", reason: lost };
  log(said(ending));
  return ending;
}
