/** The tuning workflow: each step's plan follows from the decision before. */
import { analysis } from "../study/mod.ts";
import { runPlan } from "./live.ts";
import type { OpenReport } from "./open.ts";
import type { Judgement, Report, Results } from "./report.ts";
import { points, type Shown, table } from "./show.ts";
import { type Ends, lrPlan, startOf } from "./workflow_plans.ts";
import {
  type Decided,
  decided,
  type StepName,
  STEPS,
} from "./workflow_steps.ts";

export {
  effectsChart,
  finalChart,
  gridChart,
  rateChart,
  searchChart,
} from "./workflow_charts.ts";
export { type Decided, type StepName } from "./workflow_steps.ts";

const NAMES = Object.keys(STEPS) as StepName[];

/** All steps that are on record, decided again from their rows. */
export function replay(results: Pick<Results, "profile" | "rows">): Decided[] {
  const done: Decided[] = [];
  let ends: Ends = startOf(results.profile);
  for (const name of NAMES) {
    const plan = STEPS[name].plan(results.profile, ends);
    const rows = results.rows(plan.study.name);
    if (rows.length === 0) break;
    done.push(decided(name, plan, rows, ends));
    ends = done.at(-1)!.ends;
  }
  return done;
}

/**
 * Runs what is missing of a step and decides by its rule. `before` is the step
 * before it, whose decision the plan follows from; the first has none. The
 * step's plan joins the report's, so that its claims and cost know of it.
 */
export async function runStep(
  study: OpenReport,
  name: StepName,
  before?: Decided,
): Promise<Decided> {
  const ends = before?.ends ?? startOf(study.profile);
  const plan = {
    ...STEPS[name].plan(study.profile, ends),
    data: study.plans[0].data,
  };
  const { name: record } = plan.study;
  const known = study.plans.findIndex((p) => p.study.name === record);
  study.plans.splice(known < 0 ? study.plans.length : known, 1, plan);
  await runPlan(plan, await study.data(), { dir: study.dir });
  return decided(name, plan, await study.rows(record), ends);
}

/** A step: question, rule, result, decision and warnings. */
export function stepTable(
  { step, result, decision, warnings }: Decided,
): Shown {
  const { question, rule } = STEPS[step];
  return table([
    ["question", question],
    ["rule", rule],
    ["result", result],
    ["decision", decision],
    ["warnings", warnings.join("; ")],
  ].map(([name, text]) => ({ step: name, [numbered(step)]: text })));
}

const numbered = (step: StepName) => `${NAMES.indexOf(step) + 1} ${step}`;

/** One line a step: its result and its decision. */
export function decisionTable(...steps: Decided[]): Shown {
  return table(steps.map(({ step, result, decision }) => ({
    step: numbered(step),
    result,
    decision,
  })));
}

type Rows = analysis.AnalysisRow[];

const FEW: Omit<Judgement, "ours"> = {
  verdict: "cannot tell",
  why: "fewer than 3 paired seeds",
};

/** Comparisons of all settings with one, where some can be made. */
function against(
  rows: Rows,
  baseline?: analysis.Run["params"],
): analysis.AllComparisons | undefined {
  if (!rows.some((r) => r.value !== null)) return undefined;
  const o = { direction: "maximize", baseline } as const;
  return analysis.compareAll(rows, o);
}

/** A difference smaller than this is little: one point. */
const LITTLE = 0.01;

type Compared = analysis.AllComparisons["comparisons"][number];

const isLittle = ({ low, high }: Compared) =>
  low !== null && high !== null && low > -LITTLE && high < LITTLE;

function judgeRate(results: Results): Judgement {
  const all = against(results.analysed("workflow-1-lr"));
  if (!all || all.comparisons.length === 0) {
    return {
      ours: "–",
      ...FEW,
      why: "fewer than two rates have a finished run",
    };
  }
  const best = Number(all.baseline.lr);
  const near = all.comparisons.filter(({ a, b }) => {
    const other = Number(a.lr === best ? b.lr : a.lr);
    return Math.abs(Math.log10(other / best)) <= 1 + 1e-9;
  });
  const widest = near.reduce<number>(
    (most, c) => Math.max(most, Math.abs(c.difference ?? 0)),
    0,
  );
  const ours = `best at ${best}; within a factor of 10 the mean falls by up ` +
    `to ${(100 * widest).toFixed(1)} points`;
  if (!near.some((c) => c.n >= 3)) return { ours, ...FEW };
  const telling = near.filter((c) => c.verdict === "differs");
  if (telling.length > 0) {
    return {
      ours,
      verdict: "holds",
      why: `${telling.length} of ${near.length} rates within a factor of 10 ` +
        "differ from the best after Holm, whose lead is in part luck",
    };
  }
  return near.every(isLittle)
    ? {
      ours,
      verdict: "does not hold",
      why: "every interval lies within one point",
    }
    : {
      ours,
      verdict: "cannot tell",
      why: "no rate within a factor of 10 is told apart from the best",
    };
}

function judgeOptimizer(results: Results): Judgement {
  const rows = results.analysed("workflow-2-optimizer");
  const { eps, "betas.0": beta1, "betas.1": beta2 } =
    startOf(results.profile).workflow;
  const kept = { eps, "betas.0": beta1, "betas.1": beta2 };
  const has = rows.some((r) =>
    r.params.eps === eps && r.params["betas.0"] === beta1 &&
    r.params["betas.1"] === beta2
  );
  const all = has ? against(rows, kept) : undefined;
  const made = all?.comparisons.filter((c) => c.difference !== null) ?? [];
  if (made.length === 0) {
    return {
      ours: "–",
      ...FEW,
      why: "the default and a change of it have no finished run",
    };
  }
  const ours = made.map((c) => points(c.difference!)).join(", ") +
    " points against the default";
  if (!made.some((c) => c.n >= 3)) return { ours, ...FEW };
  const large = made.find((c) => c.verdict === "differs" && !isLittle(c));
  if (large) return { ours, verdict: "does not hold", why: large.text };
  if (made.every(isLittle)) {
    return {
      ours,
      verdict: "holds",
      why: "every interval lies within one point",
    };
  }
  const noise = analysis.noiseFloor(rows);
  return {
    ours,
    verdict: "cannot tell",
    why: "intervals reach beyond one point" +
      (noise && noise.sd > 0
        ? `; ${
          analysis.repeatsPlan({
            difference: LITTLE,
            sd: Math.SQRT2 * noise.sd,
          }).text
        }`
        : ""),
  };
}

export const report: Report = {
  notebook: "14-workflow",
  title: "The tuning workflow",
  published: ["lr-search-depth4", "eps-depth2", "eps-depth8"],
  // The plans of the later steps follow from decisions: `runStep` adds them.
  trainings: (profile) => [lrPlan(profile)],
  claims: [
    {
      claim:
        "Metrics are highly sensitive to the learning rate: tune it as a " +
        "nuisance parameter beside almost everything.",
      published: "depth 4, from scratch: 41.5 % at 1e-5, 60.7 % at 2e-4, " +
        "40.4 % at 1e-3; single runs, sd of repeats about 3 points",
      judge: judgeRate,
    },
    {
      claim: "The optimizer's parameters have little effect.",
      published: "depth 2, 20 epochs: eps 1e-7 60.95 %, 1e-8 60.34 %, 1e-6 " +
        "54.04 %; depth 8: eps 1e-7 less 1e-8 +0.62 on average; single runs",
      judge: judgeOptimizer,
    },
  ],
  decide(results) {
    const done = replay(results);
    const last = done.at(-1);
    if (!last) return "None yet: no step has finished.";
    const path = done.map((s) => `- ${s.step}: ${s.decision}`).join("\n");
    const rule = STEPS[last.step].rule;
    return last.step === "final"
      ? `${last.decision}. Rule: ${rule}. ${last.result}.\n\n${path}`
      : `Not yet: the steps after ${last.step} have not run.\n\n${path}`;
  },
};
