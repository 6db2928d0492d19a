/** Reading and writing .ipynb files, and parameters as text. */
import assert from "node:assert/strict";
import { readNotebook, writeNotebook } from "../../lib/notebook/mod.ts";
import { declaredNames } from "../../lib/notebook/run/parameter_kinds.ts";
import {
  injectParameters,
  literal,
} from "../../lib/notebook/run/parameters.ts";
import {
  code,
  display,
  filesTest as test,
  markdown,
  notebook,
  save,
  stream,
  withFiles,
} from "./_notebook.ts";

test("a notebook survives writing and reading", async (file) => {
  const nb = notebook(
    markdown("# A\n\ntext\n"),
    code("a\n\nb", [
      stream("1\n2\n"),
      display("text/html", "<b>\n</b>"),
      display("application/json", { a: ["x", "y"] }),
      display("image/png", "QUJD"),
    ]),
    { cell_type: "raw", source: "", metadata: { keep: [1] } },
  );
  await writeNotebook(file("a.ipynb"), nb);
  assert.deepEqual(await readNotebook(file("a.ipynb")), nb);
  const raw = JSON.parse(await Deno.readTextFile(file("a.ipynb")));
  assert.deepEqual(raw.cells[1].source, ["a\n", "\n", "b"]);
  assert.deepEqual(raw.cells[1].outputs[0].text, ["1\n", "2\n"]);
  assert.deepEqual(
    Array.from(Deno.readDirSync(file(".")), (e) => e.name),
    ["a.ipynb"],
  );
});

Deno.test("writing keeps a link, and the mode of the file", async () => {
  if (Deno.build.os === "windows") return;
  await withFiles(async (file) => {
    await Deno.writeTextFile(file("real.ipynb"), "", { mode: 0o640 });
    await Deno.symlink("real.ipynb", file("link.ipynb"));
    await save(file("link.ipynb"), markdown("x"));
    assert.ok((await Deno.lstat(file("link.ipynb"))).isSymlink);
    const { mode } = await Deno.stat(file("real.ipynb"));
    assert.equal(mode! & 0o777, 0o640);
    assert.equal((await readNotebook(file("real.ipynb"))).cells.length, 1);
  });
});

test("a bad file is told in one line that names it", async (file) => {
  await Deno.writeTextFile(file("cut.ipynb"), '{\n"cells": [');
  await Deno.writeTextFile(file("old.ipynb"), '{"nbformat": 3}');
  await Deno.writeTextFile(file("null.ipynb"), "null");
  await Deno.writeTextFile(
    file("cell.ipynb"),
    '{"nbformat": 4, "cells": [null]}',
  );
  await Deno.writeTextFile(
    file("deep.ipynb"),
    `{"nbformat": 4, "cells": [], "metadata": {"a": ${
      "[".repeat(1e4) + "]".repeat(1e4)
    }}}`,
  );
  await Deno.writeFile(file("zeros.ipynb"), new Uint8Array(99));
  await Deno.symlink("/dev/zero", file("endless.ipynb"));
  const told: [string, RegExp][] = [
    ["deep.ipynb", /: it nests more than 1000 deep/],
    ["zeros.ipynb", /it holds zeros, as after a crash/],
    ...Deno.build.os === "windows"
      ? []
      : [["endless.ipynb", /it is a device$/] as [string, RegExp]],
    ["none.ipynb", /no such file$/],
    ["cut.ipynb", /cannot read the notebook: /],
    ["old.ipynb", /not a notebook of format 4/],
    ["null.ipynb", /not a notebook of format 4/],
    ["cell.ipynb", /its item 1 is no cell/],
    [".", /cannot read the notebook/],
  ];
  for (const [name, message] of told) {
    await assert.rejects(readNotebook(file(name)), (e: Error) => {
      assert.match(e.message, message);
      assert.ok(e.message.startsWith(file(".")));
      assert.equal(e.message.split("\n").length, 1);
      return true;
    });
  }
  await assert.rejects(
    save(file("no/such.ipynb"), markdown("")),
    /such\.ipynb: cannot write the notebook: [^\n:']*$/,
  );
});

Deno.test("every parameter value is a literal that evaluates to itself", () => {
  const values = [
    NaN,
    -0,
    1e-8,
    -Infinity,
    null,
    undefined,
    true,
    "\u2028`${x}`\\\n\"'</script>",
    [1, ["a"]],
    { "a-b": { __proto__x: 1 }, n: [] },
    JSON.parse('{"__proto__": 1}'),
  ];
  for (const value of values) {
    assert.deepEqual((0, eval)(`(${literal(value)})`), value);
  }
  assert.throws(() => literal(() => 1), /cannot be a function/);
  assert.throws(() => literal(new Date()), TypeError);
});

Deno.test("parameters are the names that let declares at the top level", () => {
  assert.deepEqual(
    declaredNames(`// let no = 1;
let a = 1; /* let no = 2 */ let b: Record<string, number> = {}, c = "let no";
let d = \`let no\`, e = (() => { let no = 1; return no; })();
const no = 1; let f
let ü: number[] = [1, 2], $g: string | undefined;
let { h, no: [i = 1], ...j } = { h: 1, no: [] };`),
    ["a", "b", "c", "d", "e", "f", "ü", "$g", "h", "i", "j"],
  );
});

Deno.test("new parameters replace the cell of the run before", () => {
  const nb = notebook(code("let a = 1;", [], "parameters"), "a");
  assert.deepEqual(injectParameters(nb, { a: 2, z: 1 }), { unknown: ["z"] });
  injectParameters(nb, { a: "x" });
  assert.equal(nb.cells.length, 3);
  assert.match(nb.cells[1].source, /^a = "x";$/m);
  injectParameters(nb, {});
  assert.equal(nb.cells.length, 2);
});
