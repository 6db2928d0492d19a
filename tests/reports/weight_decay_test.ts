/** The report of both decays: verdicts both ways, missing runs, its plans. */
import assert from "node:assert/strict";
import {
  coupling,
  decayForest,
  decayMap,
  gammaOver,
  lrDecayForest,
  lrDecayMap,
  report,
} from "../../lib/reports/weight_decay.ts";
import {
  judgeNoneUsed,
  judgeNotIdeal,
  judgeSameRate,
  judgeWeightDecay,
} from "../../lib/reports/weight_decay_claims.ts";
import { parsePlan } from "../../lib/study/mod.ts";
import { lrAt } from "../../lib/train/mod.ts";
import { grid, results, row } from "./_rows.ts";

/** Runs of three seeds about a percentage, a tenth of a point apart. */
const seeds = (percent: number, i = 0) =>
  [0, 0.001, -0.001].map((d, k) => percent / 100 + d + i * k * 1e-4);

const lrDecay = (values: Parameters<typeof grid>[0]) =>
  results({ "lr-decay": grid(values, "schedule.gamma") });

/** Accuracies in percent by optimizer and decay, at one rate. */
const weightDecay = (
  byOptimizer: Record<string, Record<number, number | null>>,
) =>
  results({
    "weight-decay": Object.entries(byOptimizer).flatMap((
      [optimizer, byDecay],
    ) =>
      Object.entries(byDecay).flatMap(([decay, percent], i) =>
        [0, 1, 2].map((repeat) =>
          row(
            { weightDecay: Number(decay), optimizer, lr: 1e-3 },
            repeat,
            percent === null ? null : seeds(percent, i)[repeat],
          )
        )
      )
    ),
  });

/** The published runs from 1e-4 and the best constant one, each thrice. */
const asPublished = lrDecay({
  1: { 1e-4: seeds(77.182), 1e-5: seeds(85.073, 1) },
  0.98: { 1e-4: seeds(81.843, 2) },
  0.955: { 1e-4: seeds(83.148, 3) },
});

Deno.test("with the published accuracies LR decay is worse than the best constant rate and better than its own", async () => {
  assert.equal(judgeNotIdeal(asPublished).verdict, "holds");
  const same = judgeSameRate(asPublished);
  assert.equal(same.verdict, "does not hold");
  assert.match(same.ours, /gamma 0.98 less constant 1e-4: \+4\.6/);
  assert.match(await report.decide!(asPublished), /^LR decay: none; nothing/);
});

Deno.test("LR decay that beats every constant rate is taken", async () => {
  const gaining = lrDecay({
    1: { 0.001: seeds(50), 0.01: seeds(40, 1) },
    0.4: { 0.001: seeds(55, 2), 0.01: seeds(39, 3) },
  });
  assert.equal(judgeNotIdeal(gaining).verdict, "does not hold");
  assert.equal(judgeSameRate(gaining).verdict, "holds");
  assert.match(await report.decide!(gaining), /^LR decay: gamma 0.4 from 1e-3/);
});

Deno.test("weight decay that costs accuracy is left off, one that gains is taken", async () => {
  const costs = weightDecay({
    adam: { 0: 50, 0.05: 40, 0.5: 30 },
    adamw: { 0: 50, 0.05: 49, 0.5: 48 },
  });
  assert.equal(judgeWeightDecay(costs).verdict, "holds");
  assert.match(await report.decide!(costs), /Weight decay: none; nothing/);

  const gains = weightDecay({
    adam: { 0: 50, 0.05: 40 },
    adamw: { 0: 50, 0.05: 53 },
  });
  assert.equal(judgeWeightDecay(gains).verdict, "does not hold");
  assert.match(await report.decide!(gains), /Weight decay: decoupled 0.05\./);
});

Deno.test("that no weight decay was used is refuted by the code, whatever ran", () => {
  assert.equal(report.claims.at(-1)!.aboutFaces, false);
  assert.equal(judgeNoneUsed(weightDecay({})).verdict, "does not hold");
  const { ours } = judgeNoneUsed(weightDecay({ adam: { 0: 50, 0.05: 40 } }));
  assert.match(ours, /^coupled 0.05 less none: −9\.9/);
});

Deno.test("missing, failed and unpaired runs tell nothing", async () => {
  for (
    const few of [
      results({}),
      lrDecay({ 1: { 0.001: seeds(50) } }),
      lrDecay({ 0.4: { 0.001: seeds(50) } }),
      lrDecay({ 1: { 0.001: [0.5, 0.51] }, 0.4: { 0.001: [0.6, 0.61] } }),
      lrDecay({ 1: { 0.001: seeds(50) }, 0.4: { 0.001: [null, null, null] } }),
      weightDecay({ adam: { 0: 50 } }),
      weightDecay({ adam: { 0: null, 0.05: 50 }, adamw: { 0.05: 50 } }),
      weightDecay({ adam: { 0: 50, 0.05: null } }),
    ]
  ) {
    assert.equal(judgeNotIdeal(few).verdict, "cannot tell");
    assert.equal(judgeSameRate(few).verdict, "cannot tell");
    assert.equal(judgeWeightDecay(few).verdict, "cannot tell");
    assert.match(await report.decide!(few), /^LR decay: none, as .* none, as/);
    lrDecayMap(few);
    await lrDecayForest(few);
    decayMap(few);
    decayForest(few);
    coupling(few);
  }
});

Deno.test("the last of three epochs trains at the share of the sixtieth", () => {
  // 0.955^59 = 0.06610, 0.98^59 = 0.30362.
  for (const [gamma, share] of [[0.955, 0.0661], [0.98, 0.30362]]) {
    const schedule = {
      kind: "exponential",
      per: "epoch",
      gamma: gammaOver(gamma, 3),
    } as const;
    // Steps 20 to 29 are the third epoch's.
    const at = { step: 25, stepsPerEpoch: 10, epochs: 3 };
    assert(Math.abs(lrAt(schedule, 1, at).lr / share - 1) < 0.005);
  }
  assert.equal(gammaOver(1, 3), 1);
  assert.equal(gammaOver(0.955, 60), 0.955);
});

Deno.test("the plans are valid at every profile; quick has at most 24 trials", () => {
  for (const profile of ["smoke", "quick", "cpu", "paper"] as const) {
    const plans = report.trainings!(profile).map(parsePlan);
    const trials = plans.map(({ study }) =>
      Object.values(study.parameters).reduce(
        (n, p) => n * ("values" in p ? p.values.length : 1),
        study.repeats,
      )
    );
    assert.deepEqual(
      plans.map((p) => p.study.name),
      ["lr-decay", "weight-decay"],
    );
    if (profile === "quick") assert(trials[0] + trials[1] <= 24);
  }
});
