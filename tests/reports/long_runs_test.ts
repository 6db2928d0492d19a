/** The long runs' plans, verdicts and decision. */
import assert from "node:assert/strict";
import { report } from "../../lib/reports/long_runs.ts";
import {
  EPS_STUDY,
  epsPairs,
  judgeClsDepth,
  judgeDeeper,
  judgeDepthNeedsLength,
  judgeEps,
  judgeNaN,
  judgeSensitivity,
  pairedMean,
} from "../../lib/reports/long_runs_claims.ts";
import { baseOf, Profile } from "../../lib/reports/mod.ts";
import { parsePlan } from "../../lib/study/mod.ts";
import { epoch, grid, results, row } from "./_rows.ts";

type Grid = Parameters<typeof grid>[0];
const runs = (values: Grid, eps: Grid = {}) =>
  results({ "long-runs": grid(values), [EPS_STUDY]: grid(eps, "eps") });

const base = [0.5, 0.51, 0.52];
const plus = (...by: number[]) => base.map((v, i) => v + by[i]);

Deno.test("the long runs' plans are valid and long at every profile", () => {
  for (const profile of Profile.options) {
    const plans = report.trainings!(profile);
    assert.equal(plans.length, 2);
    for (const plan of plans) {
      parsePlan(plan);
      assert(plan.recipe.epochs! >= 3 * baseOf(profile).recipe.epochs!);
      assert.deepEqual(plan.limits, plans[0].limits);
    }
    assert.equal(plans[0].recipe.epochs, plans[1].recipe.epochs);
  }
  const [{ recipe, study }] = report.trainings!("paper");
  assert.equal(recipe.epochs, 60);
  assert.notEqual(recipe.weights!.file, "");
  assert.equal((study.parameters!.lr as number[]).length, 9);
});

Deno.test("deeper is better only where the deepest net wins in paired seeds", () => {
  const judged = (deep: (number | null)[]) =>
    judgeDeeper(runs({ 2: { 1e-3: base }, 8: { 1e-3: deep } })).verdict;
  assert.equal(judged(plus(0.05, 0.051, 0.049)), "holds");
  assert.equal(judged(plus(-0.05, -0.051, -0.049)), "does not hold");
  assert.equal(judged(plus(0.05, -0.04, 0.02)), "cannot tell");
  assert.equal(judged([null, null, null]), "cannot tell");
  assert.equal(judgeDeeper(runs({})).verdict, "cannot tell");
});

/** Runs of 3 epochs whose last is `gain` better on test than the first. */
const gaining = (depth: number, gains: number[]) =>
  gains.map((gain, repeat) =>
    row({ depth, lr: 1e-3 }, repeat, 0.4 + gain, {
      epochs: [
        epoch(1, 0.4, 0.4),
        epoch(2, 0.41, 0.41),
        epoch(3, 0.42, 0.4 + gain),
      ],
    })
  );

Deno.test("depth needs length where the deep net gains more from a third to the end", () => {
  const judged = (deep: number[]) =>
    judgeDepthNeedsLength(results({
      "long-runs": [
        ...gaining(2, [0.01, 0.02, 0.03]),
        ...gaining(8, deep),
      ],
    }));
  const { verdict, ours } = judged([0.111, 0.12, 0.129]);
  assert.equal(verdict, "holds");
  assert.match(ours, /depth 8 less 2: \+10.00 points/);
  assert.equal(judged([-0.111, -0.12, -0.129]).verdict, "does not hold");
  assert.equal(judged([0.01, 0.021, 0.028]).verdict, "cannot tell");
  assert.equal(
    judgeDepthNeedsLength(runs({ 2: { 1e-3: base }, 8: { 1e-3: base } }))
      .verdict,
    "cannot tell",
  );
});

Deno.test("the rate matters where it costs more than depth moves", () => {
  const low = plus(-0.2, -0.201, -0.199);
  assert.equal(
    judgeSensitivity(runs({
      2: { 1e-3: base, 1e-2: low },
      8: { 1e-3: plus(0.01, 0.011, 0.009), 1e-2: low },
    })).verdict,
    "holds",
  );
  assert.match(
    judgeSensitivity(runs({
      2: { 1e-3: base, 1e-2: low },
      8: { 1e-3: plus(0.3, 0.3, 0.31), 1e-2: base },
    })).why,
    /no more than depth/,
  );
  assert.match(
    judgeSensitivity(runs({ 2: { 1e-3: base, 1e-2: plus(0.1, -0.1, 0) } })).why,
    /told apart from the best at 0 of 1/,
  );
  assert.match(
    judgeSensitivity(runs({ 2: { 1e-3: base, 1e-2: [null] } })).why,
    /no depth has runs at two rates/,
  );
});

Deno.test("NaN is often from one run in five at the highest rate on", () => {
  const judged = (diverged: number, of: number) =>
    judgeNaN(runs({
      2: {
        1e-3: base,
        1e-1: Array.from({ length: of }, (_, i) => i < diverged ? null : 0.3),
      },
    }));
  assert.equal(judged(3, 4).verdict, "holds");
  assert.equal(judged(0, 20).verdict, "does not hold");
  assert.equal(judged(1, 6).verdict, "cannot tell");
  assert.match(judged(3, 4).ours, /^3 of 4 runs at 1e-1/);
  assert.equal(judgeNaN(runs({})).verdict, "cannot tell");
});

Deno.test("the published eps 1e-7 lead is 0.62 points with an interval over zero", async () => {
  const { estimate, low } = pairedMean(await epsPairs.published())!;
  assert.equal((100 * estimate).toFixed(2), "0.62");
  assert(low < 0);
});

Deno.test("eps has no strong relation while the interval stays within a point", () => {
  const judged = (other: number[]) =>
    judgeEps(runs({}, { 1e-8: { 1e-3: base }, 1e-7: { 1e-3: other } }));
  assert.equal(judged(plus(0.001, -0.001, 0.002)).verdict, "holds");
  assert.equal(judged(plus(0.05, 0.051, 0.049)).verdict, "does not hold");
  assert.equal(judged(plus(0.02, -0.02, 0.01)).verdict, "cannot tell");
  assert.match(judged([0.5, 0.51]).why, /2 paired seeds are too few/);
  assert.equal(judgeEps(runs({})).verdict, "cannot tell");
});

Deno.test("the published depth 8 of the CLS model is no better than depth 2", async () => {
  const { verdict, why } = await judgeClsDepth();
  assert.equal(verdict, "not yet run");
  assert.match(why, /depth 8 less 2 is −0.07 points/);
});

Deno.test("depth is decided by the paired test, eps stays 1e-8 unless 1e-7 leads", async () => {
  const deep = { 2: { 1e-3: base }, 8: { 1e-3: plus(0.05, 0.051, 0.049) } };
  assert.match(
    await report.decide!(runs(deep)),
    /^Depth 8 at LR 1e-3, eps 1e-8\./,
  );
  assert.match(
    await report.decide!(runs(
      { 2: { 1e-3: base }, 8: { 1e-3: base } },
      { 1e-8: { 1e-3: base }, 1e-7: { 1e-3: plus(0.05, 0.051, 0.049) } },
    )),
    /^Depth 2 at LR 1e-3, eps 1e-7\. The runs do not tell/,
  );
  assert.match(await report.decide!(runs({})), /^None/);
});
