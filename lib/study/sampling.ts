/** The next setting of a study whose search learns from results. */
import { canonical, type Params, type Study } from "./definition.ts";
import { spacesOf } from "./points.ts";
import type { Observation } from "./search/space.ts";
import { tpePoint } from "./search/tpe.ts";
import type { ResultRow } from "./store/mod.ts";

/**
 * One observation a setting, the mean over its repeats, and the settings that
 * run without a result yet. A pruned trial counts with its last value, NaN as
 * the worst; a setting whose repeats were all pruned ranks behind the others,
 * by value alone, as rows do not tell epochs. A failed trial teaches nothing.
 */
export function resultsOf(
  rows: readonly ResultRow[],
  direction: Study["direction"],
): { observations: Observation[]; running: Params[] } {
  const worst = direction === "minimize" ? Infinity : -Infinity;
  const observations: Observation[] = [];
  const running: Params[] = [];
  const known = rows.filter(({ state }) =>
    ["COMPLETE", "PRUNED", "RUNNING"].includes(state)
  );
  for (const same of Map.groupBy(known, (r) => canonical(r.params)).values()) {
    const [{ params }] = same;
    const ended = same.filter(({ state }) => state !== "RUNNING");
    if (ended.length === 0) {
      running.push(params);
      continue;
    }
    const sum = ended.reduce((sum, { value }) => sum + (value ?? worst), 0);
    const pruned = ended.every(({ state }) => state === "PRUNED");
    observations.push({
      params,
      value: sum / ended.length,
      prunedAt: pruned ? 0 : undefined,
    });
  }
  return { observations, running };
}

/** The setting with this index, by all results so far. */
export function nextSetting(
  study: Study,
  rows: readonly ResultRow[],
  index: number,
): Params {
  const { search, direction, seed } = study;
  if (search.kind !== "tpe") throw new Error(`${search.kind} has no next`);
  const { observations, running } = resultsOf(rows, direction);
  return tpePoint(spacesOf(study), observations, {
    direction,
    seed,
    index,
    running,
    // One that waits or has failed is not to be run again.
    known: rows.map(({ params }) => params),
    startup: search.startup,
  });
}
