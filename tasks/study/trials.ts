/** Of recorded trials: how long, why not, which failed for good, their files. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import {
  identityOf,
  StudyError,
  type StudyRow,
  type TrialRow,
} from "../../lib/study/commands.ts";
import type { FoundStudy } from "./records.ts";

/** The key of a trial's point; undefined for a trial of another tool. */
export function pointKey({ system }: TrialRow): string | undefined {
  return (system["ferlab:point"] as { key: string } | undefined)?.key;
}

/** Seconds that a trial took; null while it has not ended. */
export function trialSeconds({ start, complete }: TrialRow): number | null {
  return start && complete ? (+complete - +start) / 1000 : null;
}

/** Why a trial has no result: `diverged: the loss is NaN`. */
export function reasonOf({ attrs }: TrialRow): string {
  const { fail_kind, fail_reason, prune_reason } = attrs;
  return [fail_kind, fail_reason ?? prune_reason].filter(Boolean).join(": ");
}

/** The trial of a number. @throws StudyError when there is none */
export function findTrial(
  { name, record }: FoundStudy,
  trials: readonly TrialRow[],
  number: number,
): TrialRow {
  const trial = trials.find((t) => t.number === number);
  if (trial) return trial;
  const there = trials.length > 1
    ? `they are ${trials[0].number} to ${trials.at(-1)!.number}`
    : trials.length
    ? `it has only ${trials[0].number}`
    : "it has none yet";
  throw new StudyError(
    `study "${name}" in ${record} has no trial ${number}: ${there}`,
  );
}

/** The trials of each point, oldest first; another tool's trials are alone. */
export function byPoint(trials: readonly TrialRow[]): TrialRow[][] {
  return [...Map.groupBy(trials, (t) => pointKey(t) ?? t.number).values()];
}

/** The last trial of each point of which every trial failed. */
export function failedPoints(trials: readonly TrialRow[]): TrialRow[] {
  return byPoint(trials)
    .filter((point) => point.every((t) => t.state === "FAIL"))
    .map((point) => point.at(-1)!);
}

/** The name of a trial's folder below checkpoints/. */
function folderOf(row: StudyRow, trial: TrialRow): string {
  const record = identityOf(row)?.key.slice(0, 8);
  return pointKey(trial) ?? `${record}-trial${trial.number}`;
}

const those = (paths: string[]) => [...new Set(paths)].filter(existsSync);

/** The checkpoint folders of trials, those that are there. */
export function checkpointsOf(
  dir: string,
  row: StudyRow,
  trials: readonly TrialRow[],
): string[] {
  return those(
    trials.map((t) => join(dir, "checkpoints", folderOf(row, t))),
  );
}

/** The log files and unsaved results of trials, those that are there. */
export function logsOf(
  dir: string,
  row: StudyRow,
  trials: readonly TrialRow[],
): string[] {
  return those(trials.flatMap((t) => [
    join(dir, "logs", `${t.number}-${folderOf(row, t)}.log`),
    join(dir, "unsaved", `${folderOf(row, t)}.json`),
  ]));
}

/** Bytes of all files below a path. */
export function bytesBelow(path: string): number {
  const info = statSync(path, { throwIfNoEntry: false });
  if (!info?.isDirectory()) return info?.size ?? 0;
  return readdirSync(path)
    .reduce((sum, name) => sum + bytesBelow(join(path, name)), 0);
}
