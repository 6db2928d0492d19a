/** A study's files beside its records: checkpoints, logs, unsaved results. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import {
  identityOf,
  type StudyRow,
  type TrialRow,
} from "../../lib/study/commands.ts";
import { keyOf } from "./trials.ts";

/** The name of a trial's folder below checkpoints/. */
function folderOf(row: StudyRow, trial: TrialRow): string {
  const record = identityOf(row)?.key.slice(0, 8);
  return keyOf(trial) ?? `${record}-trial${trial.number}`;
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
export function sizeOf(path: string): number {
  const info = statSync(path, { throwIfNoEntry: false });
  if (!info?.isDirectory()) return info?.size ?? 0;
  return readdirSync(path)
    .reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}
