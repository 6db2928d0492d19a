/** The report of repeats: its noise, its verdicts, its plans. */
import assert from "node:assert/strict";
import { report } from "../../lib/reports/repeats.ts";
import {
  judgeRepeats,
  judgeSingleRuns,
} from "../../lib/reports/repeats_claims.ts";
import { trainedTwice } from "../../lib/reports/repeats_determinism.ts";
import { publishedNoise } from "../../lib/reports/published_noise.ts";
import { neededFor } from "../../lib/reports/repeats_noise.ts";
import { parsePlan, type TrainingRow } from "../../lib/study/mod.ts";
import { results, row } from "./_rows.ts";

const at = { lr: 1e-3 };

const runs = (params: typeof at, accuracies: (number | null)[]) =>
  accuracies.map((accuracy, repeat) => row(params, repeat, accuracy));

const resultsWith = (rows: TrainingRow[]) => results({ repeats: rows });

Deno.test("the published noise is 3.017 points from scratch and 0.475 pretrained", () => {
  const { scratch, pretrained } = publishedNoise;
  assert.equal((100 * scratch.sd).toFixed(3), "3.017");
  assert.equal(scratch.df, 4);
  assert.equal((100 * pretrained.sd).toFixed(3), "0.475");
  assert.equal(pretrained.df, 9);
});

Deno.test("a point takes 6 paired repeats at a noise of 0.475 points", () => {
  // By SciPy's noncentral t the power is .705 with 5 and .827 with 6.
  assert.equal(neededFor(0.01, 0.00475), 6);
});

Deno.test("a point repeats where the noise is small, and not where it is large", () => {
  const near = runs(at, [0.8, 0.8003, 0.7998, 0.8001, 0.7999, 0.8002]);
  const far = runs(at, [0.8, 0.85, 0.75, 0.82, 0.78, 0.7]);
  assert.equal(judgeRepeats(resultsWith(near)).verdict, "holds");
  assert.equal(judgeRepeats(resultsWith(far)).verdict, "does not hold");
  assert.equal(judgeSingleRuns(resultsWith(near)).verdict, "holds");
  assert.equal(judgeSingleRuns(resultsWith(far)).verdict, "does not hold");
});

Deno.test("two runs, or none that finished, tell nothing about repeats", () => {
  for (const rows of [runs(at, [0.8, 0.8001]), runs(at, [null, null]), []]) {
    assert.equal(judgeRepeats(resultsWith(rows)).verdict, "cannot tell");
  }
});

Deno.test("the decision names the repeats that a point takes, or none", async () => {
  const rows = runs(at, [0.8, 0.81, 0.79]);
  assert.match(
    await report.decide!(resultsWith(rows)),
    /^18 paired repeats a setting/,
  );
  assert.match(await report.decide!(resultsWith([])), /^None/);
});

Deno.test("the same seed trains to the same bits, another seed does not", async () => {
  const [a, b, other] = await trainedTwice();
  assert.equal(a.hash, b.hash);
  assert.notEqual(a.hash, other.hash);
});

Deno.test("the plan of repeats is one at every profile", () => {
  for (const profile of ["smoke", "quick", "cpu", "paper"] as const) {
    report.trainings!(profile).forEach(parsePlan);
  }
});
