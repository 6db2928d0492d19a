/** What goes wrong in cells and around them, in the real Deno kernel. */
import assert from "node:assert/strict";
import {
  type Notebook,
  readNotebook,
  runNotebook,
  type RunOptions,
  writeNotebook,
} from "../../lib/notebook/mod.ts";
import { checkReplies } from "../../lib/notebook/kernel/prelude.ts";
import { withEnv } from "../_env.ts";
import { inFolder } from "../_folder.ts";
import {
  alive,
  checkRun as run,
  code,
  errorOf,
  filesTest as test,
  notebook,
  printed,
  save,
  status,
  withFiles,
} from "./_notebook.ts";

const POSIX = Deno.build.os !== "windows";
const tagged = (tag: string, source: string) => code(source, [], tag);

for (
  const [what, source, message, options] of [
    ["exits", "Deno.exit(3);", /cell 2: the kernel ended with exit code 3/],
    [
      "ends by kill -9",
      `Deno.kill(Deno.pid, "SIGKILL"); while (true);`,
      /cell 2: the kernel was ended by signal SIGKILL/,
    ],
    [
      "crashes in native code",
      `new Deno.UnsafePointerView(Deno.UnsafePointer.create(8n)!).getUint8();`,
      /cell 2: the kernel was ended by signal SIG(SEGV|BUS)/,
    ],
    [
      "runs out of memory",
      `const all: number[][] = [];
       while (true) all.push(new Array(1e6).fill(1.5));`,
      /cell 2: the kernel ran out of memory and was ended by signal SIG/,
      { env: { DENO_V8_FLAGS: "--max-old-space-size=160" } },
    ],
  ] as [string, string, RegExp, RunOptions?][]
) {
  Deno.test({
    name: `a kernel that ${what} in a cell is told, with what was printed`,
    ignore: !POSIX,
    fn: () =>
      run(
        [
          `console.log("one")`,
          `console.log("begun"); await new Promise((r) => setTimeout(r, 50));
${source}`,
          `console.log("never")`,
        ],
        ({ result, saved }) => {
          assert.equal(result.failedCell, 2);
          assert.match(result.error!, message);
          assert.equal(printed(saved.cells[1]), "begun\n");
          assert.equal(errorOf(saved.cells[1]).ename, "KernelDied");
          assert.deepEqual(saved.cells.map(status), [
            ...["ok", "failed", "not run"],
          ]);
          assert.deepEqual(saved.cells[2].outputs, []);
        },
        options,
      ),
  });
}

Deno.test("what the kernel wrote on stderr before its death is in the cell", async () => {
  await run([
    `Deno.writeTextFileSync("/dev/fd/2", "last words\\n", { append: true });
     Deno.exit(7);`,
  ], ({ saved }) => {
    const { evalue, traceback } = errorOf(saved.cells[0]);
    assert.match(evalue, /exit code 7/);
    assert.match(traceback.join("\n"), /stderr:\nlast words/);
  });
});

Deno.test("errors of promises and timers are shown in the cell that caused them", async () => {
  await run([
    `console.log("fine")`,
    `let go = false, thrown = 0;
     const timer = setInterval(() => {
       if (!go) return;
       clearInterval(timer);
       thrown++;
       throw new RangeError("of a timer");
     }, 5);
     (async () => {
       while (!go) await new Promise((r) => setTimeout(r, 5));
       thrown++;
       throw new Error("of a promise", { cause: new TypeError("deep") });
     })();
     undefined;`,
    `go = true;
     while (thrown < 2) await new Promise((r) => setTimeout(r, 5));
     console.log("other cell");`,
    `console.log("never")`,
  ], ({ result, saved }) => {
    assert.equal(result.failedCell, 2);
    assert.match(
      result.error!,
      /cell 2 \(line (6|11)\): (RangeError: of a timer|of a promise)/,
    );
    const told = saved.cells[1].outputs!.map((o) =>
      o.output_type === "error" ? o.evalue.split(" (")[0] : ""
    );
    assert.deepEqual(told.sort(), ["of a promise", "of a timer"]);
    assert.match(
      JSON.stringify(saved.cells[1].outputs),
      /Caused by: TypeError: deep/,
    );
    assert.equal(saved.cells[2].outputs!.length, 1);
    assert.equal(status(saved.cells[1]), "failed");
    assert.equal(status(saved.cells[3]), "not run");
  });
  await run([`Promise.reject("left alone"); void 0;`], ({ result }) => {
    assert.match(result.error!, /cell 1: left alone \(in a promise/);
  });
});

Deno.test("an error shows its causes, and a thrown object what it holds", async () => {
  await run([
    tagged(
      "raises-exception",
      `const low = new TypeError("low", { cause: { errno: 5 } });
throw new Error("high", { cause: low });`,
    ),
    tagged(
      "raises-exception",
      `throw new AggregateError([new Error("one"), new Error("two")], "both");`,
    ),
    tagged("raises-exception", `throw { reason: "mine" };`),
    `throw null;`,
  ], ({ result, saved }) => {
    const [high, both, object] = saved.cells.map(errorOf);
    assert.match(high.traceback.join("\n"), /^Error: high\n.*\nCaused by: /s);
    assert.match(high.traceback.join("\n"), /by: TypeError: low\n.*errno: 5/s);
    assert.match(both.traceback.join("\n"), /Error 1: Error: one\n.*two/s);
    assert.match(object.evalue, /reason: "mine"/);
    assert.equal(result.failedCell, 4);
    assert.match(result.error!, /cell 4 \(line 1\): null, in `throw null;`$/);
  });
  for (const thrown of ["undefined", "10n", "NaN"]) {
    await run([`1;\nthrow ${thrown};`], ({ result }) => {
      const told = `cell 1 (line 2): ${thrown}, in \`throw`;
      assert.ok(result.error!.includes(told), result.error!);
    });
  }
});

Deno.test("what workers and other programs print is the cell's", async () => {
  await run([
    `const text = 'console.log("of a worker"); console.error("its error"); postMessage(0)';
     const worker = new Worker(
       "data:application/javascript," + encodeURIComponent(text),
       { type: "module" },
     );
     const heard = [];
     worker.addEventListener("message", (e) => heard.push(e.data));
     await new Promise((done) => worker.onmessage = done);
     worker.terminate();
     console.log(heard);`,
    `console.log("before");
     await new Deno.Command("sh", { args: ["-c", "echo of a child; echo wrong >&2"] })
       .spawn().status;
     console.log("after");
     const kept = await new Deno.Command("echo", { args: ["kept"] }).output();
     console.log(kept.stdout.length);`,
  ], ({ saved, result }) => {
    assert.equal(result.error, undefined);
    const [worker, child] = saved.cells.map(printed);
    assert.equal(worker, "of a worker\nits error\n[ 0 ]\n");
    assert.match(
      child,
      /^before\n(of a child\nwrong|wrong\nof a child)\nafter\n5\n$/,
    );
  });
});

Deno.test("what Node's way to start programs inherits is the cell's, in order", async () => {
  await run([
    `import { execFileSync, execSync, spawn, spawnSync } from "node:child_process";
     import * as all from "node:child_process";
     console.log("before");
     execSync("echo of execSync; echo its error >&2", { stdio: "inherit" });
     console.log("between");
     execFileSync("echo", ["of execFileSync"], { stdio: ["ignore", "inherit", "pipe"] });
     all.spawnSync("echo", ["of spawnSync"], { stdio: [0, process.stdout, 2] });
     console.log(execSync("echo kept").length);`,
    `await new Promise((done) =>
       spawn("sh", ["-c", "echo of spawn; echo its error >&2"], { stdio: "inherit" })
         .on("close", done));
     console.log("after");`,
    // Native code writes there without asking anybody.
    `Deno.writeTextFileSync("/dev/fd/1", "of the process\\n", { append: true });`,
  ], ({ saved, result }) => {
    assert.equal(result.error, undefined);
    assert.deepEqual(saved.cells.map(printed), [
      "before\nof execSync\nits error\nbetween\nof execFileSync\n" +
      "of spawnSync\n5\n",
      "of spawn\nits error\nafter\n",
      "of the process\n",
    ]);
  });
});

Deno.test("what is written to the numbers 1 and 2 is the cell's, in order", async () => {
  await run([
    `import fs, { writeSync } from "node:fs";
     console.log("before");
     writeSync(1, "of writeSync\\n");
     console.log("between");
     fs.writeFileSync(2, "of writeFileSync\\n");
     console.log("after");`,
    `await new Promise((done) => fs.write(1, "of write\\n", done));`,
    `fs.writeFileSync("/dev/stdout", "emptied\\n"); fs.fstatSync(1);`,
  ], ({ saved, result }) => {
    assert.equal(result.error, undefined);
    assert.deepEqual(saved.cells.map(printed), [
      "before\nof writeSync\nbetween\nof writeFileSync\nafter\n",
      "of write\n",
      "emptied\n",
    ]);
  });
});

Deno.test("what Node's threads print is the cell's", async () => {
  const text =
    `const { parentPort, workerData } = require("node:worker_threads");
    console.log("of a thread");
    process.stdout.write("written\\n");
    console.error("wrong");
    parentPort.postMessage(workerData);`;
  await run([
    `import { Worker } from "node:worker_threads";
     import { writeFileSync } from "node:fs";
     const heard = [];
     const ended = (worker) => new Promise((done) =>
       worker.on("message", (m) => heard.push(m)).on("exit", done));
     const text = ${JSON.stringify(text)};`,
    `await ended(new Worker(text, { eval: true, workerData: 1 }));`,
    `writeFileSync("thread.cjs", text);
     await ended(new Worker("./thread.cjs", { workerData: 2 }));
     await ended(new Worker(new URL("thread.cjs", "file://" + Deno.cwd() + "/"), { workerData: 3, stdout: true }));
     console.log(heard);`,
  ], ({ saved, result }) => {
    assert.equal(result.error, undefined);
    assert.deepEqual(saved.cells.map(printed), [
      "",
      "of a thread\nwritten\nwrong\n",
      "of a thread\nwritten\nwrong\nwrong\n[ 1, 2, 3 ]\n",
    ]);
  });
});

Deno.test("a worker with permissions of its own prints, and keeps to them", async () => {
  const text = `console.log("of a worker");
    Deno.readTextFile("/etc/passwd").catch((e) => postMessage(e.name))`;
  await withFiles(async (file) => {
    await Deno.writeTextFile(
      file("deno.json"),
      `{ "unstable": ["worker-options"] }`,
    );
    const cell = code(`const worker = new Worker(
        "data:application/javascript," + encodeURIComponent(${
      JSON.stringify(text)
    }),
        { type: "module", deno: { permissions: "none" } },
      );
      const { data } = await new Promise((done) => worker.onmessage = done);
      worker.terminate();
      console.log(data);`);
    await save(file("a.ipynb"), cell);
    const out = file("b.ipynb");
    const { error } = await runNotebook(file("a.ipynb"), { out });
    assert.equal(error, undefined);
    const saved = await readNotebook(out);
    assert.equal(printed(saved.cells[0]), "of a worker\nNotCapable\n");
  });
});

Deno.test("what Deno wants a switch for is told with the switch", () =>
  run([
    `new Worker("data:text/javascript,", { type: "module", deno: { permissions: "none" } });`,
  ], ({ result }) =>
    assert.match(
      result.error!,
      /code 70 .*: what it uses needs "unstable": \["worker-options"\] in deno\.json$/,
    )));

Deno.test("everything that is written arrives, in order, on its cell", async () => {
  await run([
    `const bytes = (t: string) => new TextEncoder().encode(t);
     Deno.stdout.writeSync(bytes("no newline"));
     await Deno.stdout.write(bytes(", then\\n"));
     console.log("log");
     process.stdout.write("node\\n");
     Deno.stdout.writeSync(bytes("é").subarray(0, 1));
     Deno.stdout.writeSync(bytes("é").subarray(1));
     const writer = Deno.stdout.writable.getWriter();
     await writer.write(bytes("!\\n"));`,
    `for (let i = 0; i < 3; i++) {
       console.log("out", i);
       Deno.stderr.writeSync(bytes("err " + i + "\\n"));
     }
     undefined;`,
    `console.table([{ a: 1 }]); console.log("last")`,
  ], ({ saved }) => {
    const [first, second, third] = saved.cells;
    assert.equal(printed(first), "no newline, then\nlog\nnode\né!\n");
    const texts = second.outputs!.map((o) =>
      o.output_type === "stream" ? `${o.name}: ${o.text}` : o.output_type
    );
    assert.deepEqual(
      texts,
      [0, 1, 2].flatMap((i) => [`stdout: out ${i}\n`, `stderr: err ${i}\n`]),
    );
    assert.match(printed(third), /│ {5}0 │ 1 │\n└.*\nlast\n$/);
    assert.equal(third.outputs!.length, 1);
  });
});

Deno.test("an endless cell is interrupted, then killed, and says so", async () => {
  for (
    const source of [
      `console.log("begun"); while (true);`,
      `Deno.addSignalListener("SIGINT", () => {}); console.log("begun");
       await new Promise(() => setInterval(() => {}, 99));`,
      `const stop = Promise.withResolvers<void>();
       Deno.addSignalListener("SIGINT", () => stop.resolve());
       console.log("begun");
       const alive = setInterval(() => {}, 99);
       await stop.promise; clearInterval(alive);`,
    ]
  ) {
    await run([source, `console.log("never")`], ({ result, saved }) => {
      assert.equal(result.interrupted, false);
      assert.match(result.error!, /cell 1: the cell ran longer than 0\.3 s/);
      assert.equal(printed(saved.cells[0]), "begun\n");
      assert.equal(errorOf(saved.cells[0]).ename, "CellTimeout");
      assert.equal(status(saved.cells[1]), "not run");
    }, { cellTimeout: 0.3, grace: 200 });
  }
});

Deno.test("an expected error lets the run go on, its absence ends it", async () => {
  await run([
    tagged("raises-exception", `throw new Error("as told")`),
    tagged("skip", `console.log("skipped")`),
    `console.log("after")`,
    tagged("raises-exception", `console.log("no error")`),
    `console.log("never")`,
  ], ({ result, saved }) => {
    assert.deepEqual(saved.cells.slice(2).map(status), [
      ...["ok", "failed", "not run"],
    ]);
    assert.equal(status(saved.cells[0]), "ok");
    assert.deepEqual(saved.cells[1].outputs, []);
    assert.equal(printed(saved.cells[2]), "after\n");
    assert.match(result.error!, /cell 4: it should have thrown/);
  });
  await run(
    [tagged("raises-exception", `Deno.exit(1)`)],
    ({ result }) => assert.match(result.error!, /the kernel ended/),
  );
});

Deno.test({
  name: "what a cell started ends with the run, however that ends",
  ignore: !POSIX,
  fn: async () => {
    const start = `const child = new Deno.Command("sh", {
      args: ["-c", "sleep 300 & echo $!; wait"], stdout: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    const text = new TextDecoder().decode((await reader.read()).value);
    console.log(Deno.pid, child.pid, text.trim());`;
    for (const end of [`1`, `Deno.exit(0)`]) {
      await run([start, end], ({ saved }) => {
        const pids = printed(saved.cells[0]).trim().split(" ").map(Number);
        assert.equal(pids.length, 3);
        assert.deepEqual(pids.filter(alive), []);
      });
    }
  },
});

test("partial outputs of a long cell are on disk while it runs", async (file) => {
  await save(
    file("a.ipynb"),
    `console.log("par" + "tial");
// It ends when its own output is in the file, which nothing else puts there.
const saved = () => Deno.readTextFileSync(Deno.env.get("OUT")!);
while (!saved().includes("part" + "ial")) await new Promise((r) => setTimeout(r, 20));`,
  );
  await Deno.writeTextFile(file("b.ipynb"), "");
  const result = await runNotebook(file("a.ipynb"), {
    ...{ out: file("b.ipynb"), env: { OUT: file("b.ipynb") } },
    ...{ saveEvery: 50, cellTimeout: 10 },
  });
  assert.equal(result.error, undefined);
});

test("when it cannot be saved, the run says so and the earlier file stays", async (file) => {
  await Deno.mkdir(file("out"));
  await save(
    file("a.ipynb"),
    `console.log("kept")`,
    `Deno.renameSync(Deno.env.get("OUT")!, Deno.env.get("OUT") + "2")`,
  );
  await assert.rejects(
    runNotebook(file("a.ipynb"), {
      out: file("out/b.ipynb"),
      env: { OUT: file("out") },
    }),
    /b\.ipynb: cannot write the notebook: [^\n]*$/,
  );
  const saved = await readNotebook(file("out2/b.ipynb"));
  assert.equal(printed(saved.cells[0]), "kept\n");
  assert.equal(status(saved.cells[1]), "not run");
});

test("two runs differ in metadata.ferlab alone, and get the same ids", async (file) => {
  const nb = notebook(
    code("let a = 1;", [], "parameters"),
    "console.log(a)",
    "console.log(a)",
  );
  await writeNotebook(file("a.ipynb"), { ...nb, nbformat_minor: 5 });
  const saved: Notebook[] = [];
  for (const out of ["b.ipynb", "c.ipynb"]) {
    await runNotebook(file("a.ipynb"), {
      out: file(out),
      parameters: { a: NaN },
      profile: "smoke",
    });
    saved.push(await readNotebook(file(out)));
  }
  const { started, seconds, ...run } = saved[0].metadata.ferlab as Record<
    string,
    unknown
  >;
  assert.deepEqual(run, {
    status: "complete",
    deno: Deno.version.deno,
    parameters: { a: "NaN", profile: '"smoke"' },
    profile: "smoke",
  });
  assert.ok(started && seconds);
  for (const one of [saved[0], saved[1]]) {
    for (const { metadata } of [one, ...one.cells]) delete metadata.ferlab;
    assert.equal(new Set(one.cells.map((c) => c.id)).size, 4);
  }
  assert.deepEqual(saved[0], saved[1]);
});

Deno.test("a kernel that calls a throw well is found at the start", async () => {
  await assert.rejects(
    checkReplies(() => Promise.resolve("ok"), "2.0.1"),
    /^Error: the notebook kernel of Deno 2\.0\.1 answers "ok" to a cell that/,
  );
  await checkReplies((code) =>
    Promise.resolve(code.includes("throw") ? "error" : "ok")
  );
});

test("runs in a row leave no process and no file", async (file) => {
  await save(file("a.ipynb"), `console.log(Deno.pid)`);
  await inFolder((temporary) =>
    withEnv({ TMPDIR: temporary }, async () => {
      for (let i = 0; i < 3; i++) {
        const { notebook: nb } = await runNotebook(file("a.ipynb"), {
          out: file("b.ipynb"),
        });
        const pid = Number(printed(nb.cells[0]));
        assert.ok(pid > 0 && !alive(pid));
      }
      const names = (folder: string) =>
        Array.from(Deno.readDirSync(folder), (e) => e.name).sort();
      assert.deepEqual(names(temporary), []);
      assert.deepEqual(names(file(".")), ["a.ipynb", "b.ipynb"]);
    })
  );
});

Deno.test("what else a cell shows is kept up to 30 MB, the rest lies beside it", async () => {
  await run(
    [
      `const show = (data) => Deno.jupyter.display(data, { raw: true });
      await show({ "text/html": "<b>" + "a".repeat(2e7) });
      await show({ "text/html": "<i>" + "b".repeat(2e7), "text/plain": "b" });
      await show({ "application/vnd.x.v1+json": { a: "c".repeat(3e7) } });
      await show({ "image/png": "AAAA".repeat(8e6) });
      await show({ "text/html": "<b>last</b>" });`,
    ],
    async ({ saved, file, result }) => {
      assert.equal(result.error, undefined);
      const shown = saved.cells[0].outputs!.map((o) => "data" in o && o.data);
      assert.deepEqual(shown.slice(1), [
        {
          "text/plain":
            "b\n[20.0 MB of text/html left out, in b.cell-1.1.html]",
        },
        {
          "text/plain": "[30.0 MB of application/vnd.x.v1+json left out, in " +
            "b.cell-1.2.json]",
        },
        { "text/plain": "[32.0 MB of image/png left out, in b.cell-1.3.png]" },
        { "text/html": "<b>last</b>" },
      ]);
      const size = async (name: string) => (await Deno.stat(file(name))).size;
      assert.equal(await size("b.cell-1.1.html"), 2e7 + 3);
      assert.equal(await size("b.cell-1.3.png"), 2.4e7);
      assert.ok(await size("b.ipynb") < 2.1e7);
    },
  );
});

Deno.test("a display that is updated, or cleared, is counted as it is at last", async () => {
  await run(
    [
      `const show = (text, update, id = "one") => Deno.jupyter.broadcast(
        update ? "update_display_data" : "display_data",
        {
          data: { "text/html": text, "text/plain": "p".repeat(1e5) },
          metadata: {},
          transient: { display_id: id },
        },
      );
      await show("0");
      for (let i = 1; i < 9; i++) await show(i + "a".repeat(5e6), true);
      await show("b".repeat(4e7), true);
      await show("c".repeat(4e7), true);
      await show("twice", false, "two");
      await show("twice", false, "two");
      await show("d".repeat(2e7), true, "two");
      await show("last", true);`,
      `for (let i = 0; i < 9; i++) {
        await Deno.jupyter.broadcast("clear_output", { wait: i % 2 === 0 });
        await Deno.jupyter.display(
          { "text/html": i + "a".repeat(5e6), "text/plain": "p".repeat(1e5) },
          { raw: true },
        );
      }`,
      `const large = () =>
        Deno.jupyter.display({ "text/html": "a".repeat(2e7) }, { raw: true });
      await show("", false, "");
      await large();
      await show("", true, "");
      await large();`,
    ],
    async ({ saved, file, result }) => {
      assert.equal(result.error, undefined);
      const [shown, cleared, unnamed] = saved.cells.map((c) =>
        c.outputs!.map((o) => "data" in o ? o.data : o)
      );
      const plain = "p".repeat(1e5);
      const out =
        `${plain}\n[20.0 MB of text/html left out, in b.cell-1.2.html]`;
      assert.deepEqual(shown, [
        { "text/html": "last", "text/plain": plain },
        ...Array(2).fill({ "text/plain": out }),
      ]);
      const beside = await Deno.readTextFile(file("b.cell-1.1.html"));
      assert.ok(beside === "c".repeat(4e7));
      assert.deepEqual(
        cleared,
        [{ "text/html": "8" + "a".repeat(5e6), "text/plain": plain }],
      );
      // An update gives back the room of its own display alone.
      assert.deepEqual(unnamed.at(-1), {
        "text/plain": "[20.0 MB of text/html left out, in b.cell-3.1.html]",
      });
    },
  );
});

Deno.test("an error of a worker that nothing listens to is told as its own", async () => {
  await run(
    [
      `const text = 'throw new Error("in there")';
      const worker = new Worker(
        "data:application/javascript," + encodeURIComponent(text),
        { type: "module" },
      );
      await new Promise((done) => addEventListener("error", done));`,
    ],
    ({ result }) =>
      assert.match(result.error!, /cell 1: .*in there \(in a worker\)/),
  );
});

Deno.test("text that is too long is cut in the notebook, the rest lies beside it", async () => {
  await run(
    [
      `console.log("a".repeat(2e6)); console.log("a".repeat(1e6 - 1) + "the end");
      await Deno.jupyter.display({ "text/html": "<b>" }, { raw: true });`,
      tagged("raises-exception", `throw new Error("m".repeat(5e6));`),
      `await Deno.jupyter.display(
        { "text/plain": "b".repeat(2e6) },
        { raw: true },
      );`,
    ],
    async ({ saved, file, result }) => {
      assert.equal(result.error, undefined);
      const [text, error, value] = saved.cells;
      assert.match(
        printed(text),
        /^a{1000000}\n\[2\.0 MB left out, in b\.cell-1\.txt\]\n$/,
      );
      // It is told where the text ends, not behind what came after it.
      assert.deepEqual(text.outputs!.map((o) => o.output_type), [
        ...["stream", "stream", "display_data"],
      ]);
      const rest = await Deno.readTextFile(file("b.cell-1.txt"));
      assert.match(rest, /^a+\na+the end\n$/);
      const { evalue, traceback } = errorOf(error);
      assert.equal(evalue.length, 2_001);
      assert.equal(traceback.join("").length, 1_000_000);
      assert.match(printed(value), /1\.0 MB left out, in b\.cell-3\.txt/);
      assert.ok((await Deno.stat(file("b.ipynb"))).size < 3_100_000);
    },
  );
});
