/** Charts that the studies of depth and learning rate share. */
import { type Chart, heatMapChart } from "../charts/mod.ts";
import { cellsOf, lrAxis, publishedBests } from "./depth_lr.ts";
import { isolationOf } from "./isolation.ts";
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
  return isolationOf(results.analysed(), "depth", {
    xLabel: "depth",
    published: await publishedBests(id),
  });
}
