import assert from "node:assert/strict";
import { report } from "../../lib/reports/efficiency.ts";
import { countsOf, variants } from "../../lib/reports/efficiency_counts.ts";
import { Profile } from "../../lib/reports/profile.ts";
import { parseStudy } from "../../lib/study/definition.ts";
import { judge, repeated, resultsWith } from "./_measured.ts";

const { claims } = report;
const of = (model: string, values: (number | null)[], net = "full") =>
  repeated({ net, batchSize: 4, model }, values);

Deno.test("every profile's measurements are a sound study", () => {
  for (const profile of Profile.options) {
    for (const { study } of report.measurements!(profile)) parseStudy(study);
  }
});

Deno.test("the published counts come out by thop's convention, whatever ran", async () => {
  const [base, cls, after, before] = Object.values(variants).map(countsOf);
  assert.equal(base.thopG.toFixed(3), "7.594");
  assert.equal(base.thopM.toFixed(3), "55.954");
  assert.equal(cls.thopG.toFixed(3), "6.385");
  assert.equal(cls.thopM.toFixed(3), "55.955");
  assert.equal(after.thopG.toFixed(3), "6.566");
  assert.equal(before.thopG.toFixed(3), "7.388");
  assert.equal(base.parameters, 55_980_743);
  assert.equal(cls.parameters, 55_980_743);
  const nothing = resultsWith([]);
  const fewer = await judge(claims, "fewer FLOPs", nothing);
  assert.equal(fewer.verdict, "holds");
  assert.match(fewer.ours, /7\.593850 → 6\.384912 G/);
  const same = await judge(claims, "same parameters", nothing);
  assert.equal(same.verdict, "holds");
});

Deno.test("CLS is faster or slower by the interval of repeats in pairs", async () => {
  // The machine halves its speed in the second repeat; the ratio does not.
  const speed = (cls: number[], net = "full") =>
    judge(
      claims,
      "is faster",
      resultsWith([
        ...of("Baseline", [10, 5, 10], net),
        ...of("CLS", cls, net),
      ]),
    );
  const faster = await speed([12, 6.1, 12]);
  assert.equal(faster.verdict, "holds");
  assert.match(faster.ours, /×1\.207 \(.*3 repeats\)/);
  assert.equal((await speed([9, 4.5, 9.1])).verdict, "does not hold");
  assert.equal((await speed([12, 4, 10])).verdict, "cannot tell");
  assert.equal((await speed([12, 6])).verdict, "cannot tell");
  assert.equal((await speed([12, 6.1, 12], "narrow")).verdict, "cannot tell");
});

Deno.test("Repeat loses 82 % of the speed gained, not two thirds", async () => {
  const repeat = await judge(claims, "two thirds", resultsWith([]));
  assert.equal(repeat.verdict, "does not hold");
  assert.match(repeat.ours, /82 %/);
});

Deno.test("missing and failed settings are told, not thrown", async () => {
  for (const rows of [[], of("CLS", [12, 12, 12]), of("Baseline", [null])]) {
    const results = resultsWith(rows);
    const speed = await judge(claims, "is faster", results);
    assert.equal(speed.verdict, "cannot tell");
    assert.match(await report.decide!(results), /undecided/);
  }
});
