/// <reference lib="dom" />
/** Charts and tables of a report answer the hand: pointer, keyboard, touch. */
import assert from "node:assert/strict";
import type { Locator } from "playwright-core";
import { lineChart, parallelChart } from "../../lib/charts/mod.ts";
import { exportHtml } from "../../lib/notebook/mod.ts";
import { tableHtml } from "../../lib/reports/markdown_and_tables.ts";
import { code, display, markdown, notebook } from "../notebook/_notebook.ts";
import { browserTest as test } from "./_browser.ts";

const PARAMETERS = Symbol.for("ferlab.parameters");
const trials = [2, 4].flatMap((depth) =>
  [1e-4, 1e-3, 1e-2].flatMap((lr, i) =>
    [7, 8].map((seed) => ({
      ...{ [PARAMETERS]: ["depth", "lr", "eps"], depth, lr, eps: 1e-8, seed },
      accuracy: 0.4 + 0.05 * i - 0.01 * depth + 0.02 * (seed - 7),
    }))
  )
);

const pageOf = (...outputs: string[]) =>
  exportHtml(notebook(
    markdown("# Report"),
    ...outputs.map((html) => code("show()", [display("text/html", html)])),
  ));

const classesOf = (shapes: Locator) =>
  shapes.evaluateAll((all) => all.map((e) => e.getAttribute("class") ?? ""));

/** A path's point at a share of its length, in the window. */
const pointOn = (path: Locator, share: number) =>
  path.evaluate((element, share) => {
    const curve = element as SVGPathElement;
    const at = curve.getPointAtLength(curve.getTotalLength() * share)
      .matrixTransform(curve.getScreenCTM()!);
    return { x: at.x, y: at.y };
  }, share);

test("pointing at a series lifts it and dims the rest; a run tells its trial", async ({ open }) => {
  const { html } = lineChart(trials, { x: "lr", series: "depth", width: 720 });
  const { page, errors } = await open(await pageOf(html));
  const of = (i: number) => page.locator(`[data-series="${i}"]`);
  const isDim = async (i: number) =>
    (await classesOf(of(i))).map((name) => /\bdim\b/.test(name));
  const all = (dim: boolean[], value: boolean) => dim.every((d) => d === value);

  // A name at a line's end, then the line itself, three pixels beside it.
  await page.locator('text[data-series="1"]').hover();
  assert.ok(all(await isDim(0), true) && all(await isDim(1), false));
  await page.mouse.move(2, 2);
  assert.ok(all(await isDim(0), false) && all(await isDim(1), false));
  const line = page.locator('path[data-series="0"][stroke]').first();
  const beside = await pointOn(line, 0.25);
  await page.mouse.move(beside.x, beside.y - 3);
  assert.ok(all(await isDim(0), false) && all(await isDim(1), true));

  await page.locator(".ferlab-runs circle").nth(6).hover();
  assert.equal(
    await page.locator(".tip").innerText(),
    "depth 4\nlearning rate 10⁻⁴: 36.0 %\nAdam's eps 10⁻⁸, seed 7",
  );
  // The keyboard goes through the values, and each lifts its series.
  await page.mouse.move(2, 2);
  await page.locator(".out svg").focus();
  await page.keyboard.press("End");
  assert.ok(all(await isDim(0), true) && all(await isDim(1), false));
  await page.keyboard.press("Escape");
  assert.ok(all(await isDim(0), false));
  assert.deepEqual(errors, []);
});

test("on a phone a chart is drawn for its width, and answers the hand", async ({ open }) => {
  const { html } = lineChart(trials, { x: "lr", series: "depth" });
  const { page } = await open(await pageOf(html), { width: 360 });
  const narrow = page.locator(".narrow svg");
  assert.ok(await page.locator("figure > svg").isHidden());
  // In pixels of its own, so that its words have their size.
  assert.equal((await narrow.boundingBox())!.width, 320);
  await narrow.locator(".ferlab-runs circle").nth(6).hover();
  assert.match(await page.locator(".tip").innerText(), /^depth 4\n/);
  await page.setViewportSize({ width: 900, height: 900 });
  assert.ok(await narrow.isHidden());
});

test("a range on a parallel axis dims the lines that miss it", async ({ open }) => {
  const axes = ["depth", "lr"];
  const { html } = parallelChart(trials, { axes, width: 720 });
  const { page, errors } = await open(await pageOf(html));
  const lines = page.locator("[data-at]");
  const left = async () =>
    (await classesOf(lines)).filter((name) => !/\boff\b/.test(name)).length;
  const zone = page.locator(".zone").nth(1), tip = page.locator(".tip");
  const box = (await zone.boundingBox())!;
  const x = box.x + box.width / 2;
  const drag = async (from: number, to: number) => {
    await page.mouse.move(x, box.y + from * box.height);
    await page.mouse.down();
    await page.mouse.move(x, box.y + to * box.height, { steps: 3 });
    await page.mouse.up();
  };
  assert.equal(await left(), 12);
  await drag(0.02, 0.7); // the two upper of three rates
  assert.equal(await left(), 8);
  assert.equal(
    await tip.innerText(),
    "learning rate: 10⁻³ to 0.01; 8 of 12 lines",
  );
  // On paper all lines are there, and no range.
  await page.emulateMedia({ media: "print" });
  const opacities = await lines.evaluateAll((all) =>
    all.map((e) => getComputedStyle(e).opacity)
  );
  assert.deepEqual([...new Set(opacities)], ["1"]);
  assert.ok(await page.locator(".range").nth(1).isHidden());
  await page.emulateMedia({ media: "screen" });

  await page.locator(".zone").nth(0).focus();
  await page.keyboard.press("ArrowUp");
  assert.equal(await tip.innerText(), "depth: 2; 4 of 12 lines");
  assert.equal(await left(), 4);
  await page.keyboard.press("Shift+ArrowUp");
  assert.match(
    await page.locator(".zone").nth(0).getAttribute("aria-valuetext") ?? "",
    /^2 to 4; 8 of 12 lines$/,
  );
  await page.keyboard.press("Escape");
  await drag(0.5, 0.5); // a click
  assert.equal(await left(), 12);
  // A line that is pointed at is told, not the one whose box is nearest.
  for (const i of [0, 4, 11]) {
    const line = lines.nth(i);
    const told = await line.locator("title").textContent();
    const on = await pointOn(line, 0.9);
    await page.mouse.move(on.x, on.y + 3);
    assert.equal(await tip.innerText(), told);
    await page.mouse.move(2, 2);
  }
  // Nothing is told between the lines, where a curve's inside lies.
  const inside = await lines.evaluateAll((all) => {
    const curves = all as SVGPathElement[];
    const points = curves.flatMap((c) =>
      Array.from(
        { length: 400 },
        (_, i) => c.getPointAtLength(c.getTotalLength() * i / 400),
      )
    );
    const svg = curves[0].ownerSVGElement!, at = svg.createSVGPoint();
    for (at.x = 50; at.x < 600; at.x += 5) {
      for (at.y = 60; at.y < 330; at.y += 5) {
        const isFar = points.every((p) =>
          Math.hypot(p.x - at.x, p.y - at.y) > 20
        );
        if (isFar && curves.some((c) => c.isPointInFill(at))) {
          const { x, y } = at.matrixTransform(svg.getScreenCTM()!);
          return { x, y };
        }
      }
    }
  });
  await page.mouse.move(inside!.x, inside!.y);
  assert.ok(await tip.isHidden());
  assert.deepEqual(errors, []);
});

const rows = [
  ...[["b 10", "−4.77"], ["b 9", "2×10⁻⁴"], ["a", "–"], ["c", "+12,345"]],
  ...[["d", "53.2 %"], ["e", "10⁻³ (to 1)"]],
].map(([name, value], i) => ({
  ...{ name, value },
  time: ["41 s", "2 h 5 min", "3 min 20 s", "1 min", "5 s", "1 h"][i],
}));

test("a table sorts by a click on its head and is copied as TSV", async ({ open }) => {
  const html = await pageOf(tableHtml(rows));
  const { page, errors } = await open(html);
  const column = (i: number) =>
    page.locator(`td:nth-child(${i})`).allTextContents();
  const head = (i: number) => page.locator("th").nth(i - 1);
  const asIs = await column(2);
  await head(2).getByRole("button").click();
  const rising = ["−4.77", "2×10⁻⁴", "10⁻³ (to 1)", "53.2 %", "+12,345", "–"];
  assert.deepEqual(await column(2), rising);
  assert.equal(await head(2).getAttribute("aria-sort"), "ascending");
  await page.keyboard.press("Enter");
  assert.deepEqual(await column(2), [...rising.slice(0, -1).toReversed(), "–"]);
  await page.keyboard.press("Enter");
  assert.deepEqual(await column(2), asIs);
  assert.equal(await head(2).getAttribute("aria-sort"), null);
  await head(3).getByRole("button").click();
  assert.equal(
    (await column(3)).join(", "),
    "5 s, 41 s, 1 min, 3 min 20 s, 1 h, 2 h 5 min",
  );
  await head(1).getByRole("button").click();
  assert.equal((await column(1)).join(", "), "a, b 9, b 10, c, d, e");

  const copied = page.evaluate(() =>
    new Promise<string>((done) => {
      navigator.clipboard.writeText = async (text) => await done(text);
    })
  );
  await page.getByRole("button", { name: "Copy as TSV" }).focus();
  await page.keyboard.press("Enter");
  const [first, second, third] = (await copied).split("\n");
  assert.equal(first, "name\tvalue\ttime");
  assert.equal(second, "a\t–\t3 min 20 s");
  assert.equal(third, "b 9\t2×10⁻⁴\t2 h 5 min");
  assert.match(await copied, /\nb 10\t-4\.77\t/);
  assert.equal(await page.locator(".tip").innerText(), "Copied 6 rows");
  assert.deepEqual(errors, []);

  const plain = await open(html, { javaScriptEnabled: false });
  assert.equal(await plain.page.locator("button").count(), 0);
  assert.equal(await plain.page.locator("th").first().textContent(), "name");
});

test("charts and tables that make no sense are left as they are", async ({ open }) => {
  const svg = `<svg width="99" height="99" viewBox="0 0 99 99">`;
  const { page, errors } = await open(
    await pageOf(
      `${svg}<line data-axis="0" x1="x"/><path data-at="a b"><title>a</title>` +
        `</path></svg>`,
      `${svg}<line data-axis="0" x1="5" y1="9" y2="90"/>` +
        `<path d="M0,0L9,9" data-at=""/><path data-at="1e999 NaN"/></svg>`,
      `${svg}<g data-series="&quot;]"><text y="20">x</text></g></svg>`,
      `<table><thead><tr><th><a href="#x">a</a></th><th></th></tr></thead>` +
        `<tbody><tr><td>1</td></tr><tr></tr></tbody></table>`,
      `<table><thead><tr><th colspan="2">a</th></tr></thead><tbody><tr>` +
        `<td>1</td></tr><tr><td>0</td></tr></tbody></table>`,
      `<table><tbody><tr><td><table></table></td></tr></tbody></table>`,
    ),
  );
  await page.locator("text").hover();
  assert.equal(await page.locator(".sort").count(), 0);
  await page.keyboard.press("Tab");
  assert.deepEqual(errors, []);
});

test("a chart is taken along as SVG and CSV, terms have notes, the contents mark the place", async ({ open }) => {
  const { html } = lineChart(trials, { x: "lr", series: "depth" });
  const filler = "text\n\n".repeat(60);
  const { page, errors } = await open(
    await exportHtml(notebook(
      markdown(`# A\n\n## One\n\nRates with Holm's correction.\n\n${filler}`),
      markdown("## Two\n\nBy `Holm` and by Holm."),
      code("chart()", [display("text/html", html)]),
      markdown(filler),
    )),
  );
  const here = () => page.locator("nav [aria-current]").allTextContents();
  await page.locator("h2").nth(1).evaluate((e) =>
    e.scrollIntoView({ behavior: "instant" })
  );
  await page.waitForFunction(() =>
    document.querySelector("nav [aria-current]")?.textContent === "Two"
  );
  assert.deepEqual(await here(), ["Two"]);

  const terms = page.locator(".term");
  assert.deepEqual(await terms.allTextContents(), ["Holm's", "Holm"]);
  await terms.nth(1).focus();
  const tip = page.locator(".tip");
  assert.match(await tip.innerText(), /^Holm's correction: p values of/);
  await page.keyboard.press("Escape");
  assert.ok(await tip.isHidden());
  await terms.nth(1).hover();
  assert.ok(await tip.isVisible());

  const saved = async (kind: string) => {
    const begins = page.waitForEvent("download");
    await page.getByRole("button", { name: `Download as ${kind}` }).click();
    const download = await begins;
    const text = await Deno.readTextFile(await download.path());
    return { name: download.suggestedFilename(), text };
  };
  const csv = await saved("CSV");
  assert.match(csv.name, /-figure-1\.csv$/);
  const lines = csv.text.trim().split(/\r?\n/);
  assert.equal(lines[0], "lr,accuracy,depth,eps,seed");
  assert.equal(lines[1], "0.0001,0.38,2,1e-8,7");
  assert.equal(lines.length, 13);
  const svg = await saved("SVG");
  const parsed = await page.evaluate(
    (text) =>
      new DOMParser().parseFromString(text, "image/svg+xml")
        .querySelectorAll("parsererror, script").length,
    svg.text,
  );
  assert.equal(parsed, 0);
  assert.doesNotMatch(svg.text, /@scope|tabindex|data-csv/);
  assert.deepEqual(errors, []);
});
