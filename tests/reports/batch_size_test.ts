import assert from "node:assert/strict";
import { report } from "../../lib/reports/batch_size.ts";
import { squareRootRule } from "../../lib/reports/batch_size_rules.ts";
import { Profile } from "../../lib/reports/profile.ts";
import { parseStudy } from "../../lib/study/definition.ts";
import { judge, repeated, resultsWith } from "./_measured.ts";

const { claims } = report;
const at = (net: string, batchSize: number, values: (number | null)[]) =>
  repeated({ net, mode: "forward", batchSize }, values);

Deno.test("every profile's measurements are a sound study", () => {
  for (const profile of Profile.options) {
    for (const { study } of report.measurements!(profile)) parseStudy(study);
  }
});

Deno.test("a gain beyond 16 is small or not by the interval of three repeats", async () => {
  const gain = (values: number[], net = "full") =>
    judge(
      claims,
      "beyond batch 16",
      resultsWith([...at(net, 16, [10, 10, 10]), ...at(net, 64, values)]),
    );
  const small = await gain([11, 11.1, 11]);
  assert.equal(small.verdict, "holds");
  assert.match(small.ours, /64 over 16: ×1\.103/);
  assert.equal((await gain([20, 20.1, 20])).verdict, "does not hold");
  assert.equal((await gain([10, 15, 12])).verdict, "cannot tell");
  assert.equal((await gain([20, 20])).verdict, "cannot tell");
  assert.equal((await gain([11, 11.1, 11], "narrow")).verdict, "cannot tell");
});

Deno.test("256 is the batch to take where it is within 5 % of every size", async () => {
  const choice = (fast: number, slow: number) =>
    judge(
      claims,
      "256 is",
      resultsWith([
        ...at("full", 256, [slow, slow + 0.1, slow]),
        ...at("full", 512, [fast, fast, fast + 0.1]),
      ], "paper"),
    );
  assert.equal((await choice(100, 99)).verdict, "holds");
  assert.equal((await choice(100, 80)).verdict, "does not hold");
});

Deno.test("missing and failed settings are told, not thrown", async () => {
  for (const rows of [[], at("full", 16, [null]), at("narrow", 1, [1, null])]) {
    const results = resultsWith(rows);
    for (const claim of claims) {
      const { verdict } = await claim.judge(results);
      const isArithmetic = claim.claim.includes("one measurement");
      assert.equal(verdict, isArithmetic ? "holds" : "cannot tell");
    }
    assert.match(await report.decide!(results), /Rule:/);
  }
});

Deno.test("the decision is the smallest batch with 95 % of the best", async () => {
  const text = await report.decide!(resultsWith([
    ...at("narrow", 16, [940]),
    ...at("narrow", 32, [951]),
    ...at("narrow", 64, [1000]),
  ]));
  assert.match(text, /32 for the forward pass/);
});

Deno.test("a quarter of the batch halves Adam's rate and quarters 1 - beta", () => {
  const { lr, betas, eps, stepsPerEpoch } = squareRootRule(64);
  assert.ok(Math.abs(lr - 1e-4) < 1e-12);
  assert.ok(Math.abs(betas[0] - 0.975) < 1e-12);
  assert.ok(Math.abs(betas[1] - 0.99975) < 1e-12);
  assert.ok(Math.abs(eps - 2e-8) < 1e-20);
  assert.equal(stepsPerEpoch, 191);
  // The study's own: 47 steps an epoch at batch 256.
  assert.equal(squareRootRule(256).stepsPerEpoch, 47);
});
