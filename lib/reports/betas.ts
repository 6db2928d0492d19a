/** Adam's betas: whether (0.9, 0.999) will do. */
import type { Chart } from "../charts/mod.ts";
import { parseRecipe, RecipeError } from "../train/mod.ts";
import {
  type AdamParameter,
  againstUsual,
  decideUsual,
  judgeUsual,
  USUAL_RULE,
} from "./adam_parameters.ts";
import { againstForest, againstTable } from "./against.ts";
import { squareRootRule } from "./batch_size_rules.ts";
import { isolationOf } from "./isolation.ts";
import { type Profile, trainingPlan } from "./profile.ts";
import type { Report, Results } from "./report.ts";
import { type Shown, table } from "./show.ts";

const BETA1: AdamParameter = {
  study: "beta1",
  path: "betas.0",
  label: "beta1",
  usual: 0.9,
};
const BETA2: AdamParameter = {
  study: "beta2",
  path: "betas.1",
  label: "beta2",
  usual: 0.999,
};

/** The published grids, less the 1 that is refused. */
const grids: Record<"beta1" | "beta2", Record<Profile, number[]>> = {
  beta1: {
    smoke: [0.9, 0.8],
    quick: [0.7, 0.9, 0.95],
    cpu: [0.7, 0.8, 0.85, 0.9, 0.95],
    paper: [0.7, 0.8, 0.85, 0.9, 0.95],
  },
  beta2: {
    smoke: [0.999, 0.99],
    quick: [0.9, 0.99, 0.999],
    cpu: [0.8, 0.9, 0.99, 0.995, 0.997, 0.999],
    paper: [0.8, 0.9, 0.99, 0.995, 0.997, 0.999],
  },
};

/** The published grids; the figure was never published. */
export const publishedGrid = (): Shown =>
  table([
    {
      parameter: "beta1",
      values: "0.7, 0.8, 0.85, 0.9, 0.95, 1",
      epochs: 25,
      accuracies: "never published",
    },
    {
      parameter: "beta2",
      values: "0.8, 0.9, 0.99, 0.995, 0.997, 0.999, 0.999, 1",
      epochs: 35,
      accuracies: "never published",
    },
  ]);

/** What a beta of 1 gives today: the recipe's own line. */
export const refusedTable = (): Shown =>
  table([[1, 0.999], [0.9, 1]].map((betas) => {
    try {
      parseRecipe({ betas });
      return { betas: betas.join(", "), answer: "accepted" };
    } catch (error) {
      if (!(error instanceof RecipeError)) throw error;
      return { betas: betas.join(", "), answer: error.message };
    }
  }));

/** The square-root rule as factors, from the usual betas on. */
export const squareRootTable = (): Shown =>
  table([1, 4, 16].map((k) => {
    const [start, scaled] = [1, k].map((k) => squareRootRule(256 * k));
    const [beta1, beta2] = scaled.betas.map((b) => Number(b.toFixed(4)));
    return {
      "batch, times": k,
      "rate, times": Number((scaled.lr / start.lr).toFixed(4)),
      beta1: beta1 > 0 ? beta1 : "below 0: no longer reachable",
      beta2,
      "eps, times": Number((scaled.eps / start.eps).toFixed(4)),
    };
  }));

const betaIsolation = (
  results: Results,
  { study, path, label }: AdamParameter,
) =>
  isolationOf(results.analysed(study), path, {
    xLabel: label,
    scale: "category",
  });

export const beta1Isolation = (results: Results): Chart =>
  betaIsolation(results, BETA1);

export const beta2Isolation = (results: Results): Chart =>
  betaIsolation(results, BETA2);

const ours = (results: Results) =>
  [BETA1, BETA2].map((p) => ({
    group: `${p.label}, against ${p.usual}`,
    of: againstUsual(results.analysed(p.study), p),
  }));

/** Every value against the default, paired by seed. */
export const betasForest = (results: Results): Chart =>
  againstForest(ours(results), [], {
    xLabel: "test accuracy less that of the default",
  });

/** The same in numbers, with p-values after Holm's correction. */
export const comparisons = (results: Results): Shown =>
  againstTable(ours(results));

export const report: Report = {
  notebook: "05-betas",
  title: "Adam's betas",
  published: ["beta1"],
  trainings: (profile) =>
    ([["beta1", "betas.0", 25], ["beta2", "betas.1", 35]] as const).map((
      [name, path, epochs],
    ) =>
      trainingPlan(profile, {
        name,
        parameters: { [path]: grids[name][profile] },
        recipe: {
          depth: profile === "smoke" ? 1 : 2,
          lr: profile === "paper" ? 4e-4 : 1e-3,
        },
        paper: { epochs, eps: 1e-7 },
      })
    ),
  claims: [
    {
      claim: "beta1 = 0.9 will do",
      published: "no number: the figure was never published",
      judge: (results) => judgeUsual(results, BETA1),
    },
    {
      claim: "beta2 = 0.999 will do",
      published: "no number: the figure was never published",
      judge: (results) => judgeUsual(results, BETA2),
    },
  ],
  decide: (results) =>
    `${decideUsual(results, BETA1)} ${
      decideUsual(results, BETA2)
    } ${USUAL_RULE}`,
};
