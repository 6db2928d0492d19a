/** Runs a study: every point that has no result yet, one after the other. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  expandGrid,
  type StudyDefinition,
  StudyError,
  type TrialPoint,
} from "./definition.ts";
import { readTrials, studyIdOf, type TrialRow } from "./rows.ts";
import { openForReading } from "./schema.ts";
import { type Claim, isSettled, keyOf, openStore, Store } from "./store.ts";
import type { EpochReport, Outcome } from "./tables.ts";

export type { StudyDefinition, TrialPoint } from "./definition.ts";

const HEARTBEAT_MS = 30_000;

export interface TrialResult {
  value: number;
  attrs?: Record<string, unknown>;
}

export interface TrialContext {
  /** Aborted when the study is asked to stop; reject or return soon after. */
  signal: AbortSignal;
  /** Records one epoch; a report of the same epoch replaces the earlier. */
  report(r: EpochReport): void;
  trialId: number;
  number: number;
  /** The point's own folder, the same one after a broken-off run. */
  checkpointDir: string;
}

export type TrainTrial = (
  point: TrialPoint,
  ctx: TrialContext,
) => Promise<TrialResult>;

export interface StudySummary {
  /** Points of the definition. */
  total: number;
  /** Trials that this call started. */
  ran: number;
  complete: number;
  failed: number;
  /** Points still without a result: waiting, or run by another process. */
  remaining: number;
  interrupted: boolean;
}

export type StudyEvent =
  | { type: "start"; total: number; missing: number; resumed: number }
  | { type: "nothing"; message: "nothing to do" }
  | { type: "trial"; point: TrialPoint; number: number }
  | { type: "epoch"; point: TrialPoint; number: number; report: EpochReport }
  | { type: "complete"; point: TrialPoint; number: number; value: number }
  | { type: "failed"; point: TrialPoint; number: number; reason: string }
  | { type: "interrupted"; point: TrialPoint; number: number }
  | { type: "lost"; point: TrialPoint; number: number; reason: string }
  | { type: "end"; summary: StudySummary };

/** The record file of a study's folder. */
export function recordsPath(dir: string): string {
  return join(dir, "records.sqlite");
}

/** The rows of a study. @throws StudyError without the file or the study */
export function trialRows(from: Store | string, studyName: string): TrialRow[] {
  if (from instanceof Store) return from.trials(studyName);
  const path = recordsPath(from);
  const db = openForReading(path);
  try {
    return readTrials(db, studyIdOf(db, studyName, path));
  } finally {
    db.close();
  }
}

function oneLine(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : error;
  return String(text).replace(/\s*\n\s*/g, " ").trim();
}

function prepareFolder(dir: string): void {
  const checkpoints = join(dir, "checkpoints");
  const probe = join(checkpoints, `.write-${crypto.randomUUID()}`);
  try {
    mkdirSync(checkpoints, { recursive: true });
    Deno.writeTextFileSync(probe, "");
    Deno.removeSync(probe);
  } catch (error) {
    throw new StudyError(
      `${dir}: cannot write here (${oneLine(error)}): ` +
        `choose a writable folder; no training was started`,
    );
  }
}

interface Run {
  store: Store;
  studyId: number;
  dir: string;
  signal: AbortSignal;
  onEvent: (e: StudyEvent) => void;
}

type Ending = Outcome | { state: "LOST"; reason: string };

/** Trains one claimed trial and records how it ended. */
async function runTrial(
  run: Run,
  train: TrainTrial,
  point: TrialPoint,
  { trialId, number }: Claim,
): Promise<Ending> {
  const { store, studyId, signal, onEvent } = run;
  let lost: string | undefined;
  const checkpointDir = join(run.dir, "checkpoints", point.key);
  const beat = setInterval(() => {
    try {
      store.heartbeat(trialId);
    } catch {
      // A busy file: the next beat is 30 s away, the grace four of them.
    }
  }, HEARTBEAT_MS);
  let outcome: Outcome;
  try {
    mkdirSync(checkpointDir, { recursive: true });
    const result = await train(point, {
      signal,
      trialId,
      number,
      checkpointDir,
      report(report) {
        try {
          store.report(trialId, report);
        } catch (error) {
          if (!store.owns(trialId)) lost = oneLine(error);
          throw error;
        }
        onEvent({ type: "epoch", point, number, report });
      },
    });
    outcome = signal.aborted
      ? {
        state: "FAIL",
        kind: "interrupted",
        reason: "stopped by the user",
        again: true,
      }
      : Number.isNaN(result.value)
      ? {
        state: "FAIL",
        kind: "diverged",
        reason: "the value is NaN",
        attrs: result.attrs,
      }
      : { state: "COMPLETE", ...result };
  } catch (error) {
    const reason = oneLine(error);
    if (error instanceof Error && error.name === "DivergedError") {
      outcome = { state: "FAIL", kind: "diverged", reason };
    } else if (
      error instanceof Error && error.name === "OutOfMemoryError"
    ) {
      outcome = { state: "FAIL", kind: "out of memory", reason };
    } else if (signal.aborted) {
      const kind = "interrupted";
      outcome = {
        state: "FAIL",
        kind,
        reason: "stopped by the user",
        again: true,
      };
    } else {
      outcome = { state: "FAIL", kind: "error", reason };
    }
  } finally {
    clearInterval(beat);
  }
  if (lost === undefined && !store.owns(trialId)) {
    lost = `trial ${number} was taken over by another process`;
  }
  if (lost !== undefined) {
    store.release(trialId);
    return { state: "LOST", reason: lost };
  }
  store.finish(studyId, trialId, outcome);
  return outcome;
}

/**
 * Runs what is missing of a study; records and checkpoints lie in `dir`. A
 * point with a value, or one that diverged, is never run twice. A trial that
 * was broken off (stop, crash, power cut) is run again from its checkpoint.
 *
 * `train` throws an error named "DivergedError" when the loss is no longer a
 * number: that trial counts as failed and the study goes on.
 *
 * @throws StudyError in one line: the folder cannot be written, the study is
 * recorded with another direction or metric, or two trials in a row failed
 * with the same error.
 */
export async function runStudy(
  def: StudyDefinition,
  train: TrainTrial,
  { dir, signal = new AbortController().signal, onEvent = () => {} }: {
    dir: string;
    signal?: AbortSignal;
    onEvent?: (e: StudyEvent) => void;
  },
): Promise<StudySummary> {
  const points = new Map(expandGrid(def).map((p) => [p.key, p]));
  const keys = new Set(points.keys());
  prepareFolder(dir);
  const store = openStore(recordsPath(dir));
  try {
    const studyId = store.createStudy(def);
    const run: Run = { store, studyId, dir, signal, onEvent };
    const resumed = store.reap(studyId);
    store.enqueue(studyId, def);
    const before = count(store.trials(def.name), keys);
    onEvent({
      type: "start",
      total: keys.size,
      missing: before.remaining,
      resumed,
    });
    if (before.remaining === 0) {
      onEvent({ type: "nothing", message: "nothing to do" });
    }
    let ran = 0;
    let lastError: string | undefined;
    while (!signal.aborted) {
      let claim = store.claim(studyId, keys);
      if (!claim && store.reap(studyId) > 0) claim = store.claim(studyId, keys);
      if (!claim) break;
      const point = points.get(claim.key)!;
      const { number } = claim;
      onEvent({ type: "trial", point, number });
      ran++;
      const ending = await runTrial(run, train, point, claim);
      if (ending.state === "COMPLETE") {
        onEvent({ type: "complete", point, number, value: ending.value });
        lastError = undefined;
      } else if (ending.state === "LOST") {
        onEvent({ type: "lost", point, number, reason: ending.reason });
      } else if (ending.kind === "interrupted") {
        onEvent({ type: "interrupted", point, number });
      } else {
        const { kind, reason } = ending;
        onEvent({ type: "failed", point, number, reason });
        if (kind === "error" && reason === lastError) {
          throw new StudyError(
            `study "${def.name}": two trials in a row failed with ` +
              `"${reason}": put that right and run the study again`,
          );
        }
        lastError = kind === "error" ? reason : undefined;
      }
    }
    const summary = {
      ...count(store.trials(def.name), keys),
      ran,
      interrupted: signal.aborted,
    };
    onEvent({ type: "end", summary });
    return summary;
  } finally {
    store.close();
  }
}

/** How many points have a value, failed for good, or have no result yet. */
function count(rows: readonly TrialRow[], keys: ReadonlySet<string>) {
  const state = new Map<string, "complete" | "failed" | "open">();
  for (const row of rows) {
    const key = keyOf(row);
    if (key === undefined || !keys.has(key)) continue;
    if (state.get(key) === "complete") continue;
    state.set(
      key,
      row.state === "FAIL" ? "failed" : isSettled(row) ? "complete" : "open",
    );
  }
  const of = (s: string) => [...state.values()].filter((v) => v === s).length;
  const complete = of("complete");
  const failed = of("failed");
  return {
    total: keys.size,
    complete,
    failed,
    remaining: keys.size - complete - failed,
  };
}
