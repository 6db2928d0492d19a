/** Charts and tables of both decays. */
import { type Chart, heatMapChart, lrSensitivityChart } from "../charts/mod.ts";
import { analysis, readPublished } from "../study/mod.ts";
import { differenceText } from "./comparisons.ts";
import { againstForest, againstTable } from "./against.ts";
import { cellsOf, lrAxis, rateText, type Row } from "./depth_lr.ts";
import { publishedFigure } from "./published.ts";
import { publishedNoise } from "./published_noise.ts";
import type { Results } from "./report.ts";
import { markdown, type Shown } from "./show.ts";
import { bandsChart, noiseOf } from "./training_charts.ts";
import {
  againstBestConstant,
  againstNone,
  atRate,
  bestConstant,
  coupledLessDecoupled,
  DECAY,
  decayedRates,
  GAMMA,
  LR_DECAY,
  optimizers,
  WEIGHT_DECAY,
} from "./weight_decay_effects.ts";

/** The 13 published runs, as the study drew them. */
export const publishedRuns = (): Promise<Chart> =>
  publishedFigure("scheduler", [
    { name: "scheduler", label: "scheduler", scale: "category" },
    { name: "gamma", label: "gamma", scale: "linear" },
    { name: "lr", label: "learning rate", scale: "log" },
  ], { title: "Published: exponential LR decay and constant rates" });

/** Published runs; the figure gives constant ones an unused gamma. */
async function publishedPoints() {
  const { records } = await readPublished("scheduler");
  return records.map((r) => ({
    gamma: r.scheduler === "exponential" ? Number(r.gamma) : 1,
    lr: Number(r.lr),
    accuracy: Number(r.acc) / 100,
  }));
}

const seriesOf = (gamma: number) => gamma === 1 ? "constant" : `γ ${gamma}`;

/** Published: constant rates (the better of two eps) and both decays. */
export async function publishedRates(): Promise<Chart> {
  const byGamma = Map.groupBy(await publishedPoints(), (p) => p.gamma);
  const curves = [...byGamma].sort(([a], [b]) => b - a)
    .map(([gamma, own]) => {
      const points = [...Map.groupBy(own, (p) => p.lr)]
        .map(([lr, same]) => ({
          lr,
          value: Math.max(...same.map((p) => p.accuracy)),
        })).sort((a, b) => a.lr - b.lr);
      const best = points.reduce((a, b) => b.value > a.value ? b : a);
      return { series: seriesOf(gamma), points, bestLr: best.lr };
    });
  return lrSensitivityChart(curves, {
    title: "Published: constant 60 epochs, decaying 100",
    yLabel: "maximum test accuracy",
    noise: publishedNoise.pretrained,
  });
}

/** Our mean test accuracy by first rate and gamma. */
export const lrDecayMap = (results: Results): Chart =>
  heatMapChart(cellsOf(results.analysed(LR_DECAY), GAMMA), {
    ...lrAxis,
    xLabel: "first learning rate",
    yLabel: "gamma (γ)",
    yFormat: (gamma) => seriesOf(Number(gamma)),
    title: "Ours: LR decay, mean over repeats",
    valueLabel: "test accuracy",
    noise: noiseOf(results.rows(LR_DECAY)),
  });

/** At each rate against the constant one, then against the best constant. */
function lrDecayGroups(results: Results) {
  const best = bestConstant(results.analysed(LR_DECAY));
  const rates = decayedRates(results);
  const all = againstBestConstant(results);
  return [
    ...rates.map((lr) => ({
      group: `ours from ${rateText(lr)}, less constant ${rateText(lr)}`,
      of: atRate(results, lr),
    })),
    ...rates.filter((lr) => lr !== best).map((lr) => ({
      group: `ours from ${rateText(lr)}, less the best constant rate`,
      of: all.filter((c) => c.a.lr === lr),
    })),
  ];
}

/** LR decay against constant rates, ours and published. */
export async function lrDecayForest(results: Results): Promise<Chart> {
  const published = await publishedPoints();
  const constant = published.filter((p) => p.gamma === 1);
  const from = 1e-4;
  const best = (own: typeof constant) =>
    Math.max(...own.map((p) => p.accuracy));
  const bases = [
    {
      group: "published from 1e-4, less constant 1e-4",
      accuracy: best(constant.filter((p) => p.lr === from)),
    },
    {
      group: "published from 1e-4, less the best constant rate",
      accuracy: best(constant),
    },
  ];
  const theirs = bases.flatMap(({ group, accuracy }) =>
    published.filter((p) => p.gamma !== 1).map((p) => ({
      label: String(p.gamma),
      group,
      difference: p.accuracy - accuracy,
    }))
  );
  return againstForest(lrDecayGroups(results), theirs, {
    xLabel: "test accuracy with LR decay less that at a constant rate",
  });
}

/** The same in numbers. */
export const lrDecayTable = (results: Results): Shown =>
  againstTable(lrDecayGroups(results));

/** Validation accuracy by epoch, constant and decaying, from the highest rate. */
export function decayCurves(results: Results): Chart {
  const rows = results.rows(LR_DECAY);
  const lr = decayedRates(results).at(-1);
  return bandsChart(
    rows.filter((r) => r.params.lr === lr),
    (r) => seriesOf(Number(r.params[GAMMA])),
    {
      all: rows,
      title: lr === undefined ? undefined : `From rate ${rateText(lr)}`,
    },
  );
}

const couplingOf = ({ params }: Pick<Row, "params">) =>
  optimizers[params.optimizer as keyof typeof optimizers];

/** Decay by learning rate, coupled beside decoupled. */
export function decayMap(results: Results): Chart {
  const rows = results.analysed(WEIGHT_DECAY);
  const cells = analysis.settings(rows)
    .toSorted((a, b) =>
      couplingOf(a).localeCompare(couplingOf(b)) ||
      Number(a.params.lr) - Number(b.params.lr)
    );
  return heatMapChart(
    cells.map((s) => ({
      x: `${couplingOf(s)}, ${rateText(Number(s.params.lr))}`,
      y: Number(s.params[DECAY]),
      value: s.mean,
      n: s.n,
    })),
    {
      xLabel: "how decay acts, learning rate",
      yLabel: "weight decay",
      title: "Ours: weight decay, mean over repeats",
      valueLabel: "test accuracy",
      noise: noiseOf(results.rows(WEIGHT_DECAY)),
    },
  );
}

function decayGroups(results: Results) {
  const all = againstNone(results);
  return Object.entries(optimizers).map(([optimizer, how]) => ({
    group: `ours, ${how}`,
    of: all.filter((c) => c.a.optimizer === optimizer),
  }));
}

/** Each weight decay against none; nothing was published. */
export const decayForest = (results: Results): Chart =>
  againstForest(decayGroups(results), [], {
    xLabel: "test accuracy with weight decay less that without",
  });

/** The same in numbers. */
export const decayTable = (results: Results): Shown =>
  againstTable(decayGroups(results));

/** Coupled less decoupled at every decay, as a list. */
export function coupling(results: Results): Shown {
  const of = coupledLessDecoupled(results);
  return markdown(
    of.length === 0
      ? "Ours: no decay has finished runs of both kinds."
      : of.map(({ decay, comparison }) =>
        `- Decay ${decay}, coupled less decoupled: ${
          differenceText(comparison)
        }; ${comparison.verdict}.`
      ).join("\n"),
  );
}
