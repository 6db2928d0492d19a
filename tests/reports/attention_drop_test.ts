/** The report of attention drop: verdicts both ways, its plans. */
import assert from "node:assert/strict";
import {
  dropChart,
  dropForest,
  judgeBest,
  judgeHelps,
  report,
} from "../../lib/reports/attention_drop.ts";
import { parsePlan } from "../../lib/study/mod.ts";
import { results, row } from "./_rows.ts";

const of = (
  values: Record<number, (number | null)[]>,
  patches = "dropped",
) =>
  results({
    "attention-drop": Object.entries(values).flatMap(([attentionDrop, runs]) =>
      runs.map((accuracy, repeat) =>
        row(
          { attentionDrop: Number(attentionDrop), patches },
          repeat,
          accuracy,
        )
      )
    ),
  });

const helping = of({
  0: [0.8, 0.801, 0.802],
  0.4: [0.85, 0.8512, 0.8519],
  0.8: [0.7, 0.7013, 0.702],
});

const same = of({
  0: [0.8, 0.801, 0.802],
  0.4: [0.8001, 0.8009, 0.8021],
  0.8: [0.7999, 0.8012, 0.8018],
});

Deno.test("a rate that beats no drop at every seed helps, and is taken", async () => {
  assert.equal(judgeHelps(helping, "dropped").verdict, "holds");
  assert.equal(judgeBest(helping).verdict, "holds");
  assert.match(await report.decide!(helping), /patches dropped: drop 0.4\./);
});

Deno.test("rates that all lie within a point of none do not help", async () => {
  assert.equal(judgeHelps(same, "dropped").verdict, "does not hold");
  assert.equal(judgeBest(same).verdict, "cannot tell");
  assert.match(await report.decide!(same), /no drop; no rate beats it/);
});

Deno.test("0.4 is not the best where another rate beats it", () => {
  const { verdict } = judgeBest(of({
    0: [0.85, 0.851, 0.852],
    0.4: [0.8, 0.8012, 0.8019],
  }));
  assert.equal(verdict, "does not hold");
});

Deno.test("patches that did not run, failed rates and two seeds tell nothing", async () => {
  assert.equal(judgeHelps(helping, "catAfterMlp").verdict, "cannot tell");
  for (
    const few of [
      of({}),
      of({ 0: [0.8, 0.81], 0.4: [0.9, 0.91] }),
      of({ 0: [0.8, 0.81, 0.8], 0.4: [null, null, null] }),
    ]
  ) {
    assert.equal(judgeHelps(few, "dropped").verdict, "cannot tell");
    assert.equal(judgeBest(few).verdict, "cannot tell");
    dropChart(few);
    await dropForest(few);
  }
});

Deno.test("the plan is one at every profile; paper has stage 3's layers", () => {
  for (const profile of ["smoke", "quick", "cpu", "paper"] as const) {
    report.trainings!(profile).forEach(parsePlan);
  }
  const [{ recipe }] = report.trainings!("paper");
  assert.deepEqual(recipe.layers, [3, 4, 14, 1]);
});
