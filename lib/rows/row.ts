/** A trial as a row: what its parameters are, and how a field is read. */
import { channels } from "../charts/mod.ts";
import {
  canonicalNumber,
  type Params,
  type ParamValue,
  type TrainingRow,
} from "../study/mod.ts";
import { highest } from "../train/mod.ts";

const { PARAMETERS } = channels;

/**
 * A trial, a published run or a row of one's own: parameters stand in it by
 * name, dots included (`row.lr`, `row["mixing.alpha"]`), beside what came out.
 * Only `accuracy` (a share; null where it failed) is needed. In a row of one's
 * own what `RESULTS` lists is no parameter, unless a call names it as one.
 */
// deno-lint-ignore no-explicit-any
export type Row = Record<string, any>;

/** A trial on record, its parameters by name; a measurement has no accuracy. */
export interface Trial extends Row, Omit<TrainingRow, "params"> {
  study: string;
}

/** `row` with the names of its fields that are parameters; copies keep them. */
export const withParameterNames = <R extends Row>(
  row: R,
  names: readonly string[],
): R => Object.assign(row, { [PARAMETERS]: names });

/** What a row without that list may have besides parameters. */
const RESULTS = new Set([
  ...["accuracy", "mean", "low", "high", "sd", "n", "value", "repeat", "seed"],
  ...["state", "number", "study", "seconds", "reason", "failKind", "note"],
  ...["uncertainty", "balanced", "validation", "chosenEpoch", "failed"],
  ...["maxTestAccuracy", "infeasible", "nuisance", "run"],
  ...["imagesPerSecond", "secondsPerStep", "spread"],
]);

/**
 * A parameter's value: a BigInt is a number, or a text where that has not all
 * its digits; a date and a list of values, such as two betas, are texts;
 * undefined for what is no value.
 */
export function valueOf(value: unknown): ParamValue | undefined {
  if (Array.isArray(value)) {
    const all = value.map(valueOf);
    const isList = all.length > 0 && !all.includes(undefined);
    return isList ? all.join(", ") : undefined;
  }
  if (typeof value === "bigint") {
    return Number.isSafeInteger(Number(value)) ? Number(value) : `${value}`;
  }
  if (value instanceof Date) return value.toJSON() ?? undefined;
  const isValue = ["string", "boolean"].includes(typeof value) ||
    Number.isFinite(value);
  return isValue ? value as ParamValue : undefined;
}

/**
 * A row's own value of a field, whatever other objects inherit by its name;
 * 0.1 + 0.2 and 0.3 are one.
 */
export function valueAt(row: Row, field: string): ParamValue | undefined {
  const value = Object.hasOwn(row, field) ? valueOf(row[field]) : undefined;
  const isRounded = typeof value === "number" && !Number.isInteger(value);
  return isRounded ? canonicalNumber(value) : value;
}

/**
 * The parameters of rows: those of their study, or all that is no result. A
 * list, which may be a history, is one where a call names it.
 */
export function parametersOf(
  rows: readonly Row[],
  also: readonly string[] = [],
): string[] {
  const isParameter = (row: Row, name: string) =>
    !RESULTS.has(name) && !Array.isArray(row[name]) &&
    valueAt(row, name) !== undefined;
  const names = rows.flatMap((row) =>
    (row as { [PARAMETERS]?: string[] })[PARAMETERS] ??
      Object.keys(row).filter((name) => isParameter(row, name))
  );
  return [...new Set([...names, ...also])];
}

/**
 * Rows as a list; those of a polars frame are its records.
 *
 * @throws TypeError for what is no list of rows, most often a promise of them,
 * and for one of `fields` that is no name, or that no row has
 */
export const rowsOf = <R extends Row>(
  where: string,
  rows: Iterable<R>,
  fields: readonly string[] = [],
): R[] => channels.listOf(where, rows, fields) as R[];

/** What a row has of `names`. */
export const pickFields = (row: Row, names: readonly string[]): Params =>
  Object.fromEntries(names.flatMap((name) => {
    const value = valueAt(row, name);
    return value === undefined ? [] : [[name, value]];
  }));

/** Whether rows have equal values of fields. */
export const areAlike = (a: Row, b: Row, fields: readonly string[]) =>
  fields.every((field) => valueAt(a, field) === valueAt(b, field));

/** Items by a value of each: numbers rise, all else keeps its order. */
export const rising = <T>(items: T[], of: (item: T) => unknown): T[] =>
  items.every((item) => typeof of(item) === "number")
    ? items.toSorted((a, b) => Number(of(a)) - Number(of(b)))
    : items;

/** A row's parameters by name. */
export const paramsOf = (row: Row): Params =>
  pickFields(row, parametersOf([row]));

/** The epochs of a row. @throws TypeError for a history that is none */
export const historyOf = (where: string, row: Row, i: number): Row[] =>
  rowsOf(`${where}: the history of row ${i + 1}`, row.history ?? []);

/** The time that trials took, in s. */
export const trainedSeconds = (trials: readonly Row[]): number =>
  trials.reduce((sum, t) => sum + (Number(t.seconds) || 0), 0);

/**
 * A study's trials as rows. A trial's value is its accuracy, or what a study
 * of measurements calls it.
 */
export const trialsOf = (
  study: string,
  rows: readonly TrainingRow[],
  field = "accuracy",
): Trial[] =>
  rows.map(({ params, accuracy, ...rest }) =>
    withParameterNames(
      { ...rest, [field]: accuracy, study, ...params } as unknown as Trial,
      Object.keys(params),
    )
  );

/** The trial with the highest test accuracy: picked on test, so optimistic. */
export const bestTrial = (trials: Iterable<Trial>): Trial | undefined =>
  highest(rowsOf("bestTrial", trials), (t) => t.accuracy ?? NaN) ?? undefined;

/**
 * Trials by epoch, a row each: the trial's parameters, its repeat and the
 * epoch's metrics, with the validation accuracy as `accuracy`.
 */
export const epochRows = (trials: Iterable<Trial>): Row[] =>
  rowsOf("epochRows", trials, ["history"]).flatMap((t, i) =>
    historyOf("epochRows", t, i).map((e) => {
      const { study, repeat, seed } = t, accuracy = e.validationAccuracy;
      const row = { ...e, ...paramsOf(t), study, repeat, seed, accuracy };
      return withParameterNames(row, parametersOf([t]));
    })
  );
