/** The tuning workflow: plans follow from decisions, decisions from rules. */
import assert from "node:assert/strict";
import { resultsOf } from "../../lib/reports/report.ts";
import { replay, report } from "../../lib/reports/workflow.ts";
import {
  architecturePlan,
  decayPlan,
  type Ends,
  finalPlan,
  lrPlan,
  optimizerPlan,
  searchPlan,
  searchPoints,
  startOf,
} from "../../lib/reports/workflow_plans.ts";
import { decided } from "../../lib/reports/workflow_steps.ts";
import {
  type Params,
  parsePlan,
  type TrainingRow,
} from "../../lib/study/mod.ts";

const PROFILES = ["smoke", "quick", "cpu", "paper"] as const;

let numbers = 0;

/** A trial whose validation and test accuracies are as given. */
function trial(
  params: Params,
  repeat: number,
  validation: number | null,
  test = validation,
): TrainingRow {
  const epochs = validation === null
    ? []
    : [{ epoch: 1, validationAccuracy: validation }];
  return {
    number: numbers++,
    state: validation === null ? "FAIL" : "COMPLETE",
    ...validation === null ? { fail_kind: "diverged" as const } : {},
    params,
    repeat,
    seed: 100 + repeat,
    accuracy: test,
    chosenEpoch: 1,
    epochs: epochs as TrainingRow["epochs"],
  };
}

const trials = (params: Params, values: (number | null)[]) =>
  values.map((value, repeat) => trial(params, repeat, value));

/** `quick`'s ends with a rate of its own. */
const endsWith = (lr: number): Ends => {
  const ends = startOf("quick");
  return { ...ends, workflow: { ...ends.workflow, lr } };
};

const DEFAULT = { eps: 1e-8, "betas.0": 0.9, "betas.1": 0.999 };
const CHANGED = { ...DEFAULT, eps: 1e-6 };

Deno.test("every step's plan can be trained at every profile", () => {
  for (const profile of PROFILES) {
    const ends = startOf(profile);
    const other = { ...ends, search: { ...ends.search, eps: 1e-6 } };
    const plans = [
      lrPlan(profile),
      optimizerPlan(profile, ends),
      architecturePlan(profile, ends),
      decayPlan(profile, ends),
      searchPlan(profile),
      finalPlan(profile, other),
    ];
    for (const plan of plans) parsePlan(plan);
    const seeds = plans.map((plan) => plan.study.seed);
    assert.equal(new Set(seeds).size, seeds.length);
  }
});

Deno.test("only the last step's value comes from the test split", () => {
  const splitOf = (plan: unknown) => parsePlan(plan).objective.split;
  assert.equal(splitOf(lrPlan("quick")), "validation");
  assert.equal(splitOf(searchPlan("quick")), "validation");
  assert.equal(splitOf(finalPlan("quick", startOf("quick"))), "test");
});

Deno.test("the search trains on no more images than the four steps", () => {
  const imagesOf = (plan: ReturnType<typeof lrPlan>, settings: number) =>
    settings * (plan.study.repeats ?? 1) * plan.recipe.epochs!;
  for (const profile of ["quick", "cpu", "paper"] as const) {
    const ends = startOf(profile);
    const settings = (p: ReturnType<typeof lrPlan>) =>
      p.study.search?.kind === "list"
        ? p.study.search.points.length
        : Object.values(p.study.parameters!).reduce(
          (n, v) =>
            n * (Array.isArray(v) ? v : "values" in v ? v.values : []).length,
          1,
        );
    const spent = [
      lrPlan(profile),
      optimizerPlan(profile, ends),
      architecturePlan(profile, ends),
      decayPlan(profile, ends),
    ].reduce((sum, plan) => sum + imagesOf(plan, settings(plan)), 0);
    const search = searchPlan(profile);
    const used = imagesOf(search, searchPoints(profile));
    assert.ok(used <= spent && spent - used < search.recipe.epochs!);
  }
});

Deno.test("the rate with the best mean of validation goes on", () => {
  const rows = [
    ...trials({ lr: 3e-4 }, [0.5, 0.6]),
    // Better on test alone, which the step does not read.
    trial({ lr: 1e-3 }, 0, 0.4, 0.9),
    trial({ lr: 1e-3 }, 1, 0.5, 0.9),
    ...trials({ lr: 3e-3 }, [null, null]),
  ];
  const step = decided("lr", lrPlan("quick"), rows, startOf("quick"));
  assert.equal(step.ends.workflow.lr, 3e-4);
  assert.equal(step.ends.picked.workflow, 0.55);
  assert.match(step.warnings.join("\n"), /lies at the low end of lr/);
  assert.match(step.warnings.join("\n"), /2 of 6 trials could not be trained/);
});

Deno.test("a decision moves the plan of the next step", () => {
  const lrs = (lr: number) =>
    architecturePlan("quick", endsWith(lr)).study.parameters?.lr;
  assert.deepEqual(lrs(1e-3), { values: [1e-3, 5e-4], role: "nuisance" });
  assert.deepEqual(lrs(4e-4), { values: [4e-4, 2e-4], role: "nuisance" });
  assert.equal(optimizerPlan("quick", endsWith(4e-4)).recipe.lr, 4e-4);
});

Deno.test("the default stays unless a paired interval excludes 0", () => {
  const plan = optimizerPlan("quick", startOf("quick"));
  const decide = (changed: (number | null)[]) =>
    decided("optimizer", plan, [
      ...trials(DEFAULT, [0.5, 0.52, 0.54]),
      ...trials(CHANGED, changed),
    ], startOf("quick")).ends.workflow.eps;
  assert.equal(decide([0.56, 0.585, 0.595]), 1e-6);
  assert.equal(decide([0.7, 0.5, 0.56]), 1e-8, "a larger mean, but noisy");
  assert.equal(decide([0.4, 0.425, 0.435]), 1e-8, "differs, but is worse");
  assert.equal(decide([0.9, 0.92]), 1e-8, "two pairs are too few");
  assert.equal(decide([null, null, null]), 1e-8);
});

Deno.test("a depth is judged at its best rate, and a tie is the smaller's", () => {
  const ends = endsWith(1e-3);
  const plan = architecturePlan("quick", ends);
  const decide = (deep: number[]) =>
    decided("architecture", plan, [
      ...trials({ depth: 1, lr: 1e-3 }, [0.5, 0.52, 0.54]),
      ...trials({ depth: 1, lr: 5e-4 }, [0.4, 0.42, 0.44]),
      ...trials({ depth: 2, lr: 1e-3 }, [0.1, 0.12, 0.14]),
      ...trials({ depth: 2, lr: 5e-4 }, deep),
    ], ends).ends.workflow;
  const deeper = decide([0.6, 0.625, 0.635]);
  assert.deepEqual([deeper.depth, deeper.lr], [2, 5e-4]);
  const tied = decide([0.55, 0.5, 0.56]);
  assert.deepEqual([tied.depth, tied.lr], [1, 1e-3]);
});

Deno.test("the last step prefers the better end, else the smaller one", () => {
  const start = startOf("quick");
  const ends: Ends = {
    ...start,
    workflow: { ...start.workflow, depth: 2 },
    search: { ...start.search, depth: 1, lr: 5e-4 },
    picked: { workflow: 0.6, search: 0.7 },
  };
  const decide = (search: number[]) =>
    decided("final", finalPlan("quick", ends), [
      ...trials(ends.workflow, [0.5, 0.52, 0.54]),
      ...trials(ends.search, search),
    ], ends);
  assert.match(decide([0.6, 0.625, 0.635]).decision, /^the search's end/);
  assert.match(decide([0.4, 0.425, 0.435]).decision, /^the workflow's end/);
  assert.match(decide([0.55, 0.5, 0.53]).decision, /^the search's end/);
  assert.match(
    decide([0.4, 0.425, 0.435]).result,
    /search's end was picked at 70.0 % .* has 42.0 % on fresh seeds/,
  );
});

const about = { profile: "quick" as const, data: "fer2013" };

Deno.test("steps that are on record are decided again from their rows", () => {
  const results = resultsOf(
    about,
    new Map([
      ["workflow-1-lr", trials({ lr: 3e-4 }, [0.5, 0.6])],
      ["workflow-2-optimizer", trials(DEFAULT, [0.5, 0.6])],
    ]),
  );
  const steps = replay(results);
  assert.deepEqual(steps.map((s) => s.step), ["lr", "optimizer"]);
  assert.equal(steps[1].plan.recipe.lr, 3e-4);
  assert.match(
    report.decide!(results) as string,
    /^Not yet: the steps after optimizer have not run/,
  );
});

Deno.test("the claim on the rate is judged by tested differences", async () => {
  const judge = (other: (number | null)[]) =>
    report.claims[0].judge(resultsOf(
      about,
      new Map([["workflow-1-lr", [
        ...trials({ lr: 1e-3 }, [0.5, 0.52, 0.54]),
        ...trials({ lr: 3e-3 }, other),
      ]]]),
    ));
  assert.equal((await judge([0.3, 0.325, 0.335])).verdict, "holds");
  assert.equal((await judge([0.499, 0.519, 0.54])).verdict, "does not hold");
  assert.equal((await judge([0.3, 0.6, 0.5])).verdict, "cannot tell");
  assert.equal((await judge([0.3])).verdict, "cannot tell");
  assert.equal((await judge([null, null, null])).verdict, "cannot tell");
});

Deno.test("the claim on the optimizer needs intervals within a point", async () => {
  const judge = (rows: TrainingRow[]) =>
    report.claims[1].judge(
      resultsOf(about, new Map([["workflow-2-optimizer", rows]])),
    );
  const base = trials(DEFAULT, [0.5, 0.52, 0.54]);
  const verdict = async (changed: (number | null)[]) =>
    (await judge([...base, ...trials(CHANGED, changed)])).verdict;
  assert.equal(await verdict([0.501, 0.521, 0.54]), "holds");
  assert.equal(await verdict([0.3, 0.325, 0.335]), "does not hold");
  assert.equal(await verdict([0.48, 0.55, 0.52]), "cannot tell");
  assert.equal(await verdict([null, null, null]), "cannot tell");
  assert.equal((await judge([])).verdict, "cannot tell");
  assert.equal((await judge(trials(CHANGED, [0.5]))).verdict, "cannot tell");
});
