// Random and Sobol' points; the sequence against SciPy's (fixtures/sobol.json).
import assert from "node:assert/strict";
import { StudyError } from "../../lib/study/errors.ts";
import { randomPoint, uniforms } from "../../lib/study/search/random_search.ts";
import { sobolPoint } from "../../lib/study/search/sobol.ts";
import {
  countOfValues,
  isInSpace,
  type Space,
  type Spaces,
  valueInSpace,
} from "../../lib/study/search/space.ts";

const sobol = JSON.parse(
  await Deno.readTextFile(new URL("../fixtures/sobol.json", import.meta.url)),
) as { first: string[]; later: { index: number; point: string }[] };

const unit: Space = { kind: "float", low: 0, high: 1, log: false };
const int = (low: number, high: number, step = 1, log = false): Space => ({
  kind: "int",
  low,
  high,
  log,
  step,
});

/** `n` parameters on [0, 1], named in the order of Sobol' dimensions. */
function cube(n: number): Spaces {
  return Object.fromEntries(
    Array.from({ length: n }, (_, d) => [`x${String(d + 100)}`, unit]),
  );
}

/** How often each value comes at `n` even places of [0, 1). */
function counts(space: Space, n: number): Map<unknown, number> {
  const found = new Map<unknown, number>();
  for (let i = 0; i < n; i++) {
    const value = valueInSpace(space, (i + 0.5) / n);
    found.set(value, (found.get(value) ?? 0) + 1);
  }
  return found;
}

Deno.test("every choice, whole number and step takes as much of the interval", () => {
  const choices: Space = { kind: "choices", choices: ["a", true, 3] };
  assert.deepEqual(
    [...counts(choices, 300)],
    [["a", 100], [true, 100], [3, 100]],
  );
  assert.deepEqual(
    [...counts(int(-1, 2), 400)],
    [[-1, 100], [0, 100], [1, 100], [2, 100]],
  );
  assert.deepEqual(
    [...counts(int(1, 8, 3), 300)],
    [[1, 100], [4, 100], [7, 100]],
  );
  const tenths: Space = {
    kind: "float",
    low: 0.1,
    high: 0.4,
    log: false,
    step: 0.1,
  };
  assert.deepEqual(
    [...counts(tenths, 400)],
    [[0.1, 100], [0.2, 100], [0.3, 100], [0.4, 100]],
  );
  const tiny: Space = { ...tenths, low: 0, high: 4e-200, step: 2e-200 };
  assert.deepEqual([0, 0.5, 0.9].map((u) => valueInSpace(tiny, u)), [
    0,
    2e-200,
    4e-200,
  ]);
});

Deno.test("a float is linear in the interval, and a log float in its logarithm", () => {
  const linear: Space = { kind: "float", low: -2, high: 6, log: false };
  assert.equal(valueInSpace(linear, 0), -2);
  assert.equal(valueInSpace(linear, 0.25), 0);
  const log: Space = { kind: "float", low: 1e-5, high: 1e-1, log: true };
  for (const [u, value] of [[0, 1e-5], [0.25, 1e-4], [0.75, 1e-2]]) {
    const found: number = Number(valueInSpace(log, u));
    assert.ok(Math.abs(found / value - 1) < 1e-12, `${found} at ${u}`);
  }
  assert.ok(Number(valueInSpace(log, 1 - 2 ** -53)) <= 1e-1);
  assert.ok(Number(valueInSpace(log, 0)) >= 1e-5);
});

Deno.test("a whole number k of a log space has the share log((k + ½)/(k - ½))", () => {
  const n = 100_000;
  const found = counts(int(1, 6, 1, true), n);
  for (let k = 1; k <= 6; k++) {
    const share = Math.log((k + 0.5) / (k - 0.5)) / Math.log(6.5 / 0.5);
    assert.ok(Math.abs(found.get(k)! - n * share) <= 1, `${k}`);
  }
  assert.equal(found.size, 6);
});

Deno.test("a space knows its size and what lies within it", () => {
  assert.equal(countOfValues(unit), Infinity);
  assert.equal(countOfValues({ ...unit, high: 0 }), 1);
  assert.equal(countOfValues({ ...unit, high: 0.3, step: 0.1 }), 4);
  assert.equal(countOfValues(int(1, 8, 3)), 3);
  const choices: Space = { kind: "choices", choices: [1, "b", false] };
  assert.equal(countOfValues(choices), 3);
  assert.ok(isInSpace(choices, false) && !isInSpace(choices, "1"));
  assert.ok(isInSpace(unit, 1) && isInSpace(unit, 0) && !isInSpace(unit, 1.01));
  assert.ok(!isInSpace(unit, "0.5") && !isInSpace(unit, undefined));
});

Deno.test("uniforms are even, and a key's stream is its own", () => {
  const next = uniforms("test", 7);
  const drawn = Array.from({ length: 20_000 }, next);
  const mean = drawn.reduce((a, b) => a + b) / drawn.length;
  assert.ok(Math.abs(mean - 0.5) < 4 * Math.sqrt(1 / 12 / drawn.length));
  const cells = new Array(100).fill(0);
  for (const u of drawn) cells[Math.floor(u * 100)]++;
  const chi2 = cells.reduce((sum, c) => sum + (c - 200) ** 2 / 200, 0);
  assert.ok(chi2 < 148.2, `chi² of 99 degrees is ${chi2}`); // P = 0.999
  assert.equal(new Set(drawn).size, drawn.length);
  assert.deepEqual(
    drawn.slice(0, 9),
    Array.from({ length: 9 }, uniforms("test", 7)),
  );
  assert.notEqual(uniforms("test", 8)(), drawn[0]);
});

Deno.test("a random point follows from seed and index alone, and stays when a parameter is added", () => {
  const spaces: Spaces = { lr: unit, depth: int(1, 12) };
  const point = randomPoint(spaces, 3, 5);
  assert.deepEqual(randomPoint(spaces, 3, 5), point);
  assert.notDeepEqual(randomPoint(spaces, 3, 6), point);
  assert.notDeepEqual(randomPoint(spaces, 4, 5), point);
  assert.deepEqual(
    randomPoint({ a: unit, ...spaces }, 3, 5),
    { a: randomPoint({ a: unit }, 3, 5).a, ...point },
  );
  const pair = randomPoint({ a: unit, b: unit }, 3, 5);
  assert.notEqual(pair.a, pair.b);
});

Deno.test("the plain Sobol' sequence is SciPy's in 64 dimensions, bit for bit", () => {
  const at = (index: number) =>
    Object.values(sobolPoint(cube(64), 0, index, { scramble: false }));
  sobol.first.forEach((row, index) =>
    assert.deepEqual(at(index), row.split(" ").map((x) => Number(x) / 64))
  );
  for (const { index, point } of sobol.later) {
    assert.deepEqual(
      at(index),
      point.split(" ").map((x) => Number(x) / 2 ** 30),
    );
  }
});

/** Whether each cell of a grid of `rows` by `columns` holds one point. */
function oneACell(points: number[][], rows: number, columns: number): boolean {
  return new Set(
        points.map(([x, y]) =>
          Math.floor(x * rows) * columns + Math.floor(y * columns)
        ),
      ).size === points.length && points.length === rows * columns;
}

Deno.test("of the first 2^m scrambled points each dyadic interval holds one, in every dimension", () => {
  const dimensions = 40;
  const points = Array.from(
    { length: 256 },
    (_, i) => Object.values(sobolPoint(cube(dimensions), 11, i)).map(Number),
  );
  for (let m = 0; m <= 8; m++) {
    const first = points.slice(0, 2 ** m);
    for (let d = 0; d < dimensions; d++) {
      assert.ok(oneACell(first.map((p) => [p[d], 0]), 2 ** m, 1), `${m} ${d}`);
    }
    // The first two dimensions are a (0, m, 2)-net: so for every shape of cell.
    for (let k = 0; k <= m; k++) {
      const pairs = first.map((p) => [p[0], p[1]]);
      assert.ok(oneACell(pairs, 2 ** k, 2 ** (m - k)), `2^${m}, 2^${k}`);
    }
  }
});

Deno.test("a seed scrambles the sequence in its own way, evenly over the seeds", () => {
  const spaces = cube(3);
  assert.deepEqual(sobolPoint(spaces, 1, 9), sobolPoint(spaces, 1, 9));
  assert.notDeepEqual(sobolPoint(spaces, 1, 9), sobolPoint(spaces, 2, 9));
  assert.notDeepEqual(
    sobolPoint(spaces, 1, 0),
    sobolPoint(spaces, 1, 0, { scramble: false }),
  );
  const firsts = Array.from(
    { length: 1000 },
    (_, seed) => Number(sobolPoint(cube(1), seed, 1).x100),
  );
  const mean = firsts.reduce((a, b) => a + b) / firsts.length;
  assert.ok(Math.abs(mean - 0.5) < 4 * Math.sqrt(1 / 12 / firsts.length));
});

Deno.test("scrambled points integrate a smooth function far better than random ones", () => {
  // The mean of the product of 6 x (1 - x) over [0, 1]^5 is 1.
  const error = (point: (i: number) => Record<string, unknown>) => {
    let sum = 0;
    for (let i = 0; i < 256; i++) {
      sum += Object.values(point(i))
        .reduce<number>((p, x) => p * 6 * Number(x) * (1 - Number(x)), 1);
    }
    return Math.abs(sum / 256 - 1);
  };
  const spaces = cube(5);
  const rms = (errors: number[]) =>
    Math.sqrt(errors.reduce((s, e) => s + e * e, 0) / errors.length);
  const seeds = [0, 1, 2, 3];
  const even = rms(seeds.map((s) => error((i) => sobolPoint(spaces, s, i))));
  const random = rms(seeds.map((s) => error((i) => randomPoint(spaces, s, i))));
  assert.ok(even < random / 5, `${even} against ${random}`);
});

Deno.test("more parameters than Sobol' dimensions are refused in one line", () => {
  assert.throws(
    () => sobolPoint(cube(65), 0, 0),
    (e) => e instanceof StudyError && /up to 64 .* has 65/.test(e.message),
  );
});
