// Intervals against SciPy and statsmodels numbers (fixtures/metrics.json).
import assert from "node:assert/strict";
import {
  meanInterval,
  normalQuantile,
  studentCdf,
  studentQuantile,
  wilsonInterval,
} from "../../lib/study/mod.ts";

const { one_sample_t, proportion_intervals, quantiles } = JSON.parse(
  await Deno.readTextFile(
    new URL("../fixtures/metrics.json", import.meta.url),
  ),
);

function near(found: number | null, expected: number, tolerance: number) {
  assert.ok(
    found !== null && Math.abs(found - expected) <= tolerance,
    `${found} is not ${expected} ± ${tolerance}`,
  );
}

Deno.test("Student and normal quantiles agree with SciPy to 1e-8", () => {
  for (const [df, t] of Object.entries(quantiles.t_0_975)) {
    near(studentQuantile(0.975, Number(df)), Number(t), 1e-8);
    near(studentQuantile(0.025, Number(df)), -Number(t), 1e-8);
  }
  for (const [p, z] of Object.entries(quantiles.normal)) {
    near(normalQuantile(Number(p)), Number(z), 1e-8);
  }
  for (const { t, df, cdf } of quantiles.t_cdf) {
    near(studentCdf(t, df), cdf, 1e-12);
  }
});

Deno.test("the t interval of a mean agrees with SciPy", () => {
  const found = meanInterval(one_sample_t.a);
  near(found.mean, one_sample_t.mean, 1e-10);
  near(found.low, one_sample_t.ci95[0], 1e-8);
  near(found.high, one_sample_t.ci95[1], 1e-8);
  assert.equal(found.n, 5);
});

Deno.test("one value has a mean and no interval", () => {
  assert.deepEqual(meanInterval([84]), {
    mean: 84,
    low: null,
    high: null,
    sd: null,
    n: 1,
  });
  assert.throws(() => meanInterval([]), /drop failed trials/);
  assert.throws(() => meanInterval([1, NaN]), /drop failed trials/);
});

Deno.test("Wilson intervals agree with statsmodels at both levels", () => {
  for (const row of proportion_intervals) {
    for (const level of [0.95, 0.99]) {
      const { low, high, p } = wilsonInterval(row.k, row.n, level);
      near(p, row.p, 1e-12);
      near(low, row[`wilson_${level}`][0], 1e-10);
      near(high, row[`wilson_${level}`][1], 1e-10);
    }
  }
  assert.throws(() => wilsonInterval(3, 0), /n > 0/);
});
