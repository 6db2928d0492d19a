/** The ablation of the CLS block, and its controls under equal conditions. */
import { type Chart, heatMapChart } from "../charts/mod.ts";
import { type Params, type ParamValue } from "../study/mod.ts";
import {
  corrected,
  type Named,
  namedForest,
  namedTable,
  pairsOf,
} from "./cls_compare.ts";
import { ABLATION, CONTROLS } from "./cls_plans.ts";
import { isDone, type Row } from "./depth_lr.ts";
import type { Results } from "./report.ts";
import type { Shown } from "./show.ts";
import { noiseOf } from "./training_charts.ts";

export const GAMMA = "schedule.gamma", ALPHA = "mixing.alpha";

/** What each factor's other values are held against: as published. */
const bases: Record<string, { value: ParamValue; name: string }> = {
  patches: { value: "dropped", name: "patches" },
  scale: { value: "inverse", name: "scale of the logits" },
  [ALPHA]: { value: 1, name: "mixing alpha" },
  [GAMMA]: { value: 1, name: "decay an epoch (1: constant)" },
};

/** One factor's values against its base, paired by all else and the seed. */
export const factorEffects = (
  rows: readonly Row[],
  factor: string,
  base = bases[factor].value,
): Named[] =>
  [...new Set(rows.map((r) => r.params[factor]))]
    .filter((value) => value !== undefined && value !== base)
    .flatMap((value) => {
      const of = pairsOf(rows, { [factor]: value }, { [factor]: base });
      return of
        ? [{ label: `${value} less ${base}`, group: bases[factor].name, of }]
        : [];
    });

/** All main effects of the ablation, one family for Holm. */
export const mainEffects = (results: Results): Named[] =>
  corrected(
    Object.keys(bases).flatMap((factor) =>
      factorEffects(results.analysed(ABLATION), factor)
    ),
  );

/** Main effects in points: pairs share all other settings and the seed. */
export const ablationForest = (results: Results): Chart =>
  namedForest(mainEffects(results), {
    title: "Ours: main effects in the CLS block",
    xLabel: "difference in test accuracy",
  });

/** The same in numbers. */
export const ablationTable = (results: Results): Shown =>
  namedTable(mainEffects(results));

/** Mean test accuracy by patches and scale, over alphas, decays and seeds. */
export function ablationMap(results: Results): Chart {
  const rows = results.analysed(ABLATION).map((r) => ({
    ...r,
    params: { patches: r.params.patches, scale: r.params.scale },
  }));
  const cells = Map.groupBy(rows, (r) => JSON.stringify(r.params));
  return heatMapChart(
    [...cells.values()].map((own) => {
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

/** Gains of kept patches where the scale is right, and of the scale by patches. */
export const ablationWithin = (results: Results): Named[] => {
  const rows = results.analysed(ABLATION);
  const only = (params: Params) =>
    rows.filter((r) =>
      Object.entries(params).every(([k, v]) => r.params[k] === v)
    );
  return [
    ...["right", "inverse"].flatMap((scale) =>
      factorEffects(only({ scale }), "patches")
        .map((e) => ({ ...e, group: `patches, scale ${scale}` }))
    ),
    ...["dropped", "catAfterMlp", "catBeforeMlp"].flatMap((patches) =>
      factorEffects(only({ patches }), "scale")
        .map((e) => ({ ...e, group: `scale, patches ${patches}` }))
    ),
  ];
};

/** The same as a forest; these intervals are not corrected. */
export const interactionForest = (results: Results): Chart =>
  namedForest(ablationWithin(results), {
    title: "Ours: patches and scale within each other",
    xLabel: "difference in test accuracy",
  });

export const PUBLISHED_CLS = "CLS as published";
export const RIGHT_CLS = "CLS, right scale";
export const KEPT_CLS = "CLS, patches kept, right scale";
const BASELINE = "Baseline", MEAN_POOL = "mean pool";

const nameOf = ({ model, patches, scale }: Params): string | null => {
  if (model === "baseline") return BASELINE;
  if (model === "meanPool") return MEAN_POOL;
  if (patches === "dropped") {
    return scale === "inverse" ? PUBLISHED_CLS : RIGHT_CLS;
  }
  return patches === "catAfterMlp" && scale === "right" ? KEPT_CLS : null;
};

/**
 * Rows of the ablation and of the controls as one study of models under equal
 * alpha and decay; equal repeats have equal seeds in both.
 */
export const joined = (ablation: readonly Row[], controls: readonly Row[]) =>
  [...ablation, ...controls].flatMap((r): Row[] => {
    const model = nameOf(r.params);
    return model === null ? [] : [{
      ...r,
      params: { model, [ALPHA]: r.params[ALPHA], [GAMMA]: r.params[GAMMA] },
    }];
  });

const joinedOf = (results: Results) =>
  joined(results.analysed(ABLATION), results.analysed(CONTROLS));

/** One model less another at equal alpha, decay and seed. */
export const modelsOf = (
  results: Results,
  a: string,
  b: "Baseline" | "mean pool",
  isIn: (row: Row) => boolean = () => true,
) => pairsOf(joinedOf(results).filter(isIn), { model: a }, { model: b });

/** CLS with decay less Baseline without: what unequal schedules would show. */
function unequalDecay(results: Results): Named[] {
  const rows = joinedOf(results)
    .filter((r) => (r.params.model === BASELINE) === (r.params[GAMMA] === 1))
    .map(({ params: { model, [ALPHA]: alpha }, ...r }) => ({
      ...r,
      params: { model, [ALPHA]: alpha },
    }));
  const of = pairsOf(rows, { model: PUBLISHED_CLS }, { model: BASELINE });
  return of
    ? [{
      label: `${PUBLISHED_CLS}, with decay`,
      group: "less the Baseline without decay",
      of,
    }]
    : [];
}

/** Three CLS models and the controls against each other. */
export function controlEffects(results: Results): Named[] {
  const models = [PUBLISHED_CLS, RIGHT_CLS, KEPT_CLS];
  return [
    ...corrected(
      ([BASELINE, MEAN_POOL] as const).flatMap((other) =>
        models.flatMap((label) => {
          const of = modelsOf(results, label, other);
          return of ? [{ label, group: `less the ${other}`, of }] : [];
        })
      ),
    ),
    ...unequalDecay(results),
  ];
}

/** CLS models less Baseline and less the mean pool, in points. */
export const controlForest = (results: Results): Chart =>
  namedForest(controlEffects(results), {
    title: "Ours: models at equal alpha and decay",
    xLabel: "difference in test accuracy",
  });

/** The same in numbers. */
export const controlTable = (results: Results): Shown =>
  namedTable(controlEffects(results));
