/** The notebooks as a user runs them, all at profile smoke. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { trainingRows } from "../../lib/study/mod.ts";
import { inFolder } from "../_folder.ts";
import { finished } from "../_run.ts";

const root = new URL("../..", import.meta.url).pathname;

const notebooks = [...Deno.readDirSync(join(root, "notebooks"))]
  .map((e) => e.name).filter((n) => n.endsWith(".ipynb"))
  .map((n) => n.slice(0, -".ipynb".length)).sort();

const study = (...args: string[]) =>
  finished(
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "tasks/study.ts", ...args],
      cwd: root,
      env: { NO_COLOR: "1" },
    }),
  );

Deno.test("one command runs every notebook and leaves records, reports and an index", () =>
  inFolder(async (dir) => {
    const run = await study("--profile", "smoke", "--out", dir);
    assert.equal(run.code, 0, run.err);
    assert(run.out.trimEnd().endsWith("index.html"), run.out);
    const index = await Deno.readTextFile(join(dir, "index.html"));
    for (const name of notebooks) {
      const report = await Deno.readTextFile(join(dir, `${name}.html`));
      assert.doesNotMatch(report, /(?:src|href)="https?:|url\(["']?https?:/);
      // The page's own script, by its hash, and no other.
      assert.deepEqual(report.match(/<script[^>]*>/g), ["<script>"], name);
      assert.doesNotMatch(report, /The run failed/, name);
      assert(report.match(/<svg[^>]*aria-label/g), `${name} has no chart`);
      for (const fact of ["git commit", "deno.lock", "TensorFlow", "machine"]) {
        assert(report.includes(`<dt>${fact}</dt>`), `${name}: ${fact}`);
      }
      assert(index.includes(`${name}.html`), `${name} is not in the index`);
    }
    const rows = await trainingRows({ dir }, "lr-search");
    assert(rows.length > 0 && rows.every((r) => r.state === "COMPLETE"));
    // On synthetic faces no claim about faces is settled.
    const { claims } = JSON.parse(
      await Deno.readTextFile(join(dir, "02-lr-search.claims.json")),
    );
    assert(claims.length > 0);
    for (const { verdict } of claims) {
      assert.match(verdict, /^(cannot tell|not yet run)$/);
    }

    const again = await study("02", "--profile", "smoke", "--out", dir);
    assert.equal(again.code, 0, again.err);
    assert.match(again.err, /nothing to do: all \d+ trials are on record/);
    assert.equal(
      (await trainingRows({ dir }, "lr-search")).length,
      rows.length,
    );
  }));

Deno.test("a dry run says what a notebook would train, and writes nothing", () =>
  inFolder(async (dir) => {
    const out = join(dir, "out");
    const at = ["--profile", "smoke", "--out", out];
    const run = await study("15", ...at, "--dry-run");
    assert.equal(run.code, 0, run.err);
    assert.match(
      run.out,
      /^15-your-own-study\n +own-study: (\d+) of \1 trials to run, about .*\nin all about \d+ s\n$/,
    );
    assert(!existsSync(out));
  }));

Deno.test("wrong use is one line and exit code 2", async () => {
  const bad = await study("--profile", "huge");
  assert.equal(bad.code, 2);
  assert.match(bad.err, /smoke, quick, cpu, paper/);
  const unknown = await study("03-width");
  assert.equal(unknown.code, 2);
  assert.match(unknown.err, /^study: no notebook or command "03-width".*\n$/);
  const noDir = await study("--profile", "cpu");
  assert.equal(noDir.code, 2);
  assert.equal(noDir.err.trim().split("\n").length, 1);
  assert.match(noDir.err, /fer2013 needs --data-dir/);
  const help = await study("--help");
  assert.equal(help.code, 0);
  assert.match(help.out, /--profile .*\n[\s\S]*--data-dir/);
});

Deno.test("a failed cell makes exit code 1, and the report says which", () =>
  inFolder(async (dir) => {
    const run = await study(
      ...["02", "--data", "fer2013", "--data-dir", join(dir, "none")],
      ...["--profile", "smoke", "--out", dir],
    );
    assert.equal(run.code, 1);
    const report = await Deno.readTextFile(join(dir, "02-lr-search.html"));
    assert.match(
      report,
      /The run failed<\/b> in <a href="#cell--\d+">cell \d+/,
    );
    assert.match(run.err, /study: .*cell \d+ .*none/);
    assert.doesNotMatch(run.err, /\n\s+at /);
  }));
