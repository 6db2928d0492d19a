// TPE's points: what they follow from, and how good they are beside Optuna's.
import assert from "node:assert/strict";
import type { Params, ParamValue } from "../../lib/study/definition.ts";
import { randomPoint } from "../../lib/study/search/random_search.ts";
import {
  isInSpace,
  type Observation,
  type Space,
  type Spaces,
} from "../../lib/study/search/space.ts";
import { splitObservations, tpePoint } from "../../lib/study/search/tpe.ts";

/** Of the best values of `n` searches. */
interface Quality {
  mean: number;
  sd: number;
  n: number;
}
const { quality } = JSON.parse(
  await Deno.readTextFile(new URL("../fixtures/tpe.json", import.meta.url)),
) as { quality: Record<string, { tpe: Quality; random: Quality }> };

const lr: Space = { kind: "float", low: 1e-6, high: 1e-1, log: true };
const depth: Space = { kind: "int", low: 1, high: 24, log: false, step: 1 };
const optimizer: Space = { kind: "choices", choices: ["sgd", "adam", "adamw"] };
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
    splitObservations([...seen, { params: seen[3].params, value }], "minimize");
  assert.ok(ranked(-Infinity).below.some(({ value }) => value === -Infinity));
  assert.ok(ranked(Infinity).above.some(({ value }) => value === Infinity));
});

Deno.test("a parameter that some observations lack or have outside of its space is taught by the others", () => {
  const change = (depth?: ParamValue) =>
    seen.map(({ params: { depth: own, ...rest }, value }, i): Observation => {
      if (i % 3 !== 0) return { params: { ...rest, depth: own }, value };
      return { params: depth === undefined ? rest : { ...rest, depth }, value };
    });
  const without = tpePoint(training, change(), options);
  for (const odd of [0, 25, "7", true]) {
    assert.deepEqual(tpePoint(training, change(odd), options), without);
  }
  const { depth: _, ...others } = training;
  const { depth: own, ...rest } = without;
  assert.deepEqual(rest, tpePoint(others, seen, options));
  assert.ok(isInSpace(depth, own));
  const none = seen.map(({ value }) => ({ params: {}, value }));
  const point = tpePoint(training, none, options);
  for (const [name, space] of Object.entries(training)) {
    assert.ok(isInSpace(space, point[name]), name);
  }
});

Deno.test("the next points keep off those that run", () => {
  const near = (running: Params[]) => {
    const points = Array.from(
      { length: 40 },
      (_, seed) => tpePoint(training, seen, { ...options, seed, running }),
    );
    return points.filter(({ lr, depth }) =>
      Math.abs(Math.log10(Number(lr) / Number(point.lr))) < 0.5 &&
      Math.abs(Number(depth) - Number(point.depth)) < 3
    ).length;
  };
  const free = near([]);
  assert.ok(free >= 10, `${free}`);
  assert.ok(near([point]) < free / 4, `${near([point])}`);
});

Deno.test("a space of one value gives that value, and leaves the others as they are", () => {
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
  assert.deepEqual(tpePoint(fixed, known, options), {
    ...tpePoint({ lr }, known, options),
    ...{ momentum: 0.9, depth: 4, nesterov: false },
  });
});

Deno.test("among finitely many points none is taken twice while there are others", () => {
  const spaces: Spaces = { depth: { ...depth, high: 12 }, optimizer }; // 36
  const loss = (p: Params) => trainingLoss({ ...p, lr: 10 ** -2.5 });
  const keys = search(spaces, loss, 1, 30)
    .map(({ params }) => JSON.stringify(params));
  assert.equal(new Set(keys).size, 30);
  const all = search(spaces, loss, 1, 45).map((o) => JSON.stringify(o.params));
  assert.equal(new Set(all.slice(0, 36)).size, 36);
  assert.equal(all.length, 45);
});

Deno.test("among finitely many points none that runs is taken", () => {
  const spaces: Spaces = { depth: { ...depth, high: 12 } };
  const at = (depth: number) => ({
    params: { depth },
    value: (depth - 7) ** 2,
  });
  const known = [1, 2, 3, 4, 5, 6, 9, 10, 11, 12].map(at);
  for (let seed = 0; seed < 20; seed++) {
    const running = [{ depth: 7 }];
    assert.deepEqual(
      tpePoint(spaces, known, { ...options, seed, running }),
      { depth: 8 },
    );
  }
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
    const { tpe, random } = quality[name];
    const error = (of: Quality) => of.sd * Math.sqrt(1 / n + 1 / of.n);
    assert.ok(mean < tpe.mean + 2 * error(tpe), `${name}: ${mean}`);
    assert.ok(mean < random.mean - 3 * error(random), `${name}: ${mean}`);
  }
});
