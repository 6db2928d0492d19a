/** What cells put out by files: all of it, in order, whatever its size. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { readNotebook, runNotebook } from "../../lib/notebook/mod.ts";
import type { Message } from "../../lib/notebook/kernel/kernel.ts";
import { OutputLog } from "../../lib/notebook/kernel/output_log.ts";
import { withEnv } from "../_env.ts";
import { finished } from "../_run.ts";
import {
  filesTest as test,
  nbCommand,
  printed,
  runCells,
  save,
} from "./_notebook.ts";

test("many megabytes of text and of a last value end, in order, and lose nothing that follows", async (file) => {
  Deno.mkdirSync(file("tmp")); // other kernels make theirs elsewhere
  const lines = 150_000, page = 12e6;
  await save(
    file("a.ipynb"),
    `console.log("x".repeat(2e7)); console.error("the end");`,
    `for (let i = 0; i < ${lines}; i++) console.log("line " + i);`,
    `console.log("before");
           ({ [Symbol.for("Jupyter.display")]: () => ({ "text/html": "<p>".padEnd(${page}) }) })`,
    `console.log("after", "\\ud83d half");`,
  );
  const out = file("b.ipynb");
  const { error } = await withEnv(
    { TMPDIR: file("tmp") },
    () => runNotebook(file("a.ipynb"), { out }),
  );
  assert.equal(error, undefined);
  assert.deepEqual(readdirSync(file("tmp")), []);
  const { cells: [long, many, value, after] } = await readNotebook(
    file("b.ipynb"),
  );
  assert.match(
    printed(long),
    /^x{1000000}\n\[19\.0 MB left out, in b\.cell-1\./,
  );
  assert.ok(
    await Deno.readTextFile(file("b.cell-1.txt")) ===
      "x".repeat(1.9e7) + "\nthe end\n",
  );
  const [text, rest] = [
    printed(many).replace(/\n\[.*\n$/, ""),
    await Deno.readTextFile(file("b.cell-2.txt")),
  ];
  const all = Array.from({ length: lines }, (_, i) => `line ${i}\n`).join("");
  assert.ok(text + rest === all);
  assert.deepEqual(
    value.outputs!.map((o) =>
      "data" in o ? String(o.data["text/html"]).length : o.output_type
    ),
    ["stream", page],
  );
  assert.equal(printed(after), "after \ufffd half\n");
});

test("a cell that empties the temporary folder, a relative one, loses nothing that it prints", async (file) => {
  const print = `for (let i = 0; i < 500; i++) console.log(i);`;
  await Deno.mkdir(file("tmp"));
  await Deno.mkdir(file("sub"));
  await save(
    file("sub/a.ipynb"),
    `console.log("first");
              for (const { name } of Deno.readDirSync("../tmp")) {
                Deno.removeSync("../tmp/" + name, { recursive: true });
              }
              ${print}`,
    `Deno.chdir("/"); ${print}`,
  );
  const args = ["run", "sub/a.ipynb"];
  const ran = await finished(nbCommand(file("."), args, { TMPDIR: "tmp" }));
  assert.equal(ran.code, 0, ran.err);
  const all = Array.from({ length: 500 }, (_, i) => `${i}\n`).join("");
  for (
    const cell of (await readNotebook(file("sub/a.executed.ipynb"))).cells
  ) {
    assert.equal(printed(cell).replace("first\n", ""), all);
  }
});

test("the log is read as it grows, over chunks, cut lines and files", async (file) => {
  const folder = file(".");
  const log = new OutputLog(folder);
  const write = (name: number, text: string) =>
    Deno.writeTextFile(`${folder}/${name}`, text, { append: true });
  const read = async (end?: number) => {
    const all: Message[] = [];
    for await (const m of log.read(end)) all.push(m);
    return all.map(({ content: { name, text, n } }) => n ?? `${name} ${text}`);
  };
  const line = (content: object, type = "stream") =>
    `\n${JSON.stringify({ type, content })}\n`;
  const text = (text: string, name = "out") => line({ name, text });
  assert.deepEqual(await read(), []);
  const half = text("é".repeat(1e6));
  await write(0, text("a") + text("b") + text("c", "err") + half.slice(0, 9e5));
  assert.deepEqual(await read(), ["out ab", "err c"]);
  assert.deepEqual(await read(), []);
  await write(0, half.slice(9e5) + '\n{"type":"str' + line({ n: 5 }, "other"));
  await write(1, text("d"));
  assert.deepEqual(await read(1), [`out ${"é".repeat(1e6)}`, 5, "out d"]);
  await write(2, text("e"));
  assert.deepEqual(await read(Infinity), ["out e"]);
  await log.close();
  assert.throws(() => readdirSync(folder));
  await Deno.mkdir(folder);
});

Deno.test("what a cell sends that is no output is left out and told, and the notebook can be opened", async () => {
  const sends = [
    `"error", {}`,
    `"error", { ename: "a", evalue: "b", traceback: 5 }`,
    `"display_data", { data: { "text/plain": "c" }, metadata: [] }`,
    `"display_data", null`,
    `"display_data", { data: { "text/html": 5, "application/json": 5 } }`,
    `"display_data", { data: { "a/json": JSON.parse("[".repeat(2e3) + "]".repeat(2e3)) } }`,
    `"stream", { text: "of no stream" }`,
  ].map((message) => `await Deno.jupyter.broadcast(${message});`);
  const { error, cells: [cell] } = await runCells([
    `${sends.join("\n")}\nconsole.log("after");`,
  ]);
  assert.equal(error, undefined);
  assert.equal(
    cell.outputs!.flatMap((o) => "text" in o ? o.text : "").join(""),
    "an output was left out: it (error): its ename is missing, but must be a text\n" +
      "an output was left out: it (error): its traceback is a number, but must be a list of texts\n" +
      "an output was left out: it (display_data): its metadata is a list, but must be an object\n" +
      "an output was left out: it (display_data): its data is missing, but must be an object\n" +
      "an output was left out: its text/html is a number, but must be a text\n" +
      "an output was left out: it nests more than 1000 deep\n" +
      "an output was left out: it (stream): its name is missing, but must be a text\n" +
      "after\n",
  );
});
