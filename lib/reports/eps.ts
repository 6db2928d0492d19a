/** Adam's eps: which value, and how much of the net it touches. */
import { type Chart, heatMapChart, secondMomentsChart } from "../charts/mod.ts";
import { readPublished } from "../study/mod.ts";
import { parseRecipe, train } from "../train/mod.ts";
import { FEWEST, isBetter, repeatsWords, tooFew } from "./comparisons.ts";
import {
  type AdamParameter,
  againstUsual,
  decideUsual,
  USUAL_RULE,
} from "./adam_parameters.ts";
import { againstForest, againstTable, againstText } from "./against.ts";
import { rateText } from "./depth_lr.ts";
import { isolationOf } from "./isolation.ts";
import type { OpenReport } from "./open.ts";
import { type Profile, trainingPlan } from "./profile.ts";
import { publishedFigure } from "./published.ts";
import { publishedNoise } from "./published_noise.ts";
import {
  cannotTell,
  type Judgement,
  type Report,
  type Results,
} from "./report.ts";
import type { Shown } from "./show.ts";

const EPS: AdamParameter = {
  study: "eps",
  path: "eps",
  label: "eps",
  usual: 1e-8,
};

const published = [1e-6, 1e-7, 1e-8, 1e-9, 1e-10];

const values: Record<Profile, number[]> = {
  smoke: [1e-7, 1e-8],
  quick: [1e-6, 1e-7, 1e-8],
  cpu: published,
  paper: published,
};

const rates: Record<Profile, number[]> = {
  smoke: [1e-3],
  quick: [1e-3, 3e-3],
  cpu: [1e-3, 3e-3],
  paper: [2e-4, 4e-4],
};

/** The ten published runs, as the study drew them. */
export const publishedRuns = (): Promise<Chart> =>
  publishedFigure("eps-depth2", [
    { name: "depth", label: "depth", scale: "category" },
    { name: "eps", label: "eps", scale: "log" },
  ]);

/** The same as a map of depth and eps. */
export async function publishedMap(): Promise<Chart> {
  const { records } = await readPublished("eps-depth2");
  return heatMapChart(
    records.map(({ eps, depth, acc }) => ({
      x: Number(eps),
      y: Number(depth),
      value: Number(acc) / 100,
    })),
    {
      xLabel: "eps",
      yLabel: "depth",
      xFormat: (eps) => Number(eps).toExponential(),
      title: "Published: RAF-DB, 20 epochs from scratch",
      valueLabel: "maximum test accuracy",
      noise: publishedNoise.scratch,
    },
  );
}

/** Each eps at its best rate; the published depth-2 runs beside ours. */
export async function epsIsolation(results: Results): Promise<Chart> {
  const { records } = await readPublished("eps-depth2");
  const rows = results.analysed();
  return isolationOf(rows, EPS.path, {
    xLabel: EPS.label,
    scale: "log",
    ...rows.length === 0 ? { noise: publishedNoise.scratch } : {},
    published: records.filter((r) => r.depth === 2).map((r) => ({
      value: Number(r.eps),
      accuracy: Number(r.acc) / 100,
    })),
  });
}

const ours = (results: Results) => [{
  group: "ours, mean over the rates",
  of: againstUsual(results.analysed(), EPS),
}];

/** Every eps against 1e-8, ours and the published single runs. */
export async function epsForest(results: Results): Promise<Chart> {
  const { records } = await readPublished("eps-depth2");
  const usual = new Map(
    records.filter((r) => r.eps === 1e-8).map((r) => [r.depth, Number(r.acc)]),
  );
  return againstForest(
    ours(results),
    records.filter((r) => r.eps !== 1e-8).map((r) => ({
      label: Number(r.eps).toExponential(),
      group: `published, depth ${r.depth}`,
      difference: (Number(r.acc) - usual.get(r.depth)!) / 100,
    })),
    {
      xLabel: "test accuracy less that of eps 1e-8",
      noise: publishedNoise.scratch,
    },
  );
}

/** The same in numbers. */
export const comparisons = (results: Results): Shown =>
  againstTable(ours(results));

/**
 * √v̂ of every parameter after one epoch of the study's recipe at its first
 * rate, against each eps: only where √v̂ is not far above it does eps change a
 * step.
 */
export async function secondMoments(study: OpenReport): Promise<Chart> {
  const [plan] = study.plans;
  const [lr] = rates[study.profile];
  const recipe = parseRecipe({ ...plan.recipe, lr, epochs: 1 });
  let moments;
  for await (
    const row of train(recipe, await study.data(), { diagnose: true })
  ) moments = row.diagnostics?.secondMoments;
  return secondMomentsChart(moments ?? { edges: [], counts: [] }, {
    eps: published,
    title: `After one epoch at LR ${rateText(lr)}`,
  });
}

/** Holds if 1e-7 beats 1e-8, fails if a gain of a point is excluded. */
export function judgeFits(results: Results): Judgement {
  const rows = results.analysed();
  const c = againstUsual(rows, EPS).find((c) => c.a.eps === 1e-7);
  if (!c) return cannotTell("eps 1e-7 or 1e-8 has no finished run");
  const text = againstText([c]);
  if (c.n < FEWEST) return cannotTell(tooFew(c.n), text);
  if (isBetter(c)) {
    return {
      ours: text,
      verdict: "holds",
      why: "1e-7 beats 1e-8 (paired t tests, Holm)",
    };
  }
  return c.high! < 0.01
    ? {
      ours: text,
      verdict: "does not hold",
      why: "the interval excludes a gain of one point",
    }
    : cannotTell(
      `not told apart, and a gain of a point is not excluded; ${
        repeatsWords([c])
      }`,
      text,
    );
}

export const report: Report = {
  notebook: "04-eps",
  title: "Adam's eps",
  published: ["eps-depth2"],
  trainings: (profile) => [
    trainingPlan(profile, {
      name: "eps",
      parameters: {
        eps: values[profile],
        lr: { values: rates[profile], role: "nuisance" },
      },
      recipe: { depth: profile === "smoke" ? 1 : 2 },
      paper: { epochs: 20 },
    }),
  ],
  claims: [
    {
      claim: "At depth 2 an eps of 1e-7 fits better",
      published: "60.95 % against 60.34 % at 1e-8, one run each (at depth 4 " +
        "57.89 against 58.54); noise of such runs 3.0 points: not resolved",
      judge: judgeFits,
    },
  ],
  decide: (results) => `${decideUsual(results, EPS)} ${USUAL_RULE}`,
};
