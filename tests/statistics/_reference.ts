// Numbers of SciPy and statsmodels, and how near to them a result must be.
import assert from "node:assert/strict";

async function fixture(name: string) {
  const url = new URL(`../fixtures/${name}.json`, import.meta.url);
  return JSON.parse(await Deno.readTextFile(url));
}

export const metrics = await fixture("metrics");
export const reference = await fixture("statistics");
export const paired = await fixture("paired");

/** Within `tolerance`, absolutely and (where above 1) relatively. */
export function near(
  found: number | null,
  expected: number,
  tolerance = 1e-10,
) {
  const allowed = tolerance * Math.max(1, Math.abs(expected));
  assert.ok(
    found !== null && Math.abs(found - expected) <= allowed,
    `${found} is not ${expected} ± ${allowed}`,
  );
}

/** Within `tolerance` of the number's own size: for tails. */
export function close(found: number, expected: number, tolerance = 1e-10) {
  assert.ok(
    Math.abs(found - expected) <= tolerance * Math.abs(expected),
    `${found} is not ${expected} to ${tolerance} of it`,
  );
}

export function allNear(found: readonly number[], expected: number[]) {
  assert.equal(found.length, expected.length);
  expected.forEach((value, i) => near(found[i], value));
}
