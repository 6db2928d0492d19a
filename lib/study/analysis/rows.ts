/** Trials as the analyses take them, and the settings that they repeat. */
import { type MeanInterval, meanInterval } from "../../statistics/mod.ts";
import {
  canonical,
  type Params,
  sameValue,
  StudyError,
} from "../definition.ts";
import type { TrialRow } from "../store/types.ts";
import { describe } from "./text.ts";

/** One trial; accuracies are shares from 0 to 1. */
export interface AnalysisRow extends Pick<TrialRow, "params" | "state"> {
  /** From 0. */
  repeat: number;
  seed?: number;
  /** Of a complete trial: its test value at the validation-chosen epoch. */
  value: number | null;
  failKind?: string;
  /** The best test value of any epoch, picked on the test split. */
  maxTestValue?: number | null;
  /** Whether its epoch was picked on the test split. */
  optimistic?: boolean;
  /** The predicted class per test image. */
  predictions?: Uint8Array;
}

export type Direction = "maximize" | "minimize";

/** A trial that has a value. */
export type Run = AnalysisRow & { value: number };

/** One point of the parameters with its repeats; nulls without complete ones. */
export interface Setting {
  params: Params;
  /** Complete trials by repeat. */
  runs: Run[];
  /** How many are complete. */
  n: number;
  mean: number | null;
  /** 95 % t interval of the mean; null for n < 2. */
  low: number | null;
  high: number | null;
  sd: number | null;
  /** Repeats that failed and were not made good. */
  failed: number;
  /** Of those, the ones that the setting itself made fail. */
  infeasible: number;
}

export const isRun = (row: AnalysisRow): row is Run =>
  row.state === "COMPLETE" && Number.isFinite(row.value);

/** Diverged (a value that is no finite number included) or out of memory. */
export const isInfeasible = (row: AnalysisRow): boolean =>
  row.state === "COMPLETE" ? !isRun(row) : row.state === "FAIL" &&
    (row.failKind === "diverged" || row.failKind === "out of memory");

export const isFailed = (row: AnalysisRow): boolean =>
  row.state === "FAIL" || isInfeasible(row);

/** 1 where more is better, else -1. */
export const signOf = (direction: Direction): 1 | -1 =>
  direction === "maximize" ? 1 : -1;

/** Whether `a` is better than `b`, by more than the rounding of a mean. */
export const isBetter = (a: number, b: number, direction: Direction) =>
  signOf(direction) * (a - b) > 0 && !sameValue(a, b);

/** The named parameters alone. */
export function pickParams(params: Params, names: readonly string[]): Params {
  return Object.fromEntries(
    names.filter((name) => Object.hasOwn(params, name))
      .map((name) => [name, params[name]]),
  );
}

/**
 * One row a setting and repeat: of several, a complete one before a failed one
 * before any other, the last of its kind.
 */
export function onePerPoint(rows: readonly AnalysisRow[]): AnalysisRow[] {
  const worth = (row: AnalysisRow) => isRun(row) ? 2 : isFailed(row) ? 1 : 0;
  const same = Map.groupBy(rows, (r) => `${canonical(r.params)} ${r.repeat}`);
  return [...same.values()]
    .map((own) => own.reduce((a, b) => worth(b) >= worth(a) ? b : a));
}

/** The mean of `values` with its t interval; nulls for none. */
export function meanOrNull(
  values: readonly number[],
): Omit<MeanInterval, "mean"> & { mean: number | null } {
  return values.length > 0
    ? meanInterval(values)
    : { mean: null, low: null, high: null, sd: null, n: 0 };
}

/** Every setting of `rows`, in the order of its first trial. */
export function settings(rows: readonly AnalysisRow[]): Setting[] {
  const bySetting = Map.groupBy(
    onePerPoint(rows),
    (row) => canonical(row.params),
  );
  return [...bySetting.values()].map((same) => {
    const runs = same.filter(isRun).sort((a, b) => a.repeat - b.repeat);
    return {
      params: same[0].params,
      runs,
      ...meanOrNull(runs.map((run) => run.value)),
      failed: same.filter(isFailed).length,
      infeasible: same.filter(isInfeasible).length,
    };
  });
}

/** Of things with a mean, the best one; undefined where none has one. */
export function bestOf<T extends { mean: number | null }>(
  candidates: readonly T[],
  direction: Direction,
): (T & { mean: number }) | undefined {
  return candidates
    .filter((c): c is T & { mean: number } => c.mean !== null)
    .reduce<(T & { mean: number }) | undefined>(
      (a, b) => a === undefined || isBetter(b.mean, a.mean, direction) ? b : a,
      undefined,
    );
}

/**
 * Refuses parameters that no row has.
 *
 * @throws StudyError that names the ones there are.
 */
export function checkParameterNames(
  where: string,
  names: readonly string[],
  rows: readonly AnalysisRow[],
): void {
  const known = new Set(rows.flatMap((row) => Object.keys(row.params)));
  const odd = names.find((name) => !known.has(name));
  if (odd !== undefined) {
    throw new StudyError(
      `${where}: no trial has the parameter ${odd}: use one of ` +
        [...known].join(", "),
    );
  }
}

/**
 * The rows that have these parameters.
 *
 * @throws StudyError where none has.
 */
export function rowsWith(
  where: string,
  params: Params,
  rows: readonly AnalysisRow[],
): AnalysisRow[] {
  const names = Object.keys(params);
  checkParameterNames(where, names, rows);
  const key = canonical(params);
  const found = rows.filter((row) =>
    canonical(pickParams(row.params, names)) === key
  );
  if (found.length > 0) return found;
  const known = rows.map((row) => pickParams(row.params, names));
  const tried = [...new Map(known.map((p) => [canonical(p), p])).values()]
    .map(describe);
  const named = tried.length > 8 ? [...tried.slice(0, 8), "…"] : tried;
  throw new StudyError(
    `${where}: no trial has ${describe(params)}: there are ${named.join("; ")}`,
  );
}
