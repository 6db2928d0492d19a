/** Output that comes after its cell's end: the cell's own, marked, waited for. */
import assert from "node:assert/strict";
import { readNotebook, rerunCells } from "../../lib/notebook/mod.ts";
import { proxyTest } from "./_client.ts";
import {
  code,
  errorOf,
  filesTest,
  printed,
  runCells,
  save,
  status,
} from "./_notebook.ts";

const test = { files: filesTest, proxy: proxyTest };

/** Waits for what comes late to cell 3, which is told by `go`. */
const READY =
  `const ready = async () => { while (!go) await new Promise((r) => setTimeout(r, 5)); };`;
const WAIT =
  `await new Promise((r) => go = r); await new Promise((r) => setTimeout(r, 5));`;

Deno.test("what timers and promises of a cell put out later is that cell's, with a mark", async () => {
  const { error, cells, warnings } = await runCells([
    `let go; ${READY}
     console.log("one");
     void setTimeout(async () => {
       await ready();
       await new Promise((r) => setTimeout(r, 50));
       console.log("late", { a: [1, "x"] });
       console.error("to stderr");
       await Deno.stdout.write(new TextEncoder().encode("written\\n"));
       await Deno.jupyter.display({ "text/html": "<b>" }, { raw: true });
       await Deno.jupyter.broadcast("display_data", { data: { "text/plain": "b" }, metadata: {} });
       go();
     });`,
    `console.log("two");
     (async () => { await ready(); console.log("of two"); })();`,
    `${WAIT} console.log("three");`,
  ]);
  assert.equal(error, undefined);
  assert.deepEqual(warnings, []);
  const [one, two, three] = cells;
  assert.equal(printed(three), "three\n");
  assert.equal(printed(two), "two\n(late, while cell 3 ran)\nof two\n");
  assert.equal(
    printed(one),
    'one\n(late, while cell 3 ran)\nlate { a: [ 1, "x" ] }\nto stderr\nwritten\n',
  );
  assert.deepEqual(
    one.outputs!.map((o) => "data" in o ? o.data : o.output_type),
    [
      ...["stream", "stream", "stream", "stream"],
      ...[{ "text/html": "<b>" }, { "text/plain": "b" }],
    ],
  );
});

Deno.test("what a program of a cell prints later is that cell's, with a mark", async () => {
  const { error, cells } = await runCells([
    `import { spawn } from "node:child_process";
     import fs from "node:fs";
     let go; ${READY}
     const command = ["sh", ["-c", "read _; echo inherited; echo wrong >&2"]];
     const own = spawn(...command, { stdio: ["pipe", "inherit", "inherit"] });
     const piped = spawn("sh", ["-c", "read _; echo piped"]);
     piped.stdout.on("data", (text) => console.log(String(text).trim()));
     (async () => { await ready(); fs.writeSync(1, "by number\\n"); go(); })();
     console.log("one");`,
    `for (const child of [own, piped]) {
       child.stdin.end("\\n");
       await new Promise((r) => child.on("close", r));
     }
     ${WAIT} console.log("two");`,
  ]);
  assert.equal(error, undefined);
  const [one, two] = cells.map((cell) => printed(cell));
  assert.equal(two, "two\n");
  assert.match(
    one,
    /^one\n\(late, while cell 2 ran\)\n(inherited\nwrong|wrong\ninherited)\n/,
  );
  assert.match(one, /\npiped\nby number\n$/);
});

Deno.test("what is pending at the end is waited for shortly, and told when it is left", async () => {
  const { error, cells, warnings } = await runCells([
    `let go; const last = new Promise((r) => go = r);
     last.then(() => setTimeout(() => setTimeout(() => console.log("last words"), 100), 100));
     Deno.unrefTimer(setInterval(() => {}, 1e4));`,
    `go(); setInterval(() => {}, 1e4); setTimeout(() => {}, 1e5); clearTimeout(setTimeout(() => {}, 9));`,
  ]);
  assert.equal(error, undefined);
  assert.match(printed(cells[0]), /^\(late, .*\)\nlast words\n$/);
  assert.equal(warnings.length, 1);
  assert.match(
    warnings[0],
    /cell 2 left 2 timers pending 1 s after the last cell/,
  );
});

Deno.test("an error that comes after the last cell fails the run", async () => {
  const { error, cells } = await runCells([
    // The timer starts once the last cell runs, however slow the machine is.
    `let go; const last = new Promise((r) => go = r);
     void last.then(() => setTimeout(() => { throw new RangeError("too late"); }, 50));`,
    `go(); 2;`,
  ]);
  assert.match(error!, /a\.ipynb cell 1 \(line 2\): RangeError: too late/);
  assert.equal(errorOf(cells[0]).ename, "RangeError");
  assert.deepEqual(cells.map(status), ["failed", "ok"]);
});

test.files("a rerun keeps what came late, too; a timer in a loop ends no wait", async (file) => {
  const cells = [
    code(`setTimeout(() => console.log("late"), 300); 1;`),
    code(`setTimeout(() => { while (true); }, 600); 2;`),
  ];
  await save(file("a.ipynb"), ...cells);
  const first = await rerunCells(file("a.ipynb"), { cells: ["1"] });
  assert.equal(first.error, undefined);
  const saved = await readNotebook(first.out);
  assert.match(printed(saved.cells[0]), /^\(late, .*\)\nlate\n$/);
  const second = await rerunCells(file("a.ipynb"), { cells: ["2"] });
  assert.equal(second.error, undefined);
});

test.proxy("in the lab, late output goes to the cell that started it", async ({ client }) => {
  const first = await client.cell(
    `let go;
       setTimeout(function fire() {
         if (!go) return setTimeout(fire, 5);
         console.log("late");
         setTimeout(() => go(), 10);
         throw new Error("late, too");
       }, 50);`,
  );
  await client.answer(first);
  const second = await client.run(`${WAIT} console.log("two");`);
  assert.equal(second.reply.status, "ok");
  assert.equal(second.text, "two\n");
  const { text, messages } = await client.answer(first);
  assert.match(text, /^\(late, .*\)\nlate\n$/);
  assert.deepEqual(
    messages.filter((m) => m.type === "error").map((m) => m.content.evalue),
    ["late, too (in a timer)"],
  );
});
