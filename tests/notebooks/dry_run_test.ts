/** `deno task study --dry-run`: the notebooks' own plans, and no trace. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openStudy } from "../../lib/reports/mod.ts";
import { dryRun, totalSeconds } from "../../tasks/study/dry_run.ts";
import { runCells } from "../../tasks/study/run_cells.ts";
import { folderTest as test } from "../_folder.ts";

const root = new URL("../..", import.meta.url).pathname;

const code = (source: string, ...tags: string[]) => ({
  cell_type: "code" as const,
  source,
  metadata: { tags },
  outputs: [],
  execution_count: null,
});

/** A notebook of `cells` below those that all have. */
const notebook = (...cells: string[]) => ({
  nbformat: 4,
  nbformat_minor: 5,
  metadata: { kernelspec: { name: "deno", language: "typescript" } },
  cells: [
    code('let profile = "quick"; let outDir = "";', "parameters"),
    code('import { openStudy } from "ferlab";'),
    ...cells.map((source) => code(source)),
  ],
});

const study = (name: string, lr: string) =>
  `const ${name} = openStudy({ profile, outDir }, ` +
  `{ name: "${name}", parameters: { lr: [${lr}] } });`;

/** What a dry run of the notebooks prints and returns; its folder after it. */
async function told(
  dir: string,
  notebooks: Record<string, ReturnType<typeof notebook>>,
) {
  const files = Object.entries(notebooks).map(([name, nb]) => {
    const file = join(dir, `${name}.ipynb`);
    writeFileSync(file, JSON.stringify(nb));
    return { name, file };
  });
  const lines: string[] = [];
  const log = console.log;
  console.log = (line: string) => lines.push(line);
  try {
    const { code: status, planned } = await dryRun(files, {
      parameters: { profile: "smoke", outDir: join(dir, "out") },
      cwd: root,
      env: {},
      signal: new AbortController().signal,
    });
    return { status, planned, lines };
  } finally {
    console.log = log;
  }
}

test("a dry run tells each study of a notebook and leaves nothing", async (dir) => {
  const first = notebook(
    study("rates", "1e-3, 1e-2"),
    'throw new Error("no run needs this cell");',
    "const train = async (s) => await s.run();",
    "const trials = await train(rates);",
    // Its plan is what the first study finds.
    "const best = trials[0].lr;",
    study("next", "best") + " await next.run();",
    study("other", "1e-3") + " await other.run();",
    study("last", "trials[0]?.lr ?? 1e-2") + " await last.run();",
  );
  const where = '{ profile, data: "", dataDir: "", outDir, seed: 0 }';
  const job = '{ study: { name: "speed", parameters: { batch: [1, 2] } }, ' +
    "measure: () => Promise.reject(new Error()) }";
  const speed = notebook(
    'import { Study } from "ferlab";',
    `await new Study(${where}, ${job}).run();`,
  );
  const { status, lines } = await told(dir, {
    first,
    speed,
    none: notebook("const sum = 1 + 1;"),
  });
  assert.equal(status, 0);
  const about = /, about \d+ s one after the other, by \d+ images\/s timed/;
  assert.equal(lines.length, 10, lines.join("\n"));
  assert.equal(lines[0], "first");
  assert(lines[1].startsWith("  rates: 2 of 2 trials to run"), lines[1]);
  assert.match(lines[1], about);
  assert(lines[2].startsWith("  other: 1 of 1 trials to run"), lines[2]);
  assert.match(lines[3], /^ +last: 1 of 1 .*; its plan depends on/);
  assert.doesNotMatch(lines[2], /may change/);
  assert.match(lines[4], /^ +what depends on .* is unknown: .* cell 7 /);
  assert.equal(lines[5], "speed");
  assert.match(lines[6], /^ +speed: 2 of 2 trials to run: measurements/);
  assert.deepEqual(lines.slice(7, 9), ["none", "  no studies"]);
  assert.match(
    lines[9],
    /^in all about \d+ s, and what is measured and what depends on results$/,
  );
  const names = Object.keys({ first, none: 1, speed });
  assert.deepEqual(
    readdirSync(dir).sort(),
    names.map((name) => `${name}.ipynb`),
  );
  assert.equal(
    readFileSync(join(dir, "first.ipynb"), "utf8"),
    JSON.stringify(first),
  );
});

test("a dry run of a cell that cannot run fails, names it, and goes on", async (dir) => {
  const said: string[] = [];
  const error = console.error;
  console.error = (line: string) => said.push(line);
  try {
    const { status, lines } = await told(dir, {
      wrong: notebook('openStudy({ profile }, { name: "" }).run();'),
      // The cell that the others need is named, not those.
      broken: notebook(
        study("rates", "1e-3").replace("]", ""),
        study("other", "1e-3") + " await other.run();",
        "await rates.run();",
      ),
    });
    assert.equal(status, 1);
    const [about] = lines.splice(2, 1);
    assert(about.startsWith("  other: 1 of 1 trials to run"), about);
    assert.match(lines.pop()!, /^in all about \d+ s$/);
    assert.deepEqual(lines, ["wrong", "broken"]);
  } finally {
    console.error = error;
  }
  assert.equal(said.length, 2, said.join("\n"));
  assert.match(said[0], /^study: wrong: .*wrong\.ipynb cell 3 /);
  assert.match(said[1], /^study: .*broken\.ipynb cell 3 .*SyntaxError: /);
});

Deno.test("the cells that run a study are found, be it by a function", () => {
  const asked = (...sources: string[]) =>
    runCells(sources.map((source) => code(source))).asked;
  assert.deepEqual(asked("a.run;", "const t = await a.run();", "t.run"), [2]);
  assert.deepEqual(
    asked("for (const s of all) await s.run();", "all?.[0].run()"),
    [1, 2],
  );
  assert.deepEqual(
    asked(
      "const all = await Promise.all(studies.map((s) => s.run()));",
      "all.length",
    ),
    [1],
  );
  assert.deepEqual(
    asked(
      "function one(s: Study) { return s.run(); }",
      "const two = async (s) => await one(s);",
      "const steps = { run: 1, lr: () => two(study) };",
      "await steps.lr();",
      "await two(study);",
    ),
    [4, 5],
  );
  // What nests so deep that the type stripper would end the process, too.
  assert.deepEqual(asked(`${"(".repeat(5000)}1${")".repeat(5000)}; a.run()`), [
    1,
  ]);
  // What cannot be read is run, and the kernel tells.
  assert.deepEqual(asked("await a.run(;", "enum A { B }"), [1]);
});

Deno.test("trials that two notebooks plan for one record cost once", () => {
  const cost = (lr: number[], depth = 1) => {
    const study = openStudy({ profile: "smoke" }, {
      name: "lr-search",
      parameters: { lr },
      recipe: { depth },
    });
    const settings = lr.map((lr) => ({
      ...{ params: { lr }, missing: 2, seconds: 10, recorded: false },
    }));
    const seconds = 20 * lr.length, missing = 2 * lr.length;
    const estimate = { settings, missing, total: missing, seconds };
    return { study: "", missing, total: missing, plan: study.plan, estimate };
  };
  const shared = [cost([1e-3, 1e-2]), cost([1e-2, 1e-1])];
  assert.equal(totalSeconds(shared), 60);
  assert.equal(totalSeconds([cost([1e-3]), cost([1e-3], 2)]), 40);
  assert.equal(totalSeconds([{ study: "speed", missing: 2, total: 2 }]), 0);
  // A search with 3 of its 4 trials left.
  const search = cost([1e-3, 1e-2]);
  assert.equal(
    totalSeconds([
      { ...search, estimate: { ...search.estimate, seconds: 30, missing: 3 } },
    ]),
    30,
  );
});
