/** Isolation plots: a scientific parameter with the nuisance ones tuned away. */
import { type Params, type ParamValue, StudyError } from "../definition.ts";
import {
  type AnalysisRow,
  bestOf,
  checkNames,
  type Direction,
  groupBy,
  keyOf,
  pick,
  type Roles,
  type Setting,
  settings,
} from "./rows.ts";

/** One value of the parameter, at its best. */
export interface IsolationPoint {
  value: ParamValue;
  /** The values of the other scientific parameters: one line of the plot. */
  line: Params;
  /** The best setting, with its interval and n; null where none is complete. */
  best: Setting | null;
  /** The nuisance values that won. */
  nuisance: Params;
  /** How many settings there were to choose from. */
  settings: number;
  /** How many of those only diverged or ran out of memory. */
  infeasible: number;
}

/**
 * For each value of a scientific parameter the best over the nuisance
 * parameters, by the mean over repeats (Google's tuning playbook). With other
 * scientific parameters, for each combination of theirs.
 *
 * @throws StudyError for an unknown parameter or one that is no scientific one.
 */
export function isolation(
  rows: readonly AnalysisRow[],
  { parameter, roles, direction }: {
    parameter: string;
    /** A parameter not named is scientific. */
    roles: Roles;
    direction: Direction;
  },
): IsolationPoint[] {
  checkNames("isolation", [parameter], rows);
  const isNuisance = (name: string) => roles[name] === "nuisance";
  if (isNuisance(parameter)) {
    throw new StudyError(
      `isolation: ${parameter} is a nuisance parameter: ask for a scientific one`,
    );
  }
  const scientific = (params: Params) =>
    pick(params, Object.keys(params).filter((name) => !isNuisance(name)));
  return groupBy(settings(rows), (s) => keyOf(scientific(s.params)))
    .map((group) => {
      const { [parameter]: value, ...line } = scientific(group[0].params);
      const best = bestOf(group, direction) ?? null;
      return {
        value,
        line,
        best,
        nuisance: best === null
          ? {}
          : pick(best.params, Object.keys(best.params).filter(isNuisance)),
        settings: group.length,
        infeasible: group.filter((s) => s.n === 0 && s.infeasible > 0).length,
      };
    });
}
