/** The trials that a setting made fail: how many, which, and where they lie. */
import { canonical, type Params } from "../definition.ts";
import {
  type AnalysisRow,
  bestOf,
  type Direction,
  isFailed,
  isInfeasible,
  onePerPoint,
  type Setting,
  settings,
} from "./rows.ts";
import { counted, describe } from "./text.ts";

export interface Infeasible {
  /** Points (settings × repeats) that are complete or failed. */
  ended: number;
  /** Of those, infeasible: diverged or out of memory. */
  count: number;
  /** `count` over `ended`; null before any ended. */
  share: number | null;
  list: { params: Params; repeat: number; kind: string }[];
  /** Points that failed for reasons that are not the setting's. */
  otherFailures: number;
  /** A line each: the best setting borders infeasible ones, or is in part. */
  warnings: string[];
}

/** How often a numeric parameter's tried values are passed from a to b. */
function stepsBetween(a: Params, b: Params, all: readonly Setting[]): number {
  return Object.keys(a).reduce((steps, name) => {
    const [from, to] = [a[name], b[name]];
    if (typeof from !== "number" || typeof to !== "number") {
      return from === to ? steps : Infinity;
    }
    const low = Math.min(from, to), high = Math.max(from, to);
    const tried = new Set(all.map((s) => s.params[name]));
    const passed = [...tried].filter((v) =>
      typeof v === "number" && v > low && v <= high
    );
    return steps + passed.length;
  }, 0);
}

/** Whether c lies in the box that a and b span, and is neither. */
function isBetween(c: Params, a: Params, b: Params): boolean {
  return ![a, b].some((end) => canonical(end) === canonical(c)) &&
    Object.keys(c).every((name) => {
      const [value, from, to] = [c[name], a[name], b[name]];
      if (typeof value !== "number") return value === from && value === to;
      return value >= Math.min(Number(from), Number(to)) &&
        value <= Math.max(Number(from), Number(to));
    });
}

/**
 * Infeasible settings next to `best`: among the 2 d nearest in d numeric
 * parameters, by steps between tried values, with no complete one between.
 */
function neighbours(best: Setting, all: readonly Setting[]): Setting[] {
  const numeric = Object.values(best.params)
    .filter((value) => typeof value === "number").length;
  const others = all.filter((s) => s !== best)
    .map((s) => ({ s, steps: stepsBetween(best.params, s.params, all) }))
    .filter(({ steps }) => Number.isFinite(steps))
    .sort((a, b) => a.steps - b.steps);
  const reach = others[Math.min(2 * numeric, others.length) - 1]?.steps ?? 0;
  return others
    .filter(({ s, steps }) =>
      steps <= reach && s.infeasible > 0 &&
      !all.some((c) => c.n > 0 && isBetween(c.params, best.params, s.params))
    )
    .map(({ s }) => s);
}

function warningsOf(best: Setting, near: Setting[]): string[] {
  const lines = [], { infeasible: failed } = best;
  const name = `the best point (${describe(best.params)})`;
  if (failed > 0) {
    lines.push(
      `${name} failed in ${failed} of ${
        best.n + best.failed
      } repeats, and its ` +
        "mean is of the others: prefer a setting that never fails",
    );
  }
  if (near.length > 0) {
    const named = near.slice(0, 3).map((s) => describe(s.params));
    if (near.length > 3) named.push("…");
    lines.push(
      `${name} borders ${counted(near.length, "infeasible setting")} ` +
        `(${named.join("; ")}): a small change may fail, so repeat it before ` +
        "relying on it",
    );
  }
  return lines;
}

/**
 * The failed points of a study. A point that failed and was then completed
 * does not count.
 */
export function infeasible(
  rows: readonly AnalysisRow[],
  direction: Direction,
): Infeasible {
  const ended = onePerPoint(rows).filter((r) =>
    r.state === "COMPLETE" || r.state === "FAIL"
  );
  const list = ended.filter(isInfeasible).map((r) => ({
    params: r.params,
    repeat: r.repeat,
    kind: r.failKind ?? "diverged",
  }));
  const all = settings(rows);
  const best = bestOf(all, direction);
  return {
    ended: ended.length,
    count: list.length,
    share: ended.length === 0 ? null : list.length / ended.length,
    list,
    otherFailures: ended.filter(isFailed).length - list.length,
    warnings: best ? warningsOf(best, neighbours(best, all)) : [],
  };
}
