/** CLS against the Baseline, ours: paired by rate and seed. */
import {
  type Chart,
  confusionDifferenceChart,
  forestChart,
  heatMapChart,
  pairedChart,
} from "../charts/mod.ts";
import { holm } from "../statistics/mod.ts";
import {
  analysis,
  type Params,
  type ParamValue,
  type TrainingRow,
} from "../study/mod.ts";
import { COMPARISON } from "./cls_plans.ts";
import { cellsOf, isDone, lrAxis, rateText, type Row } from "./depth_lr.ts";
import type { Results } from "./report.ts";
import { points, type Shown, table } from "./show.ts";
import { noiseOf } from "./training_charts.ts";

type Comparison = analysis.Comparison;

/** A comparison with what it is of; its p may be Holm's. */
export interface Named {
  label: string;
  group: string;
  of: Comparison;
}

/** a less b by pairs of equal seed; null without such a pair. */
export function pairsOf(
  rows: readonly Row[],
  a: Params,
  b: Params,
  truth?: Uint8Array,
): Comparison | null {
  const has = (params: Params) =>
    rows.some((r) =>
      isDone(r) && Object.entries(params).every(([k, v]) => r.params[k] === v)
    );
  if (!has(a) || !has(b)) return null;
  const isJudged = truth &&
    rows.every((r) => !r.predictions || r.predictions.length === truth.length);
  const c = analysis.compareSettings(
    rows,
    a,
    b,
    isJudged ? { truth } : {},
  );
  return c.kind === "paired" && c.n > 0 ? c : null;
}

/** Comparisons of one family with Holm's correction in p and verdict. */
export function corrected(family: readonly Named[]): Named[] {
  const tested = family.filter(({ of }) => of.verdict !== "too few repeats");
  const adjusted = holm(tested.map(({ of }) => of.p!));
  return family.map((named) => {
    const p = adjusted[tested.indexOf(named)];
    return p === undefined ? named : {
      ...named,
      of: { ...named.of, p, verdict: p < 0.05 ? "differs" : "not told apart" },
    };
  });
}

const CLS = { model: "cls" }, BASELINE = { model: "baseline" };

/** CLS less Baseline over all rates and seeds; null without a pair. */
export const clsLessBaseline = (results: Results): Comparison | null =>
  pairsOf(results.analysed(COMPARISON), CLS, BASELINE, results.truth);

/** A row a model and seed of what `value` makes of the seed's runs. */
function bySeed(
  rows: readonly Row[],
  value: (own: Row[], model: ParamValue) => number | null,
): Row[] {
  const groups = Map.groupBy(
    rows.filter(isDone),
    (r) => `${r.params.model} ${r.repeat}`,
  );
  return [...groups.values()].flatMap((own) => {
    const [{ params: { model }, repeat, seed }] = own;
    const result = value(own, model);
    return result === null ? [] : [{
      params: { model },
      repeat,
      seed,
      state: "COMPLETE" as const,
      value: result,
    }];
  });
}

/** The mean over the rates of each seed that has them all. */
export function overRates(rows: readonly Row[]): Row[] {
  const rates = new Set(rows.map((r) => r.params.lr)).size;
  return bySeed(
    rows,
    (own) =>
      own.length < rates
        ? null
        : own.reduce((sum, r) => sum + r.value!, 0) / own.length,
  );
}

/** Each model at the rate of its best mean. */
function atBestRates(rows: readonly Row[]): Row[] {
  const settings = analysis.settings(rows).filter((s) => s.mean !== null)
    .sort((a, b) => b.mean! - a.mean!);
  return bySeed(rows, (own, model) => {
    const best = settings.find((s) => s.params.model === model)!.params.lr;
    return own.find((r) => r.params.lr === best)?.value ?? null;
  });
}

/** CLS less Baseline in four ways; the rates one by one are Holm's. */
export function comparisonWays(results: Results): Named[] {
  const rows = results.analysed(COMPARISON);
  const named = (label: string, group: string, of: Comparison | null) =>
    of ? [{ label, group, of }] : [];
  const rates = [...new Set(rows.map((r) => Number(r.params.lr)))]
    .sort((a, b) => b - a);
  return [
    ...named(
      "all rates and seeds",
      "over the rates",
      clsLessBaseline(results),
    ),
    ...named(
      "seeds, mean of the rates",
      "over the rates",
      pairsOf(overRates(rows), CLS, BASELINE),
    ),
    ...named(
      "seeds, each at its best rate",
      "over the rates",
      pairsOf(atBestRates(rows), CLS, BASELINE),
    ),
    ...corrected(rates.flatMap((lr) =>
      named(
        `LR ${rateText(lr)}`,
        "one rate",
        pairsOf(rows.filter((r) => r.params.lr === lr), CLS, BASELINE),
      )
    )),
  ];
}

const scaled = (x: number | null) => x === null ? null : 100 * x;

/** Comparisons as a forest in points; an interval needs three pairs. */
export const namedForest = (
  named: readonly Named[],
  o: { title: string; xLabel: string },
): Chart =>
  forestChart(
    named.map(({ label, group, of: { difference, low, high, n } }) => ({
      label,
      group,
      estimate: 100 * difference!,
      low: n < 3 ? null : scaled(low),
      high: n < 3 ? null : scaled(high),
      note: n < 3 ? `n ${n}, no interval` : `n ${n}`,
    })),
    { ...o, unit: "points" },
  );

const interval = (of: { low: number | null; high: number | null } | null) =>
  of === null || of.low === null || of.high === null
    ? "–"
    : `${points(of.low)} to ${points(of.high)}`;

/** The same in numbers. */
export const namedTable = (named: readonly Named[]): Shown =>
  table(named.map(({ label, group, of }) => ({
    comparison: label,
    of: group,
    pairs: of.n,
    "difference (points)": points(of.difference!),
    "95 % t interval": interval(of),
    "95 % bootstrap": interval(of.bootstrap),
    p: of.verdict === "too few repeats" ? "–" : of.p!.toFixed(4),
    verdict: of.verdict,
  })));

/** Our pairs: one a rate and seed. */
export function ourPairs(results: Results): Chart {
  const rows = results.analysed(COMPARISON).filter(isDone);
  const baseline = new Map(
    rows.filter((r) => r.params.model === "baseline")
      .map((r) => [`${r.params.lr} ${r.seed}`, r.value!]),
  );
  const pairs = rows.filter((r) => r.params.model === "cls")
    .flatMap((r) => {
      const a = baseline.get(`${r.params.lr} ${r.seed}`);
      return a === undefined ? [] : [{
        block: `LR ${rateText(Number(r.params.lr))}, seed ${r.repeat + 1}`,
        a,
        b: r.value!,
      }];
    });
  const c = clsLessBaseline(results);
  return pairedChart(pairs, {
    title: "Ours: a pair a rate and seed",
    aLabel: "Baseline",
    bLabel: "CLS",
    mean: c && c.n > 2
      ? { ours: { estimate: c.difference!, low: c.low!, high: c.high! } }
      : {},
    noise: noiseOf(results.rows(COMPARISON)),
  });
}

/** Our mean test accuracy of both models at every rate. */
export const rateMap = (results: Results): Chart =>
  heatMapChart(
    cellsOf(
      results.analysed(COMPARISON).map((r) => ({
        ...r,
        params: { lr: r.params.lr, model: r.params.model === "cls" ? 1 : 0 },
      })),
      "model",
    ).map((c) => ({ ...c, y: c.y === 1 ? "CLS" : "Baseline" })),
    {
      ...lrAxis,
      yLabel: "model",
      title: "Ours: mean over repeats",
      valueLabel: "test accuracy",
      noise: noiseOf(results.rows(COMPARISON)),
    },
  );

/** CLS less Baseline in all ways, in points. */
export const comparisonForest = (results: Results): Chart =>
  namedForest(comparisonWays(results), {
    title: "Ours: CLS less Baseline",
    xLabel: "test accuracy of CLS less that of the Baseline",
  });

/** The same in numbers, with t and bootstrap intervals. */
export const comparisonTable = (results: Results): Shown =>
  namedTable(comparisonWays(results));

/** McNemar's test of each pair's predictions on the shared test images. */
export function mcnemarTable(results: Results): Shown {
  const tests = clsLessBaseline(results)?.mcnemar?.perPair ?? [];
  const adjusted = holm(tests.map((t) => t.midP));
  return table(tests.map((t, i) => ({
    pair: t.block,
    "only CLS right": t.b,
    "only Baseline right": t.c,
    "mid-p": t.midP.toPrecision(2),
    "mid-p (Holm)": adjusted[i].toPrecision(2),
  })));
}

/** Cell by cell sums of the confusion matrices of a model's runs. */
function pooled(rows: readonly TrainingRow[], model: string): number[][] {
  const matrices = rows.filter((r) => r.params.model === model)
    .flatMap((r) => r.confusion ? [r.confusion] : []);
  return matrices.length === 0
    ? []
    : matrices.reduce((sum, m) =>
      sum.map((row, i) => row.map((n, j) => n + m[i][j]))
    );
}

/** Where the two models err differently, over all rates and seeds. */
export const confusionDifference = (
  results: Results,
  { classes }: { classes: string[] },
): Chart => {
  const rows = results.rows(COMPARISON);
  return confusionDifferenceChart(
    pooled(rows, "baseline"),
    pooled(rows, "cls"),
    classes,
    {
      title: "CLS less Baseline: how often a class is taken for another",
      aLabel: "Baseline",
      bLabel: "CLS",
    },
  );
};
