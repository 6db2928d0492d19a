/** The notebooks as a user runs them, all at profile smoke. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import {
  readNotebook,
  rerunCells,
  runNotebook,
  writeNotebook,
} from "../../lib/notebook/mod.ts";
import { trainingRows } from "../../lib/study/mod.ts";
import { folderTest as test } from "../_folder.ts";
import { finished } from "../_run.ts";
import { assertRefused } from "../_refused.ts";

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

/** All notebooks' run at profile smoke; what it trains is trained once here. */
let ran: Promise<{ dir: string; run: Awaited<ReturnType<typeof study>> }>;
const smoke = () =>
  ran ??= (async () => {
    const dir = await Deno.makeTempDir();
    return { dir, run: await study("--profile", "smoke", "--out", dir) };
  })();
Deno.test.afterAll(async () => {
  if (ran) await Deno.remove((await ran).dir, { recursive: true });
});

const SCRIPTS = /<script([^>]*)>([^]*?)<\/script>/g;
/** The trials that a page's script can ask; no browser runs it. */
const JSON_TAG = ' type="application/json" id="explore--data"';

Deno.test("one command runs every notebook and leaves records, reports and an index", async () => {
  const { dir, run } = await smoke();
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
});

test("a dry run says what a notebook would train, and writes nothing", async (dir) => {
  const out = join(dir, "out");
  const at = ["--profile", "smoke", "--out", out];
  const run = await study("15", ...at, "--dry-run");
  assert.equal(run.code, 0, run.err);
  assert.match(
    run.out,
    /^15-your-own-study\n +own-study: (\d+) of \1 trials to run, about .*\nin all about \d+ s\n$/,
  );
  assert(!existsSync(out));
});

test("wrong use is one line and exit code 2 before anything runs", async (dir) => {
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
      ["--profile", "cpu", "--data-dir", join(dir, "none")],
      /--data-dir .*none: there is no such/,
    ],
    [["--profile", "cpu", "--data-dir", file], /: it is a file/],
    [["--data-dir", dir], /the faces are drawn: .* with --data auto$/m],
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
    assertRefused(await study(...at, ...args), 2, message);
  }
  assert.deepEqual(
    [...Deno.readDirSync(dir)].map((e) => e.name).sort(),
    ["file", "file.txt"],
  );
  const help = await study("--help");
  assert.equal(help.code, 0);
  assert.match(help.out, /--profile .*\n[\s\S]*--data-dir/);
});

test("a failed cell makes exit code 1, and the report says which", async (dir) => {
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
});

/** One edit in one cell, and what has to follow from it. */
interface Edit {
  notebook: string;
  /** What a reader changes, once in the notebook. */
  from: RegExp;
  to: string;
  /** Trials that are trained, by study; all others are on record. */
  trained: Record<string, number>;
  /** Ids of the cells whose results change; with "+" at least those. */
  ran: string[];
  /** Ids of cells that nothing of it reaches. */
  kept: string[];
}

const EDITS: Edit[] = [
  {
    notebook: "03-depth", // another depth
    from: /smoke: \{ depth: \[1, 2\]/,
    to: "smoke: { depth: [1, 2, 3]",
    trained: { "lr-search": 2 },
    ran: ["+study", "open", "run", "map", "claims", "decision", "cost"],
    kept: ["published-runs", "published-map"],
  },
  {
    notebook: "02-lr-search", // another rate
    from: /smoke: \{ depth: \[1\], lr: \[1e-3, 1e-2\]/,
    to: "smoke: { depth: [1], lr: [1e-3, 3e-3, 1e-2]",
    trained: { "lr-search": 1 },
    ran: ["+study", "open", "run", "rates", "claims", "decision"],
    kept: ["paper", "published-rates"],
  },
  {
    notebook: "08-cls-vs-vit", // another alpha
    from: /alpha: \[1\]/,
    to: "alpha: [1, 0.2]",
    trained: { "cls-ablation": 6, "cls-controls": 2 },
    ran: ["+study", "run", "claims"],
    kept: ["published-forest"],
  },
  {
    notebook: "04-eps", // a claim's margin
    from: /points: 1,/,
    to: "points: 2,",
    trained: {},
    ran: ["claims"],
    kept: ["run", "forest", "decision"],
  },
  {
    notebook: "06-long-runs", // a chart's axes
    from: /heatMapChart\(settings\(trials\), \{ x: "lr", y: "depth"/,
    to: `heatMapChart(settings(trials), { x: "depth", y: "lr"`,
    trained: {},
    ran: ["map"],
    kept: ["run", "effects", "claims"],
  },
];

for (const edit of EDITS) {
  Deno.test(`${edit.notebook}: one edit in one cell, and only what follows from it runs again`, async () => {
    // Beside the project's deno.json, so that the import map is found.
    const dir = await Deno.makeTempDir({ dir: root, prefix: ".open-" });
    try {
      const file = join(dir, `${edit.notebook}.ipynb`);
      const out = join(dir, `${edit.notebook}.executed.ipynb`);
      await cp(join(root, "notebooks", `${edit.notebook}.ipynb`), file);
      const outDir = join(dir, "records");
      await Deno.mkdir(outDir);
      const records = "records.sqlite";
      await Deno.copyFile(
        join((await smoke()).dir, records),
        join(outDir, records),
      );
      const parameters = { profile: "smoke", outDir };
      const first = await runNotebook(file, { parameters, out });
      assert.ok(first.ok, String(first.error));

      const notebook = await readNotebook(file);
      const cells = notebook.cells.filter((c) =>
        c.cell_type === "code" && edit.from.test([c.source].flat().join(""))
      );
      assert.equal(cells.length, 1, `${edit.from} stands in one cell`);
      cells[0].source = [cells[0].source].flat().join("")
        .replace(edit.from, edit.to);
      await writeNotebook(file, notebook);

      const printed: string[] = [];
      let asked: number[] = [];
      const rerun = await rerunCells(file, {
        cells: "stale",
        session: false,
        onPlan: (plan) => asked = plan.asked,
        onEvent: (event) => {
          if (event.type === "output") printed.push(event.text);
        },
      });
      assert.ok(rerun.ok, String(rerun.error));
      const trained = Object.fromEntries(
        printed.flatMap((text) => [
          ...text.matchAll(/^(\S+): (\d+) of \d+ trials to run/gm),
        ]).map(([, study, n]) => [study, Number(n)]),
      );
      assert.deepEqual(trained, edit.trained);
      const executed = await readNotebook(out);
      const code = executed.cells.filter((c) => c.cell_type === "code");
      const ids = asked.map((number) => String(code[number - 1].id));
      const wanted = edit.ran.map((id) => id.replace("+", ""));
      if (edit.ran[0].startsWith("+")) {
        for (const id of wanted) assert.ok(ids.includes(id), `${id}: ${ids}`);
      } else assert.deepEqual(ids, wanted);
      for (const id of edit.kept) assert.ok(!ids.includes(id), `${id}: ${ids}`);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });
}

test("15: the template holds for a study of one parameter", async (dir) => {
  const nb = await readNotebook(
    join(root, "notebooks", "15-your-own-study.ipynb"),
  );
  const study = nb.cells.find((c) => c.id === "study")!;
  const before = study.source;
  study.source = before.replace(/^ +lr: .*\n/m, "");
  assert.notEqual(study.source, before);
  await writeNotebook(join(dir, "one.ipynb"), nb);
  const { error } = await runNotebook(join(dir, "one.ipynb"), {
    cwd: root,
    parameters: { profile: "smoke", outDir: dir },
  });
  assert.equal(error, undefined);
});
