import assert from "node:assert/strict";
import { report } from "../../lib/reports/cpu_throughput.ts";
import { Profile } from "../../lib/reports/profile.ts";
import { parseStudy } from "../../lib/study/definition.ts";
import { judge, repeated, resultsWith } from "./_measured.ts";

const { claims } = report;
const full = (batchSize: number, values: (number | null)[]) =>
  repeated({ net: "full", batchSize }, values);

Deno.test("every profile's measurements are a sound study", () => {
  for (const profile of Profile.options) {
    for (const { study } of report.measurements!(profile)) parseStudy(study);
  }
});

Deno.test("another processor is put beside the published row and settles nothing", async () => {
  const { ours, verdict, why } = await judge(
    claims,
    "one image a second",
    resultsWith(full(4, [10, 10, 10.1])),
  );
  assert.equal(verdict, "cannot tell");
  assert.match(ours, /10 images\/s \(.*3 repeats\), 0\.399 s a step/);
  // 4 images in 2.88 s are 1.389 a second.
  assert.match(why, /×7\.22/);
});

Deno.test("throughput 1 with 2.88 s a step is of 3 to 5 images, not of one", async () => {
  const { ours, verdict } = await judge(
    claims,
    "single images",
    resultsWith([]),
  );
  assert.equal(ours, "the batch was 3 to 5");
  assert.equal(verdict, "does not hold");
});

Deno.test("a missing or failed batch 4 is told, not thrown", async () => {
  for (const rows of [[], full(4, [null]), full(1, [9])]) {
    const results = resultsWith(rows);
    const { why } = await judge(claims, "one image a second", results);
    assert.match(why, /no finished trial at batch 4/);
    assert.match(await report.decide!(results), /Rule:/);
  }
});

Deno.test("a net follows a video when its slowest repeat makes 10 images a second", async () => {
  const text = await report.decide!(resultsWith([
    ...full(1, [12, 9.9]),
    ...repeated({ net: "slim", batchSize: 1 }, [300, 200]),
  ]));
  assert.match(text, /full cannot \(9\.9 images\/s\), slim can \(200/);
});
