/** What picking the epoch, or the setting, by the test split adds to it. */
import { canonical, type Params } from "../definition.ts";
import { bestOfBias, noiseFloor } from "./noise.ts";
import {
  type AnalysisRow,
  bestOf,
  type Direction,
  isBetter,
  meanOrNull,
  type Run,
  settings,
  signOf,
} from "./rows.ts";
import {
  counted,
  describe,
  showAmount,
  showDifference,
  showMetric,
  showSize,
  type Unit,
} from "./text.ts";

/** How much the best epoch on test is better than the chosen one. */
export interface Excess {
  /** Never negative when the chosen epoch is one of those. */
  mean: number | null;
  /** 95 % t interval; null for under two runs. */
  low: number | null;
  high: number | null;
  n: number;
}

export interface SelectionBias extends Excess {
  perSetting: (Excess & { params: Params })[];
  /** Pairs of settings that the best epochs on test rank the other way. */
  swapped: number;
  pairs: number;
  /** Whether another setting wins by the best epochs on test. */
  bestChanges: boolean;
  /** Taking the best of `k` settings, if all were equal; null without noise. */
  bestOf: { k: number; bias: number } | null;
  lines: string[];
}

type Peaked = Run & { maxTestValue: number };

const isPeaked = (run: Run): run is Peaked =>
  typeof run.maxTestValue === "number" && Number.isFinite(run.maxTestValue);

const meanOf = (values: readonly number[]) => meanOrNull(values).mean;

/**
 * How much the best test value of any epoch exceeds the test value at the
 * validation-chosen epoch, over runs that have both, and whether settings rank
 * another way by it.
 *
 * @param hasValidation Whether a validation split chose the epoch; without
 * one the values themselves are the optimistic ones.
 */
export function selectionBias(
  rows: readonly AnalysisRow[],
  { direction, hasValidation = true, unit = "points" }: {
    direction: Direction;
    hasValidation?: boolean;
    unit?: Unit;
  },
): SelectionBias {
  const sign = signOf(direction);
  const done = settings(rows).filter((s) => s.n > 0);
  const both = done.map(({ params, runs }) => ({
    params,
    runs: runs.filter(isPeaked),
  })).filter(({ runs }) => runs.length > 0);
  const excessOf = (runs: Peaked[]): Excess => {
    const { mean, low, high, n } = meanOrNull(
      runs.map((run) => sign * (run.maxTestValue - run.value)),
    );
    return { mean, low, high, n };
  };
  const whole = excessOf(both.flatMap(({ runs }) => runs));

  const means = both.map(({ params, runs }) => ({
    params,
    chosen: meanOf(runs.map((run) => run.value))!,
    peak: meanOf(runs.map((run) => run.maxTestValue))!,
  }));
  let swapped = 0;
  means.forEach((a, i) =>
    means.slice(i + 1).forEach((b) => {
      const [x, y] = a.chosen < b.chosen ? [a, b] : [b, a];
      const differs = isBetter(y.chosen, x.chosen, "maximize");
      if (differs && isBetter(x.peak, y.peak, "maximize")) swapped++;
    })
  );
  const winner = (by: "chosen" | "peak") =>
    bestOf(means.map((m) => ({ params: m.params, mean: m[by] })), direction);
  const [byChosen, byPeak] = [winner("chosen"), winner("peak")];
  const bestChanges = byChosen !== undefined &&
    canonical(byChosen.params) !== canonical(byPeak!.params);

  const noise = noiseFloor(rows);
  const best = bestOf(done, direction);
  const k = done.length;
  const winners = noise && best && k > 1
    ? { k, bias: bestOfBias(k, noise.sd / Math.sqrt(best.n)) }
    : null;

  const lines = [];
  if (!hasValidation) {
    lines.push(
      "no validation split: the epoch was picked on the test split, so every " +
        "number here is optimistic; split off a validation set to know by how much",
    );
  } else if (whole.mean !== null) {
    const { low, high } = whole;
    const ends = low === null ? [] : [sign * low, sign * high!];
    const interval = ends.sort((a, b) => a - b).map((v) => showSize(v, unit));
    const rest = low === null ? "" : `, 95 % interval ${interval.join(" to ")}`;
    lines.push(
      `picked on test, the best epoch shows ` +
        `${showDifference(sign * whole.mean, unit)} against the ` +
        `validation-chosen one (${counted(whole.n, "run")}${rest})`,
    );
    if (bestChanges) {
      const [peak, chosen] = [byPeak!, byChosen].map(({ params, mean }) =>
        [describe(params), `(${showMetric(mean, unit)})`] as const
      );
      lines.push(
        `picked on test, ${peak[0]} would win ${peak[1]} in place of ` +
          chosen.join(" "),
      );
    }
  }
  if (winners) {
    lines.push(
      `the best of ${k} equal settings would stand ` +
        `${showAmount(winners.bias, unit)} above their mean by noise alone: ` +
        "rerun the best with new seeds",
    );
  }
  return {
    ...whole,
    perSetting: both.map(({ params, runs }) => ({
      params,
      ...excessOf(runs),
    })),
    swapped,
    pairs: means.length * (means.length - 1) / 2,
    bestChanges,
    bestOf: winners,
    lines,
  };
}
