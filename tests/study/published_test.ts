/** The published numbers are read as they stand in their files. */
import assert from "node:assert/strict";
import { readPublished } from "../../lib/study/published.ts";

Deno.test("the depth-6 search has seven rows and peaks at 1e-4 with 53.17 %", async () => {
  const { id, columns, records } = await readPublished("lr-search-depth6");
  assert.equal(id, "lr-search-depth6");
  assert.deepEqual(columns, ["lr", "acc", "acc_unc"]);
  assert.equal(records.length, 7);
  assert.equal(records.find((r) => r.lr === 1e-4)?.acc, 53.17);
  assert.equal(Math.max(...records.map((r) => Number(r.acc))), 53.17);
});

Deno.test("the depth-4 search has five rows and names its runs", async () => {
  const { records } = await readPublished("lr-search-depth4");
  assert.equal(records.length, 5);
  assert.deepEqual(records[2], {
    run: "baseline_lr2e-4",
    lr: 2e-4,
    acc: 60.65,
    acc_unc: 0.08,
  });
});

Deno.test("an empty cell of a table is null", async () => {
  const { records } = await readPublished("depth-test");
  assert.equal(records.length, 46);
  assert(records.some((r) => Object.values(r).includes(null)));
});

Deno.test("a study whose figure was never published has no records", async () => {
  assert.deepEqual((await readPublished("beta1")).records, []);
});

Deno.test("an unknown id is refused in one line that names those there are", async () => {
  await assert.rejects(readPublished("../README"), (error: Error) => {
    assert.match(error.message, /"\.\.\/README".*lr-search-depth4, lr-search/);
    assert(!error.message.includes("\n"));
    return true;
  });
});

Deno.test("a file of several tables is refused by its name", async () => {
  await assert.rejects(
    readPublished("batch-size"),
    /batch-size\.json is not one table/,
  );
});
