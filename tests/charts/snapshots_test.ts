/** Each chart of a few rows draws what its file holds. */
import {
  type Chart,
  costAccuracyChart,
  forestChart,
  heatMapChart,
  isolationChart,
  lineChart,
  lrSensitivityChart,
  parallelChart,
} from "../../lib/charts/charts.ts";
import { assertSnapshot } from "./_snapshot.ts";

const noise = { sd: 0.01, low: 0.007, high: 0.018, df: 8 };
const RATES = [1e-4, 1e-3, 1e-2];

/** Settings: two depths at three rates; the last one failed. */
const settings = [2, 4].flatMap((depth, j) =>
  RATES.map((lr, i) => ({
    depth,
    lr,
    mean: i + j === 3 ? null : 0.5 + 0.05 * i - 0.01 * j,
    n: 3,
  }))
);

const effects = [
  {
    label: "depth 4 less depth 2",
    difference: -0.012,
    low: -0.03,
    high: 0.006,
  },
  { label: "depth 8 less depth 2", difference: 0.02, low: null, high: null },
];

/** Trials: two repeats of each setting; those of the last one failed. */
const trials = settings.flatMap(({ mean, ...s }) =>
  [-0.01, 0.01].map((d) => ({
    ...s,
    accuracy: mean === null ? null : mean + d,
  }))
);

const bests = [
  { value: 2, mean: 0.6, low: 0.58, high: 0.62, n: 3, nuisance: "lr 10⁻²" },
  { value: 4, mean: 0.54, low: 0.5, high: 0.58, n: 3, infeasible: 1 },
];

const epochs = [1, 2, 3, 4].flatMap((epoch) =>
  [0, 1].map((run) => ({ epoch, loss: 10 ** (-epoch - run / 2) }))
);

const charts: Record<string, () => Chart> = {
  heat: () =>
    heatMapChart(settings, { x: "lr", y: "depth", noise, title: "Ours" }),
  forest: () =>
    forestChart({ ours: effects, "published, single runs": effects }, {
      title: "Depth against depth 2",
    }),
  isolation: () =>
    isolationChart(bests, {
      x: "depth",
      runs: trials,
      published: trials.filter((t) => t.depth === 2),
      noise,
    }),
  line: () => lineChart(trials, { x: "lr", series: "depth", noise }),
  "line-loss": () => lineChart(epochs, { x: "epoch", y: "loss" }),
  "line-panels": () =>
    lineChart(trials, { x: "lr", facet: "depth", noise: null, width: 400 }),
  sensitivity: () => lrSensitivityChart(trials, { series: "depth" }),
  cost: () =>
    costAccuracyChart(bests, { cost: "value", costLabel: "depth, layers" }),
  parallel: () =>
    parallelChart(trials, { axes: ["depth", "lr"], title: "Trials" }),
};

for (const [name, chart] of Object.entries(charts)) {
  Deno.test(`the ${name} chart is as in its snapshot`, () => {
    assertSnapshot(name, chart());
  });
}
