/** Each chart of a few rows draws what its file holds. */
import {
  type Chart,
  forestChart,
  heatMapChart,
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

const charts: Record<string, () => Chart> = {
  heat: () =>
    heatMapChart(settings, { x: "lr", y: "depth", noise, title: "Ours" }),
  forest: () =>
    forestChart({ ours: effects, "published, single runs": effects }, {
      title: "Depth against depth 2",
    }),
};

for (const [name, chart] of Object.entries(charts)) {
  Deno.test(`the ${name} chart is as in its snapshot`, () => {
    assertSnapshot(name, chart());
  });
}
