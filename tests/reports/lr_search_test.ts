/** The learning-rate search's plans, verdicts and decision. */
import assert from "node:assert/strict";
import {
  judgeCollapse,
  judgeRate,
  judgeShift,
} from "../../lib/reports/lr_search_claims.ts";
import { report } from "../../lib/reports/lr_search.ts";
import { Profile } from "../../lib/reports/mod.ts";
import { parsePlan } from "../../lib/study/mod.ts";
import { grid, results, row } from "./_rows.ts";

const search = (
  values: Parameters<typeof grid>[0],
  profile: Profile = "cpu",
) => results({ "lr-search": grid(values) }, profile);

Deno.test("the search's plans are valid at every profile", () => {
  for (const profile of Profile.options) {
    for (const plan of report.trainings!(profile)) parsePlan(plan);
  }
});

Deno.test("at paper the search has the seven published decades and 10 epochs", () => {
  const [{ study, recipe }] = report.trainings!("paper");
  const lr = study.parameters!.lr as number[];
  for (let e = 1; e <= 7; e++) assert(lr.includes(Number(`1e-${e}`)));
  assert.equal(recipe.epochs, 10);
  assert.equal(recipe.weights!.file, "");
});

Deno.test("a rate in the interval with all its rivals holds, outside it does not", () => {
  const clear = {
    4: {
      1e-5: [0.4, 0.41, 0.42],
      2e-4: [0.6, 0.611, 0.619],
      1e-2: [0.2, 0.21, 0.221],
    },
  };
  const found = search(clear, "paper");
  assert.equal(judgeRate(found, 4, [1e-4, 4e-4]).verdict, "holds");
  assert.equal(judgeRate(found, 4, [1e-3, 1e-1]).verdict, "does not hold");
  assert.match(
    judgeRate(found, 4, [1e-4, 4e-4]).ours,
    /best at 2e-4 \(61.0 %\)/,
  );
});

Deno.test("a rate that is not told apart from the best one leaves the interval open", () => {
  const close = { 4: { 2e-4: [0.6, 0.62, 0.61], 1e-3: [0.61, 0.6, 0.61] } };
  const { verdict, ours } = judgeRate(search(close, "paper"), 4, [1e-4, 4e-4]);
  assert.equal(verdict, "cannot tell");
  assert.match(ours, /not told apart from it: 1e-3/);
});

Deno.test("a small net, two repeats or no run cannot tell a published rate", () => {
  const two = { 4: { 2e-4: [0.6, 0.62], 1e-3: [0.4, 0.41] } };
  const at = (profile: Profile) =>
    judgeRate(search(two, profile), 4, [1e-4, 4e-4]);
  assert.match(at("paper").why, /2 repeats are too few/);
  assert.match(at("cpu").why, /a rate belongs to its net/);
  assert.match(
    judgeRate(search({}), 6, [1e-5, 1e-3]).why,
    /depth 6 has no finished run/,
  );
  const failed = { 6: { 1e-3: [null, null, null] } };
  assert.equal(
    judgeRate(search(failed), 6, [1e-5, 1e-3]).verdict,
    "cannot tell",
  );
});

const peakAt = (best: number) => {
  const at = (lr: number) => 0.5 - 0.1 * Math.abs(Math.log10(lr / best));
  return Object.fromEntries(
    [1e-4, 1e-3, 1e-2].map((
      lr,
    ) => [lr, [0, 0.01, 0.02].map((d) => at(lr) + d)]),
  );
};

Deno.test("a best rate that stays in every repeat holds, one that moves a decade does not", () => {
  assert.equal(
    judgeShift(search({ 4: peakAt(1e-3), 8: peakAt(1e-3) })).verdict,
    "holds",
  );
  const moved = judgeShift(search({ 4: peakAt(1e-3), 8: peakAt(1e-4) }));
  assert.equal(moved.verdict, "does not hold");
  assert.match(moved.ours, /depth 8 against 4: -1.00 decades/);
});

Deno.test("one depth or two repeats cannot tell whether the best rate moves", () => {
  assert.equal(judgeShift(search({ 4: peakAt(1e-3) })).verdict, "cannot tell");
  const two = { 4: { 1e-3: [0.5, 0.4] }, 8: { 1e-3: [0.5, 0.4] } };
  assert.match(judgeShift(search(two)).why, /under three repeats/);
  assert.equal(judgeShift(search({})).verdict, "cannot tell");
});

/** All 6 images of class 0 and all 4 of class 1 predicted as `only`. */
const predicting = (only: 0 | 1) =>
  [6, 4].map((n) => only === 0 ? [n, 0] : [0, n]);

Deno.test("only runs at 1e-1 that predict the most common class confirm the collapse", () => {
  const at = (lr: number, confusions: number[][][]) =>
    judgeCollapse(results({
      "lr-search": confusions.map((confusion, repeat) =>
        row({ depth: 4, lr }, repeat, 0.4, { confusion })
      ),
    }, "paper"));
  const common = predicting(0), other = predicting(1);
  const none = [[5, 1], [1, 3]];
  assert.equal(at(0.1, [common, common, common]).verdict, "holds");
  assert.equal(at(0.1, [none, none, none]).verdict, "does not hold");
  assert.equal(at(0.1, [common, other, none]).verdict, "cannot tell");
  const below = at(0.01, [other, none, none]);
  assert.equal(below.verdict, "not yet run");
  assert.match(below.ours, /1 of 3 runs predict one class alone, 0 of them/);
});

Deno.test("one rate is decided for all depths unless it moves; an end is provisional", async () => {
  const decided = async (values: Parameters<typeof grid>[0]) =>
    await report.decide!(search(values));
  assert.match(
    await decided({ 4: peakAt(1e-3), 8: peakAt(1e-3) }),
    /^LR 1e-3 for all depths/,
  );
  assert.match(
    await decided({ 4: peakAt(1e-3), 8: peakAt(1e-4) }),
    /^Each depth its own rate: .*depth 8: LR 1e-4 \(provisional/,
  );
  assert.match(await decided({ 4: { 1e-3: [null] } }), /^None/);
});
