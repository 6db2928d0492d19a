// TPE's densities against Optuna 5.0.0 (fixtures/tpe.json), its draws to them.
import assert from "node:assert/strict";
import type { Params } from "../../lib/study/definition.ts";
import { logNormalCdf, logNormalMass } from "../../lib/study/search/normal.ts";
import {
  estimator,
  kernelWeights,
  normalsOf,
} from "../../lib/study/search/parzen.ts";
import { uniforms } from "../../lib/study/search/random_search.ts";
import {
  fromInterval,
  interval,
  isInSpace,
  type NumberSpace,
  type Observation,
  type Spaces,
} from "../../lib/study/search/space.ts";
import { modelsOf, splitObservations } from "../../lib/study/search/tpe.ts";

/** Values by trial, kernel or point, with spaces between. */
type Row = string;
interface Side {
  weights: Row;
  mus: Record<string, Row>;
  sigmas: Record<string, Row>;
  logs: Row;
}
interface Case {
  direction: "maximize" | "minimize";
  values: Row;
  prunedAt: Row;
  below: Row;
  observed: Record<string, Row>;
  groups: {
    points: Record<string, Row>;
    below: Side;
    above: Side;
    gains: Row;
  }[];
}
const fixture = JSON.parse(
  await Deno.readTextFile(new URL("../fixtures/tpe.json", import.meta.url)),
) as {
  spaces: Spaces;
  cases: Case[];
  logNormalCdf: { z: Row; log: Row };
  logNormalMass: { a: Row; b: Row; log: Row };
};

/** The fixture's spaces of these names. */
const spacesOf = (names: string[]): Spaces =>
  Object.fromEntries(names.map((name) => [name, fixture.spaces[name]]));

const numbers = (row: Row) =>
  row.split(" ").map((x) => Number(x.replace("inf", "Infinity")));

/** Points of rows by parameter; choices are words, - is none. */
function pointsOf(rows: Record<string, Row>): Params[] {
  const points: Params[] = [];
  for (const [name, row] of Object.entries(rows)) {
    row.split(" ").forEach((word, i) => {
      points[i] ??= {};
      if (word === "-") return;
      points[i][name] = Number.isNaN(Number(word)) ? word : Number(word);
    });
  }
  return points;
}

function near(found: number[], expected: number[], what: string) {
  assert.equal(found.length, expected.length, what);
  found.forEach((x, i) =>
    assert.ok(
      Math.abs(x - expected[i]) <= 1e-9 * Math.max(1, Math.abs(expected[i])),
      `${what}, ${i}: ${x} is not ${expected[i]}`,
    )
  );
}

/** What a case knows: observations first, running points behind them. */
function readCase(fixed: Case) {
  const points = pointsOf(fixed.observed);
  const prunedAt = fixed.prunedAt.split(" ");
  const values = numbers(fixed.values);
  const count = values.filter((v) => !Number.isNaN(v)).length;
  const observations = points.slice(0, count).map((params, i): Observation => ({
    params,
    value: values[i],
    prunedAt: prunedAt[i] === "-" ? undefined : Number(prunedAt[i]),
  }));
  return {
    observations,
    running: points.slice(count),
    good: numbers(fixed.below),
  };
}

Deno.test("log P(Z <= z) agrees with SciPy from -40 to 6", () => {
  const { z, log } = fixture.logNormalCdf;
  near(numbers(z).map(logNormalCdf), numbers(log), "log");
});

Deno.test("the mass between two ends is Optuna's, far out on either side too", () => {
  const { a, b, log } = fixture.logNormalMass;
  const highs = numbers(b);
  near(
    numbers(a).map((low, i) => logNormalMass(low, highs[i])),
    numbers(log),
    "log",
  );
});

for (const fixed of fixture.cases) {
  const { observations, running, good } = readCase(fixed);
  const { direction } = fixed;
  const count = `${observations.length} observations`;

  Deno.test(`the good ones of ${count} are those that Optuna takes`, () => {
    const { below, above } = splitObservations(observations, direction);
    assert.deepEqual(below, good.map((i) => observations[i]));
    assert.deepEqual(above, observations.filter((_, i) => !good.includes(i)));
  });

  Deno.test(`weights, centres, widths and joint densities of ${count} are Optuna's`, () => {
    for (const { points, ...sides } of fixed.groups) {
      const names = Object.keys(points);
      const spaces = spacesOf(names);
      for (const side of ["below", "above"] as const) {
        const seen = observations
          .filter((_, i) => good.includes(i) === (side === "below"))
          .map(({ params }) => params)
          .concat(side === "above" ? running : [])
          .filter((params) => names.every((name) => name in params));
        const expected = sides[side];
        const what = `${names} ${side}`;
        near(kernelWeights(seen.length), numbers(expected.weights), what);
        for (const name of Object.keys(expected.mus)) {
          const { mus, sigmas } = normalsOf(
            spaces[name] as NumberSpace,
            seen.map((params) => Number(params[name])),
          );
          near(mus, numbers(expected.mus[name]), `${what}: mus of ${name}`);
          near(sigmas, numbers(expected.sigmas[name]), `${what}: ${name}`);
        }
        const { logDensity } = estimator(spaces, seen);
        near(
          pointsOf(points).map(logDensity),
          numbers(expected.logs),
          `${what}: log density`,
        );
      }
    }
  });

  Deno.test(`parameters are drawn together, and points preferred, as Optuna does after ${count}`, () => {
    const spaces = spacesOf(Object.keys(fixed.observed));
    const models = modelsOf(spaces, observations, { direction, running });
    assert.equal(models.length, fixed.groups.length);
    models.forEach(({ draw, gain }, i) => {
      const { points, gains } = fixed.groups[i];
      assert.deepEqual(
        Object.keys(draw(uniforms("test"))),
        Object.keys(points),
      );
      near(pointsOf(points).map(gain), numbers(gains), `gain, group ${i}`);
    });
  });
}

Deno.test("draws come as often as the joint density says", () => {
  const n = 20_000;
  const one = (name: string, values: number[]): Params[] =>
    values.map((value) => ({ [name]: value }));
  const range = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, k) => from + k);
  const cases: { seen: Params[]; all: Params[] }[] = [
    {
      seen: [
        { opt: "adam", depth: 3 },
        { opt: "adam", depth: 4 },
        { opt: "sgd", depth: 12 },
      ],
      all: ["sgd", "adam", "adamw"].flatMap((opt) =>
        range(1, 12).map((depth) => ({ opt, depth }))
      ),
    },
    {
      seen: one("drop", [0.1, 0.4]),
      all: one("drop", range(0, 10).map((k) => k / 20)),
    },
    { seen: one("width", [8, 9, 512]), all: one("width", range(8, 512)) },
  ];
  for (const { seen, all } of cases) {
    const names = Object.keys(seen[0]);
    const { draw, logDensity } = estimator(spacesOf(names), seen);
    const next = uniforms("test", ...names);
    const counts = new Map<string, number>();
    for (let i = 0; i < n; i++) {
      const point = JSON.stringify(draw(next));
      counts.set(point, (counts.get(point) ?? 0) + 1);
    }
    let total = 0;
    for (const point of all) {
      const p = Math.exp(logDensity(point));
      const text = JSON.stringify(point);
      const found = counts.get(text) ?? 0;
      const sd = Math.sqrt(n * p * (1 - p));
      assert.ok(
        Math.abs(found - n * p) < 4 * sd + 1,
        `${text}: ${found} of ${n}, not ${n * p}`,
      );
      total += p;
    }
    assert.ok(Math.abs(total - 1) < 1e-9, `${names}: ${total}`);
  }
});

Deno.test("draws of a float and a choice have the joint density's share in each tenth", () => {
  const n = 20_000;
  const cases: [string, [number, string][]][] = [
    ["x", [[-1.9, "sgd"], [2.5, "adam"], [2.6, "adam"]]],
    ["lr", [[1e-4, "sgd"], [0.05, "adamw"]]],
  ];
  for (const [name, seen] of cases) {
    const spaces = spacesOf([name, "opt"]);
    const space = spaces[name] as NumberSpace;
    const { draw, logDensity } = estimator(
      spaces,
      seen.map(([x, opt]) => ({ [name]: x, opt })),
    );
    const { low, high } = interval(space);
    const counts = new Map<string, number>();
    const next = uniforms("test", name);
    for (let i = 0; i < n; i++) {
      const { [name]: x, opt } = draw(next);
      assert.ok(isInSpace(space, x));
      const scaled = space.log ? Math.log(Number(x)) : Number(x);
      const tenth = Math.floor(10 * (scaled - low) / (high - low));
      const cell = `${opt} ${Math.min(9, tenth)}`;
      counts.set(cell, (counts.get(cell) ?? 0) + 1);
    }
    for (const opt of ["sgd", "adam", "adamw"]) {
      for (let tenth = 0; tenth < 10; tenth++) {
        let p = 0; // by the midpoints of 200 pieces
        for (let k = 0; k < 200; k++) {
          const x = low + (high - low) * (tenth + (k + 0.5) / 200) / 10;
          p += Math.exp(logDensity({ [name]: fromInterval(space, x), opt })) *
            (high - low) / 2000;
        }
        const cell = `${opt} ${tenth}`;
        const found = counts.get(cell) ?? 0;
        const sd = Math.sqrt(n * p * (1 - p));
        assert.ok(Math.abs(found - n * p) < 4 * sd + 1, `${name}, ${cell}`);
      }
    }
  }
});
