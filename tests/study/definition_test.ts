// What a study may say, and which settings follow from it.
import assert from "node:assert/strict";
import { join } from "node:path";
import { canonical } from "../../lib/study/definition.ts";
import {
  parseStudy,
  pointsOf,
  readStudyFile,
  type StudyInput,
} from "../../lib/study/mod.ts";
import { distributionsOf, settingsOf } from "../../lib/study/points.ts";
import { decodeJson, encodeJson } from "../../lib/study/store/mod.ts";
import { folderTest as test } from "../_folder.ts";
import { inOneLine } from "../_refused.ts";

const settings = (input: StudyInput) => settingsOf(parseStudy(input));

Deno.test("a grid has all combinations, the last parameter varies fastest", () => {
  assert.deepEqual(
    settings({ name: "g", parameters: { lr: [0.1, 0.2], depth: [1, 2] } }),
    [
      { lr: 0.1, depth: 1 },
      { lr: 0.1, depth: 2 },
      { lr: 0.2, depth: 1 },
      { lr: 0.2, depth: 2 },
    ],
  );
});

Deno.test("repeats are the outer loop", () => {
  const study = parseStudy({
    name: "g",
    parameters: { lr: [0.1, 0.2] },
    repeats: 2,
  });
  assert.deepEqual(
    pointsOf(study, "record").map((p) => [p.params.lr, p.repeat]),
    [[0.1, 0], [0.2, 0], [0.1, 1], [0.2, 1]],
  );
});

Deno.test("a list is run as it is written", () => {
  const points = [{ lr: 0.1, depth: 4 }, { lr: 0.2, depth: 2 }];
  assert.deepEqual(
    settings({ name: "l", search: { kind: "list", points } }),
    points,
  );
});

for (const kind of ["random", "sobol"] as const) {
  Deno.test(`${kind}: more points keep the earlier ones, all within the ranges`, () => {
    const draw = (points: number) =>
      settings({
        name: "r",
        parameters: {
          lr: { low: 1e-5, high: 1e-1, log: true, role: "nuisance" },
          depth: { low: 2, high: 8, int: true, step: 2 },
          patches: ["dropped", "catAfterMlp"],
        },
        search: { kind, points },
      })!;
    const few = draw(8), many = draw(64);
    assert.deepEqual(many.slice(0, 8), few);
    for (const { lr, depth } of many) {
      assert(Number(lr) >= 1e-5 && Number(lr) <= 1e-1);
      assert([2, 4, 6, 8].includes(Number(depth)));
    }
    const low = many.filter((p) => Number(p.lr) < 1e-3).length;
    assert(low >= 20 && low <= 44, `${low} of 64 below the middle decade`);
  });
}

Deno.test("1e-3 and 0.001 and 10 ** -3 are one setting", () => {
  const keys = [1e-3, 0.001, 10 ** -3, 1 / 1000].map((lr) =>
    pointsOf(parseStudy({ name: "k", parameters: { lr: [lr] } }), "r")[0].key
  );
  assert.equal(new Set(keys).size, 1);
});

Deno.test("whole numbers are told apart by all their digits, a BigInt by its text", () => {
  const first = 1764460800001, next = first + 1;
  const study = { name: "k", parameters: { cut: [first, next] } };
  assert.equal(pointsOf(parseStudy(study), "r").length, 2);
  for (const n of [7n, 10n ** 20n, 2n ** 60n]) {
    assert.equal(canonical(n), canonical(decodeJson(encodeJson(n))));
  }
});

Deno.test("a parameter may be called as what all objects have", () => {
  const parameters = { constructor: [1, 2], toString: ["a"] };
  const study = parseStudy({ name: "k", parameters });
  assert.equal(distributionsOf(study).constructor.name, "IntDistribution");
});

/** Data that holds itself. */
function ring(): object {
  const own: Record<string, unknown> = {};
  return Object.assign(own, { self: own });
}
const nest = (depth: number) =>
  JSON.parse("[".repeat(depth) + "]".repeat(depth));
const INLINE = { breakLength: Infinity };
const TPE = { search: { kind: "tpe", points: 3 } };
/** Fields beside the name "s", and how they are refused. */
const BAD: [fields: object | null, message: RegExp][] = [
  [{ name: undefined, parameters: {} }, /^study without a name: name: /],
  [{ name: "" }, /^study "": name: has to have 1 to 480 characters$/],
  [{ name: "a@b" }, /^study "a@b": name: may not hold @/],
  [{ name: "n".repeat(481) }, /^study "n{200}…": name: has to have 1 to 480/],
  ...[" ", "\u00a0", "\u200b", " a", "a ", "a\t", "a\nb", "a\u2028b", "\ud800"]
    .map((name): [object, RegExp] => [
      { name },
      /^study "[^\n]*": name: may not hold @, line breaks .* with a blank$/,
    ]),
  [{ grid: {} }, /^study "s": grid: unknown field; known are name, /],
  [{ repeat: 2 }, /^study "s": repeat: unknown field; did you mean repeats\?$/],
  [
    { parameters: { a: { low: 1, high: 2, steps: 1 } }, ...TPE },
    /^study "s": parameters\.a\.steps: .* mean parameters\.a\.step\?$/,
  ],
  [
    { budget: { trails: 9 } },
    /^study "s": budget\.trails: .* mean budget\.trials\?$/,
  ],
  [
    { pruner: { kind: "median", warmup_steps: 1 } },
    /^study "s": pruner\.warmup_steps: .* mean pruner\.warmup\?$/,
  ],
  [
    { search: { kind: "grid", startup: 3 } },
    /^study "s": search\.startup: unknown field; known are kind$/,
  ],
  [{ search: { kind: "tep" } }, /\.kind: .* mean "tpe"\?$/],
  [
    { parameters: { lr: [] } },
    /^study "s": parameters\.lr: is empty: list its values$/,
  ],
  [
    { parameters: { lr: [1e-3, 0.001] } },
    /parameters\.lr lists 0\.001 twice: use repeats instead/,
  ],
  [
    { parameters: { lr: [NaN] } },
    /parameters\.lr\[0\]: got NaN; give a finite number, a text, true or false$/,
  ],
  [
    { parameters: { lr: { low: 1, high: 2 } } },
    /parameters\.lr is a range, a grid needs values/,
  ],
  [
    { parameters: { lr: { low: 0, high: 1, log: true } }, ...TPE },
    /parameters\.lr\.low is 0: a log range starts above 0/,
  ],
  [
    { parameters: { lr: { low: -1e308, high: 1e308 } }, ...TPE },
    /parameters\.lr: -1e\+308 to 1e\+308 is too wide: narrow it$/,
  ],
  [
    { parameters: { lr: { low: 1, high: 1 + Number.EPSILON } }, ...TPE },
    /parameters\.lr: low 1 has to be below high 1\.0000000000000002$/,
  ],
  [
    { search: { kind: "sobol", points: 4 } },
    /parameters: a sobol search needs some/,
  ],
  [
    { search: { kind: "list", points: [{ a: 1 }, { b: 1 }] } },
    /search\.points\[1\] has no a: name the same parameters in all points/,
  ],
  [{ repeats: 0 }, /^study "s": repeats: /],
  [{ repeats: 1.5 }, /^study "s": repeats: /],
  [{ budget: { hours: -1 } }, /^study "s": budget\.hours: /],
  [{ direction: "up" }, /^study "s": direction: /],
  [null, /^study without a name: it: /],
  [
    { fixed: { a: [ring()] } },
    /^study "s": fixed\.a\[0\]\.self: holds itself; /,
  ],
  [
    { fixed: { d: nest(1e5) } },
    /^study "s": fixed\.d\[0\]\[0\]: nests deeper /,
  ],
  [
    { fixed: { a: () => 1 } },
    /^study "s": fixed\.a: got a function; give plain data$/,
  ],
  [{ fixed: { a: [Symbol("x")] } }, /: fixed\.a\[0\]: got Symbol\(x\); /],
  [{ fixed: { a: new Map() } }, /: fixed\.a: got a Map; give plain data$/],
  [{ fixed: { a: new Date(NaN) } }, /: fixed\.a: got a Date; /],
  [{ parameters: new Map() }, /: parameters: got a Map; give an object$/],
];
for (const [fields, message] of BAD) {
  Deno.test(`a study with ${Deno.inspect(fields, INLINE)} is refused in one line`, () => {
    const input = fields && { name: "s", ...fields };
    assert.throws(() => parseStudy(input), inOneLine("StudyError", message));
  });
}

Deno.test("ranges and choices of a distribution grow, its kind stays", () => {
  const of = (parameters: StudyInput["parameters"], kind = "grid") =>
    parseStudy({
      name: "d",
      parameters,
      search: kind === "grid" ? { kind } : { kind: "tpe", points: 1 },
    } as StudyInput);
  const first = distributionsOf(of({ lr: [0.001, 0.1], mixup: [true] }));
  assert.deepEqual(first.lr.attributes, {
    step: null,
    low: 0.001,
    high: 0.1,
    log: true,
  });
  const wider = distributionsOf(
    of({ lr: [1e-4, 0.01], mixup: [false] }),
    first,
  );
  assert.deepEqual(wider.lr.attributes, {
    step: null,
    low: 1e-4,
    high: 0.1,
    log: true,
  });
  assert.deepEqual(wider.mixup.attributes, { choices: [true, false] });
  const range = { low: 1e-5, high: 1, log: false };
  assert.throws(
    () => distributionsOf(of({ lr: range, mixup: [true] }, "tpe"), first),
    /parameters\.lr is a FloatDistribution, its recorded trials have a FloatDistribution on a log scale: give the study a new name/,
  );
});

test("whole numbers that lose digits are refused as values, kept as metadata", async (dir) => {
  const file = join(dir, "plan.json");
  const text = (value: string, fixed: string) =>
    `{"study": {"name": "s", "parameters": {"x": [${value}]},
        "fixed": {"id": ${fixed}}}, "recipe": {"size": 16}}`;
  await Deno.writeTextFile(file, text("1, 12345678901234567890", "1"));
  await assert.rejects(readStudyFile(file), {
    name: "StudyError",
    message:
      /parameters\.x\[1\]: a whole number beyond 2\^53 .* give it as a text$/,
  });
  const long = '{"a": [9007199254740993, -9007199254740993], "b": 1e20, ' +
    '"c": "x, 9007199254740993", "d": NaN}';
  const value = decodeJson(long) as Record<string, unknown>;
  assert.deepEqual(value.a, [9007199254740993n, -9007199254740993n]);
  assert.equal(value.b, 1e20);
  assert.deepEqual(decodeJson(encodeJson(value)), value);
  const id = (fixed: unknown) =>
    canonical((decodeJson(`{"id": ${fixed}}`) as { id: unknown }).id);
  assert.notEqual(id("9007199254740993"), id("9007199254740992"));
});

Deno.test("a study of more trials than memory holds is refused at once", () => {
  const many = Array.from({ length: 1000 }, (_, i) => i);
  const plans: Partial<StudyInput>[] = [
    { parameters: { a: many, b: many, c: many } },
    { parameters: { a: [1] }, repeats: 1e9 },
    {
      parameters: { a: { low: 0, high: 1 } },
      search: { kind: "sobol", points: 1e8 },
    },
  ];
  for (const plan of plans) {
    assert.throws(
      () => parseStudy({ name: "m", ...plan }),
      /^StudyError: study "m": 1000000*000 trials are planned, .* at most 100000: /,
    );
  }
  const values = Array.from({ length: 1e5 }, (_, i) => i);
  assert.equal(settings({ name: "m", parameters: { values } })!.length, 1e5);
});
