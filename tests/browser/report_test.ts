/// <reference lib="dom" />
/** An exported page in a real browser: what runs, what loads, how it reads. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import {
  type Cell,
  exportHtml,
  indexHtml,
  type Output,
  readReport,
} from "../../lib/notebook/mod.ts";
import {
  code,
  display,
  markdown,
  notebook,
  stream,
} from "../notebook/_notebook.ts";
import { ATTACKS, COVERS, TEXT } from "./_attacks.ts";
import { browserTest as test, type Pages } from "./_browser.ts";

const SVG = "http://www.w3.org/2000/svg";
const error = (ename: string, evalue: string): Output => ({
  output_type: "error",
  ename,
  evalue,
  traceback: [`\x1b[1;31m${ename}\x1b[0m: ${evalue}`],
});

/** A page of all attacks, in every place that a notebook has. */
function hostile() {
  const cells: Cell[] = ATTACKS.flatMap(([, markup]) => [
    code("show()", [
      display("text/html", markup),
      display("image/svg+xml", markup),
      display("text/markdown", markup),
      display("text/plain", markup),
    ]),
    { ...markdown(markup), id: TEXT },
  ]);
  const nb = notebook(
    markdown(
      `# ${TEXT}\n\n[a](javascript:window.ran=1) ![b](attachment:x.png)`,
    ),
    {
      ...markdown(
        `## ${TEXT}\n\n<javascript:window.ran=1> $${TEXT}$ ` +
          `$\\href{javascript:window.ran=1}{x}\\includegraphics{http://attack.example/m}$\n\n` +
          `![${TEXT}](attachment:${encodeURI("a.png")}) ![x](attachment:b.svg)`,
      ),
      attachments: {
        "a.png": { [`image/png" onerror="${TEXT}`]: TEXT },
        "b.svg": { "image/svg+xml": [`<svg xmlns="${SVG}" onload="${TEXT}">`] },
      },
    },
    {
      ...code(`"${TEXT}"`, [
        stream(
          `${TEXT}\x1b]8;;javascript:window.ran=1\x07link\x1b]8;;\x07` +
            `\x1b]8;;http://x/"onclick="window.ran=1\x07link\x1b]8;;\x07`,
        ),
        error(TEXT, TEXT),
        display("image/png", `"${TEXT}`),
        display("application/json", { [TEXT]: TEXT }),
        display("text/latex", TEXT),
      ]),
      id: TEXT,
      metadata: { tags: [TEXT], ferlab: { seconds: TEXT } },
    },
    ...cells,
    markdown("## The end"),
  );
  nb.metadata = { title: TEXT, ferlab: { status: TEXT } };
  return exportHtml(nb, { title: TEXT, provenance: { [TEXT]: TEXT } });
}

/** Opens a page and does to it what a reader could do. */
async function attacked({ open }: Pages, html: string) {
  const { page, requests, errors } = await open(html);
  const url = page.url();
  const problems = await page.evaluate(async () => {
    const found: string[] = [];
    for (const e of document.querySelectorAll("*")) {
      for (const type of ["mouseover", "focus", "toggle", "error", "load"]) {
        e.dispatchEvent(new Event(type, { bubbles: true }));
      }
      (e as HTMLElement).focus?.();
      for (const { name, value } of e.attributes) {
        if (/^on/i.test(name)) found.push(`${e.localName} ${name}`);
        // deno-lint-ignore no-control-regex
        const plain = value.replace(/[\x00-\x20]/g, "");
        if (
          /href|src|action|data$/.test(name) &&
          /^(javascript|vbscript|data:text)/i.test(plain)
        ) found.push(`${e.localName} ${name}=${value}`);
      }
    }
    await new Promise((done) => setTimeout(done, 50));
    return found;
  });
  const ran = await page.evaluate(() =>
    (globalThis as unknown as { ran?: number }).ran ?? 0
  );
  assert.equal(page.url(), url, "the page went elsewhere");
  return {
    page,
    requests: requests.map((r) => r.url()),
    errors,
    problems,
    ran,
  };
}

const policyTag = /<meta http-equiv="Content-Security-Policy"[^>]*>/;

test("the attacks of this test are real ones", async ({ open }) => {
  const unaided = ATTACKS.filter((a) => a[2]);
  assert.ok(ATTACKS.length >= 60 && unaided.length >= 25);
  const { page, requests } = await open(
    unaided.map(([, markup], i) =>
      `<iframe name="a${i}" srcdoc="${
        markup.replace(/["&<]/g, (c) => `&#${c.charCodeAt(0)};`)
      }"></iframe>`
    ).join(""),
  );
  const harmless = async () => {
    const names = new Set(requests.map((r) => r.frame().name()));
    const left = [];
    for (const [i, [name]] of unaided.entries()) {
      const frame = page.frame({ name: `a${i}` });
      // A frame that its attack is leading away may never answer.
      const ran = await Promise.race([
        frame?.evaluate(() => (globalThis as unknown as { ran?: number }).ran)
          .catch(() => undefined),
        page.waitForTimeout(1000),
      ]);
      if (!ran && !names.has(`a${i}`)) left.push(name);
    }
    return left;
  };
  let left = await harmless();
  const end = performance.now() + 10_000;
  while (left.length && performance.now() < end) left = await harmless();
  assert.deepEqual(left, []);
});

test("nothing of a hostile notebook runs or loads", async (pages) => {
  const html = await hostile();
  for (
    const [what, text] of [
      ["with the policy", html],
      // what is left in the page must be harmless without it
      ["without the policy", html.replace(policyTag, "")],
    ]
  ) {
    const { page, requests, errors, problems, ran } = await attacked(
      pages,
      text,
    );
    assert.equal(ran, 0, what);
    assert.deepEqual(problems, [], what);
    assert.deepEqual(requests, [], what);
    assert.deepEqual(errors, [], what);
    const seen = await page.evaluate(() => {
      const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
      const cover = document.elementFromPoint(600, 450);
      return {
        scripts: document.scripts.length,
        twice: ids.filter((id, i) => ids.indexOf(id) !== i),
        covered: cover && getComputedStyle(cover).position === "fixed",
        end: !!document.querySelector("main > .md > h2#the-end"),
        footer: !!document.querySelector(".page > footer.provenance"),
      };
    });
    assert.deepEqual(seen, {
      scripts: 1,
      twice: [],
      covered: false,
      end: true,
      footer: true,
    }, what);
  }
});

test("nothing of an output or of Markdown hides or covers what is outside its cell", async ({ open }) => {
  for (const where of ["text/html", "text/markdown", "Markdown", "caption"]) {
    const cells = COVERS.flatMap(([, markup]) =>
      where === "Markdown" ? markdown(markup) : where === "caption"
        ? [
          markdown(`**Figure.** ${markup}`),
          code("show()", [display("text/html", "<svg></svg>")]),
        ]
        : code("show()", [display(where, markup)])
    );
    const { page } = await open(
      await exportHtml(notebook(
        markdown("# Title\n\n[a](https://a.example)"),
        code("fail()", [error("TypeError", "no such thing")]),
        ...cells,
        markdown("## The end"),
      )),
      { width: 1300 },
    );
    const problems = await page.evaluate(() => {
      const found: string[] = [];
      const parts = document.querySelectorAll(
        "main > :is(.banner, .cell, .md), .tools, .box, footer, h1",
      );
      for (const part of parts) {
        if (!part.checkVisibility()) found.push(`${part.className} hidden`);
      }
      const home = (e: Element | null) =>
        e?.closest(".out, main > .md, figcaption, .box, nav, .banner, .tools");
      for (const link of document.querySelectorAll('a[href*="attack"]')) {
        const box = link.closest(".out, main > .md, figcaption")!;
        link.scrollIntoView({ block: "center", behavior: "instant" });
        const { left, right, top, bottom } = box.getBoundingClientRect();
        // above, below and beside the cell lies what the page put there
        for (
          const [x, y] of [
            [left - 20, (top + bottom) / 2],
            [right + 20, (top + bottom) / 2],
            [(left + right) / 2, top - 12],
            [(left + right) / 2, bottom + 12],
            [5, 5],
          ]
        ) {
          const at = document.elementFromPoint(x, y);
          if (home(at) === box || at === link) {
            found.push(`${link.outerHTML} covers ${x},${y}`);
          }
        }
      }
      return found;
    });
    assert.deepEqual(problems, [], where);
  }
});

test("the sheets of the last test hide what is not in a scope", async ({ open }) => {
  const sheets = COVERS.filter(([name]) => /ends at/.test(name));
  assert.equal(sheets.length, 2);
  for (const [, markup] of sheets) {
    const scoped = markup.replace("<style>", "<style>@scope (.x) {")
      .replace("</style>", "}</style>");
    const { page } = await open(
      `<!doctype html><div class="banner">told</div>${scoped}`,
    );
    assert.ok(await page.locator(".banner").isHidden());
  }
});

test("the policy alone stops the scripts of outputs, and --trust says that it does not", async ({ open }) => {
  const outputs = ATTACKS.filter((a) => a[2])
    .map(([, markup]) => markup).join("\n");
  const bad =
    `<script>window.ran=1</script><img src="x:" onerror="window.ran=1">`;
  const html = (await exportHtml(notebook(code("a", [stream("HERE")]))))
    .replace("HERE", () => bad + outputs);
  const closed = await open(html);
  const flag = () => (globalThis as unknown as { ran?: number }).ran;
  assert.equal(await closed.page.evaluate(flag), undefined);
  assert.deepEqual(closed.sent, []);

  const trusted = await open(
    await exportHtml(notebook(code("a", [display("text/html", bad)])), {
      trust: true,
    }),
  );
  await trusted.page.waitForFunction(flag);
  assert.match(
    await trusted.page.locator(".banner.trusted").innerText(),
    /Trusted page/,
  );
});

/** A chart as Plot draws it: marks with titles, a clip, a gradient. */
const chart = (width: number) =>
  `<svg class="plot-a" xmlns="${SVG}" width="${width}" height="80" viewBox="0 0 ${width} 80">
<style>:where(.plot-a) { --plot-background: white; } .dot { stroke-width: 0 }</style>
<clipPath id="clip-1"><rect x="20" width="${
    width - 40
  }" height="80"/></clipPath>
<linearGradient id="g"><stop offset="0" stop-color="#d33"/><stop offset="1" stop-color="#33d"/></linearGradient>
<marker id="m" viewBox="0 0 4 4" markerWidth="4" markerHeight="4" refX="2" refY="2"><circle cx="2" cy="2" r="2"/></marker>
<g clip-path="url(#clip-1)"><rect width="${width}" height="80" fill="url(#g)"/>
<path d="M0,20L${width},60" stroke="green" marker-start="url(#m)" marker-end="url(#m)"/></g>
<g aria-label="dot"><circle class="dot" cx="60" cy="40" r="8" fill="orange"><title>LR 1e-3
71.2 %</title></circle><circle class="dot" cx="110" cy="40" r="8" fill="gold"><title>LR 1e-2
65.0 %</title></circle></g></svg>`;

/** The n-th chart where it is, but drawn at a whole pixel and on white. */
async function shot(page: Page, n: number): Promise<string> {
  const clip = await page.locator("svg").nth(n).evaluate((svg) => {
    for (const e of document.querySelectorAll("svg")) e.style.position = "";
    for (const e of document.querySelectorAll<HTMLElement>(".out")) {
      e.style.cssText = "contain:none;overflow:visible"; // for a picture alone
    }
    svg.style.cssText +=
      "position:fixed;left:0;top:0;margin:0;z-index:9;background:#fff";
    return { x: 0, y: 0, width: svg.clientWidth, height: svg.clientHeight };
  });
  return (await page.screenshot({ clip })).toString("base64");
}

test("charts look as they do alone, though their ids are the same", async ({ open }) => {
  const [a, b] = [chart(200), chart(320)];
  const { page } = await open(
    await exportHtml(notebook(
      code("a", [display("text/html", a), display("image/svg+xml", b)]),
      code("b", [display("text/html", a)]),
    )),
  );
  const shots = [];
  for (const n of [0, 1, 2]) shots.push(await shot(page, n));
  const alone = [];
  for (const svg of [a, b]) {
    const one = await open(`<!doctype html><body>${svg}`);
    alone.push(await shot(one.page, 0));
  }
  assert.ok(shots[0] === alone[0], "the first chart differs");
  assert.ok(shots[1] === alone[1], "the second chart differs");
  assert.ok(shots[2] === alone[0], "the third chart differs");
});

test("a chart tells its values to the pointer and to the keyboard", async ({ open }) => {
  const html = await exportHtml(
    notebook(code("a", [display("text/html", chart(200))])),
  );
  const { page, errors } = await open(html);
  const tip = page.locator(".tip");
  await page.locator("circle").nth(2).hover();
  assert.equal(await tip.innerText(), "LR 1e-2\n65.0 %");
  // the browser's own tooltip would lie on top of it
  assert.equal(await page.locator("title").last().textContent(), "");
  const box = (await page.locator("circle").nth(1).boundingBox())!;
  await page.mouse.move(box.x - 9, box.y + 8); // beside it
  assert.equal(await tip.innerText(), "LR 1e-3\n71.2 %");
  await page.mouse.move(box.x - 20, box.y + 8);
  assert.ok(await tip.isHidden());
  await page.mouse.move(2, 2);
  assert.ok(await tip.isHidden());
  assert.match(await page.locator("title").last().textContent() ?? "", /65/);

  for (let i = 0; i < 12; i++) {
    await page.keyboard.press("Tab");
    const on = await page.evaluate(() => document.activeElement?.localName);
    if (on === "svg") break;
  }
  assert.equal(await tip.innerText(), "LR 1e-3\n71.2 %");
  await page.keyboard.press("ArrowRight");
  assert.equal(await tip.innerText(), "LR 1e-2\n65.0 %");
  await page.keyboard.press("Escape");
  assert.ok(await tip.isHidden());
  assert.deepEqual(errors, []);

  const plain = await open(html, { javaScriptEnabled: false });
  assert.match(await plain.page.content(), /<title>LR 1e-3\n71.2 %<\/title>/);
});

const rich = () =>
  exportHtml(
    notebook(
      markdown(
        "# Report\n\nText `code` [link](https://a.example) $x^2$ $\\foo$\n\n" +
          "> quoted\n\n## First\n\n#### Deep\n\n| a | b |\n|-|-|\n| 1 | 2 |\n\n" +
          "```python\ndef f(x): return 'a' # comment\n```",
      ),
      markdown("## Second"),
      code(
        "// comment\nconst re = /a+/g, n: number = 1e-3;\n" +
          "class A<T> extends B { #x = `t${n}`; @dec async f() {} }",
        [
          stream(
            Array.from({ length: 16 }, (_, i) =>
              `\x1b[${i < 8 ? 30 + i : 82 + i}mtext${i}\x1b[0m `).join("") +
              Array.from({ length: 16 }, (_, i) =>
                `\x1b[${i < 8 ? 40 + i : 92 + i};37mback${i}\x1b[0m `).join(
                  "",
                ) +
              "\x1b[38;2;1;2;3mblack\x1b[38;2;250;250;250mwhite" +
              "\x1b[38;5;226myellow\x1b[0m\x1b[7minverse\x1b[0m\x1b[2mdim\x1b[0m",
          ),
          display("application/json", { a: [1, null, true, "x"] }),
          display("text/html", '<p style="background: #ffd">a pale ground</p>'),
          display(
            "image/svg+xml",
            '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="20">' +
              '<text y="15">black as drawn</text></svg>',
          ),
        ],
      ),
      { ...code("slow()", []), metadata: { ferlab: { seconds: 3 } } },
      code("fail()", [error("TypeError", "no such thing")]),
      code("never()"),
    ),
    { provenance: { Commit: "abc" } },
  );

test("all text is at least 4.5:1 in both themes, by system and by choice", async ({ open }) => {
  const html = await rich();
  for (const system of ["light", "dark"] as const) {
    for (const chosen of ["system", "light", "dark"]) {
      const { page } = await open(html, { colorScheme: system });
      await page.locator(`#ui--${chosen}`).check({ force: true });
      await page.locator("#ui--code").check();
      await page.locator(".times summary").click();
      const low = await page.evaluate(contrasts);
      assert.deepEqual(low.bad, [], `${system}, ${chosen}`);
      assert.ok(low.seen > 60, `${low.seen} texts`);
      const dark = chosen === "dark" ||
        (chosen === "system" && system === "dark");
      assert.equal(low.ground < 128, dark, `${system}, ${chosen}`);
      await page.context().close();
    }
  }
});

/** In the page: texts whose colour is less than 4.5:1 on what is behind. */
function contrasts() {
  const canvas = document.createElement("canvas").getContext("2d")!;
  const rgb = (css: string) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = css;
    canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const light = (c: ArrayLike<number>) => {
    const [r, g, b] = [0, 1, 2].map((i) => {
      const v = c[i] / 255;
      return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const bad: string[] = [];
  let seen = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, e = node.parentElement!;
    if (!node.textContent!.trim() || !e.checkVisibility()) continue;
    if (e.closest("script, .katex-mathml, .anchor, .skip, legend")) continue;
    const ink = getComputedStyle(e).color;
    let behind = e, ground = rgb(getComputedStyle(behind).backgroundColor);
    while (ground[3] < 255 && behind.parentElement) {
      behind = behind.parentElement;
      ground = rgb(getComputedStyle(behind).backgroundColor);
    }
    const [a, b] = [light(rgb(ink)), light(ground)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    seen++;
    if (ratio < 4.5) {
      bad.push(`${node.textContent!.trim().slice(0, 20)}: ${ratio.toFixed(2)}`);
    }
  }
  const ground = rgb(getComputedStyle(document.body).backgroundColor)[0];
  return { bad, seen, ground };
}

test("the page has landmarks, headings in order, names, and folds by keyboard", async ({ open }) => {
  const { page } = await open(await rich());
  const seen = await page.evaluate(() => ({
    landmarks: ["header", "nav", "main", "footer"].map((tag) =>
      document.querySelectorAll(`body > ${tag}, .page > ${tag}`).length
    ),
    levels: [...document.querySelectorAll("h1,h2,h3,h4,h5,h6")].map((h) =>
      Number(h.localName[1])
    ),
    unnamed: [...document.querySelectorAll(
      "img:not([alt]), svg[role=img]:not([aria-label])",
    )]
      .length,
    language: document.documentElement.lang,
    dead: [...document.querySelectorAll<HTMLAnchorElement>('a[href^="#"]')]
      .filter((a) =>
        !document.getElementById(decodeURIComponent(a.hash.slice(1)))
      ).length,
  }));
  assert.deepEqual(seen, {
    landmarks: [1, 1, 1, 1],
    levels: [1, 2, 3, 2, 2],
    unnamed: 0,
    language: "en",
    dead: 0,
  });

  const first = page.locator("details.code").first();
  await first.locator("summary").focus();
  await page.keyboard.press("Enter");
  assert.equal(await first.getAttribute("open"), "");
  await page.keyboard.press("Enter");
  assert.equal(await first.getAttribute("open"), null);
  await page.locator("#ui--code").focus();
  await page.keyboard.press("Space");
  const open_ = () => page.locator("details.code[open]").count();
  assert.equal(await open_(), 4);
  await page.keyboard.press("Space");
  assert.equal(await open_(), 0);
});

test("folding all code and the theme work without scripts", async ({ open }) => {
  const { page } = await open(await rich(), { javaScriptEnabled: false });
  const source = page.locator("details.code:not([open]) .src").first();
  assert.ok(await source.evaluate((e) => !e.checkVisibility()));
  await page.locator("#ui--code").check();
  assert.ok(await source.evaluate((e) => e.checkVisibility()));
  await page.locator("#ui--dark").check({ force: true });
  const ground = await page.evaluate(() =>
    getComputedStyle(document.body).backgroundColor
  );
  assert.equal(ground, "rgb(15, 19, 24)");
});

test("open tags and wide tables of an output leave the rest as it is", async ({ open }) => {
  const wide = `<table><tr>${
    Array.from({ length: 60 }, (_, i) => `<td>column${i}</td>`).join("")
  }</tr></table>`;
  const { page } = await open(
    await exportHtml(notebook(
      code("a", [stream("before")]),
      code("b", [
        display("text/html", "<div><table><b><i><style>*{color:red"),
        display("text/html", wide),
        display("text/html", "text with </scRIPt > and </div></section>"),
      ]),
      code("c", [stream("after")]),
    )),
    { width: 600 },
  );
  const seen = await page.evaluate(() => {
    const look = (text: string) => {
      const pre = [...document.querySelectorAll("pre")]
        .find((e) => e.textContent === text)!;
      const { font, color } = getComputedStyle(pre);
      return [font, color, pre.getBoundingClientRect().left].join();
    };
    const box = document.querySelector('.out[role="region"]:has(td + td)')!;
    return {
      same: look("before") === look("after"),
      page: document.documentElement.scrollWidth,
      scrolls: box.scrollWidth > box.clientWidth,
      cells: document.querySelectorAll("main > .cell").length,
    };
  });
  assert.deepEqual(seen, { same: true, page: 600, scrolls: true, cells: 3 });
});

test("formulas are drawn in their own fonts", async ({ open }) => {
  const { page, requests } = await open(
    await exportHtml(
      notebook(markdown("$$\\sum_i \\mathbb{R} \\mathbf{x}_i$$")),
    ),
  );
  const fonts = await page.evaluate(async () => {
    await document.fonts.ready;
    return [...document.fonts].map((f) => `${f.family} ${f.weight} ${f.status}`)
      .sort();
  });
  assert.deepEqual(fonts, [
    "KaTeX_AMS 400 loaded",
    "KaTeX_Main 400 loaded",
    "KaTeX_Main 700 loaded",
    "KaTeX_Math 400 loaded",
    "KaTeX_Size2 400 loaded",
  ]);
  assert.deepEqual(requests, []);
});

test("the index shows the charts of hostile reports and runs nothing", async (pages) => {
  const report = readReport("a b/x.html", await hostile())!;
  const good = await exportHtml(
    notebook(code("a", [display("text/html", chart(200))])),
    { title: "Good", date: "2030-01-02 03:04" },
  );
  const html = indexHtml([
    { ...report, chart: ATTACKS.map(([, markup]) => markup).join("") },
    readReport("g.html", good)!,
    readReport("h.html", good)!,
  ]);
  for (const text of [html, html.replace(policyTag, "")]) {
    const { page, requests, problems, ran } = await attacked(pages, text);
    assert.deepEqual([ran, problems, requests], [0, [], []]);
    assert.equal(await page.locator(".reports > li").count(), 3);
    const link = page.getByRole("link", { name: "Good" }).first();
    assert.equal(await link.getAttribute("href"), "g.html");
    const twice = await page.evaluate(() => {
      const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
      return ids.filter((id, i) => ids.indexOf(id) !== i);
    });
    assert.deepEqual(twice, []);
  }
});
