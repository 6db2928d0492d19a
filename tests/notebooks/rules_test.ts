/** The rules that stand in one notebook's cells, over rows made by hand. */
import assert from "node:assert/strict";
import type { Row } from "../../lib/rows/mod.ts";
import { after, gridOf, trial } from "./_cells.ts";

const base = [0.5, 0.51, 0.52];
const plus = (...by: number[]) => base.map((v, i) => v + by[i]);

/** A grid's four rates of profile cpu, the best one at `best`. */
const peakAt = (best: number) =>
  Object.fromEntries(
    [3.16e-4, 1e-3, 3.16e-3, 1e-2].map((lr) => {
      const mean = 0.5 - 0.1 * Math.abs(Math.log10(lr / best));
      return [lr, [0, 0.01, 0.02].map((d) => mean + d)];
    }),
  );

Deno.test("02: the best rate stays, moves, or is not known by the shift of each repeat's", async () => {
  const judged = async (rows: Row[]) =>
    (await after("02-lr-search", ["shift"], { run: rows, "run-beyond": [] }))
      .shift;
  const stays = gridOf({ 4: peakAt(1e-3), 8: peakAt(1e-3) });
  assert.equal((await judged(stays)).verdict, "holds");
  const moved = await judged(
    gridOf({ 4: peakAt(3.16e-3), 8: peakAt(3.16e-4) }),
  );
  assert.equal(moved.verdict, "does not hold");
  assert.match(moved.ours, /depth 8 vs 4: -1.00 decades/);
  const one = await judged(gridOf({ 4: peakAt(1e-3) }));
  assert.match(one.why, /fewer than two depths/);
  const few = await judged(stays.filter((t) => t.repeat < 2));
  assert.match(few.why, /2 paired seeds are too few/);
  assert.equal((await judged([])).verdict, "cannot tell");
});

Deno.test("02: only runs at 1e-1 that predict the most common class confirm the collapse", async () => {
  /** All 6 images of class 0 and all 4 of class 1 predicted as one class. */
  const common = [[6, 0], [4, 0]], other = [[0, 6], [0, 4]];
  const none = [[5, 1], [1, 3]];
  const at = async (lr: number, confusions: number[][][]) => {
    const run = confusions.map((confusion, repeat) =>
      trial({ depth: 4, lr }, repeat, 0.4, { confusion })
    );
    const profile = lr < 0.1 ? "quick" : "cpu";
    const rows = { run, "run-beyond": run };
    return (await after("02-lr-search", ["collapse"], rows, profile)).collapse;
  };
  assert.equal((await at(0.1, [common, common, common])).verdict, "holds");
  assert.equal((await at(0.1, [none, none, none])).verdict, "does not hold");
  assert.equal((await at(0.1, [common, other, none])).verdict, "cannot tell");
  const below = await at(0.01, [other, none, none]);
  assert.equal(below.verdict, "not yet run");
  assert.match(below.ours, /1 of 3 runs predict one class alone, 0 of them/);
});

const longRuns = (run: Row[], cls: Row[] = []) =>
  after(
    "06-long-runs",
    ["needsLength", "sensitivity", "nan", "deeperCls"],
    { run, "run-ends": [], "run-eps": [], "run-cls": cls },
  );

Deno.test("06: the rate matters where the worst one is worse at every depth", async () => {
  const low = plus(-0.2, -0.201, -0.199);
  const judged = async (values: Parameters<typeof gridOf>[0]) =>
    (await longRuns(gridOf(values))).sensitivity;
  const holds = await judged({
    2: { 1e-3: base, 1e-2: low },
    8: { 1e-3: plus(0.01, 0.011, 0.009), 1e-2: low },
  });
  assert.equal(holds.verdict, "holds");
  const noise = await judged({ 2: { 1e-3: base, 1e-2: plus(0.1, -0.1, 0) } });
  assert.match(
    noise.why,
    /the worst rate is not clearly worse than the best at every depth/,
  );
  const one = await judged({ 2: { 1e-3: base, 1e-2: [null] } });
  assert.match(one.why, /no two values have finished runs/);
});

Deno.test("06: NaN is often from one run in five at the highest rate on", async () => {
  const judged = async (diverged: number, of: number) =>
    (await longRuns(gridOf({
      2: {
        3.16e-4: base,
        1e-3: Array.from({ length: of }, (_, i) => i < diverged ? null : .3),
      },
    }))).nan;
  assert.equal((await judged(3, 4)).verdict, "holds");
  assert.equal((await judged(0, 20)).verdict, "does not hold");
  assert.equal((await judged(1, 6)).verdict, "cannot tell");
  assert.match((await judged(3, 4)).ours, /^3 of 4 runs at 1e-3/);
  assert.equal((await longRuns([])).nan.verdict, "cannot tell");
});

Deno.test("06: depth needs length where the deep net gains more from a third to the end", async () => {
  const epoch = (accuracy: number, i: number) => ({
    epoch: i + 1,
    validationAccuracy: accuracy,
    testAccuracy: accuracy,
  });
  const gaining = (depth: number, gains: number[]) =>
    gains.map((gain, repeat) =>
      trial({ depth, lr: 1e-3 }, repeat, 0.4 + gain, {
        history: [0.4, 0.41, 0.4 + gain].map(epoch),
      })
    );
  const judged = async (deep: number[]) => {
    const rows = [...gaining(2, [0.01, 0.02, 0.03]), ...gaining(8, deep)];
    return (await longRuns(rows)).needsLength;
  };
  const { verdict, ours } = await judged([0.111, 0.12, 0.129]);
  assert.equal(verdict, "holds");
  assert.match(ours, /depth 8 vs 2: \+10.00 points/);
  assert.equal((await judged([-.111, -.12, -.129])).verdict, "does not hold");
  assert.equal((await judged([0.01, 0.021, 0.028])).verdict, "cannot tell");
  const short = gridOf({ 2: { 1e-3: base }, 8: { 1e-3: base } });
  assert.equal((await longRuns(short)).needsLength.verdict, "cannot tell");
});

Deno.test("06: the CLS model's depth is judged where it was trained", async () => {
  assert.equal((await longRuns([])).deeperCls.verdict, "not yet run");
  const depths = (gain: number) =>
    gridOf({
      2: { 3.16e-4: base },
      8: { 3.16e-4: plus(gain, gain + .001, gain) },
    });
  const judged = async (gain: number) =>
    (await longRuns([], depths(gain))).deeperCls;
  assert.equal((await judged(0.02)).verdict, "holds");
  assert.equal((await judged(-0.02)).verdict, "does not hold");
});

Deno.test("10: a point repeats where the noise is small, and not where it is large", async () => {
  const judged = async (accuracies: (number | null)[]) => {
    const run = accuracies.map((a, repeat) => trial({ lr: 1e-3 }, repeat, a));
    const { below } = await after("10-repeats", ["below"], {
      run,
      trained: null,
      "result-6": null,
    });
    return below(0.005, "sd", Math.SQRT2).verdict;
  };
  const near = [0.8, 0.8003, 0.7998, 0.8001, 0.7999, 0.8002];
  assert.equal(await judged(near), "holds");
  assert.equal(await judged([0.8, 0.85, 0.75, 0.82, 0.78]), "does not hold");
  assert.equal(await judged([0.8, 0.8001]), "cannot tell");
  assert.equal(await judged([null, null]), "cannot tell");
});

Deno.test("10: equal seeds are equal in every bit, and six repeats see a point", async () => {
  const { repeatsFor, runs } = await after(
    "10-repeats",
    ["repeatsFor", "runs"],
    { run: [] },
  );
  const [a, b, other] = runs.map((r: { text: string }) => r.text);
  assert.equal(a, b);
  assert.notEqual(a, other);
  // By SciPy's noncentral t the power is .705 with 5 and .827 with 6.
  assert.equal(repeatsFor(0.01, 0.00475), 6);
});
