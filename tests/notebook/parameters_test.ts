/** Parameters: checked by their schema and defaults, intact, never code. */
import assert from "node:assert/strict";
import {
  type Cell,
  readNotebook,
  type RunOptions,
} from "../../lib/notebook/mod.ts";
import { Kernel } from "../../lib/notebook/kernel/kernel.ts";
import { TypedText } from "../../lib/notebook/run/parameter_kinds.ts";
import {
  fittedParameters,
  schemaProblem,
} from "../../lib/notebook/run/parameters.ts";
import {
  code,
  errorOf,
  filesTest as test,
  nb,
  notebook,
  printed,
  ROOT,
  runCells,
  save,
} from "./_notebook.ts";

const SCHEMA = `import { z } from "npm:zod@4.6.7";
const Parameters = z.strictObject({
  lr: z.number().positive().max(1),
  optimizer: z.enum(["adam", "sgd"]),
  model: z.object({ depth: z.int() }),
});
let lr = 0.1, optimizer = "adam", model = { depth: 12 };
let notInTheSchema = 1;`;

const run = (cells: Cell[], o: RunOptions) =>
  runCells(cells, { cwd: ROOT, ...o });

Deno.test("what the schema refuses is told by name, before any other cell", async () => {
  const declares = code(SCHEMA, [], "parameters");
  const { error, cells } = await run(
    [declares, code(`console.log("never")`)],
    { parameters: { lr: 5 } },
  );
  assert.match(
    error!,
    /^[^\n]*a\.ipynb cell 2: .*parameter "lr" \(given 5\): .*<=1; give .*-p lr=[^\n]*$/,
  );
  assert.equal(errorOf(cells[1]).ename, "ParameterError");
  assert.deepEqual(cells[2].outputs, []);

  const kernel = await Kernel.start({ cwd: ROOT });
  try {
    await kernel.execute(SCHEMA);
    for (
      const [set, message] of [
        [
          `optimizer = "lion"; model = { depth: "x" };`,
          /"optimizer" \(given "lion"\): .*"adam"\|"sgd".*"model\.depth" \(given \{ depth: "x" \}\): .*expected number/,
        ],
        [`lr = NaN;`, /"lr" \(given NaN\): .*expected number/],
      ] as const
    ) {
      await kernel.execute(set);
      const told = await schemaProblem(kernel, notebook(declares));
      assert.match(told!, message);
      assert.equal(told!.split("\n").length, 1);
    }
  } finally {
    await kernel.stop();
  }
});

Deno.test("good values pass the schema, and a bad default does not", async () => {
  const good = await run(
    [code(SCHEMA, [], "parameters"), code(`console.log(lr, optimizer)`)],
    { parameters: { lr: 1e-8, optimizer: "sgd", notInTheSchema: 2 } },
  );
  assert.equal(good.error, undefined);
  assert.equal(printed(good.cells[2]), "1e-8 sgd\n");
  assert.deepEqual(good.warnings, []);
  const bad = await run(
    [code(SCHEMA.replace("0.1", "7"), [], "parameters"), code("lr")],
    {},
  );
  assert.match(bad.error!, /cell 1: parameter "lr" \(given 7\)/);
  const none = await run(
    [code(`const Parameters = 1; let lr = 1;`, [], "parameters")],
    {},
  );
  assert.match(none.error!, /no zod schema that can be used/);
});

Deno.test("a typed text becomes what the default is, and what does not fit is refused", () => {
  const nb = notebook(code(
    `let flag = true, n = 1, name = "a", any = null, xs: number[] = [], big = 0n;
     let lr: number | "auto" = 0.1, half: number | null = null, of = { a: 1 };`,
    [],
    "parameters",
  ));
  const fitted = (name: string, text: string) =>
    fittedParameters(nb, { [name]: new TypedText(text) })[name];
  for (
    const [name, text, value] of [
      ["flag", "False", false],
      ["flag", "true", true],
      ["n", "1e3", 1000],
      ["n", "-.5", -0.5],
      ["n", "-Infinity", -Infinity],
      ["n", "0x10", 16],
      ["n", "-0e400", -0],
      ["n", "5e-324", 5e-324],
      ["n", "9007199254740992", 2 ** 53],
      ["n", "null", null],
      ["name", "False", "False"],
      ["name", "8", "8"],
      ["name", '"8"', "8"],
      ["name", "12345678901234567890", "12345678901234567890"],
      ["xs", "[1,2]", [1, 2]],
      ["of", '{"a": 2}', { a: 2 }],
      ["big", "12345678901234567890", 12345678901234567890n],
      ["lr", "auto", "auto"],
      ["lr", "1e-3", 0.001],
      ["half", "2", 2],
      ["any", "[1]", [1]],
      ["any", "False", "False"],
    ] as const
  ) assert.deepEqual(fitted(name, text), value, `${name}=${text}`);
  for (
    const [name, text, message] of [
      [
        "flag",
        "yes",
        /"flag" is given "yes", .* a boolean; give true or false$/,
      ],
      ["flag", "1", /a boolean/],
      ["n", "False", /"n" is given "False", its default is a number; give a n/],
      ["n", "12345678901234567890", /"n": 1234.* more digits .*bigint/],
      ["n", "0x20000000000001", /"n": 0x2.* more digits .*bigint/],
      [
        "n",
        "-1e400",
        /"n": -1e400 is too large or too small .*; give another one, 0 or Inf/,
      ],
      ["any", "1e-400", /"any": 1e-400 is too large or too small for a number/],
      ["xs", "[1e400]", /"xs": 1e400 is too large or too small/],
      [
        "of",
        '{"a": [{"b": -1e400}]}',
        /"of": "b": -1e400 is too large or too small/,
      ],
      ["n", "1_000", /"n" is given "1_000", its default is a number/],
      ["n", "inf", /"n" is given "inf", its default is a number/],
      ["n", "[1]", /a number/],
      ["xs", "1", /a list; give a list as JSON/],
      ["xs", "[12345678901234567890]", /"xs": 1234.* more digits/],
      ["of", "[]", /a record/],
      ["big", "1.5", /a bigint; give a whole number/],
      ["half", "text", /a number; give null or a number/],
    ] as const
  ) assert.throws(() => fitted(name, text), { message }, `${name}=${text}`);
  // Values of a program are what they are.
  assert.deepEqual(fittedParameters(nb, { flag: false, any: 8, n: null }), {
    ...{ flag: false, any: 8, n: null },
  });
  for (const [name, value] of [["flag", "False"], ["name", 8], ["xs", {}]]) {
    assert.throws(
      () => fittedParameters(nb, { [name as string]: value }),
      /its default is a/,
    );
  }
});

Deno.test("what only running tells of a default is refused before any other cell", async () => {
  const { error, cells } = await run(
    [
      code(
        `let { flag } = { flag: true }, n = Math.max(1, 2);`,
        [],
        "parameters",
      ),
      code(`console.log("never")`),
    ],
    { parameters: { flag: new TypedText("False"), n: new TypedText("3") } },
  );
  assert.match(
    error!,
    /a\.ipynb cell 1: .*"flag" is given a string, its default is a boolean; give true or false$/,
  );
  assert.equal(errorOf(cells[0]).ename, "ParameterError");
  assert.deepEqual(cells[2].outputs, []);
});

Deno.test("every value arrives intact and none runs as code", async () => {
  const values = {
    a: "quote \" ' ` ${globalThis.ran = 1} \\ \n\r\u2028 */ //",
    b: "`); globalThis.ran = 1; (`",
    c: -0,
    d: null,
    e: [1e-8, [NaN, -Infinity], { "x y": true, constructor: "k" }],
    f: JSON.parse('{"__proto__": {"polluted": 1}}'),
  };
  const declares = code(
    "let a = '', b = '', c = 1, d = null, e = [], f = {};",
    [],
    "parameters",
  );
  declares.metadata.jupyter = { source_hidden: true };
  const { cells, warnings } = await run([
    declares,
    code(`console.log(JSON.stringify([a, b, d, e, f]), Object.is(c, -0),
  Number.isNaN(e[1][0]), e[1][1], typeof ran, ({}).polluted, Object.keys(f));`),
  ], { parameters: { ...values, rat: 5 } });
  assert.deepEqual(cells[1].metadata.jupyter, { source_hidden: true });
  assert.deepEqual(cells[1].metadata.tags, ["injected-parameters"]);
  assert.deepEqual(cells[1].outputs, []);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0], /no parameter "rat"/);
  const { a, b, d, e, f } = values;
  assert.equal(
    printed(cells[2]),
    `${
      JSON.stringify([a, b, d, e, f])
    } true true -Infinity undefined undefined [ "__proto__" ]\n`,
  );
  assert.equal(cells.length, 3);
});

test("parameters come from a file, -p goes over it, --profile is one too", async (file) => {
  await save(
    file("a.ipynb"),
    code(`let lr = 1, name = "", profile = "";`, [], "parameters"),
    `console.log(lr, name, profile);`,
  );
  await Deno.writeTextFile(file("p.json"), '{"lr": 2, "name": "n"}');
  const run = (...args: string[]) =>
    nb(file("."), "run", "a.ipynb", "-q", ...args);
  const first = await run("--params", "p.json", "-p", "lr=3");
  assert.deepEqual([first.code, first.err], [0, ""]);
  const out = file("a.executed.ipynb");
  assert.equal(printed((await readNotebook(out)).cells[2]), "3 n \n");
  const options = ["-p lr=0.9", "--profile cpu", "--resume"];
  await Promise.all(options.map(async (option) => {
    const refused = await run("--stale", ...option.split(" "));
    assert.equal(refused.code, 2, option);
    assert.match(
      refused.err,
      /^error: --stale takes no --?(p|profile|resume); /,
    );
  }));
  await Deno.writeTextFile(file("large.json"), '{"name": "n", "lr": 1e400}');
  const large = await run("--params", "large.json");
  assert.equal(large.code, 1);
  assert.match(
    large.err,
    /^error: large\.json: .* "lr": 1e400 is too large or too small .*\n$/,
  );
  const unfit = await run("-p", "lr=False");
  assert.equal(unfit.code, 1);
  assert.match(unfit.err, /^error: a\.ipynb: parameter "lr" .* a number\n$/);
  // Run in place with other values: still one injected cell.
  const args = ["--profile", "cpu", "--out", "a.executed.ipynb"];
  await Deno.copyFile(out, file("a.ipynb"));
  assert.equal((await run(...args)).code, 0);
  const again = await readNotebook(out);
  assert.equal(again.cells.length, 3);
  assert.equal(printed(again.cells[2]), "1  cpu\n");
  assert.equal((again.metadata.ferlab as { profile: string }).profile, "cpu");
});

Deno.test("values without a tagged cell are warned of, each by name", async () => {
  const { ok, warnings, cells } = await run(
    [code("let lr = 1;"), code("console.log(lr)")],
    { parameters: { lr: 2 }, profile: "cpu" },
  );
  assert.equal(ok, true);
  assert.equal(printed(cells[1]), "1\n");
  assert.match(
    warnings.join("\n"),
    /no parameter "lr".*\n.*no parameter "prof/,
  );
});
