/** Verdicts: the rules that claims are judged by. */
import assert from "node:assert/strict";
import {
  better,
  byRule,
  type Effect,
  effects,
  equal,
  gains,
  keepUnlessBeaten,
  noGain,
  peakWithin,
} from "../../lib/reports/mod.ts";
import type { Row } from "../../lib/rows/mod.ts";

/** Effects of values against 0, three seeds each, about `gain` ± `spread`. */
const of = (...gains: [gain: number, spread: number][]): Effect[] =>
  effects(
    [[0, 0] as const, ...gains].flatMap(([gain, spread], value) =>
      [-1, 0, 1].map((side, repeat): Row => ({
        value_: value,
        repeat,
        seed: repeat,
        accuracy: 0.5 + 0.1 * repeat + gain + side * spread,
      }))
    ),
    { of: "value_", base: 0 },
  );

const RULES = { noGain, gains, better, equal };
const SIGNS = { "✓": "holds", "✗": "does not hold", "?": "cannot tell" };

/** Effects, and each rule's verdict of them in the order of RULES. */
const CASES: [what: string, effects: Effect[], verdicts: string][] = [
  ["nothing ran", [], "????"],
  ["a clear gain", of([0.05, 0.001]), "✗✓✓✗"],
  ["a clear loss", of([-0.05, 0.001]), "✓✗✗✗"],
  ["hardly a difference", of([0.0005, 0.001]), "✓✗?✓"],
  ["noise", of([0.01, 0.05]), "????"],
  ["one gains, one loses", of([0.05, 0.001], [-0.05, 0.001]), "✗✓✗✗"],
];

for (const [what, list, verdicts] of CASES) {
  Deno.test(`${what}: each rule gives its verdict`, () => {
    for (const [i, [name, judge]] of Object.entries(RULES).entries()) {
      const { verdict, ours, why } = judge(list);
      const wanted = SIGNS[verdicts[i] as keyof typeof SIGNS];
      assert.equal(verdict, wanted, `${name}: ${why}`);
      assert.doesNotMatch(ours + why, /NaN|undefined|null/);
    }
  });
}

Deno.test("where no side is shown to be better, a small effect is told from a small sample", () => {
  const small = better(of([0.0005, 0.001]));
  assert.equal(small.under, "one point");
  assert.match(small.why, /; any difference is under one point;/);
  assert.equal(better(of([0.0005, 0.001]), { points: 0.2 }).under, undefined);
  assert.equal(better(of([0.01, 0.05])).under, undefined);
  assert.equal(better(of([0.05, 0.001])).under, undefined);
});

Deno.test("two seeds carry no verdict, and an open one says how many would", () => {
  const two = of([0.05, 0.001]).map((e) => ({ ...e, n: 2 }));
  assert.equal(noGain(two).why, "2 paired seeds are too few");
  assert.match(
    noGain(of([0.01, 0.05])).why,
    /^no gain is shown, but one of one point cannot be ruled out; at the upper 80 % limit .* paired repeats can detect a difference of 1\.0 points/,
  );
});

Deno.test("the base is kept unless another value beats it, then the one that gains most", () => {
  assert.equal(keepUnlessBeaten(of([0.01, 0.05])), 0);
  assert.equal(keepUnlessBeaten(of([0.03, 0.001], [0.05, 0.001])), 2);
  assert.equal(keepUnlessBeaten([]), undefined);
});

Deno.test("a peak lies within, partly within or outside an interval", () => {
  const rows = [1e-4, 1e-3, 1e-2].flatMap((lr) =>
    [0, 1, 2].map((repeat): Row => ({
      lr,
      repeat,
      seed: repeat,
      accuracy: (lr === 1e-3 ? 0.6 : 0.3) + 0.001 * repeat *
          (lr === 1e-4 ? 2 : 1),
    }))
  );
  const verdict = (low: number, high: number) =>
    peakWithin(rows, "lr", [low, high]).verdict;
  assert.equal(verdict(5e-4, 2e-3), "holds");
  assert.equal(verdict(1e-5, 2e-4), "does not hold");
  const noise = [[0.5, 0.56, 0.45], [0.55, 0.5, 0.47], [0.46, 0.53, 0.51]];
  const flat = rows.map((r, i) => ({
    ...r,
    accuracy: noise[Math.floor(i / 3)][r.repeat],
  }));
  assert.equal(peakWithin(flat, "lr", [5e-4, 2e-3]).verdict, "cannot tell");
  assert.equal(
    peakWithin([], "lr", [0, 1], { missing: "depth 4 has no finished run" })
      .why,
    "depth 4 has no finished run",
  );
  const only = peakWithin(rows, "lr", [5e-4, 2e-3], { onlyAt: "paper" });
  assert.equal(only.onlyAt?.profile, "paper");
  assert.match(only.onlyAt!.because, /^the best rate depends on net/);
});

Deno.test("a rule of one's own: what is missing counts before what fails and holds", () => {
  const all = { missing: "too few", fails: "worse", holds: "so it is" };
  const at = (reasons: Partial<Parameters<typeof byRule>[1]>) => {
    const { verdict, why } = byRule("1 of 2", {
      fails: false,
      holds: false,
      open: "both are possible",
      ...reasons,
    });
    return [verdict, why];
  };
  assert.deepEqual(at(all), ["cannot tell", "too few"]);
  assert.deepEqual(at({ ...all, missing: false }), ["does not hold", "worse"]);
  assert.deepEqual(at({ holds: "so it is" }), ["holds", "so it is"]);
  assert.deepEqual(at({}), ["cannot tell", "both are possible"]);
  // deno-lint-ignore no-explicit-any
  assert.throws(() => at({ holds: true } as any), /byRule: holds is true: /);
  assert.throws(() => at({ fails: undefined }), /byRule: fails is undefined: /);
});

Deno.test("a base that was never tried is named, with what was", () => {
  const rows = [2, 4].map((depth) => ({ depth, repeat: 0, accuracy: 0.5 }));
  assert.equal(
    noGain(effects(rows, { of: "depth", base: 8 })).why,
    "depth 8 was not tried: there are depth 2; depth 4",
  );
});

Deno.test("words name the test that was made", () => {
  const arms = (seeds: number[][]) =>
    effects(
      seeds.flatMap((own, value) =>
        own.map((seed, repeat): Row => ({
          arm: value,
          ...{ repeat, seed },
          accuracy: 0.5 + 0.1 * value + 0.001 * repeat * (1 + value),
        }))
      ),
      { of: "arm", base: 0 },
    );
  const apart = better(arms([[1, 2, 3], [4, 5, 6]]), { seeds: true });
  assert.equal(
    apart.why,
    "arm 1 is better than 0 (unpaired t tests, as no seed is shared, Holm); " +
      "no seed is shared",
  );
  assert.match(
    better(arms([[1, 2, 3], [1, 2, 3], [4, 5, 6]])).why,
    /\(t tests, paired where seeds are shared, Holm\)$/,
  );
  assert.equal(
    better(arms([[1, 2], [4, 5]])).why,
    "2 unpaired seeds are too few",
  );
});

Deno.test("what Holm's correction leaves open says that an interval is uncorrected", () => {
  const [e] = of([0.05, 0.02]);
  const verdict = "indistinguishable";
  const open: Effect = { ...e, verdict, isBetter: false };
  const { why } = better([{ ...open, low: 0.001, high: 0.09 }]);
  assert.match(
    why,
    /^1 vs 0: cannot be distinguished \(paired t tests, Holm\); an interval is of its comparison alone; at/,
  );
  assert.doesNotMatch(
    better([{ ...open, low: -0.01, high: 0.1 }]).why,
    /alone/,
  );
});

Deno.test("a difference without an interval is not equal", () => {
  const [e] = of([0.0005, 0.001]);
  const { verdict, why } = equal([{ ...e, low: null, high: null }]);
  assert.equal(verdict, "cannot tell");
  assert.match(why, /^there is no interval/);
});

Deno.test("a margin that is none, and effects that are none, are one line", () => {
  for (const points of [NaN, -1]) {
    assert.throws(
      () => noGain([], { points }),
      /^StudyError: noGain: points is .*: give a number from 0$/,
    );
  }
  assert.throws(() => noGain([], { points: "1" as never }), {
    message: 'noGain: points is the text "1": give a number from 0',
  });
  const promise = Promise.resolve([]) as unknown as Effect[];
  assert.throws(() => better(promise), /better: the rows are a promise/);
});

Deno.test("a peak needs numbers, a range and more than one value", () => {
  const rows = (...values: unknown[]) =>
    values.flatMap((lr, i) =>
      [0, 1, 2].map((repeat): Row => ({ lr, repeat, accuracy: 0.5 + 0.1 * i }))
    );
  const at = (values: unknown[], low = 1e-4, high = 1e-2) =>
    peakWithin(rows(...values), "lr", [low, high]);
  assert.equal(at([1e-3]).verdict, "cannot tell");
  assert.equal(at([1e-3]).why, "only 1e-3 was tried");
  assert.throws(() => at(["1e-3", "1e-2"]), /lr "1e-3" is no number/);
  assert.throws(
    () => at([1e-3, 1e-2], 1e-2, 1e-4),
    /^StudyError: peakWithin: the range is 0\.01 to 0\.0001: give its low end first$/,
  );
  assert.throws(() => peakWithin([], "lr", [NaN, 1]), /the range is NaN to 1/);
});
