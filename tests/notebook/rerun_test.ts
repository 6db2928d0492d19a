/** Rerunning single cells, in new kernels and in kept sessions. */
import assert from "node:assert/strict";
import {
  readNotebook,
  rerunCells,
  type RerunOptions,
  type RerunPlan,
  runNotebook,
  startSession,
  stopSession,
} from "../../lib/notebook/mod.ts";
import { jsonSpan, jsonTree } from "../../lib/notebook/file/json_text.ts";
import { testsWith } from "../_folder.ts";
import {
  code,
  errorOf,
  markdown,
  printed,
  save,
  withFiles,
} from "./_notebook.ts";
import { withEnv } from "../_env.ts";

/** The saved text of each cell. */
async function cellTexts(file: string): Promise<string[]> {
  const text = await Deno.readTextFile(file);
  const root = jsonTree(text);
  return JSON.parse(text).cells.map((_: unknown, i: number) => {
    const { start, end } = jsonSpan(root, "cells", i)!;
    return text.slice(start, end);
  });
}

/** Reruns; gives the numbers that ran again, and what was told before. */
async function rerun(file: string, ...cells: string[]) {
  let plan: RerunPlan | undefined;
  let started = false;
  const options: RerunOptions = {
    cells,
    onPlan(p) {
      assert.equal(started, false, "told too late");
      plan = p;
    },
    onEvent: (e) => started ||= e.type === "cell-start",
  };
  const result = await rerunCells(file, options);
  return { result, plan: plan!, again: plan!.replays.map((r) => r.number) };
}

/** A test in a folder that holds the sessions, too. */
const test = testsWith<(name: string) => string>((body) =>
  withFiles((file) => withEnv({ XDG_RUNTIME_DIR: file(".") }, () => body(file)))
);

const LOG = (name: string) =>
  `Deno.writeTextFileSync("log", "${name} ", { append: true });`;

test("a rerun runs the cell and what it needs, and leaves all other bytes", async (file) => {
  await save(
    file("a.ipynb"),
    `${LOG("one")} console.log(Math.random());`,
    `${LOG("two")} let data = [1]; console.log(Math.random());`,
    markdown("# Between"),
    `${LOG("three")} console.log(data, Math.random());`,
    `${LOG("four")} data.push(4);`,
    `${LOG("five")} console.log(data.join(), Math.random());`,
    `${LOG("six")} data = []; console.log(Math.random());`,
  );
  await runNotebook(file("a.ipynb"), {
    cwd: file("."),
    out: file("a.executed.ipynb"),
  });
  const executed = file("a.executed.ipynb");
  // Another program's layout: it must stay.
  const text = await Deno.readTextFile(executed);
  await Deno.writeTextFile(
    executed,
    JSON.stringify(JSON.parse(text), null, 3).replace(
      `"nbformat": 4`,
      `"nbformat":   4`,
    ),
  );
  const before = await cellTexts(executed);
  await Deno.writeTextFile(file("log"), "");

  const { result, plan } = await rerun(file("a.ipynb"), "5");
  assert.equal(result.error, undefined);
  assert.deepEqual(plan.replays, [
    { number: 2, for: 5, names: ["data"] },
    { number: 4, for: 5, names: ["data"] },
  ]);
  assert.equal(await Deno.readTextFile(file("log")), "two four five ");
  const after = await cellTexts(executed);
  assert.notEqual(after[5], before[5]);
  assert.deepEqual(after.toSpliced(5, 1), before.toSpliced(5, 1));
  assert.match(await Deno.readTextFile(executed), /"nbformat": {3}4/);
  const cell = (await readNotebook(executed)).cells[5];
  assert.match(printed(cell), /^1,4 0\.\d+\n$/);
  assert.equal(cell.execution_count, 5);
  const counts = (await readNotebook(executed)).cells
    .map((c) => c.execution_count);
  assert.deepEqual(counts, [1, 2, undefined, 3, 4, 5, 6]);

  assert.deepEqual((await rerun(executed, "1")).again, []);
  assert.equal(await Deno.readTextFile(file("log")), "two four five one ");
});

test("a missing, unreadable or failing need changes nothing and is named", async (file) => {
  await save(
    file("a.ipynb"),
    `const broken = ;`,
    `const bad: number = (() => { throw new Error("no luck"); })();`,
    `console.log(early)`,
    `const early = 1;`,
    `console.log(bad)`,
    code(`console.log(gone)`, undefined, "mine"),
    code(`console.log(gone)`, undefined, "raises-exception"),
  );
  const executed = file("a.executed.ipynb");
  const refused: [string, RegExp][] = [
    ["1", /a\.ipynb: cell 1 cannot be read: .*; nothing was run$/],
    ["3", /cell 3 needs early, .*; cell 4 below does, move it up/],
    ["mine", /cell 6 needs gone, .*; cell 1 cannot be read/],
    ["9", /no code cell has the number, id or tag "9"; .* 1 to 7/],
  ];
  for (const [cell, message] of refused) {
    await assert.rejects(
      rerunCells(file("a.ipynb"), { cells: [cell] }),
      { message },
    );
  }
  await assert.rejects(Deno.stat(executed), Deno.errors.NotFound);
  const { result, again } = await rerun(file("a.ipynb"), "5");
  assert.deepEqual(again, [2]);
  assert.match(result.error!, /cell 2 \(line 1\): no luck, in `const bad/);
  await assert.rejects(Deno.stat(executed), Deno.errors.NotFound);
  const expected = await rerun(file("a.ipynb"), "raises-exception");
  assert.equal(expected.result.ok, true);
  errorOf((await readNotebook(executed)).cells[6]);
});

test("a session holds what ran; only what differs is replayed", async (file) => {
  const cells = [
    code(`${LOG("setup")}`, undefined, "setup"),
    code(`${LOG("two")} const data = [1];`),
    code(`${LOG("three")} data.push(3);`),
    code(`${LOG("four")} console.log(data.join());`),
    code(`${LOG("five")} const data = [5];`),
    code(`import { x } from "./m.ts"; console.log(x, data.join());`),
  ];
  const log = () => Deno.readTextFile(file("log"));
  await Deno.writeTextFile(file("deno.json"), "{}");
  await Deno.writeTextFile(file("m.ts"), "export const x = 1;");
  await save(file("a.ipynb"), ...cells);
  const session = await startSession(file("a.ipynb"));
  try {
    const first = await rerun(file("a.ipynb"), "4");
    assert.deepEqual(first.again, [1, 2, 3]);
    assert.equal(first.result.session, true);
    assert.deepEqual((await rerun(file("a.ipynb"), "4")).again, []);
    assert.equal(await log(), "setup two three four four ");

    // a cell that changes a name finds it as it was before that change
    assert.deepEqual((await rerun(file("a.ipynb"), "3")).again, [2]);
    const executed = file("a.executed.ipynb");
    assert.equal((await rerun(file("a.ipynb"), "4")).again.length, 0);
    assert.equal(printed((await readNotebook(executed)).cells[3]), "1,3\n");

    // the session holds a later definition of the name
    assert.deepEqual((await rerun(file("a.ipynb"), "6")).again, [5]);
    assert.equal(printed((await readNotebook(executed)).cells[5]), "1 5\n");
    assert.deepEqual((await rerun(file("a.ipynb"), "4")).again, [2, 3]);
    assert.equal(printed((await readNotebook(executed)).cells[3]), "1,3\n");

    // an edited need is run anew
    cells[1].source = `const data = [2];`;
    await save(file("a.ipynb"), ...cells);
    assert.deepEqual((await rerun(file("a.ipynb"), "4")).again, [2, 3]);
    assert.equal(printed((await readNotebook(executed)).cells[3]), "2,3\n");

    // a kernel keeps the modules it has loaded
    await Deno.writeTextFile(file("m.ts"), "export const x = 2;");
    const warnings: string[] = [];
    const fresh = await rerunCells(file("a.ipynb"), {
      cells: ["6"],
      onEvent: (e) => e.type === "warning" && warnings.push(e.message),
    });
    assert.equal(fresh.session, false);
    assert.match(warnings.join(), /the session still has the old m\.ts/);
    assert.equal(printed((await readNotebook(executed)).cells[5]), "2 5\n");
  } finally {
    await stopSession(session);
  }
  const last = await rerun(file("a.ipynb"), "4");
  assert.equal(last.result.session, false);
  assert.deepEqual(last.again, [1, 2, 3]);
});

test("an abort ends the cell, says so, and keeps the other cells", async (file) => {
  await save(file("a.ipynb"), `1`, `console.log("begun"); while (true);`);
  const stop = new AbortController();
  const result = await rerunCells(file("a.ipynb"), {
    cells: ["2"],
    signal: stop.signal,
    grace: 200,
    onEvent: (e) => e.type === "output" && stop.abort(),
  });
  assert.equal(result.interrupted, true);
  const { cells } = await readNotebook(file("a.executed.ipynb"));
  assert.equal(errorOf(cells[1]).ename, "Interrupted");
  assert.equal(cells[0].execution_count, null);
});
