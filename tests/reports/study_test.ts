/** A notebook's study: what its profile and its cell plan, and what it sees. */
import assert from "node:assert/strict";
import { basename } from "node:path";
import {
  openStudy,
  pretrained,
  type Profile,
  startOf,
  type StudyCell,
} from "../../lib/reports/mod.ts";
import { folderTest as test } from "../_folder.ts";
import { modelOf } from "../../lib/models/mod.ts";
import { initialise } from "../../lib/nn/mod.ts";
import {
  loadPretrained,
  parseRecipe,
  weightsPath,
} from "../../lib/train/mod.ts";

const open = (
  profile: Profile,
  cell: Partial<StudyCell> = {},
  data = "",
) => openStudy({ profile, data }, { name: "a", parameters: {}, ...cell });

Deno.test("studies of profile cpu train on the half that the backbone has not seen", () => {
  const { plan } = open("cpu");
  assert.equal(plan.data!.copies, "drop");
  assert.deepEqual(plan.data!.part, { of: 2, take: 1 });
  const other = open("cpu", { data: { part: { of: 2, take: 0 } } }).plan;
  assert.deepEqual(other.data!.part, { of: 2, take: 0 });
  assert.equal(other.data!.copies, "drop");
  assert.equal(open("cpu", {}, "raf-db").plan.data!.part, undefined);
});

Deno.test("the committed backbone fills the profile's net but for blocks and head", async () => {
  const { weights, ...rest } = pretrained("cpu");
  const recipe = parseRecipe({ ...startOf("cpu").recipe, ...rest, weights });
  const { size: side } = recipe;
  const state = initialise(modelOf(recipe), [side, side, 3], 1);
  const { missing, unexpected } = await loadPretrained(state, recipe.weights);
  assert.deepEqual(unexpected, []);
  assert.ok(missing.length > 0);
  assert.ok(missing.every((name) => !name.startsWith("irback.")));
  const { size } = Deno.statSync(weightsPath(weights!.file));
  assert.ok(size <= 5 * 2 ** 20, `${size} bytes`);
  assert.deepEqual(pretrained("quick"), {});
});

Deno.test("weights are found from another folder than the project's", () => {
  const root = Deno.cwd();
  const { file } = pretrained("cpu").weights!;
  try {
    Deno.chdir("notebooks");
    assert.ok(Deno.statSync(weightsPath(file)).isFile);
    assert.equal(weightsPath("nowhere.pth"), "nowhere.pth");
  } finally {
    Deno.chdir(root);
  }
  assert.equal(basename(weightsPath(file)), basename(file));
});

test("a study's table says how many settings and repeats it has, and of what", async (outDir) => {
  const labelOf = async (cell: Partial<StudyCell>) => {
    const study = openStudy({ profile: "quick", outDir }, {
      ...{ name: "a", parameters: {}, ...cell },
    });
    // deno-lint-ignore no-explicit-any
    const shown = await (study as any)[Symbol.for("Jupyter.display")]();
    const html = shown["text/html"];
    return /<table aria-label="([^"]*)"/.exec(html)?.[1];
  };
  const parameters = { depth: [1, 2], lr: [1e-3, 3e-3, 1e-2] };
  assert.equal(
    await labelOf({ parameters, repeats: 3 }),
    "6 settings of depth and lr, 3 repeats each",
  );
  const points = [{ eps: 1e-6, lr: 1e-3 }, { eps: 1e-7, lr: 1e-3 }];
  assert.equal(
    await labelOf({ search: { kind: "list", points }, repeats: 1 }),
    "2 settings of eps, 1 repeat each",
  );
});

Deno.test("a study says which difference its paired repeats are planned to see", () => {
  // Five pairs see an effect of 1.682 sd, ten of 0.996 (the tests of power hold
  // these to other tools): with sd 0.45 points 0.76 and 0.45.
  const late = open("cpu", { recipe: pretrained("cpu") });
  assert.match(
    late.sees!,
    /of 0\.8 points or more, from a pretrained backbone/,
  );
  assert.match(
    open("cpu").sees!,
    /of 1\.1 points or more, from random weights/,
  );
  const many = open("cpu", { recipe: pretrained("cpu"), repeats: 10 });
  assert.match(many.sees!, /of 0\.4 points or more.*10 paired seeds/);
  // By an sd of its own: 1.682 times 2 points.
  assert.match(
    open("quick", { pairSd: 0.02, repeats: 5 }).sees!,
    /of 3\.4 points or more, from random weights \(5 paired seeds/,
  );
  assert.throws(
    () => open("cpu", { pairSd: NaN }),
    { message: "openStudy: pairSd is NaN: give a share, as 0.01" },
  );
  assert.equal(open("cpu", { repeats: 1 }).sees, undefined);
  assert.equal(open("cpu", {}, "raf-db").sees, undefined);
  assert.equal(open("quick").sees, undefined);
});

Deno.test("studies share a data set, until one is opened anew", async () => {
  const first = open("smoke"), second = open("smoke", { name: "b" });
  const data = await first.data();
  assert.equal(await second.data(), data);
  assert.notEqual(await open("smoke").data(), data);
});

Deno.test("a name that every object inherits is no parameter or field, in one line", () => {
  const said = (cell: object) => {
    try {
      open("smoke", cell);
    } catch (error) {
      return (error as Error).message;
    }
    assert.fail(`accepted ${JSON.stringify(cell)}`);
  };
  const named = (name: string, value: unknown) => ({ [name]: value });
  const ofParameters = (name: string) =>
    said({ parameters: named(name, [0.5]) });
  assert.equal(
    ofParameters("__proto__"),
    'study "a": parameters.__proto__: unknown field; take it out',
  );
  assert.match(ofParameters("constructor"), /^recipe\.constructor: unknown/);
  for (const name of ["betas.__proto__", "betas.x", "widths.99999999999"]) {
    assert.equal(
      ofParameters(name),
      `parameters.${name}: the recipe has no such field: lab.recipeTable() ` +
        "lists all",
    );
  }
  assert.equal(
    said({ search: { kind: "list", points: [named("__proto__", 1)] } }),
    'study "a": search.points[0].__proto__: unknown field; take it out',
  );
  assert.equal(
    said({ recipe: named("__proto__", 1) }),
    "recipe.__proto__: unknown field; take it out",
  );
  assert.match(
    said(named("__proto__", 1)),
    /^openStudy: __proto__ is no field/,
  );
});
