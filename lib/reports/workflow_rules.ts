/** The workflow's written rules and the warnings that each step gives. */
import { holm } from "../statistics/mod.ts";
import {
  analysis,
  analysisRows,
  type Params,
  parsePlan,
  searched,
  type TrainingPlan,
  type TrainingRow,
} from "../study/mod.ts";
import { points } from "./show.ts";

type Rows = readonly analysis.AnalysisRow[];

/**
 * Trials with their validation accuracy at the chosen epoch as the value: the
 * test split is not read while anything is still to be decided.
 */
export function byValidation(
  rows: readonly TrainingRow[],
): analysis.AnalysisRow[] {
  return analysisRows(rows).map(({ predictions: _, ...row }, i) => {
    const { epochs, chosenEpoch, accuracy } = rows[i];
    const chosen = epochs.find((e) => e.epoch === chosenEpoch);
    const value = chosen?.validationAccuracy ?? NaN;
    return {
      ...row,
      value: accuracy !== null && Number.isFinite(value) ? value : null,
      maxTestValue: null,
    };
  });
}

type Trained = analysis.Setting & { mean: number };

/** Settings with a finished run. */
export const trainedSettings = (rows: Rows): Trained[] =>
  analysis.settings(rows).filter((s): s is Trained => s.mean !== null);

/** The first setting of the best mean; undefined where no run finished. */
export const bestByMean = (rows: Rows): Trained | undefined =>
  analysis.bestOf(trainedSettings(rows), "maximize");

/** Values with three digits: "lr 0.00316, depth 2". */
export const settingText = (params: Params): string =>
  Object.entries(params).map(([name, value]) => {
    if (typeof value !== "number") return `${name} ${value}`;
    const short = Number(value.toPrecision(3));
    const isTiny = short !== 0 && Math.abs(short) < 1e-3;
    return `${name} ${isTiny ? short.toExponential() : short}`;
  }).join(", ");

/** `b` in those parameters in which it is not as `a`. */
export function changeOf(a: Params, b: Params): string {
  const changed = Object.entries(b).filter(([name, v]) => a[name] !== v);
  return settingText(Object.fromEntries(changed)) || "as it was";
}

export interface Kept {
  params: Params;
  /** Each other setting against the kept one, with Holm's p. */
  effects: {
    label: string;
    /** Shares; null where a side has no run. */
    estimate: number | null;
    low: number | null;
    high: number | null;
    verdict: analysis.Verdict;
    p: number | null;
  }[];
}

/**
 * Keeps `kept` unless another setting is better by a paired t test with Holm's
 * correction (alpha 0.05, three pairs at least); of several better ones takes
 * the one furthest ahead. Where `kept` never finished, takes the best mean.
 */
export function keepUnlessBetter(
  rows: Rows,
  kept: Params,
  others: readonly Params[],
): Kept {
  const trained = trainedSettings(rows);
  const has = (params: Params) =>
    trained.some((s) => changeOf(s.params, params) === "as it was");
  if (!has(kept)) {
    return { params: bestByMean(rows)?.params ?? kept, effects: [] };
  }
  const compared = others.filter(has)
    .map((other) => analysis.compareSettings(rows, other, kept));
  const tested = compared.filter((c) => c.p !== null && c.n >= 3);
  const corrected = holm(tested.map((c) => c.p!));
  const effects = compared.map((c) => {
    const p = corrected[tested.indexOf(c)] ?? null;
    const verdict: analysis.Verdict = p === null
      ? "too few repeats"
      : p < 0.05
      ? "differs"
      : "not told apart";
    const { difference: estimate, low, high } = c;
    return { label: changeOf(kept, c.a), estimate, low, high, verdict, p };
  });
  const best = compared
    .filter((c, i) => effects[i].verdict === "differs" && c.difference! > 0)
    .sort((a, b) => b.difference! - a.difference!)[0];
  return { params: best?.a ?? kept, effects };
}

/** "weightDecay 0.001: +0.40 points (−1.20 to +2.00), not told apart". */
export function effectText(effect: Kept["effects"][number]): string {
  const { label, estimate, low, high, verdict } = effect;
  if (estimate === null) return `${label}: no finished run`;
  const interval = low === null || high === null
    ? ""
    : ` (95 % interval ${points(low)} to ${points(high)})`;
  return `${label}: ${points(estimate)} points${interval}, ${verdict}`;
}

/** What the tuning playbook warns of: noise, luck, boundary, failures. */
export function warningsOf(plan: TrainingPlan, rows: Rows): string[] {
  const noise = analysis.noiseFloor(rows);
  const trained = trainedSettings(rows);
  const best = bestByMean(rows);
  const failed = analysis.infeasible(rows, "maximize");
  const luck = noise && best && trained.length > 1
    ? analysis.bestOfBias(trained.length, noise.sd / Math.sqrt(best.n))
    : null;
  return [
    analysis.noiseLine(noise),
    ...luck === null ? [] : [
      `the best of ${trained.length} equal settings would stand ${
        (100 * luck).toFixed(1)
      } points too high by luck alone`,
    ],
    ...analysis.boundaryWarnings(
      rows,
      searched(parsePlan(plan), rows),
      "maximize",
    ),
    ...failed.count > 0
      ? [`${failed.count} of ${failed.ended} trials could not be trained`]
      : [],
    ...failed.warnings,
  ];
}
