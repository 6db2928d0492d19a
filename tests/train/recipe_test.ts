/** The recipe: defaults, refusals, and its table. */
import assert from "node:assert/strict";
import {
  parseRecipe,
  RecipeError,
  recipes,
  recipeTable,
} from "../../lib/train/recipe.ts";
import { inOneLine } from "../_refused.ts";

Deno.test("an empty recipe is the slim one, and parsing it again keeps it", () => {
  assert.deepEqual(parseRecipe({}), recipes.slim);
  assert.equal(
    JSON.stringify(parseRecipe(recipes.full)),
    JSON.stringify(recipes.full),
  );
  assert.deepEqual(parseRecipe({ erasing: { probability: 0 } }).erasing, {
    ...recipes.slim.erasing,
    probability: 0,
  });
});

const refused: [input: unknown, message: RegExp][] = [
  [null, /^recipe: got null; give an object/],
  [{ batch_size: 3 }, /^recipe\.batch_size: .*mean recipe\.batchSize\?$/],
  [{ learningRate: 3 }, /^recipe\.learningRate: .*mean recipe\.lr\?$/],
  [{ learning_rate: 3 }, /^recipe\.learning_rate: .*mean recipe\.lr\?$/],
  [{ loss: { smoothing: 0 } }, /mean recipe\.loss\.labelSmoothing\?$/],
  [{ epoch: 3 }, /^recipe\.epoch: unknown field; did you mean recipe\.epochs/],
  [{ erasing: { areamax: 1 } }, /did you mean recipe\.erasing\.areaMax\?$/],
  [{ parallelism: 2 }, /^recipe\.parallelism: unknown field; take it out$/],
  [
    { momentum: 1 },
    /^recipe\.momentum: got 1; give a number from 0 to below 1/,
  ],
  [{ attentionDrop: 1 }, /^recipe\.attentionDrop: got 1; give .* below 1$/],
  [{ weightDecay: -1 }, /^recipe\.weightDecay: got -1; give a number from 0/],
  [{ mixing: { alpha: -1 } }, /^recipe\.mixing\.alpha: got -1; give .* from 0/],
  [{ accumulate: 3 }, /^recipe\.accumulate: 3 does not divide batchSize 64/],
  [
    { nesterov: true, dampening: 0.1 },
    /^recipe\.nesterov: .* a dampening of 0/,
  ],
  [{ groups: [{ match: "a", rl: 1 }] }, /^recipe\.groups\[0\]\.rl: unknown/],
  [{ groups: [{}] }, /^recipe\.groups\[0\]\.match: got nothing; give/],
  [
    { schedule: { kind: "exponential", gamma: 1, gama: 1 } },
    /^recipe\.schedule\.gama: .* did you mean recipe\.schedule\.gamma\?$/,
  ],
  [
    { schedule: { kind: "exponential", gamma: 1, power: 1 } },
    /^recipe\.schedule\.power: unknown field; known are kind, per, gamma$/,
  ],
  [
    { schedule: { kind: "exponential", gamma: 0 } },
    /^recipe\.schedule\.gamma: got 0; give a number above 0/,
  ],
  [{ schedule: { kind: "expo" } }, /^recipe\.schedule.*got "expo"; give/],
  [JSON.parse('{"__proto__": 1}'), /^recipe\.__proto__: unknown field/],
  [{ "a\nb": 1 }, /^recipe\.a\\u000ab: unknown field/],
  [{ "\x1b[31m\u202e": 1 }, /^recipe\.\\u001b\[31m\\u202e: unknown field/],
  [{ ["x".repeat(1e5)]: 1 }, /^recipe\.x{200}…: unknown field; take it out$/],
  [{ model: "\u009b2J\u202e" }, /^recipe\.model: got "\\u009b2J\\u202e";/],
  [{ lr: 0 }, /^recipe\.lr: got 0; give a number above 0/],
  [{ lr: 1e-60 }, /^recipe\.lr: got 1e-60/],
  [{ lr: "1e-3\n" }, /^recipe\.lr: got "1e-3\\n"; give a number/],
  [{ eps: 0 }, /^recipe\.eps: got 0/],
  [{ betas: [0.9, 1] }, /^recipe\.betas\[1\]: a beta of 1 .*; give a number/],
  [{ betas: [0.9, 1 - 1e-10] }, /^recipe\.betas\[1\]: a beta of 1/],
  [{ betas: [-0.1, 0.9] }, /^recipe\.betas\[0\]: got -0\.1/],
  [{ widths: [1, 2, 3] }, /^recipe\.widths: got a list of 3; give a list of 4/],
  [{ layers: [1, 1, 1, 0.5] }, /^recipe\.layers\[3\]: got 0\.5; give a whole/],
  [{ dim: 64 }, /^recipe\.dim: 64 is not the last of widths, 128/],
  [{ heads: 5 }, /^recipe\.heads: 5 does not divide dim 128/],
  [{ size: 16, stemStride: 2 }, /^recipe\.size: .*; give at least 32$/],
  [{ erasing: { areaMin: 0.5 } }, /^recipe\.erasing\.areaMin: .*at most 0\.1$/],
  [{ erasing: { ratioMax: 0.1 } }, /^recipe\.erasing\.ratioMin: /],
  [{ seed: 2 ** 31 }, /^recipe\.seed: got 2147483648/],
  [{ precision: "fp16" }, /"auto" or "float32" or "bfloat16"$/],
];
for (const [input, message] of refused) {
  Deno.test(`the recipe ${JSON.stringify(input)} is refused in one line`, () => {
    assert.throws(() => parseRecipe(input), inOneLine("RecipeError", message));
    assert.throws(() => parseRecipe(input), RecipeError);
  });
}

Deno.test("all faults of a recipe are told at once, a line each", () => {
  const faulty = {
    erasing: { areamax: 1, probability: 2 },
    batchSise: 3,
    lr: -1,
    heads: 5, // of dim 128
    size: "48",
    stemStride: 2, // what it asks of size cannot be told
  };
  assert.throws(() => parseRecipe(faulty), {
    name: "RecipeError",
    message: [
      "recipe.erasing.areamax: unknown field; did you mean recipe.erasing.areaMax?",
      "recipe.batchSise: unknown field; did you mean recipe.batchSize?",
      'recipe.size: got "48"; give a whole number from 16 to 1024',
      "recipe.lr: got -1; give a number above 0, within float32's range",
      "recipe.erasing.probability: got 2; give a number from 0 to 1",
      "recipe.heads: 5 does not divide dim 128; give a divisor of 128",
    ].join("\n"),
  });
  const many = Array.from({ length: 1000 }, (_, i) => [`zz${i}`, 1]);
  assert.throws(() => parseRecipe(Object.fromEntries(many)), (e: Error) => {
    const lines = e.message.split("\n");
    return lines.length === 21 && lines[20] === "and 980 more";
  });
});

Deno.test("the table has every field with a default and a description", () => {
  const rows = recipeTable();
  assert.equal(new Set(rows.map((r) => r.field)).size, rows.length);
  assert(rows.length > 70);
  for (const { field, default: value, description } of rows) {
    assert.match(description, /\.$/, field);
    const actual = field.split(".").reduce<unknown>(
      (at, key) => (at as Record<string, unknown>)[key],
      recipes.slim,
    );
    assert.deepEqual(JSON.parse(value), actual, field);
  }
});
