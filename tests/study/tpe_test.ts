// TPE against Optuna 5.0.0 (fixtures/tpe.json): its densities and its success.
import assert from "node:assert/strict";
import type { Params, ParamValue } from "../../lib/study/definition.ts";
import { logNormalCdf } from "../../lib/study/search/normal.ts";
import {
  choiceProbabilities,
  estimator,
  mixtureOf,
} from "../../lib/study/search/parzen.ts";
import { randomPoint, uniforms } from "../../lib/study/search/random.ts";
import {
  fromInterval,
  interval,
  type NumberSpace,
  type Observation,
  type Space,
  type Spaces,
  within,
} from "../../lib/study/search/space.ts";
import { splitObservations, tpePoint } from "../../lib/study/search/tpe.ts";

interface Side {
  logs: string;
  probabilities?: string;
  weights: string;
  mus: string;
  sigmas: string;
}
/** Of the best values of `n` searches. */
interface Quality {
  mean: number;
  sd: number;
  n: number;
}
interface Case {
  direction: "maximize" | "minimize";
  values: string;
  below: string;
  params: Record<
    string,
    { observed: string; points: string; below: Side; above: Side }
  >;
}
const fixture = JSON.parse(
  await Deno.readTextFile(new URL("../fixtures/tpe.json", import.meta.url)),
) as {
  spaces: Spaces;
  cases: Case[];
  logNormalCdf: { z: string; log: string };
  quality: Record<string, { tpe: Quality; random: Quality }>;
};

const numbers = (row: string) =>
  row.split(" ").map((x) => Number(x.replace("inf", "Infinity")));

/** Values of the fixture; those of choices are words. */
const values = (row: string): ParamValue[] =>
  row.split(" ").map((x) => Number.isNaN(Number(x)) ? x : Number(x));

function near(found: number[], expected: number[], what: string) {
  assert.equal(found.length, expected.length, what);
  found.forEach((x, i) =>
    assert.ok(
      Math.abs(x - expected[i]) <= 1e-9 * Math.max(1, Math.abs(expected[i])),
      `${what}, ${i}: ${x} is not ${expected[i]}`,
    )
  );
}

/** The observations of a case, and the places of those below. */
function observationsOf(fixed: Case): [Observation[], number[]] {
  const observations = numbers(fixed.values)
    .map((value): Observation => ({ value, params: {} }));
  for (const [name, { observed }] of Object.entries(fixed.params)) {
    values(observed).forEach((value, i) => {
      if (value !== "-") observations[i].params[name] = value;
    });
  }
  return [observations, numbers(fixed.below)];
}

Deno.test("log P(Z <= z) agrees with SciPy from -40 to 6", () => {
  const { z, log } = fixture.logNormalCdf;
  near(numbers(z).map(logNormalCdf), numbers(log), "log");
});

Deno.test("the good observations are those that Optuna takes", () => {
  for (const fixed of fixture.cases) {
    const [observations, good] = observationsOf(fixed);
    const { below, above } = splitObservations(observations, fixed.direction);
    assert.deepEqual(below, good.map((i) => observations[i]));
    assert.deepEqual(above, observations.filter((_, i) => !good.includes(i)));
  }
});

for (const fixed of fixture.cases) {
  const [observations, good] = observationsOf(fixed);
  Deno.test(`weights, centres, widths and densities of ${observations.length} observations are Optuna's`, () => {
    for (const [name, { points, ...sides }] of Object.entries(fixed.params)) {
      const space = fixture.spaces[name];
      for (const side of ["below", "above"] as const) {
        const seen = observations
          .filter((_, i) => good.includes(i) === (side === "below"))
          .map(({ params }) => params[name])
          .filter((value) => value !== undefined);
        const expected = sides[side];
        const what = `${name} ${side}`;
        if (space.kind === "choices") {
          const places = seen.map((value) => space.choices.indexOf(value));
          near(
            choiceProbabilities(space.choices.length, places),
            numbers(expected.probabilities!),
            what,
          );
        } else {
          const found = mixtureOf(space, seen as number[]);
          near(found.weights, numbers(expected.weights), `${what} weights`);
          near(found.mus, numbers(expected.mus), `${what} mus`);
          near(found.sigmas, numbers(expected.sigmas), `${what} sigmas`);
        }
        const { logDensity } = estimator(space, seen);
        near(
          values(points).map(logDensity),
          numbers(expected.logs),
          `${what} log density`,
        );
      }
    }
  });
}

Deno.test("draws come as often as the density says", () => {
  const n = 20_000;
  const spaces: [string, ParamValue[], ParamValue[]][] = [
    ["opt", ["adam", "adam", "sgd"], ["sgd", "adam", "adamw"]],
    ["depth", [3, 4, 11, 12], Array.from({ length: 12 }, (_, k) => k + 1)],
    ["drop", [0.1, 0.4], Array.from({ length: 11 }, (_, k) => k / 20)],
    ["width", [8, 9, 512], Array.from({ length: 505 }, (_, k) => k + 8)],
  ];
  for (const [name, seen, all] of spaces) {
    const { draw, logDensity } = estimator(fixture.spaces[name], seen);
    const next = uniforms("test", name);
    const counts = new Map<ParamValue, number>();
    for (let i = 0; i < n; i++) {
      const value = draw(next);
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    let total = 0;
    for (const value of all) {
      const p = Math.exp(logDensity(value));
      const found = counts.get(value) ?? 0;
      const sd = Math.sqrt(n * p * (1 - p));
      assert.ok(
        Math.abs(found - n * p) < 4 * sd + 1,
        `${name} ${value}: ${found} of ${n}, not ${n * p}`,
      );
      total += p;
    }
    assert.ok(Math.abs(total - 1) < 1e-9, `${name}: ${total}`);
  }
});

Deno.test("float draws have the density's mean share in each tenth", () => {
  const n = 20_000;
  for (const [name, seen] of [["x", [-1.9, 2.5, 2.6]], ["lr", [1e-4, 0.05]]]) {
    const space = fixture.spaces[String(name)] as NumberSpace;
    const { draw, logDensity } = estimator(space, seen as number[]);
    const { low, high } = interval(space);
    const cells = new Array(10).fill(0);
    const next = uniforms("test", String(name));
    for (let i = 0; i < n; i++) {
      const x = Number(draw(next));
      assert.ok(within(space, x));
      const place = ((space.log ? Math.log(x) : x) - low) / (high - low);
      cells[Math.min(9, Math.floor(10 * place))]++;
    }
    cells.forEach((found, cell) => {
      let p = 0; // by the midpoints of 200 pieces
      for (let k = 0; k < 200; k++) {
        const x = low + (high - low) * (cell + (k + 0.5) / 200) / 10;
        p += Math.exp(logDensity(fromInterval(space, x))) *
          (high - low) / 2000;
      }
      const sd = Math.sqrt(n * p * (1 - p));
      assert.ok(Math.abs(found - n * p) < 4 * sd, `${name} ${cell}`);
    });
  }
});

const lr: Space = { kind: "float", low: 1e-6, high: 1e-1, log: true };
const depth: Space = { kind: "int", low: 1, high: 24, log: false, step: 1 };
const optimizer: Space = {
  kind: "choices",
  choices: ["sgd", "adam", "adamw"],
};
const training: Spaces = { lr, depth, optimizer };

/** A loss as of a training: least, 0, for adamw at 10^-2.5 and depth 7. */
function trainingLoss(params: Params): number {
  const best = { sgd: -1.5, adam: -3, adamw: -2.5 };
  const cost = { sgd: 0.3, adam: 0.1, adamw: 0 };
  const name = params.optimizer as keyof typeof best;
  return (Math.log10(Number(params.lr)) - best[name]) ** 2 +
    0.05 * (Number(params.depth) - 7) ** 2 + cost[name];
}

/** Branin's function, least 0.398 at three places. */
function branin(params: Params): number {
  const [x, y] = [Number(params.x), Number(params.y)];
  return (y - 5.1 / (4 * Math.PI ** 2) * x * x + 5 / Math.PI * x - 6) ** 2 +
    10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x) + 10;
}

/** The first `n` points of a search that minimises `loss`. */
function search(
  spaces: Spaces,
  loss: (params: Params) => number,
  seed: number,
  n: number,
): Observation[] {
  const observations: Observation[] = [];
  for (let index = 0; index < n; index++) {
    const params = tpePoint(spaces, observations, {
      direction: "minimize",
      seed,
      index,
    });
    observations.push({ params, value: loss(params) });
  }
  return observations;
}

const seen = search(training, trainingLoss, 5, 30);
const options = { direction: "minimize", seed: 5, index: 30 } as const;
const point = tpePoint(training, seen, options);

Deno.test("a point follows from observations, seed and index alone", () => {
  assert.deepEqual(tpePoint(training, seen, options), point);
  for (const other of [{ seed: 6 }, { index: 31 }]) {
    assert.notDeepEqual(
      tpePoint(training, seen, { ...options, ...other }),
      point,
    );
  }
});

Deno.test("to maximise the negative value is to minimise the value", () => {
  const turned = seen.map(({ params, value }) => ({ params, value: -value }));
  const direction = "maximize";
  assert.deepEqual(
    tpePoint(training, turned, { ...options, direction }),
    point,
  );
});

Deno.test("the first ten points, or as many as startup says, are random ones", () => {
  for (const [n, startup] of [[0, undefined], [9, undefined], [14, 15]]) {
    const at = { ...options, index: n!, startup };
    assert.deepEqual(
      tpePoint(training, seen.slice(0, n), at),
      randomPoint(training, options.seed, n!),
    );
  }
  assert.notDeepEqual(
    tpePoint(training, seen.slice(0, 10), { ...options, index: 10 }),
    randomPoint(training, options.seed, 10),
  );
});

Deno.test("infinite values rank as the best and the worst", () => {
  const ranked = (value: number) =>
    splitObservations(
      [...seen, { params: seen[3].params, value }],
      "minimize",
    );
  assert.ok(ranked(-Infinity).below.some(({ value }) => value === -Infinity));
  assert.ok(ranked(Infinity).above.some(({ value }) => value === Infinity));
});

Deno.test("a parameter is not taught by observations that lack it or are outside of its space", () => {
  const change = (depth?: ParamValue) =>
    seen.map(({ params: { depth: own, ...rest }, value }, i): Observation => {
      if (i % 3 !== 0) return { params: { ...rest, depth: own }, value };
      return { params: depth === undefined ? rest : { ...rest, depth }, value };
    });
  const without = tpePoint(training, change(), options);
  for (const odd of [0, 25, "7", true]) {
    assert.deepEqual(tpePoint(training, change(odd), options), without);
  }
  assert.equal(without.lr, point.lr);
  const none = seen.map(({ value }) => ({ params: {}, value }));
  assert.ok(within(depth, tpePoint(training, none, options).depth));
});

Deno.test("a space of one value gives that value", () => {
  const fixed: Spaces = {
    lr,
    momentum: { kind: "float", low: 0.9, high: 0.9, log: false },
    depth: { ...depth, low: 4, high: 4 },
    nesterov: { kind: "choices", choices: [false] },
  };
  const known = seen.map(({ params, value }) => ({
    params: { lr: params.lr, momentum: 0.9, depth: 4, nesterov: false },
    value,
  }));
  const { lr: _, ...rest } = tpePoint(fixed, known, options);
  assert.deepEqual(rest, { momentum: 0.9, depth: 4, nesterov: false });
});

Deno.test("among finitely many points nearly none is taken twice", () => {
  const spaces: Spaces = { depth: { ...depth, high: 12 }, optimizer };
  const loss = (p: Params) => trainingLoss({ ...p, lr: 10 ** -2.5 });
  const keys = (n: number) =>
    new Set(
      search(spaces, loss, 1, n).slice(10)
        .map(({ params }) => JSON.stringify(params)),
    );
  assert.equal(keys(30).size, 20);
});

Deno.test("a search of 60 points is as good as Optuna's and better than a random one", () => {
  const plane: Spaces = {
    x: { kind: "float", low: -5, high: 10, log: false },
    y: { kind: "float", low: 0, high: 15, log: false },
  };
  for (
    const [name, spaces, loss] of [
      ["branin", plane, branin],
      ["training", training, trainingLoss],
    ] as const
  ) {
    const n = 20;
    const bests = Array.from(
      { length: n },
      (_, seed) =>
        Math.min(...search(spaces, loss, seed, 60).map((o) => o.value)),
    );
    const mean = bests.reduce((a, b) => a + b) / n;
    const { tpe, random } = fixture.quality[name];
    const error = (of: Quality) => of.sd * Math.sqrt(1 / n + 1 / of.n);
    assert.ok(mean < tpe.mean + 2 * error(tpe), `${name}: ${mean}`);
    assert.ok(mean < random.mean - 3 * error(random), `${name}: ${mean}`);
  }
});
