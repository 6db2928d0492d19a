/** What `deno task test` reads and reports. */
import assert from "node:assert/strict";
import { inFolder } from "./_folder.ts";
import { countRun, readSummary } from "../tasks/summary.ts";
import {
  checkNotebooks,
  extractCells,
  formatNotebooks,
  mapPlaces,
} from "../tasks/notebooks.ts";

Deno.test("a coloured summary line gives its counts", () => {
  const line = "\x1b[0m\x1b[32mok\x1b[0m | 12 passed (3 steps) | 0 failed " +
    "| 2 ignored \x1b[38;5;245m(5s)\x1b[0m\n";
  assert.deepEqual(readSummary(`x | 9 passed\n${line}`), {
    passed: 12,
    failed: 0,
  });
  assert.deepEqual(readSummary("FAILED | 3 passed | 2 failed (1 step) (1s)"), {
    passed: 3,
    failed: 2,
  });
});

Deno.test("a run that dies without a failed test counts as one failure", () => {
  assert.deepEqual(countRun("ok | 4 passed | 0 failed (1s)", 139), {
    passed: 4,
    failed: 1,
  });
  assert.deepEqual(countRun("", 0), { passed: 0, failed: 1 });
  assert.deepEqual(countRun("FAILED | 4 passed | 2 failed (1s)", 1), {
    passed: 4,
    failed: 2,
  });
});

const notebook = JSON.stringify({
  cells: [
    { cell_type: "markdown", source: ["# Title"] },
    { cell_type: "code", source: ['import { a } from "../lib/a.ts";\n', "a"] },
    { cell_type: "code", source: "const n: number = 1;\nn;" },
  ],
});

Deno.test("an extracted notebook keeps each line's cell and its imports", () => {
  const { code, origins } = extractCells(notebook, "notebooks", ".ferlab/c/x");
  assert.equal(code.split("\n")[0], 'import { a } from "../../../lib/a.ts";');
  assert.deepEqual(origins[3], { cell: 3, line: 2 });
  const text = "at file:///r/.ferlab/c/x/1.ipynb.ts:4:3";
  const place = "at notebooks/1.ipynb cell 3 line 2";
  assert.equal(mapPlaces(text, "notebooks/1.ipynb", origins), place);
});

/** What `check` says of a notebook with one code cell; undefined for good. */
async function said(
  check: (files: string[]) => Promise<boolean>,
  source: string,
): Promise<string | undefined> {
  let text: string | undefined;
  await inFolder(async (dir) => {
    const file = `${dir}/one.ipynb`;
    const cells = [{ cell_type: "code", source }];
    await Deno.writeTextFile(file, JSON.stringify({ cells }));
    const lines: unknown[] = [];
    const log = console.log;
    console.log = (line) => lines.push(line);
    try {
      if (!await check([file])) text = lines.join("\n");
    } finally {
      console.log = log;
    }
  });
  return text;
}

Deno.test("a type error in a notebook's cell fails the check", async () => {
  assert.match(
    (await said(checkNotebooks, 'const n: number = "x"; n;'))!,
    /one\.ipynb cell 1 line 1/,
  );
});

Deno.test("a badly formatted cell fails the check, a good one passes", async () => {
  assert.match((await said(formatNotebooks, "const n=1;"))!, /const n = 1;/);
  assert.equal(await said(formatNotebooks, "const n = 1;\nn;"), undefined);
});
