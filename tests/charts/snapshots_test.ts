/** Each chart of a few rows draws what its file holds. */
import {
  type Chart,
  confusionChart,
  confusionDifferenceChart,
  costAccuracyChart,
  faceGridChart,
  forestChart,
  heatMapChart,
  heatOverlayChart,
  isolationChart,
  lineChart,
  lrSensitivityChart,
  pairedChart,
  parallelChart,
  repeatsChart,
  throughputChart,
  timelineChart,
} from "../../lib/charts/mod.ts";
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
  { label: "depth 4 vs depth 2", difference: -0.012, low: -0.03, high: 0.006 },
  { label: "depth 8 vs depth 2", difference: 0.02, low: null, high: null },
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

const labels = ["fear", "joy"];
const runs = [0.8, 0.82, 0.84, null].map((accuracy) => ({
  lr: 1e-3,
  accuracy,
}));
const face = Uint8Array.from({ length: 16 }, (_, i) => 16 * i);
const rates = (series: string, times: number) =>
  [10, 19, 20, null].map((rate, i) => ({
    series,
    batchSize: 2 ** i,
    imagesPerSecond: rate === null ? null : rate * times,
  }));

const pairs = (values: [number, number | null][]) =>
  values.flatMap((accuracies, i) =>
    accuracies.map((accuracy, k) => ({
      ...{ model: ["Baseline", "CLS"][k], seed: i + 1, accuracy },
    }))
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
  sensitivity: () => lrSensitivityChart(trials, { series: "depth" }),
  cost: () =>
    costAccuracyChart(bests, { cost: "value", costLabel: "depth, layers" }),
  parallel: () =>
    parallelChart(trials, { axes: ["depth", "lr"], title: "Trials" }),
  paired: () =>
    pairedChart(pairs([[0.5, 0.51], [0.5, null]]), {
      ...{ of: "model", values: ["Baseline", "CLS"], sharing: [], noise },
      published: pairs([[0.6, 0.62]]),
      mean: { difference: 0.01, low: -0.01, high: 0.03 },
    }),
  repeats: () =>
    repeatsChart([...runs, { lr: 1e-2, accuracy: 0.83 }], { x: "lr", noise }),
  confusion: () =>
    confusionChart([[3, 1], [0, 0]], { labels, title: "Best trial" }),
  "confusion-difference": () =>
    confusionDifferenceChart([[3, 1], [0, 4]], [[4, 0], [1, 1]], {
      labels,
      aLabel: "Baseline",
      bLabel: "CLS",
    }),
  throughput: () =>
    throughputChart([...rates("CPU", 1), ...rates("GPU", 2).slice(0, 2)], {
      published: rates("GPU", 3),
    }),
  timeline: () =>
    timelineChart([
      { number: 0, start: 0, end: 6e4, state: "COMPLETE" },
      { number: 1, start: 0, end: 3e4, state: "FAIL" },
      { number: 2, start: 4e4, end: null, state: "RUNNING" },
    ]),
  faces: () =>
    faceGridChart(labels.map((label) => ({ label, faces: [face, face] })), {
      size: 4,
      channels: 1,
    }),
  "heat-overlay": () =>
    heatOverlayChart(["none", "all"], [{
      label: "fear",
      face,
      maps: [new Float32Array(4), new Float32Array(4).fill(1)],
      side: 2,
    }], { size: 4, channels: 1 }),
};

for (const [name, chart] of Object.entries(charts)) {
  Deno.test(`the ${name} chart is as in its snapshot`, () => {
    assertSnapshot(name, chart());
  });
}
