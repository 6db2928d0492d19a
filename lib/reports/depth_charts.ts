/** Charts that the studies of depth and learning rate share. */
import { type Chart, heatMapChart, isolationChart } from "../charts/mod.ts";
import { cellsOf, isolationRows, lrAxis, publishedBests } from "./depth_lr.ts";
import type { Results } from "./report.ts";
import { noiseOf } from "./training_charts.ts";

/** Our mean test accuracy of every depth and rate. */
export function depthMap(results: Results): Chart {
  return heatMapChart(cellsOf(results.analysed()), {
    ...lrAxis,
    yLabel: "depth",
    title: "Ours: mean over repeats",
    valueLabel: "test accuracy",
    noise: noiseOf(results.rows()),
  });
}

/** Each depth at its best rate, the best runs of a published table beside. */
export async function depthsAtBest(
  results: Results,
  id: string,
): Promise<Chart> {
  const rows = results.analysed();
  return isolationChart(isolationRows(rows), {
    xLabel: "depth",
    yLabel: "test accuracy",
    all: rows.map(({ params, value }) => ({
      value: Number(params.depth),
      accuracy: value,
    })),
    published: await publishedBests(id),
    noise: noiseOf(results.rows()),
  });
}
