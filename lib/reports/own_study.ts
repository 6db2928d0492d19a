/** Your own study: a report from plain data, and what every study shows. */
import { type Chart, heatMapChart, percent } from "../charts/mod.ts";
import {
  analysis,
  type Params,
  type ParamValue,
  StudyError,
  type StudyInput,
} from "../study/mod.ts";
import type { Recipe } from "../train/mod.ts";
import { leaderOf } from "./comparisons.ts";
import { isolationOf } from "./isolation.ts";
import type { OpenReport } from "./open.ts";
import { trainingPlan } from "./profile.ts";
import type { Report, Results } from "./report.ts";
import { points, pointsInterval, type Shown, table } from "./show.ts";
import { noiseOf } from "./training_charts.ts";

/** In the catalogue the template stands for itself: its cell has the study. */
export const report: Report = {
  notebook: "15-your-own-study",
  title: "Your own study",
  published: [],
  claims: [],
};

export interface OwnStudy {
  /** Of its record; change it when the question changes. */
  name: string;
  title: string;
  /**
   * By the recipe's dotted path, such as `loss.labelSmoothing`: a list, or
   * `{ values, role: "nuisance" }` for what is only tuned. The first value of
   * each scientific one is what the others are held against.
   */
  parameters: NonNullable<StudyInput["parameters"]>;
  /** How settings are drawn; every combination without it. */
  search?: StudyInput["search"];
  /** Runs of each setting; 3 at least to tell two apart. */
  repeats?: number;
  /** Fields that differ from the profile's start. */
  recipe?: Partial<Recipe>;
}

/** A report of a study that is given as plain data. */
export function ownStudy(o: OwnStudy): Report {
  return {
    notebook: "15-your-own-study",
    title: o.title,
    published: [],
    trainings: (profile) => [
      trainingPlan(profile, {
        ...o,
        // Whether it runs is shown by one run each.
        ...profile === "smoke" ? { repeats: 1 } : {},
      }),
    ],
    claims: [],
    decide: (results) => decide(o.parameters, results),
  };
}

type Parameters = OwnStudy["parameters"];

const parametersOf = (study: OpenReport): Parameters =>
  study.plans[0].study.parameters ?? {};

const roleOf = (parameter: Parameters[string]) =>
  Array.isArray(parameter) ? "scientific" : parameter.role ?? "scientific";

/** The parameters that the question is about. */
const scientific = (parameters: Parameters) =>
  Object.keys(parameters).filter((n) => roleOf(parameters[n]) === "scientific");

const firstOf = (parameter: Parameters[string]): ParamValue | undefined =>
  Array.isArray(parameter)
    ? parameter[0]
    : "values" in parameter
    ? parameter.values[0]
    : undefined;

/** The first value of each scientific parameter; undefined for a range. */
function baselineOf(parameters: Parameters): Params | undefined {
  const first = scientific(parameters)
    .map((name) => [name, firstOf(parameters[name])] as const);
  return first.length > 0 && first.every(([, value]) => value !== undefined)
    ? Object.fromEntries(first) as Params
    : undefined;
}

/**
 * Each setting of the scientific parameters, at its best over the nuisance
 * ones, against the first: the runs of both best settings, paired by seed.
 */
export function comparisons(parameters: Parameters, results: Results) {
  const rows = results.analysed();
  const names = scientific(parameters);
  const baseline = baselineOf(parameters);
  const keyOf = (params: Params) =>
    JSON.stringify(names.map((name) => params[name]));
  const best = new Map<string, analysis.Setting>();
  for (const s of analysis.settings(rows)) {
    const known = best.get(keyOf(s.params));
    const better = analysis.bestOf(known ? [known, s] : [s], "maximize");
    if (better) best.set(keyOf(s.params), better);
  }
  const settings = [...best.values()];
  const base = baseline && best.get(keyOf(baseline));
  if (!base || settings.length < 2) return { base, settings, compared: [] };
  // Rows of the best settings alone, told apart by the scientific parameters.
  const kept = rows.flatMap((r) => {
    const setting = best.get(keyOf(r.params));
    const isBest = setting &&
      JSON.stringify(setting.params) === JSON.stringify(r.params);
    const params = Object.fromEntries(names.map((n) => [n, r.params[n]]));
    return isBest ? [{ ...r, params }] : [];
  });
  const { comparisons: compared } = analysis.compareAll(kept, {
    direction: "maximize",
    baseline,
    truth: results.truth,
  });
  return { base, settings, compared };
}

const RULE = "keep the first setting unless another, each at its best over " +
  "the nuisance parameters, is better by a paired t test with Holm's " +
  "correction (alpha 0.05, three pairs at least)";

function decide(parameters: Parameters, results: Results): string {
  const { base, settings, compared } = comparisons(parameters, results);
  if (!base) {
    const best = analysis.bestOf(settings, "maximize");
    return best
      ? `${analysis.describe(best.params)} has the best mean, ${
        percent(best.mean)
      }; there is no first setting with a finished run to hold it against.`
      : "None: no run finished.";
  }
  const better = leaderOf(compared);
  const chosen = better
    ? settings.find((s) =>
      Object.entries(better.a).every(([n, v]) => s.params[n] === v)
    ) ?? base
    : base;
  const why = compared.map((c) => c.text).join(" ");
  return `${analysis.describe(chosen.params)}. Rule: ${RULE}. ${
    why || "Nothing else has a finished run."
  }`;
}

/**
 * The isolation plot of a parameter: at each value the best over all others,
 * with the mean's interval and every run.
 *
 * @throws StudyError for a parameter that the study does not vary
 */
export async function isolationPlot(
  study: OpenReport,
  parameter: string,
): Promise<Chart> {
  const parameters = parametersOf(study);
  if (!(parameter in parameters)) {
    throw new StudyError(
      `parameter "${parameter}" is not varied: give one of ${
        Object.keys(parameters).join(", ")
      }`,
    );
  }
  const rows = (await study.results()).analysed();
  return isolationOf(rows, parameter, {
    xLabel: parameter,
    ...isSpread(rows.map((r) => r.params[parameter])) ? { scale: "log" } : {},
  });
}

/** Positive numbers that span a factor of 5 or more are read by their log. */
function isSpread(values: readonly ParamValue[]): boolean {
  const numbers = values.filter((v) => typeof v === "number" && v > 0);
  return numbers.length === values.length && numbers.length > 0 &&
    Math.max(...numbers as number[]) >= 5 * Math.min(...numbers as number[]);
}

/** Mean test accuracy over repeats by two parameters, the first two without. */
export async function heatMapOf(
  study: OpenReport,
  xName?: string,
  yName?: string,
): Promise<Chart> {
  const [first, second] = Object.keys(parametersOf(study));
  const x = xName ?? first, y = yName ?? second;
  if (!x || !y) {
    throw new StudyError("a heat map needs two parameters: vary another one");
  }
  const results = await study.results();
  const plain = (value: ParamValue) =>
    typeof value === "boolean" ? String(value) : value;
  return heatMapChart(
    analysis.settings(results.analysed()).map((s) => ({
      x: plain(s.params[x]),
      y: plain(s.params[y]),
      value: s.mean,
      n: s.n,
    })),
    {
      xLabel: x,
      yLabel: y,
      valueLabel: "test accuracy",
      noise: noiseOf(results.rows()),
    },
  );
}

/** Every setting against the first, with Holm's correction. */
export async function comparisonTable(study: OpenReport): Promise<Shown> {
  const results = await study.results();
  const { base, settings, compared } = comparisons(
    parametersOf(study),
    results,
  );
  const ofSetting = (s: analysis.Setting) => ({
    setting: analysis.describe(s.params),
    runs: s.n,
    mean: percent(s.mean!),
  });
  const line = (s: analysis.Setting) => {
    const c = compared.find(({ a }) =>
      Object.entries(a).every(([n, v]) => s.params[n] === v)
    );
    return {
      ...ofSetting(s),
      "difference, points": c?.difference == null ? "–" : points(c.difference),
      "95 % interval": pointsInterval(c ?? null),
      "p (Holm)": c?.p == null ? "–" : c.p.toFixed(3),
      verdict: s === base ? "the first" : c?.verdict ?? "–",
    };
  };
  return table(settings.map(line));
}
