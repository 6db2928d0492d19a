// Many settings: corrections, Friedman, Nemenyi against SciPy and Demšar 2006.
import assert from "node:assert/strict";
import {
  averageRanks,
  benjaminiHochberg,
  bonferroni,
  friedmanTest,
  holm,
  holmSidak,
  nemenyiTest,
} from "../../lib/statistics/mod.ts";
import { allNear, metrics, near, reference } from "./_reference.ts";

Deno.test("corrected p-values agree with statsmodels", () => {
  const { p_values, alpha, methods, unsorted_with_ties } =
    metrics.multiple_comparisons;
  const corrections = {
    holm,
    bonferroni,
    fdr_bh: benjaminiHochberg,
    "holm-sidak": holmSidak,
  };
  for (const [name, correct] of Object.entries(corrections)) {
    const found = correct(p_values);
    allNear(found, methods[name].adjusted);
    assert.deepEqual(found.map((p) => p <= alpha), methods[name].reject);
  }
  const found = holm(unsorted_with_ties.p_values);
  allNear(found, unsorted_with_ties.holm.adjusted);
  // Two stand at 0.05, which is not above alpha.
  assert.deepEqual(
    found.map((p) => p <= alpha + 1e-12),
    unsorted_with_ties.holm.reject,
  );
});

Deno.test("corrections keep order, stop at 1 and take an empty family", () => {
  assert.deepEqual(bonferroni([0.5, 0.01]), [1, 0.02]);
  assert.deepEqual(holm([0.9, 0.8]), [1, 1]);
  for (const correct of [holm, holmSidak, bonferroni, benjaminiHochberg]) {
    assert.deepEqual(correct([]), []);
    assert.deepEqual(correct([0, 1]), [0, 1]);
    assert.throws(() => correct([1.2]), /give ones in \[0, 1\]/);
  }
});

for (const [name, row] of Object.entries<FriedmanCase>(reference.friedman)) {
  Deno.test(`Friedman and Nemenyi agree with SciPy: ${name}`, () => {
    const found = friedmanTest(row.table);
    allNear(found.averageRanks, row.average_ranks);
    near(found.chi2, row.chi2);
    near(found.chi2P, row.chi2_p);
    near(found.f, row.f);
    near(found.fP, row.f_p);
    const { criticalDifference, p } = nemenyiTest(
      found.averageRanks,
      found.blocks,
    );
    near(criticalDifference, row.nemenyi_cd);
    p.forEach((line, i) => allNear(line, row.nemenyi_p[i]));
  });
}

interface FriedmanCase {
  table: number[][];
  average_ranks: number[];
  chi2: number;
  chi2_p: number;
  f: number;
  f_p: number;
  nemenyi_cd: number;
  nemenyi_p: number[][];
}

Deno.test("critical values are those of Demšar's table 5a", () => {
  for (const alpha of ["0.05", "0.10"]) {
    reference.demsar_table_5a[alpha].forEach((q: number, i: number) => {
      const k = i + 2;
      const blocks = k * (k + 1) / 6; // makes the critical difference q itself
      const alike = new Array(k).fill((k + 1) / 2);
      const found = nemenyiTest(alike, blocks, Number(alpha));
      assert.ok(
        Math.abs(found.criticalDifference - q) <= 0.001,
        `k ${k}: ${found.criticalDifference} is not ${q}`,
      );
    });
  }
});

Deno.test("rank 1 is the largest value, and ties share their mean rank", () => {
  assert.deepEqual(averageRanks([[90, 80, 70]]), [1, 2, 3]);
  assert.deepEqual(averageRanks([[5, 5, 9], [9, 5, 5]]), [1.75, 2.5, 1.75]);
});

Deno.test("equal settings have no Friedman test; perfect agreement has F = ∞", () => {
  const flat = friedmanTest([[1, 1, 1], [2, 2, 2]]);
  assert.deepEqual(flat.averageRanks, [2, 2, 2]);
  assert.deepEqual(
    [flat.chi2, flat.chi2P, flat.f, flat.fP],
    [null, null, null, null],
  );
  const alike = friedmanTest([[3, 2, 1], [9, 5, 4], [7, 6, 1]]);
  near(alike.chi2, 6); // N (k - 1)
  assert.equal(alike.f, Infinity);
  near(alike.fP, 1 / 36);
  assert.throws(() => friedmanTest([[1, 2]]), /two rows or more/);
  assert.throws(() => friedmanTest([[1, 2], [1]]), /of one length/);
  assert.throws(() => friedmanTest([]), /of one length/);
  assert.throws(() => friedmanTest([[1, NaN], [1, 2]]), /drop failed trials/);
  assert.throws(() => nemenyiTest([1], 4), /two settings/);
});
