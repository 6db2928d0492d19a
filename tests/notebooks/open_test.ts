/** The notebooks as their readers find them: results held, code in the open. */
import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import {
  readNotebook,
  rerunCells,
  runNotebook,
  writeNotebook,
} from "../../lib/notebook/mod.ts";
import { inFolder } from "../_folder.ts";

const root = new URL("../..", import.meta.url).pathname;
const NOTEBOOKS = join(root, "notebooks");
const names = [...Deno.readDirSync(NOTEBOOKS)].map((e) => e.name)
  .filter((name) => /^[^.]+\.ipynb$/.test(name))
  .map((name) => name.slice(0, -".ipynb".length)).sort();

interface Kept {
  claims: { claim: string; ours: string; verdict: string; why: string }[];
}

const keptAt = async (dir: string, name: string): Promise<Kept | undefined> => {
  try {
    return JSON.parse(
      await Deno.readTextFile(join(dir, `${name}.claims.json`)),
    );
  } catch {
    return undefined;
  }
};

Deno.test("on the committed records every notebook comes to the committed verdicts and trains nothing", () =>
  inFolder(async (dir) => {
    await cp(join(root, "results/quick"), dir, { recursive: true });
    for (const name of names) {
      const before = await keptAt(dir, name);
      const printed: string[] = [];
      const { ok, error } = await runNotebook(
        join(NOTEBOOKS, `${name}.ipynb`),
        {
          parameters: { outDir: dir },
          out: join(dir, `${name}.ipynb`),
          onEvent: (event) => {
            if (event.type === "output") printed.push(event.text);
          },
        },
      );
      assert.ok(ok, `${name}: ${error}`);
      const trained = printed.filter((line) =>
        /trials to run|^trial \d+ of/m.test(line)
      );
      assert.deepEqual(trained, [], name);
      if (before) {
        const facts = ({ claims }: Kept) =>
          claims.map(({ claim, ours, verdict, why }) => ({
            claim,
            ours,
            verdict,
            why,
          }));
        assert.deepEqual(
          facts((await keptAt(dir, name))!),
          facts(before),
          `${name}: other results than the committed ones`,
        );
      }
    }
  }));

/** What is longer than the rest: four studies and ten claims, six studies. */
const LONGER: Record<string, number> = {
  "08-cls-vs-vit": 155,
  "09-efficiency": 136,
  "14-workflow": 136,
  "02-lr-search": 126,
  "00-start-here, trace": 22,
};

Deno.test("a notebook's code is short, and no published number is typed into it", async () => {
  const numbers = new Set<string>();
  for (const entry of Deno.readDirSync(join(root, "data/published"))) {
    if (!entry.name.endsWith(".json")) continue;
    const text = await Deno.readTextFile(
      join(root, "data/published", entry.name),
    );
    // Accuracies in percent, as they would be typed.
    for (const [number] of text.matchAll(/\b\d\d\.\d\d\d?\b/g)) {
      numbers.add(number);
    }
  }
  for (const name of names) {
    const { cells } = await readNotebook(join(NOTEBOOKS, `${name}.ipynb`));
    let lines = 0;
    for (const { cell_type, source, id } of cells) {
      const text = [source].flat().join("");
      if (cell_type === "code") {
        const own = text.split("\n").filter((line) => line.trim()).length;
        lines += own;
        const wide = text.split("\n").find((line) => line.length > 96);
        assert.equal(wide, undefined, `${name}, cell ${id}: over 96 columns`);
        assert.ok(
          own <= (LONGER[`${name}, ${id}`] ?? 18),
          `${name}, cell ${id}: ${own} lines`,
        );
      }
      const typed = (text.match(/\b\d\d\.\d\d\d?\b/g) ?? [])
        .filter((number) => numbers.has(number));
      assert.deepEqual(typed, [], `${name}, cell ${id}: published numbers`);
      assert.doesNotMatch(text, /"touches"/, `${name}, cell ${id}`);
    }
    const most = LONGER[name] ?? 125;
    assert.ok(lines <= most, `${name}: ${lines} lines of code, over ${most}`);
  }
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
      await cp(join(NOTEBOOKS, `${edit.notebook}.ipynb`), file);
      const parameters = { profile: "smoke", outDir: join(dir, "records") };
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

Deno.test("15: the template holds for a study of one parameter", () =>
  inFolder(async (dir) => {
    const nb = await readNotebook(join(NOTEBOOKS, "15-your-own-study.ipynb"));
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
  }));
