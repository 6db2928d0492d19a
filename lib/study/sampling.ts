/** The next setting of a study whose search learns from results. */
import type { Params, Study } from "./definition.ts";
import { canonical } from "./identity.ts";
import { spacesOf } from "./points.ts";
import type { Observation } from "./search/space.ts";
import { tpePoint } from "./search/tpe.ts";
import type { ResultRow } from "./store/mod.ts";

/**
 * One observation a setting: the mean over its repeats. A pruned trial counts
 * with the value it had, a failed one teaches nothing.
 */
function observationsOf(rows: readonly ResultRow[]): Observation[] {
  const bySetting = new Map<string, { params: Params; values: number[] }>();
  for (const { params, state, value } of rows) {
    if (state !== "COMPLETE" && state !== "PRUNED" || value === null) continue;
    const key = canonical(params);
    const setting = bySetting.get(key) ?? { params, values: [] };
    setting.values.push(value);
    bySetting.set(key, setting);
  }
  return [...bySetting.values()].map(({ params, values }) => ({
    params,
    value: values.reduce((a, b) => a + b, 0) / values.length,
  }));
}

/** The setting with this index, by all results so far. */
export function nextSetting(
  study: Study,
  rows: readonly ResultRow[],
  index: number,
): Params {
  const { search, direction, seed } = study;
  if (search.kind !== "tpe") throw new Error(`${search.kind} has no next`);
  return tpePoint(spacesOf(study), observationsOf(rows), {
    direction,
    seed,
    index,
    startup: search.startup,
  });
}
