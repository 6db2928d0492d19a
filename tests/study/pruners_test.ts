// Pruners against the answers of Optuna 5.0.0's (fixtures/pruners.json).
import assert from "node:assert/strict";
import {
  type Curve,
  type Pruner,
  pruneReason,
  PrunerSchema,
} from "../../lib/study/pruners.ts";

type Direction = "maximize" | "minimize";
const { sets } = JSON.parse(
  await Deno.readTextFile(new URL("../fixtures/pruners.json", import.meta.url)),
) as {
  sets: {
    pruner: Pruner;
    direction: Direction;
    curves: string[];
    fails: string;
    reports: string;
    prunes: string;
  }[];
};

/** A curve whose first value is epoch 1's. */
function curve(values: number[], finished = false): Curve {
  return { values: new Map(values.map((v, i) => [i + 1, v])), finished };
}

for (const { pruner, direction, ...set } of sets) {
  const { kind, ...rules } = pruner;
  const what = `${kind} ${JSON.stringify(rules)}, ${direction}`;
  Deno.test(`prunes as Optuna does: ${what}`, () => {
    const curves = set.curves.map((row) =>
      row.split(" ").map((v, i): [number, string] => [i + 1, v])
        .filter(([, v]) => v !== "-")
        .map(([epoch, v]): [number, number] => [
          epoch,
          Number(v.replace("inf", "Infinity")),
        ])
    );
    const fails = set.fails.split(" ").map(Number);
    const trials = new Map<number, { values: Map<number, number> } & Curve>();
    set.reports.split(" ").map(Number).forEach((i, event) => {
      const trial = trials.get(i) ?? { values: new Map(), finished: false };
      trials.set(i, trial);
      const [epoch, value] = curves[i][trial.values.size];
      trial.values.set(epoch, value);
      const others = [...trials.values()].filter((other) => other !== trial);
      const reason = pruneReason(pruner, trial, others, epoch, direction);
      assert.equal(
        reason !== null,
        set.prunes[event] === "1",
        `report ${event}: trial ${i} after epoch ${epoch}: ${reason}`,
      );
      trial.finished = reason === null &&
        trial.values.size === curves[i].length && !fails.includes(i);
    });
    assert.ok(set.prunes.includes("1") && set.prunes.includes("0"));
  });
}

const five = [0.1, 0.2, 0.3, 0.4, 0.5].map((v) => curve([v, v], true));

Deno.test("a reason says in one line what fell short of what", () => {
  assert.equal(
    pruneReason({ kind: "median" }, curve([0.2, 0.25]), five, 2, "maximize"),
    "its best, 0.25, is worse than the median 0.3 of 5 finished trials",
  );
  assert.equal(
    pruneReason({ kind: "asha" }, curve([0.2]), five, 1, "maximize"),
    "its value 0.2 is not among the best 1 of 6 trials at this rung",
  );
  assert.equal(
    pruneReason(
      { kind: "patience", epochs: 1 },
      curve([0.6, 0.5, 0.4]),
      [],
      3,
      "maximize",
    ),
    "its best of the last 2 values, 0.5, is worse than its best before, 0.6",
  );
});

Deno.test("without a pruner, and without a value at the epoch, a trial goes on", () => {
  const worst = curve([0, 0]);
  assert.equal(pruneReason({ kind: "none" }, worst, five, 2, "maximize"), null);
  for (const kind of ["median", "asha"] as const) {
    assert.notEqual(pruneReason({ kind }, worst, five, 1, "maximize"), null);
    assert.equal(pruneReason({ kind }, worst, five, 3, "maximize"), null);
  }
});

Deno.test("a trial's values after the epoch do not count", () => {
  const trial = curve([0.1, 0.9]);
  assert.notEqual(
    pruneReason({ kind: "median" }, trial, five, 1, "maximize"),
    null,
  );
});

Deno.test("infinite values have their place in the median", () => {
  const others = [1, 2, Infinity].map((v) => curve([v], true));
  const pruner: Pruner = { kind: "median", startup: 1 };
  const stops = (value: number) =>
    pruneReason(pruner, curve([value]), others, 1, "minimize") !== null;
  assert.deepEqual([stops(2), stops(2.5)], [false, true]);
});

Deno.test("the schema fills the defaults in and refuses the rest in one line", () => {
  assert.deepEqual(PrunerSchema.parse({ kind: "median" }), {
    kind: "median",
    startup: 5,
    warmup: 0,
    interval: 1,
    minTrials: 1,
  });
  assert.deepEqual(PrunerSchema.parse({ kind: "asha" }), {
    kind: "asha",
    reduction: 4,
    minEpochs: 1,
    earlyStoppingRate: 0,
  });
  assert.deepEqual(
    PrunerSchema.parse({ kind: "patience", epochs: 3 }),
    { kind: "patience", epochs: 3, minDelta: 0 },
  );
  const fault = (input: unknown) =>
    PrunerSchema.safeParse(input).error?.issues
      .map(({ path, message }) => `${path.join(".")}: ${message}`);
  assert.deepEqual(fault({ kind: "asha", reduction: 1 }), [
    "reduction: got 1; give a whole number from 2",
  ]);
  assert.deepEqual(fault({ kind: "patience", epochs: 3, minDelta: -1 }), [
    "minDelta: got -1; give a number from 0",
  ]);
  assert.deepEqual(fault({ kind: "hyperband" }), [
    'kind: got "hyperband"; give a pruner of kind none, median, asha or patience',
  ]);
});
