/** Analyses of plain rows, checked against the published tables and SciPy. */
import assert from "node:assert/strict";
import {
  type AnalysisRow,
  bestOfBias,
  boundaryWarnings,
  compareAll,
  compareSettings,
  infeasible,
  noiseFloor,
  noiseLine,
  repeatsPlan,
  selectionBias,
  settings,
} from "../../lib/study/analysis/mod.ts";
import { searched } from "../../lib/study/report_lines.ts";
import { parsePlan } from "../../lib/study/plan.ts";
import { readPublished } from "../../lib/study/published.ts";

type Params = AnalysisRow["params"];

const done = (params: Params, value: number, repeat = 0): AnalysisRow => ({
  params,
  repeat,
  state: "COMPLETE",
  value,
});
const failed = (
  params: Params,
  failKind = "diverged",
  repeat = 0,
): AnalysisRow => ({ params, repeat, state: "FAIL", value: null, failKind });

/** A repeat a value. */
const repeated = (params: Params, ...values: number[]) =>
  values.map((value, repeat) => done(params, value, repeat));

const near = (actual: number | null | undefined, wanted: number, by = 1e-9) =>
  assert.ok(
    Math.abs(Number(actual) - wanted) <= by,
    `${actual} is not ${wanted}`,
  );

/** A published table's rows; percentages become shares. */
async function published(
  id: string,
  names: string[],
  value = "acc",
): Promise<AnalysisRow[]> {
  const { tables: [{ records }] } = await readPublished(id);
  return records.map((record) =>
    done(
      Object.fromEntries(names.map((n) => [n, record[n] as string | number])),
      Number(record[value]) / 100,
    )
  );
}

/** Nominal repeats of the published runs, a setting each. */
async function replicates(stage: string, lrs = /./): Promise<AnalysisRow[]> {
  const file = new URL(
    "../../data/published/cross-checks.json",
    import.meta.url,
  );
  const { replicates } = JSON.parse(await Deno.readTextFile(file)) as {
    replicates: { stage: string; config: string; runs: [string, number][] }[];
  };
  return replicates.filter((r) => r.stage === stage && lrs.test(r.config))
    .flatMap((r) =>
      repeated({ config: r.config }, ...r.runs.map(([, acc]) => acc / 100))
    );
}

// Settings

Deno.test("a setting has its complete repeats, their mean and t interval", () => {
  const [one, two] = settings([
    ...repeated({ lr: 0.1 }, 0.8, 0.82, 0.84),
    done({ lr: 0.2 }, 0.7),
  ]);
  near(one.mean, 0.82);
  near(one.high! - one.mean!, 4.302652729911275 * 0.02 / Math.sqrt(3));
  assert.deepEqual(one.runs.map((r) => r.value), [0.8, 0.82, 0.84]);
  assert.deepEqual([two.n, two.low, two.sd], [1, null, null]);
});

Deno.test("a failed repeat that was completed later is not a failure", () => {
  const lr = { lr: 10 ** -3 };
  const [setting, ...more] = settings([
    failed(lr, "interrupted"),
    done({ lr: 0.001 }, 0.8),
    failed(lr, "diverged", 1),
    failed(lr, "error", 2),
    failed(lr, "dead"),
    { ...done(lr, Infinity, 3) },
    { ...failed(lr, undefined, 4), state: "PRUNED" },
    { ...failed(lr, undefined, 5), state: "WAITING" },
  ]);
  assert.equal(more.length, 0);
  assert.deepEqual([setting.n, setting.mean], [1, 0.8]);
  assert.deepEqual([setting.failed, setting.infeasible], [3, 2]);
});

// Noise

Deno.test("the noise of the published repeats is 0.48 and 3.0 points", async () => {
  const long = noiseFloor(await replicates("60 epochs, pretrained"))!;
  // SciPy: chi-square interval of the pooled sd.
  near(long.sd, 0.0047512649387840317);
  near(long.low, 0.0032680873014877876);
  near(long.high, 0.008673957652092368);
  assert.equal(long.df, 9);
  assert.equal(
    noiseLine(long),
    "noise ±0.5 points (sd of repeats, 9 df, 95 % interval 0.3 to 0.9)",
  );
  const short = noiseFloor(
    await replicates("10 epochs, from scratch", /lr [12]e-4/),
  )!;
  near(short.sd, 0.03017, 5e-6);
  assert.equal(short.df, 4);
});

Deno.test("without repeats the noise is unknown, not zero", () => {
  const rows = [done({ lr: 1 }, 0.5), done({ lr: 2 }, 0.6)];
  assert.equal(noiseFloor(rows), null);
  assert.equal(noiseFloor([]), null);
  // A repeat that failed is none.
  assert.equal(noiseFloor([...rows, failed({ lr: 1 }, "error", 1)]), null);
  assert.equal(noiseLine(null), "noise unknown: no repeats");
});

Deno.test("the best of k equal settings stands above their mean as order statistics say", () => {
  // SciPy's quad, and exact 1/√π and 3/(2√π) for two and three.
  near(bestOfBias(1, 1), 0);
  near(bestOfBias(2, 1), 1 / Math.sqrt(Math.PI));
  near(bestOfBias(3, 2), 3 / Math.sqrt(Math.PI));
  near(bestOfBias(10, 1), 1.5387527308351734);
  near(bestOfBias(100, 1), 2.507593636441689);
  assert.throws(() => bestOfBias(0, 1), RangeError);
});

// Tuning

const lrRows = (values: Record<string, number>) =>
  Object.entries(values).map(([lr, value]) => done({ lr: Number(lr) }, value));

Deno.test("a best point on the last listed value is warned about, one inside is not", () => {
  const rows = lrRows({ 1e-5: 0.6, 1e-4: 0.5, 1e-3: 0.4 });
  const parameters = { lr: { values: [1e-5, 1e-4, 1e-3] } };
  assert.deepEqual(boundaryWarnings(rows, parameters, "maximize"), [
    "the best point lies at the low end of lr (1e-5 of 1e-5 to 1e-3): " +
    "search lower values before trusting it",
  ]);
  const [high] = boundaryWarnings(rows, parameters, "minimize");
  assert.match(high, /high end of lr .* search higher values/);
  const peak = lrRows({ 1e-5: 0.3, 1e-4: 0.5, 1e-3: 0.4 });
  assert.deepEqual(boundaryWarnings(peak, parameters, "maximize"), []);
  // Only part of the grid has run: the end of what has is no boundary.
  const wider = { lr: { values: [1e-6, 1e-5, 1e-4, 1e-3] } };
  assert.deepEqual(boundaryWarnings(rows, wider, "maximize"), []);
});

Deno.test("in a log range the boundary is a step of its logarithm wide", () => {
  // Four values tried over four decades: a step is one decade.
  const rows = lrRows({ 8e-6: 0.6, 1e-4: 0.5, 1e-3: 0.4, 5e-3: 0.4 });
  const range = { low: 1e-6, high: 1e-2 };
  const warn = (log: boolean, values = rows) =>
    boundaryWarnings(values, { lr: { ...range, log } }, "maximize").length;
  assert.equal(warn(true), 1);
  const inside = lrRows({ 8e-6: 0.5, 1e-4: 0.6, 1e-3: 0.4, 5e-3: 0.4 });
  assert.equal(warn(true, inside), 0);
  // In a linear range 1e-4 would be at the end.
  assert.equal(warn(false, inside), 1);
});

Deno.test("natural ends, categories, one value and two have no boundary", () => {
  const rows = [
    done({ drop: 0, model: "a", lr: 1 }, 0.9),
    done({ drop: 0.1, model: "b", lr: 1 }, 0.8),
    done({ drop: 0.2, model: "c", lr: 2 }, 0.8),
  ];
  const drop = { values: [0, 0.1, 0.2] };
  const others = { model: { values: ["a", "b", "c"] }, lr: { values: [1, 2] } };
  const warn = (parameters: Parameters<typeof boundaryWarnings>[1]) =>
    boundaryWarnings(rows, parameters, "maximize").length;
  assert.equal(warn({ drop, ...others }), 1);
  assert.equal(warn({ drop: { ...drop, natural: [0] }, ...others }), 0);
});

Deno.test("infeasible points are counted apart from other failures", () => {
  const rows = [
    ...lrRows({ 1e-5: 0.4, 1e-4: 0.5, 1e-3: 0.6 }),
    failed({ lr: 1e-2 }),
    failed({ lr: 1e-1 }, "out of memory"),
    failed({ lr: 1 }, "error"),
    { ...failed({ lr: 10 }), state: "RUNNING" as const },
  ];
  const found = infeasible(rows, "maximize");
  assert.deepEqual([found.ended, found.count, found.otherFailures], [6, 2, 1]);
  near(found.share, 1 / 3);
  assert.deepEqual(found.list[1], {
    params: { lr: 0.1 },
    repeat: 0,
    kind: "out of memory",
  });
  assert.equal(infeasible([], "maximize").share, null);
});

Deno.test("a best point beside infeasible ones is warned about", () => {
  const grid = (values: (number | null)[][]) =>
    values.flatMap((row, depth) =>
      row.map((value, lr) =>
        value === null ? failed({ depth, lr }) : done({ depth, lr }, value)
      )
    );
  const warnings = (values: (number | null)[][]) =>
    infeasible(grid(values), "maximize").warnings;
  const [line] = warnings([[0.1, 0.2, 0.3], [0.3, 0.4, 0.9], [0.3, 0.5, null]]);
  assert.match(
    line,
    /\(depth 1, lr 2\) borders 1 infeasible setting \(depth 2/,
  );
  // A complete setting lies between, or only a corner touches.
  assert.deepEqual(warnings([[0.1, 0.9, 0.3, null]]), []);
  assert.deepEqual(warnings([[0.1, 0.9, 0.3], [0.1, 0.1, null]]), []);
  // Nothing lies between, but two nearer settings are complete.
  const apart = [[0, 0], [1, -1], [2, 1]].map(([lr, decay], i) =>
    done({ lr, decay }, 0.9 - 0.1 * i)
  );
  const around = [[-1, -1], [-2, -2]].map(([lr, decay]) =>
    done({ lr, decay }, 0.5)
  );
  const far = failed({ lr: -3, decay: 2 });
  assert.deepEqual(
    infeasible([...apart, ...around, far], "maximize").warnings,
    [],
  );
});

Deno.test("a best point that failed in some repeats is warned about", () => {
  const rows = [
    ...repeated({ lr: 1 }, 0.9, 0.9),
    failed({ lr: 1 }, "diverged", 2),
    done({ lr: 2 }, 0.5),
  ];
  assert.match(
    infeasible(rows, "maximize").warnings[0],
    /lr 1\) failed in 1 of 3 repeats/,
  );
});

// Selection

Deno.test("the best epoch on test is a bias beside the value, never the value", () => {
  // B01: validation is best where test is 0.86, test itself is best at 0.90.
  const rows = [{ ...done({ lr: 1 }, 0.86), maxTestValue: 0.9 }];
  assert.equal(settings(rows)[0].mean, 0.86);
  const bias = selectionBias(rows, { direction: "maximize" });
  near(bias.mean, 0.04);
  assert.deepEqual([bias.n, bias.low, bias.bestOf], [1, null, null]);
  assert.deepEqual(bias.lines, [
    "picked on test, the best epoch shows +4.0 points against the " +
    "validation-chosen one (1 run)",
  ]);
  const [line] = selectionBias(rows, {
    direction: "maximize",
    hasValidation: false,
  }).lines;
  assert.match(line, /^no validation split: .* optimistic/);
});

Deno.test("selection bias says whether settings rank another way", () => {
  const row = (
    lr: number,
    value: number,
    maxTestValue: number,
    repeat = 0,
  ) => ({ ...done({ lr }, value, repeat), maxTestValue });
  const bias = selectionBias([
    row(1, 0.84, 0.85),
    row(1, 0.86, 0.87, 1),
    row(2, 0.83, 0.88),
    row(2, 0.85, 0.9, 1),
    row(3, 0.7, 0.7),
    done({ lr: 4 }, 0.8),
  ], { direction: "maximize" });
  assert.deepEqual([bias.swapped, bias.pairs, bias.bestChanges], [1, 3, true]);
  near(bias.perSetting[1].mean, 0.05);
  assert.equal(bias.n, 5);
  assert.match(bias.lines[1], /lr 2 would win \(89\.0 %\) .* lr 1 \(85\.0 %\)/);
  // Four settings, noise √2 points, the best's mean of two runs: 1 point.
  assert.equal(bias.bestOf?.k, 4);
  near(bias.bestOf?.bias, 0.01 * 1.0293753730039641);
  assert.match(bias.lines[2], /best of 4 equal settings .* 1\.0 points/);
});

Deno.test("of a loss the best epoch on test lies below the chosen one", () => {
  const rows = [
    { ...done({ lr: 1 }, 0.5), maxTestValue: 0.4 },
    { ...done({ lr: 1 }, 0.6, 1), maxTestValue: 0.4 },
  ];
  const bias = selectionBias(rows, { direction: "minimize", unit: "plain" });
  near(bias.mean, 0.15);
  assert.match(bias.lines[0], /shows −0\.15 .* interval −0\.785 to 0\.485\)/);
});

Deno.test("an end beyond which the recipe takes nothing is natural", () => {
  const plan = parsePlan({
    study: {
      name: "ends",
      parameters: {
        weightDecay: [0, 0.05, 0.5],
        depth: [1, 2, 4],
        attentionDrop: [0.2, 0.4, 0.8],
        model: ["cls", "baseline"],
      },
    },
    recipe: {},
  });
  const of = searched(plan, []);
  assert.deepEqual(
    ["weightDecay", "depth", "attentionDrop"].map((name) => of[name].natural),
    [[0], [1], []],
  );
});

// Comparisons

Deno.test("the five published CLS - Baseline pairs: +0.763, t 2.83, p .0475, sign .0625", async () => {
  const rows = await published("cls-vs-baseline", ["model", "lr"], "acc_table");
  const c = compareSettings(rows, { model: "CLSFER" }, { model: "Baseline" });
  assert.deepEqual([c.kind, c.n, c.leftOut], ["paired", 5, 0]);
  near(c.difference, 0.007628, 1e-9);
  near(c.t?.sd, 0.006035881874258248);
  near(c.t?.t, 2.825888062043053, 1e-9);
  near(c.p, 0.04754299926789629, 1e-9);
  near(c.low, 0.00013346277932289041, 1e-9);
  near(c.high, 0.01512253722067714, 1e-9);
  near(c.sign?.p, 0.0625);
  assert.deepEqual([c.wilcoxon, c.mcnemar], [null, null]);
  assert.ok(c.bootstrap!.low > 0 && c.bootstrap!.high < c.high!);
  assert.equal(c.verdict, "differs");
  assert.equal(
    c.text,
    "model CLSFER against model Baseline: +0.8 points (95 % interval 0.0 to " +
      "1.5) over 5 pairs, differs (p = .048). Suggestive only: the sign test " +
      "has p = .063, the least that 5 pairs can reach.",
  );
});

Deno.test("the published eps 1e-7 - 1e-8: five of seven rates pair, +0.62, indistinguishable", async () => {
  const rows = await published("eps-depth8", ["eps", "lr"]);
  const c = compareSettings(rows, { eps: 1e-7 }, { eps: 1e-8 });
  assert.deepEqual([c.n, c.leftOut, c.verdict], [5, 2, "indistinguishable"]);
  near(c.difference, 0.006206);
  near(c.p, 0.13688826442856264);
  assert.match(c.text, /2 runs without a partner left out/);
});

Deno.test("by seed, pairs of several rates count once, by their mean", () => {
  const at = (eps: number, lr: number, ...values: number[]) =>
    repeated({ eps, lr }, ...values);
  const rows = [
    ...at(1, 0.1, 0.62, 0.63, 0.61),
    ...at(1, 0.2, 0.54, 0.56, 0.55),
    ...at(2, 0.1, 0.6, 0.6, 0.6),
    // The third seed ran at one rate alone.
    ...at(2, 0.2, 0.5, 0.5),
  ];
  const bySeed = (rows: AnalysisRow[]) =>
    compareSettings(rows, { eps: 1 }, { eps: 2 }, { bySeed: true });
  const c = bySeed(rows);
  // t = mean / (sd / √3); with two degrees of freedom p = 1 − t / √(t² + 2).
  assert.deepEqual(
    c.differences.map(({ difference }) => Number(difference.toFixed(9))),
    [0.03, 0.045, 0.01],
  );
  assert.deepEqual([c.n, c.leftOut], [3, 1]);
  near(c.t?.t, 2.7947827841910744, 1e-9);
  near(c.p, 0.10773140216148736, 1e-9);
  assert.match(c.text, /over 3 seeds,/);
  assert.equal(compareSettings(rows, { eps: 1 }, { eps: 2 }).n, 5);

  const two = bySeed(rows.filter((r) => r.repeat < 2));
  assert.deepEqual([two.n, two.verdict], [2, "too few repeats"]);
});

Deno.test("by seed, groups without a pair are Welch-tested by their seeds' means", () => {
  const of = (eps: number, seeds: number[]) =>
    [0.1, 0.2].flatMap((lr) =>
      seeds.map((seed) => ({
        ...done({ eps, lr }, 0.5 + lr + eps / 10 + seed / 1000, seed),
        seed,
      }))
    );
  const c = compareSettings(
    [...of(1, [1, 2, 3]), ...of(2, [4, 5, 6, 7])],
    { eps: 1 },
    { eps: 2 },
    { bySeed: true },
  );
  assert.deepEqual([c.kind, c.n], ["unpaired", 3]);
  near(c.difference, -0.1035);
});

Deno.test("under three pairs there are too few repeats", () => {
  const rows = (n: number) => [
    ...repeated({ lr: 1 }, ...[0.9, 0.91, 0.89].slice(0, n)),
    ...repeated({ lr: 2 }, ...[0.5, 0.52, 0.51].slice(0, n)),
  ];
  const compare = (n: number) => compareSettings(rows(n), { lr: 1 }, { lr: 2 });
  assert.match(
    compare(1).text,
    /: \+40\.0 points over 1 pair, too few repeats: n=1\./,
  );
  assert.equal(compare(2).verdict, "too few repeats");
  assert.equal(compare(3).verdict, "differs");
  const none = compareSettings(
    [failed({ lr: 1 }), ...repeated({ lr: 2 }, 0.5)],
    { lr: 1 },
    { lr: 2 },
  );
  assert.deepEqual([none.difference, none.p], [null, null]);
  assert.match(none.text, /too few repeats: n=0/);
});

Deno.test("runs of other seeds are compared unpaired, by Welch's test", async () => {
  const rows = (await published(
    "cls-vs-baseline",
    ["model", "lr"],
    "acc_table",
  )).map((row, seed) => ({
    ...row,
    params: { model: row.params.model },
    repeat: seed,
    seed,
  }));
  const c = compareSettings(rows, { model: "CLSFER" }, { model: "Baseline" });
  assert.deepEqual([c.kind, c.n, c.sign, c.t], ["unpaired", 5, null, null]);
  // SciPy's ttest_ind(equal_var=False)
  near(c.p, 0.1166313881653857);
  near(c.low, -0.0023728834650349429);
  near(c.high, 0.01762888346503463);
  assert.match(
    c.text,
    /unpaired, as their seeds do not match, indistinguishable/,
  );
});

Deno.test("seeds make the pairs, not the repeats' numbers", () => {
  const run = (lr: number, seed: number, repeat: number, value: number) => ({
    ...done({ lr }, value, repeat),
    seed,
  });
  const c = compareSettings(
    [
      ...[0.5, 0.6, 0.7].map((value, i) => run(1, i, i, value)),
      ...[0.7, 0.6, 0.5].map((value, i) => run(2, 2 - i, i, value)),
    ],
    { lr: 1 },
    { lr: 2 },
  );
  assert.deepEqual(
    c.differences,
    [0, 1, 2].map((seed) => ({ block: `seed ${seed}`, difference: 0 })),
  );
  assert.deepEqual([c.p, c.verdict], [1, "indistinguishable"]);
});

Deno.test("rates that differ in the sixth digit are two blocks", () => {
  const rows = [1.00001e-4, 1.00002e-4].flatMap((lr) =>
    ["a", "b"].map((model) => done({ lr, model }, lr))
  );
  const c = compareSettings(rows, { model: "a" }, { model: "b" });
  assert.deepEqual(
    c.differences.map((d) => d.block),
    ["lr 0.000100001, repeat 0", "lr 0.000100002, repeat 0"],
  );
});

Deno.test("six pairs are enough for Wilcoxon's test to reach .05", () => {
  const six = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6];
  const compare = (n: number) =>
    compareSettings(
      [
        ...repeated({ lr: 1 }, ...six.slice(0, n).map((v) => v + v * v)),
        ...repeated({ lr: 2 }, ...six.slice(0, n)),
      ],
      { lr: 1 },
      { lr: 2 },
    );
  assert.equal(compare(5).wilcoxon, null);
  near(compare(6).wilcoxon?.p, 0.03125);
});

const fixture = new URL("../fixtures/paired.json", import.meta.url);
const { wilcoxon: pairsOfHits } = JSON.parse(await Deno.readTextFile(fixture));

Deno.test("accuracies are ranked as the hits that they stand for", () => {
  for (const { images, a, b, p } of pairsOfHits) {
    const share = (hits: number) => hits / images;
    const rows = [
      ...repeated({ m: "a" }, ...a.map(share)),
      ...repeated({ m: "b" }, ...b.map(share)),
    ];
    const found = compareSettings(rows, { m: "a" }, { m: "b" }, { alpha: 0.1 });
    near(found.wilcoxon?.p, p);
    const all = compareAll(rows, {
      direction: "maximize",
      baseline: { m: "b" },
      alpha: 0.1,
    });
    near(all.comparisons[0].wilcoxon?.p, p);
  }
});

Deno.test("rounding alone makes no difference, no better setting and no other rank", () => {
  // Of 3,000 images as many hits in sum, in another order; of seed 0 both
  // differ by 5 hits, once up and once down.
  const hits = (m: string, lr: number, ...counts: number[]) =>
    counts.map((k, repeat) => done({ m, lr }, k / 3000, repeat));
  const rows = [
    ...hits("a", 0.1, 1900, 1901, 1907),
    ...hits("b", 0.1, 1907, 1900, 1901),
    ...hits("a", 0.2, 1905, 1906, 1912),
    ...hits("b", 0.2, 1898, 1907, 1918),
  ];
  const bySeed = compareSettings(rows, { m: "a" }, { m: "b" }, {
    bySeed: true,
  });
  assert.deepEqual(bySeed.sign && [bySeed.sign.zeros, bySeed.sign.p], [3, 1]);
  assert.equal(bySeed.p, 1);

  const noisy = [
    done({ m: "first" }, 0.3),
    done({ m: "second" }, 0.1 + 0.2),
    done({ m: "third" }, 0.2),
  ].map((row) => ({ ...row, maxTestValue: row.value! }));
  noisy[0].maxTestValue = 0.5;
  noisy[1].maxTestValue = 0.4;
  const { swapped, bestChanges } = selectionBias(noisy, {
    direction: "maximize",
  });
  assert.deepEqual([swapped, bestChanges], [0, false]);
  const ranked = compareAll(
    [0, 1].flatMap((repeat) => noisy.map((row) => ({ ...row, repeat }))),
    { direction: "maximize" },
  );
  assert.deepEqual(ranked.baseline, { m: "first" });
  assert.deepEqual(ranked.ranks!.friedman.averageRanks, [1.5, 1.5, 3]);
});

Deno.test("McNemar's test takes the pairs' predictions on the same images", () => {
  const truth = Uint8Array.from([0, 1, 2, 0, 1, 2, 0, 1]);
  const wrong = (...at: number[]) =>
    truth.map((label, i) => at.includes(i) ? (label + 1) % 3 : label);
  const rows = [
    { ...done({ lr: 1 }, 0.75), predictions: wrong(0, 1) },
    { ...done({ lr: 2 }, 0.5), predictions: wrong(1, 2, 3, 4) },
    { ...done({ lr: 1 }, 1, 1), predictions: wrong() },
    { ...done({ lr: 2 }, 0.875, 1), predictions: wrong(5) },
    ...[1, 2].map((lr) => done({ lr }, 0.5, 2)),
  ];
  const { mcnemar, text } = compareSettings(rows, { lr: 1 }, { lr: 2 }, {
    truth,
  });
  assert.deepEqual(
    mcnemar!.perPair.map(({ block, b, c }) => [block, b, c]),
    [["repeat 0", 3, 1], ["repeat 1", 1, 0]],
  );
  assert.deepEqual([mcnemar!.pooled.b, mcnemar!.pooled.c], [4, 1]);
  near(mcnemar!.pooled.exactP, 0.375);
  assert.match(text, /4 only the first gets right, 1 only the second/);
  assert.throws(
    () =>
      compareSettings(rows, { lr: 1 }, { lr: 2 }, { truth: truth.slice(1) }),
    /lr 1, repeat 0 predicted 8 images, 7 have a true class/,
  );
});

Deno.test("an unknown or unequal pair of settings is refused in one line", () => {
  const rows = [done({ lr: 1 }, 0.5), done({ lr: 2 }, 0.5)];
  assert.throws(
    () => compareSettings(rows, { lr: 1 }, { lr: 3 }),
    /no trial has lr 3: there are lr 1; lr 2/,
  );
  assert.throws(
    () => compareSettings(rows, { lr: 1 }, { depth: 2 }),
    /give two values of the same parameters/,
  );
});

Deno.test("published depths of the CLS model are indistinguishable by rank or after Holm", async () => {
  const rows = await published("nonmulti-depth", ["depth", "lr"]);
  const all = compareAll(rows, { direction: "maximize", by: ["depth"] });
  assert.deepEqual(
    all.settings.map((s) => [s.params.depth, (100 * s.mean!).toFixed(2)]),
    [[4, "84.56"], [2, "84.39"], [8, "84.33"], [6, "83.87"]],
  );
  assert.deepEqual(all.baseline, { depth: 4 });
  // SciPy and statsmodels: ttest_rel, multipletests(method="holm").
  const [two, eight, six] = all.comparisons;
  near(six.rawP, 0.03212612161464016);
  near(six.p, 0.09637836484392048);
  assert.deepEqual([two.p, eight.p], [1, 1]);
  assert.equal(six.verdict, "indistinguishable");
  assert.match(six.text, /indistinguishable \(p = \.096 after Holm\)/);
  // SciPy: friedmanchisquare, f.sf, studentized_range.
  const { friedman, nemenyi, blocks } = all.ranks!;
  near(friedman.chi2, 4.92);
  near(friedman.fP, 0.1750813060041662);
  assert.deepEqual(friedman.averageRanks, [1.8, 2, 2.8, 3.4]);
  near(nemenyi.criticalDifference, 2.0976056585788982, 1e-8);
  assert.equal(blocks.length, 5);
  assert.match(all.lines[3], /depth 4 was picked as the best by these runs/);
  assert.match(all.lines[4], /mean ranks 1\.80 \(depth 4\).* 2\.10 apart/);
});

Deno.test("all settings are held against a given baseline, failed ones too", () => {
  const rows = [
    ...repeated({ lr: 1 }, 0.5, 0.52, 0.54),
    ...repeated({ lr: 2 }, 0.8, 0.82, 0.85),
    ...repeated({ lr: 3 }, 0.51, 0.51, 0.54),
    failed({ lr: 4 }),
  ];
  const all = compareAll(rows, { direction: "minimize", baseline: { lr: 2 } });
  assert.deepEqual(all.settings.map((s) => s.params.lr), [1, 3, 2, 4]);
  assert.deepEqual(
    all.comparisons.map((c) => [c.a.lr, c.verdict]),
    [[1, "differs"], [3, "differs"], [4, "too few repeats"]],
  );
  // Of a loss the least value has rank 1.
  assert.deepEqual(all.ranks!.settings.map((p) => p.lr), [1, 3, 2]);
  assert.deepEqual(all.ranks!.friedman.averageRanks, [1.5, 1.5, 3]);
  const unranked = compareAll(rows, {
    ...{ direction: "minimize", baseline: { lr: 2 }, ranked: false },
  });
  assert.deepEqual(unranked.comparisons, all.comparisons);
  assert.equal(unranked.ranks, null);
  assert.throws(
    () => compareAll(rows, { direction: "minimize", baseline: { lr: 5 } }),
    /no trial has the baseline lr 5/,
  );
  assert.throws(
    () => compareAll([failed({ lr: 1 })], { direction: "maximize" }),
    /no trial is complete/,
  );
});

Deno.test("with one repeat nothing is told apart and nothing ranked", () => {
  const rows = [1, 2, 3].map((lr) => done({ lr }, lr / 10));
  const all = compareAll(rows, { direction: "maximize" });
  assert.deepEqual(all.baseline, { lr: 3 });
  assert.equal(all.ranks, null);
  assert.ok(all.comparisons.every((c) => /too few repeats: n=1/.test(c.text)));
});

Deno.test("ten times the settings are compared with ten times the work", () => {
  let reads = 0;
  const readsOf = (settings: number) => {
    reads = 0;
    const rows = Array.from({ length: 3 * settings }, (_, i) => ({
      ...done({}, 0.5 + (i * 7919 % 1000) / 5000, i % 3),
      get params() {
        reads++;
        return { lr: Math.floor(i / 3) };
      },
    }));
    compareAll(rows, {
      direction: "maximize",
      by: ["lr"],
      baseline: { lr: 0 },
      bootstrap: false,
    });
    return reads;
  };
  assert.ok(readsOf(600) < 11 * readsOf(60));
});

// Planning

Deno.test("a plan tells the repeats that a difference needs", () => {
  // statsmodels' TTestPower: 5.0855 pairs, and 1.0159 points for 5.
  const plan = repeatsPlan({ difference: 0.01, sd: 0.00604, present: 5 });
  assert.equal(plan.needed, 6);
  near(plan.detectable, 0.01015926, 1e-8);
  assert.equal(
    plan.text,
    "6 paired repeats can detect a difference of 1.0 points (80 % power, alpha 0.05, " +
      "sd of differences 0.6 points); the present 5 can detect 1.0 points or more",
  );
  const single = repeatsPlan({ difference: 0.01, sd: 0.006, present: 1 });
  assert.equal(single.detectable, null);
  assert.match(single.text, /one repeat can detect none/);
});
