/** Runs a study: every point that has no result yet, some at a time. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileFault } from "../faults/mod.ts";
import { parseStudy, type Study, type StudyInput } from "./definition.ts";
import { RunEndedError, StudyError } from "./errors.ts";
import {
  type Difference,
  differenceLines,
  type OpenedRecord,
  openRecord,
} from "./identity.ts";
import type { TrialPoint } from "./points.ts";
import { type Progress, RETRIES } from "./progress.ts";
import { provenance } from "./provenance.ts";
import { fitDistributions, StudyQueue } from "./queue.ts";
import { openStore, type ResultRow } from "./store/mod.ts";
import {
  type Ending,
  runTrial,
  type TrainTrial,
  type TrialEvent,
} from "./trial.ts";
import { takeUnsaved } from "./unsaved_results.ts";

/** The record file of a study's folder. */
export function recordsPath(dir: string): string {
  return join(dir, "records.sqlite");
}

export interface StudySummary extends Progress {
  /** Trials that this call started. */
  ran: number;
  interrupted: boolean;
}

export type StudyEvent =
  | TrialEvent
  /** The first one: what runs, and the name of its record. */
  | { type: "study"; study: Study; record: string }
  | {
    type: "start";
    total: number;
    missing: number;
    /** Trials of dead processes that were put back. */
    resumed: number;
  }
  | { type: "changed"; message: string; differences: Difference[] }
  | { type: "nothing"; message: "nothing to do" }
  | { type: "budget"; message: string }
  | { type: "waiting"; running: number }
  | { type: "end"; summary: StudySummary };

export interface RunOptions {
  /** Checkpoints, logs and, without `store`, the records. */
  dir: string;
  /** A file or a URL of PostgreSQL; `dir`/records.sqlite where none is named. */
  store?: string;
  signal?: AbortSignal;
  onEvent?: (e: StudyEvent) => void;
  /** Trials at once in this process (1). */
  jobs?: number;
  /** Between signs of life of a running trial (30). */
  heartbeatSeconds?: number;
  /** Without a sign of life a trial is dead (120). */
  graceSeconds?: number;
  /** How often a point that failed is run again, over all runs (3). */
  retries?: number;
  /** Stays until other processes' trials have ended too, in case they die. */
  wait?: boolean;
  /** Kept with the study, such as what a worker needs to train. */
  attributes?: Record<string, unknown>;
  /** Makes an older record's fixed settings comparable with today's. */
  completeFixed?: (fixed: Record<string, unknown>) => Record<string, unknown>;
}

/** Milliseconds between looks at other processes' trials. */
const POLL_MS = 2000;

function prepareFolder(dir: string): void {
  const probe = join(dir, "checkpoints", `.write-${crypto.randomUUID()}`);
  try {
    mkdirSync(join(dir, "checkpoints"), { recursive: true });
    mkdirSync(join(dir, "logs"), { recursive: true });
    Deno.writeTextFileSync(probe, "");
    Deno.removeSync(probe);
  } catch (error) {
    throw new StudyError(
      `${dir}: cannot write here (${fileFault(error)}): ` +
        `choose a writable folder; no training was started`,
    );
  }
}

/** Ends after the time or when the signal aborts. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}

/** What another record of the name has otherwise, as one line. */
function changedEvent({ changed, row }: OpenedRecord): StudyEvent | undefined {
  if (!changed) return;
  const { from, differences } = changed;
  const trials = Object.values(from.trials).reduce((a, b) => a + b, 0);
  return {
    type: "changed",
    differences,
    message: `other fixed settings than "${from.name}" with its ${trials} ` +
      `trials: ${differenceLines(differences).join("; ")}; ` +
      `"${row.name}" is a record of its own`,
  };
}

/**
 * Runs what is missing of a study; records, checkpoints and logs lie in `dir`.
 * A point with a value, one that was pruned, diverged or needs more memory is
 * never run twice. A trial that was broken off (stop, crash, power cut) is run
 * again from its checkpoint. Several processes may run one study.
 *
 * `train` throws an error named "DivergedError" when the loss is no longer a
 * number: that trial counts as failed and the study goes on.
 *
 * @throws StudyError in one line: the definition is not sound, the folder or
 * the store cannot be written, or two trials in a row failed with the same
 * error.
 */
export async function runStudy(
  input: StudyInput,
  train: TrainTrial,
  options: RunOptions,
): Promise<StudySummary> {
  const { dir, onEvent = () => {}, jobs = 1, wait = false } = options;
  const study = parseStudy(input);
  prepareFolder(dir);
  // Ends the other trials of this process when one cannot go on.
  const halt = new AbortController();
  const asked = options.signal ?? new AbortController().signal;
  const signal = AbortSignal.any([asked, halt.signal]);
  await using store = await openStore(options.store || recordsPath(dir), {
    onWarning: (message) => onEvent({ type: "warning", message }),
  });
  const record = await openRecord(store, study, options.completeFixed);
  const { studyId } = record.row;
  onEvent({ type: "study", study, record: record.row.name });
  const changed = changedEvent(record);
  if (changed) onEvent(changed);
  for (const [key, value] of Object.entries(options.attributes ?? {})) {
    await store.setStudyAttribute(studyId, key, value);
  }
  const distributions = await fitDistributions(store, study, studyId);
  const { graceSeconds = 120, heartbeatSeconds = 30 } = options;
  const { retries = RETRIES } = options;
  const queue = new StudyQueue(
    store,
    study,
    record,
    distributions,
    graceSeconds,
    retries + 1,
  );
  await takeUnsaved(store, studyId, dir, (message) => {
    onEvent({ type: "warning", message });
  });
  const resumed = await queue.reap();
  await queue.enqueue();
  const before = await queue.progress();
  onEvent({
    type: "start",
    total: queue.total,
    missing: before.remaining - before.running,
    resumed,
  });
  if (before.remaining === 0) {
    onEvent({ type: "nothing", message: "nothing to do" });
  }
  const trialRun = {
    ...{ store, study, studyId, dir, signal, heartbeatSeconds, onEvent },
    provenance: { provenance: provenance() },
  };
  const left = new Set<number>();
  const tellLeft = async () => {
    const rows = (await queue.givenUp()).filter((r) => !left.has(r.trialId));
    for (const { trialId } of rows) left.add(trialId);
    const message = leftMessage(study.name, rows, retries + 1);
    if (message) onEvent({ type: "warning", message });
  };
  await tellLeft();
  const failures = new RepeatedErrors(study.name);
  let ran = 0;
  let told = false;

  const work = async () => {
    let idle = 0;
    while (!signal.aborted) {
      const spent = await queue.spent();
      if (spent !== null) {
        if (!told) onEvent({ type: "budget", message: spent });
        told = true;
        return;
      }
      const next = await queue.next();
      if (!next) {
        if (!wait) return;
        const { remaining, running } = await queue.progress();
        if (remaining === 0) return;
        // Trials that were deleted meanwhile are queued again.
        if (running === 0 && !await queue.enqueue() && idle++ > 1) return;
        onEvent({ type: "waiting", running });
        await pause(POLL_MS, signal);
        continue;
      }
      const { point, claim } = next;
      onEvent({ type: "trial", point, number: claim.number });
      ran++;
      const ending = await runTrial(trialRun, train, point, claim);
      onEvent(endEvent(ending, point, claim.number));
      failures.note(ending);
    }
  };
  const slots = Array.from({ length: jobs }, () =>
    work().catch((error) => {
      halt.abort();
      throw error;
    }));
  const failed = (await Promise.allSettled(slots))
    .find((slot) => slot.status === "rejected");
  if (!failed && !await queue.isThere()) {
    throw new RunEndedError(
      `study "${study.name}" was deleted from ${store.name} while it ran: ` +
        `run it again to begin anew`,
    );
  }
  await tellLeft();
  if (failed) throw failed.reason;
  const summary = {
    ...await queue.progress(),
    ran,
    interrupted: asked.aborted,
  };
  onEvent({ type: "end", summary });
  return summary;
}

/** That points failed too often to be run again; undefined without any. */
function leftMessage(
  study: string,
  rows: readonly ResultRow[],
  tries: number,
): string | undefined {
  if (rows.length === 0) return;
  const one = rows.length === 1;
  const named = rows.slice(0, 3).map(({ params, point, number }) =>
    `${JSON.stringify(params)}, repeat ${point!.repeat} (trial ${number})`
  );
  if (rows.length > 3) named.push(`and ${rows.length - 3} more`);
  return `${one ? "one point has" : `${rows.length} points have`} failed ` +
    `${tries === 1 ? "once" : `${tries} times`} and ` +
    `${one ? "is" : "are"} left: ${named.join("; ")}: \`deno task study ` +
    `retry ${study}\` queues ${one ? "it" : "them"} again`;
}

/** Ends a study whose trials all fail the same way. */
class RepeatedErrors {
  #last?: string;

  constructor(readonly study: string) {}

  /** @throws RunEndedError at the second error of the same words in a row */
  note(ending: Ending): void {
    if (ending.state !== "FAIL" && ending.state !== "COMPLETE") return;
    const reason = ending.state === "FAIL" &&
        (ending.kind === "error" || ending.kind === "crashed")
      ? ending.reason
      : undefined;
    if (reason !== undefined && reason === this.#last) {
      throw new RunEndedError(
        `study "${this.study}": two trials in a row failed with ` +
          `"${reason}": put that right and run the study again`,
      );
    }
    this.#last = reason;
  }
}

function endEvent(
  ending: Ending,
  point: TrialPoint,
  number: number,
): TrialEvent {
  switch (ending.state) {
    case "COMPLETE":
      return { type: "complete", point, number, value: ending.value };
    case "PRUNED":
      return { type: "pruned", point, number, reason: ending.reason };
    case "LOST":
      return { type: "lost", point, number, reason: ending.reason };
    case "FAIL":
      return ending.kind === "interrupted"
        ? { type: "interrupted", point, number }
        : { type: "failed", point, number, reason: ending.reason };
  }
}
