// Trials of other tools taken into a study.
import assert from "node:assert/strict";
import { join } from "node:path";
import { numberOf, readCsv } from "../../lib/study/exchange/csv.ts";
import {
  type ImportedTrial,
  importTrials,
} from "../../lib/study/exchange/import_trials.ts";
import { readStored } from "../../lib/study/exchange/optuna.ts";
import { recordsPath, runStudy } from "../../lib/study/runner.ts";
import { openStore, type Store } from "../../lib/study/store/mod.ts";
import {
  readRuns,
  type RunColumns,
  runColumns,
} from "../../lib/study/exchange/wandb.ts";
import { addHistory } from "../../lib/study/exchange/wandb_history.ts";
import { folderTest, inFolder, testsWith } from "../_folder.ts";

const FIXTURES = join(import.meta.dirname!, "..", "fixtures", "wandb");

const text = (name: string) => Deno.readTextFile(join(FIXTURES, name));
const table = (text: string, file = "runs.csv") =>
  readCsv(new TextEncoder().encode(text), file);

/** The trials of a table of runs, columns guessed where not given. */
function source(runs: string, given: Partial<RunColumns> = {}) {
  const { notes, ...columns } = runColumns(table(runs), given);
  return { guesses: notes, ...readRuns(table(runs), columns) };
}

const GIVEN: Partial<RunColumns> = {
  params: ["lr"],
  value: "acc",
  direction: "maximize",
};

const refuses = (runs: string, message: RegExp, given = GIVEN) =>
  assert.throws(() => source(runs, given), message);

const inStore = (work: (store: Store) => Promise<void>) =>
  inFolder(async (folder) => {
    const store = await openStore(join(folder, "records.sqlite"));
    try {
      await work(store);
    } finally {
      await store.close();
    }
  });

const test = { folder: folderTest, store: testsWith(inStore) };

async function trialsOf(store: Store, name: string) {
  const study = (await store.studies()).find((s) => s.name === name);
  return study ? await store.trials(study.studyId) : [];
}

Deno.test("a table of runs becomes trials: states, values, settings, times", async () => {
  const { trials, notes, distributions } = source(await text("runs.csv"));
  const brief = trials.map((
    { params, seed, outcome: { attrs: _, ...outcome } },
  ) => ({ params, seed, ...outcome }));
  const fail = (kind: string, reason: string) => ({
    state: "FAIL",
    kind,
    reason,
  });
  assert.deepEqual(brief, [
    {
      params: { depth: 4, lr: 1e-4 },
      seed: 1,
      state: "COMPLETE",
      value: 0.6125,
    },
    {
      params: { depth: 8, lr: 1e-5 },
      seed: 0,
      ...fail("crashed", "crashed in W&B"),
    },
    {
      params: { depth: 8, lr: 0.1 },
      seed: 0,
      ...fail("diverged", "val_acc is NaN"),
    },
    { params: { depth: 4, lr: 1e-4 }, seed: 0, state: "COMPLETE", value: 0.6 },
    {
      params: { depth: 4, lr: 1e-5 },
      seed: 0,
      ...fail("interrupted", "killed in W&B"),
    },
  ]);
  assert.deepEqual(notes, ["left out, still running: glad-river-6"]);
  assert.deepEqual(trials[0].start, new Date("2025-11-13T10:48:11Z"));
  assert.deepEqual(trials[0].complete, new Date("2025-11-13T11:08:15.500Z"));
  assert.equal(distributions.depth.name, "IntDistribution");
  assert.deepEqual(distributions.lr, {
    name: "FloatDistribution",
    attributes: { step: null, low: 1e-5, high: 0.1, log: true },
  });
});

Deno.test("all other cells become attributes, typed by their columns", async () => {
  const { trials } = source(await text("runs.csv"));
  assert.deepEqual(trials[0].outcome.attrs, {
    Name: "fresh-fog-5",
    Notes: 'second try,\nwith "warm-up"',
    User: "mia",
    Tags: "lr, warm",
    batch_size: 64,
    "mixing.alpha": 0.2,
    optimizer: "adam",
    _step: 1170,
    epoch: 3,
    train_acc: 0.62,
    train_loss: 1.02,
    val_loss: 1.11,
  });
  // Of a run that failed the last value is kept too.
  assert.equal(trials[4].outcome.attrs?.val_acc, 0.25);
});

Deno.test("guessed columns are told, and those that cannot be guessed asked for", async () => {
  const runs = await text("runs.csv");
  assert.deepEqual(source(runs).guesses, [
    "the value is val_acc; --value names another column",
    // mixing.alpha has one value and a blank cell, which is no value.
    "parameters are the settings that vary: depth, lr; --param names others",
    "val_acc is to maximize; --direction says otherwise",
  ]);
  const loss = source(runs, { value: "val_loss", params: ["lr"] });
  assert.deepEqual(loss.guesses, [
    "val_loss is to minimize; --direction says otherwise",
  ]);
  refuses(
    "Name,lr,depth,test_acc,val_acc\na,1,2,3,4\n",
    /^StudyError: runs\.csv: which column is the result\? Name it with --value: test_acc, val_acc$/,
    {},
  );
  refuses(
    "Name,lr,depth,a,val_acc\na,1,2,3,4\n",
    /^StudyError: runs\.csv: which columns are parameters\? Name them with --param: lr, depth, a, val_acc$/,
    {},
  );
  refuses(
    "Name,lr,acc\na,1,2\n",
    /^StudyError: runs\.csv: no column "lrr": it has Name, lr, acc$/,
    { params: ["lrr"] },
  );
  refuses(
    "Name,lr,acc\na,1,2\n",
    /^StudyError: runs\.csv: acc is a parameter and the result: give one/,
    { params: ["acc"], value: "acc" },
  );
});

Deno.test("cells are read as what they are", () => {
  const numbers = {
    ...{ "1,234,567.5": 1234567.5, "1e-05": 1e-5, "-.5": -0.5, "0.10": 0.1 },
    ...{ NaN: NaN, Infinity: Infinity, "-inf": -Infinity, "0": 0 },
    ...{ "9007199254740991": 9007199254740991 },
  };
  for (const [cell, value] of Object.entries(numbers)) {
    assert.equal(numberOf(cell), value, cell);
  }
  const texts = ["", "1,23", "007", "9007199254740993", "0x10", "1 2", "5%"];
  for (const cell of texts) assert.equal(numberOf(cell), undefined, cell);
});

Deno.test("a parameter's column is numbers, Booleans or text as a whole", () => {
  const { trials, distributions } = source(
    "lr,flip,aug,acc\n1,true,auto,1\n,false,2,1\n2,True,,1\n",
    { ...GIVEN, params: ["lr", "flip", "aug"] },
  );
  assert.deepEqual(trials.map((t) => t.params), [
    { lr: 1, flip: true, aug: "auto" },
    { flip: false, aug: "2" },
    { lr: 2, flip: true },
  ]);
  assert.deepEqual(distributions.aug, {
    name: "CategoricalDistribution",
    attributes: { choices: ["auto", "2"] },
  });
});

Deno.test("a byte-order mark, CRLF and text without quotes are read", () => {
  const { trials } = source(
    '\ufeffName,Notes,lr,acc\r\na,"x\r\ny",0.1,0.5\r\n\r\nb,,0.2,0.25\r\n',
    GIVEN,
  );
  assert.deepEqual(trials.map((t) => t.params), [{ lr: 0.1 }, { lr: 0.2 }]);
  assert.equal(trials[0].outcome.attrs?.Name, "a");
  assert.equal(trials[0].outcome.attrs?.Notes, "x\ny");
});

Deno.test("a first line that says the separator is no header", () => {
  for (
    const [said, mark] of [
      ["sep=;", ";"],
      ['"sep=;"', ";"],
      ["sep=;;;", ";"],
      ["SEP=,", ","],
      ["sep=\t", "\t"],
      ["sep=\\t", "\t"],
      ["sep=|", "|"],
    ]
  ) {
    const rows = ["Name,lr,acc", "a,0.1,0.5"].map((r) =>
      r.replaceAll(",", mark)
    );
    const text = ["\ufeff" + said, ...rows, "b"].join("\r\n");
    refuses(text, /^StudyError: runs\.csv: line 4: has 1 cells/);
    const { trials } = source(text.replace(/b$/, ""), GIVEN);
    assert.deepEqual(trials.map((t) => t.params), [{ lr: 0.1 }], said);
  }
});

Deno.test("of two columns of one name, a setting and a result, both are kept", () => {
  const { trials } = source("Name,lr,acc,lr\na,0.1,0.5,0\n", GIVEN);
  assert.deepEqual(trials[0].params, { lr: 0.1 });
  assert.equal(trials[0].outcome.attrs?.["lr.1"], 0);
  const { columns, rows } = table("lr,lr,lr.1,lr,lr.1\n1,2,3,4,5\n");
  assert.deepEqual(columns, ["lr", "lr.2", "lr.1", "lr.3", "lr.1.1"]);
  assert.deepEqual(Object.values(rows[0].cells), ["1", "2", "3", "4", "5"]);
});

Deno.test("bad rows are named by their lines", () => {
  const head = "Name,State,Created,Runtime,Notes,lr,acc\r\n";
  refuses(
    head + 'a,finished,2025-01-01T00:00:00Z,1,"two\r\nlines",1,0.5\r\n' +
      "b,finished,2025-01-01T00:00:00Z,1,,1,high\r\n" +
      "c,done,2025-01-01T00:00:00Z,1,,1,0.5\r\n\r\n" +
      "d,finished,yesterday,1,,1,0.5\r\n" +
      "e,finished,2025-01-01T00:00:00Z,1h,,1,0.5\r\n",
    /^StudyError: runs\.csv: line 4: acc is "high", not a number; line 5: State is "done", known are finished, .*; line 7: Created is "yesterday", not a time as 2026-01-31T12:00Z; and 1 more bad rows: nothing was imported$/,
  );
  refuses(
    head + "a,finished,,,,NaN,0.5\n",
    /^StudyError: runs\.csv: line 2: lr is NaN, not a finite number: /,
  );
  refuses(
    head + "a,finished,2025-01-01,1h,,1,0.5\n",
    /line 2: Runtime is "1h", not in seconds: /,
  );
  refuses(
    head + "a,finished,2025-01-01,1e300,,1,0.5\n",
    /line 2: Runtime is "1e300", not in seconds: /,
  );
  refuses(
    head + "a,finished,01/02/2025 10:00,1,,1,0.5\n",
    /line 2: Created is "01\/02\/2025 10:00", not a time as /,
  );
  refuses(
    "lr,acc\n1,0.5\n2\n",
    /^StudyError: runs\.csv: line 3: has 1 cells, the header has 2: /,
  );
  refuses(
    'lr,acc\n1,"0.5\n',
    /^StudyError: runs\.csv: is not CSV \(Quote Not Closed.*\): give a table /,
  );
  refuses("lr,acc\n", /^StudyError: runs\.csv: has no rows/);
  assert.throws(
    () => readCsv(Uint8Array.of(0xff, 0xfe, 0x41, 0), "a.csv"),
    /^StudyError: a\.csv: is not UTF-8 text/,
  );
});

test.store("importing a file again adds nothing, a longer one what is new", async (store) => {
  const runs = await text("runs.csv");
  const first = await importTrials(store, "lr", source(runs));
  assert.deepEqual([first.added, first.known], [5, 0]);
  assert.equal(first.study.direction, "maximize");
  assert.equal(first.study.metric, "val_acc");
  const before = await trialsOf(store, "lr");
  const sorted = table(runs);
  sorted.rows.reverse();
  const again = await importTrials(store, "lr", {
    ...readRuns(sorted, {
      ...{ params: ["lr", "depth"], value: "val_acc", direction: "maximize" },
    }),
  });
  assert.deepEqual([again.added, again.known], [0, 5]);
  assert.deepEqual(await trialsOf(store, "lr"), before);

  const ended = runs.replace('"running"', '"finished"')
    .replace('"64","4","0.0001"', '"64","12","0.0001"');
  const more = await importTrials(store, "lr", source(ended));
  assert.deepEqual([more.added, more.known], [1, 5]);
  const trials = await trialsOf(store, "lr");
  assert.equal(trials[5].attrs.Name, "glad-river-6");
  // A range is the same in all trials of a study.
  const depths = trials.map((t) => t.distributions.depth.attributes);
  for (const depth of depths) assert.deepEqual(depth, depths[5]);
  assert.equal((depths[5] as { high: number }).high, 12);
});

test.store("runs of one setting are its repeats, with their seeds", async (store) => {
  await importTrials(store, "lr", source(await text("runs.csv")));
  const seen = (await trialsOf(store, "lr")).map((t) => [
    t.params.lr,
    t.attrs.repeat,
    t.attrs.seed,
  ]);
  assert.deepEqual(seen, [
    [1e-4, 0, 1],
    [1e-5, 0, 0],
    [0.1, 0, 0],
    [1e-4, 1, 0],
    [1e-5, 0, 0],
  ]);
  const other = source("Name,Created,lr,acc\nx,2025-01-01,1e-4,0.5\n", GIVEN);
  await importTrials(store, "other", other);
  await importTrials(
    store,
    "other",
    source("Name,Created,lr,acc\ny,2025-01-01,1e-4,0.25\n", GIVEN),
  );
  const later = await trialsOf(store, "other");
  assert.deepEqual(later.map((t) => t.attrs.repeat), [0, 1]);
  assert.deepEqual(later.map((t) => t.attrs.seed), [null, null]);
});

Deno.test("charts become the epochs of their runs", async () => {
  const runs = source(await text("runs.csv"));
  const charts = [
    table(await text("val_acc.csv"), "val_acc.csv"),
    table(await text("val_loss.csv"), "val_loss.csv"),
  ];
  addHistory(runs, charts);
  const [fog, lake, moon, hill, sun] = runs.trials.map((t) => t.epochs);
  assert.deepEqual(fog, [
    { epoch: 390, value: 0.4, attrs: { val_acc: 0.4, val_loss: 1.6 } },
    { epoch: 400, value: NaN, attrs: { val_loss: 1.59 } },
    { epoch: 780, value: 0.55, attrs: { val_acc: 0.55 } },
    { epoch: 1170, value: 0.6125, attrs: { val_acc: 0.6125, val_loss: 1.11 } },
  ]);
  assert.deepEqual(lake, []);
  assert.deepEqual(moon.map((e) => e.value), [0.2, NaN, NaN]);
  assert.deepEqual(hill.map((e) => e.value), [0.38, 0.52, 0.6]);
  assert.deepEqual(sun.map((e) => e.epoch), [390]);
  assert.ok(runs.notes.includes(
    "left out, val_acc.csv has no imported run for: glad-river-6 - val_acc",
  ));
});

Deno.test("a chart that does not fit its runs is refused", () => {
  const runs = () =>
    source(
      "Name,Created,lr,acc\nx,2025-01-01,1,0.5\nx,2025-01-02,1,1\n",
      GIVEN,
    );
  const refused = (chart: string, message: RegExp) =>
    assert.throws(
      () => addHistory(runs(), [table(chart, "chart.csv")]),
      message,
    );
  refused(
    "Step,x - acc\n1,1\n",
    /^StudyError: two runs are called x: rename one/,
  );
  refused(
    "Step,z - acc\n1,1\n",
    /^StudyError: chart\.csv: no column is called RUN - METRIC after one of the runs x/,
  );
  refused(
    "Relative Time,x - acc\n0.5,1\n",
    /^StudyError: chart\.csv: line 2: Relative Time is "0\.5", not a whole number: give the chart Step/,
  );
  refused(
    "Step,x - acc\n1,1\n2,abc\n",
    /^StudyError: chart\.csv: line 3: x - acc is "abc", not a number/,
  );
});

test.store("trials that do not fit a study are refused before one is written", async (store) => {
  const numbers = source("Name,Created,lr,acc\nx,2025-01-01,0.1,1\n", GIVEN);
  await importTrials(store, "lr", numbers);
  const before = await trialsOf(store, "lr");
  await assert.rejects(
    importTrials(
      store,
      "lr",
      source("Name,Created,lr,acc\ny,2025-01-01,auto,1\n", GIVEN),
    ),
    /^StudyError: .*lr: "auto" does not fit the FloatDistribution/,
  );
  await assert.rejects(
    importTrials(store, "lr", { ...numbers, direction: "minimize" }),
    /^StudyError: study "lr" in .*records\.sqlite is to maximize its acc, these trials minimize acc: /,
  );
  await assert.rejects(
    importTrials(store, "new", { ...numbers, trials: [] }),
    /^StudyError: nothing to import: no trial has ended$/,
  );
  assert.deepEqual(await trialsOf(store, "lr"), before);
  assert.deepEqual((await store.studies()).map((s) => s.name), ["lr"]);
});

test.folder("records of another machine count as done in a study of ours", async (folder) => {
  const run = (machine: string, values: number[], epochs: number) =>
    runStudy(
      { name: "lr", parameters: { lr: values }, fixed: { epochs } },
      ({ params }) => Promise.resolve({ value: Number(params.lr) }),
      { dir: join(folder, machine) },
    );
  const records = (machine: string) => recordsPath(join(folder, machine));
  await run("a", [0.1, 0.01], 5);
  await run("b", [0.01, 0.001], 5);
  await run("c", [0.1], 10);
  const ours = await openStore(records("a"));
  for (const [machine, added, name] of [["b", 1, "lr"], ["c", 1, "lr@"]]) {
    const theirs = await openStore(records(String(machine)));
    const taken = await importTrials(ours, "lr", await readStored(theirs));
    await theirs.close();
    assert.equal(taken.added, added);
    // Other fixed settings are another record of the name.
    assert.ok(taken.study.name.startsWith(String(name)), taken.study.name);
    assert.equal(taken.study.name === "lr", machine === "b");
  }
  await ours.close();
  assert.equal((await run("a", [0.1, 0.01, 0.001], 5)).ran, 0);
  assert.equal((await run("a", [0.1], 10)).ran, 0);
});

const comparable = ({ key: _, ...trial }: ImportedTrial) => trial;

test.store("a copied study is equal to the one that it was copied from", async (from) => {
  const charts = [table(await text("val_acc.csv"), "val_acc.csv")];
  const runs = source(await text("runs.csv"));
  addHistory(runs, charts);
  await importTrials(from, "lr", runs);
  await inStore(async (to) => {
    const first = await importTrials(to, "copy", await readStored(from));
    assert.deepEqual([first.added, first.known], [5, 0]);
    const copy = await readStored(to, "copy");
    const original = await readStored(from, "lr");
    assert.deepEqual(
      copy.trials.map(comparable),
      original.trials.map(comparable),
    );
    assert.deepEqual(copy.distributions, original.distributions);
    assert.equal(copy.metric, "val_acc");
    const again = await importTrials(to, "copy", await readStored(from));
    assert.deepEqual([again.added, again.known], [0, 5]);
    // Also by the way that the trials did not come.
    const direct = await importTrials(to, "copy", runs);
    assert.deepEqual([direct.added, direct.known], [0, 5]);
  });
  const itself = await importTrials(from, "lr", await readStored(from));
  assert.deepEqual([itself.added, itself.known], [0, 5]);
  await assert.rejects(
    readStored(from, "lrr"),
    /^StudyError: .*records\.sqlite: no study "lrr": it has "lr"$/,
  );
});

const TWICE: [what: string, table: (acc: number) => string][] = [
  ["with an id", (acc) => `ID,Name,lr,acc\nr1,a,0.1,${acc}\nr2,b,0.2,0.5\n`],
  [
    "by name and time",
    (acc) =>
      `Name,Created,lr,acc\na,2024-01-02T03:04:05Z,0.1,${acc}\n` +
      `b,2024-01-02T03:05:05Z,0.2,0.5\n`,
  ],
  ["by name alone", (acc) => `Name,lr,acc\na,0.1,${acc}\nb,0.2,0.5\n`],
  ["by its setting alone", (acc) => `lr,acc\n0.1,${acc}\n0.2,0.5\n`],
  [
    "by setting and seed, behind a new first row",
    (acc) => `seed,lr,acc\n1,0.1,${acc}\n1,0.2,0.5\n`,
  ],
];
for (const [what, of] of TWICE) {
  test.store(`a run that comes again with another result is told, ${what}`, async (store) => {
    const take = async (acc: number, update?: boolean) => {
      const { added, known, changed } = await importTrials(
        store,
        "s",
        source(of(acc), GIVEN),
        { update },
      );
      return { added, known, changed };
    };
    const values = async () =>
      Object.fromEntries(
        (await trialsOf(store, "s")).map((t) => [
          `${t.params.lr}, repeat ${t.attrs.repeat}`,
          t.value,
        ]),
      );
    assert.equal((await take(0.69)).added, 2);
    assert.deepEqual(await take(0.69), { added: 0, known: 2, changed: [] });
    const kept = await take(0.72);
    assert.deepEqual([kept.added, kept.known], [0, 2]);
    assert.match(
      kept.changed.join(),
      /^(a|line 2) \(trial \d\): 0\.69 → 0\.72$/,
    );
    assert.deepEqual(await values(), {
      "0.1, repeat 0": 0.69,
      "0.2, repeat 0": 0.5,
    });
    const replaced = await take(0.72, true);
    assert.deepEqual([replaced.added, replaced.known], [0, 2]);
    assert.deepEqual(replaced.changed.length, 1);
    assert.deepEqual(await values(), {
      "0.1, repeat 0": 0.72,
      "0.2, repeat 0": 0.5,
    });
    assert.deepEqual((await take(0.72)).changed, []);
  });
}

test.store("of runs that nothing names, those with a recorded result are the recorded ones", async (store) => {
  const take = async (rows: string, update?: boolean) => {
    const read = source(`lr,acc\n${rows}`, GIVEN);
    assert.match(
      read.notes.join("; "),
      /\d runs? ha(s|ve) no ID, nor a Name with Created: known again by/,
    );
    const { added, changed } = await importTrials(store, "s", read, { update });
    const values = (await trialsOf(store, "s")).map((t) => t.value);
    return { added, changed, values: values.sort() };
  };
  await take("0.1,0.5\n0.1,0.6\n0.2,0.7\n");
  // A new repeat stands first, as W&B sorts: nothing has changed.
  assert.deepEqual(await take("0.1,0.9\n0.1,0.5\n0.1,0.6\n0.2,0.7\n"), {
    added: 1,
    changed: [],
    values: [0.5, 0.6, 0.7, 0.9],
  });
  // 0.55 for 0.5 is a change, wherever it stands.
  const told = ["line 2 (trial 0): 0.5 → 0.55"];
  const rows = "0.1,0.55\n0.1,0.6\n0.1,0.9\n";
  assert.deepEqual(await take(rows), {
    added: 0,
    changed: told,
    values: [0.5, 0.6, 0.7, 0.9],
  });
  assert.deepEqual(await take(rows, true), {
    added: 0,
    changed: told,
    values: [0.55, 0.6, 0.7, 0.9],
  });
  assert.deepEqual((await take(rows)).changed, []);
});

test.store("runs of one name and setting are repeats, and stay so", async (store) => {
  const runs = "Name,lr,acc\na,0.1,0.5\na,0.1,0.6\na,0.1,0.6\n";
  const first = source(runs, GIVEN);
  assert.match(first.notes.join(), /left out: line 4 is run a again/);
  assert.equal((await importTrials(store, "s", first)).added, 2);
  const again = await importTrials(store, "s", source(runs, GIVEN));
  assert.deepEqual([again.added, again.changed], [0, []]);
  const repeats = (await trialsOf(store, "s")).map((t) => t.attrs.repeat);
  assert.deepEqual(repeats, [0, 1]);
});
