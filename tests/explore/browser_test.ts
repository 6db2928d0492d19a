/// <reference lib="dom" />
/** Exported reports of the records at cpu, questioned in a real browser. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { EXPLORE_TYPE } from "../../lib/explore/mod.ts";
import { askingAnswer, askingClaims } from "../../lib/explore/pack.ts";
import { remember } from "../../lib/explore/record.ts";
import * as lab from "../../lib/lab.ts";
import type { Trial } from "../../lib/lab.ts";
import {
  exportHtml,
  type Output,
  readNotebook,
} from "../../lib/notebook/mod.ts";
import * as reports from "../../lib/reports/mod.ts";
import { browserTest as test } from "../browser/_browser.ts";
import { code, display, markdown, notebook } from "../notebook/_notebook.ts";
import { trialsOfStudy } from "./_trials.ts";

type Shown = Record<string, unknown>;
const root = new URL("../../", import.meta.url).pathname;

const displayed = async (value: unknown): Promise<Shown> =>
  // deno-lint-ignore no-explicit-any
  await (value as any)[Symbol.for("Jupyter.display")]();

const output = (data: Shown): Output =>
  ({ ...display("text/html", ""), data }) as Output;
const pageOf = (...shown: Shown[]) =>
  exportHtml(notebook(
    markdown("# Report"),
    ...shown.map((data) => code("show()", [output(data)])),
  ));

/** Opens the panel, and waits until all is shown. */
async function question(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Question this report" }).click();
  await page.waitForSelector("body[data-asked]", { timeout: 60_000 });
}
/** Does something and waits until all is drawn again. */
async function and(page: Page, act: () => Promise<unknown>): Promise<void> {
  await page.evaluate(() => delete document.body.dataset.asked);
  await act();
  await page.waitForSelector("body[data-asked]", { timeout: 60_000 });
}

const claimRows = (page: Page) =>
  page.locator("table.claims tbody tr").evaluateAll((rows) =>
    rows.map((row) => row.textContent)
  );

const REPORTS = join(root, "results/cpu");
/** The reports at cpu that hold trials. */
const PAGES = readdirSync(REPORTS).filter((file) => file.endsWith(".ipynb"))
  .filter((file) =>
    /"trials": "[\w+/=]+"/.test(readFileSync(join(REPORTS, file), "utf8"))
  ).map((file) => file.replace(".ipynb", "")).sort();
/** Some with a claim, and with an answer, by rules of the library. */
const ASKED = new Set(
  ["04-eps", "08-cls-vs-vit", "12-mixup-alpha", "13-attention-drop"],
);
/** Said of what only a notebook's own code can make, and of what did not change. */
const OWN =
  /^It rests on|^As written: (the notebook's own (code|rule)|numbers in this|its rule chooses|it rests on a trial that its cell chose)/;

for (const name of PAGES) {
  test(`${name}: the page says what the notebook's claims say, to the last digit`, async ({ open }) => {
    const file = join(REPORTS, `${name}.ipynb`);
    const html = await exportHtml(await readNotebook(file));
    const { page, errors, sent } = await open(html);
    const written = await claimRows(page);
    const { claims, answer } = JSON.parse(
      readFileSync(join(REPORTS, `${name}.claims.json`), "utf8"),
    );
    const said = page.locator(".answer").first();
    assert.equal(await said.innerText(), answer.text);
    for (const [i, { verdict, why, claim }] of claims.entries()) {
      assert.ok(written[i]?.includes(verdict), `${claim}: ${written[i]}`);
      assert.ok(written[i]?.includes(why), `${claim}: ${written[i]}`);
    }
    await question(page);
    const asked = await page.locator(".ask-verdicts > li").evaluateAll((
      all,
    ) => all.map((e) => (e as HTMLElement).dataset));
    assert.deepEqual(
      asked.map((a) => a.verdict),
      claims.map((c: { verdict: string }) => c.verdict),
    );
    if (ASKED.has(name)) {
      assert.ok(asked.some((a) => a.asked === "yes"), "none can be asked");
    }
    // Judged and drawn again, with nothing left out: no trial waits.
    await and(page, () =>
      page.evaluate(() => {
        location.hash = "#ask=" +
          encodeURIComponent(JSON.stringify({ states: ["WAITING"] }));
      }));
    const again = (await claimRows(page)).map((row) =>
      row!.replace(/as written(, by the notebook's own rule)?: /gi, "")
    );
    assert.deepEqual(again, written);
    assert.equal(await said.innerText(), answer.text);
    const notes = await page.locator(".as-written .note").allTextContents();
    assert.deepEqual(
      notes.filter((text) => !OWN.test(text)),
      [],
      "something does not come out as written",
    );
    assert.ok(!ASKED.has(name) || notes.every((t) => !/sentence/.test(t)));
    await and(
      page,
      () => page.getByRole("button", { name: "As written" }).click(),
    );
    assert.deepEqual(await claimRows(page), written);
    assert.equal(new URL(page.url()).hash, "");
    assert.deepEqual([errors, sent], [[], []]);
  });
}

const EVIL =
  `</script><script>window.ran=1</script><img src=x: onerror="window.ran=1">`;

test("a filter and a margin give what the library gives; names that are markup are text", async ({ open }) => {
  const trials = trialsOfStudy().map((t) => ({ ...t, study: EVIL }));
  remember(trials);
  const best = lab.effects(trials, { of: "depth", base: 2, at: "best" });
  const claim = { claim: EVIL, published: EVIL };
  const list = [{ ...claim, ...lab.noGain(best, { points: 2 }) }];
  const study = {
    profile: "cpu",
    dataName: "fer2013",
    job: { recipe: {} },
    name: EVIL,
  };
  const shown = askingClaims(
    lab.table([]),
    study as unknown as lab.Study,
    list,
    list.map(({ claim, published, ours, verdict, why }) => ({
      ...{ claim, published, ours, verdict, why },
    })),
  );
  const words = (of: lab.Effect[], from = reports) => ({
    by: from.noGain(of, { points: 2 }),
    ...{ holds: EVIL, fails: "no", open: "whether 2 are enough" },
    number: `of the others ${from.gainText(of)}`,
  });
  const answered = askingAnswer(
    Object.assign(lab.table([]), {
      text: reports.answerText(words(best), study as unknown as lab.Study),
    }),
    study as unknown as lab.Study,
    words(best, lab),
  );
  const html = await pageOf(
    { ...await displayed(shown), "text/html": "<p>claims</p>" },
    await displayed(lab.forestChart(best)),
    {
      ...await displayed(answered),
      "text/html": `<p class="answer">was</p><p class="note">It rests.</p>`,
    },
    await displayed(lab.decide(lab.keepUnlessBeaten(best), { name: "of" })),
  );
  const { page, errors, sent } = await open(html);
  await question(page);
  const left = trials.filter((t) => t.repeat !== 1);
  const expected = reports.noGain(
    reports.effects(left, { of: "depth", base: 2, at: "best" }),
    { points: 12 },
  );
  const repeats = page.locator("fieldset", { hasText: "repeat" });
  await and(page, () => repeats.getByRole("checkbox").nth(1).click());
  await and(page, async () => {
    await page.getByLabel(/^Margin of/).fill("12");
    await page.getByLabel(/^Margin of/).press("Tab");
  });
  const [row] = await claimRows(page);
  for (
    const part of [expected.verdict, expected.why, expected.ours.split("; ")[0]]
  ) {
    assert.ok(row!.includes(part), `${part}: ${row}`);
  }
  assert.match(
    await page.locator(".ask-bar").innerText(),
    /margin 12 points.*without repeat 2/,
  );
  // A link shows what one saw.
  const again = await open(html.replace("<title>", "<title>Again "));
  await again.page.evaluate(
    (hash) => location.hash = hash,
    new URL(page.url()).hash,
  );
  await again.page.reload();
  await again.page.waitForSelector("body[data-asked]", { timeout: 60_000 });
  assert.deepEqual(await claimRows(again.page), [row]);
  // The answer follows, and says what was written; the decision's rule too.
  const said = page.locator(".answer + .note");
  assert.equal(
    await said.innerText(),
    "So it was written, and 27 of 36 trials still say it. As written: It rests.",
  );
  await and(page, () => repeats.getByRole("checkbox").nth(0).click());
  const few = reports.effects(left.filter((t) => t.repeat !== 0), {
    ...{ of: "depth", base: 2, at: "best" },
  });
  assert.equal(
    await page.locator(".answer").innerText(),
    reports.answerText(words(few), study as unknown as lab.Study),
  );
  assert.match(
    await said.innerText(),
    /^By 18 of 36 trials, as they are judged now\. As written: “.*” It rests\.$/,
  );
  assert.match(
    await page.locator(".out.md").innerText(),
    /^Decision\. None: fewer than three paired seeds\.\s+As written:\s+Decision\. Of 2\.$/,
  );
  const ran = () => (globalThis as unknown as { ran?: number }).ran ?? 0;
  assert.equal(await page.evaluate(ran) + await again.page.evaluate(ran), 0);
  assert.deepEqual([errors, sent], [[], []]);
});

test("a rectangle in a chart and a range on an axis keep the trials in them", async ({ open }) => {
  const trials = trialsOfStudy();
  remember(trials);
  const best = lab.effects(trials, { of: "depth", base: 2, at: "best" });
  const html = await pageOf(
    await displayed(lab.heatMapChart(trials, { x: "lr", y: "depth" })),
    await displayed(lab.forestChart(best)),
    await displayed(lab.parallelChart(trials, { axes: ["depth", "lr"] })),
    {
      ...await displayed(askingClaims(
        lab.table([]),
        {
          ...{ profile: "cpu", dataName: "fer2013", name: "made-up" },
          job: { recipe: {} },
        } as unknown as lab.Study,
        [],
        [],
      )),
      "text/html": "<p>claims</p>",
    },
  );
  const { page, errors } = await open(html);
  await question(page);
  const heat = page.locator(".out figure > svg").nth(0);
  const boxes = await heat.locator("[data-setting]").evaluateAll((cells) =>
    cells.filter((c) =>
      JSON.parse((c as HTMLElement).dataset.setting!).depth[0] < 8
    ).map((c) => c.getBoundingClientRect().toJSON())
  ) as DOMRect[];
  assert.equal(boxes.length, 6);
  await and(page, async () => {
    await page.mouse.move(
      Math.min(...boxes.map((b) => b.left)) + 1,
      Math.min(...boxes.map((b) => b.top)) + 1,
    );
    await page.mouse.down();
    await page.mouse.move(
      Math.max(...boxes.map((b) => b.right)) - 1,
      Math.max(...boxes.map((b) => b.bottom)) - 1,
      { steps: 4 },
    );
    await page.mouse.up();
  });
  const bar = page.locator(".ask-bar");
  assert.match(
    await bar.innerText(),
    /only 24 trials of made-up, picked in a chart/,
  );
  assert.equal(
    await page.getByText(/^Trial \d+ of/).count(),
    0,
    "a drag is no click on a trial",
  );
  const left = trials.filter((t) => t.depth < 8);
  const expected = lab.forestChart(
    lab.effects(left, { of: "depth", base: 2, at: "best" }),
  );
  const words = (text: string) =>
    [...text.matchAll(/\[[^\]]+\]/g)].map(([w]) => w);
  assert.deepEqual(
    words(await page.locator(".out figure > svg").nth(1).innerHTML()),
    words(expected.svg),
  );
  // By the keyboard: the lowest depth, then Enter.
  const axis = page.getByRole("slider", { name: /^depth: range/ });
  await axis.focus();
  await page.keyboard.press("ArrowUp");
  await and(page, () => page.keyboard.press("Enter"));
  assert.match(await bar.innerText(), /only 12 trials of made-up/);
  await and(
    page,
    () => page.getByRole("button", { name: /^All trials/ }).click(),
  );
  assert.equal(await bar.isVisible(), false);
  assert.deepEqual(errors, []);
});

test("explore: a frame where scripts run, and in an exported page its own script", async ({ open }) => {
  const data = await displayed(lab.explore(trialsOfStudy()));
  // As JupyterLab does with what a cell has just shown.
  const { page, errors, sent } = await open("<!doctype html><main></main>");
  await page.evaluate((html) => {
    const main = document.querySelector("main")!;
    main.innerHTML = html;
    for (const script of main.querySelectorAll("script")) {
      const own = document.createElement("script");
      own.textContent = script.textContent;
      script.replaceWith(own);
    }
  }, data["text/html"] as string);
  const frame = page.frameLocator("iframe");
  await frame.getByRole("button", { name: "Question this report" }).click();
  const repeats = frame.locator("fieldset", { hasText: "repeat" });
  await repeats.getByRole("checkbox").first().click();
  await frame.getByText("Not as written").waitFor();
  assert.match(await frame.locator(".ask-bar").innerText(), /without repeat 1/);
  assert.deepEqual([errors, sent], [[], []]);

  const exported = await open(await pageOf(data));
  assert.equal(await exported.page.locator("iframe, .note").count(), 0);
  await question(exported.page);
  assert.equal(await exported.page.locator(".out figure > svg").count(), 1);
});

test("an address that makes no sense is told in one line; filters may leave no trial", async ({ open }) => {
  const trials = trialsOfStudy(3);
  remember(trials);
  const best = lab.effects(trials, { of: "depth", base: 2, at: "best" });
  const html = await pageOf(
    await displayed(lab.forestChart(best)),
    await displayed(lab.effectTable(best)),
    await displayed(lab.heatMapChart(trials, { x: "lr", y: "depth" })),
    await displayed(lab.lineChart(lab.epochRows(trials), {
      ...{ x: "epoch", y: "accuracy", series: "depth" },
    })),
    await displayed(lab.explore(trials)),
  );
  const { page, errors, sent } = await open(html);
  await question(page);
  const under = async (text: string) => {
    await and(page, () =>
      page.evaluate((text) => {
        location.hash = `#ask=${text}`;
      }, text));
    return await page.locator(".ask-bar").innerText();
  };
  const json = (of: unknown) => encodeURIComponent(JSON.stringify(of));
  const OUT =
    /^As written\s+As written\. The address asks for what this report/;
  for (
    const odd of [
      "%",
      "AAAA====",
      "null",
      "5",
      "x".repeat(1_000_000),
      json({ number: "constructor" }),
      json({ level: 1e300, correction: {}, unpaired: "no" }),
      json({ level: 0.99999999999999999 }),
      json({ level: 1e-300 }),
      json({ margins: { 0: 1, "-1": 1, 1e9: null } }),
      json({ values: { nothing: ["x".repeat(50_000)], depth: 5 } }),
      json({ ranges: { depth: [1, null], lr: "all" }, only: [["made-up"]] }),
      json({ only: { "made-up": [1e9], constructor: [0] } }),
      json({ seeds: [1e9, null, "0"], states: ["__proto__"], more: 1 }),
      `%7B%22__proto__%22%3A%7B%22seeds%22%3A%5B0%5D%7D%2C%22values%22%3A` +
      `%7B%22__proto__%22%3A%5B%22x%22%5D%7D%7D`,
    ]
  ) {
    const line = await under(odd);
    assert.match(line, OUT, odd.slice(0, 200));
    assert.ok(line.length < 300, line);
    assert.equal(await page.locator(".out.asked").count(), 0, odd);
  }
  // The rest of an address counts.
  assert.match(
    await under(json({ seeds: [0, 99], number: "loss" })),
    /^As written\s+Not as written: without repeat 1\. .* out: number, repeat\. /,
  );
  const all = trials.map((t) => t.number);
  for (
    const few of [
      { only: { "made-up": [] } },
      { only: { "made-up": [all[0]] } },
      { only: { "made-up": [5] } },
      { seeds: [0, 1, 2] },
      { ranges: { depth: [9, 1e308] } },
      { states: ["COMPLETE"] },
      { values: { depth: ["2"] }, level: 0.9999, unpaired: true },
      { level: 0.57, correction: "none", number: "balanced" },
    ]
  ) {
    assert.match(await under(json(few)), /^As written\s+Not as written/);
  }
  assert.deepEqual([errors, sent], [[], []]);
});

test("the keyboard reaches all of it, and stays where it is when things are drawn again", async ({ open }) => {
  const trials = trialsOfStudy();
  const best = lab.effects(trials, { of: "depth", base: 2, at: "best" });
  const html = await pageOf(
    await displayed(lab.explore(trials)),
    await displayed(lab.effectTable(best)),
  );
  const { page, errors } = await open(html);
  const { keyboard } = page;
  const press = (...keys: string[]) =>
    keys.reduce(
      (last, key) => last.then(() => keyboard.press(key)),
      Promise.resolve(),
    );
  const focused = () =>
    page.evaluate(() => {
      const e = document.activeElement as HTMLElement;
      return e.getAttribute("aria-label") ??
        (e.closest("label") ?? e).textContent!;
    });
  await press("Tab", "Tab");
  assert.equal(await focused(), "Question this report");
  await press("Enter");
  await page.waitForSelector("body[data-checked]", { timeout: 60_000 });
  assert.equal(await focused(), "Close");
  // Every control has a name.
  const panel = page.getByRole("complementary", {
    name: "Question this report",
  });
  for (const role of ["button", "checkbox", "combobox", "slider"] as const) {
    const all = panel.getByRole(role);
    assert.ok(await all.count() > 0, role);
    assert.equal(
      await panel.getByRole(role, { name: /\w|×/ }).count(),
      await all.count(),
      role,
    );
  }
  const slider = panel.getByRole("slider").first();
  const before = await slider.getAttribute("aria-valuetext");
  await slider.focus();
  await press("ArrowRight");
  assert.match(before!, /repeats see .* points \(present\)/);
  assert.notEqual(await slider.getAttribute("aria-valuetext"), before);
  await panel.getByRole("checkbox", { name: "paired by seed" }).focus();
  await and(page, () => press("Space"));
  assert.equal(await focused(), "paired by seed");
  // A range on an axis; the chart is another one afterwards.
  const axis = page.getByRole("slider", { name: /^depth: range/ });
  await axis.focus();
  await press("ArrowUp");
  await and(page, () => press("Enter"));
  assert.match(await focused(), /^depth: range/);
  assert.match(await page.getByRole("status").first().innerText(), /only 12/);
  // Two trials of a chart, and back to it.
  const chart = page.locator(".out svg").first();
  await chart.focus();
  await press("ArrowRight", "Enter");
  assert.match(await focused(), /^Trial \d+ of made-up$/);
  await press("Escape");
  assert.ok(await chart.evaluate((e) => e === document.activeElement));
  await press("ArrowRight", "Enter");
  assert.equal(await page.getByText(/^Beside trial \d+/).count(), 1);
  await panel.getByRole("combobox", { name: "Confusion as" }).focus();
  await press("ArrowDown");
  assert.match(await panel.innerText(), /83 %/);
  // What the keyboard was on is gone: it goes on beside it.
  await panel.getByRole("button", { name: /^All trials/ }).focus();
  await and(page, () => press("Enter"));
  assert.equal(await focused(), "Close");
  // A table that was drawn again sorts as well.
  const head = page.locator(".asked th").nth(1);
  await head.getByRole("button").focus();
  await press("Enter");
  assert.equal(await head.getAttribute("aria-sort"), "ascending");
  // Paper says what is not as written, and has no controls; a phone has both.
  await page.emulateMedia({ media: "print" });
  const status = page.getByText(/^Not as written: seeds do not pair runs/);
  assert.ok(await status.isVisible() && await panel.isHidden());
  assert.equal(await page.locator(".ask-bar button:visible").count(), 0);
  await page.emulateMedia({ media: "screen" });
  await page.setViewportSize({ width: 360, height: 740 });
  assert.ok(await status.isVisible() && await panel.isVisible());
  assert.equal(
    await page.evaluate(() => document.documentElement.scrollWidth),
    360,
  );
  await page.getByRole("button", { name: "As written" }).focus();
  await and(page, () => press("Enter"));
  assert.equal(await focused(), "Question this report");
  assert.deepEqual(errors, []);
});

test("trials that all failed, of one seed, without values and of many parameters", async ({ open }) => {
  const names = Array.from({ length: 1000 }, (_, i) => `p${i}`);
  const kinds: Record<string, Trial[]> = {
    failed: trialsOfStudy(2).map((t) => ({
      ...{ ...t, study: "failed", state: "FAIL", accuracy: null },
    })) as unknown as Trial[],
    "one seed": trialsOfStudy(1).map((t) => ({ ...t, study: "one" })),
    "no values": trialsOfStudy(2).map((t) => ({
      ...{ ...t, study: "none", accuracy: null, history: [] },
      ...{ recipe: undefined, provenance: undefined, confusion: null },
    })) as unknown as Trial[],
    "many parameters": trialsOfStudy(1).map((t, i) => ({
      ...{ ...t, study: "many", [lab.charts.channels.PARAMETERS]: names },
      ...Object.fromEntries(
        names.map((name, k) => [name, k === 0 ? i : (i + k) % 3]),
      ),
    })),
  };
  for (const [kind, trials] of Object.entries(kinds)) {
    const axes = kind === "many parameters" ? ["p1", "p2"] : ["depth", "lr"];
    const best = lab.effects(trials, {
      ...{ of: axes[0], base: trials[0][axes[0]], at: "best" },
    });
    const html = await pageOf(
      await displayed(lab.explore(trials, { axes })),
      await displayed(lab.forestChart(best)),
      await displayed(lab.trialTable(trials)),
    );
    const { page, errors } = await open(html);
    await question(page);
    await and(page, () =>
      page.evaluate(() => {
        location.hash = `#ask=${JSON.stringify({ states: ["COMPLETE"] })}`;
      }));
    assert.ok(await page.locator(".ask-panel fieldset").count() > 0, kind);
    const row = page.locator("[data-trial]").first();
    if (await row.count()) await row.dispatchEvent("click");
    assert.deepEqual(errors, [], kind);
  }
});

test("damaged data are one line, and the report stands", async ({ open }) => {
  const zipped = (text: string) => gzipSync(text).toString("base64");
  const sound = zipped(`{"calls": []}`),
    trials = zipped(`{"studies": [], "provenance": []}`);
  for (
    const [asked, table] of [
      ["AAAA", trials],
      [zipped("{"), trials],
      [zipped("null"), trials],
      [sound, zipped(`{"studies": 5}`)],
      [sound, zipped("1".repeat(101_000_000))],
    ]
  ) {
    const html = await pageOf({
      "text/html": "<p>as written</p>",
      [EXPLORE_TYPE]: { version: 1, asked, trials: table },
    });
    const { page, errors } = await open(html);
    await page.getByRole("button", { name: "Question this report" }).click();
    const note = page.getByRole("alert");
    await note.waitFor({ timeout: 60_000 });
    assert.match(await note.innerText(), /^This report cannot be questioned/);
    assert.equal(
      await page.locator(".out p").first().innerText(),
      "as written",
    );
    assert.deepEqual(errors, []);
  }
  // What is no text of that kind is not in the page at all, and static is static.
  const odd = await pageOf({
    "text/html": "<p>x</p>",
    [EXPLORE_TYPE]: { version: 1, asked: EVIL, trials: EVIL },
  });
  assert.ok(!odd.includes("explore--data") && !odd.includes("window.ran"));
});
