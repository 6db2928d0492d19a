/** Rows as the analyses take them. */
import { channels } from "../charts/mod.ts";
import { analysis, StudyError } from "../study/mod.ts";
import {
  areAlike,
  parametersOf,
  pickFields,
  type Row,
  rowsOf,
  valueOf,
} from "./row.ts";
import { paramsText } from "./words.ts";

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
  const own = typeof number === "bigint" ? Number(number) : number;
  return isNone ? null : Number.isFinite(own) ? own as number : undefined;
}

/** A result; null for none. @throws StudyError for what is no number, or share */
export function resultAt(
  where: string,
  field: string,
  value: unknown,
  isShare = true,
): number | null {
  const number = resultOf(value);
  const wrong = number === undefined
    ? `"${value}": give a number, or null for none`
    : isShare && number !== null && !(number >= 0 && number <= 1) &&
      `${number}: give a share from 0 to 1`;
  if (wrong) throw new StudyError(`${where}: ${field} is ${wrong}`);
  return number!;
}

/** Optuna's words for a trial's state, and what others say instead. */
const STATES = {
  COMPLETE: /^(complete|completed|finished)$/i,
  FAIL: /^(fail|failed|crashed|killed)$/i,
  PRUNED: /^pruned$/i,
  RUNNING: /^running$/i,
  WAITING: /^waiting$/i,
};
const STATE_NAMES = Object.keys(STATES) as (keyof typeof STATES)[];

/** A row's state by its word, else by its result; undefined for another word. */
const stateOf = ({ state }: Row, result: number | null | undefined) =>
  state == null
    ? typeof result === "number" ? "COMPLETE" : "FAIL"
    : STATE_NAMES.find((name) => STATES[name].test(state));

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
  const done = new Map<string, number>(), settings: string[] = [];
  const runs = rows.flatMap((row, i): analysis.AnalysisRow[] => {
    const at = `${where}: row ${i + 1}`;
    const params = pickFields(row, names), setting = JSON.stringify(params);
    const repeat = Number(row.repeat ?? next.get(setting) ?? 0);
    next.set(setting, repeat + 1);
    const isField = typeof value === "string";
    const got = isField
      ? row[value]
      : channels.callAt(`${where}: the function of the value`, value, row, i);
    const field = isField ? value : "the value";
    const number = resultAt(at, field, got, field === "accuracy");
    const state = stateOf(row, number), seed = valueOf(row.seed);
    const place = `${setting} ${repeat}`, run = `${place} ${seed}`;
    const twin = number === null ? undefined : done.get(run);
    if (twin !== undefined && areSame(row, rows[twin])) return [];
    const wrong = !Number.isInteger(repeat)
      ? `repeat is "${row.repeat}": give a whole number`
      : !state
      ? `state is "${row.state}": give complete, fail, pruned, running or ` +
        "waiting, or leave it out"
      : row.seed != null && seed === undefined
      ? `seed is ${channels.whatIs(row.seed)}: give a number or a text`
      : twin !== undefined &&
        `it is repeat ${repeat} of ${paramsText(params) || "its setting"}, ` +
          `as row ${twin + 1} is: name what tells them apart (sharing of ` +
          "effects, group of settings), or leave one out";
    if (wrong) throw new StudyError(`${at}: ${wrong}`);
    if (number !== null) done.set(run, i);
    const isOther = seeds.has(place) && seeds.get(place) !== seed;
    if (!isOther) seeds.set(place, seed);
    settings.push(setting);
    return [{
      params,
      // One that no other run has.
      repeat: isOther ? -1 - i : repeat,
      seed: seed as number | undefined,
      state: state!,
      value: number,
      failKind: row.failKind,
      maxTestValue: row.maxTestAccuracy,
      optimistic: row.optimistic,
    }];
  });
  const count = (of: (run: analysis.AnalysisRow) => unknown) =>
    new Set(runs.map((r, i) => `${settings[i]} ${of(r)}`)).size;
  return count((r) => r.seed ?? r.repeat) < count((r) => r.repeat)
    ? runs.map((run) => ({ ...run, seed: undefined }))
    : runs;
}

/** Whether a row has an accuracy. */
export function isDone(row: Row): boolean {
  const result = resultOf(row.accuracy);
  return typeof result === "number" && stateOf(row, result) === "COMPLETE";
}

/** The rows that have an accuracy and these values. */
export function where(rows: Iterable<Row>, values: Row = {}): Row[] {
  const fields = Object.keys(values);
  return rowsOf("where", rows, fields)
    .filter((row) => isDone(row) && areAlike(row, values, fields));
}

/** Whether the rows are single runs without a repeat, as published ones. */
export const areSingle = (rows: readonly Row[]) =>
  rows.every((row) => row.repeat == null);

/** The spread of repeats, pooled over settings; null without repeats. */
export function noiseOf(rows: Iterable<Row>): analysis.NoiseFloor | null {
  const list = rowsOf("noiseOf", rows, ["accuracy"]);
  return areSingle(list) ? null : analysis.noiseFloor(asRuns("noiseOf", list));
}
