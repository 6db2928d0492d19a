/** The paper profile at work: RAF-DB's layout, the full model, a few steps. */
import assert from "node:assert/strict";
import { openReport, reports } from "../../lib/reports/mod.ts";
import { runPlan } from "../../lib/reports/live.ts";
import { type Files, treeOf } from "../data/_tree.ts";
import { picture } from "../data/_pictures.ts";

/** Patterns as RAF-DB lays its faces out: classes 1 to 7 in turn. */
async function rafDb(train: number, test: number) {
  const files: Files = {};
  let list = "";
  for (const [split, n] of [["train", train], ["test", test]] as const) {
    for (let i = 0; i < n; i++) {
      const name = `${split}_${String(i + 1).padStart(5, "0")}`;
      const seed = (split === "test" ? train : 0) + i;
      files[`Image/aligned/${name}_aligned.jpg`] = await (await picture(
        seed,
        100,
      )).jpeg().toBuffer();
      list += `${name}.jpg ${i % 7 + 1}\n`;
    }
  }
  return treeOf({ ...files, "EmoLabel/list_patition_label.txt": list });
}

Deno.test("at paper the full model trains on RAF-DB as published, here a few steps", async () => {
  using tree = await rafDb(14, 7);
  const study = openReport(reports.depth.report, {
    profile: "paper",
    outDir: `${tree.dir}/out`,
    dataDir: tree.dir,
  });
  const [plan] = study.plans;
  const few = {
    ...plan,
    study: {
      ...plan.study,
      parameters: { depth: [2], lr: [1e-4] },
      repeats: 1,
    },
    recipe: {
      ...plan.recipe,
      batchSize: 4,
      epochs: 1,
      precision: "float32" as const,
    },
  };
  const data = await study.data();
  assert.deepEqual(
    [data.name, data.train.n + data.validation.n, data.test.n],
    ["raf-db", 14, 7],
  );
  await runPlan(few, data, { dir: `${tree.dir}/out` });
  const [row] = (await study.results()).rows();
  assert.equal(row.state, "COMPLETE");
  const { size, widths, stemStride, depth, sampler, mixing } = row.recipe!;
  assert.deepEqual(
    { size, widths, stemStride, depth, sampler, alpha: mixing.alpha },
    {
      size: 224,
      widths: [64, 128, 256, 512],
      stemStride: 2,
      depth: 2,
      sampler: "balanced",
      alpha: 1,
    },
  );
  assert.ok(Number.isFinite(row.epochs[0].trainLoss));
});
