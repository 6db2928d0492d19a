/** Errors of cells: the line that they name, and tests that fail in a cell. */
import assert from "node:assert/strict";
import { runNotebook } from "../../lib/notebook/mod.ts";
import { proxyTest as test } from "./_client.ts";
import { code, errorOf, printed, save, withFiles } from "./_notebook.ts";

/** Cells that fail, and the line of theirs that is named. */
const FAILING: [source: string, line: number | undefined][] = [
  ["throw new Error('one')", 1],
  ["\n\n// so\nthrow new Error('four');", 4],
  // What nothing uses here is imported, nevertheless.
  [
    "import { join } from 'node:path';\nimport { EOL } from 'node:os';\n\nno()",
    4,
  ],
  [
    "import type { Stats } from 'node:fs';\nimport {\n  sep,\n  type ParsedPath,\n} from 'node:path';\nlet s: Stats;\nno()",
    7,
  ],
  ["interface A {\n  x: number;\n}\nenum E { A }\n\nno(E.A)", 6],
  ["const [a,\n  b] = [1,\n  2];\nexport const c = { a,\n  b };\nno()", 6],
  ["export const helper = () => {\n  no();\n};\nhelper()", 2],
  ["1;\nhelper()", 2],
  [
    "await 0;\nawait Promise.all([\n  (async () => { await 0; no(); })(),\n])",
    3,
  ],
  [
    "class A {\n  #x = 1;\n  static async b() {\n    await 1;\n    no();\n  }\n}\nawait A.b()",
    5,
  ],
  ["{\n  const own = 1;\n  no(own);\n}", 3],
  ["const x = 1;\n\nconst x = 2;", 3],
  ["const x = 1;\nconst y = (;", 2],
  ["[3, 4]\n  .map((v) => v)\n  .map((v) =>\n    no(v))", 4],
  ["JSON.parse(\n  '{')", 1],
  ["const deep = (n) => deep(n + 1);\n\ndeep(0)", 1],
  [
    "Deno.test('t', async (t) => {\n  await t.step('s', () => {\n    no();\n  });\n});",
    3,
  ],
  ["throw null", 1],
  ["\nthrow undefined", 2],
  ["const told = () => {\n  throw 'a text';\n};\ntold()", 2],
  ["try {\n  throw 1;\n} catch (e) {\n  throw e;\n}", 4],
  ["(await import('data:text/javascript,throw 1'))", undefined],
];

test("an error names the cell's own line and shows it", async ({ client }) => {
  for (const [source, line] of FAILING) {
    const { reply } = await client.run(source);
    assert.equal(reply.status, "error", source);
    const traceback = (reply.traceback as string[]).join("\n");
    assert.doesNotMatch(traceback, /<anonymous>:\d/, source);
    if (line === undefined) assert.doesNotMatch(traceback, /line/, source);
    else {
      const text = source.split("\n")[line - 1];
      const named = reply.ename === "SyntaxError" &&
          traceback.includes(`  ${line} | ${text}`) ||
        traceback.includes(`  line ${line} of the cell: ${text.trim()}`);
      assert.ok(named, `${source}\n${traceback}`);
    }
  }
  // A stack that a cell prints has its lines, too.
  const { text } = await client.run(
    "// one\ntry {\n  no();\n} catch (e) {\n  console.log(e.stack);\n}",
  );
  assert.match(text, /at cell \d+, line 3\n/);
  const object = await client.run("{ a: 1 }");
  assert.match(JSON.stringify(object.messages), /text\/plain.*a.*1/);
});

Deno.test("tests in a cell are run, and one that fails fails the cell", async () => {
  const cells = [
    "Deno.test('good', () => {});\nDeno.test.ignore('not now', () => { no(); });",
    "throw new Error('before its test'); Deno.test('never', () => {})",
    `Deno.test({ name: 'steps', async fn(t) {
  await t.step('fine', () => {});
  await t.step('wrong', () => {
    throw new TypeError('in a step', { cause: new Error('disk') });
  });
} });
Deno.test(function second() {});`,
    "'never'",
  ];
  await withFiles(async (file) => {
    const made = cells.map((source, i) =>
      code(source, undefined, i === 1 ? "raises-exception" : undefined)
    );
    await save(file("a.ipynb"), ...made);
    const { ok, error, notebook: ran } = await runNotebook(file("a.ipynb"));
    assert.equal(ok, false);
    assert.match(
      error!,
      /a\.ipynb cell 3 \(line 4\): TestFailure: 1 of 2 tests failed: steps ... wrong: TypeError: in a step/,
    );
    const [good, , steps] = ran.cells;
    assert.match(
      printed(good),
      /^good ... ok \(\d+ ms\)\nnot now ... ignored\n$/,
    );
    assert.match(
      printed(steps),
      /steps ... fine ... ok.*wrong ... FAILED.*steps ... FAILED.*second ... ok/s,
    );
    assert.match(errorOf(steps).traceback.join("\n"), /Caused by: Error: disk/);
  });
});
