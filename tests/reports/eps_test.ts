/** The reports of eps and the betas: verdicts both ways, missing values, plans. */
import assert from "node:assert/strict";
import { refusedTable, report as betas } from "../../lib/reports/betas.ts";
import { epsIsolation, judgeFits, report } from "../../lib/reports/eps.ts";
import { parsePlan } from "../../lib/study/mod.ts";
import { grid, results } from "./_rows.ts";

const of = (values: Parameters<typeof grid>[0]) =>
  results({ eps: grid(values, "eps") });

Deno.test("eps 1e-7 fits better where it leads in every pair, and is then taken", async () => {
  const better = of({
    1e-7: { 0.001: [0.6, 0.611, 0.622] },
    1e-8: { 0.001: [0.58, 0.59, 0.6] },
  });
  assert.equal(judgeFits(better).verdict, "holds");
  assert.match(await report.decide!(better), /^eps 1e-7, which beats 1e-8\./);
});

Deno.test("where a gain of a point is excluded it does not, and 1e-8 stays", async () => {
  const equal = of({
    1e-7: { 0.001: [0.6, 0.61, 0.62] },
    1e-8: { 0.001: [0.6, 0.611, 0.619] },
  });
  assert.equal(judgeFits(equal).verdict, "does not hold");
  assert.match(await report.decide!(equal), /^eps stays at 1e-8/);
});

Deno.test("a missing eps, failed runs and two pairs tell nothing", async () => {
  for (
    const few of [
      of({}),
      of({ 1e-7: { 0.001: [0.6, 0.6] } }),
      of({ 1e-7: { 0.001: [null] }, 1e-8: { 0.001: [0.6] } }),
      of({ 1e-7: { 0.001: [0.6, 0.7] }, 1e-8: { 0.001: [0.5, 0.5] } }),
      // Four pairs are still two seeds.
      of({
        1e-7: { 0.001: [0.6, 0.61], 0.003: [0.6, 0.611] },
        1e-8: { 0.001: [0.5, 0.51], 0.003: [0.5, 0.51] },
      }),
    ]
  ) {
    assert.equal(judgeFits(few).verdict, "cannot tell");
    assert.match(await report.decide!(few), /fewer than three paired seeds/);
    await epsIsolation(few);
  }
});

Deno.test("a beta of 1 is refused with the recipe's own line, for both betas", () => {
  // deno-lint-ignore no-explicit-any
  const html = (refusedTable() as any)[Symbol.for("Jupyter.display")]();
  assert.equal(
    html["text/html"].match(/a beta of 1 keeps its start for ever/g).length,
    2,
  );
});

Deno.test("the default betas will do where no other value can gain a point", async () => {
  const rows = (path: string, usual: number, other: number, gain: number) =>
    grid({
      [usual]: { 0.001: [0.5, 0.511, 0.52] },
      [other]: { 0.001: [0.5 + gain, 0.5105 + gain, 0.521 + gain] },
    }, path);
  const both = results({
    beta1: rows("betas.0", 0.9, 0.8, -0.02),
    beta2: rows("betas.1", 0.999, 0.99, 0.03),
  });
  const [beta1, beta2] = await Promise.all(
    betas.claims.map((c) => c.judge(both)),
  );
  assert.equal(beta1.verdict, "holds");
  assert.equal(beta2.verdict, "does not hold");
  assert.match(
    await betas.decide!(both),
    /beta1 stays at 0\.9.* beta2 0\.99, which beats 0\.999/,
  );
});

Deno.test("the plans of eps and the betas are sound at every profile", () => {
  for (const profile of ["smoke", "quick", "cpu", "paper"] as const) {
    const [plan] = report.trainings!(profile).map(parsePlan);
    assert("eps" in plan.study.parameters);
    assert.equal(betas.trainings!(profile).map(parsePlan).length, 2);
  }
});
