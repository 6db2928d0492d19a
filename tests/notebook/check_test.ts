/** Checking notebooks without running them. */
import assert from "node:assert/strict";
import {
  type Cell,
  cellCode,
  checkNotebooks,
  findingText,
  type Notebook,
  readNotebook,
  runNotebook,
  writeNotebook,
} from "../../lib/notebook/mod.ts";
import { extractCells } from "../../lib/notebook/extract.ts";
import { usedTooEarly } from "../../lib/notebook/check_names.ts";
import { code, markdown, notebook, stream, withFolder } from "./_notebook.ts";

/** A notebook of format 4.5 in which nothing is wrong but what is given. */
function sound(...cells: Cell[]): Notebook {
  const nb = notebook(...cells.map((c, i) => ({ id: `c${i + 1}`, ...c })));
  nb.nbformat_minor = 5;
  nb.metadata.language_info = { name: "typescript" };
  return nb;
}

/** Findings of notebooks by file name, one line each. */
async function told(notebooks: Record<string, Notebook>): Promise<string[]> {
  let lines: string[] = [];
  await withFolder(async (folder, file) => {
    await Deno.writeTextFile(file("deno.json"), "{}");
    await Deno.writeTextFile(file("x.ts"), "export const x: number = 1;\n");
    await Deno.mkdir(file("sub"));
    for (const [name, nb] of Object.entries(notebooks)) {
      await Deno.writeTextFile(file(name), JSON.stringify(nb));
    }
    const findings = await checkNotebooks(Object.keys(notebooks).map(file));
    lines = findings.map((f) => findingText(f).replaceAll(`${folder}/`, ""));
    const left = [...Deno.readDirSync(folder)].map(({ name }) => name);
    assert.ok(!left.some((name) => name.endsWith(".tmp")), "rubbish left");
  });
  return lines;
}

Deno.test("types and lint are told by notebook, code cell and line, all cells being one program", async () => {
  const lines = await told({
    "good.ipynb": sound(
      markdown("# Title"),
      code('import { x } from "./x.ts";\nlet lr = 1;\nlr + x'),
      code("[1, 2].map((n) => n * lr)"), // no index into the value above
      code("enum Colour { Red }\nColour.Red;"),
    ),
    "sub/bad.ipynb": sound(
      markdown("# Title"),
      code('import { x } from "./x.ts";\nx;'),
      markdown("## Next"),
      code("const n: number = x;\nconst s: string = n;\ns as any;"),
    ),
    "sub/gone.ipynb": sound(code('import { y } from "./y.ts";\ny;')),
    "cut.ipynb": sound(code("let a = 1;\nconst b = ;\na;"), code("let = 2")),
  });
  assert.deepEqual(lines.filter((l) => l.startsWith("good")), []);
  assert.deepEqual(lines.filter((l) => l.startsWith("sub/bad")), [
    "sub/bad.ipynb cell 2 line 2: Type 'number' is not assignable to type " +
    "'string'. (TS2322)",
    "sub/bad.ipynb cell 2 line 3: `any` type is not allowed (no-explicit-any)",
  ]);
  const gone = lines.filter((l) => l.startsWith("sub/gone"));
  assert.match(gone[0], /^sub\/gone\.ipynb cell 1 line 1: .*y\.ts/);
  assert.match(
    lines.find((l) => l.startsWith("cut"))!,
    /^cut\.ipynb cell 1 line 2: SyntaxError: Expression expected$/,
  );
});

Deno.test("a name used before its cell is told, also through a function that is called", async () => {
  const lines = await told({
    "a.ipynb": sound(
      code("const f = () => width * 2;\nfunction g() { return f(); }"),
      code("console.log(late);\n[1].map(g);"),
      code("console.log(\n  g(),\n);"),
      code("const width = 3;\nconst late = { late: width };"),
      code("g(); late;"),
    ),
  });
  assert.deepEqual(lines, [
    "a.ipynb cell 2 line 1: late is used before cell 4 defines it",
    "a.ipynb cell 3 line 2: f() uses width, which only cell 4 defines",
  ]);
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

Deno.test("a parameter is unused when no other cell reads it, its injected value aside", async () => {
  const lines = await told({
    "a.ipynb": sound(
      code("let lr = 1;\nlet depth = 2;\nlet seed = 3;", [], "parameters"),
      { ...code("seed = 4;", [], "injected-parameters"), execution_count: 2 },
      { ...code("const o = { lr };\no;", []), execution_count: 3 },
      { ...code("(() => depth)();", []), execution_count: 4 },
    ),
  });
  assert.deepEqual(lines, [
    "a.ipynb cell 1: the parameter seed is never used",
  ]);
});

Deno.test("outputs that do not belong, doubled ids and missing metadata are told", async () => {
  const error = {
    output_type: "error" as const,
    ename: "TypeError",
    evalue: "x",
    traceback: [],
  };
  const ran = (count: number, cell: Cell): Cell => ({
    ...cell,
    execution_count: count,
  });
  const result = {
    output_type: "execute_result" as const,
    data: { "text/plain": "1" },
    metadata: {},
    execution_count: 9,
  };
  const lines = await told({
    "a.ipynb": sound(
      ran(2, code("1;", [result])),
      { ...code("2;"), outputs: [stream("2\n")], id: "c1" },
      ran(1, code("3;", [])),
      { ...markdown("4"), outputs: [] },
      ran(5, code("throw 1;", [error], "raises-exception")),
    ),
    "failed.ipynb": sound(ran(1, code("1;", [error])), ran(2, code("2;", []))),
    "part.ipynb": sound(ran(1, code("1;", [error])), code("2;")),
    "old.ipynb": { ...notebook(code("1;")), metadata: {} },
  });
  assert.deepEqual(lines, [
    'a.ipynb cell 2: its id "c1" is that of cell 1 too; `clean` gives it another',
    "a.ipynb cell 1: its result is that of another run",
    "a.ipynb cell 2: it has outputs but was never run",
    "a.ipynb cell 3: its execution count 1 comes after 2: the cells were not run in order",
    "a.ipynb markdown cell 1: a markdown cell has no outputs and no execution count",
    "failed.ipynb cell 1: it failed (TypeError) in a run that counts as complete",
    "old.ipynb: 1 of 1 cells have no id; `clean` gives them one",
    "old.ipynb: its metadata has no kernelspec.name; save it with JupyterLab and the Deno kernel",
    "old.ipynb: its metadata has no language_info.name; save it with JupyterLab and the Deno kernel",
  ]);
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

Deno.test("a cell that was changed after it ran is told, with the cells that it bears on", async () => {
  await withFolder(async (_, file) => {
    const cells = [code("const a = 1;"), code("a;"), code("2;")];
    await writeNotebook(file("a.ipynb"), notebook(...cells));
    await runNotebook(file("a.ipynb"), { out: file("a.ipynb") });
    const changed = async () =>
      (await checkNotebooks([file("a.ipynb")]))
        .filter(({ kind }) => kind === "stale")
        .map(({ cell, message }) => `${cell} ${message}`);
    assert.deepEqual(await changed(), []);
    const ran = await readNotebook(file("a.ipynb"));
    ran.cells[0].source = "const a = 3;";
    await writeNotebook(file("a.ipynb"), ran);
    assert.deepEqual(await changed(), [
      "cell 1 it changed since it ran: its source",
      "cell 2 it changed since it ran: upstream cell 1",
    ]);
  });
});

Deno.test("a name that a later cell declares again, as the kernel allows, is checked as what it then is", async () => {
  await withFolder(async (_, file) => {
    const cells = [
      `import { basename } from "node:path";\nconst data = [1, 2];`,
      `function last() { return data.at(-1); }\nconst n: number | undefined = last();`,
      `import { basename } from "node:path";\nimport { join } from "node:path";`,
      `export const data = "a";\ninterface Row { a: number }\nconst up: string = data.toUpperCase();`,
      `const bad: number = data;\nconst where = join(basename(up), "b");`,
      `interface Row { b: string }\nconst row: Row = { b: where };\nfunction last() { return row.b + bad + n + nowhere; }\nlast();`,
    ];
    await writeNotebook(
      file("a.ipynb"),
      notebook(...cells.map((c) => code(c))),
    );
    const found = (await checkNotebooks([file("a.ipynb")]))
      .filter(({ kind }) => /types|lint|syntax/.test(kind));
    assert.deepEqual(
      found.map(({ cell, line }) => `${cell} ${line}`),
      ["cell 5 1", "cell 6 3"],
    );
    assert.match(
      found[0].message,
      /'string' is not assignable to type 'number'/,
    );
  });
});
