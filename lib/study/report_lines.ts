/** What a training study's trials say, as lines for a report. */
import {
  type AnalysisRow,
  boundaryWarnings,
  infeasible,
  noiseFloor,
  noiseLine,
  type SearchedParameter,
  selectionBias,
} from "./analysis/mod.ts";
import {
  type CheckedPlan,
  parsePlan,
  recipeOf,
  type TrainingPlan,
} from "./plan.ts";

const PICKED_ON_TEST = "the epoch was picked on the test split, as the plan " +
  "says (testMaximum), so every number here is optimistic";

/**
 * A plan's parameters as a search: an end is natural where the recipe takes no
 * value beyond it, such as 0 for a weight decay or 1 for a depth.
 */
export function searched(
  plan: CheckedPlan,
  rows: readonly AnalysisRow[],
): Record<string, SearchedParameter> {
  const takes = (name: string, value: number) => {
    try {
      recipeOf(plan, {
        params: { ...rows[0]?.params, [name]: value },
        seed: 0,
      });
      return true;
    } catch {
      return false;
    }
  };
  return Object.fromEntries(
    Object.entries(plan.study.parameters).map(([name, parameter]) => {
      const values = ("values" in parameter
        ? parameter.values
        : [parameter.low, parameter.high]).filter((v) =>
          typeof v === "number"
        );
      const [low, high] = [Math.min(...values), Math.max(...values)];
      const step = values.every(Number.isInteger) ? 1 : 1e-9;
      return [name, {
        ...parameter,
        natural: [
          ...takes(name, low - step) ? [] : [low],
          ...takes(name, high + step) ? [] : [high],
        ],
      }];
    }),
  );
}

/**
 * What to know before a conclusion is drawn: the noise of the repeats, how much
 * picking epochs on test flatters, whether the best setting lies on the edge of
 * what was searched, and which settings cannot be trained.
 */
export function findings(
  input: TrainingPlan,
  rows: readonly AnalysisRow[],
): string[] {
  const plan = parsePlan(input);
  const { study, objective } = plan;
  const bias = selectionBias(rows, {
    direction: study.direction,
    hasValidation: !rows.some((r) => r.optimistic),
  }).lines;
  if (objective.epoch === "testMaximum") bias[0] = PICKED_ON_TEST;
  return [
    noiseLine(noiseFloor(rows)),
    ...bias,
    ...boundaryWarnings(rows, searched(plan, rows), study.direction),
    ...infeasible(rows, study.direction).warnings,
  ];
}
