/** The report of mixing: verdicts both ways, missing alphas, its plans. */
import assert from "node:assert/strict";
import {
  alphaIsolation,
  judgeMixing,
  judgeTie,
  report,
} from "../../lib/reports/mixup_alpha.ts";
import { parsePlan } from "../../lib/study/mod.ts";
import { grid, results } from "./_rows.ts";

const of = (values: Parameters<typeof grid>[0]) =>
  results({ "mixup-alpha": grid(values, "mixing.alpha") });

/** The published runs, with two more seeds a tenth of a point apart. */
const seeds = (percent: number) =>
  [0, 0.001, -0.001].map((d, i) => percent / 100 + d + i * 1e-5);

const asPublished = of({
  0: { 5.6e-6: seeds(80.671), 3.5e-6: seeds(80.573) },
  0.2: { 5.6e-6: seeds(83.964), 3.5e-6: seeds(83.736) },
  0.6: { 5.6e-6: seeds(85.366), 3.5e-6: seeds(84.191) },
  1: { 5.6e-6: seeds(85.301), 3.5e-6: seeds(84.192) },
});

const hurting = of({
  0: { 0.001: [0.3, 0.301, 0.302] },
  0.6: { 0.001: [0.25, 0.2512, 0.2521] },
  1: { 0.001: [0.2, 0.2013, 0.202] },
});

Deno.test("the published accuracies would show that mixing helps, and 0.6 and 1 tied", async () => {
  assert.equal(judgeMixing(asPublished).verdict, "holds");
  assert.equal(judgeTie(asPublished).verdict, "holds");
  assert.match(await report.decide!(asPublished), /^Alpha 0.6\./);
});

Deno.test("where mixing costs accuracy it does not help, and none is taken", async () => {
  const { verdict, why } = judgeMixing(hurting);
  assert.equal(verdict, "does not hold");
  assert.match(why, /the length of the run/);
  assert.equal(judgeTie(hurting).verdict, "does not hold");
  assert.match(await report.decide!(hurting), /^No mixing/);
});

Deno.test("missing alphas, failed ones and two pairs tell nothing", async () => {
  for (
    const few of [
      of({}),
      of({ 1: { 0.001: [0.3, 0.3] } }),
      of({ 0: { 0.001: [null, null] }, 1: { 0.001: [0.3, 0.31] } }),
      of({ 0: { 0.001: [0.2, 0.21] }, 1: { 0.001: [0.3, 0.31] } }),
      // Four pairs are still two seeds.
      of({
        0: { 0.001: [0.2, 0.21], 0.003: [0.2, 0.21] },
        1: { 0.001: [0.3, 0.31], 0.003: [0.3, 0.311] },
      }),
    ]
  ) {
    assert.equal(judgeMixing(few).verdict, "cannot tell");
    assert.equal(judgeTie(few).verdict, "cannot tell");
    assert.match(await report.decide!(few), /^None/);
    alphaIsolation(few);
  }
});

Deno.test("the plan of mixing is one at every profile, and varies alpha", () => {
  for (const profile of ["smoke", "quick", "cpu", "paper"] as const) {
    const [plan] = report.trainings!(profile).map(parsePlan);
    assert("mixing.alpha" in plan.study.parameters);
  }
});
