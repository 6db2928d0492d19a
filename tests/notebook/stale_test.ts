/** What makes a cell stale, and what does not. */
import assert from "node:assert/strict";
import {
  notebookStatus,
  readNotebook,
  rerunCells,
  writeNotebook,
} from "../../lib/notebook/mod.ts";
import { code, errorOf, notebook, withFolder } from "./_notebook.ts";

const NUMBERS = ["1", "2", "3", "4", "5"];

/** States of a file's cells: "2 stale: its source". */
async function states(file: string): Promise<string[]> {
  return (await notebookStatus(file)).cells.map((c) =>
    `${c.number} ${c.state}${c.why.length ? `: ${c.why.join(", ")}` : ""}`
  );
}

Deno.test("each cause makes the right cells stale and is told, and only those", async () => {
  await withFolder(async (_, file) => {
    const write = (name: string, text: string) =>
      Deno.writeTextFile(file(name), text);
    await write("deno.json", `{ // the map\n"imports": { "lab/": "./lib/" } }`);
    await write("deno.lock", "{}");
    await Deno.mkdir(file("lib"));
    await write("lib/a.ts", `export { two } from "./b.ts";`);
    await write("lib/b.ts", `export const two: number = 2;`);
    await write("x.csv", "1\n");
    const load = code(
      `const rows = Deno.readTextFileSync("x.csv").split("\\n");`,
    );
    load.metadata.ferlab = { data: ["*.csv"] };
    const cells = [
      code(`let lr = 1;`, undefined, "parameters"),
      code(`import { two } from "lab/a.ts";`),
      load,
      code(`const sum = lr + two;`),
      code(`console.log("alone");`),
    ];
    await writeNotebook(file("a.ipynb"), notebook(...cells));
    const never = NUMBERS.map((n) => `${n} never run`);
    assert.deepEqual(await states(file("a.ipynb")), never);
    const ran = await rerunCells(file("a.ipynb"), { cells: NUMBERS });
    assert.equal(ran.error, undefined);
    assert.equal(ran.out, file("a.executed.ipynb"));

    const fresh = NUMBERS.map((n) => `${n} fresh`);
    const expect = async (changed: Record<number, string>) => {
      const expected = fresh.map((f, i) =>
        changed[i + 1] ? `${i + 1} stale: ${changed[i + 1]}` : f
      );
      assert.deepEqual(await states(file("a.ipynb")), expected);
      assert.deepEqual(await states(file("a.executed.ipynb")), expected);
    };
    await expect({});

    await write("lib/b.ts", `export const two: number = 3;`);
    await expect({ 2: "module lib/b.ts", 4: "upstream cell 2" });
    await write("lib/b.ts", `export const two: number = 2;`);
    await expect({});

    await write("x.csv", "1\n2\n");
    await expect({ 3: "data" });
    await write("y.csv", "");
    await expect({ 3: "data" });
    await rerunCells(file("a.ipynb"), { cells: "stale" });
    await expect({});

    cells[0].source = `let lr = 2;`;
    await writeNotebook(file("a.ipynb"), notebook(...cells));
    await expect({ 1: "its source", 4: "upstream cell 1" });
    const again = await rerunCells(file("a.ipynb"), { cells: "stale" });
    assert.deepEqual(again.asked, [1, 4]);
    await expect({});

    const done = await readNotebook(file("a.executed.ipynb"));
    const injected = code(`lr = 5;`, undefined, "injected-parameters");
    done.cells.splice(1, 0, injected);
    await writeNotebook(file("a.executed.ipynb"), done);
    assert.deepEqual(await states(file("a.ipynb")), [
      "1 fresh",
      "2 never run",
      "3 fresh",
      "4 fresh",
      "5 stale: a parameter, upstream cell 2",
      "6 fresh",
    ]);
  });
});

Deno.test("the lock file counts for packages, Deno's version for all, a damaged key is a miss", async () => {
  await withFolder(async (_, file) => {
    await Deno.writeTextFile(
      file("deno.json"),
      `{ "imports": { "p": "npm:p@1" } }`,
    );
    await Deno.writeTextFile(file("deno.lock"), "{}");
    await writeNotebook(
      file("a.ipynb"),
      notebook(
        code(`try { await import("p"); } catch { /* not there */ }`),
        code(`1`),
        code(`throw new Error("no")`),
        code(`throw new Error("yes")`, undefined, "raises-exception"),
      ),
    );
    const cells = ["2", "4"];
    await rerunCells(file("a.ipynb"), { cells });
    const failed = await rerunCells(file("a.ipynb"), { cells: ["3"] });
    assert.match(failed.error!, /a\.ipynb cell 3 \(line 1\): no$/);
    const done = await readNotebook(file("a.executed.ipynb"));
    errorOf(done.cells[2]);
    const after = ["1 never run", "2 fresh", "3 failed", "4 fresh"];
    assert.deepEqual(await states(file("a.ipynb")), after);

    const keyOf = (i: number) =>
      (done.cells[i].metadata.ferlab as { key: Record<string, string> }).key;
    const told = async (change: () => void) => {
      change();
      await writeNotebook(file("a.executed.ipynb"), done);
      return (await states(file("a.ipynb")))[1];
    };
    const good = structuredClone(keyOf(1));
    const set = (key: unknown) => done.cells[1].metadata.ferlab = { key };
    for (
      const bad of [7, [], {}, { ...good, all: 1 }, { ...good, deno: "1" }]
    ) {
      assert.equal(await told(() => set(bad)), "2 stale: its key is damaged");
    }
    const none = "2 stale: no key was kept when it ran";
    assert.equal(await told(() => done.cells[1].metadata = {}), none);
    assert.equal(good.deno, Deno.version.deno);
    assert.equal("lock" in good, false);
  });
});
