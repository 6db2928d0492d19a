/** Settings of rows: the mean of their repeats, the best of each value. */
import { channels } from "../charts/mod.ts";
import { analysis, type ParamValue, StudyError } from "../study/mod.ts";
import type { Recipe } from "../train/mod.ts";
import {
  areAlike,
  parametersOf,
  pickFields,
  rising,
  type Row,
  rowsOf,
  valueAt,
  withParameterNames,
} from "./row.ts";
import { areSingle, asRuns } from "./as_runs.ts";
import { paramsText } from "./words.ts";

const { DATA_SET } = channels;

/** One setting with the mean of its repeats, as `analysis.settings` has it. */
export type SettingRow = Row & Omit<analysis.Setting, "params" | "runs">;

/** Of a value without a finished run. */
const NONE = { mean: null, low: null, high: null, sd: null, n: 0, failed: 0 };

function settingsOf(
  where: string,
  rows: readonly Row[],
  names: readonly string[],
): SettingRow[] {
  const odd = names.find((name) => Object.hasOwn(NONE, name));
  if (odd !== undefined) {
    throw new StudyError(
      `${where}: ${odd} is the name of a result: give the parameter another`,
    );
  }
  return analysis.settings(asRuns(where, rows, names))
    .map(({ params, runs: _, ...rest }) =>
      withParameterNames({ ...params, ...rest }, names)
    );
}

/**
 * The settings of rows, each with the mean of its repeats. `group` rounds or
 * names a field first, so that several of its values count as one:
 * `settings(rows, { lr: nearestFifth })`. Of one group all runs count,
 * whatever repeat they were.
 */
export function settings(
  rows: Iterable<Row>,
  group: Record<string, (value: never) => ParamValue> = {},
): SettingRow[] {
  const fields = Object.keys(group);
  const list = rowsOf("settings", rows, ["accuracy", ...fields]);
  const grouped = (row: Row, i: number): Row => ({
    ...row,
    repeat: undefined,
    ...Object.fromEntries(fields.map((field) => {
      const of = `settings: the function of ${field}`;
      const own = (row: Row) => group[field](row[field] as never);
      return [field, channels.callAt(of, own, row, i)];
    })),
  });
  const mapped = fields.length === 0 ? list : list.map(grouped);
  return settingsOf("settings", mapped, parametersOf(mapped, fields));
}

/** One value of a parameter at its best over all others. */
export interface Best extends SettingRow {
  /** Of the parameter; it also stands under the parameter's name. */
  value: ParamValue;
  /** The other parameters' values that won: "lr 1e-3". */
  nuisance: string;
  /** Settings of this value that only diverged or ran out of memory. */
  infeasible: number;
  /** Of a trial of the setting that won. */
  recipe?: Recipe;
}

/**
 * For each value of a parameter the best over all others, by the mean over
 * repeats (an isolation plot's points); of rows without repeats the best run.
 * An interval needs three runs: that of two says nothing.
 */
export function bestPer(rows: Iterable<Row>, parameter: string): Best[] {
  const all = rowsOf("bestPer", rows, [parameter, "accuracy"]);
  const names = parametersOf(all, [parameter]);
  const varied = names.filter((name) =>
    name !== parameter && new Set(all.map((row) => valueAt(row, name))).size > 1
  );
  const known = all.filter((row) => valueAt(row, parameter) !== undefined);
  const found = (areSingle(all) ? known.map((row) => [row]) : [known])
    .flatMap((own) => settingsOf("bestPer", own, names));
  const bests = [...Map.groupBy(found, (s) => s[parameter] as ParamValue)]
    .map(([value, own]): Best => {
      const best = analysis.bestOf(own, "maximize");
      return withParameterNames({
        ...best ?? NONE,
        ...best && best.n < 3 ? { low: null, high: null } : {},
        [parameter]: value,
        value,
        nuisance: paramsText(pickFields(best ?? {}, varied)),
        infeasible: own.filter((s) => s.n === 0 && s.infeasible > 0).length,
        recipe: known.find((row) =>
          best && row.recipe && areAlike(row, best, names)
        )?.recipe,
        ...known[0] && DATA_SET in known[0]
          ? { [DATA_SET]: (known[0] as Record<symbol, unknown>)[DATA_SET] }
          : {},
      }, names);
    });
  return rising(bests, (best) => best.value);
}

/** The runs behind `bestPer`: of each value those of the setting that won. */
export function runsAtBest<R extends Row>(
  rows: Iterable<R>,
  parameter: string,
): R[] {
  const all = rowsOf("runsAtBest", rows, [parameter, "accuracy"]);
  const names = parametersOf(all, [parameter]);
  const bests = bestPer(all, parameter).filter((best) => best.mean !== null);
  return all.filter((row) => bests.some((best) => areAlike(row, best, names)));
}
