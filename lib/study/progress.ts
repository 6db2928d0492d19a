/** How far a study is: points that are done, failed, open; its budget. */
import { canonical, type Study } from "./definition.ts";
import { sampledSettings } from "./points.ts";
import { isFinalFailure, type ResultRow, vainTries } from "./store/mod.ts";

export interface Progress {
  /** Points of the definition. */
  total: number;
  complete: number;
  pruned: number;
  failed: number;
  /** Points still without a result: waiting, or run by another process. */
  remaining: number;
  /** Trials that some process runs now. */
  running: number;
}

/** Whether a trial settles its point, so that it is not run again. */
export function isSettled(row: Pick<ResultRow, "state" | "failKind">): boolean {
  return row.state === "COMPLETE" || row.state === "PRUNED" ||
    row.state === "FAIL" && isFinalFailure(row.failKind);
}

/** How often a point that failed is tried again, where nothing else is said. */
export const RETRIES = 3;

/** The last trial of each point that failed `tries` times and is left. */
export function givenUp(
  rows: readonly ResultRow[],
  tries: number,
): ResultRow[] {
  const points = Map.groupBy(rows, (row) => row.point?.key);
  points.delete(undefined);
  return [...points.values()]
    .filter((trials) => (vainTries(trials) ?? 0) >= tries)
    .map((trials) => trials.at(-1)!);
}

/**
 * The points of a search whose settings follow from results, as far as they
 * are sampled: those of the first settings and repeats that the study names.
 */
export function sampledKeys(
  rows: readonly ResultRow[],
  study: Study,
): ReadonlySet<string> {
  const settings = sampledSettings(study) ?? 0;
  const ours = rows.filter((row) => row.point);
  const bySetting = Map.groupBy(ours, (row) => canonical(row.params));
  return new Set(
    [...bySetting.values()].slice(0, settings).flat()
      .filter(({ point }) => point!.repeat < study.repeats)
      .map(({ point }) => point!.key),
  );
}

/**
 * @param keys the points of the definition.
 * @param total how many points there are to be.
 */
export function progressOf(
  rows: readonly ResultRow[],
  keys: ReadonlySet<string>,
  total: number,
): Progress {
  const last = new Map<string, ResultRow>();
  let running = 0;
  for (const row of rows) {
    if (row.state === "RUNNING") running++;
    const key = row.point?.key;
    if (key === undefined || !keys.has(key)) continue;
    if (last.get(key)?.state !== "COMPLETE") last.set(key, row);
  }
  const count = (state: string) =>
    [...last.values()].filter((row) => row.state === state).length;
  const complete = count("COMPLETE");
  const pruned = count("PRUNED");
  const failed = count("FAIL");
  const remaining = total - complete - pruned - failed;
  return { total, complete, pruned, failed, remaining, running };
}

/** Why no new trial is to be started, or null while the budget lasts. */
export function spentBudget(
  { budget }: Study,
  { trials, hours }: { trials: number; hours: number },
): string | null {
  if (budget.trials !== undefined && trials >= budget.trials) {
    return `the budget of ${budget.trials} trials is spent`;
  }
  if (budget.hours !== undefined && hours >= budget.hours) {
    return `the budget of ${budget.hours} h is spent (${hours.toFixed(2)} h)`;
  }
  return null;
}
