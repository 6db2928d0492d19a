/** The notebooks as their readers find them: results held, code in the open. */
import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { readNotebook, runNotebook } from "../../lib/notebook/mod.ts";
import { folderTest as test } from "../_folder.ts";

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

test("on the committed records every notebook comes to the committed verdicts and trains nothing", async (dir) => {
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
});

/** What is longer than the rest: four studies and ten claims, six studies. */
const LONGER: Record<string, number> = {
  "08-cls-vs-vit": 156,
  "09-efficiency": 137,
  "14-workflow": 137,
  "06-long-runs": 135,
  "01-batch-size": 126,
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
