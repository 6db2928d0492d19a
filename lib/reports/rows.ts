/** Rows of trials as all pieces of a report take them. */
import {
  analysis,
  type EpochSummary,
  type Params,
  type ParamValue,
  StudyError,
  type TrainingRow,
} from "../study/mod.ts";
import { highest, type Recipe } from "../train/mod.ts";
import { paramsText } from "./show.ts";

/**
 * A trial, a published run or a row of one's own: parameters stand in it by
 * name, dots included (`row.lr`, `row["mixing.alpha"]`), beside what came out.
 * Only `accuracy` (a share; null where it failed) is needed.
 */
// deno-lint-ignore no-explicit-any
export type Row = Record<string, any>;

/**
 * A trial on record with its parameters; a failed one lacks what it never
 * reached. `accuracy` is that on test at the epoch that validation chose, and
 * null for a failed trial; a measurement has none.
 */
export interface Trial extends
  Row,
  Omit<
    TrainingRow,
    "params" | "epochs" | "interval" | "fail_kind" | "fail_reason"
  > {
  study: string;
  /** 95 % Wilson interval of `accuracy`. */
  low?: number;
  high?: number;
  /** At the same epoch: mean recall of the classes on test, and validation. */
  balanced?: number;
  validation?: number;
  /** Of a failed trial: its kind, and its one line. */
  failKind?: string;
  reason?: string;
  /** One entry an epoch. */
  history: EpochSummary[];
}

/** Under this key a row keeps which of its fields are parameters. */
const PARAMETERS = Symbol.for("ferlab.parameters");

/** `row` with the names of its fields that are parameters; copies keep them. */
export const named = <R extends Row>(row: R, names: readonly string[]): R =>
  Object.assign(row, { [PARAMETERS]: names });

/** What a row without that list may have besides parameters. */
const RESULTS = new Set([
  ...["accuracy", "mean", "low", "high", "sd", "n", "value", "repeat", "seed"],
  ...["state", "number", "study", "seconds", "reason", "failKind", "note"],
  ...["uncertainty", "balanced", "validation", "chosenEpoch", "failed"],
  ...["maxTestAccuracy", "infeasible", "nuisance", "run"],
]);

const isValue = (v: unknown): v is ParamValue =>
  typeof v === "string" || typeof v === "boolean" ||
  typeof v === "number" && Number.isFinite(v);

/** The parameters of rows: those of their study, or all that is no result. */
export function parametersOf(rows: readonly Row[]): string[] {
  const names = rows.flatMap((row) =>
    (row as { [PARAMETERS]?: string[] })[PARAMETERS] ??
      Object.keys(row).filter((k) => !RESULTS.has(k) && isValue(row[k]))
  );
  return [...new Set(names)];
}

/**
 * @throws StudyError for what is no list of rows: most often a promise of
 * them, which wants an await
 */
export function checkRows(where: string, rows: unknown): void {
  const isRow = (row: unknown) => typeof row === "object" && row !== null;
  if (Array.isArray(rows) && rows.every(isRow)) return;
  const what = rows instanceof Promise
    ? "a promise of rows: put await before what gives them"
    : Array.isArray(rows)
    ? `a list with ${rows.find((row) => !isRow(row))} in it: give objects`
    : `${rows === null ? "null" : typeof rows}: give a list of rows`;
  throw new StudyError(`${where}: this is ${what}`);
}

/** What a row has of `names`. */
export const pick = (row: Row, names: readonly string[]): Params =>
  Object.fromEntries(
    names.filter((name) => isValue(row[name])).map((name) => [name, row[name]]),
  );

/** A row's parameters by name. */
export const paramsOf = (row: Row): Params => pick(row, parametersOf([row]));

/** A field of rows by name, or by a function of the row. */
export type Field = string | ((row: Row) => unknown);

/**
 * @throws StudyError for a field that no row has; the message lists those that
 * there are
 */
export function checkField(
  where: string,
  rows: readonly Row[],
  field: string,
): void {
  checkRows(where, rows);
  if (rows.length === 0 || rows.some((row) => row[field] !== undefined)) return;
  const known = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  throw new StudyError(
    `${where}: no row has "${field}": there are ${known.join(", ")}`,
  );
}

/**
 * Rows as the analyses take them. Rows without a repeat, such as published
 * ones, count as repeats of their setting in their order.
 */
export function asRuns(
  rows: readonly Row[],
  names: readonly string[] = parametersOf(rows),
  value: Field = "accuracy",
): analysis.AnalysisRow[] {
  const seen = new Map<string, number>();
  return rows.map((row) => {
    const params = pick(row, names);
    const key = JSON.stringify(params);
    const repeat = row.repeat ?? seen.get(key) ?? 0;
    seen.set(key, repeat + 1);
    const got = typeof value === "function" ? value(row) : row[value];
    const number = typeof got === "number" && Number.isFinite(got) ? got : null;
    return {
      params,
      repeat,
      seed: row.seed,
      state: row.state === "COMPLETE" || row.state === undefined
        ? number === null ? "FAIL" : "COMPLETE"
        : row.state,
      value: number,
      failKind: row.failKind ??
        (row.state === "COMPLETE" && number === null ? "diverged" : undefined),
      maxTestValue: row.maxTestAccuracy,
      optimistic: row.optimistic,
      predictions: row.predictions,
    };
  });
}

export const isDone = (row: Row): boolean =>
  (row.state ?? "COMPLETE") === "COMPLETE" && Number.isFinite(row.accuracy);

/** The rows that have an accuracy and these values. */
export const where = (rows: readonly Row[], values: Row): Row[] =>
  rows.filter((row) =>
    isDone(row) &&
    Object.entries(values).every(([name, value]) => row[name] === value)
  );

/** Items by a value of each: numbers rise, all else keeps its order. */
export const rising = <T>(items: T[], of: (item: T) => unknown): T[] =>
  items.every((item) => typeof of(item) === "number")
    ? items.toSorted((a, b) => Number(of(a)) - Number(of(b)))
    : items;

/** The values of a field among rows that have an accuracy; numbers rise. */
export function valuesOf(rows: readonly Row[], field: string): ParamValue[] {
  checkField("valuesOf", rows, field);
  const values = new Set(rows.filter(isDone).map((row) => row[field]));
  return rising([...values].filter(isValue), (value) => value);
}

/**
 * A study's trials as rows. A trial's value is its accuracy, or what a study
 * of measurements calls it.
 */
export const trialsOf = (
  study: string,
  rows: readonly TrainingRow[],
  field = "accuracy",
): Trial[] =>
  rows.map((
    { params, epochs, interval, fail_kind, fail_reason, accuracy, ...rest },
  ) => {
    const chosen = epochs.find((e) => e.epoch === rest.chosenEpoch);
    return named({
      ...rest,
      [field]: accuracy,
      study,
      low: interval?.low,
      high: interval?.high,
      balanced: chosen?.testBalancedAccuracy,
      validation: chosen?.validationAccuracy,
      failKind: fail_kind,
      reason: fail_reason,
      history: epochs,
      ...params,
    } as unknown as Trial, Object.keys(params));
  });

/** One setting with its repeats. */
export interface SettingRow extends Row {
  /** Of the repeats' accuracies; null where none is complete. */
  mean: number | null;
  /** 95 % t interval of the mean; null for n < 2. */
  low: number | null;
  high: number | null;
  sd: number | null;
  n: number;
  /** Repeats that failed, and of those the ones that the setting made fail. */
  failed: number;
  infeasible: number;
}

/**
 * The settings of rows, each with the mean of its repeats. `group` rounds or
 * names a field first, so that several of its values count as one:
 * `settings(rows, { lr: nearestFifth })`.
 */
export function settings(
  rows: readonly Row[],
  group: Record<string, (value: never) => ParamValue> = {},
): SettingRow[] {
  checkRows("settings", rows);
  const grouped = Object.entries(group);
  for (const [name] of grouped) checkField("settings", rows, name);
  const mapped = rows.map((row) => ({
    ...row,
    // Of one group all runs count, whatever repeat they were.
    ...grouped.length > 0 ? { repeat: undefined } : {},
    ...Object.fromEntries(
      grouped.map(([name, f]) => [name, f(row[name] as never)]),
    ),
  }));
  const names = parametersOf(mapped);
  return analysis.settings(asRuns(mapped, names))
    .map(({ params, runs: _, ...rest }) =>
      named({ ...params, ...rest }, names)
    );
}

/** The setting with the best mean, the first of equals; undefined without one. */
export const bestSetting = (rows: readonly Row[]): SettingRow | undefined =>
  analysis.bestOf(settings(rows), "maximize");

/** A row's parameters as text: "depth 2, lr 1e-3". */
export const settingText = (row: Row): string => paramsText(paramsOf(row));

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

/** Whether the rows are single runs without a repeat, as published ones. */
export const areSingle = (rows: readonly Row[]) =>
  rows.every((row) => row.repeat === undefined);

/** Of a value without a finished run. */
const NONE = { mean: null, low: null, high: null, sd: null, n: 0, failed: 0 };

/**
 * For each value of a parameter the best over all others, by the mean over
 * repeats (an isolation plot's points); of rows without repeats the best run.
 * An interval needs three runs: that of two says nothing.
 */
export function bestPer(rows: readonly Row[], parameter: string): Best[] {
  checkField("bestPer", rows, parameter);
  const names = [...new Set([...parametersOf(rows), parameter])];
  const varied = names.filter((name) =>
    name !== parameter && new Set(rows.map((row) => row[name])).size > 1
  );
  const known = rows.filter((row) => isValue(row[parameter]))
    .map((row) => named({ ...row }, names));
  const found = areSingle(rows)
    ? known.flatMap((row) => settings([row]))
    : settings(known);
  const bests = [...Map.groupBy(found, (s) => s[parameter] as ParamValue)]
    .map(([value, own]): Best => {
      const best = analysis.bestOf(own, "maximize");
      return named({
        ...best ?? NONE,
        ...best && best.n < 3 ? { low: null, high: null } : {},
        [parameter]: value,
        value,
        nuisance: paramsText(pick(best ?? {}, varied)),
        infeasible: own.filter((s) => s.n === 0 && s.infeasible > 0).length,
        recipe: known.find((row) =>
          best && row.recipe && names.every((n) => row[n] === best[n])
        )?.recipe,
      }, names);
    });
  return rising(bests, (best) => best.value);
}

/** The spread of repeats, pooled over settings; null without repeats. */
export function noiseOf(rows: readonly Row[]): analysis.NoiseFloor | null {
  checkRows("noiseOf", rows);
  return areSingle(rows) ? null : analysis.noiseFloor(asRuns(rows));
}

/** The trial with the highest test accuracy: picked on test, so optimistic. */
export const bestTrial = (trials: readonly Trial[]): Trial | undefined =>
  highest(trials, (t) => t.accuracy ?? NaN) ?? undefined;

/**
 * Trials by epoch, a row each: the trial's parameters, its repeat and the
 * epoch's metrics, with the validation accuracy as `accuracy`.
 */
export const epochRows = (trials: readonly Trial[]): Row[] =>
  trials.flatMap((t) =>
    t.history.map((e) =>
      named({
        ...e,
        ...paramsOf(t),
        study: t.study,
        repeat: t.repeat,
        seed: t.seed,
        accuracy: e.validationAccuracy,
      }, parametersOf([t]))
    )
  );
