// Correlations against SciPy.
import assert from "node:assert/strict";
import { kendallTauB, pearson, spearman } from "../../lib/statistics/mod.ts";
import { metrics, near } from "./_reference.ts";

Deno.test("the three correlations agree with SciPy, ties included", () => {
  const { x, y, ...expected } = metrics.rank_correlation;
  near(pearson(x, y), expected.pearson);
  near(spearman(x, y), expected.spearman);
  near(kendallTauB(x, y), expected.kendall_tau_b);
});

Deno.test("correlations run from -1 to 1 and are null without spread", () => {
  for (const correlate of [pearson, spearman, kendallTauB]) {
    near(correlate([0.1, 0.2, 0.3], [1, 2, 3]), 1);
    near(correlate([0.1, 0.2, 0.3], [3, 2, 1]), -1);
    near(correlate([1e-200, 2e-200, 3e-200], [3e200, 2e200, 1e200]), -1);
    assert.equal(correlate([0.1, 0.1, 0.1], [1, 2, 3]), null);
    assert.equal(correlate([1], [2]), null);
    assert.throws(() => correlate([1, 2], [1]), /pair them one to one/);
    assert.throws(() => correlate([], []), /no values/);
  }
});
