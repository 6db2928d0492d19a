/** CLS against Baseline in our runs, paired by seed. */
import {
  type Chart,
  confusionDifferenceChart,
  pairedChart,
} from "../charts/mod.ts";
import { holm } from "../statistics/mod.ts";
import { analysis, type TrainingRow } from "../study/mod.ts";
import { FEWEST, meanOf } from "./comparisons.ts";
import { COMPARISON } from "./cls_plans.ts";
import { bestRate, isDone, rateText, type Row, valuesOf } from "./depth_lr.ts";
import type { Results } from "./report.ts";
import { points, pointsInterval, pText, type Shown, table } from "./show.ts";

export type Comparison = analysis.Comparison;

const CLS = { model: "cls" }, BASELINE = { model: "baseline" };

/**
 * All runs with `a` against those with `b`: each seed's mean over pairs that
 * share all other settings; null where no two are a pair.
 */
export function compared(
  rows: readonly Row[],
  a: Row["params"],
  b: Row["params"],
  truth?: Uint8Array,
): Comparison | null {
  const has = (params: Row["params"]) =>
    rows.some((r) =>
      isDone(r) &&
      Object.entries(params).every(([name, v]) => r.params[name] === v)
    );
  if (!has(a) || !has(b)) return null;
  const c = analysis.compareSettings(rows, a, b, { truth, bySeed: true });
  return c.kind === "paired" && c.n > 0 ? c : null;
}

/** CLS less Baseline over all rates and seeds. */
export const clsLessBaseline = (results: Results, truth?: Uint8Array) =>
  compared(results.analysed(COMPARISON), CLS, BASELINE, truth);

/** A row a model and seed, at the rate of the model's best mean. */
function atBestRate(rows: readonly Row[]): Row[] {
  return ["cls", "baseline"].flatMap((model) => {
    const own = rows.filter((r) => r.params.model === model);
    const lr = bestRate(own);
    return own.filter((r) => r.params.lr === lr)
      .map((r) => ({ ...r, params: { model } }));
  });
}

/** Accuracies of both models at each rate and seed, and their differences. */
export function pairs(results: Results): Chart {
  const rows = results.analysed(COMPARISON);
  const c = clsLessBaseline(results);
  const done = rows.filter(isDone);
  const value = (model: string, { params, repeat }: Row) =>
    done.find((r) =>
      r.params.model === model && r.params.lr === params.lr &&
      r.repeat === repeat
    )?.value ?? NaN;
  return pairedChart(
    rows.filter((r) => r.params.model === "baseline").map((r) => ({
      block: `LR ${rateText(Number(r.params.lr))}, repeat ${r.repeat + 1}`,
      a: value("baseline", r),
      b: value("cls", r),
    })),
    {
      aLabel: "Baseline",
      bLabel: "CLS",
      noise: analysis.noiseFloor(rows),
      mean: { ours: meanOf(c) },
    },
  );
}

/** Holm's p-values in the places of the given ones; null stays. */
export function holmOf(ps: readonly (number | null)[]): (number | null)[] {
  const adjusted = holm(ps.filter((p) => p !== null));
  let at = 0;
  return ps.map((p) => p === null ? null : adjusted[at++]);
}

/** The p of a comparison that may carry a verdict: of three seeds or more. */
export const testedP = (c: Comparison | null) =>
  c === null || c.n < FEWEST ? null : c.p;

/**
 * CLS less Baseline over all rates, with each model at its best rate, and at
 * each rate (Holm over the rates).
 */
export function comparisons(results: Results): Shown {
  const rows = results.analysed(COMPARISON);
  const all = clsLessBaseline(results);
  const rates = valuesOf(rows, "lr");
  const single = rates.map((lr) =>
    compared(rows.filter((r) => r.params.lr === lr), CLS, BASELINE)
  );
  const corrected = holmOf(single.map(testedP));
  const row = (
    what: string,
    c: Comparison | null,
    p = testedP(c),
    adjusted: number | null = null,
  ) => ({
    "CLS less Baseline": what,
    "paired seeds": c?.n ?? 0,
    "mean (points)": c ? points(c.difference!) : "–",
    "95 % t interval": pointsInterval(c),
    bootstrap: pointsInterval(c?.bootstrap ?? null),
    "p (t test)": pText(p),
    "p (Holm)": pText(adjusted),
    "p (sign)": pText(c?.sign?.p),
  });
  return table([
    row("mean over the rates", all),
    row("each at its best rate", compared(atBestRate(rows), CLS, BASELINE)),
    ...single.map((c, i) =>
      row(`LR ${rateText(rates[i])}`, c, testedP(c), corrected[i])
    ),
  ]);
}

/**
 * McNemar's test of each pair on the shared test images, Holm over the pairs;
 * without predictions or true classes on hand a line that says so.
 */
export function mcnemar(results: Results): Shown {
  const { truth } = results;
  const found = truth && clsLessBaseline(results, truth)?.mcnemar;
  if (!found) {
    return table([{
      pair: "no pair with predictions, or the data are not loaded",
    }]);
  }
  const corrected = holm(found.perPair.map((t) => t.midP));
  return table(found.perPair.map((t, i) => ({
    pair: t.block,
    "only CLS right": t.b,
    "only Baseline right": t.c,
    "p (mid-p)": pText(t.midP),
    "p (Holm)": pText(corrected[i]),
  })));
}

/** Sum of the confusion matrices of a model's finished runs. */
function pooled(rows: readonly TrainingRow[], model: string): number[][] {
  return rows.filter((r) => r.params.model === model && r.accuracy !== null)
    .flatMap((r) => r.confusion ? [r.confusion] : [])
    .reduce<number[][]>(
      (sum, m) =>
        m.map((line, i) => line.map((n, j) => n + (sum[i]?.[j] ?? 0))),
      [],
    );
}

/** What CLS predicts more or less often than the Baseline, all runs pooled. */
export function confusions(
  results: Results,
  { classes }: { classes: string[] },
): Chart {
  const rows = results.rows(COMPARISON);
  return confusionDifferenceChart(
    pooled(rows, "baseline"),
    pooled(rows, "cls"),
    classes,
    { aLabel: "Baseline", bLabel: "CLS" },
  );
}
