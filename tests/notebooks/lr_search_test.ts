/** The learning-rate search as a user runs it, at profile smoke. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { trainingRows } from "../../lib/study/mod.ts";
import { inFolder } from "../_folder.ts";
import { finished } from "../_run.ts";

const root = new URL("../..", import.meta.url).pathname;

const study = (...args: string[]) =>
  finished(
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "tasks/study.ts", ...args],
      cwd: root,
      env: { NO_COLOR: "1" },
    }),
  );

Deno.test("one command leaves notebook, records and a report without outside parts", () =>
  inFolder(async (dir) => {
    const run = await study("--profile", "smoke", "--out", dir);
    assert.equal(run.code, 0, run.err);
    assert.match(run.err, /trial 2 of 2: depth 1, lr 0\.01: \d/);
    assert(run.out.trimEnd().endsWith("report.html"), run.out);
    const report = await Deno.readTextFile(join(dir, "report.html"));
    assert(report.length > 30_000);
    assert.doesNotMatch(report, /(?:src|href)="https?:|url\(["']?https?:/);
    // The page's own script, by its hash, and no other.
    assert.deepEqual(report.match(/<script[^>]*>/g), ["<script>"]);
    assert.match(report, /script-src 'sha256-[^' ]+';/);
    assert.doesNotMatch(report, /The run failed/);
    assert.equal(report.match(/<svg[^>]*aria-label/g)!.length >= 4, true);
    for (const name of ["git commit", "deno.lock", "TensorFlow", "machine"]) {
      assert(report.includes(`<dt>${name}</dt>`), name);
    }
    const rows = await trainingRows({ dir }, "lr-search");
    assert.deepEqual(rows.map((r) => r.state), ["COMPLETE", "COMPLETE"]);
    const notebook = await Deno.readTextFile(join(dir, "lr-search.ipynb"));
    assert(notebook.includes('"execution_count": 11'));

    const again = await study("--profile", "smoke", "--out", dir);
    assert.equal(again.code, 0, again.err);
    assert.match(again.err, /nothing to do: all 2 trials are on record/);
    assert.equal((await trainingRows({ dir }, "lr-search")).length, 2);
  }));

Deno.test("wrong use is one line and exit code 2", async () => {
  const bad = await study("--profile", "huge");
  assert.equal(bad.code, 2);
  assert.match(bad.err, /smoke, quick, cpu, paper/);
  const noDir = await study("--data", "fer2013", "--profile", "smoke");
  assert.equal(noDir.code, 2);
  assert.equal(noDir.err.trim().split("\n").length, 1);
  const help = await study("--help");
  assert.equal(help.code, 0);
  assert.match(help.out, /--profile .*\n[\s\S]*--data-dir/);
});

Deno.test("a failed cell makes exit code 1, and the report says which", () =>
  inFolder(async (dir) => {
    const run = await study(
      ...["--data", "fer2013", "--data-dir", join(dir, "none")],
      ...["--profile", "smoke", "--out", dir],
    );
    assert.equal(run.code, 1);
    const report = await Deno.readTextFile(join(dir, "report.html"));
    assert.match(report, /The run failed<\/b> in <a href="#cell--4">cell 4/);
    assert.match(run.err, /study: .*cell 4 .*none/);
    assert.doesNotMatch(run.err, /\n\s+at /);
  }));
