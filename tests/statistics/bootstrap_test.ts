// Bootstrap intervals against NumPy on the same resamples.
import assert from "node:assert/strict";
import {
  bootstrapAccuracyDifference,
  bootstrapInterval,
  quantile,
  resamples,
} from "../../lib/statistics/mod.ts";
import { metrics, near, paired } from "./_reference.ts";

Deno.test("given resamples yield NumPy's percentile intervals and error", () => {
  const { values, indices, ...expected } = metrics.bootstrap;
  const wide = bootstrapInterval(values, { indices });
  near(wide.low, expected.percentile_95[0]);
  near(wide.high, expected.percentile_95[1]);
  near(wide.se, expected.se);
  assert.equal(wide.resamples, indices.length);
  const narrow = bootstrapInterval(values, { indices, level: 0.9 });
  near(narrow.low, expected.percentile_90[0]);
  near(narrow.high, expected.percentile_90[1]);
  expected.boot_means_first_10.forEach((mean: number, i: number) => {
    const one = { indices: [indices[i]] };
    near(bootstrapInterval(values, one).low, mean);
  });
});

Deno.test("given resamples yield SciPy's BCa intervals", () => {
  const statistics = {
    mean: undefined,
    median: (values: readonly number[]) => quantile(values, 0.5),
  };
  for (const { statistic, values, indices, intervals } of paired.bca) {
    for (const { level, low, high } of intervals) {
      const found = bootstrapInterval(values, {
        statistic: statistics[statistic as keyof typeof statistics],
        indices,
        level,
        method: "bca",
      });
      near(found.low, low);
      near(found.high, high);
    }
  }
  const same = bootstrapInterval([0.1, 0.1, 0.1], { method: "bca" });
  assert.equal(same.low, same.high);
});

Deno.test("BCa without ends is refused", () => {
  const indices = [[1, 1], [1, 1]];
  assert.throws(
    () => bootstrapInterval([1, 2], { indices, method: "bca" }),
    /all 2 resamples lie on one side of the estimate/,
  );
  const method = "BCa" as "bca";
  assert.throws(() => bootstrapInterval([1, 2], { method }), /method is BCa/);
});

Deno.test("accuracy differences are resampled image by image", () => {
  const { correct_a, correct_b, indices, ...expected } =
    metrics.bootstrap_paired_accuracy;
  const found = bootstrapAccuracyDifference(correct_a, correct_b, { indices });
  near(found.estimate, expected.difference);
  near(found.low, expected.percentile_95[0]);
  near(found.high, expected.percentile_95[1]);
});

Deno.test("any statistic can be resampled", () => {
  const median = (values: readonly number[]) => quantile(values, 0.5);
  const indices = [[0, 0, 1], [2, 2, 2], [0, 1, 2]];
  const found = bootstrapInterval([1, 5, 30], {
    statistic: median,
    indices,
    level: 0.5,
  });
  assert.equal(found.estimate, 5);
  assert.deepEqual([found.low, found.high], [3, 17.5]);
});

Deno.test("the default resamples are the same each time and spread evenly", () => {
  const values = metrics.bootstrap.values;
  const found = bootstrapInterval(values);
  assert.deepEqual(found, bootstrapInterval(values));
  // The error of the mean by theory: √(Σ (v - mean)² / n) / √n.
  const mean = found.estimate;
  const squares = values.map((v: number) => (v - mean) ** 2);
  const variance = squares.reduce((a: number, b: number) => a + b) / 8;
  near(found.se, Math.sqrt(variance / 8), 0.003);
  const counts = new Array(8).fill(0);
  for (const places of resamples(8, 1000, 3)) {
    places.forEach((i) => counts[i]++);
  }
  assert.equal(counts.reduce((a, b) => a + b), 8000);
  for (const count of counts) near(count, 1000, 0.12);
  assert.notDeepEqual([...resamples(8, 2, 3)], [...resamples(8, 2, 4)]);
});

Deno.test("equal values have an interval of width 0", () => {
  const { low, high, se } = bootstrapInterval([0.1, 0.1, 0.1]);
  assert.equal(low, high);
  assert.equal(se, 0);
});

Deno.test("what cannot be resampled is refused", () => {
  assert.throws(() => bootstrapInterval([]), /no values/);
  const indices = [[0, 5]];
  assert.throws(
    () => bootstrapInterval([1, 2], { indices }),
    /places in 0\.\.1/,
  );
  assert.throws(
    () => bootstrapInterval([1, 2], { indices: [] }),
    /no resamples/,
  );
  assert.throws(
    () => bootstrapInterval([1, 2], { statistic: () => NaN }),
    /finite statistic/,
  );
  assert.throws(() => bootstrapAccuracyDifference([1], [1, 0]), /one to one/);
  assert.throws(
    () => bootstrapAccuracyDifference([1, 0.5], [1, 0]),
    /a mark is 0.5/,
  );
});
