/** What the calls of a report may name. */
import * as charts from "../../charts/mod.ts";
import * as reports from "../../reports/mod.ts";
import * as rows from "../../rows/mod.ts";

// deno-lint-ignore no-explicit-any
type Function = (...args: any[]) => unknown;

export const FUNCTIONS = new Map<string, Function>(Object.entries({
  ...{ effects: reports.effects, asFamily: reports.asFamily },
  ...{ bestPer: rows.bestPer, settings: rows.settings },
  ...{ runsAtBest: rows.runsAtBest, where: rows.where },
  ...{ epochRows: rows.epochRows, noiseOf: rows.noiseOf },
  ...{ noGain: reports.noGain, gains: reports.gains, equal: reports.equal },
  ...{ better: reports.better, worse: reports.worse },
  ...{ peakWithin: reports.peakWithin, gainText: reports.gainText },
  effectsText: reports.effectsText,
  differenceText: reports.differenceText,
  keepUnlessBeaten: reports.keepUnlessBeaten,
  ...{ effectTable: reports.effectTable, trialTable: reports.trialTable },
  ...{ forestChart: charts.forestChart, heatMapChart: charts.heatMapChart },
  ...{ pairedChart: charts.pairedChart, parallelChart: charts.parallelChart },
  ...{ isolationChart: charts.isolationChart, lineChart: charts.lineChart },
  costAccuracyChart: charts.costAccuracyChart,
  confusionChart: charts.confusionChart,
  confusionDifferenceChart: charts.confusionDifferenceChart,
  repeatsChart: charts.repeatsChart,
  lrSensitivityChart: charts.lrSensitivityChart,
}));

/** Rules that have a margin, in points. */
export const WITH_MARGIN = new Set(["noGain", "gains", "equal"]);
