/** A report at work: its parameters, runs, claims and what it leaves. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { openReport, type Report } from "../../lib/reports/mod.ts";
import { claimsPage } from "../../tasks/study/claims.ts";
import { inFolder } from "../_folder.ts";

/** A report whose trials are sums, so that nothing is trained. */
const sums: Report = {
  notebook: "02-lr-search",
  title: "Sums",
  published: [],
  measurements: () => [{
    study: { name: "sums", metric: "sum", parameters: { x: [1, 2] } },
    measure: ({ params }) => Promise.resolve({ value: Number(params.x) + 1 }),
  }],
  claims: [
    {
      claim: "2 is | more",
      published: "3",
      judge: (results) => ({
        ours: String(results.measured().map((m) => m.value)),
        verdict: "holds",
        why: "3 > 2",
      }),
    },
    {
      claim: "the code adds",
      published: "3",
      aboutFaces: false,
      judge: () => ({ ours: "3", verdict: "holds", why: "it does" }),
    },
  ],
  decide: () => "Take 2.",
};

// deno-lint-ignore no-explicit-any
const shown = (value: any) =>
  Object.values(value[Symbol.for("Jupyter.display")]())[0] as string;

Deno.test("a wrong parameter is one line that names it", () => {
  assert.throws(
    () => openReport(sums, { profile: "huge" }),
    (error: Error) => {
      assert.match(error.message, /^parameter profile: .*smoke/);
      return !error.message.includes("\n");
    },
  );
});

Deno.test("without a trial on record every claim is not yet run", () =>
  inFolder(async (dir) => {
    const study = openReport(sums, { profile: "quick", outDir: dir });
    assert.equal(shown(await study.claims()).match(/not yet run/g)!.length, 2);
    assert.match(shown(await study.decision()), /None yet/);
    assert.deepEqual(await study.rows(), []);
  }));

Deno.test("a claim about faces is not settled on synthetic ones, one about code is", () =>
  inFolder(async (dir) => {
    const outDir = join(dir, "quick");
    const study = openReport(sums, { profile: "quick", outDir });
    await study.run();
    const results = await study.results();
    assert.deepEqual(results.measured().map((m) => m.value), [2, 3]);
    await study.claims();
    const kept = JSON.parse(
      await Deno.readTextFile(join(outDir, "02-lr-search.claims.json")),
    );
    assert.equal(kept.trials, 2);
    assert.deepEqual(
      kept.claims.map((c: { verdict: string }) => c.verdict),
      ["cannot tell", "holds"],
    );
    assert.match(kept.claims[0].why, /synthetic faces it would hold/);
    assert.match(shown(await study.decision()), /Take 2\./);
    assert.match((await study.timeline()).svg, /<svg/);
    // The same command again runs nothing.
    await study.run();
    assert.equal((await study.results()).measured().length, 2);

    const page = await claimsPage(dir);
    assert.match(
      page,
      /\| 2 is \\\| more \| 3 \| 2,3 \| \*\*cannot tell\*\* \|/,
    );
    assert.match(page, /## 03 Depth\n\nNot yet run\./);
  }));
