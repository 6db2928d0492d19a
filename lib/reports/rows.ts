/** Rows of trials as all pieces of a report take them. */
import { channels } from "../charts/mod.ts";
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

const { DATA_SET, PARAMETERS } = channels;

/**
 * A trial, a published run or a row of one's own: parameters stand in it by
 * name, dots included (`row.lr`, `row["mixing.alpha"]`), beside what came out.
 * Only `accuracy` (a share; null where it failed) is needed. In a row of one's
 * own what `RESULTS` lists is no parameter, unless a call names it as one.
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

/**
 * A parameter's value: a BigInt is a number, or a text where that has not all
 * its digits; a date and a list of values, such as two betas, are texts;
 * undefined for what is no value.
 */
export function valueOf(value: unknown): ParamValue | undefined {
  if (Array.isArray(value)) {
    const all = value.map(valueOf);
    return all.length > 0 && !all.includes(undefined)
      ? all.join(", ")
      : undefined;
  }
  if (typeof value === "bigint") {
    return Number.isSafeInteger(Number(value)) ? Number(value) : `${value}`;
  }
  if (value instanceof Date) return value.toJSON() ?? undefined;
  const isValue = ["string", "boolean"].includes(typeof value) ||
    Number.isFinite(value);
  return isValue ? value as ParamValue : undefined;
}

/** A row's own value of a field, whatever other objects inherit by its name. */
export const valueAt = (row: Row, field: string): ParamValue | undefined =>
  Object.hasOwn(row, field) ? valueOf(row[field]) : undefined;

/**
 * The parameters of rows: those of their study, or all that is no result. A
 * list, which may be a history, is one where a call names it.
 */
export function parametersOf(
  rows: readonly Row[],
  also: readonly string[] = [],
): string[] {
  const names = rows.flatMap((row) =>
    (row as { [PARAMETERS]?: string[] })[PARAMETERS] ??
      Object.keys(row).filter((k) =>
        !RESULTS.has(k) && !Array.isArray(row[k]) &&
        valueAt(row, k) !== undefined
      )
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
export const pick = (row: Row, names: readonly string[]): Params =>
  Object.fromEntries(names.flatMap((name) => {
    const value = valueAt(row, name);
    return value === undefined ? [] : [[name, value]];
  }));

/** A row's parameters by name. */
export const paramsOf = (row: Row): Params => pick(row, parametersOf([row]));

/** A field of rows by name, or by a function of the row. */
export type Field = string | ((row: Row) => unknown);

/** A result as a number, also a text's; null for none, undefined for no number. */
function resultOf(value: unknown): number | null | undefined {
  const isNone = /^\s*(|nan|[+-]?inf(inity)?)\s*$/i.test(`${value ?? ""}`);
  // "0x10" is no number of a table, though JavaScript reads 16.
  const number = typeof value === "string"
    ? /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(value)
      ? Number(value)
      : NaN
    : value;
  return isNone ? null : Number.isFinite(number) ? number as number : undefined;
}

/** Optuna's words for a trial's state, and what others say instead. */
const STATES = new Map<string, analysis.AnalysisRow["state"]>(Object.entries(
  {
    ...{ complete: "COMPLETE", completed: "COMPLETE", finished: "COMPLETE" },
    ...{ fail: "FAIL", failed: "FAIL", crashed: "FAIL", killed: "FAIL" },
    ...{ pruned: "PRUNED", running: "RUNNING", waiting: "WAITING" },
  } as const,
));

/** A row's state by its word, else by its result; undefined for another word. */
const stateOf = ({ state }: Row, result: number | null | undefined) =>
  state == null
    ? typeof result === "number" ? "COMPLETE" : "FAIL"
    : STATES.get(String(state).toLowerCase());

/** Whether two rows are one trial of one record. */
const areSame = (a: Row, b: Row) =>
  a === b ||
  ["study", "number", "start"].every((field) =>
    a[field] !== undefined && a[field] === b[field]
  );

/**
 * Rows as the analyses take them. Rows without a repeat, such as published
 * ones, count as repeats of their setting in their order. Runs of one repeat
 * with other seeds, as two studies have them, are several; a trial that is
 * listed twice is one. Seeds that repeats share do not pair runs.
 *
 * @throws StudyError for a result that is no number, and for two runs that
 * nothing tells apart
 */
export function asRuns(
  where: string,
  rows: readonly Row[],
  names: readonly string[] = parametersOf(rows),
  value: Field = "accuracy",
): analysis.AnalysisRow[] {
  const next = new Map<string, number>(), seeds = new Map<string, unknown>();
  const done = new Map<string, number>();
  const runs = rows.flatMap((row, i): analysis.AnalysisRow[] => {
    const refuse = (what: string) =>
      new StudyError(`${where}: row ${i + 1}: ${what}`);
    const params = pick(row, names), setting = JSON.stringify(params);
    const repeat = Number(row.repeat ?? next.get(setting) ?? 0);
    if (!Number.isInteger(repeat)) {
      throw refuse(`repeat is "${row.repeat}": give a whole number`);
    }
    next.set(setting, repeat + 1);
    const got = typeof value === "function"
      ? channels.callAt(`${where}: the function of the value`, value, row, i)
      : row[value];
    const number = resultOf(got);
    if (number === undefined) {
      const field = typeof value === "string" ? value : "the value";
      throw refuse(`${field} is "${got}": give a number, or null for none`);
    }
    if (
      value === "accuracy" && number !== null && !(number >= 0 && number <= 1)
    ) {
      throw refuse(`accuracy is ${number}: give a share from 0 to 1`);
    }
    const state = stateOf(row, number), seed = valueOf(row.seed);
    if (state === undefined) {
      throw refuse(
        `state is "${row.state}": give complete, fail, pruned, running or ` +
          "waiting, or leave it out",
      );
    }
    if (row.seed != null && seed === undefined) {
      throw refuse(
        `seed is ${channels.whatIs(row.seed)}: give a number or a text`,
      );
    }
    const place = `${setting} ${repeat}`, run = `${place} ${seed}`;
    const twin = done.get(run);
    if (number !== null && twin !== undefined) {
      if (areSame(row, rows[twin])) return [];
      const what = paramsText(params) || "its setting";
      throw refuse(
        `it is repeat ${repeat} of ${what}, as row ${twin + 1} is: name what ` +
          `tells them apart (sharing of effects, group of settings), or ` +
          `leave one out`,
      );
    }
    if (number !== null) done.set(run, i);
    const isOther = seeds.has(place) && seeds.get(place) !== seed;
    if (!isOther) seeds.set(place, seed);
    return [{
      params,
      // One that no other run has.
      repeat: isOther ? -1 - i : repeat,
      seed: seed as number | undefined,
      state,
      value: number,
      failKind: row.failKind,
      maxTestValue: row.maxTestAccuracy,
      optimistic: row.optimistic,
    }];
  });
  const count = (of: (run: analysis.AnalysisRow) => unknown) =>
    new Set(runs.map((r) => JSON.stringify([r.params, of(r)]))).size;
  return count((r) => r.seed ?? r.repeat) < count((r) => r.repeat)
    ? runs.map((run) => ({ ...run, seed: undefined }))
    : runs;
}

/** Whether a row has an accuracy. */
export function isDone(row: Row): boolean {
  const result = resultOf(row.accuracy);
  return typeof result === "number" && stateOf(row, result) === "COMPLETE";
}

/** Whether rows have equal values of fields. */
const areAlike = (a: Row, b: Row, fields: readonly string[]) =>
  fields.every((field) => valueAt(a, field) === valueAt(b, field));

/** The rows that have an accuracy and these values. */
export function where(rows: Iterable<Row>, values: Row = {}): Row[] {
  const fields = Object.keys(values);
  return rowsOf("where", rows, fields)
    .filter((row) => isDone(row) && areAlike(row, values, fields));
}

/** Items by a value of each: numbers rise, all else keeps its order. */
export const rising = <T>(items: T[], of: (item: T) => unknown): T[] =>
  items.every((item) => typeof of(item) === "number")
    ? items.toSorted((a, b) => Number(of(a)) - Number(of(b)))
    : items;

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
      named({ ...params, ...rest }, names)
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
  rows.every((row) => row.repeat == null);

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
      return named({
        ...best ?? NONE,
        ...best && best.n < 3 ? { low: null, high: null } : {},
        [parameter]: value,
        value,
        nuisance: paramsText(pick(best ?? {}, varied)),
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

/** The spread of repeats, pooled over settings; null without repeats. */
export function noiseOf(rows: Iterable<Row>): analysis.NoiseFloor | null {
  const list = rowsOf("noiseOf", rows, ["accuracy"]);
  return areSingle(list) ? null : analysis.noiseFloor(asRuns("noiseOf", list));
}

/** The trial with the highest test accuracy: picked on test, so optimistic. */
export const bestTrial = (trials: Iterable<Trial>): Trial | undefined =>
  highest(rowsOf("bestTrial", trials), (t) => t.accuracy ?? NaN) ?? undefined;

/**
 * Trials by epoch, a row each: the trial's parameters, its repeat and the
 * epoch's metrics, with the validation accuracy as `accuracy`.
 */
export const epochRows = (trials: Iterable<Trial>): Row[] =>
  rowsOf("epochRows", trials, ["history"]).flatMap((t) =>
    (t.history ?? []).map((e) => {
      const { study, repeat, seed } = t, accuracy = e.validationAccuracy;
      const row = { ...e, ...paramsOf(t), study, repeat, seed, accuracy };
      return named(row, parametersOf([t]));
    })
  );
