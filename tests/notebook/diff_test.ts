/** Comparing notebooks and their outputs. */
import assert from "node:assert/strict";
import {
  type Cell,
  compareOutputs,
  diffHtml,
  diffNotebooks,
  type Output,
} from "../../lib/notebook/mod.ts";
import { diffLines } from "../../lib/notebook/check/diff.ts";
import {
  chart,
  code,
  display,
  markdown,
  notebook,
  stream,
} from "./_notebook.ts";

/** What differs between two outputs; undefined when they say the same. */
async function why(a: Output, b: Output, tolerance = 0) {
  return (await compareOutputs([a], [b], tolerance))[0]?.why;
}

Deno.test("numbers in a text are equal within the relative tolerance, words never", async () => {
  const a = stream("accuracy 0.9000 after 10 epochs, conv1: -1e-3 NaN\n");
  const b = stream("accuracy 0.9009 after 10 epochs, conv1: -0.0010001 NaN\n");
  assert.equal(await why(a, b, 1e-3), undefined);
  assert.match(
    (await why(a, b, 1e-4))!,
    /^0\.9000 → 0\.9009 \(relative difference 0\.0010\)$/,
  );
  assert.match((await why(stream("1.0"), stream("2.0"), 0.4))!, /1\.0 → 2\.0/);
  assert.match(
    (await why(stream("a\nconv1 x"), stream("a\nconv2 x"), 0.9))!,
    /^line 2: "conv1 x" → "conv2 x"$/,
  );
  assert.match((await why(stream("NaN"), stream("1"), 0.9))!, /NaN → 1/);
  assert.equal(
    await why(stream("│ 0.5 │"), stream("\x1b[33m│ 0.50001 │\x1b[0m"), 1e-3),
    undefined,
  );
  assert.notEqual(await why(stream("a  b"), stream("a b")), undefined);
});

Deno.test("a stream in pieces is the stream in one", async () => {
  const [a, b] = [[stream("1\n"), stream("2\n")], [stream("1\n2\n")]];
  assert.deepEqual(await compareOutputs(a, b, 0), []);
  const [only] = await compareOutputs(a, [], 0);
  assert.deepEqual([only.index, only.why], [0, "only in the first"]);
});

Deno.test("charts are equal whatever their ids are, and differ by a coordinate", async () => {
  const svg = (text: string) => display("image/svg+xml", text);
  const renamed = chart.replaceAll('clip"', 'z-9"').replace("#clip)", "#z-9)");
  assert.notEqual(renamed, chart);
  assert.equal(await why(svg(chart), svg(renamed)), undefined);
  const path = (d: string) => svg(chart.replace("<g", `<path d="${d}"/><g`));
  const [a, b] = [path("M1.5,20L30,40"), path("M1.5,20L30,40.02")];
  assert.match((await why(a, b))!, /40 → 40\.02/);
  assert.equal(await why(a, b, 1e-3), undefined);
  const fill = (c: string) => svg(chart.replace("<g", `<g fill="${c}"`));
  assert.notEqual(await why(fill("#1f7710"), fill("#1f7711"), 0.5), undefined);
});

Deno.test("images are compared by their pixels", async () => {
  const { default: sharp } = await import("sharp");
  const png = async (value: number, compressionLevel: number) => {
    const raw = { width: 64, height: 64, channels: 3 as const };
    const pixels = new Uint8Array(64 * 64 * 3).fill(100);
    pixels[5] = value;
    const bytes = await sharp(pixels, { raw }).png({ compressionLevel })
      .toBuffer();
    return display("image/png", new Uint8Array(bytes).toBase64());
  };
  const a = await png(100, 0);
  assert.equal(await why(a, await png(100, 9)), undefined);
  const other = await png(151, 9);
  assert.match((await why(a, other))!, /differ by up to 51 of 255/);
  assert.equal(await why(a, other, 0.2), undefined);
  assert.match((await why(a, display("image/png", "QUJD")))!, /cannot be read/);
});

Deno.test("data is compared by value, and an error without its places", async () => {
  const json = (v: unknown) => display("application/json", v);
  assert.equal(
    await why(json({ a: [1, 2], b: "x" }), json({ b: "x", a: [1, 2] })),
    undefined,
  );
  assert.equal(
    await why(json({ a: [1, 2] }), json({ a: [1, 3] })),
    ".a.1: 2 → 3",
  );
  const error = (line: number): Output => ({
    output_type: "error",
    ename: "Error",
    evalue: "bad luck",
    traceback: [`at file:///x.ts:${line}:1`],
  });
  assert.equal(await why(error(1), error(2)), undefined);
  assert.match((await why(error(1), stream("x")))!, /error → stdout/);
});

const names = ({ before, after, kind, moved }: {
  before?: string;
  after?: string;
  kind: string;
  moved: boolean;
}) => [before, after, kind + (moved ? " moved" : "")];

Deno.test("cells are paired by id, then by source, then by likeness", async () => {
  const withId = (id: string, cell: Cell): Cell => ({ ...cell, id });
  const a = notebook(
    withId("a", code("let lr = 1;")),
    markdown("# Old"),
    "const rows = load(lr, depth);\nrows;",
    "gone();",
    code("same();", [stream("1")]),
  );
  const b = notebook(
    markdown("New words here"),
    withId("a", code("entirely(different);")),
    code("same();", [stream("2")]),
    "const rows = load(lr, depth, seed);\nrows;",
  );
  const { equal, cells } = await diffNotebooks(a, b);
  assert.equal(equal, false);
  assert.deepEqual(cells.map(names), [
    [undefined, "markdown cell 1", "added"],
    ["cell 1", "cell 1", "changed"],
    ["markdown cell 1", undefined, "removed"],
    ["cell 4", "cell 2", "changed"],
    ["cell 2", "cell 3", "changed moved"],
    ["cell 3", undefined, "removed"],
  ]);
  assert.deepEqual(cells[3].outputs.map((o) => o.why), [
    "1 → 2 (relative difference 0.50)",
  ]);
  assert.deepEqual(cells[4].source.map(({ sign }) => sign), ["-", "+", " "]);
  const again = await diffNotebooks(a, a);
  assert.ok(again.equal && again.cells.length === 5);
  const sources = notebook(...a.cells.map((c) => ({ ...c, outputs: [] })));
  assert.equal((await diffNotebooks(a, sources)).equal, false);
  assert.ok((await diffNotebooks(a, sources, { outputs: false })).equal);
});

Deno.test("lines that stay are common to both sources", () => {
  const lines = diffLines("a\nb\nc\nd", "b\nx\nd\ne");
  assert.equal(
    lines.map(({ sign, text }) => sign + text).join(" "),
    "-a  b -c +x  d +e",
  );
  const many = (name: string) => `${name}\n`.repeat(1e5);
  assert.equal(diffLines(many("a"), many("b")).length, 2e5 + 2);
});

Deno.test("the page shows both charts side by side with ids of their own and no script", async () => {
  const wide = chart.replace("<g", "<circle r='3'/><script>bad()</script><g");
  const diff = await diffNotebooks(
    notebook(code("<b>plot</b>", [display("image/svg+xml", chart)])),
    notebook(code("<b>plot</b>;", [display("text/html", wide)])),
  );
  const page = await diffHtml(diff, { before: "a<.ipynb", after: "b.ipynb" });
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map((m) => m[1]);
  assert.equal(ids.length, 2);
  assert.notEqual(ids[0], ids[1]);
  assert.match(page, /<div class="pair">(<div>.*<svg.*){2}/s);
  assert.ok(!page.includes("<script") && !page.includes("bad()"));
  assert.ok(!page.includes("<b>plot") && !page.includes("a<.ipynb"));
  assert.ok(!/(src|href)="http|url\(http/.test(page));
});
