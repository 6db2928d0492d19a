/** What `deno task test` reads and reports. */
import assert from "node:assert/strict";
import { countRun, readSummary } from "../tasks/summary.ts";
import { checkNotebooks, extractCells, mapPlaces } from "../tasks/notebooks.ts";

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

Deno.test("a type error in a notebook's cell fails the check", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const file = `${dir}/bad.ipynb`;
    const cells = [{ cell_type: "code", source: 'const n: number = "x"; n;' }];
    await Deno.writeTextFile(file, JSON.stringify({ cells }));
    const lines: unknown[] = [];
    const log = console.log;
    console.log = (line) => lines.push(line);
    try {
      assert.equal(await checkNotebooks([file]), false);
    } finally {
      console.log = log;
    }
    assert.match(String(lines[0]), /bad\.ipynb cell 1 line 1/);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
