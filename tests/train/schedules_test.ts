/** Schedules against PyTorch's and timm's lists, and their refusals. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { z } from "zod";
import {
  lrAt,
  plateau,
  riseWarning,
  scheduleCurve,
} from "../../lib/train/learning_rates.ts";
import { parseRecipe } from "../../lib/train/recipe.ts";
import { followsRunLength, Schedule } from "../../lib/train/schedules.ts";

type Plateau = Extract<Schedule, { kind: "plateau" }>;
type State = ReturnType<typeof plateau>;
type Given = z.input<typeof Schedule>;

const { schedules: torch } = JSON.parse(
  readFileSync(new URL("../fixtures/schedules.json", import.meta.url), "utf8"),
);

function near(actual: readonly number[], expected: readonly number[]) {
  assert.equal(actual.length, expected.length);
  actual.forEach((x, i) => {
    const bound = Math.max(1e-12 * Math.abs(expected[i]), 1e-18);
    const off = Math.abs(x - expected[i]);
    assert.ok(off <= bound, `[${i}]: ${x} ≠ ${expected[i]}`);
  });
}

const lrs = (rates: { lr: number }[]) => rates.map((r) => r.lr);

/** Each of the reference's lists but plateau's, as a schedule. */
const references: [name: string, schedule: Given][] = [
  ["exponential_0.955", { kind: "exponential", gamma: 0.955 }],
  ["exponential_0.98", { kind: "exponential", gamma: 0.98 }],
  ["cosine", { kind: "cosine", over: 60 }],
  ["cosine_min", { kind: "cosine", over: 60, min: 1e-5 }],
  ["warmup_cosine", { kind: "warmupCosine", warmup: 5, over: 55 }],
  ["linear_to_zero", { kind: "linear", over: 60 }],
  ["step", { kind: "step", size: 30, gamma: 0.1 }],
  ["onecycle", { kind: "oneCycle", maxLr: 1e-3 }],
  ["onecycle_linear", {
    kind: "oneCycle",
    anneal: "linear",
    cycleMomentum: false,
  }],
  ["timm_warmup_cosine", { kind: "timmCosine", warmup: 94 }],
  ["timm_warmup_cosine_as_written", {
    kind: "timmCosine",
    warmup: 94,
    asWritten: true,
  }],
];
for (const [name, given] of references) {
  Deno.test(`the schedule ${name} gives the reference's rates`, () => {
    const schedule = Schedule.parse(given);
    const { lr, beta1 } = torch[name];
    const run = schedule.kind === "timmCosine"
      ? { stepsPerEpoch: 47, epochs: 6 }
      : schedule.per === "step"
      ? { stepsPerEpoch: 10, epochs: lr.length / 10 }
      : { stepsPerEpoch: 3, epochs: lr.length };
    const rates = scheduleCurve(schedule, 1e-3, run);
    near(lrs(rates), lr);
    if (beta1) near(rates.map((r) => r.beta1!), beta1);
    else assert.ok(rates.every((r) => r.beta1 === undefined));
  });
}

Deno.test("plateau cuts after the reference's epochs, with its counts", () => {
  const t = torch.plateau;
  const schedule = Schedule.parse({
    kind: "plateau",
    factor: t.factor,
    patience: t.patience,
  }) as Plateau;
  const states: State[] = t.metric.map((_: number, i: number) =>
    plateau(schedule, t.base_lr, t.metric.slice(0, i + 1))
  );
  near(lrs(states), t.lr_after_each_epoch);
  assert.deepEqual(states.map((s) => s.badEpochs), t.bad_epochs);
  near(states.map((s) => s.best), t.best);
  const run = { stepsPerEpoch: 4, epochs: 90, metrics: t.metric };
  near(lrs(scheduleCurve(schedule, t.base_lr, run)), [
    t.base_lr,
    ...t.lr_after_each_epoch.slice(0, -1),
  ]);
});

Deno.test("plateau makes no cut smaller than eps", () => {
  const t = torch.plateau_tiny_lr;
  const schedule = Schedule.parse({
    kind: "plateau",
    factor: 0.5,
    patience: 15,
  }) as Plateau;
  const flat = new Array(90).fill(50);
  near(
    flat.map((_, i) => plateau(schedule, t.base_lr, flat.slice(0, i + 1)).lr),
    t.lr_after_each_epoch,
  );
});

Deno.test("plateau for a loss counts falls by the absolute threshold, waits, and stops at min", () => {
  const schedule = Schedule.parse({
    kind: "plateau",
    mode: "min",
    factor: 0.1,
    patience: 1,
    threshold: 0.1,
    thresholdMode: "abs",
    cooldown: 2,
    min: 5e-3,
  }) as Plateau;
  // By hand after torch's rule: 0.95 and NaN are no better than 1; the cut
  // comes on the second bad epoch, then two do not count.
  const loss = [1, 0.95, NaN, 1, 1, 1, 1, 0.8];
  const states = loss.map((_, i) => plateau(schedule, 1, loss.slice(0, i + 1)));
  near(lrs(states), [1, 1, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01]);
  assert.deepEqual(states.map((s) => s.badEpochs), [0, 1, 0, 0, 0, 1, 0, 0]);
  assert.equal(states[7].best, 0.8);
  assert.equal(plateau(schedule, 1, new Array(60).fill(1)).lr, 5e-3);
});

const run = { stepsPerEpoch: 5, epochs: 8 };

Deno.test("a schedule by epoch holds its rate for the epoch, one by step does not", () => {
  const by = (per: "epoch" | "step") =>
    Array.from(
      { length: 40 },
      (_, step) =>
        lrAt(Schedule.parse({ kind: "cosine", per }), 1, { ...run, step }).lr,
    );
  const epochs = by("epoch"), steps = by("step");
  epochs.forEach((lr, step) => {
    assert.equal(lr, epochs[step - step % 5]);
    near([lr], [(1 + Math.cos(Math.PI * Math.floor(step / 5) / 8)) / 2]);
  });
  assert.equal(new Set(steps).size, 40);
  near([steps[13]], [(1 + Math.cos(Math.PI * 13 / 40)) / 2]);
});

const every: Given[] = [
  { kind: "constant" },
  ...references.map(([, schedule]) => schedule),
  { kind: "plateau", patience: 1 },
];
for (const given of every) {
  Deno.test(`${JSON.stringify(given)} goes on after a stop as it would have`, () => {
    const metrics = [0.3, 0.4, 0.4, 0.4, 0.5, 0.5, 0.5];
    const schedule = Schedule.parse(given);
    const straight = Array.from(
      { length: 40 },
      (_, step) => lrAt(schedule, 1e-3, { ...run, step, metrics }),
    );
    // A new process has the schedule's JSON and the finished epochs' values.
    const again = Schedule.parse(JSON.parse(JSON.stringify(schedule)));
    for (let step = 15; step < 40; step++) {
      const known = metrics.slice(0, Math.floor(step / 5));
      assert.deepEqual(
        lrAt(again, 1e-3, { ...run, step, metrics: known }),
        straight[step],
      );
    }
    const points = scheduleCurve(schedule, 1e-3, { ...run, metrics });
    assert.equal(points.length, schedule.per === "step" ? 40 : 8);
    for (const { step, ...rate } of points) {
      assert.deepEqual(rate, straight[step]);
    }
  });
}

Deno.test("a constant schedule, as one never stepped, is the recipe's rate", () => {
  const constant = Schedule.parse({ kind: "constant" });
  assert.deepEqual(lrAt(constant, 3e-4, { ...run, step: 39 }), { lr: 3e-4 });
});

Deno.test("a linear schedule stays at its end", () => {
  const linear = Schedule.parse({ kind: "linear", endFactor: 0.5, over: 4 });
  near(
    lrs(scheduleCurve(linear, 1, run)),
    [1, 0.875, 0.75, 0.625, 0.5, 0.5, 0.5, 0.5],
  );
});

Deno.test("a warm-up ends within the run, and the cosine takes the rest of it", () => {
  const warm = (warmup: number) =>
    Schedule.parse({ kind: "warmupCosine", warmup });
  near(
    lrs(scheduleCurve(warm(5), 1e-3, { stepsPerEpoch: 1, epochs: 60 })),
    torch.warmup_cosine.lr.slice(0, 60),
  );
  assert.throws(
    () => lrAt(warm(8), 1, { ...run, step: 0 }),
    /^RangeError: schedule\.warmup: 8 .* 8 epochs; give at most 7$/,
  );
});

Deno.test("a one-cycle of any length and share is finite, up to its peak or down from it", () => {
  for (const pctStart of [0, 0.1, 0.5, 1]) {
    for (const epochs of [1, 2, 10]) {
      const rates = scheduleCurve(
        Schedule.parse({ kind: "oneCycle", pctStart }),
        1,
        { stepsPerEpoch: 1, epochs },
      );
      assert.ok(rates.every((r) => r.lr > 0 && r.lr <= 1 && r.beta1! < 1));
    }
  }
  const up = Schedule.parse({ kind: "oneCycle", pctStart: 1 });
  near([lrAt(up, 1, { ...run, step: 39 }).lr], [1]);
});

Deno.test("plateau asks for the value of every epoch before", () => {
  const schedule = Schedule.parse({ kind: "plateau" });
  assert.equal(lrAt(schedule, 1, { ...run, step: 4 }).lr, 1);
  assert.throws(
    () => lrAt(schedule, 1, { ...run, step: 10, metrics: [0.5] }),
    /1 validation values for 2 epochs/,
  );
  assert.equal(
    scheduleCurve(schedule, 1, { ...run, metrics: [0.5] }).length,
    2,
  );
});

Deno.test("only a schedule with a length of its own outlives more epochs", () => {
  const follows = (given: Given) => followsRunLength(Schedule.parse(given));
  assert.deepEqual(every.map(follows), [
    ...new Array(8).fill(false),
    ...new Array(4).fill(true),
    false,
  ]);
  assert.ok(follows({ kind: "cosine" }));
  for (const given of every) {
    const schedule = Schedule.parse(given);
    const [short, long] = [6, 12].map((epochs) =>
      scheduleCurve(schedule, 1, { stepsPerEpoch: 47, epochs })
    );
    assert.equal(
      JSON.stringify(long.slice(0, short.length)) !== JSON.stringify(short),
      followsRunLength(schedule),
    );
  }
});

const refused: [input: unknown, path: string, message: RegExp][] = [
  [null, "", /^got null; give an object with kind "constant" or /],
  [{}, "kind", /^got nothing; give "constant" or .* or "timmCosine"$/],
  [{ kind: "cosin" }, "kind", /^got "cosin"; give /],
  [{ kind: "exponential", gamma: 0 }, "gamma", /^got 0; .* above 0/],
  [{ kind: "exponential", gamma: -0.9 }, "gamma", /^got -0\.9/],
  [{ kind: "exponential" }, "gamma", /^got nothing/],
  [{ kind: "exponential", gamma: NaN }, "gamma", /^got NaN/],
  [{ kind: "exponential", gamma: 0.9, per: "batch" }, "per", /"epoch" or "st/],
  [
    { kind: "exponential", gamma: 1.01 },
    "gamma",
    /^got 1\.01, .* rises .* at most 1$/,
  ],
  [{ kind: "step", size: 1, gamma: 2 }, "gamma", /^got 2, with which the rate/],
  [{ kind: "cosine", minShare: 2 }, "minShare", /^got 2; .* from 0 to 1$/],
  [{ kind: "linear", endFactor: 1.5 }, "endFactor", /^got 1\.5/],
  [{ kind: "oneCycle", divFactor: 0.5 }, "divFactor", /above the peak/],
  [{ kind: "oneCycle", finalDivFactor: 0.01 }, "finalDivFactor", /last rate/],
  [{ kind: "cosine", over: 0 }, "over", /^got 0; give a whole number from 1/],
  [{ kind: "cosine", over: 2.5 }, "over", /^got 2\.5; give a whole/],
  [{ kind: "cosine", min: -1 }, "min", /^got -1; give a number from 0/],
  [{ kind: "warmupCosine", warmup: -1 }, "warmup", /^got -1/],
  [{ kind: "warmupCosine", warmup: 1, startFactor: 2 }, "startFactor", /got 2/],
  [{ kind: "linear", endFactor: -1 }, "endFactor", /^got -1/],
  [{ kind: "step", size: 0, gamma: 0.1 }, "size", /^got 0/],
  [{ kind: "plateau", factor: 1 }, "factor", /^got 1; .* below 1$/],
  [{ kind: "plateau", mode: "up" }, "mode", /^got "up"; give "max" or "min"$/],
  [{ kind: "plateau", patience: -1 }, "patience", /^got -1/],
  [{ kind: "plateau", per: "step" }, "per", /^got "step"; give "epoch"$/],
  [{ kind: "plateau", mode: "min", threshold: 1 }, "threshold", /less than 1/],
  [{ kind: "oneCycle", pctStart: 1.5 }, "pctStart", /^got 1\.5; .* 0 to 1$/],
  [{ kind: "oneCycle", divFactor: 0 }, "divFactor", /^got 0/],
  [{ kind: "oneCycle", maxMomentum: 1 }, "maxMomentum", /^a beta of 1/],
  [{ kind: "oneCycle", baseMomentum: 0.97 }, "baseMomentum", /above maxMomen/],
  [{ kind: "timmCosine", per: "epoch" }, "per", /give "step"$/],
];
for (const [input, path, message] of refused) {
  Deno.test(`the schedule ${JSON.stringify(input)} is refused in one line`, () => {
    const { error } = Schedule.safeParse(input);
    assert.ok(error, "it was taken");
    assert.equal(error.issues[0].path.join("."), path);
    assert.match(error.issues[0].message, message);
    assert.ok(!error.issues[0].message.includes("\n"));
  });
}

const lifts: [schedule: unknown, lr: number, message: RegExp][] = [
  [{ kind: "cosine", min: 1e-5 }, 1e-6, /\.min: .* rise; give at most .*minSh/],
  [{ kind: "cosine", min: 1 }, 1e-3, /^recipe\.schedule\.min: 1 is above lr 0/],
  [{ kind: "warmupCosine", warmup: 1, min: 1e-3 }, 9e-4, /\.min: .* rise/],
  [{ kind: "timmCosine", min: 1e-3 }, 9e-4, /\.min: .* rise/],
  [{ kind: "timmCosine", warmup: 9, warmupInit: 1 }, 0.1, /\.warmupInit: 1 is/],
  [{ kind: "plateau", min: 1e-3 }, 9e-4, /\.min: .* never be cut/],
  [{ kind: "plateau", eps: 1 }, 1e-3, /\.eps: a cut of lr 0\.001 .* never be/],
  [{ kind: "plateau", factor: 0.9 }, 1e-8, /\.eps: .* less than 9\.99/],
  [{ kind: "cosine", min: 1e-6, minShare: 0 }, 1e-3, /beside minShare/],
];
for (const [schedule, lr, message] of lifts) {
  Deno.test(`${JSON.stringify(schedule)} is refused with lr ${lr}`, () => {
    assert.throws(() => parseRecipe({ schedule, lr }), {
      name: "RecipeError",
      message,
    });
  });
}

Deno.test("minShare is the floor that min would be, at every rate", () => {
  const kinds = [
    { kind: "cosine" },
    { kind: "warmupCosine", warmup: 2 },
    { kind: "timmCosine", warmup: 3 },
    { kind: "plateau", patience: 0, factor: 0.1 },
  ];
  for (const kind of kinds) {
    for (const lr of [1e-6, 1e-3, 1]) {
      const curve = (floor: Record<string, number>) => {
        const schedule = Schedule.parse({ ...kind, ...floor });
        const metrics = new Array(run.epochs).fill(0.5);
        return lrs(scheduleCurve(schedule, lr, { ...run, metrics }));
      };
      near(curve({ minShare: 0.25 }), curve({ min: 0.25 * lr }));
      assert.ok(Math.max(...curve({ minShare: 0.25 })) <= lr);
    }
  }
});

Deno.test("a cosine that ends before the run is told, for its rate rises again", () => {
  const of = (input: unknown) => riseWarning(Schedule.parse(input), run);
  const told = of({ kind: "cosine", over: 4 });
  assert.match(told!, /^recipe\.schedule\.over: 4 epochs .* from epoch 6 on/);
  const rates = lrs(
    scheduleCurve(Schedule.parse({ kind: "cosine", over: 4 }), 1, run),
  );
  assert.equal(rates.findIndex((lr, i) => lr > rates[i - 1]), 5);
  assert.match(
    of({ kind: "warmupCosine", warmup: 9, over: 20, per: "step" })!,
    /from step 31 on/,
  );
  assert.equal(of({ kind: "cosine", over: 7 }), null);
  assert.equal(of({ kind: "cosine" }), null);
});

Deno.test("every field of every schedule says what it is", () => {
  for (const kind of Schedule.options) {
    for (const [name, field] of Object.entries(kind.shape)) {
      if (name === "kind") continue;
      assert.match(field.description ?? "", /\.$/, name);
    }
  }
});
