/** Cleaning notebooks. */
import assert from "node:assert/strict";
import { cleanNotebook } from "../../lib/notebook/mod.ts";
import { filesTest as test } from "./_notebook.ts";

const text = `{
 "cells": [
  {
   "cell_type": "code",
   "execution_count": 7,
   "id": "parameters",
   "metadata": {
    "collapsed": true,
    "ferlab": {
     "seconds": 1.5
    },
    "jupyter": {
     "outputs_hidden": true,
     "source_hidden": true
    },
    "tags": [
     "parameters"
    ]
   },
   "outputs": [
    {
     "name": "stdout",
     "output_type": "stream",
     "text": [
      "a\\n"
     ]
    }
   ],
   "source": "let a = 1.0;"
  },
  {
   "attachments": { "x.png": {"image/png": "QUJD"} },
   "cell_type": "markdown",
   "metadata": {},
   "source": []
  },
  {
   "cell_type": "code",
   "execution_count": null,
   "id": "parameters",
   "metadata": {"scrolled": false, "tags": []},
   "outputs": [],
   "source": "a"
  }
 ],
 "metadata": {"ferlab": {"status": "complete", "test": {"parameters": {"a": 2}}}, "vscode": {}, "n": 1.0},
 "nbformat": 4,
 "nbformat_minor": 4
}
`;

test("clean removes outputs, counts and noise; the rest keeps its bytes", async (file) => {
  const path = file("a.ipynb");
  await Deno.writeTextFile(path, text);
  const { removed } = await cleanNotebook(path, { check: true });
  assert.equal(await Deno.readTextFile(path), text);
  assert.equal((await cleanNotebook(path)).removed.length, removed.length);
  const cleaned = await Deno.readTextFile(path);
  const [one, two, three] = JSON.parse(cleaned).cells;
  assert.deepEqual(removed, [
    "cell 1: outputs",
    "cell 1: execution count",
    "cell 1: metadata",
    `markdown cell 1: id ${two.id} given`,
    "cell 2: metadata",
    `cell 2: id ${three.id} given`,
    "notebook: metadata",
  ]);
  assert.equal(
    cleaned,
    text.replace(/"outputs": \[\n[^]*?\n {3}\]/, '"outputs": []')
      .replace('"execution_count": 7', '"execution_count": null')
      .replace('    "collapsed": true,\n', "")
      .replace('     "outputs_hidden": true,\n', "")
      .replace(
        '"cell_type": "markdown",',
        `"cell_type": "markdown",\n   "id": "${two.id}",`,
      )
      .replace(
        'null,\n   "id": "parameters",\n   "metadata": {"scrolled": false, "tags": []}',
        `null,\n   "id": "${three.id}",\n   "metadata": {}`,
      )
      .replace(
        /"metadata": \{"ferlab".*\}/,
        JSON.stringify(
          {
            metadata: {
              ferlab: {
                status: "complete",
                test: { parameters: { a: 2 } },
              },
              n: 1,
            },
          },
          null,
          1,
        ).slice(3, -2),
      )
      .replace('"nbformat_minor": 4', '"nbformat_minor": 5'),
  );
  assert.equal(one.id, "parameters");
  assert.deepEqual((await cleanNotebook(path)).removed, []);
  assert.equal(await Deno.readTextFile(path), cleaned);
});

test("of equal keys the last is cleaned: it is the one that counts", async (file) => {
  const path = file("a.ipynb");
  const twice = text.replace(/"outputs": \[\n/, '"outputs": [], $&');
  await Deno.writeTextFile(path, twice);
  await cleanNotebook(path);
  assert.deepEqual((await cleanNotebook(path)).removed, []);
  assert.ok(!(await Deno.readTextFile(path)).includes("output_type"));
});

test("clean --all removes what runs record, not what tests are given", async (file) => {
  const path = file("a.ipynb");
  await Deno.writeTextFile(path, text);
  await cleanNotebook(path, { all: true });
  const { cells, metadata } = JSON.parse(await Deno.readTextFile(path));
  assert.deepEqual(cells[0].metadata, {
    jupyter: { source_hidden: true },
    tags: ["parameters"],
  });
  assert.deepEqual(metadata.ferlab, { test: { parameters: { a: 2 } } });
  assert.deepEqual((await cleanNotebook(path, { all: true })).removed, []);
});

test("equal notebooks get equal ids, equal cells in one of them different ones", async (file) => {
  const cell = { cell_type: "markdown", metadata: {}, source: "same" };
  const nb = { nbformat: 4, nbformat_minor: 5, metadata: {} };
  const ids: string[][] = [];
  for (const indent of [undefined, 2]) {
    await Deno.writeTextFile(
      file("a.ipynb"),
      JSON.stringify(
        { ...nb, cells: [cell, { ...cell, id: "no good" }, cell] },
        null,
        indent,
      ),
    );
    await cleanNotebook(file("a.ipynb"));
    const { cells } = JSON.parse(await Deno.readTextFile(file("a.ipynb")));
    ids.push(cells.map(({ id }: { id: string }) => id));
  }
  assert.deepEqual(ids[0], ids[1]);
  assert.equal(new Set(ids[0]).size, 3);
  assert.ok(ids[0].every((id) => /^[\w-]{1,64}$/.test(id)));
});
