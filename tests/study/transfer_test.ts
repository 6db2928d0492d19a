// `deno task study import` and `export`, as they are called on a terminal.
import assert from "node:assert/strict";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { folderTest as test } from "../_folder.ts";
import { ran, ROOT } from "../_run.ts";

const WANDB = join(ROOT, "tests/fixtures/wandb");

const study = (cwd: string) => (...args: string[]) =>
  ran("tasks/study.ts", args, {
    ...{ cwd, env: { INIT_CWD: cwd, FERLAB_STORE: "" } },
  });

test("runs of W&B go in and come out again as CSV and JSON", async (folder) => {
  const run = study(folder);
  const taken = await run(
    ...["import", join(WANDB, "runs.csv"), "--study", "lr", "--dir", "lr"],
    ...["--history", join(WANDB, "val_acc.csv")],
  );
  assert.equal(taken.out, '5 trials added to "lr" in lr/records.sqlite\n');
  assert.match(
    taken.err,
    /^the value is val_acc; --value names another column\n/,
  );
  assert.match(taken.err, /^left out, still running: glad-river-6$/m);
  assert.equal(taken.code, 0);

  const csv = await run("export", "lr", "--dir", "lr", "-o", "-");
  const [head, first] = parse(csv.out);
  assert.deepEqual(
    head.slice(0, 10),
    "number,state,value,start,complete,seconds,repeat,seed,depth,lr".split(","),
  );
  assert.equal(first[head.indexOf("Notes")], 'second try,\nwith "warm-up"');
  assert.equal(csv.err, "");

  const file = await run("export", "lr", "--dir", "lr", "-o", "out/lr.json");
  assert.equal(file.out, "out/lr.json\n");
  const { trials } = JSON.parse(
    await Deno.readTextFile(join(folder, "out", "lr.json")),
  ) as { trials: { intermediate: unknown[] }[] };
  assert.equal(trials.length, 5);
  assert.deepEqual(trials[0].intermediate[2], { epoch: 1170, value: 0.6125 });
});

test("a mistake is one line, and nothing is made", async (folder) => {
  const run = study(folder);
  const file = join(folder, "runs.csv");
  await Deno.writeTextFile(file, "Name,lr,acc\na,0.1,0.5\nb,0.1,high\n");
  const args = ["import", "runs.csv", "--study", "lr", "--param", "lr"];
  const bad = await run(...args, "--dir", "lr");
  assert.equal(bad.code, 2);
  assert.match(
    bad.err,
    /^study: runs\.csv: line 3: acc is "high", not a number: nothing was imported\n$/m,
  );
  await Deno.writeTextFile(file, "Name,lr,acc\na,0.1,0.5\n");
  const nowhere = await run(...args);
  assert.equal(nowhere.code, 2);
  assert.match(
    nowhere.err,
    /^study: no study "lr" .*; give --dir or --store to create it$/m,
  );
  const odd = await run(...args, "--dir", "lr", "--from", "x");
  assert.equal(odd.code, 2);
  assert.equal(odd.err, "study: --from is for storages, not for CSV files\n");
  assert.deepEqual(
    Array.from(Deno.readDirSync(folder), (entry) => entry.name),
    ["runs.csv"],
  );
});
