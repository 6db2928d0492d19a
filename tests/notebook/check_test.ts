/** Checking notebooks without running them. */
import assert from "node:assert/strict";
import {
  type Cell,
  cellCode,
  checkNotebooks,
  findingText,
  type Notebook,
} from "../../lib/notebook/mod.ts";
import { extractCells } from "../../lib/notebook/check/cells_as_module.ts";
import { usedTooEarly } from "../../lib/notebook/check/findings.ts";
import { code, markdown, notebook, stream, withFiles } from "./_notebook.ts";

/** A notebook of format 4.5 in which nothing is wrong but what is given. */
function sound(...cells: Cell[]): Notebook {
  const nb = notebook(...cells.map((c, i) => ({ id: `c${i + 1}`, ...c })));
  nb.nbformat_minor = 5;
  nb.metadata.language_info = { name: "typescript" };
  return nb;
}

/** Does work when it is first asked for. */
function lazily<T>(work: () => Promise<T>): () => Promise<T> {
  let done: Promise<T> | undefined;
  return () => done ??= work();
}

/** Findings of notebooks by file name, one line each. */
async function told(notebooks: Record<string, Notebook>): Promise<string[]> {
  let lines: string[] = [];
  await withFiles(async (file) => {
    await Deno.writeTextFile(file("deno.json"), "{}");
    await Deno.writeTextFile(file("x.ts"), "export const x: number = 1;\n");
    await Deno.mkdir(file("sub"));
    for (const [name, nb] of Object.entries(notebooks)) {
      await Deno.writeTextFile(file(name), JSON.stringify(nb));
    }
    const findings = await checkNotebooks(Object.keys(notebooks).map(file));
    lines = findings.map((f) => findingText(f).replaceAll(`${file(".")}/`, ""));
    const left = [...Deno.readDirSync(file("."))].map(({ name }) => name);
    assert.ok(!left.some((name) => name.endsWith(".tmp")), "rubbish left");
  });
  return lines;
}

const error = {
  output_type: "error" as const,
  ename: "TypeError",
  evalue: "x",
  traceback: [],
};
const result = {
  output_type: "execute_result" as const,
  data: { "text/plain": "1" },
  metadata: {},
  execution_count: 9,
};
const ran = (count: number, cell: Cell): Cell => ({
  ...cell,
  execution_count: count,
});

/** Findings of all these, for which Deno is asked once, by the file's name. */
const findings = lazily(() =>
  told({
    "good.ipynb": sound(
      markdown("# Title"),
      code('import { x } from "./x.ts";\nlet lr = 1;\nlr + x'),
      code("[1, 2].map((n) => n * lr)"), // no index into the value above
      code("enum Colour { Red }\nColour.Red;"),
      code("{ a: lr, b: 2 }"),
    ),
    "sub/bad.ipynb": sound(
      markdown("# Title"),
      code('import { x } from "./x.ts";\nx;'),
      markdown("## Next"),
      code("const n: number = x;\nconst s: string = n;\ns as any;"),
    ),
    "cut.ipynb": sound(code("let a = 1;\nconst b = ;\na;"), code("let = 2")),
    "early.ipynb": sound(
      code("const f = () => width * 2;\nfunction g() { return f(); }"),
      code("console.log(late);\n[1].map(g);"),
      code("console.log(\n  g(),\n);"),
      code("const width = 3;\nconst late = { late: width };"),
      code("g(); late;"),
    ),
    "unused.ipynb": sound(
      code("let lr = 1;\nlet depth = 2;\nlet seed = 3;", [], "parameters"),
      ran(2, code("seed = 4;", [], "injected-parameters")),
      ran(3, code("const o = { lr };\no;", [])),
      ran(4, code("(() => depth)();", [])),
    ),
    "a.ipynb": sound(
      ran(2, code("1;", [result])),
      { ...code("2;"), outputs: [stream("2\n")], id: "c1" },
      ran(1, code("3;", [])),
      { ...markdown("4"), outputs: [] },
      ran(5, code("throw 1;", [error], "raises-exception")),
    ),
    "failed.ipynb": sound(ran(1, code("1;", [error])), ran(2, code("2;", []))),
    "part.ipynb": sound(ran(1, code("1;", [error])), code("2;")),
    "old.ipynb": { ...notebook("1;"), metadata: {} },
    "again.ipynb": sound(
      code(`import { basename } from "node:path";\nconst data = [1, 2];`),
      code(`function last() { return data.at(-1); }
const n: number | undefined = last();`),
      code(`import { basename } from "node:path";
import { join } from "node:path";`),
      code(`export const data = "a";
interface Row { a: number }
const up: string = data.toUpperCase();`),
      code(`const bad: number = data;\nconst where = join(basename(up), "b");`),
      code(`interface Row { b: string }
const row: Row = { b: where };
function last() { return row.b + bad + n + nowhere; }
last();`),
    ),
  })
);
const of = async (name: string) =>
  (await findings()).filter((line) => line.startsWith(`${name}.ipynb`));

Deno.test("types and lint are told by notebook, code cell and line, all cells being one program", async () => {
  assert.deepEqual(await of("good"), []);
  assert.deepEqual(await of("sub/bad"), [
    "sub/bad.ipynb cell 2 line 2: Type 'number' is not assignable to type " +
    "'string'. (TS2322)",
    "sub/bad.ipynb cell 2 line 3: `any` type is not allowed (no-explicit-any)",
  ]);
  assert.match(
    (await of("cut"))[0],
    /^cut\.ipynb cell 1 line 2: SyntaxError: Expression expected$/,
  );
});

Deno.test("a module that is not found is told, and types of the others", async () => {
  const lines = await told({
    "sub/gone.ipynb": sound(code('import { y } from "./y.ts";\ny;')),
    "bad.ipynb": sound(code("const s: string = 1;\ns;")),
  });
  assert.match(lines[0], /^sub\/gone\.ipynb cell 1 line 1: .*y\.ts/);
  assert.match(lines.at(-1)!, /^bad\.ipynb cell 1 line 1: .* \(TS2322\)$/);
});

Deno.test("a name used before its cell is told, also through a function that is called", async () => {
  assert.deepEqual(await of("early"), [
    "early.ipynb cell 2 line 1: late is used before cell 4 defines it",
    "early.ipynb cell 3 line 2: f() uses width, which only cell 4 defines",
  ]);
});

Deno.test("a parameter is unused when no other cell reads it, its injected value aside", async () => {
  assert.deepEqual(await of("unused"), [
    "unused.ipynb cell 1: the parameter seed is never used",
  ]);
});

Deno.test("outputs that do not belong, doubled ids and missing metadata are told", async () => {
  assert.deepEqual(await of("a"), [
    'a.ipynb cell 2: its id "c1" is also that of cell 1; `clean` gives it another',
    "a.ipynb cell 1: its result is that of another run",
    "a.ipynb cell 2: it has outputs but was never run",
    "a.ipynb cell 3: its execution count 1 comes after 2: the cells were not run in order",
    "a.ipynb markdown cell 1: a markdown cell has no outputs and no execution count",
  ]);
  assert.deepEqual(await of("failed"), [
    "failed.ipynb cell 1: it failed (TypeError) in a run that counts as complete",
  ]);
  assert.deepEqual(await of("part"), []);
  assert.deepEqual(await of("old"), [
    "old.ipynb: 1 of 1 cells have no id; `clean` gives them one",
    "old.ipynb: its metadata has no kernelspec.name; save it with JupyterLab and the Deno kernel",
    "old.ipynb: its metadata has no language_info.name; save it with JupyterLab and the Deno kernel",
  ]);
});

Deno.test("a name that a later cell declares again, as the kernel allows, is checked as what it then is", async () => {
  const told = (await of("again")).map((line) => line.split(": "))
    .filter(([, what]) => !/\(\) uses /.test(what));
  assert.deepEqual(told.map(([place]) => place), [
    "again.ipynb cell 5 line 1",
    "again.ipynb cell 6 line 3",
  ]);
  assert.match(told[0][1], /'string' is not assignable to type 'number'/);
});

Deno.test("names are told by scope", () => {
  const early = (...sources: string[]) =>
    usedTooEarly(sources.map(cellCode)).map(({ name }) => name);
  const later = "const a = 1, b = 2, c = 3;";
  for (
    const own of [
      "for (const a of [1]) a;",
      "for (let b = 0; b < 1; b++) b;",
      "{ const c = 1; c; }",
      "try { 1; } catch (a) { a; }",
      "((a, { b = 1 }, ...[c]) => a + b + c)(1, {}, 2);",
      "a: for (;;) break a;",
      "({ a: 1 }).a;",
      "class K { a = b; c() { return c; } }",
      "const q = { a() { return 1; } };",
      "switch (1) { case 1: { let a = 2; a; } }",
      "let z: { a: number } = null!; z;",
      "const f = function c() { return c; }; f();",
      "import { a as x } from 'm'; x;",
    ]
  ) assert.deepEqual(early(own, later), [], own);
  assert.deepEqual(early("({ a });", later), ["a"]);
  assert.deepEqual(early("const { x = b } = {};", later), ["b"]);
  assert.deepEqual(early("`${c}`; x[a];", later), ["c", "a"]);
  assert.deepEqual(early("class K { [b] = c; static { a; } }", later), [
    "b",
    "a",
  ]);
  assert.deepEqual(early("a = 1;", later), ["a"]);
  assert.deepEqual(early("export {}; if (1) { var v = 1; }", "v;"), []);
});

Deno.test("extracted cells keep each line's cell and where their imports point", () => {
  const cells = [
    markdown("# Title"),
    code('import { a } from "../lib/a.ts";\na'),
    code("// next\n(1);"),
  ];
  const { code: text, origins } = extractCells(cells, "notebooks", ".x/c/x");
  assert.deepEqual(text.split("\n"), [
    'import { a } from "../../../lib/a.ts";',
    "a",
    ";",
    "// next",
    "(1);",
    "export {};",
    "",
  ]);
  assert.deepEqual(origins[4], { cell: 2, line: 2 });
});
