/** The exported page: what it shows, and what cannot be in it. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import {
  changesOf,
  checkNotebooks,
  collectProvenance,
  exportHtml,
  indexHtml,
  type Output,
  readNotebook,
  readReport,
  withLinks,
  writeNotebook,
} from "../../lib/notebook/mod.ts";
import {
  bodyOf,
  chart,
  code,
  display,
  failure,
  filesTest as test,
  markdown,
  nb,
  notebook,
  save,
  shown,
  stream,
} from "./_notebook.ts";

const page = (...outputs: Output[]) =>
  exportHtml(notebook(code("show()", outputs)));
const html = (markup: string) => page(display("text/html", markup));

Deno.test("no script, handler, frame or form survives", async () => {
  const text = bodyOf(
    await html(`<script>a()</script><SCRIPT src=x></SCRIPT>
    <img src=x onerror=b()><a href="javascript:c()">d</a>
    <a href="java&#115;cript:c()">d</a><svg onload=e()><script>f()</script>
    <animate attributeName=href values="javascript:g()"/>
    <foreignObject><iframe srcdoc="<script>h()</script>"></iframe></foreignObject>
    </svg><form action="/x"><input autofocus onfocus=i()><button>j</button></form>
    <iframe src="data:text/html,k"></iframe><object data=l></object>
    <math><mtext><script>m()</script></mtext></math><base href="//n/">
    <p title="</p><script>o()</script>">kept</p>
    <noscript><p title="</noscript><img src=x onerror=p()>"></noscript>`),
  );
  assert.doesNotMatch(
    text,
    /<(script|iframe|object|form|input|button|base|animate|foreignobject)\b/i,
  );
  assert.doesNotMatch(text, /<[^>]*\son\w+\s*=/i);
  assert.doesNotMatch(text, /(href|src)="[^"]*(script|data:text)/i);
  assert.match(text, />kept<\/p>/);
});

Deno.test("nothing in the page loads from elsewhere", async () => {
  const text = await page(
    display(
      "text/html",
      `<img src="https://a.example/x.png" srcset="https://a.example/y 2x">
      <div style="background: url(https://a.example/z)">1</div>
      <div style="background: url(https://a.example/open">2</div>
      <div style="background: u\\72l(https://a.example/esc)">3</div>
      <div style="background: image-set('https://a.example/w' 1x)">4</div>
      <style>@import "https://a.example/s.css"; .kept { color: red }</style>
      <style>.x { background: url(//a.example/t) }</style>
      <svg><image href="https://a.example/i"/><use href="https://a.example/u#a"/>
      <style>.y { fill: url&#40;https://a.example/v) }</style>
      <rect fill="url(https://a.example/f#a)"/></svg>
      <link rel=stylesheet href="https://a.example/l"><video src="//a.example/m">
      <meta http-equiv=refresh content="0;url=https://a.example/n">`,
    ),
    display(
      "image/svg+xml",
      `<svg><image xlink:href="http://a.example/"/></svg>`,
    ),
  );
  // A link in a picture's place loads nothing before it is followed.
  const loaded = text.replace(/Picture <a href="[^"]*">[^<]*<\/a>/g, "");
  assert.doesNotMatch(loaded, /a\.example/);
  assert.doesNotMatch(text, /@import|\ssrc="(?!data:)|<link/);
  assert.match(text, /\.kept\{color:red;\}/);
  assert.match(
    text,
    /http-equiv="Content-Security-Policy" content="default-src 'none'; /,
  );
  const script = /<script>([^]*?)<\/script>/.exec(text)![1];
  const hash = createHash("sha256").update(script).digest("base64");
  assert.ok(text.includes(`script-src 'sha256-${hash}'; `));
});

Deno.test("what a page does not load of an output is told", async () => {
  const html = `<img src="https://x.invalid/a.png"><img src="/b.png">` +
    `<svg><image href="https://x.invalid/c.png"/></svg><iframe src="d"></iframe>` +
    `<video src="e.mp4"><track></video><object data="f"></object>`;
  const page = await exportHtml(
    notebook(code("0", [display("text/html", html)]), markdown(html)),
    { file: "/x/a.ipynb" },
  );
  const notes = [
    /Picture <a href="https:\/\/x\.invalid\/a\.png">/g,
    /Picture [^<]*b\.png: not in this page/g,
    /Left out, since this page loads nothing: a picture, 2 frames, a video\./g,
  ];
  for (const note of notes) {
    assert.equal(page.match(note)?.length, 2, `${note}`);
  }
});

Deno.test("a link to elsewhere stays a link", async () => {
  const text = await html(`<a href="https://a.example/paper" target=x>p</a>`);
  assert.match(text, /<a href="https:\/\/a\.example\/paper">p<\/a>/);
});

Deno.test("ids of two outputs with the same ids are unique, and each refers to its own", async () => {
  const text = await shown(
    markdown("# Clip\n\n## Clip\n\n## Clip"),
    code("a", [display("text/html", chart), display("text/html", chart)]),
    code("b", [display("image/svg+xml", chart)]),
    code("c", [display("text/markdown", "## Clip")]),
  );
  const ids = [...text.matchAll(/\sid="([^"]*)"/g)].map((m) => m[1]);
  assert.equal(new Set(ids).size, ids.length);
  const clips = ids.filter((id) => id.endsWith("--clip") && id < "out4");
  assert.equal(clips.length, 3);
  for (const id of clips) {
    assert.match(text, new RegExp(`clip-path="url\\(#${id}\\)"`));
    assert.match(text, new RegExp(`href="#${id}"`));
  }
  assert.match(text, /viewBox="0 0 9 9"/);
  assert.match(text, /<clipPath /);
});

Deno.test("a style sheet of an output stays within it", async () => {
  const css = async (sheet: string) =>
    bodyOf(await html(`<style>${sheet}</style><p>kept</p>`));
  assert.match(
    await css(".a { color: red }"),
    /<style>@scope \(\.out1--\) \{\.a\{color:red;\}\}<\/style>/,
  );
  for (
    const out of [
      "} body { display: none } .a {",
      ".a { b: url(#{) } } body { display: none }",
      `.a { b: "{\n } } body { display: none }`,
      ".a { position: fixed }",
    ]
  ) assert.doesNotMatch(await css(out), /<style>/, out);
});

Deno.test("open tags of an output end with it", async () => {
  const text = await shown(
    code("a", [display("text/html", "<div><table><tr><td><b>open")]),
    code("b", [stream("after")]),
  );
  for (const tag of ["div", "table", "td", "b", "section"]) {
    const count = (pattern: string) =>
      text.match(new RegExp(pattern, "g"))?.length;
    assert.equal(count(`<${tag}[ >]`), count(`</${tag}>`), tag);
  }
});

Deno.test("progress bars and colours look as on a terminal", async () => {
  const text = bodyOf(
    await page(
      stream("10%\r50%"),
      stream("\r100%\nlong line\rshort\x1b[K\n"),
      stream("one\ntwo\x1b[1A\rONE\x1b[1B\x1b[2Kthree\x1b[3"),
      stream("1mred <b>\x1b[0m \x1b[38;5;208mx\x1b[38;2;1;2;3my\x1b[39mz"),
      stream("\n\x1b(B\x1b]8;;https://a.example\x07link\x1b]8;;\x07 a\bb"),
      stream(
        "\n\x1b[7;32mon\x1b[27m \x1b[48;2;0;0;0mblack\x1b[0m\x1b[9999999Cend",
      ),
    ),
  );
  assert.match(
    text,
    />100%\nshort\nONE\n {3}three<span class="a-f1">red &#60;b&#62;<\/span> /,
  );
  assert.match(text, /color:light-dark\(#[0-9a-f]{6},#ff8700\)">x</);
  assert.match(text, /color:light-dark\(#010203,#[0-9a-f]{6}\)">y<\/span>z/);
  assert.match(text, /\n<a href="https:\/\/a\.example">link<\/a> b\n/);
  assert.match(text, /<span class="a-g2">on<\/span>/);
  assert.match(text, /background:#000000;color:#ffffff">black</);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(text, /\x1b|50%|one|two/);
  assert.ok(text.length < 12_000);
});

Deno.test("formulas bring the fonts they use, and prices stay text", async () => {
  const text = await exportHtml(notebook(markdown(
    "Rate $\\eta_0 = 10^{-3}$, from $5 to $6.\n\n$$\n\\sum_i x_i\n$$\n\n" +
      "`$a$` and \\$b\\$",
  )));
  assert.equal(text.match(/<math /g)?.length, 2);
  assert.match(text, /<div class="math"[^>]*>.*<math [^>]*display="block"/);
  assert.match(text, /from \$5 to \$6\./);
  assert.match(text, /<code>\$a\$<\/code> and \$b\$/);
  const fonts = [...text.matchAll(/@font-face\{font-family:(\w+)/g)];
  assert.deepEqual(fonts.map((m) => m[1]).sort(), [
    "KaTeX_Main",
    "KaTeX_Math",
    "KaTeX_Size2",
  ]);
  assert.doesNotMatch(await exportHtml(notebook(markdown("$5"))), /KaTeX_/);
});

Deno.test("code is coloured for the light and the dark theme", async () => {
  const text = await exportHtml(notebook(
    code("const n: number = 1; // <b>", []),
    markdown("```python\ndef f(): pass\n```\n\n```nosuch\nplain\n```"),
  ));
  const name = /<span class="(k\d+)">const ?</.exec(text)![1];
  assert.match(
    text,
    new RegExp(`\\.${name}\\{color:light-dark\\(#\\w{6},#\\w{6}\\)\\}`),
  );
  assert.match(text, />def ?</);
  assert.match(text, /plain/);
  assert.match(text, /color-scheme: light dark/);
  assert.doesNotMatch(bodyOf(text), /<b>/);
});

Deno.test("the contents lists the sections, with links that lead there", async () => {
  const text = await exportHtml(notebook(
    markdown("# The `study` & more\n\n## First"),
    markdown("## Second\n\n### Détail $x$\n\n#### Deeper"),
  ));
  assert.match(text, /<title>The study &#38; more<\/title>/);
  const links = [...text.matchAll(/<li class="l(\d)"><a href="#([^"]*)">/g)];
  assert.deepEqual(
    links.map((m) => [m[1], m[2]]),
    [["2", "first"], ["2", "second"], ["3", "détail-x"]],
  );
  for (const [, , id] of links) assert.ok(text.includes(` id="${id}"`), id);
});

Deno.test("a failed run is told at the top, and the cells after it are not run", async () => {
  const text = await shown(
    code("fine()", [stream("1")]),
    code("fail()", [
      failure("TypeError", "no <data>", "\x1b[31mTypeError\x1b[0m: no <data>"),
    ]),
    code("never()"),
  );
  assert.match(
    text,
    /<b>The run failed<\/b> in <a href="#cell--2">cell 2<\/a>: TypeError: no &#60;data&#62;/,
  );
  assert.ok(text.includes(`id="cell--2"`));
  assert.match(
    text,
    /<div class="box failed"><a [^>]*>2<\/a><details class="code" open>/,
  );
  assert.equal(text.match(/>not run</g)?.length, 1);
  assert.doesNotMatch(await exportHtml(notebook(code("a", []))), /run failed/);
});

Deno.test("images, JSON and attachments are part of the page", async () => {
  const text = await exportHtml(notebook(
    {
      ...markdown("![a](attachment:a%20b.png) ![far](https://a.example/f.png)"),
      attachments: { "a b.png": { "image/png": "QUJD" } },
    },
    code("a", [
      display("image/png", "iVBO\nRw0K"),
      display("application/json", { x: [1] }),
    ]),
  ));
  assert.match(text, /<img src="data:image\/png;base64,QUJD" alt="a">/);
  assert.match(text, /<a href="https:\/\/a\.example\/f\.png">far<\/a>/);
  assert.match(text, /src="data:image\/png;base64,iVBORw0K"/);
  assert.match(text, /&quot;x&quot;|"x"|&#34;x&#34;|&#x22;x/);
});

Deno.test("markdown keeps harmless HTML, its formulas and its links", async () => {
  const text = await shown(
    markdown("# Top"),
    markdown(
      "## Part $y$\n\nH<sub>2</sub>O $x^2$ [up](#top) [own](#here)\n\n" +
        `<b id="here">b</b> <a href="#top">c</a>`,
    ),
    markdown("<script>a()</script> [b](javascript:c()) <i onclick=d()>e</i>"),
  );
  assert.match(text, /<h2 id="part-y" class="h2">/);
  assert.match(text, /H<sub>2<\/sub>O <span class="katex">/);
  assert.match(text, /href="#top">up<.*href="#md1--here">own</);
  assert.match(text, /<b id="md1--here">b<\/b> <a href="#top">c</);
  assert.match(text, /<i>e<\/i>/);
  assert.doesNotMatch(text, /<script|onclick|href="javascript/);
});

Deno.test("a number such as 1e-3 stands in one line, but for a chart's", async () => {
  const line = (number: string) =>
    `<span style="white-space:nowrap">${number}</span>`;
  const text = await shown(markdown("From 1e-3 to 3.16e-10, not 1e3."));
  assert.ok(text.includes(`From ${line("1e-3")} to ${line("3.16e-10")}, not`));
  const out = await html("<td>lr 1e-3</td><svg><text>1e-4</text></svg>");
  assert.ok(out.includes(`lr ${line("1e-3")}`));
  assert.ok(out.includes("<text>1e-4</text>"));
});

Deno.test("a chart gets a name and a namespace; one of 9 MB becomes an image", async () => {
  const big = `<svg viewBox="0 0 9 9">${
    "<path d='M0,0'/>".repeat(560_000)
  }</svg>`;
  const text = bodyOf(
    await page(
      display("text/html", "<svg><g/></svg>"),
      display("image/svg+xml", big),
    ),
  );
  assert.match(
    text,
    /<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" role="img" aria-label="Chart of cell 1">/,
  );
  const [, base64] = /src="data:image\/svg\+xml;base64,([^"]*)"/.exec(text)!;
  assert.match(atob(base64.slice(0, 80)), /^<svg xmlns="http/);
  assert.match(text, /An SVG of 9\.0 MB, shown as an image/);
});

Deno.test("a nest of 50,000 elements is no failure", async () => {
  const text = await html("<div>".repeat(50_000) + "deep");
  assert.match(text, /deep|&#60;div&#62;/);
});

Deno.test("an error that a cell meant to raise is no failed run", async () => {
  const raised = code(
    "throw 1",
    [failure("Error", "meant")],
    "raises-exception",
  );
  const text = await exportHtml(notebook(raised, code("a", [])));
  assert.match(text, /Expected: Error: meant/);
  assert.doesNotMatch(text, /run failed/);
  assert.match(text, /<meta name="nb:status" content="ok">/);
});

test("the page tells commit, lock file, versions, parameters, seeds and times", async (file) => {
  const git = async (...args: string[]) => {
    const by = "-c user.name=a -c user.email=a@b".split(" ");
    const { success, stdout } = await new Deno.Command("git", {
      args: ["-C", file("."), ...by, ...args],
    }).output();
    assert.ok(success, args.join(" "));
    return new TextDecoder().decode(stdout).trim();
  };
  await Deno.writeTextFile(file("deno.lock"), "{}");
  await Deno.writeTextFile(file("a.ipynb"), "{}");
  await git("init", "-q");
  const none = await collectProvenance(file("a.ipynb"), notebook());
  const untracked = "this notebook is not tracked by git";
  assert.equal(none["Commit when exported"], untracked);
  await git("add", ".");
  await git("commit", "-q", "-m", "a");
  const nb = notebook(
    code(
      `let lr = 1e-3; // rate\nlet name: string = "a;b";\nlet seed = 1`,
      [],
      "parameters",
    ),
    code("// given\nseed = 7;\nvoid 0;", [], "injected-parameters"),
    { ...code("train()", []), metadata: { ferlab: { seconds: 75 } } },
  );
  nb.metadata.ferlab = { status: "complete", deno: "2.9.6" };
  nb.metadata.language_info = { version: "6.0.3" }; // of TypeScript
  const hash = createHash("sha256").update("{}").digest("hex").slice(0, 16);
  const commit = await git("rev-parse", "--short=12", "HEAD");
  const told = await collectProvenance(file("a.ipynb"), nb);
  assert.deepEqual(told, {
    Notebook: "a.ipynb",
    "Run ended": "complete",
    Deno: "2.9.6",
    "Commit when exported": `${commit}, nothing uncommitted`,
    "Lock file when exported": `sha256 ${hash}`,
    Parameters: `lr = 1e-3\nname = "a;b"\nseed = 7`,
    Seeds: "seed = 7",
  });
  await Deno.writeTextFile(file("deno.lock"), "{ }");
  const later = await collectProvenance(file("b.ipynb"), nb);
  assert.equal(
    later["Commit when exported"],
    `${commit}, with uncommitted changes; ${untracked}`,
  );
  const text = await exportHtml(nb, { provenance: told });
  assert.match(text, /<td><code>train\(\)<\/code><\/td><td>1 min 15 s<\/td>/);
  assert.match(text, /<dt>Run time<\/dt><dd>1 min 15 s in 1 cell<\/dd>/);
});

Deno.test("headings skip no level, and a page without a title gets one", async () => {
  const levels = (text: string) =>
    [...text.matchAll(/<h(\d)/g)].map((m) => m[1]).join("");
  const cells = [markdown("### A\n\n##### B\n\n## C")];
  assert.equal(levels(await shown(...cells)), "1232");
});

Deno.test("a page tells the index its title, state, time and first chart", async () => {
  const nb = notebook(
    markdown("# T <1>"),
    { ...code("a", [stream("x")]), metadata: { ferlab: { seconds: 2 } } },
    code("b", [display("text/html", `<p>no</p>`), display("text/html", chart)]),
    "c",
  );
  const report = readReport("a.html", await exportHtml(nb, { date: "2030" }));
  assert.deepEqual({ ...report, chart: undefined }, {
    file: "a.html",
    title: "T <1>",
    status: "partly run",
    seconds: 2,
    date: "2030",
    chart: undefined,
  });
  assert.match(report!.chart!, /^<div class="out2--"><svg [^]*<\/svg><\/div>$/);
  assert.equal(readReport("b.html", "<html><title>b</title>"), undefined);
  const index = indexHtml([report!, report!]);
  assert.match(index, /id="thumb1--out2--clip".*id="thumb2--out2--clip"/s);
  assert.equal(index, indexHtml([report!, report!]));
});

/** A report whose cells say by tags what it leads with. */
const report = (title: string, long = 3) =>
  notebook(
    markdown(title),
    code("far()", [display("text/html", `<svg viewBox="0 0 1 1"/>`)]),
    code("main()", [display("text/html", chart)], "main-chart"),
    code("rows()", [
      display(
        "text/html",
        `<table>${"<tr><td>1</td></tr>".repeat(long)}</table>`,
      ),
    ]),
    code("claims()", [
      display(
        "text/html",
        `<p class="counts">✗ 1</p><table><tr><td>c</td></tr></table>`,
      ),
    ], "claims"),
    code("answer()", [{
      output_type: "display_data",
      data: {
        "text/html": `<p>4 <b>blocks</b></p>`,
        "text/plain": "4 blocks\nby 5",
      },
      metadata: {},
    }], "answer"),
  );

Deno.test("a report leads with question, answer, claims and main chart; the rest follows", async () => {
  const text = bodyOf(
    await exportHtml(
      report("# Depth\n\n**Question.** How\n_deep_?\n\n**Here** it is."),
    ),
  );
  const order = [
    /<h1[^>]*>Depth/,
    /How\s+<em>deep<\/em>\?/,
    /<section class="lead" id="answer--"/,
    /4 <b>blocks<\/b>/,
    /✗ 1/,
    /<clipPath/,
    /From <a href="#cell--2">cell 2<\/a>/,
    /it is\./,
    /id="cell--1"/,
  ].map((part) => text.search(part));
  assert.ok(order.every((at, i) => at > (order[i - 1] ?? -1)), String(order));
  // What was lifted stands once; the chart stays where its text is, too.
  const count = (part: RegExp) => [...text.matchAll(part)].length;
  assert.equal(count(/4 <b>blocks/g), 1);
  assert.equal(count(/✗ 1/g), 1);
  assert.equal(count(/<clipPath/g), 2);
  assert.equal(count(/stands <a href="#answer--">at the top/g), 2);
  const ids = [...text.matchAll(/ id="([^"]+)"/g)].map((m) => m[1]);
  assert.deepEqual(ids, [...new Set(ids)]);
});

Deno.test("a long table is folded where a report leads with its answer, and nowhere else", async () => {
  const long = report("# T", 40);
  assert.match(
    bodyOf(await exportHtml(long)),
    /<details class="fold"><summary>Table of 40 rows<\/summary><div class="out"/,
  );
  assert.doesNotMatch(bodyOf(await exportHtml(report("# T"))), /Table of/);
  const others = notebook(...long.cells.slice(0, -1)); // no answer
  const plain = bodyOf(await exportHtml(others));
  assert.doesNotMatch(plain, /class="(lead|fold)"|at the top/);
  // An answer that failed is told by its cell.
  const failed = report("# T");
  failed.cells.at(-1)!.outputs = [failure("Error", "no")];
  assert.doesNotMatch(bodyOf(await exportHtml(failed)), /class="lead"/);
});

Deno.test("the index shows a report's question, answer, counts and main chart", async () => {
  const page = await exportHtml(
    report("# Depth\n\n**Question.** How\n_deep_?\n\nHere."),
  );
  const found = readReport("a.html", page)!;
  assert.equal(found.question, "How deep?");
  assert.equal(found.answer, "4 blocks");
  assert.match(found.counts!, /^<p class="counts">✗ 1<\/p>$/);
  assert.match(found.chart!, /clipPath/);
  const index = indexHtml([found]);
  for (const part of ["How deep?", "4 blocks", "✗ 1", "clipPath"]) {
    assert.ok(index.includes(part), part);
  }
  assert.doesNotMatch(bodyOf(index), />ok<|a\.html<\/p>/);
  const harmful = {
    ...found,
    answer: "<script>",
    counts: "<script>x</script>",
  };
  assert.doesNotMatch(indexHtml([harmful]), /<script/);
});

Deno.test("a trusted page keeps its scripts, and says where it came from", async () => {
  const nb = notebook(
    code("a", [display("text/html", "<script>a()</script>")]),
  );
  const text = await exportHtml(nb, {
    trust: true,
    title: "T <1>",
    provenance: { Seed: "<7>" },
  });
  assert.match(text, /<script>a\(\)<\/script>/);
  assert.match(text, /script-src 'unsafe-inline'/);
  assert.match(text, /<title>T &#60;1&#62;<\/title>/);
  assert.match(text, /<dt>Seed<\/dt><dd>&#60;7&#62;<\/dd>/);
});

Deno.test("the same notebook gives the same page", async () => {
  const nb = notebook(
    markdown("# A"),
    code("a", [display("text/html", chart)]),
  );
  assert.equal(await exportHtml(nb), await exportHtml(nb));
});

test("nb export writes several pages, nb index lists them, and both tell it as JSON", async (file) => {
  const run = (...args: string[]) => nb(file("."), ...args);
  const one = notebook(
    markdown("# One"),
    code(`Deno.writeTextFileSync("ran", "")`, [stream("x")]),
  );
  await writeNotebook(file("a.ipynb"), one);
  await writeNotebook(file("b.ipynb"), one);
  await Deno.mkdir(file("out"));
  const { code: ok, out } = await run(
    ..."export a.ipynb b.ipynb --to html -o out --json".split(" "),
  );
  assert.equal(ok, 0);
  assert.deepEqual(
    JSON.parse(out).pages.map((p: { page: string }) => p.page),
    ["out/a.html", "out/b.html"],
  );
  assert.ok(!await Deno.stat(file("ran")).catch(() => false), "it ran");
  const first = await Deno.readTextFile(file("out/a.html"));
  const [again, wrong] = await Promise.all([
    run("export", "a.ipynb", "-o", "out/a.html"),
    run("export", "a.ipynb", "--to", "pdf"),
  ]);
  assert.equal(await Deno.readTextFile(file("out/a.html")), first);
  // It writes the links between the pages into them.
  const none = await run("index", ".");
  const index = await run("index", "out", "--json");
  assert.deepEqual(
    JSON.parse(index.out).reports.map((r: { title: string }) => r.title),
    ["One", "One"],
  );
  assert.match(
    await Deno.readTextFile(file("out/index.html")),
    /<h2><a href="b\.html">One<\/a><\/h2>/,
  );
  assert.deepEqual([again.code, wrong.code, none.code], [0, 2, 0]);
  const empty = await run("index", join(file("."), "no"));
  assert.equal(empty.code, 1);
  assert.match(empty.err, /no such folder/);
});

Deno.test("what a page cannot show is named with its size", async () => {
  const display = (data: Record<string, unknown>) =>
    code("a", [{ output_type: "display_data", data, metadata: {} }]);
  const plotly = "application/vnd.plotly.v1+json";
  const cases: [Record<string, unknown>, RegExp[]][] = [
    [{ [plotly]: { data: [1, 2] } }, [
      /<b>application\/vnd\.plotly\.v1\+json<\/b>, 14 B: a page cannot show/,
      /<summary>What it holds<\/summary><pre[^>]*>\{&#34;data&#34;:\[1,2\]\}/,
    ]],
    [{ "application/pdf": "QUJD".repeat(1000) }, [
      /<b>application\/pdf<\/b>, 3\.0 kB: a page cannot show/,
    ]],
    [{ "video/mp4": "QUJD" }, [/<b>video\/mp4<\/b>, 3 B/]],
    [{
      "application/vnd.jupyter.widget-view+json": { model_id: "a" },
      "text/plain": "IntSlider(value=0)",
    }, [/IntSlider\(value=0\)/, /<b>application\/vnd\.jupyter\.widget-view/]],
    [{ "text/csv": 'a,b\n1,"<x>, y"\n' }, [
      /<th>a<\/th><th>b<\/th>.*<td>1<\/td><td>&#60;x&#62;, y<\/td>/,
    ]],
    [{ "text/tab-separated-values": "a\tb\n1\t2" }, [/<td>2<\/td>/]],
    [{ "text/csv": "no table" }, [/<pre[^>]*>no table/]],
    [{ "text/x-other": "some text" }, [/<pre[^>]*>some text/]],
    [{ "application/javascript": "a()" }, [/<b>application\/javascript<\/b>/]],
    // What only commands read is said in words beside it.
    [{
      "application/vnd.ferlab.cost+json": { trials: 4 },
      "text/plain": "4 trials",
    }, [/^(?![\s\S]*vnd\.ferlab)[\s\S]*<pre[^>]*>4 trials/]],
  ];
  for (const [data, patterns] of cases) {
    const text = await shown(display(data));
    for (const pattern of patterns) assert.match(text, pattern);
  }
  const both = display({ [plotly]: {}, "text/html": "<p>better</p>" });
  assert.doesNotMatch(await exportHtml(notebook(both)), /plotly/);
});

test("a cell that changed since it ran is marked, and fails --strict", async (file) => {
  const run = (...args: string[]) => nb(file("."), ...args);
  await Deno.writeTextFile(file("m.ts"), "export const m = 1;");
  await Deno.writeTextFile(file("deno.json"), "{}");
  await save(
    file("a.ipynb"),
    "const a = 1;",
    "console.log(a);",
    `import { m } from "./m.ts"; console.log(m);`,
    "missing();",
  );
  const ran = await run("run", "a.ipynb", "-o", "b.ipynb");
  assert.equal(ran.code, 1);
  const saved = await readNotebook(file("b.ipynb"));
  const marks = (text: string) =>
    [...text.matchAll(/id="cell--(\d)"(?:(?!<section)[^])*?class="t changed"/g)]
      .map((m) => m[1]).join();
  const exported = async (...args: string[]) => {
    await Deno.remove(file("b.html")).catch(() => {});
    const { code, err } = await run("export", "b.ipynb", ...args);
    const text = await Deno.readTextFile(file("b.html")).catch(() => "");
    return { code, err, text, marks: marks(text) };
  };
  const same = await exported("--strict");
  assert.deepEqual([same.code, same.marks, same.err], [0, "", ""]);

  // modules and the like are told, but the page shows the code that ran
  await Deno.writeTextFile(file("m.ts"), "export const m = 2;");
  const module = await exported();
  assert.deepEqual([module.code, module.marks], [0, ""]);
  assert.match(
    module.err,
    /^warning: .*: changed since it ran: module m\.ts$/m,
  );
  assert.equal((await exported("--strict")).code, 1);
  assert.match(module.text, /<dt>Other since the run<\/dt><dd>module m\.ts</);

  saved.cells[0].source = "const a = 2;";
  saved.cells[3].source = "other();";
  await writeNotebook(file("b.ipynb"), saved);
  const edited = await exported();
  assert.deepEqual([edited.code, edited.marks], [0, "1,2,4"]);
  assert.match(
    edited.err,
    /^warning: b\.ipynb: cell 1: changed since it ran: its source$/m,
  );
  assert.match(
    edited.text,
    /<b>Not what was run:<\/b> <a href="#cell--1">cell 1<\/a>, /,
  );
  assert.match(
    edited.text,
    /<dt>Changed since the run<\/dt><dd>cells 1, 2, 4<\/dd>/,
  );
  const checked = await checkNotebooks([file("b.ipynb")]);
  const told = checked.filter((f) => f.kind === "stale")
    .map((f) => `${f.cell}: ${f.message}`);
  assert.deepEqual(told, [
    "cell 1: it changed since it ran: its source",
    "cell 2: it changed since it ran: upstream cell 1",
    "cell 4: it changed since it ran: its source",
  ]);
  const strict = await exported("--strict");
  assert.deepEqual([strict.code, strict.text], [1, ""]);
  assert.match(strict.err, /b\.ipynb: not exported, with --strict; it has 4/);
});

Deno.test("of a notebook that nb did not run no change is told", () => {
  const nb = notebook(code("a", [stream("1")]));
  nb.metadata.language_info = { version: "6.0.3" };
  const { cells, beside } = changesOf("/none/a.ipynb", nb);
  assert.deepEqual([cells.size, beside], [0, []]);
});

Deno.test("figures and tables have numbers and captions, which links of the text name", async () => {
  const table = "<table><tbody><tr><td>1</td></tr></tbody></table>";
  const named = (id: string, cell: ReturnType<typeof code>) => ({
    id,
    ...cell,
  });
  const svg = chart.replace("<svg", `<svg aria-label="loss by epoch; 3 rows"`);
  const text = await shown(
    markdown("See [figure](#curve), [table](#rates) and [table](#curve)."),
    markdown("Some text.\n\n**Figure.** What *falls*\nis the loss."),
    named("curve", code("a()", [display("text/html", svg)])),
    named("rates", code("b()", [display("text/html", table)])),
    code("c()", [display("text/html", svg), stream("printed")]),
    markdown("## Does *it* agree?\n\nText."),
    code("d()", [display("text/html", table)]),
    markdown("## Cost"),
    code("e()", [display("text/html", table)]),
    code("f()", [
      display("text/html", table.replace(">", ` aria-label="two nets">`)),
    ]),
  );
  assert.match(text, /<figure class="numbered" id="figure-1--">/);
  const captions = [...text.matchAll(/<figcaption>(.*?)<\/figcaption>/gs)];
  assert.deepEqual(captions.map((m) => m[1].replace(/\s+/g, " ")), [
    "<b>Figure 1.</b> What <em>falls</em> is the loss.",
    "<b>Table 1.</b>",
    "<b>Figure 2.</b> Loss by epoch.",
    "<b>Table 2.</b> Does <em>it</em> agree?",
    "<b>Table 3.</b> Cost.",
    "<b>Table 4.</b> Two nets.",
  ]);
  assert.match(text, /<a href="#figure-1--">figure\u00a01<\/a>/);
  assert.match(text, /<a href="#table-1--">table\u00a01<\/a>/);
  assert.match(text, /<a href="#cell--1">table\u00a0<\/a>/, "no such table");
  assert.doesNotMatch(text, /\*\*Figure/);
  const notRun = await exportHtml(notebook(
    markdown("**Figure.** Not there yet."),
    "a()",
  ));
  assert.match(notRun, /<strong>Figure.<\/strong> Not there yet/);
});

Deno.test("reports of a folder link to each other and to their index", async () => {
  const html = await exportHtml(
    notebook(
      markdown("# B <i>\n\nText.<table><tr><td>c</td><td>d</td></tr></table>"),
    ),
  );
  const pages = [
    { file: "a b.html", title: "A" },
    { file: "sub/b.html", title: "B" },
    { file: "c.html", title: "C <c>" },
  ];
  const links = (text: string) =>
    [...text.matchAll(/<nav class="siblings"[^]*?<\/nav>/g)].map((m) =>
      [...m[0].matchAll(/href="([^"]*)"[^>]*>([^<]*)/g)].map((l) => l.slice(1))
    );
  const linked = withLinks(html, pages, "sub/b.html");
  const expected = [
    ["../a%20b.html", "← A"],
    ["../index.html", "All reports"],
    ["../c.html", "C &#60;c&#62; →"],
  ];
  assert.deepEqual(links(linked), [expected, expected]);
  assert.match(linked, /<td><a href="..\/c.html">c<\/a><\/td><td>d<\/td>/);
  assert.equal(withLinks(linked, pages, "sub/b.html"), linked);
  assert.equal(
    withLinks("<p>another page</p>", pages, "c.html"),
    "<p>another page</p>",
  );
});

Deno.test("code is coloured in the languages that the notebook has, alone too", async () => {
  const shows = (mime: string, value: unknown) =>
    code("0", [display(mime, value)]);
  for (
    const [cell, drawn] of [
      [shows("text/markdown", "```py\nNone\n```"), /<span class="k\d">None</],
      [shows("application/json", { a: 1 }), /<span class="k\d">"?.*a/],
      [markdown("> ~~~~ sh\n> ls | wc\n> ~~~~"), /<span class="k\d">ls/],
      [shows("text/latex", "\\alpha"), /class="katex/],
    ] as const
  ) assert.match(await shown(cell), drawn);
});
