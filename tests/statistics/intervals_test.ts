// Intervals and sample quantiles against SciPy, statsmodels and NumPy.
import assert from "node:assert/strict";
import {
  clopperPearsonInterval,
  meanInterval,
  pooledSd,
  quantile,
  wilsonInterval,
} from "../../lib/statistics/mod.ts";
import { metrics, near, reference } from "./_reference.ts";

Deno.test("the t interval of a mean agrees with SciPy", () => {
  const { a, mean, ci95 } = metrics.one_sample_t;
  const found = meanInterval(a);
  near(found.mean, mean);
  near(found.low, ci95[0]);
  near(found.high, ci95[1]);
  assert.equal(found.n, 5);
});

Deno.test("one value has a mean and no interval; equal values have width 0", () => {
  const one = { mean: 84, low: null, high: null, sd: null, n: 1 };
  assert.deepEqual(meanInterval([84]), one);
  // The mean of three 0.1 is not 0.1 in floats; their spread is still 0.
  assert.equal(meanInterval([0.1, 0.1, 0.1]).sd, 0);
  assert.throws(() => meanInterval([]), /no values/);
  assert.throws(() => meanInterval([1, NaN]), /drop failed trials/);
  assert.throws(() => meanInterval([1, 2], 95), /give one in \(0, 1\)/);
});

Deno.test("Wilson intervals agree with statsmodels at both levels", () => {
  for (const row of metrics.proportion_intervals) {
    for (const level of [0.95, 0.99]) {
      const { low, high, p } = wilsonInterval(row.k, row.n, level);
      near(p, row.p);
      near(low, row[`wilson_${level}`][0]);
      near(high, row[`wilson_${level}`][1]);
    }
  }
});

Deno.test("Clopper-Pearson intervals agree with statsmodels", () => {
  for (const row of metrics.proportion_intervals) {
    const { low, high, p } = clopperPearsonInterval(row.k, row.n);
    near(p, row.p);
    near(low, row["clopper_pearson_0.95"][0]);
    near(high, row["clopper_pearson_0.95"][1]);
  }
});

Deno.test("none and all of n reach exactly 0 and 1; other counts are refused", () => {
  for (const interval of [wilsonInterval, clopperPearsonInterval]) {
    for (let n = 1; n < 99; n++) {
      assert.equal(interval(0, n).low, 0);
      assert.equal(interval(n, n).high, 1);
    }
    for (const [k, n] of [[3, 0], [-1, 4], [5, 4], [NaN, 4], [0.5, 4]]) {
      assert.throws(() => interval(k, n), /0 <= k <= n with n > 0/);
    }
  }
});

Deno.test("the pooled deviation and its interval agree with SciPy", () => {
  const { groups, sd, df, ci95 } = reference.pooled_sd;
  const found = pooledSd(groups);
  near(found.sd, sd);
  near(found.low, ci95[0]);
  near(found.high, ci95[1]);
  assert.equal(found.df, df);
  const large = pooledSd(groups.map((g: number[]) => g.map((v) => v * 1e200)));
  near(large.sd! / 1e200, sd);
});

Deno.test("no repeats give no pooled deviation; equal repeats give 0", () => {
  const nothing = { sd: null, low: null, high: null, df: 0 };
  assert.deepEqual(pooledSd([[84], [85]]), nothing);
  assert.deepEqual(pooledSd([]), nothing);
  assert.deepEqual(pooledSd([[84, 84]]), { sd: 0, low: 0, high: 0, df: 1 });
  assert.throws(() => pooledSd([[84, 85], []]), /no values/);
});

Deno.test("sample quantiles are NumPy's linear ones", () => {
  // numpy.quantile([4, 1, 3, 2], [0, .1, .5, .75, 1]), NumPy 2.4.6
  const expected = [1, 1.3, 2.5, 3.25, 4];
  [0, 0.1, 0.5, 0.75, 1].forEach((p, i) =>
    near(quantile([4, 1, 3, 2], p), expected[i])
  );
  assert.equal(quantile([7], 0.3), 7);
  assert.throws(() => quantile([], 0.5), /no values/);
  assert.throws(() => quantile([1], 1.1), /give one in \[0, 1\]/);
});
