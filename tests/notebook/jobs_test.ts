/** Several runs, locks, resuming, signals and progress of `nb run`. */
import assert from "node:assert/strict";
import { join } from "node:path";
import stringWidth from "string-width";
import {
  readNotebook,
  runNotebook,
  writeNotebook,
} from "../../lib/notebook/mod.ts";
import { inJobs } from "../../lib/notebook/concurrency.ts";
import { lockOutput } from "../../lib/notebook/file/lock.ts";
import { progress } from "../../lib/notebook/run/progress_line.ts";
import { finished } from "../_run.ts";
import { assertRefused } from "../_refused.ts";
import {
  alive,
  code,
  filesTest as test,
  nbCommand,
  notebook,
  printed,
  ROOT,
  save,
  status,
  withFiles,
} from "./_notebook.ts";

const POSIX = Deno.build.os !== "windows";
const NB = join(ROOT, "lib/notebook");
const deno = (cwd: string, ...args: string[]) =>
  new Deno.Command(Deno.execPath(), {
    ...{ args, cwd },
    ...{ stdin: "null", stdout: "piped", stderr: "piped" },
  });
const command = (cwd: string, ...args: string[]) =>
  nbCommand(cwd, ["run", ...args]);
const names = (folder: string) =>
  Array.from(Deno.readDirSync(folder), (e) => e.name).sort();

/**
 * Starts a program and waits until `seen` matches what it says on stderr;
 * `end` sends it a signal and gives how it ended.
 */
async function begun(program: Deno.Command, seen: RegExp) {
  const child = program.spawn();
  let text = "";
  const matched = Promise.withResolvers<void>();
  const read = async () => {
    for await (
      const chunk of child.stderr.pipeThrough(new TextDecoderStream())
    ) {
      text += chunk;
      if (seen.test(text)) matched.resolve();
    }
    matched.reject(new Error(`it ended with: ${text}`));
  };
  const all = Promise.all([read(), child.stdout.cancel()]);
  await matched.promise;
  return {
    pid: child.pid,
    async end(signal: Deno.Signal) {
      child.kill(signal);
      const { code } = await child.status;
      await all;
      return code;
    },
  };
}

Deno.test({
  name: "an output where no file can be made is refused, not waited for",
  ignore: Deno.build.os !== "linux",
  // There a new file is said not to be found in a folder that is there.
  fn: () =>
    assert.rejects(lockOutput("/proc/x.ipynb"), /cannot write beside it/),
});

test("several notebooks at once, each told by name, and as JSON", async (file) => {
  const all = ["a", "b", "c", "d", "e", "f"];
  for (const name of all) {
    const last = name === "c" ? `throw new Error("of c")` : `1`;
    await save(
      file(`${name}.ipynb`),
      `console.log("I am ${name}")`,
      code(last),
    );
  }
  await Deno.mkdir(file("out"));
  const r = await finished(command(
    file("."),
    ...all.map((name) => `${name}.ipynb`),
    ...["--jobs", "3", "--out", "out", "--json"],
  ));
  assert.equal(r.code, 1);
  const { ok, notebooks } = JSON.parse(r.out);
  assert.equal(ok, false);
  assert.deepEqual(
    notebooks.map((n: { ok: boolean }) => n.ok),
    [true, true, false, true, true, true],
  );
  const c = notebooks[2];
  assert.equal(c.failedCell, 2);
  assert.match(c.error, /^c\.ipynb cell 2 \(line 1\): of c, in `/);
  assert.equal(c.out, "out/c.executed.ipynb");
  assert.deepEqual(
    c.cells.map((cell: { status: string }) => cell.status),
    ["ok", "failed"],
  );
  assert.ok(c.cells[0].seconds >= 0 && c.seconds >= c.cells[0].seconds);
  for (const name of all) {
    assert.match(r.err, new RegExp(`^${name}: {5}I am ${name}$`, "m"));
    const saved = await readNotebook(file(`out/${name}.executed.ipynb`));
    assert.equal(printed(saved.cells[0]), `I am ${name}\n`);
  }
  assert.deepEqual(names(file("out")), all.map((n) => `${n}.executed.ipynb`));
});

test("wrong use of several notebooks is told in one line", async (file) => {
  await Deno.writeTextFile(file("list.json"), "[1]");
  const cases: [exit: number, message: RegExp, args: string][] = [
    [2, /--out must be a folder/, "a.ipynb b.ipynb --out c.ipynb"],
    [2, /would both be saved as/, "a.ipynb a.ipynb"],
    [2, /--html takes one/, "a.ipynb b.ipynb --html c.html"],
    [2, /whole number/, "a.ipynb --jobs 1.5"],
    [2, /number above 0/, "a.ipynb --cell-timeout no"],
    [1, /list\.json: it must hold one JSON/, "a.ipynb --params list.json"],
  ];
  for (const [exit, message, args] of cases) {
    const run = command(file("."), ...args.split(" "));
    assertRefused(await finished(run), exit, message);
  }
});

test("a second run on one output is refused and told who has it", async (file) => {
  const stop = new AbortController();
  await save(
    file("a.ipynb"),
    `await new Promise(() => setInterval(() => {}, 99));`,
  );
  const started = Promise.withResolvers<void>();
  const first = runNotebook(file("a.ipynb"), {
    out: file("b.ipynb"),
    signal: stop.signal,
    onEvent: () => started.resolve(),
  });
  await started.promise;
  await assert.rejects(
    runNotebook(file("a.ipynb"), { out: file("b.ipynb") }),
    (e: Error) => {
      const who = `b.ipynb is being written by process ${Deno.pid} ("`;
      assert.ok(e.message.includes(who), e.message);
      assert.match(e.message, /since \d{4}-\d\d-\d\dT.*Z; wait/);
      return !e.message.includes("\n");
    },
  );
  if (POSIX) { // the lock is that of the file, whatever it is called
    await Deno.writeTextFile(file("b.ipynb"), "");
    await Deno.symlink("b.ipynb", file("link.ipynb"));
    await assert.rejects(lockOutput(file("link.ipynb")), /being written by/);
  }
  const other = runNotebook(file("a.ipynb"), {
    out: file("c.ipynb"),
    signal: stop.signal,
  });
  stop.abort();
  assert.ok((await first).interrupted && (await other).interrupted);
});

Deno.test({
  name:
    "the lock follows no link, is its owner's alone and holds no parameters",
  ignore: !POSIX,
  fn: () =>
    withFiles(async (file) => {
      await Deno.writeTextFile(file("precious"), "kept");
      await Deno.symlink(file("precious"), file("b.ipynb.lock"));
      await assert.rejects(
        lockOutput(file("b.ipynb")),
        /is no plain file; remove/,
      );
      assert.equal(await Deno.readTextFile(file("precious")), "kept");
      await Deno.remove(file("b.ipynb.lock"));

      await save(
        file("a.ipynb"),
        code(`let token = "", other = "";`, [], "parameters"),
        `console.log(Deno.readTextFileSync("a.executed.ipynb.lock"),
  (Deno.statSync("a.executed.ipynb.lock").mode! & 0o777).toString(8));`,
      );
      const { code: exit } = await finished(
        command(
          file("."),
          ...["a.ipynb", "-p", "token=secret", "-pother=secret", "-q"],
        ),
      );
      assert.equal(exit, 0);
      const text = printed(
        (await readNotebook(file("a.executed.ipynb"))).cells[2],
      );
      assert.match(text, /run a\.ipynb.* 600\n$/s);
      assert.doesNotMatch(text, /secret/);
    }),
});

test("a dead holder's lock is taken over, and its leavings go", async (file) => {
  const folder = file(".");
  const script = `
      import { lockOutput } from ${JSON.stringify(join(NB, "file/lock.ts"))};
      await lockOutput("b.ipynb");
      await Deno.writeTextFile("b.ipynb.0123abcd.tmp", "half");
      console.error("locked");
      setInterval(() => {}, 99);`;
  await Deno.writeTextFile(file("hold.ts"), script);
  const child = await begun(
    deno(folder, "run", "-A", "--no-check", "hold.ts"),
    /locked/,
  );
  await assert.rejects(
    lockOutput(file("b.ipynb")),
    new RegExp(`process ${child.pid} \\("deno hold\\.ts"\\)`),
  );
  await child.end("SIGKILL");
  assert.ok(names(folder).includes("b.ipynb.lock"));
  const lock = await lockOutput(file("b.ipynb"));
  await lock.release();
  assert.deepEqual(names(folder), ["hold.ts"]);
});

test("--resume goes on after the last result, and keeps what is saved", async (file) => {
  const log = `const log = (t: string) =>
      Deno.writeTextFileSync("log", t, { append: true });`;
  const made = notebook(
    code("let a = 1;", [], "parameters"),
    `${log} log("s"); console.log(Math.random());`,
    code(`log("o"); console.log("once", Math.random());`, [], "once"),
    `log("f"); if (!Deno.env.has("WELL")) throw new Error("bad");`,
    `log("e"); console.log("end", a);`,
  );
  await writeNotebook(file("a.ipynb"), made);
  const run = async (o: Parameters<typeof runNotebook>[1]) => {
    await Deno.writeTextFile(file("log"), "");
    const warnings: string[] = [];
    const result = await runNotebook(file("a.ipynb"), {
      ...{ out: file("b.ipynb"), cwd: file("."), ...o },
      onEvent: (e) => e.type === "warning" && warnings.push(e.message),
    });
    const { cells } = await readNotebook(file("b.ipynb"));
    const ran = await Deno.readTextFile(file("log"));
    return { result, cells, ran, warnings };
  };
  const first = await run({});
  assert.deepEqual([first.ran, first.result.failedCell], ["sof", 4]);
  const second = await run({ resume: true, env: { WELL: "1" } });
  assert.deepEqual([second.ran, second.result.ok], ["sfe", true]);
  assert.deepEqual(second.cells.slice(1, 3), first.cells.slice(1, 3));
  assert.equal(printed(second.cells[4]), "end 1\n");
  const third = await run({ resume: true, env: { WELL: "1" } });
  assert.deepEqual([third.ran, third.result.ok], ["", true]);
  assert.deepEqual(third.cells, second.cells);
  // Other parameters, other results: nothing but "once" is kept.
  const other = await run({
    ...{ resume: true, env: { WELL: "1" }, parameters: { a: 2 } },
  });
  assert.equal(other.ran, "sfe");
  assert.match(other.warnings.join(), /parameters are not those of before/);
  // Only the last cell, which fails for it lacks `log`; the rest is kept.
  const only = await run({ parameters: { a: 2 }, only: (i) => i === 6 });
  assert.deepEqual([only.ran, only.result.failedCell], ["", 6]);
  assert.deepEqual(only.cells.slice(0, 5), other.cells.slice(0, 5));
});

test("a run that is stopped before its first cell leaves the results of before", async (file) => {
  await save(file("a.ipynb"), `console.log("one")`);
  const out = file("b.ipynb");
  await runNotebook(file("a.ipynb"), { out });
  const before = await Deno.readTextFile(out);
  const signal = AbortSignal.abort();
  const { interrupted } = await runNotebook(file("a.ipynb"), { out, signal });
  assert.equal(interrupted, true);
  assert.equal(await Deno.readTextFile(out), before);
});

for (
  const [signal, exit] of [
    ...[["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const,
  ]
) {
  Deno.test({
    name: `${signal} saves what ran, ends kernel and children, exits ${exit}`,
    ignore: !POSIX,
    fn: () =>
      withFiles(async (file) => {
        await save(
          file("a.ipynb"),
          `const child = new Deno.Command("sleep", { args: ["300"] });
console.log(Deno.pid, child.spawn().pid)`,
          `console.log("begun");
await new Promise(() => setInterval(() => {}, 99));`,
          `console.log("never")`,
        );
        const child = await begun(
          command(file("."), "a.ipynb"),
          /^ {4}begun$/m,
        );
        assert.equal(await child.end(signal), exit);
        const { cells } = await readNotebook(file("a.executed.ipynb"));
        const pids = printed(cells[0]).trim().split(" ").map(Number);
        assert.deepEqual(pids.filter(alive), []);
        assert.deepEqual(cells.map(status), ["ok", "interrupted", "not run"]);
        assert.equal(printed(cells[1]), "begun\n");
        assert.deepEqual(names(file(".")), ["a.executed.ipynb", "a.ipynb"]);
      }),
  });
}

Deno.test({
  name:
    "killed at any moment, the file is valid, finished cells are in it, and no kernel stays",
  ignore: !POSIX,
  fn: () =>
    withFiles(async (file) => {
      const cells = Array.from({ length: 12 }, (_, i) =>
        code(`console.log("cell ${i}", Deno.pid, "${"x".repeat(20_000)}")`));
      await save(file("a.ipynb"), ...cells);
      let seed = 7;
      for (let round = 0; round < 4; round++) {
        seed = (seed * 16807) % 2147483647;
        const at = seed % 10 + 1;
        const child = await begun(
          command(file("."), "a.ipynb"),
          new RegExp(`^\\[${at}/12\\]`, "m"),
        );
        await child.end("SIGKILL");
        const saved = await readNotebook(file("a.executed.ipynb"));
        const done = saved.cells.filter((c) =>
          status(c) === "ok"
        );
        assert.ok(done.length >= at - 1, `${done.length} of ${at - 1}`);
        assert.ok(done.every((c, i) => printed(c).startsWith(`cell ${i} `)));
        const pid = Number(/\d+ (\d+)/.exec(printed(done[0] ?? cells[0]))?.[1]);
        while (pid && alive(pid)) await new Promise((r) => setTimeout(r, 10));
      }
    }),
});

Deno.test("a terminal shows one line that changes: cell, seconds, last line", () => {
  let text = "", ms = 0;
  const told = progress({
    write: (t) => text += t,
    columns: 60,
    now: () => ms,
  });
  told.take({ type: "cell-start", index: 2, total: 9, title: "Training" });
  ms = 61_000;
  told.take({ type: "output", index: 2, text: "epoch 1\n10%\r50%" });
  assert.equal(text.split("\x1b[2K").at(-1), "[2/9] Training · 61 s · 50%");
  told.tick();
  told.take({ type: "output", index: 2, text: `${"long ".repeat(30)}\n` });
  assert.ok(text.split("\x1b[2K").at(-1)!.length < 60);
  assert.ok(!text.includes("\n"));
  told.take({ type: "cell-end", index: 2, seconds: 62, ok: true });
  assert.equal(text.split("\x1b[2K").at(-1), "[2/9] Training  62.00 s\n");
  // A title is cut to the terminal, and what a cell prints orders nothing.
  const title = "\x1b[2J\u202e\x07" + "表情の学習".repeat(9);
  told.take({ type: "cell-start", index: 3, total: 9, title });
  told.take({
    type: "output",
    index: 3,
    text: "\x1b[31mred\x07\t\x1b[2Jend\n",
  });
  assert.match(text.split("\x1b[2K").at(-1)!, /… · 0 s · red {2}end$/);
  told.take({ type: "cell-end", index: 3, seconds: 1, ok: false });
  const [ended] = text.split("\x1b[2K").at(-1)!.split("\n");
  assert.match(ended, /^\[3\/9\] 表.*… {2}failed, 1\.00 s$/);
  assert.equal(stringWidth(ended), 59);
  const lost = progress({
    write: () => {
      throw new Error("the terminal is gone");
    },
  });
  lost.take({ type: "warning", message: "m" });
});

Deno.test("at most so many jobs run at once, results in order", async () => {
  let now = 0, most = 0;
  const work = async (n: number) => {
    most = Math.max(most, ++now);
    await Promise.resolve();
    now--;
    return n * 2;
  };
  assert.deepEqual(await inJobs([1, 2, 3, 4, 5], 2, work), [2, 4, 6, 8, 10]);
  assert.equal(most, 2);
  assert.deepEqual(await inJobs([1, 2], 2, work, () => true), []);
});
