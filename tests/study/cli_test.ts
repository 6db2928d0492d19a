/** The commands of `deno task study` that read and change what is on record. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  LostTrialError,
  openStore,
  runStudy,
  type StudyInput,
  type TrainTrial,
} from "../../lib/study/mod.ts";
import { folderTest, inFolder, testsWith } from "../_folder.ts";
import { ran } from "../_run.ts";
import { assertRefused } from "../_refused.ts";
import { trialsIn } from "./_store.ts";

/** Runs `deno task study ARGS` in a folder. */
const study = (cwd: string, ...args: string[]) =>
  ran("tasks/study.ts", args, { cwd, env: { FERLAB_STORE: "" } });

const RECIPE = { epochs: 2, batchSize: 64, erasing: { areaMin: 0.02 } };

const SEARCH: StudyInput = {
  name: "lr-search",
  metric: "test accuracy",
  parameters: { depth: [2, 4], lr: { values: [0.001, 1], role: "nuisance" } },
  repeats: 2,
  fixed: { data: "synthetic", recipe: RECIPE },
};

class DivergedError extends Error {
  override name = "DivergedError";
}

/** Lr 1 diverges; else 0.5, more with depth and repeat. */
const objective: TrainTrial = async ({ params, repeat, seed }, context) => {
  const { depth, lr } = params as { depth: number; lr: number };
  await context.report({ epoch: 1, value: 0.25, attrs: { trainLoss: 2 } });
  writeFileSync(join(context.checkpointDir, "weights"), "w".repeat(1500));
  if (lr === 1) throw new DivergedError("the loss is NaN: lower lr");
  await context.report({ epoch: 2, value: 0.5, attrs: { trainLoss: 1 } });
  return {
    value: 0.5 + depth / 100 + repeat / 50,
    attrs: {
      recipe: { ...RECIPE, depth, lr, seed },
      ...{ data: "synthetic", dataHash: "5f2c", correct: 54, total: 100 },
      predictionsHash: `p${depth}${repeat}`,
    },
  };
};

const test = {
  folder: folderTest,
  /** In a folder whose results/a holds the search, run to its end. */
  recorded: testsWith<{ cwd: string; dir: string }>((work) =>
    inFolder(async (cwd) => {
      const dir = join(cwd, "results", "a");
      await runStudy(SEARCH, objective, { dir });
      await work({ cwd, dir });
    })
  ),
};

/** Every file below a folder with its content's hash. */
function contents(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name)).sort()
    .map((file) =>
      `${file} ${createHash("md5").update(readFileSync(file)).digest("hex")}`
    );
}

const oneLine = (text: string) =>
  assert.equal(text.trimEnd().split("\n").length, 1, text);

test.recorded("list and show tell what is on record, and leave it as it is", async ({ cwd, dir }) => {
  const before = contents(cwd);
  const [list, show, json] = await Promise.all([
    study(cwd, "list"),
    study(cwd, "show", "lr-search"),
    study(cwd, "show", "lr-search", "--json", "--dir", dir),
  ]);
  assert.deepEqual([list.code, show.code, json.code], [0, 0, 0], show.err);
  assert.match(
    list.out,
    /^results\/a\/records\.sqlite\nstudy +complete +failed +best +last activity\nlr-search +4 +4 +55\.0 % +\d{4}-\d\d-\d\d \d\d:\d\dZ\n$/,
  );
  const [head, table] = show.out.split("\n\n");
  assert.deepEqual(head.split("\n").slice(0, -1), [
    "study       lr-search",
    "record      results/a/records.sqlite",
    "metric      test accuracy, maximize",
    "parameters  depth: 2, 4 (scientific)",
    "            lr: 1e-3, 1 (nuisance)",
    "search      grid",
    "repeats     2",
    "fixed       data synthetic, recipe (3 settings)",
    "progress    8 points: 4 complete, 4 failed",
    "best        depth 4, lr 1e-3: 55.0 % (mean of 2: 54.0 %, 56.0 %)",
  ]);
  const rows = table.trimEnd().split("\n").map((l) => l.trim().split(/  +/));
  assert.deepEqual(rows[0], [
    ...["trial", "state", "depth", "lr", "repeat", "value", "epochs"],
    ...["seconds", "reason"],
  ]);
  assert.deepEqual(rows[1].slice(0, 7), [
    ...["0", "COMPLETE", "2", "1e-3", "0", "52.0 %", "2"],
  ]);
  assert.equal(rows[2].at(-1), "diverged: the loss is NaN: lower lr");
  assert.equal(rows.length, 9);
  assert.equal(
    show.err,
    "warning: trials 1, 3, 5, 7 failed: diverged: the loss is NaN: lower lr\n",
  );
  const told = JSON.parse(json.out);
  assert.equal(told.progress.total, 8);
  assert.deepEqual(told.best.values, [0.54, 0.56]);
  assert.equal(told.trials[0].epochs[1].trainLoss, 1);
  assert.deepEqual(told.failed[0].number, 1);
  assert.deepEqual(contents(cwd), before);
});

test.folder("run's exit code tells of failures, and what always fails is left", async (cwd) => {
  const module = (x: number) =>
    `export const study = { name: "odd", parameters: { x: [1, ${x}] } };
      export default async ({ params }) => {
        if (params.x === 2) throw new Error("no such image");
        return { value: params.x };
      };`;
  await Deno.writeTextFile(join(cwd, "odd.ts"), module(2));
  await Deno.writeTextFile(join(cwd, "good.ts"), module(3));
  await Deno.writeTextFile(
    join(cwd, "getter.ts"),
    module(3).replace("name:", 'get fixed() { throw "a\\nb" }, name:'),
  );
  const codes: number[] = [];
  const said: string[] = [];
  for (let n = 0; n < 5; n++) {
    const { code, out, err } = await study(cwd, "run", "odd.ts");
    assert.equal(out, "1 of 2 trials complete, 1 failed\n");
    codes.push(code);
    said.push(err);
  }
  assert.deepEqual(codes, [1, 1, 1, 1, 1]);
  const left =
    /one point has failed 4 times and is left: \{"x":2\}, repeat 0 \(trial 4\)/;
  assert.deepEqual(said.map((err) => left.test(err)), [
    ...[false, false, false, true, true],
  ]);
  const dir = join(cwd, "runs", "studies", "odd");
  const trials = async () => (await trialsIn(dir, "odd")).length;
  assert.equal(await trials(), 5, "one try and three again");
  const [allowed, more, complete, none] = await Promise.all([
    study(cwd, "run", "odd.ts", "--allow-failures"),
    study(cwd, "run", "odd.ts", "--retries", "0", "--dir", "other"),
    study(cwd, "run", "good.ts", "--dir", "good"),
    study(cwd, "run", "nowhere.json"),
  ]);
  assert.deepEqual(
    [allowed.code, more.code, complete.code, none.code],
    [0, 1, 0, 2],
  );
  assert.match(more.err, /has failed once and is left/);
  const getter = await study(cwd, "run", "getter.ts");
  assertRefused(getter, 2, /getter\.ts: cannot be read: a b$/m);
  oneLine(none.err);
  assert.equal((await study(cwd, "retry", "odd", "--dir", dir)).code, 0);
  assert.equal((await study(cwd, "run", "odd.ts")).code, 1);
  assert.equal(await trials(), 6, "retry asks for one more");
});

test.folder("show says which settings lack repeats, and counts the present plan", async (cwd) => {
  const dir = join(cwd, "results", "a");
  const tpe = (points: number, repeats: number): StudyInput => ({
    name: "few",
    parameters: { lr: { low: 0.01, high: 1 } },
    search: { kind: "tpe", points },
    repeats,
  });
  const good: TrainTrial = ({ repeat, params }) =>
    repeat === 1 && Number(params.lr) > 0.3
      ? Promise.reject(new DivergedError("the loss is NaN"))
      : Promise.resolve({ value: Number(params.lr) });
  await runStudy(tpe(6, 2), good, { dir });
  const { out } = await study(cwd, "show", "few");
  assert.match(out, /^progress +12 points: /m);
  assert.match(
    out,
    /^ +left out, with fewer repeats complete: lr \S+ \(1 of 2\)/m,
  );
  await runStudy(tpe(4, 1), good, { dir });
  const present = await study(cwd, "show", "few");
  assert.match(present.out, /^progress +4 points: 4 complete$/m);
});

test.recorded("one trial is shown with its recipe, hashes, machine and epochs", async ({ cwd }) => {
  const [{ code, out }, named, both] = await Promise.all([
    study(cwd, "show", "lr-search", "--trial", "6"),
    study(cwd, "show", "lr-search#6"),
    study(cwd, "show", "lr-search#6", "--trial", "5"),
  ]);
  assert.equal(code, 0);
  assert.equal(named.out, out);
  assert.equal(both.code, 2);
  assert.match(both.err, /lr-search#6 and --trial 5 are two trials/);
  for (
    const fact of [
      /^trial +6 of lr-search$/m,
      /^parameters +depth 4, lr 1e-3$/m,
      /^repeat +1$/m,
      /^value +56\.0 % \(test accuracy\)$/m,
      /^dataHash +5f2c$/m,
      /^recipe\n {2}epochs +2\n {2}batchSize +64$/m,
      /^ {2}code +[0-9a-f]{16}$/m,
      /^ {2}cpu +\S/m,
      /^epoch +value +trainLoss\n +1 +0\.25 +2\n +2 +0\.5 +1$/m,
    ]
  ) assert.match(out, fact);
});

test.recorded("a name that is not there is one line with the close ones", async ({ cwd, dir }) => {
  const before = contents(cwd);
  const [close, far, none, trial] = await Promise.all([
    study(cwd, "show", "lr-serach"),
    study(cwd, "show", "something".repeat(1000), "--dir", dir),
    study(cwd, "show", "lr-search", "--dir", "elsewhere"),
    study(cwd, "show", "lr-search#8"),
  ]);
  assert.equal(
    close.err,
    'study: no study "lr-serach" in results/a/records.sqlite; ' +
      'did you mean "lr-search"?\n',
  );
  assert.match(
    far.err,
    /^study: no study "\w{99}…" in .*; `deno task study list` shows/,
  );
  assert.equal(
    none.err,
    "study: elsewhere/records.sqlite: there are no records here\n",
  );
  assert.match(trial.err, /has no trial 8: they are 0 to 7/);
  for (const run of [close, far, none, trial]) {
    assert.equal(run.code, 2);
    assert.equal(run.out, "");
    oneLine(run.err);
  }
  assert.deepEqual(contents(cwd), before);
});

test.folder("a name that looks like a trial's or a place's, and values that look alike", async (cwd) => {
  const dir = join(cwd, "runs", "a");
  await Deno.mkdir(join(cwd, "data"));
  const parameters = { x: [1, "1"] };
  for (const name of ["run#3", "data:x"]) {
    await runStudy(
      { name, parameters },
      () => Promise.resolve({ value: 1 }),
      { dir },
    );
  }
  const [whole, trial, place, both] = await Promise.all([
    study(cwd, "show", "run#3"),
    study(cwd, "show", "run#3#1"),
    study(cwd, "show", "runs/a:data:x"),
    study(cwd, "compare", "data:x#0", "data:x#1"),
  ]);
  assert.match(whole.out, /^study +run#3$[^]*x: 1, "1" \(scientific\)/m);
  assert.match(trial.out, /^trial +1 of run#3$[^]*^parameters +x "1"$/m);
  assert.match(place.out, /^study +data:x$/m);
  assert.match(both.out, /^params\.x +1 +"1"$/m);
});

test.recorded("a name in two records is refused until one is said", async ({ cwd, dir }) => {
  const other = join(cwd, "results", "b");
  const lone = { ...SEARCH, repeats: 1, fixed: { data: "fer2013" } };
  await runStudy(lone, objective, { dir: other });
  const [both, one, compared] = await Promise.all([
    study(cwd, "show", "lr-search"),
    study(cwd, "show", "results/b:lr-search"),
    study(cwd, "compare", "results/a:lr-search", `${other}:lr-search`),
  ]);
  assert.equal(both.code, 2);
  assert.equal(
    both.err,
    'study: "lr-search" is in 2 records; say which: ' +
      "results/a:lr-search or results/b:lr-search\n",
  );
  assert.match(one.out, /^record +results\/b\/records.sqlite$/m);
  const [settings, , means] = compared.out.split("\n\n");
  assert.deepEqual(
    settings.split("\n").slice(1).map((l) => l.split(/  +/)),
    [
      ["repeats", "2", "1"],
      ["fixed.data", "synthetic", "fer2013"],
      ["fixed.recipe", JSON.stringify(RECIPE), "–"],
    ],
  );
  assert.match(means, /^depth 4, lr 1e-3 +55\.0 % +2 +54\.0 % +1 +-1\.0 %$/m);
  assert.equal((await study(cwd, "list", "--dir", dir)).code, 0);
});

test.recorded("of several records of a name the last is taken, @key takes another", async ({ cwd, dir }) => {
  const fixed = { data: "synthetic", recipe: { ...RECIPE, batchSize: 32 } };
  await runStudy({ ...SEARCH, fixed }, objective, { dir });
  const list = await study(cwd, "list", "--json");
  const [first, last] = JSON.parse(list.out).studies
    .map((s: { name: string }) => s.name) as string[];
  assert.match(first, /^lr-search@[0-9a-f]{8}$/);
  const [plain, older, compared] = await Promise.all([
    study(cwd, "show", "lr-search", "--json"),
    study(cwd, "show", first, "--json"),
    study(cwd, "compare", first, last),
  ]);
  assert.equal(JSON.parse(plain.out).name, last);
  assert.equal(
    plain.err,
    `${last} is the last of 2 records of this name with different fixed ` +
      `settings; the others: ${first}\n`,
  );
  assert.equal(JSON.parse(older.out).name, first);
  assert.equal(older.err, "");
  assert.match(compared.out, /^fixed\.recipe\.batchSize +64 +32$/m);
});

test.recorded("trials are compared with their defaults, equal ones are called so", async ({ cwd }) => {
  const [differ, failed, same, mixed] = await Promise.all([
    study(cwd, "compare", "lr-search#0", "lr-search#6", "--json"),
    study(cwd, "compare", "lr-search#0", "lr-search#1"),
    study(cwd, "compare", "lr-search#2", "lr-search#2"),
    study(cwd, "compare", "lr-search#2", "lr-search"),
  ]);
  const told = JSON.parse(differ.out);
  assert.deepEqual(
    told.differences.map((d: { path: string }) => d.path),
    ["repeat", "seed", "recipe.depth"],
  );
  assert.deepEqual([told.a.value, told.b.value], [0.52, 0.56]);
  assert.equal(told.b.predictionsHash, "p41");
  // A failed trial recorded no recipe: its study and parameters tell it.
  assert.match(failed.out, /^recipe\.lr +1e-3 +1$/m);
  assert.doesNotMatch(failed.out, /erasing|batchSize/);
  assert.match(failed.out, /^reason +– +diverged: the loss is NaN/m);
  assert.match(same.out, /^all settings are the same\n/);
  assert.deepEqual([differ.code, failed.code, same.code, mixed.code], [
    ...[0, 0, 0, 2],
  ]);
  oneLine(mixed.err);
});

test.recorded("retried trials wait, and the next run gives them a result", async ({ cwd, dir }) => {
  const one = await study(cwd, "retry", "lr-search", "3");
  assert.equal(
    one.out,
    '1 trial of "lr-search" waits again (3); the next run starts it\n',
  );
  const all = await study(cwd, "retry", "lr-search");
  assert.match(all.out, /^3 trials of "lr-search" wait again \(1, 5, 7\)/);
  const [none, again, good] = await Promise.all([
    study(cwd, "retry", "lr-search"),
    study(cwd, "retry", "lr-search", "1"),
    study(cwd, "retry", "lr-search", "0"),
  ]);
  assert.match(none.out, /^no trial .* has failed without a result/);
  assert.match(again.err, /trial 1 .* goes on in trial 9, which is WAITING/);
  assert.match(good.err, /trial 0 of "lr-search" is COMPLETE, not FAIL/);
  assert.deepEqual([none.code, again.code, good.code], [0, 2, 2]);
  const mended: TrainTrial = () => Promise.resolve({ value: 0.25 });
  const { ran, failed } = await runStudy(SEARCH, mended, { dir });
  assert.deepEqual({ ran, failed }, { ran: 4, failed: 0 });
  const [show, trial] = await Promise.all([
    study(cwd, "show", "lr-search"),
    study(cwd, "show", "lr-search", "--trial", "8"),
  ]);
  assert.equal(show.err, "");
  assert.match(show.out, /progress +8 points: 8 complete$/m);
  assert.match(trial.out, /^goes on from +trials 3$/m);
});

test.recorded("waiting and running trials are pruned by hand", async ({ cwd, dir }) => {
  await study(cwd, "retry", "lr-search", "1", "3");
  const store = await openStore(join(dir, "records.sqlite"));
  try {
    const [{ studyId }] = await store.studies();
    const claim = await store.claim(studyId);
    assert.equal(claim?.number, 8);
    const run = await study(cwd, "prune", "lr-search", "8", "9");
    assert.equal(
      run.out,
      "trial 8 is pruned; its process stops at its next epoch\n" +
        "trial 9 is pruned and will not be started\n",
    );
    await assert.rejects(
      store.report(claim!.trialId, [{ epoch: 2, value: 0.5 }]),
      LostTrialError,
    );
    const states = (await store.trials(studyId)).slice(8)
      .map((t) => [t.state, t.attrs.prune_reason]);
    assert.deepEqual(states, [
      ["PRUNED", "ended by hand"],
      ["PRUNED", "ended by hand"],
    ]);
  } finally {
    await store.close();
  }
  const done = await study(cwd, "prune", "lr-search", "0");
  assert.equal(done.code, 2);
  assert.match(done.err, /trial 0 of "lr-search" is COMPLETE: only waiting/);
  const { ran } = await runStudy(SEARCH, objective, { dir });
  assert.equal(ran, 0);
});

test.recorded("checkpoints of finished points go, those to go on from stay", async ({ cwd, dir }) => {
  await study(cwd, "retry", "lr-search", "7");
  const before = readdirSync(join(dir, "checkpoints"));
  const run = await study(cwd, "prune", "lr-search", "--checkpoints");
  assert.equal(
    run.out,
    'removed the checkpoints of 7 finished points of "lr-search": 10.5 kB\n',
  );
  assert.equal(before.length, 8);
  assert.equal(readdirSync(join(dir, "checkpoints")).length, 1);
  const again = await study(cwd, "prune", "lr-search", "--checkpoints");
  assert.match(again.out, /^no finished trial of "lr-search" has checkpoints/);
});

test.recorded("delete takes a study's trials and files, and no other's", async ({ cwd, dir }) => {
  const other = { ...SEARCH, name: "other", repeats: 1 };
  await runStudy(other, objective, { dir });
  const asked = await study(cwd, "delete", "lr-search");
  assert.equal(asked.code, 2);
  oneLine(asked.err);
  const run = await study(cwd, "delete", "lr-search", "--yes");
  assert.match(
    run.out,
    /^deleted "lr-search" in results\/a\/records\.sqlite with 8 trials, their checkpoints and logs \([\d.]+ kB\)\n$/,
  );
  const left = JSON.parse((await study(cwd, "list", "--json")).out).studies;
  assert.deepEqual(
    left.map((s: { name: string; trials: unknown }) => [s.name, s.trials]),
    [["other", {
      ...{ WAITING: 0, RUNNING: 0, COMPLETE: 2, FAIL: 2, PRUNED: 0 },
    }]],
  );
  for (const folder of ["checkpoints", "logs"]) {
    assert.equal(readdirSync(join(dir, folder)).length, 4);
  }
});

test.folder("every command has a help with an example, and wrong use is code 2", async (cwd) => {
  const names = ["list", "show", "compare", "retry", "prune", "delete"];
  const helps = await Promise.all(
    names.map((name) => study(cwd, name, "--help")),
  );
  for (const help of helps) {
    assert.equal(help.code, 0);
    assert.match(help.out, /\nExamples?:\n {2}deno task study /);
  }
  const wrong: Record<string, RegExp> = {
    "lst": /./,
    "show": /./,
    "list --bogus": /./,
    "list --jsn": /'--jsn' \(Did you mean --json\?\)/,
    "run a.ipynb": /a\.ipynb is a notebook: `deno task study NAME`/,
    "import none.csv --study a": /./,
    "retry lr-search first": /./,
    "prune lr-search": /./,
    "--jobs 0": /./,
    "claims no-such-folder": /./,
    "export lr-search -o a.xls": /./,
    "run a.json --heartbeat 9 --grace 9": /./,
  };
  await Promise.all(
    Object.entries(wrong).map(async ([args, message]) => {
      const ended = await study(cwd, ...args.split(" "));
      assertRefused(ended, 2, message);
      assert.equal(ended.out, "");
    }),
  );
  const empty = await study(cwd, "list");
  assert.deepEqual([empty.code, empty.out], [0, ""]);
  assert.match(empty.err, /^no study is on record here/);
  assert.deepEqual(readdirSync(cwd), []);
});
