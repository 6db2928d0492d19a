/** Running notebooks in the real Deno kernel. */
import assert from "node:assert/strict";
import {
  readNotebook,
  rerunCells,
  runNotebook,
} from "../../lib/notebook/mod.ts";
import {
  checkRun as run,
  code,
  errorOf,
  filesTest as test,
  markdown,
  printed,
  save,
} from "./_notebook.ts";

Deno.test("every printed line lands on the cell that printed it", async () => {
  const lines = Array.from({ length: 80 }, (_, i) => i);
  const cells = Array.from({ length: 16 }, (_, c) => c);
  await run(
    [
      markdown("# Lines\n\n## Many of them"),
      ...cells.map((c) =>
        `for (let i = 0; i < ${lines.length}; i++) console.log("c${c}", i);`
      ),
    ],
    ({ result, saved, events }) => {
      assert.equal(result.ok, true);
      assert.equal(result.error, undefined);
      cells.forEach((c) => {
        const expected = lines.map((i) => `c${c} ${i}\n`).join("");
        assert.equal(printed(saved.cells[c + 1]), expected);
        assert.equal(saved.cells[c + 1].execution_count, c + 1);
      });
      assert.deepEqual(events[0], {
        type: "cell-start",
        index: 1,
        total: 16,
        title: "Many of them",
      });
      const told = events.filter((e) => e.type === "output" && e.index === 9);
      assert.match(told.map((e) => "text" in e ? e.text : "").join(""), /c8 7/);
    },
  );
});

Deno.test("outputs of every kind arrive, and a display update replaces the earlier output", async () => {
  const show = (type: string, text: string) =>
    `await Deno.jupyter.broadcast("${type}", { data: { "text/plain": "${text}" },
      metadata: {}, transient: { display_id: "d" } });`;
  await run([
    `console.log("out"); console.error("err"); 6 * 7`,
    show("display_data", "old"),
    `${show("update_display_data", "new")}\nundefined`,
    `Deno.jupyter.html\`<b>bold</b>\``,
    `const big = "x".repeat(300_000); console.log(big);`,
    `console.log("gone");
     await Deno.jupyter.broadcast("clear_output", { wait: true });
     console.log("kept");`,
  ], ({ result, saved }) => {
    assert.equal(result.ok, true);
    const [first, second, third, fourth, fifth, sixth] = saved.cells;
    const data = (o: unknown) => (o as { data: Record<string, string> }).data;
    assert.deepEqual(first.outputs!.slice(0, 2), [
      { output_type: "stream", name: "stdout", text: "out\n" },
      { output_type: "stream", name: "stderr", text: "err\n" },
    ]);
    assert.match(data(first.outputs![2])["text/plain"], /42/);
    assert.equal(data(second.outputs![0])["text/plain"], "new");
    assert.deepEqual(third.outputs, []);
    assert.equal(data(fourth.outputs![0])["text/html"], "<b>bold</b>");
    assert.equal(printed(fifth).length, 300_001);
    assert.equal(printed(sixth), "kept\n");
  });
});

Deno.test("a throwing cell stops the run and is named with its line", async () => {
  await run(
    [
      `console.log("one")`,
      `\n// a comment\nconsole.log("two");\nthrow new RangeError("too far");`,
      `console.log("three")`,
    ],
    ({ result, saved }) => {
      assert.equal(result.ok, false);
      assert.equal(result.failedCell, 2);
      assert.match(
        result.error!,
        /a\.ipynb cell 2 \(line 4\): RangeError: too far, in `throw new RangeError/,
      );
      assert.equal(printed(saved.cells[1]), "two\n");
      assert.equal(errorOf(saved.cells[1]).ename, "RangeError");
      assert.deepEqual(saved.cells[2].outputs, []);
      assert.equal(saved.cells[2].execution_count, null);
    },
  );
});

Deno.test("a missing module fails the cell", async () => {
  await run(
    [`import "./missing.ts"`],
    ({ result }) =>
      assert.match(result.error!, /cell 1.*: TypeError: Module not found/),
  );
});

test("a notebook's cells know its file, those of a copy the copy's", async (file) => {
  const source = `console.log(Deno.env.get("JPY_SESSION_NAME"));`;
  await save(file("a.ipynb"), code(source));
  await Deno.copyFile(file("a.ipynb"), file("my a.ipynb"));
  const { notebook: ran } = await runNotebook(file("my a.ipynb"), {
    out: file("b.ipynb"),
  });
  assert.equal(printed(ran.cells[0]), file("my a.ipynb") + "\n");
  const { out } = await rerunCells(file("a.ipynb"), { cells: ["1"] });
  const [cell] = (await readNotebook(out)).cells;
  assert.equal(printed(cell), file("a.ipynb") + "\n");
});

/** Runs a cell that prints "begun" and is interrupted then, and another. */
async function interrupted(
  source: string,
  check: Parameters<typeof run>[1],
  grace?: number,
) {
  const stop = new AbortController();
  await run(
    [`console.log("finished")`, source, `console.log("never")`],
    async (ran) => {
      assert.equal(ran.result.interrupted, true);
      assert.equal(ran.result.ok, false);
      assert.equal(printed(ran.saved.cells[0]), "finished\n");
      assert.deepEqual(ran.saved.cells[2].outputs, []);
      await check(ran);
    },
    {
      signal: stop.signal,
      grace,
      onEvent: (e) => {
        if (e.type === "output" && /begun/.test(e.text)) stop.abort();
      },
    },
  );
}

for (
  const [what, source, grace] of [
    ["waits", `await new Promise(() => setInterval(() => {}, 99));`],
    [
      "ignores SIGINT",
      `Deno.addSignalListener("SIGINT", () => {});
       while (true) await new Promise((r) => setTimeout(r, 99));`,
      150,
    ],
  ] as [string, string, number?][]
) {
  Deno.test(`an abort ends a cell that ${what}, and saves what ran`, () =>
    interrupted(`console.log("begun"); ${source}`, ({ result, saved }) => {
      assert.match(result.error!, /cell 2: the run was interrupted/);
      assert.equal(printed(saved.cells[1]), "begun\n");
      assert.equal(errorOf(saved.cells[1]).ename, "Interrupted");
    }, grace));
}

Deno.test("a cell that listens to SIGINT may end on its own after an abort", () =>
  interrupted(
    `const { promise, resolve } = Promise.withResolvers<void>();
     Deno.addSignalListener("SIGINT", () => resolve());
     const alive = setInterval(() => {}, 99);
     console.log("begun");
     await promise;
     clearInterval(alive);
     console.log("saved the epoch");`,
    ({ result, saved }) => {
      assert.match(result.error!, /a\.ipynb: interrupted/);
      assert.equal(printed(saved.cells[1]), "begun\nsaved the epoch\n");
    },
  ));

Deno.test("an abort before the start runs nothing", async () => {
  await run([`console.log(1)`], ({ result, saved }) => {
    assert.equal(result.interrupted, true);
    assert.deepEqual(saved.cells[0].outputs, []);
  }, { signal: AbortSignal.abort() });
});

Deno.test("several runs at once do not meet", async () => {
  await Promise.all(["a", "b", "c"].map((name) =>
    run(
      [`const name = "${name}";`, `console.log(name);`],
      ({ result, saved }) => {
        assert.equal(result.ok, true);
        assert.equal(printed(saved.cells[1]), `${name}\n`);
      },
    )
  ));
});
