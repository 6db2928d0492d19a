/** What `deno task test` reads and reports, and the lists that venvs are made from. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { startLab } from "../tasks/lab.ts";
import { withEnv } from "./_env.ts";
import { inFolder } from "./_folder.ts";
import { countRun, readSummary } from "../tasks/summary.ts";

Deno.test("a coloured summary line gives its counts", () => {
  const line = "\x1b[0m\x1b[32mok\x1b[0m | 12 passed (3 steps) | 0 failed " +
    "| 2 ignored \x1b[38;5;245m(5s)\x1b[0m\n";
  assert.deepEqual(readSummary(`x | 9 passed\n${line}`), {
    passed: 12,
    failed: 0,
    skipped: 2,
  });
  assert.deepEqual(readSummary("FAILED | 3 passed | 2 failed (1 step) (1s)"), {
    passed: 3,
    failed: 2,
    skipped: 0,
  });
});

Deno.test("a run that dies without a failed test counts as one failure", () => {
  assert.deepEqual(countRun("ok | 4 passed | 0 failed (1s)", 139), {
    passed: 4,
    failed: 1,
    skipped: 0,
  });
  assert.deepEqual(countRun("", 0), { passed: 0, failed: 1, skipped: 0 });
  assert.deepEqual(countRun("FAILED | 4 passed | 2 failed (1s)", 1), {
    passed: 4,
    failed: 2,
    skipped: 0,
  });
});

Deno.test("a venv's list has what is asked for, each package with its SHA-256", () => {
  const folder = new URL("../tasks/venvs/", import.meta.url);
  const read = (name: string) => readFileSync(new URL(name, folder), "utf8");
  const names = readdirSync(folder).filter((name) => name.endsWith(".in"));
  assert.equal(names.length, 4);
  for (const name of names) {
    const list = read(name.replace(/in$/, "txt")).replaceAll(/ \\\n\s*/g, " ");
    const lines = list.trim().split("\n");
    for (const line of lines) {
      assert.match(
        line,
        /^[\w.-]+==[\w.]+( ; [^#]*?)?( --hash=sha256:[0-9a-f]{64})+$/,
      );
    }
    for (const asked of read(name).trim().split("\n")) {
      const [exact] = /^\S+==\S+/.exec(asked)!;
      assert.ok(lines.some((line) => line.startsWith(`${exact} `)), exact);
    }
  }
});

Deno.test({
  name: "a lab that is stopped while it starts ends its server",
  ignore: Deno.build.os === "windows",
  fn: () =>
    inFolder(async (folder) => {
      // Says its number, and never answers.
      const python = join(folder, "python");
      await Deno.writeTextFile(
        python,
        `#!/bin/sh\necho $$ >"${folder}/pid"; mv "${folder}/pid" "${folder}/up"\n` +
          "exec sleep 300\n",
        { mode: 0o755 },
      );
      const up = Deno.watchFs(folder);
      const stop = new AbortController();
      await withEnv({ FERLAB_JUPYTER: python }, async () => {
        const lab = startLab({
          state: join(folder, "state"),
          notebooks: folder,
          signal: stop.signal,
        });
        const ended = assert.rejects(lab, /did not start/);
        for await (const { paths } of up) {
          if (paths.some((path) => path.endsWith("up"))) break;
        }
        stop.abort();
        await ended;
        const pid = Number(await Deno.readTextFile(join(folder, "up")));
        assert.throws(() => Deno.kill(pid, "SIGCONT"));
      });
    }),
});
