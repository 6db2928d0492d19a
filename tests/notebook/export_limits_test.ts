/** Content that is large, or made to be: what a page shows, and what it costs. */
import assert from "node:assert/strict";
import process from "node:process";
import { type Cell, exportHtml } from "../../lib/notebook/mod.ts";
import { LIMITS } from "../../lib/notebook/page_limits.ts";
import { FRAGMENTS } from "./_fragments.ts";
import {
  bodyOf,
  code,
  display,
  failure,
  markdown,
  notebook,
  stream,
} from "./_notebook.ts";

const shows = (mime: string, value: unknown) =>
  code("0", [display(mime, value)]);
const failed = (evalue: string) => failure("Error", evalue, `Error: ${evalue}`);
const body = async (...cells: Cell[]) => {
  const html = await exportHtml(notebook(...cells), { file: "/x/big.ipynb" });
  return bodyOf(html);
};
/** Lines of code that are short enough to be coloured. */
const wrapped = (text: string) =>
  text.match(/[^]{1,190} ?/g)?.join("\n").slice(0, LIMITS.code) ?? "";

/** How each kind of content becomes a cell. */
const KINDS: [string, string[], (text: string) => Cell, number?][] = [
  ["Markdown", FRAGMENTS.markdown, markdown],
  [
    "paragraphs",
    FRAGMENTS.markdown,
    (t) => markdown(t.match(/[^]{1,9000}/g)!.join("\n\n")),
  ],
  ["HTML", FRAGMENTS.html, (t) => shows("text/html", t)],
  ["SVG", FRAGMENTS.html, (t) => shows("image/svg+xml", t)],
  [
    "style sheets",
    FRAGMENTS.css,
    (t) => shows("text/html", `<style>${t}</style>`),
  ],
  ["styles", FRAGMENTS.css, (t) => shows("text/html", `<p style="${t}">`)],
  ["printed text", FRAGMENTS.terminal, (t) => code("0", [stream(t)])],
  ["errors", FRAGMENTS.terminal, (t) => code("0", [failed(t)])],
  ["code", FRAGMENTS.code, (t) => code(t, [])],
  ["lines of code", FRAGMENTS.code, (t) => code(wrapped(t), []), 1_500],
  ["parameters", FRAGMENTS.code, (t) => code(t, [], "parameters")],
  ["JSON", FRAGMENTS.code, (t) => shows("application/json", [t, { a: t }])],
  ["formulas", FRAGMENTS.latex, (t) => shows("text/latex", t)],
  ["csv", FRAGMENTS.csv, (t) => shows("text/csv", t)],
];

/** Fragments mixed in threes, the same ones in every run. */
function mixes(fragments: string[], count: number): string[] {
  let seed = 1;
  const next = () => {
    seed = (seed * 48271) % 2147483647;
    return fragments[seed % fragments.length];
  };
  return Array.from({ length: count }, () => next() + next() + next());
}

for (const [kind, fragments, cell, size = 8_000] of KINDS) {
  Deno.test(`a page of twice the ${kind} takes at most three times the time`, async () => {
    const all = [...fragments, ...mixes(fragments, 12)];
    const seconds = async (n: number) => {
      const cells = all.map((f) => cell(f.repeat(Math.ceil(n / f.length))));
      const start = process.cpuUsage();
      await exportHtml(notebook(...cells));
      const { user, system } = process.cpuUsage(start);
      return (user + system) / 1e6;
    };
    await seconds(100); // what is loaded once
    // Of processor time, as others use this machine as well, and the least of
    // each size. What grows by the square takes four times as much.
    let growth = Infinity, small = Infinity, large = Infinity;
    for (let i = 0; i < 6 && growth > 3; i++) {
      small = Math.min(small, await seconds(size));
      large = Math.min(large, await seconds(2 * size));
      growth = large / Math.max(small, 0.2);
    }
    assert.ok(growth <= 3, `${small.toFixed(2)} s, then ${large.toFixed(2)} s`);
  });
}

Deno.test("what is too large is shown plain, cut or named, and the page says so", async () => {
  const nest = (n: number) =>
    "$$" + "\\frac{".repeat(n) + "1" + "}{2}".repeat(n) + "$$";
  const cases: [Cell, RegExp, number][] = [
    [
      code(`const s = "${"x".repeat(15_000)}";`, []),
      /Shown without colours: it has a line of more than 400 characters\./,
      40_000,
    ],
    [
      code("a = 1;\n".repeat(10_000), []),
      /Shown without colours: it has more than 40,000 characters\./,
      90_000,
    ],
    [
      markdown("word *em* $x$ ".repeat(8_000)),
      /Shown as it is written: a paragraph of more than 20,000 characters\./,
      200_000,
    ],
    [
      markdown("# a\n\nb *c*\n\n".repeat(20_000)),
      /Shown as it is written: Markdown of more than 200,000 characters\./,
      400_000,
    ],
    [
      code("0", [stream("a".repeat(3e6) + "the end")]),
      /2\.0 MB left out here; all of it is in <code>big\.ipynb<\/code>\.<\/p><pre[^>]*>a+the end</,
      1_100_000,
    ],
    [
      code("0", [failed("m".repeat(5e6))]),
      /<strong>Error: m{1990,2000}…<\/strong>[^]*4\.0 MB left out here/,
      1_100_000,
    ],
    [
      shows("application/json", { a: "b".repeat(3e6) }),
      /<summary>JSON of 3\.0 MB<\/summary>[^]*2\.0 MB left out here/,
      1_100_000,
    ],
    [
      shows("text/html", "<i>ab</i>".repeat(400_000)),
      /<b>text\/html<\/b>, 3\.6 MB: a page shows no more than 2\.0 MB of it\./,
      5_000,
    ],
    [
      shows("image/svg+xml", "<svg ".repeat(500_000)),
      /This output cannot be shown: it is no SVG/,
      5_000,
    ],
    [
      code("0", [stream("\x1b[10000Cx\n".repeat(10_000))]),
      /\[shown without its cursor moves and colours/,
      40_000,
    ],
    [
      shows("text/csv", "a,b\n" + "1,2\n".repeat(500)),
      /<td>1<\/td><td>2<\/td>.*Shown: the first 200 rows\./s,
      20_000,
    ],
    [
      markdown(nest(1_000) + "\n\nafter"),
      /Formula not drawn: it is nested more than 100 deep\. <code>\\frac[^]*<p>after<\/p>/,
      5_000,
    ],
    [
      markdown(`$\\def\\a{${"x".repeat(2_000)}}${"\\a".repeat(900)}$`),
      /Formula not drawn: it has more than 1,000 characters/,
      5_000,
    ],
  ];
  for (const [cell, said, most] of cases) {
    const html = await body(cell);
    assert.match(html, said);
    assert.ok(html.length < most, `${said}: ${html.length}`);
  }
});

Deno.test("a picture in Markdown does not count as text", async () => {
  const uri = `data:image/png;base64,${"QUJD".repeat(100_000)}`;
  const html = await body(markdown(`# T\n\n![a](${uri}) <img src="${uri}">`));
  assert.equal(html.match(/<img /g)?.length, 2);
  assert.match(html, /<h1 id="t"/);
});

/** Ten groups that each show the one before ten times. */
const bomb = (levels: number, ref = `<use href="#gN"/>`.repeat(10)) =>
  `<svg xmlns="http://www.w3.org/2000/svg"><g id="g0"><path d="M0,0"/></g>${
    Array.from(
      { length: levels },
      (_, i) => `<g id="g${i + 1}">${ref.replaceAll("gN", `g${i}`)}</g>`,
    ).join("")
  }</svg>`;
const asImage = (svg: string) => `data:image/svg+xml;base64,${btoa(svg)}`;

Deno.test("a drawing whose parts refer to each other without end is not shown", async () => {
  const fills = `<svg>${
    Array.from({ length: 9 }, (_, i) =>
      `<pattern id="p${i + 1}">${
        `<rect fill="url(#p${i})"/>`.repeat(10)
      }</pattern>`).join("")
  }</svg>`;
  const bombs = [
    shows("text/html", bomb(9)),
    shows("text/html", bomb(9).replaceAll('"#g', '"#%67')),
    shows("text/html", fills),
    shows("text/html", fills.replaceAll(/fill="([^"]*)"/g, `style="fill:$1"`)),
    shows("text/html", `<img src="${asImage(bomb(9))}">`),
    shows("image/svg+xml", bomb(9) + `<!--${" ".repeat(2_100_000)}-->`),
    markdown(`<img src="${asImage(bomb(9))}">`),
  ];
  for (const cell of bombs) {
    const html = await body(cell);
    assert.doesNotMatch(html, /<svg|<img/);
    assert.match(html, /would never finish/);
  }
  const clipped = `<svg><clipPath id="c"><rect/></clipPath><linearGradient ` +
    `id="l">${"<stop/>".repeat(20)}</linearGradient><g clip-path="url(#c)" ` +
    `fill="url(#l)">${"<circle r='1'/>".repeat(20_000)}</g></svg>`;
  for (const svg of [bomb(3), clipped]) {
    assert.match(await body(shows("text/html", svg)), /<svg/);
  }
});

Deno.test("styles, tables and filters that a browser would draw for minutes are left out", async () => {
  const many = (n: number, value: string) => Array(n).fill(value).join(",");
  const styles = [
    `filter:${"blur(900px)".repeat(10)}`,
    `filter:drop-shadow(0 0 30px red)`,
    `box-shadow:${many(2_000, "0 0 900px 900px red")}`,
    `background:${many(3_000, "conic-gradient(red,blue)")}`,
    "columns:3",
    "column-count:3",
    `content:"${"x ".repeat(50_000)}"`,
    "content:attr(title)",
    "--a:var(--b)var(--b)",
  ];
  for (const style of styles) {
    const html = await body(
      shows("text/html", `<style>p{${style}}</style><p style='${style}'>x</p>`),
      shows("image/svg+xml", `<svg><g style='${style}'><path/></g></svg>`),
    );
    assert.doesNotMatch(
      html,
      /<style>| style="(?!display)/,
      style.slice(0, 60),
    );
  }
  const blurred = await body(
    shows("image/svg+xml", `<svg><g filter="blur(9px)"><path/></g></svg>`),
  );
  assert.match(blurred, /<g><path>/);

  const step = `<feGaussianBlur stdDeviation="30"/>`;
  const filtered = (steps: number, uses: number) =>
    shows(
      "image/svg+xml",
      `<svg><filter id="f">${step.repeat(steps)}</filter>` +
        `<path filter="url(#f)"/>`.repeat(uses) + "</svg>",
    );
  for (const [steps, uses] of [[3_000, 1], [1, 3_000]]) {
    assert.match(
      await body(filtered(steps, uses)),
      /Not drawn: a drawing whose/,
    );
  }
  assert.match(await body(filtered(3, 9)), /<filter id="out1--f">/);

  const span = `<td rowspan="65534" colspan="1000">x</td>`;
  const wide = await body(
    shows("text/html", `<table><tr>${span.repeat(3_000)}</table>`),
    shows("text/html", `<table><tr><td rowspan="9" colspan="3">x</table>`),
  );
  assert.deepEqual(wide.match(/\w+span="\d+"/g), [
    'rowspan="9"',
    'colspan="3"',
  ]);

  // What charts and tables use stays.
  const kept = "--a:var(--b,var(--c,red));column-gap:1px;" +
    "filter:grayscale(1);box-shadow:0 0 3px red";
  const html = await body(shows("text/html", `<p style="${kept}">x</p>`));
  assert.equal(/ style="([^"]*)"/.exec(html)?.[1], kept);
});

Deno.test("an output that cannot be drawn is a box; the others stay", async () => {
  const bad = [
    display("text/plain", 5),
    display("image/svg+xml", "x".repeat(LIMITS.svg + 1)),
  ];
  const warnings: string[] = [];
  const html = await exportHtml(
    notebook(code("a", [...bad, stream("kept")]), markdown("end")),
    { warn: (w) => warnings.push(w) },
  );
  assert.match(html, />kept<[^]*<p>end<\/p>/);
  assert.match(html, /This output cannot be shown: it is no SVG/);
  assert.match(warnings[0], /^cell 1: output cannot be shown: /);
});
