// What a TPE study's next setting is learned from.
import assert from "node:assert/strict";
import { type Params, parseStudy } from "../../lib/study/definition.ts";
import { spacesOf } from "../../lib/study/points.ts";
import { nextSetting, resultsOf } from "../../lib/study/sampling.ts";
import { randomPoint } from "../../lib/study/search/random_search.ts";
import { tpePoint } from "../../lib/study/search/tpe.ts";
import type { ResultRow, TrialState } from "../../lib/study/store/mod.ts";

const row = (
  params: Params,
  state: TrialState,
  value: number | null = null,
): ResultRow => ({
  ...{ trialId: 0, number: 0, start: null, complete: null },
  ...{ params, state, value },
});
const [a, b, c, d] = [{ x: 1 }, { x: 2 }, { x: 3 }, { x: 4 }];

Deno.test("a setting is one observation with the mean of its repeats", () =>
  assert.deepEqual(
    resultsOf([
      row(a, "COMPLETE", 4),
      row(b, "COMPLETE", 5),
      row(a, "COMPLETE", 2),
      row(a, "PRUNED", 0),
    ], "maximize").observations,
    [
      { params: a, value: 2, prunedAt: undefined },
      { params: b, value: 5, prunedAt: undefined },
    ],
  ));

Deno.test("a setting counts as pruned when all repeats were, one without a value as the worst", () => {
  const rows = [row(a, "PRUNED", 3), row(a, "PRUNED", 4), row(b, "PRUNED")];
  for (
    const [direction, worst] of [
      ["minimize", Infinity],
      ["maximize", -Infinity],
    ] as const
  ) {
    assert.deepEqual(resultsOf(rows, direction).observations, [
      { params: a, value: 3.5, prunedAt: 0 },
      { params: b, value: worst, prunedAt: 0 },
    ]);
  }
});

Deno.test("a setting runs until a repeat ends; one that waits or failed teaches nothing", () => {
  const { observations, running } = resultsOf([
    row(a, "RUNNING"),
    row(a, "RUNNING"),
    row(b, "COMPLETE", 5),
    row(b, "RUNNING"),
    row(c, "WAITING"),
    row(d, "FAIL"),
  ], "minimize");
  assert.deepEqual(observations.map(({ params }) => params), [b]);
  assert.deepEqual(running, [a]);
});

Deno.test("the next setting is TPE's, by the study's startup, seed and direction", () => {
  const study = parseStudy({
    name: "sampling",
    parameters: { lr: { low: 1e-5, high: 0.1, log: true } },
    search: { kind: "tpe", points: 50, startup: 6 },
    seed: 3,
  });
  const spaces = spacesOf(study);
  const at = (index: number) => randomPoint(spaces, 3, index);
  const rows = [0, 1, 2, 3, 4, 5].map((i) => row(at(i), "COMPLETE", i % 4));
  assert.deepEqual(nextSetting(study, rows.slice(1), 6), at(6));
  const { observations } = resultsOf(rows, "maximize");
  const free = tpePoint(spaces, observations, {
    direction: "maximize",
    seed: 3,
    index: 6,
    startup: 6,
  });
  assert.deepEqual(nextSetting(study, rows, 6), free);
  const underWay = [1, 0.9, 1.1].map((k) => ({ lr: k * Number(free.lr) }))
    .map((params) => row(params, "RUNNING"));
  assert.notDeepEqual(nextSetting(study, [...rows, ...underWay], 6), free);
});
