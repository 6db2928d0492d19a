/** `deno task nb`, as a process. */
import assert from "node:assert/strict";
import { readNotebook } from "../../lib/notebook/mod.ts";
import { assertRefused } from "../_refused.ts";
import {
  code,
  filesTest as test,
  markdown,
  nb,
  printed,
  save,
} from "./_notebook.ts";

test("--help tells the use and exits with 0", async (file) => {
  const [all, run] = await Promise.all([
    nb(file("."), "--help"),
    nb(file("."), "run", "--help"),
  ]);
  assert.equal(all.code, 0);
  assert.match(all.out, /Usage: deno task nb/);
  assert.match(all.out, /Exit codes: 0 done; 1 a cell failed/);
  assert.equal(run.code, 0);
  assert.match(run.out, /-p, --param <name=value>/);
  assert.match(run.out, /NAME\.executed\.ipynb/);
});

test("wrong usage exits with 2, a bad file with 1, each in one line", async (file) => {
  await Deno.writeTextFile(file("bad.ipynb"), "{");
  await save(file("s.ipynb"), code("1", [], "timeout=\x1b]0;T"));
  const cases: [exit: number, message: RegExp, args: string][] = [
    [2, /missing required argument/, "run"],
    [2, /unknown option '--no'/, "export a.ipynb --no"],
    [2, /unknown command/, "frobnicate"],
    [2, /must be name=value/, "run a.ipynb -p lr"],
    [1, /a\.ipynb: .*no such file/, "run a.ipynb"],
    [1, /bad\.ipynb: cannot read/, "export bad.ipynb"],
    [1, /no\/x: its folder/, "run bad.ipynb --out no/x"],
    [1, /s\.ipynb cell 1: .*\\u001b\]0;T/, "run s.ipynb"],
  ];
  if (Deno.build.os !== "windows") {
    const message = /fd\/1 is no plain file; give another --out/;
    cases.push([1, message, "run s.ipynb --out /dev/fd/1"]);
  }
  await Promise.all(cases.map(async ([exit, message, args]) => {
    const ended = await nb(file("."), ...args.split(" "));
    assertRefused(ended, exit, message);
    assert.equal(ended.out, "");
  }));
});

test("run saves beside the input, tells its progress, and export runs nothing", async (file) => {
  const folder = file(".");
  await save(
    file("a.ipynb"),
    markdown("# Title\n\n## Setting"),
    code("let lr = 1, name = '';", [], "parameters"),
    `Deno.writeTextFileSync("log", "x", { append: true });
console.log(lr, name);`,
  );
  const before = await Deno.readTextFile(file("a.ipynb"));
  // The second as papermill has it.
  const args = ["-p", "lr=1e-3", "-p", "name", "a=b c", "--html", "a.html"];
  const run = await nb(folder, "run", "a.ipynb", ...args);
  assert.equal(run.code, 0, run.err);
  assert.equal(run.out, "a.executed.ipynb\na.html\n");
  assert.match(run.err, /^\[1\/3\] Setting\n/);
  assert.match(run.err, /^ {4}0\.001 a=b c\n {4}\d+\.\d\d s\n/m);
  assert.equal(await Deno.readTextFile(file("a.ipynb")), before);
  const done = await readNotebook(file("a.executed.ipynb"));
  assert.equal(printed(done.cells[3]), "0.001 a=b c\n");

  const page = await nb(
    folder,
    ...["export", "a.executed.ipynb", "--title", "Mine"],
  );
  assert.equal(page.out, "a.executed.html\n");
  assert.match(
    await Deno.readTextFile(file("a.executed.html")),
    /<title>Mine<\/title>/,
  );
  assert.equal(await Deno.readTextFile(file("log")), "x");

  const again = await nb(folder, "run", "a.executed.ipynb", "--quiet");
  assert.deepEqual([again.out, again.err], ["a.executed.ipynb\n", ""]);
});

test("a failing cell exits with 1 and leaves the notebook and the page", async (file) => {
  await save(
    file("a.ipynb"),
    `console.log(1)`,
    `throw new Error("bad\\nluck")`,
  );
  const args = ["--html", "a.html", "--out", "b.ipynb", "-q", "-p", "x=1"];
  const r = await nb(file("."), "run", "a.ipynb", ...args);
  assert.equal(r.code, 1);
  assert.match(r.err, /^warning: .*no parameter "x"/);
  assert.match(
    r.err,
    /^error: a\.ipynb cell 2 \(line 1\): bad, in `throw new Error/m,
  );
  assert.match(await Deno.readTextFile(file("a.html")), /The run failed/);
  const saved = await readNotebook(file("b.ipynb"));
  assert.equal(printed(saved.cells[0]), "1\n");
});

test("pages are written in one step: a link stays a link, and nothing is left beside them", async (file) => {
  const folder = file(".");
  await save(file("a.ipynb"), "1");
  await Deno.writeTextFile(file("real.html"), "old");
  await Deno.symlink("real.html", file("a.html"));
  for (
    const args of [
      ["run", "a.ipynb", "--html", "a.html"],
      ["export", "a.executed.ipynb", "-o", "a.html"],
      ["diff", "a.ipynb", "a.executed.ipynb", "--html", "a.html"],
    ]
  ) {
    await Deno.writeTextFile(file("real.html"), "old");
    await nb(folder, ...args);
    assert.match(
      await Deno.readTextFile(file("real.html")),
      /^<!doctype html>/,
    );
    assert.ok((await Deno.lstat(file("a.html"))).isSymlink);
  }
  if (Deno.build.os !== "windows") {
    const piped = await nb(folder, "export", "a.ipynb", "-o", "/dev/fd/1");
    assert.match(piped.out, /^<!doctype html>/);
  }
  const names = Array.from(Deno.readDirSync(folder), ({ name }) => name);
  assert.deepEqual(names.sort(), [
    ...["a.executed.ipynb", "a.html", "a.ipynb", "real.html"],
  ]);
});
