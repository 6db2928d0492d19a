// Power of the paired t test against statsmodels and SciPy.
import assert from "node:assert/strict";
import {
  detectableDifference,
  pairedPower,
  repeatsNeeded,
} from "../../lib/statistics/mod.ts";
import { inOneLine } from "../_refused.ts";
import { near, reference } from "./_reference.ts";

Deno.test("the power of n repeats agrees with statsmodels, in any unit", () => {
  for (const { n, effect, alpha, power } of reference.power) {
    near(pairedPower({ n, difference: effect, sd: 1, alpha }), power);
    near(pairedPower({ n, difference: -3 * effect, sd: 3, alpha }), power);
  }
});

Deno.test("the repeats needed agree with statsmodels, and one fewer is not enough", () => {
  for (const { effect, alpha, power, n } of reference.repeats) {
    const design = { difference: effect, sd: 1, alpha };
    const found = repeatsNeeded({ ...design, power });
    assert.equal(found.n, n);
    assert.equal(found.power, pairedPower({ ...design, n }));
    assert.ok(found.power >= power);
    if (n > 2) assert.ok(pairedPower({ ...design, n: n - 1 }) < power);
  }
});

Deno.test("the detectable difference agrees with SciPy's noncentral t", () => {
  for (const { n, alpha, power, effect } of reference.detectable) {
    const found = detectableDifference({ n, sd: 0.6, alpha, power });
    near(found, 0.6 * effect);
    near(pairedPower({ n, difference: found, sd: 0.6, alpha }), power);
  }
});

Deno.test("no difference is found with the chance alpha; a huge one with 1", () => {
  near(pairedPower({ n: 5, difference: 0, sd: 1 }), 0.05);
  near(pairedPower({ n: 5, difference: 1e6, sd: 1 }), 1);
  assert.equal(repeatsNeeded({ difference: 1e6, sd: 1 }).n, 2);
});

Deno.test("a design that has no answer is refused in one line", () => {
  const refused = (run: () => unknown, words: RegExp) =>
    assert.throws(run, inOneLine("RangeError", words));
  refused(() => repeatsNeeded({ difference: 0, sd: 1 }), /larger difference/);
  refused(() => repeatsNeeded({ difference: NaN, sd: 1 }), /larger difference/);
  refused(() => repeatsNeeded({ difference: 1, sd: 0 }), /sd is 0/);
  refused(
    () => repeatsNeeded({ difference: 1, sd: 1, power: 0.04 }),
    /between alpha and 1/,
  );
  refused(() => pairedPower({ n: 1, difference: 1, sd: 1 }), /n is 1/);
  refused(() => pairedPower({ n: 5, difference: NaN, sd: 1 }), /finite/);
  refused(() => detectableDifference({ n: 2.5, sd: 1 }), /whole repeats/);
  refused(() => detectableDifference({ n: 5, sd: 1, alpha: 5 }), /alpha is 5/);
});
