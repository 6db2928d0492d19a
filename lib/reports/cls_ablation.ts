/** The ablation of the CLS block, and its controls under equal conditions. */
import {
  type Chart,
  forestChart,
  type HeatMapCell,
  heatMapChart,
} from "../charts/mod.ts";
import { type Params, type ParamValue } from "../study/mod.ts";
import { effectOf } from "./comparisons.ts";
import {
  compared,
  type Comparison,
  holmOf,
  testedP,
} from "./cls_comparison.ts";
import { ABLATION, CONTROLS } from "./cls_plans.ts";
import { isDone, type Row } from "./depth_lr.ts";
import type { Results } from "./report.ts";
import { points, pointsInterval, pText, type Shown, table } from "./show.ts";
import { noiseOf } from "./training_charts.ts";

const GAMMA = "schedule.gamma", ALPHA = "mixing.alpha";

/** A difference of two values, or models, with its p after Holm. */
export interface TestedEffect {
  label: string;
  group: string;
  /** Null where no two runs are a pair. */
  c: Comparison | null;
  /** Null below three seeds. */
  p: number | null;
}

type Untested = Omit<TestedEffect, "p">;

/** One family of comparisons, with Holm's p-values. */
function corrected(family: readonly Untested[]): TestedEffect[] {
  const ps = holmOf(family.map(({ c }) => testedP(c)));
  return family.map((effect, i) => ({ ...effect, p: ps[i] }));
}

/** One value of a factor less another, all other settings and the seed equal. */
const effect = (
  rows: readonly Row[],
  { factor, group, a, b }: {
    factor: string;
    group: string;
    a: ParamValue;
    b: ParamValue;
  },
): Untested => ({
  label: `${a} less ${b}`,
  group,
  c: compared(rows, { [factor]: a }, { [factor]: b }),
});

/** The decay that the ablation has beside a constant rate. */
const decayOf = (rows: readonly Row[]) =>
  Number(rows.find((r) => r.params[GAMMA] !== 1)?.params[GAMMA] ?? 0.5);

/** The main effects of the ablation, one family for Holm. */
export function mainEffects(results: Results): TestedEffect[] {
  const rows = results.analysed(ABLATION);
  const patches = { factor: "patches", group: "patches" };
  return corrected([
    { ...patches, a: "catAfterMlp", b: "dropped" },
    { ...patches, a: "catBeforeMlp", b: "dropped" },
    { ...patches, a: "catAfterMlp", b: "catBeforeMlp" },
    { factor: "scale", group: "scale of the logits", a: "right", b: "inverse" },
    { factor: ALPHA, group: "alpha of the mixing", a: 1, b: 0.2 },
    { factor: GAMMA, group: "decay an epoch", a: decayOf(rows), b: 1 },
  ].map((o) => effect(rows, o)));
}

/** Kept patches at each scale, and the right scale at each kind of patches. */
function simpleEffects(results: Results): TestedEffect[] {
  const rows = results.analysed(ABLATION);
  return corrected([
    ...["right", "inverse"].flatMap((scale) =>
      ["catAfterMlp", "catBeforeMlp"].map((a) =>
        effect(rows.filter((r) => r.params.scale === scale), {
          factor: "patches",
          group: `patches, scale ${scale}`,
          a,
          b: "dropped",
        })
      )
    ),
    ...["dropped", "catAfterMlp", "catBeforeMlp"].map((patches) =>
      effect(rows.filter((r) => r.params.patches === patches), {
        factor: "scale",
        group: `scale, patches ${patches}`,
        a: "right",
        b: "inverse",
      })
    ),
  ]);
}

const KEPT = "CLS, right scale, patches kept";

/** A row's model in the controls; null for one that they leave out. */
function modelOf({ model, patches, scale }: Params): string | null {
  if (model === "baseline") return "Baseline";
  if (model === "meanPool") return "mean pool";
  if (patches === "dropped") {
    return scale === "inverse" ? "CLS" : "CLS, right scale";
  }
  return patches === "catAfterMlp" && scale === "right" ? KEPT : null;
}

/**
 * Rows of the ablation and of the controls as one study of models under equal
 * alpha and decay; equal repeats have equal seeds in both.
 */
export const joined = (
  ablation: readonly Row[],
  controls: readonly Row[],
): Row[] =>
  [...ablation, ...controls].flatMap((r) => {
    const model = modelOf(r.params);
    return model === null ? [] : [{
      ...r,
      params: { model, [ALPHA]: r.params[ALPHA], [GAMMA]: r.params[GAMMA] },
    }];
  });

const joinedOf = (results: Results) =>
  joined(results.analysed(ABLATION), results.analysed(CONTROLS));

const less = (rows: readonly Row[], a: string, b: string): Untested => ({
  label: `${a} less ${b}`,
  group: "equal alpha and decay",
  c: compared(rows, { model: a }, { model: b }),
});

/** Models less the controls at equal alpha, decay and seed. */
export function controlEffects(results: Results): TestedEffect[] {
  const rows = joinedOf(results);
  return corrected([
    less(rows, "CLS", "Baseline"),
    less(rows, "CLS, right scale", "Baseline"),
    less(rows, KEPT, "Baseline"),
    less(rows, "mean pool", "CLS"),
    less(rows, "mean pool", "CLS, right scale"),
    less(rows, "mean pool", "Baseline"),
  ]);
}

/** The CLS block with both faults mended, less the Baseline. */
export const mendedLessBaseline = (results: Results): Comparison | null =>
  compared(joinedOf(results), { model: KEPT }, { model: "Baseline" });

/**
 * CLS with a decay less the Baseline without: what the published comparison
 * may have been.
 */
function unequalDecay(results: Results): TestedEffect {
  const rows = joinedOf(results)
    .filter((r) => (r.params.model === "Baseline") === (r.params[GAMMA] === 1))
    .map(({ params: { model, [ALPHA]: alpha }, ...r }) => ({
      ...r,
      params: { model, [ALPHA]: alpha },
    }));
  const c = compared(rows, { model: "CLS" }, { model: "Baseline" });
  return {
    label: "CLS with decay less Baseline without",
    group: "unequal, as the published may have been",
    c,
    p: testedP(c),
  };
}

function forestOf(
  effects: readonly TestedEffect[],
  title: string,
): Chart {
  return forestChart(
    effects.flatMap(({ label, group, c }) =>
      c === null
        ? []
        : effectOf(c).map((effect) => ({ label, group, ...effect }))
    ),
    { title, xLabel: "difference in test accuracy", unit: "points" },
  );
}

/** Main effects, the mean over all other settings. */
export const effectsForest = (results: Results): Chart =>
  forestOf(mainEffects(results), "Ours: main effects in the CLS block");

/** Patches and scale within each other. */
export const simpleForest = (results: Results): Chart =>
  forestOf(simpleEffects(results), "Ours: patches and scale, one in the other");

/** The three CLS blocks and the mean pool under equal conditions. */
export const controlForest = (results: Results): Chart =>
  forestOf(
    [...controlEffects(results), unequalDecay(results)],
    "Ours: the controls",
  );

function tableOf(effects: readonly TestedEffect[]): Shown {
  return table(effects.map(({ label, group, c, p }) => ({
    of: group,
    difference: label,
    "paired seeds": c?.n ?? 0,
    "mean (points)": c ? points(c.difference!) : "–",
    "95 % t interval": pointsInterval(c),
    bootstrap: pointsInterval(c?.bootstrap ?? null),
    "p (Holm)": pText(p),
  })));
}

/** The main effects in numbers. */
export const effectsTable = (results: Results): Shown =>
  tableOf(mainEffects(results));

/** The controls in numbers. */
export const controlTable = (results: Results): Shown =>
  tableOf(controlEffects(results));

/** Mean test accuracy by patches and scale, over alphas, decays and seeds. */
export function interaction(results: Results): Chart {
  const cells = Map.groupBy(
    results.analysed(ABLATION),
    ({ params: { patches, scale } }) => `${patches} ${scale}`,
  );
  return heatMapChart(
    [...cells.values()].map((own): HeatMapCell => {
      const { patches, scale } = own[0].params;
      const done = own.filter(isDone);
      return {
        x: String(scale),
        y: String(patches),
        value: done.length === 0
          ? null
          : done.reduce((sum, r) => sum + r.value!, 0) / done.length,
        n: done.length,
      };
    }),
    {
      xLabel: "scale of the logits",
      yLabel: "patches",
      title: "Ours: mean over alphas, decays and seeds",
      valueLabel: "test accuracy",
      noise: noiseOf(results.rows(ABLATION)),
    },
  );
}
