/** What is read from a cell's code, and which cells it needs. */
import assert from "node:assert/strict";
import { cellCode, cellGraph } from "../../lib/notebook/mod.ts";
import { syntaxProblem } from "../../lib/notebook/check/cells_as_module.ts";
import { code } from "./_notebook.ts";

/** Each cell's needs as "name:cells", and the names it lacks as "name?". */
const needs = (...cells: (string | ReturnType<typeof code>)[]) =>
  cellGraph(cells.map((c) => typeof c === "string" ? code(c) : c)).map((g) =>
    [
      ...[...g.needs].map(([name, from]) => `${name}:${from.join("+")}`),
      ...g.missing.map((name) => `${name}?`),
    ].sort().join(" ")
  );

Deno.test("every kind of top-level binding is found, and inner ones are not", () => {
  const { defines, uses } = cellCode(`
    import fs, { readFileSync as read } from "node:fs";
    import * as tf from "@tensorflow/tfjs";
    import type { Cell } from "./types.ts";
    let a: number = 1, { b, c: [d = e], ...rest } = source;
    const list = [1].map((inner) => inner + outer);
    for (var v of list) { const w = v; let a = 2; }
    function f<T>(x: T, y = g()): T { const z = x; return z; }
    class K extends L { m() { return this.n + a; } }
    interface I { name: string }
    export const exported = await top as unknown as I;
    label: for (;;) break label;`);
  assert.deepEqual(
    [...defines].sort(),
    "K a b d exported f fs list read rest tf v".split(" "),
  );
  assert.deepEqual([...uses].sort(), "L e g outer source top".split(" "));
});

Deno.test("imports are found, those of types left out, also beside an enum", () => {
  const source = `import a from "./a.ts"; import type { B } from "./b.ts";
    import { type C, d } from "./d.ts";
    const e = await import("./e.ts"), f = await import(name);`;
  const expected = ["./a.ts", "./d.ts", "./e.ts"];
  assert.deepEqual([...cellCode(source).imports], expected);
  const withEnum = cellCode(source + "\nenum Mode { Train, Test }");
  assert.deepEqual([...withEnum.imports], expected);
  assert.deepEqual([...withEnum.defines].sort(), ["Mode", "a", "d", "e", "f"]);
});

Deno.test("a cell that does not parse is told as such", () => {
  assert.match(cellCode("const a = ;").error!, /SyntaxError/);
  assert.match(cellCode("let a; let a;").error!, /a/);
  const deep = `x = ${"(".repeat(9999)}1${")".repeat(9999)}`;
  assert.match(cellCode(deep).error!, /nests too deeply/);
  assert.match(syntaxProblem(deep)!.message, /nests too deeply/);
  assert.equal(cellCode("").error, undefined);
  const exported = cellCode("export { a as b };");
  assert.deepEqual([exported.error, [...exported.uses]], [undefined, ["a"]]);
});

Deno.test("a name's writers are its last definition and the changes after it", () => {
  assert.deepEqual(
    needs(
      `let n = 1; const data = [1], other = new Map();`,
      `let n = 2;`, // defines anew
      `n++;`,
      `data.push(n);`,
      `other.set("k", data);`,
      `for (const x of data) console.log(x); data.map((x) => x); data`,
      `n = n + 1; [data[other.size]] = [5]; other.a.b = 1;`,
      `n + data.length + other.size`,
    ),
    [
      "",
      "",
      "n:2",
      "data:1 n:2+3",
      "data:1+4 other:1",
      "data:1+4",
      "data:1+4 n:2+3 other:1+5",
      "data:1+4+7 n:2+3+7 other:1+5+7",
    ],
  );
});

Deno.test("a call whose result is dropped changes what it is given, unless it shows", () => {
  assert.deepEqual(
    needs(
      `import * as tf from "tf"; import { train } from "./t.ts";`,
      `const model = {}, data = {};`,
      `await train(model, 3);`,
      `console.log(model); show(data); Deno.writeTextFileSync("a", data); tf.tidy(data.x);`,
      `function show(x: unknown) {}`,
      `model`,
      `tf`,
    ).slice(2),
    ["model:2 train:1", "data:2 model:2+3 show? tf:1", "", "model:2+3", "tf:1"],
  );
});

/** Names that the last of these cells changes. */
const changes = (...cells: string[]) =>
  [...cellGraph(cells.map((c) => code(c))).at(-1)!.touches].sort().join();

Deno.test("a value that is shown or taken is read, unless what gives it says that it changes", () => {
  const above = [
    `import { claims, decide, forestChart, openStudy, train } from "ferlab";`,
    `const study = openStudy(); const rows = [], map = new Map(), model = {};`,
    `const rate = 1, optimizer = {}, batches = [], acc = {}, f = (x) => x, g = f;`,
  ];
  const reads = [
    `const trials = await study.run();`,
    `await study.run();`,
    `await study.timeline(rows);`,
    `study.cost(rows)`,
    `await claims(study, [{ claim: "a", published: rows }]);`,
    `decide(rows.find((d) => d > 1), { unless: rows.length < 3 && "few" });`,
    `forestChart({ "each at its best": rows });`,
    `const beaten = (d) => f(rows, d); beaten(2)`,
    `const history = await f(model, rows); history`,
    `rows.map((r) => f(r, acc))`,
    `rows.reduce((sum, r) => { sum[r.k] = r; return sum; }, {})`,
    `const top = [...rows].sort(); const last = rows.slice().reverse(); top`,
    `const low = rows.filter((r) => r < 1); low.sort((a, b) => a - b); low`,
    `const copy = structuredClone(rows); copy.push(1);`,
    `const { length } = rows; let n = rows.length; n++; n`,
    `rows.length > 0 ? f(rows) : g(rows)`,
    `console.log(f(rows), model);`,
  ];
  const writes: [string, string][] = [
    [`rows.push(1)`, "rows"],
    [`rows.sort(); 1`, "rows"],
    [`const sorted = rows.sort();`, "rows"],
    [`map.set("a", rows)`, "map"],
    [`delete model.a;`, "model"],
    [`model.a = 1; model.b.c++;`, "model"],
    [`Object.assign(model, rows)`, "model"],
    [`Object.assign(model.options, rows)`, "model"],
    [`rows[0]++`, "rows"],
    [`rows["push"](1)`, "rows"],
    [`Array.prototype.push.apply(rows, batches); 1`, "rows"],
    [`for (rows[0] of batches);`, "rows"],
    [`for (model.key in acc);`, "model"],
    [`delete model?.a;`, "model"],
    [`map.get("a").push(1)`, "map"],
    [`(map.get("a") ?? []).push(1)`, "map"],
    [`map.get("a").total = 1;`, "map"],
    [`for (const row of rows) row.share = 1;`, "rows"],
    [`for (const [, { list }] of map) list.push(1);`, "map"],
    [`for (const v of Object.values(model)) v.fill(0);`, "model"],
    [`rows.forEach((row) => { row.share = 1; });`, "rows"],
    [`rows.filter(Boolean).map((row) => row.share = 1)`, "rows"],
    [`const first = rows[0]; first.share = 1;`, "rows"],
    [`const { layers: [one] } = model; one.push(1);`, "model"],
    [`await optimizer.step(rows); 1`, "optimizer,rows"],
    [`await optimizer.step(rows);`, "optimizer,rows"],
    [`await train(model, rows);`, "model,rows"],
    [`model.fit(rows)`, "model,rows"],
    [`map.getOrInsert("a", 1); 1`, "map"],
    [`f(model); 1`, "model"],
    [`void f(model); 1`, "model"],
    [`rate && f(model); 1`, "model"],
    [`rate ? f(model) : g(rows); 1`, "model,rows"],
    [`await Promise.all([f(model), g(rows)]); 1`, "model,rows"],
    [`await Promise.all(batches.map((b) => f(model, b))); 1`, "batches,model"],
    [`batches.forEach((b) => f(model, b));`, "batches,model"],
    [`for (const b of batches) await f(model, b);`, "batches,model"],
    [`await study.run(); 1`, "study"],
    [`claims(study); study.cost();`, "study"],
  ];
  for (const cell of reads) assert.equal(changes(...above, cell), "", cell);
  for (const [cell, names] of writes) {
    assert.equal(changes(...above, cell), names, cell);
  }
});

Deno.test("a function brings what its body uses and changes", () => {
  const graph = needs(
    `const data: number[] = [];`,
    `let scale = 2; const scaled = (x: number) => x * scale;`,
    `const add = (x: number) => { data.push(scaled(x)); };`,
    `scale = 3;`,
    `add(1);`,
    `data`,
  );
  assert.equal(graph[4], "add:3 data:1+3 scale:2+4 scaled:2");
  assert.equal(graph[5], "data:1+3+5");
});

Deno.test("names that nothing defines are missing, guarded and global ones are not", () => {
  assert.deepEqual(
    needs(
      `Deno.cwd(); Math.max(1); process.cwd(); typeof maybe === "string";`,
      `nowhere + 1`,
      `globalThis.shared = 1; self["other"] = 2;`,
      `{ a: shared, b: other }`, // an object, as the kernel reads it
    ),
    ["", "nowhere?", "", "other:3 shared:3"],
  );
});

Deno.test("tags and lists count: setup, skip, parameters, touches", () => {
  const changes = code(`mystery()`);
  changes.metadata.ferlab = { touches: ["lr"] };
  assert.deepEqual(
    needs(
      code(`let lr = 1;`, undefined, "parameters"),
      code(`lr = 2;`, undefined, "injected-parameters"),
      code(`Deno.env.set("A", "b")`, undefined, "setup"),
      code(`let lr = 3;`, undefined, "skip"),
      `const mystery = () => 1;`,
      changes,
      `lr`,
    ),
    [
      "",
      "lr:1",
      "",
      "(setup):3",
      "(setup):3",
      "(setup):3 lr:1+2 mystery:5",
      "(setup):3 lr:1+2+6",
    ],
  );
});
