// `deno task bench train`: which nets it measures, its rows, its turns with PyTorch.
import assert from "node:assert/strict";
import { join } from "node:path";
import { parseRecipe, recipes } from "../lib/train/mod.ts";
import { netsOf, unsharedFields } from "../tasks/bench/train_nets.ts";
import { folderTest as test } from "./_folder.ts";
import { ran, ROOT } from "./_run.ts";
import { assertRefused } from "./_refused.ts";

const TINY = {
  size: 16,
  widths: [4, 4, 8, 8],
  stemWidth: 4,
  layers: [1, 1, 1, 1],
  depth: 1,
  dim: 8,
  heads: 2,
  batchSize: 8,
  precision: "float32",
};

const bench = (args: string[], env: Record<string, string> = {}) =>
  ran("tasks/bench.ts", ["train", ...args], { cwd: ROOT, env });

/** Says that it is ready, then of each round that its steps took 2, 4 and 90 ms. */
const FAKE_TORCH = `#!/bin/sh
echo '{"engine":"torch 0","variant":"eager","firstStepMs":7}'
while read n; do
  echo "$n" >> "$TURNS"
  echo '{"times":[2,4,90],"peakRssMb":100}'
done
`;

Deno.test("the whole table has a row for each profile's net and the named ones", async () => {
  const nets = await netsOf({ all: true });
  assert.deepEqual(
    nets.map(({ name, recipe: r }) => [
      name,
      ...[r.model, r.size, r.stemStride, r.batchSize],
    ]),
    [
      ["full", "baseline", 112, 1, 16],
      ["slim", "baseline", 48, 1, 64],
      ["slim, stem stride 2", "baseline", 48, 2, 128],
      ["CLS full", "cls", 112, 1, 16],
      ["CLS slim", "cls", 48, 1, 64],
      ["profile smoke", "baseline", 32, 1, 32],
      ["profile quick", "baseline", 32, 1, 32],
      ["profile cpu", "baseline", 48, 2, 128],
      ["profile paper", "baseline", 224, 2, 16],
    ],
  );
  const [full] = await netsOf({});
  assert.deepEqual(full.recipe.widths, recipes.full.widths);
  const [own] = await netsOf({ slim: true, model: "cls", batch: 3, size: 32 });
  const { model, batchSize, size } = own.recipe;
  assert.deepEqual(
    [own.name, model, batchSize, size],
    ["CLS slim", "cls", 3, 32],
  );
});

Deno.test("fields that PyTorch's twin has not are named, other values are none", () => {
  assert.deepEqual(
    unsharedFields(parseRecipe({ lr: 0.5, flip: 0, depth: 2, model: "cls" })),
    [],
  );
  assert.deepEqual(
    unsharedFields(parseRecipe({ qkNorm: true, optimizer: "sgd" })),
    ["qkNorm", "optimizer"],
  );
});

test("a recipe's net is measured in rounds, in turns with its peer", async (dir) => {
  const path = (name: string) => join(dir, name);
  await Deno.writeTextFile(path("recipe.json"), JSON.stringify(TINY));
  await Deno.writeTextFile(path("python"), FAKE_TORCH, { mode: 0o755 });
  const env = { FERLAB_PYTHON_TORCH: path("python"), TURNS: path("turns") };
  const args = ["--recipe", path("recipe.json"), "--rounds", "2"]
    .concat("--steps", "3", "--peer", "--variants", "eager");
  const { code, out, err } = await bench(args, env);
  assert.equal(code, 0, err);
  const [ours, theirs, summary, ...rest] = out.trim().split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(rest, []);
  assert.equal(await Deno.readTextFile(path("turns")), "3\n3\n");
  assert.deepEqual([ours.size, ours.batch, ours.precision], [16, 8, "float32"]);
  assert(ours.nodes > 100 && ours.shareOfRoof > 0 && ours.cpu !== "");
  assert(ours.msPerStepMin <= ours.msPerStep);
  const kinds = ["convolution", "products", "elementwise", "optimizer"];
  assert(kinds.every((kind) => ours.msByKind[kind] > 0), out);
  // The median of 2, 4 and 90 ms for 8 images.
  assert.deepEqual([theirs.msPerStep, theirs.imagesPerSecond], [4, 2000]);
  const ratio = ours.imagesPerSecond / 2000;
  assert(Math.abs(theirs.ratio / ratio - 1) < 1e-3);
  assert.equal(summary.bestPeer, "eager");
});

for (
  const [text, args, message] of [
    ["{", [], /--recipe .*: not readable as JSON/],
    ['{"widht":1}', [], /recipe\.widht: unknown field/],
    [
      "{}",
      ["--peer", "--variants", "lazy"],
      /no variant "lazy"; they are eager, /,
    ],
  ] as const
) {
  test(`bench train of ${text} ${args.join(" ")} is a wrong call in one line`, async (dir) => {
    const path = join(dir, "recipe.json");
    await Deno.writeTextFile(path, text);
    assertRefused(await bench(["--recipe", path, ...args]), 2, message);
  });
}
