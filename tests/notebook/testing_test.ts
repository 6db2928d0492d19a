/** Notebooks as tests. */
import assert from "node:assert/strict";
import { runNotebookTest, writeNotebook } from "../../lib/notebook/mod.ts";
import {
  code,
  filesTest as test,
  markdown,
  nb,
  notebook,
  save,
  stream,
} from "./_notebook.ts";

const expecting = (source: string, stored: string, tolerance?: number) => {
  const cell = code(source, [stream(stored)], "expect");
  if (tolerance !== undefined) cell.metadata.expect = { tolerance };
  return cell;
};

test("a notebook passes by its tags, with the parameters it gives for tests", async (file) => {
  const nb = notebook(
    markdown("# Title\n\n## Setting"),
    code('let epochs = 100, name = "full", lr = 1;', [], "parameters"),
    {
      cell_type: "raw",
      source: '{"epochs": 2}',
      metadata: { tags: ["test-parameters"] },
    },
    expecting("console.log(epochs, name, lr);", "2 smoke 3\n"),
    expecting("console.log(1 / 3);", "0.3333\n", 1e-3),
    code("throw new TypeError('expected');", [], "raises-exception"),
    code("throw new Error('left out');", [], "skip"),
    "1;",
  );
  nb.metadata.ferlab = {
    test: { parameters: { epochs: 50, name: "smoke", lr: 2 } },
  };
  await writeNotebook(file("a.ipynb"), nb);
  const before = await Deno.readTextFile(file("a.ipynb"));
  const { ok, cells, error } = await runNotebookTest(file("a.ipynb"), {
    parameters: { lr: 3 },
  });
  assert.deepEqual(cells.map(({ message }) => message).filter(Boolean), []);
  assert.deepEqual([ok, error], [true, undefined]);
  assert.deepEqual(cells.map((c) => `${c.cell} ${c.status}`), [
    "cell 1 passed",
    "cell 2 passed",
    "cell 3 passed",
    "cell 4 passed",
    "cell 5 skipped",
    "cell 6 passed",
  ]);
  assert.equal(cells[0].title, "Setting");
  assert.equal(await Deno.readTextFile(file("a.ipynb")), before);
});

test("cells fail by a wrong value, a missing one, no throw where one is due, and a throw", async (file) => {
  await save(
    file("a.ipynb"),
    expecting("console.log(1 / 3);", "0.3333\n", 1e-6),
    code("console.log(1);", [], "expect"),
    "throw new RangeError('too\\nbad');",
    "1;",
  );
  await save(
    file("b.ipynb"),
    code("console.log(2);", [], "raises-exception"),
    "1;",
  );
  const { ok, cells } = await runNotebookTest(file("a.ipynb"));
  assert.equal(ok, false);
  assert.deepEqual(cells.map(({ status }) => status), [
    ...Array(3).fill("failed"),
    "not run",
  ]);
  assert.match(
    cells[0].message!,
    /^output 1 \(stdout\) is not the stored one: 0\.3333 → 0\.33333+ /,
  );
  assert.match(cells[1].message!, /no stored output/);
  assert.equal(cells[2].message, "RangeError: too");
  const tame = await runNotebookTest(file("b.ipynb"));
  assert.match(tame.cells[0].message!, /should have thrown/);
  assert.equal(tame.ok, false);
});

test("parameters for tests that are no JSON object are told", async (file) => {
  for (const source of ["[1]", "null", "{"]) {
    const metadata = { tags: ["test-parameters"] };
    await save(file("a.ipynb"), { cell_type: "raw", source, metadata });
    await assert.rejects(
      runNotebookTest(file("a.ipynb")),
      /a\.ipynb raw cell 1: tagged "test-parameters", [^\n]*$/,
    );
  }
});

test("nb test prints a line a cell and exits with 1 when one fails", async (file) => {
  await save(
    file("a.ipynb"),
    code("let n = 1;", [], "parameters"),
    expecting("console.log(n);", "2\n"),
    code("1;", [], "skip"),
  );
  const good = await nb(file("."), "test", "a.ipynb", "-p", "n=2");
  assert.equal(good.code, 0, good.err);
  assert.match(
    good.out,
    /^a\.ipynb\n {2}passed {2}cell 1 let n = 1; \(.* s\)\n {2}passed {2}cell 2 .*\n {2}skipped cell 3 1;\n2 passed, 0 failed, 1 skipped, 0 not run\n$/,
  );
  const bad = await nb(file("."), "test", "a.ipynb", "--json");
  assert.equal(bad.code, 1);
  const [{ ok, cells }] = JSON.parse(bad.out).notebooks;
  assert.deepEqual([ok, cells[1].status], [false, "failed"]);
});

test("check, fmt, clean and diff exit with 1 on a finding, 0 without, 2 on wrong use", async (file) => {
  const one = notebook(code("const n=1\nconsole.log(n)", [stream("1.00\n")]));
  one.nbformat_minor = 5;
  one.cells[0].id = "a";
  one.metadata.language_info = { name: "typescript" };
  await writeNotebook(file("a.ipynb"), one);
  one.cells[0].outputs = [stream("1.01\n")];
  await writeNotebook(file("b.ipynb"), one);
  const none = /^\{\s*"findings": \[\s*\{\s*"file": "none\.ipynb"/;
  const expected: [exit: number, out: RegExp, args: string][] = [
    [0, /^$/, "check a.ipynb"],
    [1, none, "check --json none.ipynb"],
    [1, /^a\.ipynb: not formatted: cell 1\n$/, "fmt --check a.ipynb"],
    [1, /^a\.ipynb cell 1: outputs\n/, "clean --check a.ipynb"],
    [1, /output 1 \(stdout\): 1\.00 → 1\.01 /, "diff a.ipynb b.ipynb"],
    [0, /^$/, "diff a.ipynb b.ipynb --tolerance 0.02 --html d.html"],
    [2, /^$/, "diff a.ipynb b.ipynb --tolerance x"],
    [0, /^a\.ipynb\n$/, "clean a.ipynb"],
    [0, /^a\.ipynb\n$/, "fmt a.ipynb"],
    [1, /^$/, "clean none.ipynb"],
  ];
  for (const [exit, out, args] of expected) {
    const r = await nb(file("."), ...args.split(" "));
    assert.equal(r.code, exit, `${args}: ${r.err}`);
    assert.match(r.out, out, args);
  }
  assert.match(
    await Deno.readTextFile(file("d.html")),
    /The notebooks say the same/,
  );
});
