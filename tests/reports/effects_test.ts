/** Effects: what a value gains over another, paired by seed. */
import assert from "node:assert/strict";
import pl from "nodejs-polars";
import * as reports from "../../lib/reports/mod.ts";
import * as rowPieces from "../../lib/rows/mod.ts";
import {
  asFamily,
  costTable,
  differenceText,
  effects,
  gainText,
  trialTable,
} from "../../lib/reports/mod.ts";
import {
  bestPer,
  noiseOf,
  published,
  type Row,
  runsAtBest,
  settings,
  type Trial,
  where,
} from "../../lib/rows/mod.ts";

/** Rows of depth, lr and a value a seed. */
const rowsOf = (table: Record<string, number[]>): Row[] =>
  Object.entries(table).flatMap(([key, values]) => {
    const [depth, lr] = key.split(" ").map(Number);
    return values.map((accuracy, repeat) => ({
      ...{ depth, lr, repeat, seed: 100 + repeat },
      accuracy,
    }));
  });

const of = { of: "depth", base: 2 } as const;
/** Depth 4 gains two points over depth 2, by 1 point's spread of the pairs. */
const two = () =>
  rowsOf({ "2 0.1": [0.5, 0.6, 0.7], "4 0.1": [0.52, 0.61, 0.73] });
const short = () => rowsOf({ "2 0.1": [0.5, 0.6], "4 0.1": [0.6, 0.7] });
const even = () =>
  rowsOf({ "2 0.1": [0.5, 0.6, 0.7], "4 0.1": [0.6, 0.7, 0.8] });

const near = (a: number | null, b: number) =>
  assert.ok(a !== null && Math.abs(a - b) < 1e-6, `${a} is not ${b}`);

Deno.test("a value is held against the base seed by seed, with the paired t test", () => {
  const [e] = effects(two(), { ...of, name: "depth" });
  assert.equal(e.pair, "depth 4 vs 2");
  assert.equal(e.n, 3);
  near(e.difference, 0.02);
  // 0.02 ± t(0.975, 2) · 0.01 / √3; p of t = 3.4641 with 2 df (SciPy 1.17).
  near(e.low, 0.02 - 4.302653 * 0.01 / Math.sqrt(3));
  near(e.high, 0.02 + 4.302653 * 0.01 / Math.sqrt(3));
  near(e.p, 0.0741799);
  assert.equal(e.verdict, "indistinguishable");
  // A sentence has the largest of several.
  const less = { ...e, difference: -0.048, n: 1, low: null };
  assert.equal(
    gainText([less, e]),
    "depth 4 gains 2.0 points over 2 (95 % interval −0.5 to +4.5, 3 paired seeds)",
  );
  assert.equal(
    gainText([less]),
    "depth 4 loses 4.8 points against 2 (no interval, 1 paired seed)",
  );
  assert.match(
    gainText([{ ...e, difference: -0.0048, low: -0.0094, high: -0.0001 }]),
    /loses 0\.48 points against 2 \(95 % interval −0\.94 to −0\.01, 3/,
  );
  assert.match(gainText([]), /^no two values/);
});

Deno.test("level, correction and pairing are those that are asked for", () => {
  const rows = [...two(), ...rowsOf({ "6 0.1": [0.55, 0.64, 0.76] })];
  const [usual] = effects(rows, of);
  const [wide, six] = effects(rows, { ...of, level: 0.9, correction: "none" });
  // t(0.95, 2) = 2.919986; p of t = 3.4641 and 8.6603 with 2 df (SciPy 1.17).
  near(wide.low, 0.02 - 2.919986 * 0.01 / Math.sqrt(3));
  near(wide.p, 0.0741799);
  near(six.p, 0.0130723);
  near(usual.p, 0.0741799); // the larger of two, which Holm leaves
  assert.deepEqual([usual.verdict, wide.verdict], [
    "indistinguishable",
    "differs",
  ]);
  assert.match(gainText([wide]), /90 % interval/);
  // Welch's t is 0.23848 with 3.989 df; Student's closed form for 4 df gives
  // p = 0.82323.
  const [apart] = effects(rows, { ...of, correction: "none", paired: false });
  assert.ok(Math.abs(apart.p! - 0.82323) < 1e-4);
  assert.equal(apart.unpaired, true);
});

Deno.test("at best each value stands at its own best setting, at mean over all of them", () => {
  const rows = rowsOf({
    "2 0.1": [0.5, 0.5, 0.5],
    "2 0.2": [0.6, 0.61, 0.62],
    "4 0.1": [0.7, 0.72, 0.74],
    "4 0.2": [0.1, 0.1, 0.1],
  });
  const [best] = effects(rows, { ...of, at: "best" });
  near(best.difference, 0.11);
  const [mean] = effects(rows, { ...of, at: "mean" });
  near(mean.difference, (0.22 - 0.51) / 2);
  assert.equal(mean.n, 3, "a seed counts once, whatever it has of rates");
});

Deno.test("rows of another net or without the parameter are no part of a pair", () => {
  const rows = [
    ...short(),
    { depth: null, lr: 0.1, repeat: 0, seed: 100, accuracy: 0.99 },
    { lr: 0.1, repeat: 1, seed: 101, accuracy: 0.99 },
  ];
  const found = effects(rows, { ...of, at: "best" });
  assert.deepEqual(found.map((e) => e.value), [4]);
  near(found[0].difference, 0.1);
  assert.equal(found[0].verdict, "too few repeats");
  assert.equal(found[0].p, null);
});

Deno.test("published single runs get the interval that the noise of two runs gives", () => {
  const [e] = effects([{ depth: 2, accuracy: 0.6 }, {
    depth: 4,
    accuracy: 0.65,
  }], { ...of, noise: { sd: 0.03, df: 4 } });
  near(e.difference, 0.05);
  // t(0.975, 4) = 2.776445
  near(e.high, 0.05 + 2.776445 * Math.SQRT2 * 0.03);
  assert.equal(e.published, true);
  assert.equal(e.isBetter, false);
});

Deno.test("without a finished run of the base, or of another value, there is no effect", () => {
  const rows = short();
  assert.equal(effects(rows, { ...of, base: 8 }).length, 0);
  assert.deepEqual(effects(rows.slice(0, 2), of), []);
  assert.deepEqual(effects([], of), []);
  assert.throws(
    () => effects(rows, { ...of, of: "dpeth" }),
    /^TypeError: effects: no row has "dpeth": there are depth, lr, repeat/,
  );
});

Deno.test("a family's p-values are corrected together", () => {
  const one = effects(two(), of);
  const [a, b] = asFamily(one, one);
  near(one[0].p, 0.0741799);
  near(a[0].p, 2 * 0.0741799);
  near(b[0].p, 2 * 0.0741799);
});

Deno.test("several parameters that change together are one comparison", () => {
  const found = effects(
    rowsOf({ "2 0.1": [0.5, 0.6, 0.7], "4 0.2": [0.6, 0.71, 0.8] }),
    { of: ["depth", "lr"], base: { depth: 2, lr: 0.1 } },
  );
  assert.deepEqual(found.map((e) => e.params), [{ depth: 4, lr: 0.2 }]);
  assert.equal(found[0].label, "depth 4, lr 2e-1");
  near(found[0].difference, 0.31 / 3);
});

Deno.test("a bests' row names the parameter, its value and what won beside it", () => {
  const rows = rowsOf({ "2 0.1": [0.5, 0.6, 0.7], "2 0.2": [0.1, 0.2, 0.3] });
  const [best] = bestPer(rows, "depth");
  assert.equal(best.depth, 2);
  assert.equal(best.value, 2);
  assert.equal(best.nuisance, "lr 1e-1");
  near(best.mean, 0.6);
  assert.equal(best.n, 3);
  const [single] = bestPer([{ depth: 2, lr: 0.1, accuracy: 0.3 }, {
    depth: 2,
    lr: 0.2,
    accuracy: 0.4,
  }], "depth");
  assert.equal(single.mean, 0.4);
  assert.equal(single.low, null);
});

Deno.test("the best of each published depth is that of the notes' table, with its rate", async () => {
  const { rows } = await published("nonmulti-depth");
  assert.deepEqual(
    bestPer(rows, "depth").map((b) => [
      b.depth,
      (100 * b.mean!).toFixed(3),
      b.lr,
    ]),
    [
      [2, "84.746", 5.623e-6],
      [4, "85.561", 5.623e-6],
      [6, "84.452", 1e-5],
      [8, "85.235", 1.778e-5],
    ],
  );
});

Deno.test("the runs at a best are those of the setting whose mean won", () => {
  const rows = rowsOf({ "4 1": [0.9, 0.5], "4 2": [0.8, 0.8], "8 1": [0.1] });
  assert.deepEqual(
    runsAtBest(rows, "depth").map((r) => [r.depth, r.lr, r.accuracy]),
    [[4, 2, 0.8], [4, 2, 0.8], [8, 1, 0.1]],
  );
  assert.deepEqual(runsAtBest([], "depth"), []);
});

Deno.test("a best goes by the mean over repeats and counts the settings that cannot be trained", () => {
  const failed = (depth: number, lr: number, failKind: string): Row => ({
    ...{ depth, lr, repeat: 0, accuracy: null, state: "FAIL", failKind },
  });
  const bests = bestPer([
    ...rowsOf({ "4 1": [0.9, 0.5], "4 2": [0.8, 0.8] }),
    failed(4, 3, "diverged"),
    failed(8, 1, "out of memory"),
    failed(8, 2, "error"),
  ], "depth");
  assert.deepEqual(
    bests.map((b) => [b.depth, b.mean, b.nuisance, b.n, b.low, b.infeasible]),
    [[4, 0.8, "lr 2", 2, null, 1], [8, null, "", 0, null, 1]],
  );
  assert.throws(
    () => bestPer(bests, "eps"),
    /^TypeError: bestPer: no row has "eps": there are depth, lr, /,
  );
});

Deno.test("settings count values that a group takes together as one", () => {
  const rows = rowsOf({ "2 0.11": [0.5, 0.6], "2 0.12": [0.7, 0.8] });
  const [one, ...others] = settings(rows, {
    lr: (lr: number) => Number(lr.toFixed(1)),
  });
  assert.equal(others.length, 0);
  assert.equal(one.n, 4);
  near(one.mean, 0.65);
});

Deno.test("an option that makes no sense is one line, not an empty answer", () => {
  const rows = short();
  // deno-lint-ignore no-explicit-any
  const wrong = (o: any) => () => effects(rows, { ...of, ...o });
  assert.throws(
    wrong({ base: "2" }),
    /^StudyError: effects: base "2" is a string, in the rows depth is a number$/,
  );
  assert.throws(wrong({ of: [] }), /effects: of is empty/);
  assert.throws(wrong({ at: "bset" }), /at is "bset": give best or mean$/);
  assert.throws(wrong({ value: "acuracy" }), /no row has "acuracy"/);
  assert.throws(wrong({ base: null }), /effects: base has no depth: give/);
  for (const noise of [{ sd: 0.1, df: 0 }, { sd: -1, df: 4 }, { sd: NaN }]) {
    assert.throws(
      wrong({ noise }),
      /effects: noise has sd .* give those of noiseOf/,
    );
  }
});

Deno.test("what is no list of rows is named, most of all a forgotten await", () => {
  // deno-lint-ignore no-explicit-any
  const trials = Promise.resolve([]) as any;
  const awaited = /: the rows are a promise \(await it\), not a list of rows$/;
  assert.throws(() => settings(trials), awaited);
  assert.throws(() => bestPer(trials, "depth"), awaited);
  assert.throws(() => effects(trials, of), awaited);
  assert.throws(() => noiseOf(trials), awaited);
  assert.throws(() => trialTable(trials), awaited);
  assert.throws(() => costTable(trials), awaited);
  assert.throws(
    // deno-lint-ignore no-explicit-any
    () => settings([null] as any),
    /^TypeError: settings: row 1 is null, not an object with fields$/,
  );
});

Deno.test("rows of one's own: BigInts, dates and a csv file's texts are values", () => {
  // deno-lint-ignore no-explicit-any
  const own = (values: any[], share: (x: number) => unknown = (x) => x) =>
    values.flatMap((x, i) =>
      [0, 1, 2].map((r) => ({
        x,
        repeat: r,
        accuracy: share(0.5 + 0.1 * i + 0.01 * r),
      }))
    );
  assert.deepEqual(
    settings(own([5n, 2n ** 60n])).map((s) => s.x),
    [5, "1152921504606846976"],
  );
  // deno-lint-ignore no-explicit-any
  const [e] = effects(own([5n, 6n]), { of: "x", base: 5n as any });
  assert.equal(e.value, 6);
  assert.deepEqual(
    bestPer(own([new Date(0), new Date(1e12)]), "x").map((b) => b.value),
    ["1970-01-01T00:00:00.000Z", "2001-09-09T01:46:40.000Z"],
  );
  const [text] = effects(own(["a", "b"], String), { of: "x", base: "a" });
  near(text.difference, 0.1);
  assert.equal(text.n, 3);
  assert.throws(
    () => settings(own(["a", "b"], () => "good")),
    /^StudyError: settings: row 1: accuracy is "good": give a number, or null for none$/,
  );
  assert.equal(settings(own(["a"], () => "  "))[0].n, 0);
  assert.throws(
    () => settings(own(["a"], () => "0x10")),
    /row 1: accuracy is "0x10": give a number/,
  );
  assert.throws(
    () => settings([{ depth: 2, acc: 0.5 }]),
    /^TypeError: settings: no row has "accuracy": there are depth, acc$/,
  );
});

Deno.test("a polars frame is its rows", () => {
  const rows = even();
  const frame = pl.DataFrame(rows);
  assert.deepEqual(settings(frame), settings(rows));
  assert.deepEqual(effects(frame, of), effects(rows, of));
});

Deno.test("a field with a result's name is a parameter where a call names it", () => {
  const rows = [2, 4].flatMap((n) =>
    [0, 1, 2].map((repeat) => ({ n, repeat, accuracy: n / 10 + repeat / 100 }))
  );
  const [e] = effects(rows, { of: "n", base: 2 });
  near(e.difference, 0.2);
  assert.throws(
    () => settings(rows),
    /^StudyError: settings: row 4: it is repeat 0 of its setting, as row 1 is: /,
  );
  assert.throws(
    () => bestPer(rows, "n"),
    /^StudyError: bestPer: n is the name of a result: give the parameter another$/,
  );
});

Deno.test("runs of two studies that share setting and repeat are different runs", () => {
  const byStudy = (study: string, seed: number) =>
    short()
      .map((row, number) => ({
        ...row,
        ...{ study, number, start: 1 },
        seed: seed + row.repeat,
      }));
  const [a, b] = [byStudy("a", 0), byStudy("b", 100)];
  assert.deepEqual(settings([...a, ...b]).map((s) => s.n), [4, 4]);
  assert.equal(effects([...a, ...b], of)[0].n, 4);
  assert.deepEqual(
    settings([...a, ...a]).map((s) => s.n),
    [2, 2],
    "a trial that is listed twice is one run",
  );
  const both = [...a, ...byStudy("b", 0)];
  assert.throws(
    () => effects(both, { ...of, sharing: [] }),
    /^StudyError: effects: row 5: it is repeat 0 of depth 2, as row 1 is: /,
  );
  const [e] = effects(both, { ...of, sharing: ["study"] });
  near(e.difference, 0.1);
  assert.equal(e.n, 2);
});

Deno.test("a seed that all repeats share pairs no runs: repeats do", () => {
  const rows = even().map((row) => ({ ...row, seed: 42 }));
  assert.equal(effects(rows, of)[0].n, 3);
});

Deno.test("arms whose seeds differ are compared unpaired, and words say so", () => {
  const rows = rowsOf({ "2 0.1": [0.5, 0.6, 0.7], "4 0.1": [0.7, 0.8, 0.91] })
    .map((row) => ({ ...row, seed: 10 * row.depth + row.repeat }));
  const [e] = effects(rows, of);
  // Welch's t = 2.428372 with 3.990369 df; Student's density, integrated.
  near(e.p, 0.0722612193);
  assert.equal(e.unpaired, true);
  assert.match(
    differenceText(e),
    /^\+20\.33 points .*, n 3 per side, unpaired\)$/,
  );
});

Deno.test("a row's state counts in Optuna's words and in others', and no other one is passed over", () => {
  const rows = rowsOf({ "2 0.1": [0.5, 0.6, 0.7], "4 0.1": [0.6, 0.7, 0.9] });
  const as = (state: string) => rows.map((row) => ({ ...row, state }));
  for (const word of ["COMPLETE", "finished", "Completed"]) {
    assert.deepEqual(effects(as(word), of), effects(rows, of), word);
    assert.equal(where(as(word), { depth: 2 }).length, 3, word);
  }
  assert.equal(effects(as("running"), of).length, 0);
  assert.equal(settings(as("crashed"))[0].failed, 3);
  assert.throws(
    () => effects(as("gone"), of),
    /^StudyError: effects: row 1: state is "gone": give complete, fail, pruned, running or waiting, or leave it out$/,
  );
});

Deno.test("a seed is a number or a text, and an accuracy a share", () => {
  const [row] = rowsOf({ "2 0.1": [0.5] });
  const said = (more: Row, message: RegExp) =>
    assert.throws(() => settings([{ ...row, ...more }]), { message });
  said(
    { seed: { n: 1 } },
    /row 1: seed is one object: give a number or a text$/,
  );
  said({ seed: NaN }, /row 1: seed is NaN: give/);
  said(
    { accuracy: 62.4 },
    /row 1: accuracy is 62\.4: give a share from 0 to 1$/,
  );
  said({ accuracy: "-0.1" }, /row 1: accuracy is -0\.1: give a share/);
  settings([{ ...row, seed: "a" }, { ...row, repeat: 1, seed: 3n }]);
});

Deno.test("a list of values is a parameter where a call names it", () => {
  const rows = [[0.9, 0.999], [0.9, 0.99]].flatMap((betas, i) =>
    [0, 1, 2].map((repeat) => ({
      ...{ betas, repeat, seed: repeat },
      accuracy: 0.5 + 0.1 * i + 0.01 * repeat * (i + 1),
    }))
  );
  assert.deepEqual(
    bestPer(rows, "betas").map((b) => [b.value, b.n]),
    [["0.9, 0.999", 3], ["0.9, 0.99", 3]],
  );
  assert.equal(runsAtBest(rows, "betas").length, 6);
  const [e] = effects(rows, { of: "betas", base: [0.9, 0.999] as never });
  assert.equal(e.pair, "0.9, 0.99 vs 0.9, 0.999");
  assert.equal(where(rows, { betas: [0.9, 0.99] }).length, 3);
});

Deno.test("names that every object inherits are parameters like others, or none", () => {
  const rows = rowsOf({ "2 0.1": [0.5, 0.6, 0.7], "4 0.1": [0.6, 0.7, 0.9] });
  for (const name of ["constructor", "toString", "__proto__"]) {
    assert.throws(
      () => bestPer(rows, name),
      new RegExp(`no row has "${name}"`),
    );
    const own = rows.map(({ depth, ...row }) => ({ ...row, [name]: depth }));
    const [e] = effects(own, { of: name, base: 2 });
    assert.equal(e.pair, "4 vs 2");
    assert.deepEqual(bestPer(own, name).map((b) => b.value), [2, 4]);
    assert.equal(settings([...own, { lr: 0.1, accuracy: 0.4 }]).length, 3);
  }
});

Deno.test("a call without what it needs, or with plain rows for effects, is one line that names it", async () => {
  const rows = rowsOf({ "2 0.1": [0.5], "4 0.1": [0.6] });
  // deno-lint-ignore no-explicit-any
  const all = { ...rowPieces, ...reports } as any;
  const wrong: Record<string, unknown[][]> = {
    effects: [[], [null], [rows], [rows, {}], [rows, null]],
    bestPer: [[rows], [rows, null]],
    runsAtBest: [[null], [rows]],
    nearBest: [[rows], [null, "lr"]],
    peakWithin: [[rows, "lr"]],
    ratios: [[rows], [rows, {}]],
    epochRows: [[rows], [null]],
    costTable: [[null]],
    table: [[null], [Promise.resolve(rows)]],
    list: [[], [Promise.resolve([])]],
    openStudy: [[], [{ profile: "quick" }], [{ profile: "quick" }, null]],
    timed: [[], [{ profile: "quick" }]],
    protocol: [[null], [undefined, {}]],
    answer: [[]],
    claims: [[]],
    byRule: [["1 %"]],
    decide: [[NaN], [() => 2], [Symbol("a")], [2, null], [2, { unless: true }]],
    ...Object.fromEntries(
      ["effectTable", "effectsText", "gainText", "leaderOf", "fewest"]
        .concat("noGain", "gains", "better", "worse", "equal")
        .concat("keepUnlessBeaten")
        .map((name) => [name, [[null], [rows], ["effects"]]]),
    ),
  };
  for (const [name, calls] of Object.entries(wrong)) {
    for (const [i, args] of calls.entries()) {
      await assert.rejects(
        async () => await all[name](...args),
        (error: Error) => {
          const { message } = error;
          assert.match(message, new RegExp(`^${name}(,|:)`), `${name} ${i}`);
          assert.doesNotMatch(message, /\n|Cannot|is not a f|iterable/);
          return true;
        },
        `${name} ${i}`,
      );
    }
  }
  costTable(rows as Trial[]);
});

Deno.test("an option of another kind is one line that names it", () => {
  const rows = short();
  const said = (o: object, message: string) =>
    assert.throws(() => effects(rows, { ...of, ...o }), {
      message: `effects: ${message}`,
    });
  said({ level: 95 }, "level is 95: give one between 0 and 1, such as 0.95");
  said({ correction: "bonf" }, 'correction is "bonf": give holm or none');
  said({ paired: "no" }, 'paired is "no": give true or false');
  said({ value: 5 }, "value is 5: give a field's name or a function");
  said({ text: 5 }, "text is 5: give a function of the parameters");
  said({ sharing: "lr" }, 'the sharing are the text "lr"; give a list');
  const length = (row: Row) => row.history.length;
  const undef = "Cannot read properties of undefined (reading 'length')";
  said({ value: length }, `the function of the value fails at row 1: ${undef}`);
  assert.throws(() => settings(rows, { lr: ((v: Row) => v.a.b) as never }), {
    message: /^settings: the function of lr fails at row 1: /,
  });
});

Deno.test("the trial table takes shares alone, and says what became of a trial without one", () => {
  const [row] = rowsOf({ "2 0.1": [0.5] });
  const html = (more: Row) =>
    // deno-lint-ignore no-explicit-any
    (trialTable([{ ...row, ...more } as Trial]) as any)[
      Symbol.for("Jupyter.display")
    ]()["text/html"];
  for (const field of ["accuracy", "low", "balanced", "maxTestAccuracy"]) {
    assert.throws(() => html({ [field]: 62.4 }), {
      name: "StudyError",
      message: `trialTable: row 1: ${field} is 62.4: give a share from 0 to 1`,
    });
  }
  assert.throws(
    () => html({ accuracy: "good" }),
    /row 1: accuracy is "good": give a number/,
  );
  assert.match(html({ accuracy: "0.5" }), /<td class="num">50\.0 %<\/td>/);
  for (const [state, word] of [["PRUNED", "pruned"], ["RUNNING", "running"]]) {
    assert.match(
      html({ accuracy: null, state }),
      new RegExp(`<td>${word}</td>`),
    );
  }
  const none = { low: null, high: null, chosenEpoch: null, seconds: "5" };
  assert.doesNotMatch(html(none), /NaN|>0\.0 %|undefined|null/);
});

Deno.test("0.1 + 0.2 and 0.3 are one value, and no run of theirs is lost", () => {
  const rows = [0.1 + 0.2, 0.3, 0.3].map((lr, i) => ({
    lr,
    accuracy: 0.25 * (i + 1),
  }));
  assert.deepEqual(settings(rows).map((s) => [s.lr, s.n]), [[0.3, 3]]);
  assert.deepEqual(bestPer(rows, "lr").map((b) => b.mean), [0.75]);
  assert.equal(where(rows, { lr: 0.3 }).length, 3);
  const more = [...rows, { lr: 1, accuracy: 0.9 }];
  assert.equal(effects(more, { of: "lr", base: 0.1 + 0.2 }).length, 1);
});

Deno.test("what is no history, range, level, family, text or table cell is one line", () => {
  const rows = short();
  const said = (call: () => unknown, message: RegExp) =>
    assert.throws(call, (error: Error) => {
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /\n|Cannot|is not a function/);
      return true;
    });
  // deno-lint-ignore no-explicit-any
  const all = { ...rowPieces, ...reports } as any;
  for (const history of ["abc", [null]]) {
    for (const name of ["epochRows", "costTable"]) {
      said(
        () => all[name]([{ lr: 1, history }]),
        new RegExp(`^${name}: the history of row 1: `),
      );
    }
  }
  said(
    () => effects(rows, { ...of, level: 1 - 1e-16 }),
    /level is 0\.9+: give/,
  );
  const fails = () => {
    throw new Error("a\nb");
  };
  said(() => effects(rows, { ...of, text: fails }), /the function text fails/);
  said(() => all.asFamily(effects(rows, of)[0]), /^asFamily: the rows are one/);
  for (const range of ["12", [1, 2, 3]]) {
    said(() => all.peakWithin(rows, "depth", range), /give \[low, high\]$/);
  }
  const points = (points: unknown) => () =>
    all.timed({ profile: "smoke" }, {
      ...{ name: "a", nets: {}, steps: {}, points, repeats: 1 },
    });
  said(points([]), /search\.points: list its points$/);
  said(points([null]), /^timed: the points: row 1 is null/);
  for (const field of ["recipe", "data"]) {
    const cell = { name: "a", parameters: {}, [field]: "x" };
    said(
      () => all.openStudy({ profile: "smoke" }, cell),
      new RegExp(`^openStudy: the fields of ${field} are the text "x"`),
    );
  }
  const round: Row = { n: 1n };
  // deno-lint-ignore no-explicit-any
  const html = (cell: any) =>
    cell[Symbol.for("Jupyter.display")]()["text/html"];
  assert.match(html(all.table([{ round }])), /&#34;n&#34;:&#34;1&#34;/);
  round.round = round;
  assert.match(html(all.table([{ round }])), /<td>…<\/td>/);
  assert.equal(
    all.publishedText([{ accuracy: NaN }, { imagesPerSecond: NaN }]),
    "no number; no number",
  );
});
