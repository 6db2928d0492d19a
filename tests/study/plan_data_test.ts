/** The data of a plan: every format by name, how it is read and divided. */
import assert from "node:assert/strict";
import { FORMATS } from "../../lib/data/mod.ts";
import { parsePlan } from "../../lib/study/mod.ts";

function plan(data: Record<string, unknown>) {
  const study = { name: "s", parameters: { lr: [1e-3] } };
  return { study, recipe: { size: 16 }, data };
}

Deno.test("a plan may name every format, how it is read and how it is divided", () => {
  const names = ["synthetic", "auto", ...FORMATS.map(({ name }) => name)];
  const rules = [
    { kind: "official" },
    { kind: "holdout", validation: 0.1, test: 300 },
    { kind: "folds", folds: 10, fold: 9 },
  ];
  for (const name of names) {
    for (const split of rules) {
      const data = {
        name,
        split,
        seed: 1,
        classes: 8,
        firstLabel: 0,
        votes: "probability",
        onBad: "skip",
        faces: { balance: { Happy: 0.4 }, intensity: [0.5, 1] },
      };
      assert.deepEqual(parsePlan(plan(data)).data, data);
    }
  }
});

Deno.test("what a plan says of its data wrongly is told with its place", () => {
  const cases: [Record<string, unknown>, RegExp][] = [
    [{ name: "mnist" }, /^plan\.data\.name: got "mnist"; give "synthetic" or /],
    [{ name: "fer2031" }, /^plan\.data\.name: .* did you mean "fer2013"\?$/],
    [{ name: "auto", classes: 6 }, /^plan\.data\.classes: /],
    [{ name: "auto", split: { kind: "random" } }, /^plan\.data\.split\.kind: /],
    [
      { name: "auto", split: { kind: "folds", folds: 2, fold: 0 } },
      /^plan\.data\.split\.folds: /,
    ],
    [{ name: "auto", dir: "x" }, /^plan\.data\.dir: unknown field/],
  ];
  for (const [data, message] of cases) {
    assert.throws(() => parsePlan(plan(data)), { name: "StudyError", message });
  }
});

Deno.test("all faults of a plan are told at once, a line each", () => {
  const faulty = {
    dta: { name: "auto" },
    study: { name: "s", repeets: 2, budget: { trails: 3 } },
    recipe: { size: 32, lr: -1 },
    objective: { metric: "acuracy" },
  };
  assert.throws(() => parsePlan(faulty), {
    name: "StudyError",
    message: [
      "plan.dta: unknown field; did you mean plan.data?",
      'plan.objective.metric: got "acuracy"; did you mean "accuracy"?',
      'study "s": budget.trails: unknown field; did you mean budget.trials?',
      'study "s": repeets: unknown field; did you mean repeats?',
      "recipe.lr: got -1; give a number above 0, within float32's range",
    ].join("\n"),
  });
});
