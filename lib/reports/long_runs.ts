/** Long runs: depth × learning rate once more, and eps at the deepest net. */
import { type Chart, heatMapChart, pairedChart } from "../charts/mod.ts";
import type { TrainingPlan } from "../study/mod.ts";
import { meanOf } from "./comparisons.ts";
import { depthForest, depthTable } from "./depth_effects.ts";
import {
  atDepth,
  bestRate,
  lrAxis,
  publishedCells,
  rateText,
  valuesOf,
} from "./depth_lr.ts";
import {
  decide,
  EPS_STUDY,
  epsDifference,
  epsPairs,
  judgeClsDepth,
  judgeDeeper,
  judgeDepthNeedsLength,
  judgeEps,
  judgeNaN,
  judgeSensitivity,
  pairedMean,
} from "./long_runs_claims.ts";
import { depthsAtBest } from "./depth_charts.ts";
import { baseOf, pretrained, type Profile, trainingPlan } from "./profile.ts";
import { publishedFigure } from "./published.ts";
import { publishedNoise } from "./published_noise.ts";
import type { Report, Results } from "./report.ts";
import type { Shown } from "./show.ts";
import { bandsChart, noiseOf } from "./training_charts.ts";

/** Quarter decades from 10^-3.5 to 10^-5.5, as published. */
const quarters = Array.from(
  { length: 9 },
  (_, i) => Number((10 ** (-3.5 - i / 4)).toPrecision(4)),
);

const grids: Record<
  Profile,
  { depth: number[]; lr: number[]; epsLr: number[] }
> = {
  smoke: { depth: [1, 2], lr: [1e-3], epsLr: [1e-3] },
  quick: { depth: [1, 4], lr: [1e-3, 1e-2], epsLr: [1e-3] },
  cpu: {
    depth: [2, 4, 8],
    lr: [3.16e-4, 1e-3, 3.16e-3],
    epsLr: [3.16e-4, 1e-3, 3.16e-3],
  },
  // Published eps runs are those at the five lowest rates.
  paper: { depth: [2, 4, 6, 8], lr: quarters, epsLr: quarters.slice(4) },
};

/** Three times the profile's epochs; at quick fewer images make up for it. */
function longPlan(
  profile: Profile,
  o: Pick<Parameters<typeof trainingPlan>[1], "name" | "parameters" | "recipe">,
): TrainingPlan {
  const { epochs } = baseOf(profile).recipe;
  const plan = trainingPlan(profile, {
    ...o,
    recipe: { ...o.recipe, epochs: 3 * (epochs ?? 1) },
    paper: {
      epochs: 60,
      ...pretrained,
    },
  });
  return profile === "quick"
    ? { ...plan, limits: { train: 256, validation: 70, test: 140 } }
    : plan;
}

function plans(profile: Profile): TrainingPlan[] {
  const { depth, lr, epsLr } = grids[profile];
  return [
    longPlan(profile, { name: "long-runs", parameters: { depth, lr } }),
    longPlan(profile, {
      name: EPS_STUDY,
      parameters: { eps: [1e-8, 1e-7], lr: epsLr },
      recipe: { depth: depth.at(-1) },
    }),
  ];
}

const depthAxis = { name: "depth", label: "depth", scale: "linear" } as const;
const epsAxis = { name: "eps", label: "eps", scale: "log" } as const;
const lrLine = { name: "lr", label: "learning rate", scale: "log" } as const;

/** The published grid of depth and learning rate, as the study drew it. */
export const publishedGrid = (): Promise<Chart> =>
  publishedFigure("long-epochs-depth-lr", [depthAxis, lrLine]);

/** The published runs with eps 1e-7 and 1e-8 at depth 8. */
export const publishedEps = (): Promise<Chart> =>
  publishedFigure("eps-depth8", [epsAxis, lrLine], {
    title: "Published: eps at depth 8, 60 epochs, pretrained",
  });

/** The published depths of the CLS model. */
export const publishedCls = (): Promise<Chart> =>
  publishedFigure("nonmulti-depth", [lrLine, depthAxis], {
    title: "Published: CLS model, 60 epochs, pretrained",
  });

const publishedMaps = {
  "long-epochs-depth-lr":
    "Published: Baseline, eps 1e-7, 60 epochs, pretrained",
  "nonmulti-depth": "Published: CLS model, 60 epochs, pretrained",
};

/** A published table as a map, without the second sweep of depth 8 (eps 1e-8). */
export async function publishedMap(
  id: keyof typeof publishedMaps,
): Promise<Chart> {
  const cells = await publishedCells(id, "depth", {
    isShown: (r) => !String(r.eps).startsWith("1e-08"),
  });
  return heatMapChart(cells, {
    ...lrAxis,
    yLabel: "depth",
    title: publishedMaps[id],
    valueLabel: "maximum test accuracy",
    noise: publishedNoise.pretrained,
    width: 720,
  });
}

export { depthMap as gridMap } from "./depth_charts.ts";

/** Each depth at its best rate, the published best runs beside ours. */
export const depthIsolation = (results: Results): Promise<Chart> =>
  depthsAtBest(results, "long-epochs-depth-lr");

/** Depths against depth 2 (or the shallowest), ours and published. */
export const effectsChart = (results: Results): Promise<Chart> =>
  depthForest(results.analysed(), {
    id: "long-epochs-depth-lr",
    noise: publishedNoise.pretrained,
  });

/** The same in numbers, with p-values after Holm's correction. */
export const comparisons = (results: Results): Shown =>
  depthTable(results.analysed());

/** Validation accuracy by epoch, each depth at its best rate. */
export function learningCurves(results: Results): Chart {
  const analysed = results.analysed(), rows = results.rows();
  return bandsChart(
    valuesOf(analysed, "depth").flatMap((depth) => {
      const lr = bestRate(atDepth(analysed, depth));
      return rows.filter(({ params }) =>
        params.depth === depth && params.lr === lr
      );
    }),
    ({ params: { depth, lr } }) => `depth ${depth}, lr ${rateText(Number(lr))}`,
    { all: rows },
  );
}

/** eps 1e-8 and 1e-7 at the same rate (and seed), published and ours. */
export async function epsChart(results: Results): Promise<Chart> {
  const published = await epsPairs.published();
  const rows = results.analysed(EPS_STUDY);
  const c = epsDifference(rows);
  return pairedChart([...published, ...epsPairs.ours(rows)], {
    aLabel: "eps 1e-8",
    bLabel: "eps 1e-7",
    mean: {
      published: pairedMean(published),
      // The t interval of two seeds is too wide to be drawn.
      ours: meanOf(c),
    },
    noise: noiseOf(results.rows(EPS_STUDY)),
  });
}

export const report: Report = {
  notebook: "06-long-runs",
  title: "Long runs",
  published: ["long-epochs-depth-lr", "eps-depth8", "nonmulti-depth"],
  trainings: plans,
  claims: [
    {
      claim: "With long runs and low rates deeper is better",
      published: "best of 83.92, 84.49, 84.62 and 85.07 % at depths 2, 4, 6 " +
        "and 8 (eps 1e-7): 1.2 points in all, 2.5 times the noise of 0.48, " +
        "each the best of 7 to 9 runs",
      judge: judgeDeeper,
    },
    {
      claim: "Depth shows only with long runs",
      published: "10 epochs from scratch against 60 pretrained: two changes " +
        "at once",
      judge: judgeDepthNeedsLength,
    },
    {
      claim: "Metrics are highly sensitive to the learning rate",
      published: "64.17 to 84.62 % at depth 6, 77.18 to 85.07 % at depth 8",
      judge: judgeSensitivity,
    },
    {
      claim: "A large rate often gives NaN",
      published: "no count; the figures show no run without a number",
      judge: judgeNaN,
    },
    {
      claim: "No strong relation with eps at depth 8: fix 1e-8",
      published:
        "1e-7 less 1e-8: +0.62 points over five rates (−0.31 to +1.55)",
      judge: judgeEps,
    },
    {
      claim: "Deeper is better for the CLS model, too",
      published:
        "means 84.39, 84.56, 83.87 and 84.33 % at depths 2, 4, 6 and " +
        "8: not supported",
      judge: judgeClsDepth,
    },
  ],
  decide,
};
