// Distribution functions against SciPy, deep tails included.
import assert from "node:assert/strict";
import {
  betaQuantile,
  binomialCdf,
  chiSquareQuantile,
  chiSquareSf,
  fSf,
  normalCdf,
  normalQuantile,
  normalSf,
  studentCdf,
  studentQuantile,
  studentSf,
} from "../../lib/statistics/distributions.ts";
import { noncentralTSf } from "../../lib/statistics/noncentral_t.ts";
import {
  rangeQuantile,
  rangeSf,
} from "../../lib/statistics/studentized_range.ts";
import { close, metrics, near, reference } from "./_reference.ts";

const { quantiles } = metrics;
const table = reference.distributions;

Deno.test("t, normal, chi-square and binomial values agree with metrics.json", () => {
  for (const [df, t] of Object.entries(quantiles.t_0_975)) {
    near(studentQuantile(0.975, Number(df)), Number(t));
    near(studentQuantile(0.025, Number(df)), -Number(t));
  }
  for (const [p, z] of Object.entries(quantiles.normal)) {
    near(normalQuantile(Number(p)), Number(z));
    near(normalCdf(Number(z)), Number(p));
  }
  for (const { t, df, cdf } of quantiles.t_cdf) near(studentCdf(t, df), cdf);
  for (const { x, df, sf } of quantiles.chi2_sf) near(chiSquareSf(x, df), sf);
  for (const { k, n, p, cdf } of quantiles.binom_cdf) {
    near(binomialCdf(k, n, p), cdf);
  }
  near(metrics.paired_t.t_quantile_0_975, studentQuantile(0.975, 4));
});

Deno.test("upper tails agree with SciPy to 1e-10 of their own size", () => {
  for (const { t, df, sf } of table.t_sf) close(studentSf(t, df), sf);
  for (const { z, sf } of table.normal_sf) close(normalSf(z), sf);
  for (const { x, df, sf } of table.chi2_sf) close(chiSquareSf(x, df), sf);
  for (const { f, df1, df2, sf } of table.f_sf) close(fSf(f, df1, df2), sf);
});

Deno.test("quantiles agree with SciPy from p = 1e-300 up", () => {
  for (const { p, df, t } of table.t_quantile) {
    close(studentQuantile(p, df), t);
  }
  for (const { p, z } of table.normal_quantile) close(normalQuantile(p), z);
  for (const { p, df, x } of table.chi2_quantile) {
    close(chiSquareQuantile(p, df), x);
  }
  for (const { p, a, b, x } of table.beta_quantile) {
    close(betaQuantile(p, a, b), x);
  }
});

Deno.test("the noncentral t and the range of normals agree with SciPy", () => {
  for (const { t, df, delta, sf } of table.noncentral_t_sf) {
    near(noncentralTSf(t, df, delta), sf, 1e-12);
  }
  for (const { q, k, sf } of table.range_sf) near(rangeSf(q, k), sf, 1e-12);
});

Deno.test("the range of two normals is |z| √2, far out too", () => {
  for (const q of [0.1, 1, 5, 20]) {
    close(rangeSf(q, 2), 2 * normalSf(q / Math.SQRT2));
  }
  close(rangeQuantile(0.95, 2), normalQuantile(0.975) * Math.SQRT2);
});

Deno.test("the ends of each distribution are exact", () => {
  assert.equal(studentCdf(0, 4), 0.5);
  assert.equal(studentQuantile(0.5, 4), 0);
  assert.equal(studentSf(Infinity, 4), 0);
  assert.equal(studentCdf(Infinity, 4), 1);
  assert.equal(normalCdf(0), 0.5);
  assert.equal(normalCdf(-Infinity), 0);
  assert.equal(normalCdf(40), 1);
  assert.equal(chiSquareSf(0, 3), 1);
  assert.equal(chiSquareSf(Infinity, 3), 0);
  assert.equal(fSf(0, 2, 5), 1);
  assert.equal(fSf(Infinity, 2, 5), 0);
  assert.equal(binomialCdf(-1, 5, 0.5), 0);
  assert.equal(binomialCdf(5, 5, 0.5), 1);
  assert.equal(rangeSf(0, 4), 1);
});

Deno.test("a quantile asked for outside (0, 1) or with no df is refused", () => {
  for (const p of [0, 1, -0.1, NaN]) {
    assert.throws(() => studentQuantile(p, 4), /between 0 and 1/);
    assert.throws(() => normalQuantile(p), /between 0 and 1/);
    assert.throws(() => chiSquareQuantile(p, 4), /between 0 and 1/);
    assert.throws(() => betaQuantile(p, 1, 1), /between 0 and 1/);
  }
  assert.throws(() => studentQuantile(0.5, 0), /above 0/);
  assert.throws(() => rangeQuantile(0.95, 1), /k >= 2/);
});
