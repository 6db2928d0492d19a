/** The exported page: what it shows, and what cannot be in it. */
import assert from "node:assert/strict";
import { exportHtml, type Output } from "../../lib/notebook/mod.ts";
import {
  chart,
  code,
  display,
  markdown,
  notebook,
  stream,
} from "./_notebook.ts";

const page = (...outputs: Output[]) =>
  exportHtml(notebook(code("show()", outputs)));
const html = (markup: string) => page(display("text/html", markup));
/** What stands between the style sheet and the end. */
const body = (text: string) => text.slice(text.indexOf("<body>"));

Deno.test("no script, handler, frame or form survives", async () => {
  const text = body(
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
  assert.doesNotMatch(text, /a\.example/);
  assert.doesNotMatch(text, /@import|\ssrc="(?!data:)|<link/);
  assert.match(text, /\.kept \{ color: red \}/);
  assert.match(
    text,
    /http-equiv="Content-Security-Policy" content="default-src 'none'; /,
  );
  assert.match(text, /script-src 'none'/);
});

Deno.test("a link to elsewhere stays a link", async () => {
  const text = await html(`<a href="https://a.example/paper" target=x>p</a>`);
  assert.match(text, /<a href="https:\/\/a\.example\/paper">p<\/a>/);
});

Deno.test("ids of two outputs with the same ids are unique, and each refers to its own", async () => {
  const text = body(
    await exportHtml(notebook(
      markdown("# Clip\n\n## Clip\n\n## Clip"),
      code("a", [display("text/html", chart), display("text/html", chart)]),
      code("b", [display("image/svg+xml", chart)]),
      code("c", [display("text/markdown", "## Clip")]),
    )),
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
    body(await html(`<style>${sheet}</style><p>kept</p>`));
  assert.match(
    await css(".a { color: red }"),
    /<style>@scope \(\.out1--\) \{\.a \{ color: red \}\}<\/style>/,
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
  const text = body(
    await exportHtml(notebook(
      code("a", [display("text/html", "<div><table><tr><td><b>open")]),
      code("b", [stream("after")]),
    )),
  );
  for (const tag of ["div", "table", "td", "b", "section"]) {
    const count = (pattern: string) =>
      text.match(new RegExp(pattern, "g"))?.length;
    assert.equal(count(`<${tag}[ >]`), count(`</${tag}>`), tag);
  }
});

Deno.test("progress bars and colours look as on a terminal", async () => {
  const text = await page(
    stream("10%\r50%\r100%\nlong line\rshort\x1b[K\n"),
    stream(
      "\x1b[1;31mred <b>\x1b[0m \x1b[38;5;208mx\x1b[38;2;1;2;3my\x1b[39mz",
    ),
    stream("\x1b(B\x1b]8;;https://a.example\x07link\x1b]8;;\x07 a\bb\x1b[2A"),
  );
  assert.match(text, /<pre>100%\nshort<\/pre>/);
  assert.match(text, /<span class="a-b a-f1">red &#60;b&#62;<\/span> /);
  assert.match(text, /<span style="color:#ff8700">x<\/span>/);
  assert.match(text, /<span style="color:#010203">y<\/span>z/);
  assert.match(text, /<pre>link b<\/pre>/);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(text, /\x1b|50%/);
});

Deno.test("formulas become MathML, and prices stay text", async () => {
  const text = await exportHtml(notebook(markdown(
    "Rate $\\eta_0 = 10^{-3}$, from $5 to $6.\n\n$$\n\\sum_i x_i\n$$\n\n" +
      "`$a$` and \\$b\\$",
  )));
  assert.equal(text.match(/<math /g)?.length, 2);
  assert.match(text, /<div class="math">.*<math [^>]*display="block"/);
  assert.match(text, /from \$5 to \$6\./);
  assert.match(text, /<code>\$a\$<\/code> and \$b\$/);
});

Deno.test("code is coloured for the light and the dark theme", async () => {
  const text = await exportHtml(notebook(
    code("const n: number = 1; // <b>", []),
    markdown("```python\ndef f(): pass\n```\n\n```nosuch\nplain\n```"),
  ));
  const token = /<span style="--shiki-light:#\w+;--shiki-dark:#\w+">const/;
  assert.match(text, token);
  assert.match(text, />def</);
  assert.match(text, /plain/);
  assert.match(text, /@media \(prefers-color-scheme: dark\)/);
  assert.doesNotMatch(body(text), /<b>/);
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
  const text = body(
    await exportHtml(notebook(
      code("fine()", [stream("1")]),
      code("fail()", [{
        output_type: "error",
        ename: "TypeError",
        evalue: "no <data>",
        traceback: ["\x1b[31mTypeError\x1b[0m: no <data>", "    at x:1"],
      }]),
      code("never()"),
    )),
  );
  assert.match(
    text,
    /<b>The run failed<\/b> in <a href="#cell--2">cell 2<\/a>: TypeError: no &#60;data&#62;/,
  );
  assert.ok(text.includes(`id="cell--2"`));
  assert.match(text, /<details class="code failed" open>/);
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

Deno.test("markdown cannot hold raw HTML or a script link", async () => {
  const text = body(
    await exportHtml(notebook(
      markdown("<script>a()</script> [b](javascript:c()) <i onclick=d()>e</i>"),
    )),
  );
  assert.doesNotMatch(text, /<script|<i |href="javascript/);
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
