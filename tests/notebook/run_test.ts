/** Running notebooks in the real Deno kernel. */
import assert from "node:assert/strict";
import {
  readNotebook,
  rerunCells,
  runNotebook,
  writeNotebook,
} from "../../lib/notebook/mod.ts";
import {
  checkRun as run,
  code,
  errorOf,
  markdown,
  notebook,
  printed,
  withFolder,
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

for (
  const [what, source, message] of [
    [
      "a thrown string",
      `throw "just text"`,
      /cell 1 \(line 1\): just text, in `throw "just text"`$/,
    ],
    [
      "an awaited rejection",
      `await Promise.reject(new TypeError("no"))`,
      /cell 1 \(line 1\): TypeError: no, in `await /,
    ],
    [
      "a missing module",
      `import "./missing.ts"`,
      /cell 1.*: TypeError: Module not found/,
    ],
  ] as const
) {
  Deno.test(`${what} fails the cell`, async () => {
    await run([source], ({ result }) => assert.match(result.error!, message));
  });
}

Deno.test("a syntax error is named, with its line", async () => {
  await run(["const a = 1;\n\nconst b = ;"], ({ result, saved }) => {
    assert.match(result.error!, /cell 1 \(line 3\): SyntaxError: Expression/);
    assert.doesNotMatch(JSON.stringify(saved.cells), /Execution failed/);
    assert.match(errorOf(saved.cells[0]).traceback.join("\n"), /const b = ;/);
  });
});

Deno.test("a kernel that dies is reported, and what was finished is kept", async () => {
  await run([
    `console.log("finished")`,
    `console.log("begun");
     await new Promise((r) => setTimeout(r, 50));
     Deno.exit(3);`,
    `console.log("never")`,
  ], ({ result, saved }) => {
    assert.equal(result.failedCell, 2);
    assert.match(result.error!, /cell 2: the kernel ended with exit code 3/);
    assert.equal(printed(saved.cells[0]), "finished\n");
    assert.equal(printed(saved.cells[1]), "begun\n");
    assert.equal(errorOf(saved.cells[1]).ename, "KernelDied");
    assert.deepEqual(saved.cells[2].outputs, []);
  });
});

Deno.test("parameters arrive as they are given, and unknown names are told", async () => {
  const text = 'a "quote", `tick`, ${1 + 1}\n</script>\u2028';
  await run(
    [
      code(
        `let text = "";\nlet rate = 1, list: number[] = [];`,
        [],
        "parameters",
      ),
      `console.log(JSON.stringify([text, list]), Object.is(rate, -0));`,
    ],
    ({ result, saved, events }) => {
      assert.equal(result.ok, true);
      assert.deepEqual(saved.cells[1].metadata.tags, ["injected-parameters"]);
      assert.deepEqual(saved.cells[1].outputs, []);
      assert.equal(
        printed(saved.cells[2]),
        `${JSON.stringify([text, [1, 2]])} true\n`,
      );
      const warnings = events.filter((e) => e.type === "warning");
      assert.equal(warnings.length, 1);
      assert.match(warnings[0].message, /no parameter "rat"/);
    },
    { parameters: { text, rate: -0, list: [1, 2], rat: 5 } },
  );
});

Deno.test("a notebook's cells know its file, those of a copy the copy's", () =>
  withFolder(async (_, file) => {
    const source = `console.log(Deno.env.get("JPY_SESSION_NAME"));`;
    await writeNotebook(file("a.ipynb"), notebook(code(source)));
    await Deno.copyFile(file("a.ipynb"), file("my a.ipynb"));
    const { notebook: ran } = await runNotebook(file("my a.ipynb"), {
      out: file("b.ipynb"),
    });
    assert.equal(printed(ran.cells[0]), file("my a.ipynb") + "\n");
    const { out } = await rerunCells(file("a.ipynb"), { cells: ["1"] });
    const [cell] = (await readNotebook(out)).cells;
    assert.equal(printed(cell), file("a.ipynb") + "\n");
  }));

Deno.test("an abort ends a cell that waits, and saves what ran", async () => {
  const stop = new AbortController();
  await run(
    [
      `console.log("finished")`,
      `console.log("begun"); await new Promise(() => setInterval(() => {}, 99));`,
      `console.log("never")`,
    ],
    ({ result, saved }) => {
      assert.equal(result.interrupted, true);
      assert.equal(result.ok, false);
      assert.match(result.error!, /cell 2: the run was interrupted/);
      assert.equal(printed(saved.cells[0]), "finished\n");
      assert.equal(printed(saved.cells[1]), "begun\n");
      assert.equal(errorOf(saved.cells[1]).ename, "Interrupted");
      assert.deepEqual(saved.cells[2].outputs, []);
    },
    {
      signal: stop.signal,
      onEvent: (e) => {
        if (e.type === "output" && /begun/.test(e.text)) stop.abort();
      },
    },
  );
});

Deno.test("a cell that listens to SIGINT may end on its own after an abort", async () => {
  const stop = new AbortController();
  await run(
    [
      `const { promise, resolve } = Promise.withResolvers<void>();
       Deno.addSignalListener("SIGINT", () => resolve());
       const alive = setInterval(() => {}, 99);
       console.log("begun");
       await promise;
       clearInterval(alive);
       console.log("saved the epoch");`,
      `console.log("never")`,
    ],
    ({ result, saved }) => {
      assert.equal(result.interrupted, true);
      assert.match(result.error!, /a\.ipynb: interrupted/);
      assert.equal(printed(saved.cells[0]), "begun\nsaved the epoch\n");
      assert.deepEqual(saved.cells[1].outputs, []);
    },
    {
      signal: stop.signal,
      onEvent: (e) => {
        if (e.type === "output" && /begun/.test(e.text)) stop.abort();
      },
    },
  );
});

Deno.test("a cell that ignores SIGINT is killed after the grace time", async () => {
  const stop = new AbortController();
  await run(
    [`Deno.addSignalListener("SIGINT", () => {});
      console.log("begun");
      while (true) await new Promise((r) => setTimeout(r, 99));`],
    ({ result, saved }) => {
      assert.equal(result.interrupted, true);
      assert.equal(printed(saved.cells[0]), "begun\n");
      assert.equal(errorOf(saved.cells[0]).ename, "Interrupted");
    },
    {
      signal: stop.signal,
      grace: 150,
      onEvent: (e) => {
        if (e.type === "output" && /begun/.test(e.text)) stop.abort();
      },
    },
  );
});

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
