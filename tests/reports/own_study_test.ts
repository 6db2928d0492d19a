/** A study of one's own, and the page that explains what a notebook is. */
import assert from "node:assert/strict";
import { comparisons, ownStudy } from "../../lib/reports/own_study.ts";
import { bestByMean } from "../../lib/reports/workflow_rules.ts";
import { resultsOf } from "../../lib/reports/report.ts";
import {
  questionOf,
  report as startHere,
} from "../../lib/reports/start_here.ts";
import {
  type Params,
  parsePlan,
  type TrainingRow,
} from "../../lib/study/mod.ts";

const EXAMPLE = {
  name: "own-study",
  title: "Does label smoothing help?",
  parameters: {
    "loss.labelSmoothing": [0, 0.1],
    lr: { values: [1e-3, 3e-3], role: "nuisance" as const },
  },
  repeats: 3,
};

const PROFILES = ["smoke", "quick", "cpu", "paper"] as const;

const trials = (params: Params, values: (number | null)[]): TrainingRow[] =>
  values.map((accuracy, repeat) => ({
    number: repeat,
    state: accuracy === null ? "FAIL" : "COMPLETE",
    params,
    repeat,
    seed: 100 + repeat,
    accuracy,
    epochs: [],
  }));

const smoothing = (value: number, lr: number) => ({
  "loss.labelSmoothing": value,
  lr,
});

const resultsWith = (rows: TrainingRow[]) =>
  resultsOf(
    { profile: "quick", data: "fer2013" },
    new Map([["own-study", rows]]),
  );

/** 0 is best at 1e-3, 0.1 at 3e-3. */
const rowsWith = (smoothed: (number | null)[]) => [
  ...trials(smoothing(0, 1e-3), [0.5, 0.52, 0.54]),
  ...trials(smoothing(0, 3e-3), [0.4, 0.42, 0.44]),
  ...trials(smoothing(0.1, 1e-3), [0.3, 0.32, 0.34]),
  ...trials(smoothing(0.1, 3e-3), smoothed),
];

Deno.test("plain data make a plan that can be trained at every profile", () => {
  for (const profile of PROFILES) {
    for (const report of [ownStudy(EXAMPLE), startHere]) {
      for (const plan of report.trainings!(profile)) parsePlan(plan);
    }
  }
  const [plan] = ownStudy({ ...EXAMPLE, recipe: { depth: 1 } })
    .trainings!("quick");
  assert.equal(plan.recipe.depth, 1);
});

Deno.test("each setting is compared at its best nuisance value", () => {
  const results = resultsWith(rowsWith([0.6, 0.625, 0.635]));
  const { base, compared } = comparisons(EXAMPLE.parameters, results);
  assert.deepEqual(base?.params, smoothing(0, 1e-3));
  assert.equal(compared.length, 1);
  assert.equal(compared[0].difference?.toFixed(4), "0.1000");
  assert.equal(compared[0].n, 3);
});

Deno.test("the first setting stays unless another is better for sure", () => {
  const decide = (smoothed: (number | null)[]) =>
    String(ownStudy(EXAMPLE).decide!(resultsWith(rowsWith(smoothed))));
  assert.match(
    decide([0.6, 0.625, 0.635]),
    /^loss.labelSmoothing 0.1, lr 0.003\. Rule/,
  );
  for (const values of [[0.7, 0.5, 0.56], [0.9, 0.92], [null, null, null]]) {
    assert.match(decide(values), /^loss.labelSmoothing 0, lr 0.001\. Rule/);
  }
  assert.match(
    String(ownStudy(EXAMPLE).decide!(resultsWith([]))),
    /^None: no run finished/,
  );
});

Deno.test("a notebook's question is read from its first words", () => {
  const page = (source: string | string[]) =>
    JSON.stringify({ cells: [{ cell_type: "markdown", source }] });
  assert.equal(
    questionOf(
      page([
        "# Depth\n",
        "\n",
        "**Question.** How deep\n",
        "is best?\n",
        "\n",
        "**Here.** …",
      ]),
    ),
    "How deep is best?",
  );
  assert.equal(questionOf(page("# Depth")), "–");
});

Deno.test("of means that only rounding keeps apart the first is taken", () => {
  // 0.7 less one unit in the last place, and 0.7.
  const same = [[0.7, 0.7, 0.7], [0.5, 0.7, 0.9]];
  const rows = [
    ...trials(smoothing(0, 1e-3), same[0]),
    ...trials(smoothing(0, 3e-3), same[1]),
  ];
  const results = resultsWith(rows);
  const { settings } = comparisons(EXAMPLE.parameters, results);
  assert.deepEqual(settings.map((s) => s.params.lr), [1e-3]);
  assert.equal(bestByMean(results.analysed("own-study"))?.params.lr, 1e-3);
});
