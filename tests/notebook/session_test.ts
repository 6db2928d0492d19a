/** Sessions and their commands, as processes. */
import assert from "node:assert/strict";
import { readNotebook } from "../../lib/notebook/mod.ts";
import { finished } from "../_run.ts";
import { assertRefused } from "../_refused.ts";
import { alive, nbCommand, printed, save, withFiles } from "./_notebook.ts";

const nb = async (cwd: string, ...args: string[]) => {
  const told = await finished(nbCommand(cwd, args, { XDG_RUNTIME_DIR: cwd }));
  // Deno says so when another process is reading the packages at that time.
  const err = told.err.replace(/^.*Blocking.* waiting for file lock.*\n/gm, "");
  return { ...told, err };
};

/** Waits until a process that was killed is gone; fails after 5 s. */
async function gone(pid: number) {
  for (const start = Date.now(); alive(pid);) {
    assert.ok(Date.now() - start < 5000, `process ${pid} lives on`);
    await new Promise((r) => setTimeout(r, 5));
  }
}

Deno.test("a session lives on after its command, is listed, used, and stopped with its children", async () => {
  if (Deno.build.os === "windows") return;
  await withFiles(async (file) => {
    const folder = file(".");
    await save(
      file("a.ipynb"),
      `const child = new Deno.Command("sleep", { args: ["99"] }).spawn();`,
      `console.log(
          Deno.pid, child.pid, Deno.env.get("JPY_SESSION_NAME"));`,
    );
    try {
      const started = await nb(folder, "session", "start", "a.ipynb", "--json");
      assert.equal(started.code, 0, started.err);
      const { pid } = JSON.parse(started.out).sessions[0];
      assert.ok(alive(pid));
      for await (const { name } of Deno.readDir(file("deno-nb"))) {
        const info = await Deno.stat(file(`deno-nb/${name}`));
        assert.equal(info.mode! & 0o777, 0o600, name);
      }
      const twice = await nb(folder, "session", "start", "a.ipynb");
      assert.equal(twice.code, 1);
      assert.match(
        twice.err,
        /a\.ipynb: it has a session; stop that one first/,
      );

      const first = await nb(folder, "rerun", "a.ipynb", "-c", "2");
      assert.match(
        first.err,
        /^replays cell 1: cell 2 uses child\nruns cell 2\n/,
      );
      assert.equal(first.out, "a.executed.ipynb\n");
      const again = await nb(folder, "rerun", "a.ipynb", "-c", "2", "--json");
      const told = JSON.parse(again.out);
      assert.deepEqual([told.session, told.replays], [true, []]);
      const { cells } = await readNotebook(file("a.executed.ipynb"));
      const said = printed(cells[1]).trim().split(" ");
      const [kernel, child] = said.map(Number);
      assert.equal(kernel, pid);
      assert.equal(said[2], file("a.ipynb"));
      assert.ok(alive(child));

      const status = await nb(folder, "status", "a.ipynb");
      assert.equal(status.out, "cell 1: never run\ncell 2: fresh\n");
      const list = await nb(folder, "session", "list");
      assert.match(list.out, new RegExp(`^a\\.ipynb  process ${pid}, since`));
      const stopped = await nb(folder, "session", "stop", "a.ipynb");
      assert.equal(stopped.code, 0, stopped.err);
      assert.equal(stopped.out, `stopped ${list.out}`);
      await Promise.all([gone(pid), gone(child)]);
      const { code, out } = await nb(folder, "session", "stop", "--all");
      assert.deepEqual([code, out], [
        0,
        "no session lives: nothing to stop\n",
      ]);
    } finally {
      await nb(folder, "session", "stop", "--all");
    }
    assert.deepEqual([...Deno.readDirSync(file("deno-nb"))], []);
  });
});

Deno.test("a dead session is found and removed; wrong use is told in one line", async () => {
  if (Deno.build.os === "windows") return;
  await withFiles(async (file) => {
    const folder = file(".");
    await save(file("a.ipynb"), `1`);
    const started = await nb(folder, "session", "start", "a.ipynb", "--json");
    Deno.kill(JSON.parse(started.out).sessions[0].pid, "SIGKILL");
    await Deno.writeTextFile(file("deno-nb/torn.json"), "{");
    const list = await nb(folder, "session", "list", "--json");
    assert.deepEqual(JSON.parse(list.out), { sessions: [] });
    assert.deepEqual([...Deno.readDirSync(file("deno-nb"))], []);

    const cases: [exit: number, message: RegExp, args: string][] = [
      [1, /a\.ipynb: it has no session; .*list` shows/, "session stop a.ipynb"],
      [2, /say which session/, "session stop"],
      [2, /say which cells/, "rerun a.ipynb"],
      [2, /tag "7"/, "rerun a.ipynb -c 7"],
      [1, /b\.ipynb: .*no such file/, "status b.ipynb"],
    ];
    await Promise.all(cases.map(async ([exit, message, args]) => {
      const ended = await nb(folder, ...args.split(" "));
      assertRefused(ended, exit, message);
      assert.equal(ended.out, "");
    }));
  });
});
