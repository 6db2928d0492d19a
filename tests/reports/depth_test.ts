/** The depth test's plans, verdicts and decision. */
import assert from "node:assert/strict";
import { judgeEnough, report } from "../../lib/reports/depth.ts";
import {
  againstDepth,
  atBestRate,
  overRates,
} from "../../lib/reports/depth_effects.ts";
import { publishedBests } from "../../lib/reports/depth_lr.ts";
import { report as lrSearch } from "../../lib/reports/lr_search.ts";
import { Profile } from "../../lib/reports/mod.ts";
import { parsePlan } from "../../lib/study/mod.ts";
import { grid, results } from "./_rows.ts";

const search = (values: Parameters<typeof grid>[0]) =>
  results({ "lr-search": grid(values) });

Deno.test("depth and learning-rate search share a record at every profile", () => {
  for (const profile of Profile.options) {
    const [depth] = report.trainings!(profile);
    const [rate] = lrSearch.trainings!(profile);
    parsePlan(depth);
    assert.equal(depth.study.name, rate.study.name);
    assert.deepEqual(depth.recipe, rate.recipe);
    assert.deepEqual(depth.limits, rate.limits);
    assert.deepEqual(depth.data, rate.data);
  }
});

Deno.test("at paper the depth test has 11 rates from 1e-3 to 1e-5", () => {
  const lr = report.trainings!("paper")[0].study.parameters!.lr as number[];
  assert.equal(lr.length, 11);
  assert.deepEqual([lr[0], lr[5], lr[10]], [1e-3, 1e-4, 1e-5]);
});

Deno.test("the published best of depth 2 is 62.39 %", async () => {
  const bests = await publishedBests("depth-test");
  assert.deepEqual(bests.map((b) => b.value), [2, 4, 6, 8]);
  assert.equal(bests[0].accuracy, 0.6239);
});

Deno.test("each depth counts at the rate of its best mean", () => {
  const rows = search({
    2: { 1e-4: [0.3, 0.3, 0.3], 1e-3: [0.5, 0.4, 0.45] },
    4: { 1e-4: [0.6, 0.5, 0.55], 1e-3: [0.7, 0.1, null] },
  }).analysed();
  const [effect] = againstDepth(atBestRate(rows), 2);
  assert.equal(effect.difference!.toFixed(3), "0.100");
  assert.equal(effect.n, 3);
});

Deno.test("the mean over rates takes repeats that have every rate", () => {
  const rows = search({
    2: { 1e-4: [0.2, 0.3], 1e-3: [0.4, 0.5] },
    4: { 1e-4: [0.4, 0.5], 1e-3: [0.6, null] },
  }).analysed();
  const [effect] = againstDepth(overRates(rows), 2);
  assert.equal(effect.n, 1);
  assert.equal(effect.difference!.toFixed(3), "0.200");
});

const base = [0.5, 0.51, 0.52];
const plus = (...by: number[]) => base.map((v, i) => v + by[i]);

Deno.test("two blocks are enough if no deeper net can gain a point, not if one does", () => {
  const enough = (deep: number[]) =>
    judgeEnough(search({ 2: { 1e-3: base }, 8: { 1e-3: deep } }));
  assert.equal(enough(plus(-0.021, -0.02, -0.019)).verdict, "holds");
  assert.equal(enough(plus(0.05, 0.051, 0.049)).verdict, "does not hold");
  const open = enough(plus(0.05, -0.04, 0.02));
  assert.equal(open.verdict, "cannot tell");
  assert.match(open.why, /paired repeats see a difference of 1.0 points/);
});

Deno.test("without depth 2, a deeper net or three seeds it cannot tell", () => {
  const why = (values: Parameters<typeof grid>[0]) => {
    const { verdict, why } = judgeEnough(search(values));
    assert.equal(verdict, "cannot tell");
    return why;
  };
  assert.match(why({}), /depth 2 has no finished run/);
  assert.match(why({ 2: { 1e-3: base } }), /no deeper net/);
  assert.match(
    why({ 2: { 1e-3: [0.5, 0.5] }, 4: { 1e-3: [0.6, 0.6] } }),
    /2 paired seeds are too few/,
  );
  assert.match(
    why({ 2: { 1e-3: base }, 4: { 1e-3: [null] } }),
    /no deeper net/,
  );
});

Deno.test("the shallowest depth that none beats is decided", async () => {
  const decided = async (values: Parameters<typeof grid>[0]) =>
    await report.decide!(search(values));
  const beaten = { 2: { 1e-3: base }, 4: { 1e-3: plus(0.05, 0.051, 0.049) } };
  assert.match(await decided(beaten), /^Depth 4\./);
  const tied = { 2: { 1e-3: base }, 4: { 1e-3: plus(0.02, -0.01, 0) } };
  assert.match(await decided(tied), /^Depth 2\./);
  assert.match(await decided({ 2: { 1e-3: base } }), /^None/);
  assert.match(
    await decided({ 2: { 1e-3: [0.5] }, 4: { 1e-3: [0.6] } }),
    /^None: 1 run a depth/,
  );
});
