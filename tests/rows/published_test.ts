/** Published tables as rows: names, shares, and what effects say of them. */
import assert from "node:assert/strict";
import { effects } from "../../lib/reports/mod.ts";
import {
  bestPer,
  published,
  publishedText,
  settings,
} from "../../lib/rows/mod.ts";

Deno.test("what all runs of a table share is a parameter of its rows", async () => {
  const { rows } = await published("lr-search-depth6", { depth: 6 });
  // The best of the seven rates in the notes' figure: 53.17 % at 1e-4.
  assert.equal(
    publishedText([bestPer(rows, "depth")[0]]),
    "53.17 % at learning rate 1e-4, depth 6",
  );
  assert(rows.every((r) => r.depth === 6));
});

Deno.test("published runs of two eps are paired by their rate: 0.62 points over zero", async () => {
  // By the table's own note: +0.75, -0.29, +1.40, 0.00, +1.24 at five rates.
  const { rows } = await published("eps-depth8");
  const [e] = effects(rows, { of: "eps", base: 1e-8 });
  assert.equal(e.n, 5);
  assert.equal((100 * e.difference!).toFixed(2), "0.62");
  assert(e.low! < 0 && e.published);
});

Deno.test("a table without one of its parameters is a mean over it", async () => {
  const { rows } = await published("nonmulti-depth");
  const means = settings(rows.map((r) => ({ ...r, lr: undefined })));
  assert.equal(
    publishedText(means),
    "84.394 % at depth 2; 84.557 % at depth 4; 83.865 % at depth 6; " +
      "84.328 % at depth 8",
  );
});

Deno.test("the notes' five pairs of CLS and Baseline: 0.763 points, sd 0.604, p .0475, sign test .0625", async () => {
  // As printed beside the published table (t 2.83 with 4 df).
  const { rows } = await published("cls-vs-baseline");
  const [e] = effects(rows, { of: "model", base: "Baseline" });
  assert.equal(e.n, 5);
  assert.equal((100 * e.difference!).toFixed(3), "0.763");
  assert.equal((100 * e.sd!).toFixed(3), "0.604");
  assert.equal(e.p!.toFixed(4), "0.0475");
  assert.equal(e.sign!.p.toFixed(4), "0.0625");
});
