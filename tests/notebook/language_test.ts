/** What TypeScript tells of cells, and of modules that changed under a kernel. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Edited } from "../../lib/notebook/code/edited_modules.ts";
import { Language } from "../../lib/notebook/kernel/language_server.ts";
import { proxyTest } from "./_client.ts";
import { filesTest } from "./_notebook.ts";

const test = { files: filesTest, proxy: proxyTest };

const ADD = `/** Adds two numbers.
 * @param a the first */
function add(a: number, b: number): number { return a + b; }
const list: string[] = [];`;

/** Asks again while the server still reads. */
async function until<T>(ask: () => Promise<T>, met: (v: T) => boolean) {
  while (true) {
    const value = await ask();
    if (met(value)) return value;
  }
}

test.files("a name has its signature, its documentation and its type's members", async (file) => {
  const language = new Language(file("."));
  try {
    language.ran(ADD, "one");
    const hover = await language.inspect("1;\nadd(1, 2)", 4);
    assert.match(hover!, /function add\(a: number, b: number\): number/);
    assert.match(hover!, /Adds two numbers\./);
    // In a call: what it takes.
    const call = await language.inspect("add(1, )", 7);
    assert.match(call!, /add\(a: number, b: number\): number/);
    const members = await language.complete("const é = '𝒳'; list.toS", 23);
    assert.ok(members.some((m) => m.text === "toSorted"));
    assert.deepEqual(
      await language.check("const s: string = add(1, 2);\nadd(3, 4)"),
      ["line 1: Type 'number' is not assignable to type 'string'."],
    );
    // A cell that runs again takes the place of its earlier self.
    language.ran(ADD.replace("string[]", "number[]"), "one");
    assert.deepEqual(await language.check("list.push(1)"), []);
    assert.deepEqual(await language.check("const list = 'again';"), []);
  } finally {
    await language.stop();
  }
});

test.proxy("the lab's kernel answers with types, and while a cell runs", async ({ client }) => {
  await client.run(ADD);
  const cell = await client.cell(
    "await new Promise((r) => globalThis.go = r)",
  );
  const code = "add(1, 2)", cursor_pos = 2;
  const { reply } = await until(
    () => client.ask("inspect_request", { code, cursor_pos }),
    ({ reply }) => JSON.stringify(reply).includes("Adds"),
  );
  assert.equal(reply.found, true);
  const data = reply.data as Record<string, string>;
  assert.match(data["text/markdown"], /function add\(.*Adds two numbers/s);
  const list = await until(
    () => client.ask("complete_request", { code: "list.", cursor_pos: 5 }),
    ({ reply }) => (reply.matches as string[]).length > 0,
  );
  assert.ok((list.reply.matches as string[]).includes("toSorted"));
  assert.equal(list.reply.cursor_start, 5);
  await client.ask("interrupt_request", {}, "control");
  await client.answer(cell);
});

test.files("a module that was edited after it was loaded is named once", async (file) => {
  await Deno.writeTextFile(
    file("deno.json"),
    `{ "imports": { "own": "./a.ts" } }`,
  );
  await Deno.writeTextFile(file("a.ts"), `export { b } from "./b.ts";`);
  await Deno.writeTextFile(file("b.ts"), `export const b = 1;`);
  const edited = new Edited(file("."));
  edited.loaded(`import { b } from "own";\nimport d3 from "npm:d3";`);
  assert.deepEqual(edited.changed(), []);
  await Deno.writeTextFile(join(file("."), "b.ts"), `export const b = 22;`);
  assert.deepEqual(edited.changed(), ["b.ts"]);
  assert.deepEqual(edited.changed(), []);
});
