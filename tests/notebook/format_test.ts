/** Formatting the cells of notebooks. */
import assert from "node:assert/strict";
import { formatNotebook } from "../../lib/notebook/mod.ts";
import { filesTest as test } from "./_notebook.ts";

// Odd on purpose: 2 blanks, 1.0, an escape, compact and unknown parts.
const text = String.raw`{
  "nbformat": 4, "nbformat_minor": 5,
  "metadata": {"x": 1.0, "language_info": {"name": "typescript"}},
  "cells": [
    {
      "cell_type": "code", "id": "a", "metadata": {},
      "execution_count": 3,
      "outputs": [{"output_type": "stream", "name": "stdout", "text": "café\n"}],
      "source": [
        "const n=1"
      ]
    },
    {"cell_type": "markdown", "id": "b", "metadata": {}, "source": "* x\n* y"},
    {"cell_type": "raw", "id": "c", "metadata": {}, "source": "a=1"},
    {"cell_type": "code", "id": "d", "metadata": {}, "execution_count": null, "outputs": [], "source": "const m = 1;"}
  ]
}`;

test("fmt changes the sources of code and markdown cells and no other byte", async (file) => {
  const path = file("a.ipynb");
  await Deno.writeTextFile(path, text);
  const changed = ["cell 1", "markdown cell 1"];
  assert.deepEqual(await formatNotebook(path, { check: true }), {
    file: path,
    changed,
    errors: [],
  });
  assert.equal(await Deno.readTextFile(path), text);
  assert.deepEqual((await formatNotebook(path)).changed, changed);
  assert.equal(
    await Deno.readTextFile(path),
    text.replace('"const n=1"', '"const n = 1;"')
      .replace(String.raw`"* x\n* y"`, String.raw`"- x\n- y"`),
  );
  assert.deepEqual((await formatNotebook(path)).changed, []);
  assert.deepEqual([...Deno.readDirSync(file("."))].length, 1);
});

test("a cell that is an object is formatted as one", async (file) => {
  const path = file("a.ipynb");
  const given = text.replace("const n=1", "{a:n,b:{}}");
  await Deno.writeTextFile(path, given);
  assert.deepEqual((await formatNotebook(path)).errors, []);
  const { cells: [cell] } = JSON.parse(await Deno.readTextFile(path));
  assert.deepEqual(cell.source, ["{ a: n, b: {} }"]);
});

test("a source that is a list stays one, a line an item, indented as before", async (file) => {
  const path = file("a.ipynb");
  await Deno.writeTextFile(path, text.replace('"const n=1"', '"if(n){f()}"'));
  await formatNotebook(path);
  assert.ok((await Deno.readTextFile(path)).includes(String.raw`
      "source": [
        "if (n) f();"
      ]`));
  await Deno.writeTextFile(path, text.replace('"const n=1"', '"f(); g()"'));
  await formatNotebook(path);
  assert.ok((await Deno.readTextFile(path)).includes(String.raw`
      "source": [
        "f();\n",
        "g();"
      ]`));
});

test("a cell that does not parse is told by line and the rest is formatted", async (file) => {
  const path = file("a.ipynb");
  const bad = text.replace(
    '"const n=1"',
    String.raw`"let a;\n", "const = 1"`,
  );
  await Deno.writeTextFile(path, bad);
  const { changed, errors } = await formatNotebook(path);
  assert.deepEqual(changed, ["markdown cell 1"]);
  assert.match(errors[0], /^cell 1 line 2: SyntaxError: /);
  assert.equal(errors.length, 1);
});

test("formulas keep their characters, code in text is still code", async (file) => {
  const path = file("a.ipynb");
  const formulas = "$x *y* z$ costs 5$ and `$a *b*$`\n\n$$\na\n- b\n+ c\n$$";
  const source = `${formulas}\n\n| a | b |\n|--|--|\n| $*x*$ | *y* |`;
  const cells = [{ cell_type: "markdown", metadata: {}, source }];
  const nb = { nbformat: 4, nbformat_minor: 4, metadata: {}, cells };
  await Deno.writeTextFile(path, JSON.stringify(nb));
  await formatNotebook(path);
  assert.equal(
    JSON.parse(await Deno.readTextFile(path)).cells[0].source,
    `${formulas}\n\n| a     | b   |\n| ----- | --- |\n| $*x*$ | _y_ |`,
  );
});

test("fmt follows the deno.json above the notebook", async (file) => {
  await Deno.writeTextFile(
    file("deno.json"),
    JSON.stringify({ fmt: { singleQuote: true, exclude: ["**/*.ipynb"] } }),
  );
  await Deno.mkdir(file("sub"));
  const path = file("sub/a.ipynb");
  await Deno.writeTextFile(
    path,
    text.replace("const n=1", String.raw`f(\"x\")`),
  );
  await formatNotebook(path);
  assert.ok((await Deno.readTextFile(path)).includes(`"f('x');"`));
});
