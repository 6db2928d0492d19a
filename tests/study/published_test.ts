/** The published numbers are read as they stand in their files. */
import assert from "node:assert/strict";
import { readPublished, readReplicates } from "../../lib/study/published.ts";

Deno.test("the depth-6 search has seven rows and peaks at 1e-4 with 53.17 %", async () => {
  const { id, tables: [{ records }] } = await readPublished("lr-search-depth6");
  assert.equal(id, "lr-search-depth6");
  assert.deepEqual(Object.keys(records[0]), ["lr", "acc", "acc_unc"]);
  assert.equal(records.length, 7);
  assert.equal(records.find((r) => r.lr === 1e-4)?.acc, 53.17);
  assert.equal(Math.max(...records.map((r) => Number(r.acc))), 53.17);
});

Deno.test("the depth-4 search has five rows and names its runs", async () => {
  const { title, tables } = await readPublished("lr-search-depth4");
  assert.deepEqual(tables.map((t) => t.name), [title]);
  assert.equal(tables[0].records.length, 5);
  assert.deepEqual(tables[0].records[2], {
    run: "baseline_lr2e-4",
    lr: 2e-4,
    acc: 60.65,
    acc_unc: 0.08,
  });
});

Deno.test("an empty cell of a table is null", async () => {
  const { tables: [{ records }] } = await readPublished("depth-test");
  assert.equal(records.length, 46);
  assert(records.some((r) => Object.values(r).includes(null)));
});

Deno.test("a study whose figure was never published has no records", async () => {
  assert.deepEqual((await readPublished("beta1")).tables[0].records, []);
});

Deno.test("an unknown id is refused in one line that names those there are", async () => {
  await assert.rejects(readPublished("../README"), (error: Error) => {
    assert.match(error.message, /"\.\.\/README".*lr-search-depth4, lr-search/);
    assert(!error.message.includes("\n"));
    return true;
  });
});

Deno.test("each file of the folder is read, under its own name", async () => {
  const folder = new URL("../../data/published/", import.meta.url);
  for (const { name } of Deno.readDirSync(folder)) {
    if (!name.endsWith(".json")) continue;
    const { id } = await readPublished(name.replace(/\.json$/, ""));
    assert.equal(`${id}.json`, name);
  }
});

Deno.test("the efficiency table has the published counts", async () => {
  const { tables } = await readPublished("efficiency");
  assert.equal(tables.length, 3);
  const [baseline, cls] = tables[0].records;
  assert.deepEqual([baseline.flops_G, baseline.params_M], [7.594, 55.954]);
  assert.deepEqual([cls.flops_G, cls.params_M], [6.385, 55.955]);
});

Deno.test("the published repeats differ by 5.11 points at depth 6 and 1e-4", async () => {
  const groups = await readReplicates();
  const runs = groups.find((g) =>
    g.stage.startsWith("10 epochs") && /depth 6.*1e-4/.test(g.config)
  )!.accuracies.sort();
  assert.deepEqual(runs.map((a) => (100 * a).toFixed(2)), [
    ...["48.05", "50.30", "53.16"],
  ]);
});
