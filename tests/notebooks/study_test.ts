/** The notebooks as a user runs them, all at profile smoke. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { trainingRows } from "../../lib/study/mod.ts";
import { inFolder } from "../_folder.ts";
import { finished } from "../_run.ts";

const root = new URL("../..", import.meta.url).pathname;

const notebooks = [...Deno.readDirSync(join(root, "notebooks"))]
  .map((e) => e.name).filter((n) => /^[^.]+\.ipynb$/.test(n))
  .map((n) => n.slice(0, -".ipynb".length)).sort();

const study = (...args: string[]) =>
  finished(
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "tasks/study.ts", ...args],
      cwd: root,
      env: { NO_COLOR: "1" },
    }),
  );

const SCRIPTS = /<script([^>]*)>([^]*?)<\/script>/g;
/** The trials that a page's script can ask; no browser runs it. */
const JSON_TAG = ' type="application/json" id="explore--data"';

Deno.test("one command runs every notebook and leaves records, reports and an index", () =>
  inFolder(async (dir) => {
    const run = await study("--profile", "smoke", "--out", dir);
    assert.equal(run.code, 0, run.err);
    // A line a report as it comes, then a line an answer, then the index.
    const lines = run.out.trimEnd().split("\n");
    assert.equal(lines.length, 2 * notebooks.length + 1, run.out);
    for (const [i, name] of notebooks.entries()) {
      assert(lines[i].endsWith(`${name}.html`), lines[i]);
      const answer = lines[notebooks.length + i];
      assert(answer.startsWith(`${name.slice(0, 2)} `), answer);
    }
    assert.match(
      lines[notebooks.length + 2],
      /\? .*\d (cannot tell|not yet run)/,
    );
    assert(lines.at(-1)!.endsWith("index.html"), run.out);
    const index = await Deno.readTextFile(join(dir, "index.html"));
    for (const name of notebooks) {
      const report = await Deno.readTextFile(join(dir, `${name}.html`));
      assert.doesNotMatch(report, /(?:src|href)="https?:|url\(["']?https?:/);
      // The page's own scripts, by their hashes, and no other.
      const [, policy] = /script-src ([^;"]*)/.exec(report)!;
      for (const [, tag, code] of report.matchAll(SCRIPTS)) {
        const hash = createHash("sha256").update(code).digest("base64");
        const isAllowed = tag === "" && policy.includes(`'sha256-${hash}'`);
        assert(isAllowed || tag === JSON_TAG, `${name}: ${tag} ${hash}`);
      }
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
    assert.match(again.out, /^02 .*: nothing to train, .*02-lr-search\.html\n/);
    // No cell's lines, no Markdown: those are for --verbose.
    assert.doesNotMatch(again.err, /\*\*|cell \d+ of/);
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

Deno.test("wrong use is one line and exit code 2 before anything runs", () =>
  inFolder(async (dir) => {
    const out = join(dir, "out"), file = join(dir, "file");
    Deno.writeTextFileSync(file, "");
    const wrong: [string[], RegExp][] = [
      [["--profile", "huge"], /smoke, quick, cpu, paper/],
      [["--profile", "qick"], /Did you mean "quick"\?$/m],
      [["--data", "fer2031"], /Did you mean "fer2013"\?$/m],
      [["--out", ""], /--out: its value is empty/],
      [["--jobs", "1e99"], /a whole number from 1 to 256/],
      [["--seed", "99999999999999999999"], /a whole number from 0, below/],
      [["03-width"], /no notebook or command "03-width"/],
      [["--profile", "cpu"], /fer2013 needs --data-dir/],
      [
        ["--data-dir", join(dir, "none")],
        /--data-dir .*none: there is no such/,
      ],
      [["--data-dir", file], /--data-dir .*: it is a file/],
      [
        ["--profile", "cpu", "--data-dir", dir],
        /--data-dir .*: fer2013: no class folders and no csv in/,
      ],
      [["--out", file], /--out .*file: it is a file: give a folder/],
      [["--out", join(file, "x")], /--out .*x: .*file is a file/],
      [["--store", "mysql://host/db"], /--store: .*no such store/],
      [
        ["--store", join(dir, "none", "r.db")],
        /--store .*: there is no folder/,
      ],
      [["--store", file + ".txt"], /no SQLite database/],
    ];
    Deno.writeTextFileSync(file + ".txt", "no records");
    for (const [args, message] of wrong) {
      const at = args.includes("--out") ? [] : ["--out", out];
      const { code, err } = await study(...at, ...args);
      assert.equal(code, 2, err);
      assert.match(err, message);
      assert.equal(err.trimEnd().split("\n").length, 1, err);
    }
    assert.deepEqual(
      [...Deno.readDirSync(dir)].map((e) => e.name).sort(),
      ["file", "file.txt"],
    );
    const help = await study("--help");
    assert.equal(help.code, 0);
    assert.match(help.out, /--profile .*\n[\s\S]*--data-dir/);
  }));

Deno.test("a failed cell makes exit code 1, and the report says which", () =>
  inFolder(async (dir) => {
    // FER2013 as it looks from outside, but one of its rows is damaged.
    const data = join(dir, "data");
    Deno.mkdirSync(data);
    const pixels = Array(48 * 48).fill(1).join(" ");
    const rows = ["Training", "PublicTest", "PrivateTest"]
      .map((usage) => `3,${pixels},${usage}\n`);
    Deno.writeTextFileSync(
      join(data, "fer2013.csv"),
      `emotion,pixels,Usage\n${rows.join("")}3,1 2 3,Training\n`,
    );
    const run = await study(
      ...["02", "--data", "fer2013", "--data-dir", data],
      ...["--profile", "smoke", "--out", dir],
    );
    assert.equal(run.code, 1, run.err);
    const report = await Deno.readTextFile(join(dir, "02-lr-search.html"));
    assert.match(
      report,
      /The run failed<\/b> in <a href="#cell--\d+">cell \d+/,
    );
    assert.match(run.err, /study: .*cell \d+ .*fer2013/);
    assert.match(run.out, /: failed in cell \d+, .*02-lr-search\.html/);
    assert.doesNotMatch(run.err, /\n\s+at /);
  }));
