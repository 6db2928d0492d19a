/** The workflow's steps: question, rule, plan and decision of each. */
import {
  analysis,
  type Params,
  type TrainingPlan,
  type TrainingRow,
} from "../study/mod.ts";
import { percent } from "../charts/mod.ts";
import type { Profile } from "./profile.ts";
import {
  architecturePlan,
  decayPlan,
  type Ends,
  finalPlan,
  isSame,
  lrPlan,
  optimizerPlan,
  searchPlan,
  type Settings,
} from "./workflow_plans.ts";
import {
  bestByMean,
  byValidation,
  changeOf,
  effectText,
  keepUnlessBetter,
  type Kept,
  settingText,
  trainedSettings,
  warningsOf,
} from "./workflow_rules.ts";

/** What a step's trials say by its rule. */
export interface Outcome {
  ends: Ends;
  result: string;
  decision: string;
  /** Differences from what was kept; shares. */
  effects: Kept["effects"];
}

export interface Step {
  question: string;
  rule: string;
  /** Whether the learning rate was tuned again for each value asked about. */
  nuisance: string;
  plan(profile: Profile, ends: Ends): TrainingPlan;
  /** Never throws: without a finished run all stays as it was. */
  decide(plan: TrainingPlan, rows: readonly TrainingRow[], ends: Ends): Outcome;
}

const NOTHING = "no run finished";

const unchanged = (ends: Ends): Outcome => ({
  ends,
  result: NOTHING,
  decision: "stays as it was",
  effects: [],
});

/** The workflow goes on with `params`; `rows` picked them. */
function goOn(
  ends: Ends,
  params: Params,
  rows: readonly analysis.AnalysisRow[],
): Ends {
  const picked = trainedSettings(rows)
    .find((s) => changeOf(s.params, params) === "as it was")?.mean ?? null;
  return {
    ...ends,
    workflow: { ...ends.workflow, ...params } as Settings,
    picked: { ...ends.picked, workflow: picked },
  };
}

function decideKept(
  rows: readonly analysis.AnalysisRow[],
  ends: Ends,
  kept: Params,
  others: readonly Params[],
): Outcome {
  if (!bestByMean(rows)) return unchanged(ends);
  const { params, effects } = keepUnlessBetter(rows, kept, others);
  return {
    ends: goOn(ends, params, rows),
    result: effects.map(effectText).join("; ") || "nothing to compare",
    decision: settingText(params),
    effects,
  };
}

const lr: Step = {
  question: "Which learning rate, at start values from papers?",
  rule: "the best mean over repeats",
  nuisance: "the rate itself is tuned",
  plan: lrPlan,
  decide(_, trained, ends) {
    const rows = byValidation(trained);
    const best = bestByMean(rows);
    if (!best) return unchanged(ends);
    const means = trainedSettings(rows).map((s) =>
      `${settingText(s.params)}: ${percent(s.mean)}`
    );
    return {
      ends: goOn(ends, best.params, rows),
      result: means.join("; "),
      decision: settingText(best.params),
      effects: [],
    };
  },
};

const optimizer: Step = {
  question: "Do the optimizer's eps and betas matter?",
  rule: "keep the default unless another is better by a paired interval " +
    "that excludes 0 (Holm over the changes)",
  nuisance: "the learning rate was not tuned again for each value",
  plan: optimizerPlan,
  decide({ study }, trained, ends) {
    const [kept, ...others] = study.search?.kind === "list"
      ? study.search.points
      : [];
    return decideKept(byValidation(trained), ends, kept, others);
  },
};

const architecture: Step = {
  question: "Which depth, with long runs?",
  rule: "each depth at its best rate; the smallest unless a deeper one is " +
    "better by a paired interval that excludes 0 (Holm over the depths)",
  nuisance: "the learning rate was tuned again for each depth",
  plan: architecturePlan,
  decide(_, trained, ends) {
    const rows = byValidation(trained);
    const [kept, ...others] = [...new Set(rows.map((r) => r.params.depth))]
      .sort((a, b) => Number(a) - Number(b))
      .flatMap((depth) => {
        const best = bestByMean(rows.filter((r) => r.params.depth === depth));
        return best ? [best.params] : [];
      });
    return kept ? decideKept(rows, ends, kept, others) : unchanged(ends);
  },
};

const decay: Step = {
  question: "Does weight decay help?",
  rule: "none unless one is better by a paired interval that excludes 0 " +
    "(Holm over the decays)",
  nuisance: "the learning rate was not tuned again for each decay",
  plan: decayPlan,
  decide(_, trained, ends) {
    const rows = byValidation(trained);
    const others = [...new Set(rows.map((r) => r.params.weightDecay))]
      .filter((weightDecay) => weightDecay !== 0)
      .map((weightDecay) => ({ weightDecay }));
    return decideKept(rows, ends, { weightDecay: 0 }, others);
  },
};

const search: Step = {
  question: "Where does a quasi-random search of the same budget end?",
  rule: "the best single run",
  nuisance: "all parameters are drawn at once, the learning rate with them",
  plan: searchPlan,
  decide({ recipe }, trained, ends) {
    const best = bestByMean(byValidation(trained));
    if (!best) return unchanged(ends);
    const depth = recipe.depth ?? ends.workflow.depth;
    // The drawn values, rounded: they are trained again anyway.
    const params = Object.fromEntries(
      Object.entries(best.params).map((
        [name, v],
      ) => [name, typeof v === "number" ? Number(v.toPrecision(3)) : v]),
    );
    return {
      ends: {
        ...ends,
        search: { ...ends.search, depth, ...params } as Settings,
        picked: { ...ends.picked, search: best.mean },
      },
      result: `${percent(best.mean)}, the best of ${
        trainedSettings(byValidation(trained)).length
      } settings`,
      decision: settingText(best.params),
      effects: [],
    };
  },
};

/** Where each end was picked, and what fresh seeds say of it. */
function luckOf(rows: readonly TrainingRow[], ends: Ends): string {
  const fresh = trainedSettings(byValidation(rows));
  const parts = (["workflow", "search"] as const).flatMap((end) => {
    const again = fresh.find((s) =>
      changeOf(s.params, ends[end]) === "as it was"
    );
    const picked = ends.picked[end];
    return again && picked !== null
      ? [
        `the ${end}'s end was picked at ${percent(picked)} of validation ` +
        `and has ${percent(again.mean)} on fresh seeds`,
      ]
      : [];
  });
  return parts.join(", ");
}

const final: Step = {
  question: "Which end is better, on fresh seeds and the test split?",
  rule: "the better one if the paired interval excludes 0; else the " +
    "smaller depth, and at the same depth the workflow's",
  nuisance: "both ends bring the learning rate that they were tuned with",
  plan: finalPlan,
  decide(_, trained, ends) {
    const { workflow, search } = ends;
    const rows = trained.map((row, i) => ({
      ...byValidation(trained)[i],
      value: row.accuracy,
    }));
    if (!bestByMean(rows)) return unchanged(ends);
    if (isSame(workflow, search)) {
      return {
        ...unchanged(ends),
        result: "both have ended at the same setting",
        decision: settingText(workflow),
      };
    }
    const { params, effects } = keepUnlessBetter(rows, workflow, [search]);
    const [effect] = effects;
    const isWorse = effect?.verdict === "differs" && effect.estimate! < 0;
    const isSmaller = search.depth < workflow.depth;
    const chosen = effect?.verdict === "differs"
      ? isWorse ? workflow : search
      : effect && isSmaller
      ? search
      : params;
    const whose = changeOf(chosen, search) === "as it was"
      ? "the search's end"
      : "the workflow's end";
    return {
      ends,
      result: [
        effect
          ? effectText({ ...effect, label: "search less workflow" })
          : "one of the ends has no finished run",
        luckOf(trained, ends),
      ].filter(Boolean).join("; "),
      decision: `${whose}: ${settingText(chosen)}`,
      effects: effects.map((e) => ({ ...e, label: "search less workflow" })),
    };
  },
};

/** In the order of the workflow. */
export const STEPS = {
  lr,
  optimizer,
  architecture,
  decay,
  search,
  final,
} satisfies Record<string, Step>;

export type StepName = keyof typeof STEPS;

/** A step that has run, with all that its table and charts show. */
export interface Decided extends Outcome {
  step: StepName;
  plan: TrainingPlan;
  rows: TrainingRow[];
  warnings: string[];
}

/**
 * The step's decision from its rows; pure. The last step's record may hold
 * ends of an earlier decision too, which are left out.
 */
export function decided(
  name: StepName,
  plan: TrainingPlan,
  all: TrainingRow[],
  ends: Ends,
): Decided {
  const step = STEPS[name];
  const isEnd = ({ params }: TrainingRow) =>
    [ends.workflow, ends.search]
      .some((end) => changeOf(end, params) === "as it was");
  const rows = name === "final" ? all.filter(isEnd) : all;
  const judged = byValidation(rows).map((row, i) =>
    name === "final" ? { ...row, value: rows[i].accuracy } : row
  );
  return {
    step: name,
    plan,
    rows,
    ...step.decide(plan, rows, ends),
    warnings: [...warningsOf(plan, judged), step.nuisance],
  };
}
