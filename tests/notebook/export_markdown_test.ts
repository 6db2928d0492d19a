/** Markdown of a page: pictures, links between cells, formulas. */
import assert from "node:assert/strict";
import { exportHtml } from "../../lib/notebook/mod.ts";
import {
  bodyOf,
  code,
  display,
  filesTest as test,
  markdown,
  notebook,
  shown,
} from "./_notebook.ts";

/** One pixel. */
const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
const URI = `data:image/png;base64,${PNG}`;

test("pictures beside the notebook are part of the page, by any way to write their path", async (file) => {
  await Deno.mkdir(file("nb/bilder"), { recursive: true });
  const bytes = Uint8Array.fromBase64(PNG);
  const names = ["a.png", "../b c.png", "bilder/図.png", "50%.png"];
  for (const name of names) await Deno.writeFile(file(`nb/${name}`), bytes);
  await Deno.writeTextFile(
    file("nb/d.svg"),
    `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>`,
  );
  const sources = [
    "![x](a.png)",
    "![x](./a.png)",
    "![x](<../b c.png>)",
    "![x](../b%20c.png)",
    '![x](a.png "title")',
    "![x][r]\n\n[r]: bilder/図.png",
    "![x](bilder/%E5%9B%B3.png)",
    "![x](50%.png)",
    "![x](a.png?raw=true)",
    '<img src="a.png" alt="x">',
    "text <IMG SRC='../b%20c.png' alt=x width=20> text",
    "![x](attachment:a.png)",
    '<img src="attachment:a%20b.png" alt="x">',
  ];
  const attachments = {
    "a.png": { "image/png": PNG },
    "a b.png": { "image/png": PNG },
  };
  const warnings: string[] = [];
  const options = {
    file: file("nb/n.ipynb"),
    warn: (w: string) => warnings.push(w),
  };
  const cells = sources.map((s) => ({ ...markdown(s), attachments }));
  for (const cell of cells) {
    const html = bodyOf(await exportHtml(notebook(cell), options));
    assert.ok(/src="([^"]*)"/i.exec(html)?.[1] === URI, cell.source);
  }
  const rest = [
    markdown("![x](d.svg)"),
    code("0", [display("text/markdown", "![x](a.png)")]),
    code("0", [display("text/html", "<img src=a.png>")]),
  ];
  const html = bodyOf(await exportHtml(notebook(...rest), options));
  assert.equal(html.match(/<img src="data:image\/(png|svg\+xml);/g)?.length, 3);
  assert.deepEqual(warnings, []);
});

test("a picture that is missing is a note in the page and a warning with its cell", async (file) => {
  await Deno.writeTextFile(file("secret.png"), "password = 1");
  const warnings: string[] = [];
  const html = bodyOf(
    await exportHtml(
      notebook(
        markdown("# T"),
        markdown(
          "![x](./no.png) ![x](attachment:no.png) ![x](secret.png) ![x](.)",
        ),
        code("0", [display("text/html", `<img src="no%20thing.png">`)]),
        markdown('<img src="gone.png"> ![far](https://a.example/b.png)'),
      ),
      { file: `${file(".")}/n.ipynb`, warn: (w) => warnings.push(w) },
    ),
  );
  assert.deepEqual(warnings, [
    "markdown cell 2: picture ./no.png: no such file",
    "markdown cell 2: picture no.png: the cell has no such attachment",
    "markdown cell 2: picture secret.png: not a picture",
    "markdown cell 2: picture .: no such file",
    "cell 1: picture no thing.png: no such file",
    "markdown cell 3: picture gone.png: no such file",
  ]);
  assert.equal(html.match(/class="missing"/g)?.length, 6);
  assert.match(html, />Picture \.\/no\.png: no such file</);
  assert.match(html, /<a href="https:\/\/a\.example\/b\.png">far<\/a>/);
  assert.doesNotMatch(html, /<img|cGFzc3dvcmQ/);
});

Deno.test("links lead to headings and to places of other cells, as Jupyter and GitHub write them", async () => {
  const html = await shown(
    markdown('# My Title\n\n<a id="here"></a> <a name="Old place">x</a>'),
    markdown(
      "## Loss: train & test\n\n[1](#here) [2](#My-Title) [3](#my-title)\n\n" +
        "[4](#Loss:-train-&-test) [5](#loss-train--test) [6](#loss-train-test) " +
        "[7](<#Old place>) [8](#%E4%B8%AD) [9](#nowhere) [10](#cell--1)\n\n# 中",
    ),
    markdown('<b id="here">own</b> [11](#here) <a href="#My-Title">12</a>'),
    code("0", [display("text/markdown", "# My Title\n\n[13](#My-Title)")]),
  );
  const ids = new Set([...html.matchAll(/\sid="([^"]*)"/g)].map((m) => m[1]));
  const links = Object.fromEntries(
    [...html.matchAll(/<a href="#([^"]*)">(\d+)<\/a>/g)]
      .map(([, to, name]) => [name, to]),
  );
  assert.deepEqual(links, {
    1: "md1--here",
    2: "my-title",
    3: "my-title",
    4: "loss-train-test",
    5: "loss-train-test",
    6: "loss-train-test",
    7: "md1--Old place",
    8: "中",
    9: "nowhere",
    10: "cell--1",
    11: "md2--here",
    12: "my-title",
    13: "out1--my-title",
  });
  for (const [name, to] of Object.entries(links)) {
    assert.equal(ids.has(to), name !== "9", name);
  }
});

Deno.test("bare environments and formulas over several lines are formulas", async () => {
  const formulas = async (source: string) => {
    const html = await shown(markdown(source));
    return html.match(/<math /g)?.length ?? 0;
  };
  const cases: [string, number][] = [
    ["\\begin{align}\na &= b \\\\\n- c &= d\n\\end{align}", 1],
    ["text\n\\begin{equation*}\nx\n\\end{equation*}\nmore", 1],
    ["see \\begin{pmatrix}1 & 2\\end{pmatrix} here", 1],
    ["\\begin{eqnarray}a &=& b\\end{eqnarray}", 1],
    ["$$\n\\begin{cases}a\\\\b\\end{cases}\n$$", 1],
    ["so $a +\nb$ is", 1],
    ["so $a\n+ b$ is", 1],
    ["so $a\n- b\n= c$ is", 1],
    ["> so $a\n> + b$ is", 1],
    ["it costs $5:\n- a for $6", 0],
    ["`$a`\n+ b$", 0],
    ["`\\begin{align}x\\end{align}`", 0],
    ["    \\begin{align}x\\end{align}", 0],
    ["\\begin{verbatim}x\\end{verbatim}", 0],
    ["\\begin{align}x", 0],
  ];
  for (const [source, count] of cases) {
    assert.equal(await formulas(source), count, source);
  }
  const html = await shown(markdown("it costs $5:\n- a\n- b"));
  assert.match(html, /<li>a<\/li>/);
  assert.doesNotMatch(
    await shown(markdown("\\begin{eqnarray}a &=& b\\end{eqnarray}")),
    /katex-error|var\(--bad\)/,
  );
});

Deno.test("what a cell holds cannot pass for what the page writes", async () => {
  const marks = "&#xE000;0&#xE000; \uE0000\uE000";
  const html = await shown(
    markdown(`# T\n\n<b>${marks}</b> $x$ <a id="${marks}">a</a>`),
    markdown("<p id=a></p><p id=a></p><p id=A></p>"),
  );
  const ids = [...html.matchAll(/\sid="([^"]*)"/g)].map((m) => m[1]);
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(html.match(/<math /g)?.length, 1);
});
