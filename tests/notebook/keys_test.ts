/** Which cells an edit of a module, a data file or a cell makes stale. */
import assert from "node:assert/strict";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { cellGraph } from "../../lib/notebook/mod.ts";
import {
  type CellKey,
  CellKeys,
  keptKey,
} from "../../lib/notebook/code/keys.ts";
import { code, withFiles } from "./_notebook.ts";

/** A small library: its door, what stands behind it, and what nobody uses. */
const LIBRARY: Record<string, string> = {
  "deno.json": `{ "imports": { "lab": "./lib/lab.ts", "p": "npm:p@1" } }`,
  "lib/lab.ts": `export * from "./charts/mod.ts";
    export { run as study, type Study } from "./study.ts";
    import { noise } from "./noise.ts";
    import { type Study } from "./types.ts";
    export { noise, noise as sd };
    export * as statistics from "./statistics.ts";
    export { default as fit } from "./fit.ts";
    export { published } from "./published.ts";
    export const start = (of: Study) => start.name;`,
  "lib/charts/mod.ts": `export { forest } from "./forest.ts";
    export * from "./map.ts";`,
  "lib/charts/forest.ts": `import { frame } from "./frame.ts";
    export const forest = () => frame;`,
  "lib/charts/map.ts": `import { frame } from "./frame.ts";
    export function map() { return frame; }`,
  "lib/charts/frame.ts": `export const frame: number = 1;`,
  "lib/study.ts": `import type { Study } from "./types.ts";
    import { noise } from "./lab.ts"; // and lab imports this: a circle
    export const run = (s: Study) => noise(s);`,
  "lib/noise.ts": `import table from "./table.json" with { type: "json" };
    export const noise = (x: unknown) => [x, table];`,
  "lib/table.json": `{ "a": 1 }`,
  "lib/types.ts": `export interface Study { name: string }`,
  "lib/statistics.ts": `export * from "./mean.ts"; export * from "./sd.ts";`,
  "lib/mean.ts": `export const mean = 1;`,
  "lib/sd.ts": `export const sd = 1;`,
  "lib/fit.ts": `const lazy = () => import("./lazy.ts");
    const worker = import.meta.resolve("./worker.ts");
    export default () => [lazy, worker];`,
  "lib/lazy.ts": `export const lazy = 1;`,
  "lib/worker.ts": `import "./polyfill.ts";`,
  "lib/polyfill.ts": `globalThis.name = "x";`,
  "lib/published.ts": `import { readFile } from "node:fs/promises";
    const FOLDER = new URL("../data/", import.meta.url);
    export const published = (id: string) =>
      readFile(new URL(\`\${id}.json\`, FOLDER), "utf8");`,
  "data/depth-test.json": `[1]`,
  "data/eps.json": `[2]`,
  "data/lr-depth4.json": `[3]`,
};

const write = async (folder: string, files: Record<string, string>) => {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(`${folder}/${path}`), { recursive: true });
    await writeFile(`${folder}/${path}`, text);
  }
};

const keysOf = (folder: string, cells: string[]) =>
  new CellKeys(cellGraph(cells.map((c) => code(c))), folder).keys;

const differing = (a: CellKey[], b: CellKey[]) =>
  a.flatMap((key, i) => key.all === b[i].all ? [] : [i + 1]);

/** Numbers of the cells that each edit makes stale; the edit is undone. */
async function staleAfter(
  cells: string[],
  edits: Record<string, string | undefined>,
  files: Record<string, string> = {},
): Promise<Record<string, number[]>> {
  const found: Record<string, number[]> = {};
  await withFiles(async (file) => {
    const folder = file(".");
    const all = { ...LIBRARY, ...files };
    await write(folder, all);
    const before = keysOf(folder, cells);
    for (const [path, text] of Object.entries(edits)) {
      if (text === undefined) await rm(`${folder}/${path}`);
      else await write(folder, { [path]: text });
      found[path] = differing(before, keysOf(folder, cells));
      await write(folder, { [path]: all[path] });
    }
    assert.deepEqual(keysOf(folder, cells), before);
  });
  return found;
}

Deno.test("a cell is stale when the code behind a name that it uses has changed", async () => {
  const cells = [
    `import { fit, forest, map, noise, published, sd, start, statistics, study }
       from "lab";`,
    `const trials = study({ name: "a" });`,
    `forest()`,
    `map(trials)`,
    `statistics.mean`,
    `statistics["sd"]; statistics.gone`,
    `const draw = () => forest();`,
    `draw()`,
    `sd(1)`,
    `fit()`,
    `start`,
    `"alone"`,
  ];
  assert.deepEqual(
    await staleAfter(cells, {
      "lib/charts/forest.ts": `export const forest = () => 2;`,
      "lib/charts/map.ts": `export function map() { return 2; }`,
      "lib/charts/frame.ts": `export const frame: number = 2;`,
      "lib/study.ts": `export const run = (s: { name: string }) => s;`,
      "lib/noise.ts": `export const noise = (x: unknown) => x;`,
      "lib/table.json": `{ "a": 2 }`,
      "lib/types.ts": `export interface Study { id: number }`,
      "lib/mean.ts": `export const mean = 2;`,
      "lib/sd.ts": `export const sd = 2;`,
      "lib/lazy.ts": `export const lazy = 2;`,
      "lib/polyfill.ts": `globalThis.name = "y";`,
      "lib/fit.ts": `export default 1;`,
      "lib/charts/mod.ts": `export { map as forest } from "./map.ts";
        export { forest as map } from "./forest.ts";`,
    }),
    {
      "lib/charts/forest.ts": [3, 7, 8],
      "lib/charts/map.ts": [4],
      "lib/charts/frame.ts": [3, 4, 7, 8],
      "lib/study.ts": [2, 4],
      "lib/noise.ts": [2, 4, 9],
      "lib/table.json": [2, 4, 9],
      "lib/types.ts": [],
      "lib/mean.ts": [5, 6], // a name that is not there may be anything
      "lib/sd.ts": [6],
      "lib/lazy.ts": [10],
      "lib/polyfill.ts": [10],
      "lib/fit.ts": [10],
      "lib/charts/mod.ts": [3, 4, 7, 8],
    },
  );
});

Deno.test("of a module comments, layout and types do not count, nor what it passes on", async () => {
  const cells = [`import { forest, start } from "lab";`, `forest()`, `start`];
  const lab = LIBRARY["lib/lab.ts"];
  const forest = (text: string) => ({ "lib/charts/forest.ts": text });
  const imports = `import { frame } from "./frame.ts";`;
  const same = [
    `// why\n${imports}\n\n/** a doc */ export const forest = () =>\n  frame;`,
    `${imports} interface A { a: 1 } export const forest = (): number => frame`,
    `import {frame} from './frame.ts'; export const forest = () => (frame);`,
    `import type { Study } from "../types.ts"; ${imports}
       export const forest = () => frame as unknown as Study;`,
    `import { Study } from "../types.ts"; ${imports}
       export const forest = (): Study => frame as unknown as Study;`,
  ];
  for (const text of same) {
    const path = "lib/charts/forest.ts";
    assert.deepEqual((await staleAfter(cells, forest(text)))[path], [], text);
  }
  const other = [
    `${imports} export const forest = () => { return\nframe; };`,
    `import { other as frame } from "./frame.ts"; export const forest = () => frame;`,
    `${imports} export const forest = () => frame + "//";`,
    `${imports} export const forest = () => frame + /a/g;`,
    `${imports} export const forest = () => ;`,
    `${imports} console.log("loaded"); export const forest = () => frame;`,
    `${imports} enum Mode { A } export const forest = () => frame;`,
  ];
  for (const text of other) {
    const path = "lib/charts/forest.ts";
    assert.deepEqual((await staleAfter(cells, forest(text)))[path], [2], text);
  }
  const doors: [string, number[]][] = [
    [`${lab} export * from "./lazy.ts";`, []],
    [`${lab} export const later = 1;`, []],
    [`${lab} console.log("loaded");`, [2, 3]],
    [`import "./polyfill.ts"; ${lab}`, [2, 3]],
    [`${lab} export const = 1;`, [2, 3]], // it cannot be read
    [`${lab} export { sd as forest } from "./sd.ts";`, [2]], // goes over a star's
    [`${lab} export * from "./clash.ts";`, [2]], // two stars give one name
  ];
  for (const [text, stale] of doors) {
    const files = { "lib/clash.ts": `export const forest = 1;` };
    const found = await staleAfter(cells, { "lib/lab.ts": text }, files);
    assert.deepEqual(found["lib/lab.ts"], stale, text);
  }
});

Deno.test("of a module those statements count that a name leads to, and those that act when it is loaded", async () => {
  const module =
    `import { mean } from "./mean.ts"; import { sd } from "./sd.ts";
    import * as all from "./statistics.ts";
    const shared = 1; const cache = new Map(); let theme = "light";
    class Base { size() { return shared; } }
    export const one = () => mean + shared;
    export function two() { return sd + (cache.get("a") ?? theme); }
    export function fill() { cache.set("a", "1"); }
    const { paint = (to: string) => { theme = to; } } = {};
    export default class extends Base { mean = all.mean; }
    export { paint, two as second };`;
  const path = "lib/many.ts";
  const cells = [
    `import other, { fill, one, paint, second, two } from "./lib/many.ts";`,
    `one()`,
    `two()`,
    `second()`,
    `fill()`,
    `paint("dark")`,
    `new other()`,
  ];
  const edits: [string, string, number[]][] = [
    ["mean + shared", "mean - shared", [2]],
    ["shared = 1", "shared = 2", [2, 7]],
    ["?? theme", "|| theme", [3, 4]],
    [`"a", "1"`, `"a", "2"`, [3, 4, 5]],
    ["theme = to", "theme = to + 1", [3, 4, 6]],
    ["{ return shared", "{ return 1 + shared", [7]],
    ["all.mean", "all.sd", [7]],
    ["two as second", "one as second", [4]],
    ["export { paint", "globalThis.x = 1; export { paint", [2, 3, 4, 5, 6, 7]],
    ["export { paint", "const y = new Set(); export { paint", []],
    ["export { paint", "const y = start(); export { paint", [2, 3, 4, 5, 6, 7]],
  ];
  for (const [from, to, stale] of edits) {
    const text = module.replace(from, to);
    const found = await staleAfter(cells, { [path]: text }, { [path]: module });
    assert.deepEqual(found[path], stale, `${from} → ${to}`);
  }
  assert.deepEqual(
    await staleAfter(cells, {
      "lib/mean.ts": `export const mean = 2;`,
      "lib/sd.ts": `export const sd = 2;`,
    }, { [path]: module }),
    { "lib/mean.ts": [2, 7], "lib/sd.ts": [3, 4] },
  );
});

Deno.test("a module that cannot be read, or is asked for as a whole, counts with all that it imports", async () => {
  const broken = {
    "lib/charts/mod.ts": `${LIBRARY["lib/charts/mod.ts"]} const = 1;`,
  };
  const edits = { "lib/charts/map.ts": `export const map = 2;` };
  const whole = [
    `import * as charts from "./lib/charts/mod.ts"; charts`,
    `await import("./lib/charts/mod.ts")`,
    `import "./lib/charts/mod.ts";`,
    `import { forest } from "lab"; import * as lab from "lab"; const { map } = lab;`,
    `import * as lab from "lab"; lab.map()`,
    `import { charts } from "./lib/groups.ts"; charts["ma" + "p"]`,
    `import { nothing } from "lab"; nothing`,
  ];
  const none = [
    `import * as charts from "./lib/charts/mod.ts"; charts.forest()`,
    `import * as lab from "lab"; lab.forest()`,
    `import { charts } from "./lib/groups.ts"; charts.forest()`,
    `import type * as lab from "lab"; 1`,
    `import { type map } from "lab"; 1`,
    `import { map } from "lab"; 1`,
  ];
  const files = {
    "lib/groups.ts":
      `import * as charts from "./charts/mod.ts"; export { charts };`,
  };
  for (const [stale, cells] of [[[1], whole], [[], none]] as const) {
    for (const cell of cells) {
      const found = await staleAfter([cell], edits, files);
      assert.deepEqual(found["lib/charts/map.ts"], stale, cell);
    }
  }
  const asked = [`import { forest } from "lab"; forest()`];
  assert.deepEqual(await staleAfter(asked, edits, broken), {
    "lib/charts/map.ts": [1],
  });
});

Deno.test("a file that a cell reads through a module counts, and of a folder the one that it names", async () => {
  const cells = [
    `import { published, forest } from "lab";`,
    `const paper = await published("depth-test");`,
    `paper.length`,
    `await published("eps")`,
    `const lr = await published(\`lr-depth\${2 + 2}\`);`,
    `const id = "eps";`,
    `published(id)`,
    `published(prompt()!)`,
    `forest()`,
  ];
  const edits = {
    "data/depth-test.json": `[]`,
    "data/eps.json": undefined,
    "data/lr-depth4.json": `[]`,
    "lib/published.ts": `export const published = 1;`,
  };
  assert.deepEqual(await staleAfter(cells, edits), {
    "data/depth-test.json": [2, 3, 8],
    "data/eps.json": [4, 7, 8],
    "data/lr-depth4.json": [5, 8],
    "lib/published.ts": [2, 3, 4, 5, 7, 8],
  });
  const places = [
    `new URL("./a.txt", import.meta.url)`,
    `import.meta.resolve("./a.txt")`,
    "import.meta.dirname + '/a.txt'",
    "`${import.meta.dirname}/a.txt`",
    `path.join(import.meta.dirname!, "a.txt")`,
    `path.join(import.meta.dirname!, "..", "lib")`, // it holds the module
    `new URL("https://a.b/a.txt", import.meta.url)`,
  ];
  const found = await Promise.all(places.map(async (place) => {
    const files = {
      "lib/r.ts": `export const r = ${place};`,
      "lib/a.txt": "1",
    };
    const read = [`import { r } from "./lib/r.ts"; r`];
    return (await staleAfter(read, { "lib/a.txt": "2" }, files))["lib/a.txt"];
  }));
  assert.deepEqual(found, [[1], [1], [1], [1], [1], [], []]);
});

Deno.test("of the lock file a package counts for the cells that use it", async () => {
  const lock = (p: string, q: string, d: string) =>
    JSON.stringify({
      specifiers: { "npm:p@1": p, "npm:q@1": q },
      npm: {
        [`p@${p}`]: { integrity: p, dependencies: ["d"] },
        [`q@${q}`]: { integrity: q },
        [`d@${d}`]: { integrity: d },
      },
    });
  const cells = [
    `import p from "p"; import { q } from "npm:q@1/sub"; import j from "jsr:@j/j";`,
    `p()`,
    `q()`,
    `j`,
    `1`,
  ];
  const files = { "deno.lock": lock("1.0.0", "1.0.0", "1.0.0") };
  const stale = async (text: string) =>
    (await staleAfter(cells, { "deno.lock": text }, files))["deno.lock"];
  assert.deepEqual(await stale(lock("1.0.1", "1.0.0", "1.0.0")), [2, 4]);
  assert.deepEqual(await stale(lock("1.0.0", "1.0.1", "1.0.0")), [3, 4]);
  assert.deepEqual(await stale(lock("1.0.0", "1.0.0", "1.0.1")), [2, 4]);
  assert.deepEqual(await stale(`${files["deno.lock"]} `), [4]);
  assert.deepEqual(await stale("{"), [2, 3, 4]);
});

Deno.test("an edited cell makes stale what takes its values, not what shares its imports", async () => {
  const cells = [
    `import { forest, study } from "lab"; const grid = [1]; const s = study(grid); s;`,
    `s`,
    `forest()`,
    `grid.length`,
  ];
  const edits: [string, number[]][] = [
    [cells[0].replace("grid = [1]", "grid = [2]"), [1, 2, 4]],
    [cells[0].replace("forest,", "forest, map,"), [1]],
    [`// the study\n${cells[0]}`, [1]],
    [cells[0].replace("study }", "noise as study }"), [1, 2, 4]],
    [cells[0].replace("{ forest,", "{ map as forest,"), [1, 3]],
    [cells[0].replace("s;", "study(grid);"), [1, 2, 3, 4]], // it may do anything
  ];
  await withFiles(async (file) => {
    const folder = file(".");
    await write(folder, LIBRARY);
    const before = keysOf(folder, cells);
    for (const [cell, stale] of edits) {
      const after = keysOf(folder, [cell, ...cells.slice(1)]);
      assert.deepEqual(differing(before, after), stale, cell);
    }
    // A theme that is set beside the imports counts for all that draw.
    const themed = (t: string) => [
      `import { forest, study } from "lab"; study({ theme: ${t} });`,
      `forest()`,
      `1`,
    ];
    assert.deepEqual(
      differing(keysOf(folder, themed("1")), keysOf(folder, themed("2"))),
      [1, 2],
    );
    for (const key of before) assert.deepEqual(keptKey({ key }), key);
  });
});

Deno.test("a module that is deep, long, circular, or none ends nothing", async () => {
  const chain = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [
    `lib/c${i}.ts`,
    `export * from "./c${i + 1}.ts"; import { x } from "./c${i + 1}.ts";`,
  ]));
  const files = {
    ...chain,
    "lib/c300.ts": `export const x = 1; export * from "./c0.ts";`,
    "lib/deep.ts": `export const x = ${"[".repeat(9999)}${"]".repeat(9999)};`,
    "lib/types.ts": `export let x: ${"A<".repeat(9999)}B${">".repeat(9999)};`,
    "lib/device.ts": `export const x = new URL("/dev/zero", import.meta.url);`,
    "deno.json": `{ "imports": { "a": "b", "b": "a" } }`,
  };
  const cells = [
    `import { x } from "./lib/c0.ts"; x`,
    `import { x } from "./lib/deep.ts"; x`,
    `import { x } from "./lib/types.ts"; x`,
    `import { x } from "./lib/device.ts"; x`,
    `import { x } from "a"; x`,
    `import { x } from "./lib"; x`,
    `import { x } from "file:///%00"; x`,
    `const deep = ${"(".repeat(9999)}1${")".repeat(9999)};`,
  ];
  const edits = {
    "lib/c300.ts": `export const x = 2;`,
    "lib/deep.ts": `export const x = ${"[".repeat(9998)}${"]".repeat(9998)};`,
    "lib/types.ts": undefined,
  };
  assert.deepEqual(await staleAfter(cells, edits, files), {
    "lib/c300.ts": [1],
    "lib/deep.ts": [2],
    "lib/types.ts": [3],
  });
});
