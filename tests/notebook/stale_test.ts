/** What makes a cell stale, and what does not. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  type Cell,
  checkNotebooks,
  findingText,
  notebookStatus,
  readNotebook,
  rerunCells,
  runNotebook,
  writeNotebook,
} from "../../lib/notebook/mod.ts";
import {
  code,
  errorOf,
  filesTest as test,
  markdown,
  notebook,
  printed,
  save,
} from "./_notebook.ts";

const NUMBERS = ["1", "2", "3", "4", "5"];

/** States of a file's cells: "2 stale: its source". */
async function states(file: string): Promise<string[]> {
  return (await notebookStatus(file)).cells.map((c) =>
    `${c.number} ${c.state}${c.why.length ? `: ${c.why.join(", ")}` : ""}`
  );
}

test("each cause makes the right cells stale and is told, and only those", async (file) => {
  const write = (name: string, text: string) =>
    Deno.writeTextFile(file(name), text);
  await write("deno.json", `{ // the map\n"imports": { "lab/": "./lib/" } }`);
  await write("deno.lock", "{}");
  await Deno.mkdir(file("lib"));
  await write("lib/a.ts", `export { two } from "./b.ts";`);
  await write("lib/b.ts", `export const two: number = 2;`);
  await write("x.csv", "1\n");
  const load = code(
    `const rows = Deno.readTextFileSync("x.csv").split("\\n");`,
  );
  load.metadata.ferlab = { data: ["*.csv"] };
  const cells = [
    code(`let lr = 1;`, undefined, "parameters"),
    code(`import { two } from "lab/a.ts";`),
    load,
    code(`const sum = lr + two;`),
    code(`console.log("alone");`),
  ];
  await save(file("a.ipynb"), ...cells);
  const never = NUMBERS.map((n) => `${n} never run`);
  assert.deepEqual(await states(file("a.ipynb")), never);
  const ran = await rerunCells(file("a.ipynb"), { cells: NUMBERS });
  assert.equal(ran.error, undefined);
  assert.equal(ran.out, file("a.executed.ipynb"));

  const fresh = NUMBERS.map((n) => `${n} fresh`);
  const expect = async (changed: Record<number, string>) => {
    const expected = fresh.map((f, i) =>
      changed[i + 1] ? `${i + 1} stale: ${changed[i + 1]}` : f
    );
    assert.deepEqual(await states(file("a.ipynb")), expected);
    assert.deepEqual(await states(file("a.executed.ipynb")), expected);
  };
  await expect({});

  await write("lib/b.ts", `export const two: number = 3;`);
  await expect({ 4: "module lib/b.ts" });
  await write("lib/b.ts", `export const two: number = 2;`);
  await expect({});

  await write("x.csv", "1\n2\n");
  await expect({ 3: "data" });
  await write("y.csv", "");
  await expect({ 3: "data" });
  await rerunCells(file("a.ipynb"), { cells: "stale" });
  await expect({});

  cells[0].source = `let lr = 2;`;
  await save(file("a.ipynb"), ...cells);
  await expect({ 1: "its source", 4: "upstream cell 1" });
  const again = await rerunCells(file("a.ipynb"), { cells: "stale" });
  assert.deepEqual(again.asked, [1, 4]);
  await expect({});

  const done = await readNotebook(file("a.executed.ipynb"));
  const injected = code(`lr = 5;`, undefined, "injected-parameters");
  done.cells.splice(1, 0, injected);
  await writeNotebook(file("a.executed.ipynb"), done);
  assert.deepEqual(await states(file("a.ipynb")), [
    "1 fresh",
    "2 never run",
    "3 fresh",
    "4 fresh",
    "5 stale: a parameter, upstream cell 2",
    "6 fresh",
  ]);
});

test("a rerun of what is stale leaves the notebook as its source is now", async (file) => {
  const [a, b, c, d] = ["a", "b", "c", "d"]
    .map((name) => code(`console.log("${name}");`));
  const lr = code("let lr = 1;", undefined, "parameters");
  const [intro, end] = ["# Intro", "The end"].map(markdown);
  const out = file("a.executed.ipynb");
  const write = (...cells: Cell[]) =>
    writeNotebook(file("a.ipynb"), {
      ...notebook(...cells.map((cell, i) => ({ id: `${i}`, ...cell }))),
      nbformat_minor: 5,
    });
  const shown = async () =>
    (await readNotebook(out)).cells.map((cell) =>
      cell.cell_type === "code"
        ? printed(cell).trim() ||
          (/^lr = 2;$/m.exec(cell.source)?.[0] ?? cell.source)
        : cell.source
    );
  const stale = async () => {
    const { error, asked } = await rerunCells(file("a.ipynb"), {
      cells: "stale",
    });
    assert.equal(error, undefined);
    return asked;
  };
  const named = [lr, intro, a, b, c, end]
    .map((cell, i) => ({ ...cell, id: `${i}` }));
  await write(...named);
  await runNotebook(file("a.ipynb"), { out, parameters: { lr: 2 } });
  const before = await Deno.readTextFile(out);
  assert.deepEqual(await stale(), []);
  assert.equal(await Deno.readTextFile(out), before);

  // Text alone.
  named[1].source = "# Changed";
  await write(...named);
  assert.deepEqual(await stale(), []);
  assert.deepEqual(
    await shown(),
    ["let lr = 1;", "lr = 2;", "# Changed", "a", "b", "c", "The end"],
  );
  const counts = async () =>
    (await readNotebook(out)).cells.map((cell) => cell.execution_count);
  assert.deepEqual(await counts(), [1, 2, undefined, 3, 4, 5, undefined]);

  // Moved, deleted, new, and a tag.
  const [first, text, one, , three, last] = named;
  three.metadata = { tags: ["chart"] };
  const more = { ...markdown("More"), id: "more" };
  await write(first, last, three, more, { ...d, id: "d" }, one, text);
  assert.deepEqual(await stale(), [4]);
  assert.deepEqual(
    await shown(),
    ["let lr = 1;", "lr = 2;", "The end", "c", "More", "d", "a", "# Changed"],
  );
  const { cells } = await readNotebook(out);
  assert.deepEqual(cells[3].metadata.tags, ["chart"]);
  assert.deepEqual(
    (await states(file("a.ipynb"))).map((s) => s.replace(/^\d+ /, "")),
    Array(5).fill("fresh"),
  );
  // What a failed rerun does not come to has no result of another source.
  one.source = `console.log("other");`;
  await write(first, { ...code("throw 1;"), id: "bad" }, one);
  assert.match(
    (await rerunCells(file("a.ipynb"), { cells: "stale" })).error!,
    /cell 3 \(line 1\): 1, in `throw 1;`$/,
  );
  assert.deepEqual(
    await shown(),
    ["let lr = 1;", "lr = 2;", "throw 1;", `console.log("other");`],
  );
});

test("the lock file counts for packages, Deno's version for all, a damaged key is a miss", async (file) => {
  await Deno.writeTextFile(
    file("deno.json"),
    `{ "imports": { "p": "npm:p@1" } }`,
  );
  await Deno.writeTextFile(file("deno.lock"), "{}");
  await save(
    file("a.ipynb"),
    `try { await import("p"); } catch { /* not there */ }`,
    `1`,
    `throw new Error("no")`,
    code(`throw new Error("yes")`, undefined, "raises-exception"),
  );
  const cells = ["2", "4"];
  await rerunCells(file("a.ipynb"), { cells });
  const failed = await rerunCells(file("a.ipynb"), { cells: ["3"] });
  assert.match(failed.error!, /a\.ipynb cell 3 \(line 1\): no, in `throw/);
  const done = await readNotebook(file("a.executed.ipynb"));
  errorOf(done.cells[2]);
  const after = ["1 never run", "2 fresh", "3 failed", "4 fresh"];
  assert.deepEqual(await states(file("a.ipynb")), after);

  const keyOf = (i: number) =>
    (done.cells[i].metadata.ferlab as { key: Record<string, string> }).key;
  const told = async (change: () => void) => {
    change();
    await writeNotebook(file("a.executed.ipynb"), done);
    return (await states(file("a.ipynb")))[1];
  };
  const good = structuredClone(keyOf(1));
  const set = (key: unknown) => done.cells[1].metadata.ferlab = { key };
  for (
    const bad of [7, [], {}, { ...good, all: 1 }, { ...good, deno: "1" }]
  ) {
    assert.equal(await told(() => set(bad)), "2 stale: its key is damaged");
  }
  const { source, deno } = good, parts = { source, deno };
  const all = createHash("sha256").update(JSON.stringify(parts))
    .digest("hex").slice(0, 12);
  const earlier = "2 stale: an earlier version made its key";
  assert.equal(await told(() => set({ all, ...parts })), earlier);
  const none = "2 stale: no key was kept when it ran";
  assert.equal(await told(() => done.cells[1].metadata = {}), none);
  assert.equal(good.deno, Deno.version.deno);
  assert.equal("lock" in good, false);
});

test("what a run itself makes, the lock file and data, leaves its cells fresh", async (file) => {
  await Deno.writeTextFile(file("deno.json"), "{}");
  const reads = code(`Deno.readTextFileSync("d.csv").length`);
  reads.metadata.ferlab = { data: ["*.csv"] };
  await save(
    file("a.ipynb"),
    // It is not found, and no package is asked for.
    code(`await import("p")`, [], "raises-exception"),
    `Deno.writeTextFileSync("deno.lock", "{}");
Deno.writeTextFileSync("d.csv", "1");`,
    reads,
  );
  const out = file("a.executed.ipynb");
  const fresh = ["1 fresh", "2 fresh", "3 fresh"];
  assert.equal((await runNotebook(file("a.ipynb"), { out })).error, undefined);
  assert.deepEqual(await states(file("a.ipynb")), fresh);
  await Deno.remove(file("deno.lock"));
  await Deno.remove(file("d.csv"));
  await rerunCells(file("a.ipynb"), { cells: ["1", "2", "3"] });
  assert.deepEqual(await states(file("a.ipynb")), fresh);

  // Cut in the middle, the executed notebook is none.
  const text = await Deno.readTextFile(out);
  await Deno.writeTextFile(out, text.slice(0, text.length / 2));
  const { cells, unread } = await notebookStatus(file("a.ipynb"));
  assert.match(unread!, /not used: .*a\.executed\.ipynb: cannot read/);
  assert.deepEqual(cells.map(({ state }) => state), Array(3).fill("never run"));
  const again = await rerunCells(file("a.ipynb"), { cells: "stale" });
  assert.deepEqual(again.asked, [1, 2, 3]);
  assert.deepEqual(await states(file("a.ipynb")), fresh);
});

test("a data pattern that is too wide is refused with its cell, at once", async (file) => {
  for (
    const pattern of [
      "{a,b}".repeat(18),
      "{1..100000}",
      "{{a,b},{c,d}}".repeat(9),
      "*" + "!(a)".repeat(60),
      "[".repeat(50_000),
      "*a".repeat(20),
      "**/".repeat(20) + "x",
    ]
  ) {
    const cell = code("1");
    cell.metadata.ferlab = { data: [pattern] };
    await save(file("a.ipynb"), "0", cell);
    const refused = /a\.ipynb cell 2: its data pattern ".*" (has|stands)/;
    await assert.rejects(notebookStatus(file("a.ipynb")), refused, pattern);
    await assert.rejects(runNotebook(file("a.ipynb")), refused);
    await assert.rejects(
      rerunCells(file("a.ipynb"), { cells: ["1"] }),
      refused,
    );
  }
});

test("an error of a path says where paths start, when it is not beside the notebook", async (file) => {
  await Deno.writeTextFile(file("deno.json"), "{}");
  await Deno.mkdir(file("sub"));
  for (
    const source of [
      `Deno.readTextFileSync("d.txt")`,
      `await import("../m.ts")`,
    ]
  ) {
    await save(file("sub/a.ipynb"), code(source));
    const { error } = await runNotebook(file("sub/a.ipynb"));
    assert.match(error!, /cell 1.* \(relative paths and imports start at /);
    assert.ok(error!.includes(file(".")), error!);
  }
});

test("a cell's own limit of time goes over that of the run", async (file) => {
  const cells = [
    code(`await new Promise((r) => setTimeout(r, 300)); 1`, [], "timeout=60"),
    code(
      `await new Promise((r) => setTimeout(r, 60_000)); 2`,
      [],
      "timeout=0.2",
    ),
  ];
  await save(file("a.ipynb"), ...cells);
  const o = { cellTimeout: 0.1, grace: 100 };
  const { error, failedCell } = await runNotebook(file("a.ipynb"), o);
  assert.equal(failedCell, 2);
  assert.match(error!, /longer than 0\.2 s/);
  const again = await rerunCells(file("a.ipynb"), { cells: ["2"], ...o });
  assert.match(again.error!, /longer than 0\.2 s/);
  cells[0].metadata.tags = ["timeout=soon"];
  await save(file("a.ipynb"), ...cells);
  const bad = /cell 1: its tag "timeout=soon" names no time; give seconds/;
  await assert.rejects(runNotebook(file("a.ipynb")), bad);
  const found = await checkNotebooks([file("a.ipynb")]);
  assert.ok(found.some((f) => bad.test(findingText(f))));
});
