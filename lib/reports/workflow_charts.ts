/** Charts of the workflow's steps. */
import {
  type Chart,
  forestChart,
  heatMapChart,
  pairedChart,
  parallelCoordinatesChart,
  percent,
} from "../charts/mod.ts";
import { analysis } from "../study/mod.ts";
import { isolationOf } from "./isolation.ts";
import { byValidation, changeOf } from "./workflow_rules.ts";
import type { Decided } from "./workflow_steps.ts";

const VALIDATION = "validation accuracy";

/** Step 1: each rate's mean with its interval and all its runs. */
export const rateChart = ({ rows }: Decided): Chart =>
  isolationOf(byValidation(rows), "lr", {
    xLabel: "learning rate",
    yLabel: VALIDATION,
    scale: "log",
  });

/** Differences from the setting that the step's rule would keep. */
export function effectsChart({ effects }: Decided): Chart {
  return forestChart(
    effects.flatMap(({ label, estimate, low, high }) =>
      estimate === null ? [] : [{
        label,
        estimate: 100 * estimate,
        low: low === null ? null : 100 * low,
        high: high === null ? null : 100 * high,
      }]
    ),
    { xLabel: "difference from what is kept", unit: "points" },
  );
}

/** Step 3: mean over repeats by learning rate and depth. */
export function gridChart({ rows }: Decided): Chart {
  const judged = byValidation(rows);
  return heatMapChart(
    analysis.settings(judged).map((s) => ({
      x: s.params.lr as number,
      y: s.params.depth as number,
      value: s.mean,
      n: s.n,
    })),
    {
      xLabel: "learning rate",
      yLabel: "depth",
      valueLabel: VALIDATION,
      noise: analysis.noiseFloor(judged),
    },
  );
}

const LOG = ["lr", "eps", "weightDecay"];

/** Step 5: a line a setting of the search, from its parameters to its value. */
export function searchChart({ rows }: Decided): Chart {
  const names = Object.keys(rows[0]?.params ?? {});
  return parallelCoordinatesChart(
    byValidation(rows).map((r) => ({
      ...r.params as Record<string, number>,
      value: r.value,
    })),
    [
      ...names.map((name) => ({
        name,
        label: name,
        scale: LOG.includes(name) ? "log" as const : "linear" as const,
      })),
      {
        name: "value",
        label: VALIDATION,
        scale: "linear",
        format: (value) => percent(Number(value)),
      },
    ],
    { value: "value" },
  );
}

/** The last step: test accuracy of both ends, seed by seed. */
export function finalChart({ rows, ends, effects }: Decided): Chart {
  const of = (end: "workflow" | "search") =>
    rows.filter((r) => changeOf(ends[end], r.params) === "as it was");
  const search = new Map(of("search").map((r) => [r.repeat, r.accuracy]));
  const pairs = of("workflow").flatMap((row) => {
    const b = search.get(row.repeat);
    return row.accuracy === null || b === undefined || b === null
      ? []
      : [{ block: `seed ${row.seed}`, a: row.accuracy, b }];
  });
  const [effect] = effects;
  return pairedChart(pairs, {
    aLabel: "the workflow's end",
    bLabel: "the search's end",
    ...effect && effect.low !== null && effect.high !== null
      ? {
        mean: {
          ours: {
            estimate: effect.estimate!,
            low: effect.low,
            high: effect.high,
          },
        },
      }
      : {},
    noise: analysis.noiseFloor(
      byValidation(rows).map((r, i) => ({ ...r, value: rows[i].accuracy })),
    ),
  });
}
