// Tests between two settings against SciPy and statsmodels.
import assert from "node:assert/strict";
import {
  discordantPairs,
  mcnemarTest,
  oneSampleTTest,
  pairedDifferences,
  pairedTTest,
  signTest,
  welchTTest,
  wilcoxonSignedRank,
} from "../../lib/statistics/mod.ts";
import { metrics, near, paired, reference } from "./_reference.ts";

const published = metrics.paired_t;

Deno.test("the paired t test of the five published pairs agrees with SciPy", () => {
  const found = pairedTTest(published.cls, published.baseline);
  for (const key of ["mean", "sd", "se", "t", "p"] as const) {
    near(found[key], published[key]);
  }
  near(found.low, published.ci95[0]);
  near(found.high, published.ci95[1]);
  near(found.cohenD, published.cohen_d_z);
  assert.equal(found.df, published.df);
});

Deno.test("the one-sample test is that of the shifted values", () => {
  const { a, mean, ci95 } = metrics.one_sample_t;
  const found = oneSampleTTest(a, 84);
  near(found.mean, mean);
  near(found.low, ci95[0]);
  near(found.high, ci95[1]);
  // scipy.stats.ttest_1samp(a, 84), SciPy 1.17.1
  near(found.t, 2.4327007187250222);
  near(found.p, 0.07177139073765311);
});

Deno.test("Welch's test agrees with SciPy, its degrees of freedom too", () => {
  const { a, b, t, df, p, ci95_of_a_minus_b } = metrics.welch_t;
  const found = welchTTest(a, b);
  near(found.t, t);
  near(found.df, df);
  near(found.p, p);
  near(found.low, ci95_of_a_minus_b[0]);
  near(found.high, ci95_of_a_minus_b[1]);
});

Deno.test("values near the ends of floats have the t, p and intervals of ordinary ones", () => {
  const { cls: a, baseline: b } = published;
  const shown = (found: object, unit: number) =>
    Object.entries(found).map(([name, value]) =>
      /^(n|t|df|p|cohenD)$/.test(name) ? [name, value] : [name, value / unit]
    );
  for (const unit of [2 ** -1040, 2 ** -520, 2 ** 512, 2 ** 1016]) {
    const scaled = (values: number[]) => values.map((v) => v * unit);
    for (const test of [pairedTTest, welchTTest]) {
      const found = shown(test(scaled(a), scaled(b)), unit);
      for (const [i, [name, value]] of shown(test(a, b), 1).entries()) {
        assert.equal(found[i][0], name);
        near(found[i][1], value, 1e-6);
      }
    }
  }
});

Deno.test("without spread there is a mean difference and no t", () => {
  const same = pairedTTest([1, 2, 3], [1, 2, 3]);
  assert.deepEqual(same, {
    mean: 0,
    low: 0,
    high: 0,
    sd: 0,
    n: 3,
    se: 0,
    t: null,
    df: 2,
    p: null,
    cohenD: null,
  });
  const one = pairedTTest([3], [1]);
  assert.deepEqual([one.mean, one.sd, one.t, one.p], [2, null, null, null]);
  const lone = welchTTest([3], [1, 2]);
  assert.deepEqual([lone.difference, lone.se, lone.p], [1.5, null, null]);
  const flat = welchTTest([3, 3], [1, 1]);
  assert.deepEqual([flat.difference, flat.se, flat.t], [2, 0, null]);
  assert.throws(() => pairedTTest([1, 2], [1]), /pair them one to one/);
  assert.throws(() => welchTTest([], [1]), /no values/);
});

Deno.test("McNemar's tests agree with statsmodels; no discordant pair is p = 1", () => {
  for (const row of metrics.mcnemar.cases) {
    const found = mcnemarTest(row.b, row.c);
    near(found.exactP, row.exact_p);
    near(found.midP, row.mid_p);
    if (row.b + row.c === 0) {
      assert.equal(found.chi2, null);
      assert.equal(found.chi2P, null);
      assert.equal(found.chi2Corrected, null);
      assert.equal(found.chi2CorrectedP, null);
      continue;
    }
    near(found.chi2, row.chi2);
    near(found.chi2P, row.chi2_p);
    near(found.chi2Corrected, row.chi2_corrected);
    near(found.chi2CorrectedP, row.chi2_corrected_p);
  }
  assert.throws(() => mcnemarTest(1.5, 2), /whole counts/);
});

Deno.test("McNemar's mid-p is the published one, with half a table for b = c", () => {
  // Fagerland, Lydersen and Laake 2013: their table 1, and their supplement's
  // 1 - binompdf(5, 10, 0.5) / 2.
  near(mcnemarTest(1, 7).midP, 0.0390625);
  near(mcnemarTest(5, 5).midP, 1 - 252 / 1024 / 2);
  near(mcnemarTest(1, 1).midP, 0.75);
});

Deno.test("discordant pairs are counted by who is right", () => {
  const found = discordantPairs([1, 1, 0, 0, 1], [1, 0, 1, 1, 0]);
  assert.deepEqual(found, { b: 2, c: 2 });
  assert.deepEqual(discordantPairs([1, 1, 0], [0, 0, 0]), { b: 2, c: 0 });
  assert.throws(() => discordantPairs([1, 2], [1, 0]), /a mark is 2/);
});

Deno.test("sign and Wilcoxon tests of the published pairs agree with SciPy", () => {
  near(signTest(published.differences).p, published.sign_test_p);
  const found = wilcoxonSignedRank(published.differences);
  near(found.p, published.wilcoxon_exact_p);
  assert.equal(found.method, "exact");
});

Deno.test("Wilcoxon agrees with SciPy: exact, with ties and zeros, and for many", () => {
  const { exact, permutation, asymptotic } = reference.wilcoxon;
  for (const row of [...exact, ...permutation]) {
    const found = wilcoxonSignedRank(row.differences);
    near(found.p, row.p);
    assert.equal(found.method, "exact");
  }
  for (const row of asymptotic) {
    const found = wilcoxonSignedRank(row.differences);
    near(found.p, row.p);
    near(Math.min(found.wPlus, found.wMinus), row.statistic);
    assert.equal(found.method, "normal approximation");
  }
});

Deno.test("pairs of shares have the signs and ranks of their hits, in float32 and percent too", () => {
  const writings = [
    (hits: number, images: number) => hits / images,
    (hits: number, images: number) => 1 - hits / images,
    (hits: number, images: number) => 100 * (hits / images),
    (hits: number, images: number) => Math.fround(hits / images),
    (hits: number) => hits,
  ];
  for (const { images, a, b, p, statistic } of paired.wilcoxon) {
    for (const write of writings) {
      const shares = (hits: number[]) => hits.map((k) => write(k, images));
      const found = wilcoxonSignedRank(pairedDifferences(shares(a), shares(b)));
      near(found.p, p);
      assert.equal(Math.min(found.wPlus, found.wMinus), statistic);
    }
  }
  // Of one size but for rounding, so without spread.
  const flat = pairedTTest([0.8, 0.7, 0.6], [0.7, 0.6, 0.5]);
  assert.deepEqual([flat.sd, flat.p], [0, null]);
  assert.deepEqual(pairedDifferences([0.1 + 0.2, 1], [0.3, 0.5]), [0, 0.5]);
  assert.throws(() => pairedDifferences([1], [1, 2]), /pair them one to one/);
});

Deno.test("differences that are more than rounding stay as they are", () => {
  const large = pairedDifferences([1e7 + 3, 1e7 + 1], [1e7, 1e7]);
  assert.deepEqual(large, [3, 1]);
  const losses = pairedDifferences([0.3, 0.3 + 1e-13], [0.1, 0.1]);
  assert.notEqual(losses[0], losses[1]);
});

Deno.test("all differences zero are p = 1 for both sign tests", () => {
  assert.deepEqual(signTest([0, 0]), {
    positive: 0,
    negative: 0,
    zeros: 2,
    p: 1,
  });
  assert.deepEqual(wilcoxonSignedRank([0, 0]), {
    wPlus: 0,
    wMinus: 0,
    n: 0,
    zeros: 2,
    p: 1,
    method: "exact",
  });
  assert.equal(signTest([3]).p, 1);
  assert.throws(() => signTest([]), /no values/);
  assert.throws(() => wilcoxonSignedRank([1, Infinity]), /drop failed trials/);
});
