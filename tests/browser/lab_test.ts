/**
 * JupyterLab with our kernel, driven in Chromium. It needs a venv with
 * JupyterLab, so it runs only where CI or FERLAB_JUPYTER is set.
 */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { type Lab, startLab } from "../../tasks/lab.ts";
import { inFolder } from "../_folder.ts";
import { code, notebook, ROOT } from "../notebook/_notebook.ts";

const CHROMIUM = Deno.env.get("FERLAB_CHROMIUM") ?? "/usr/bin/chromium";
const ignore = !Deno.env.get("CI") && !Deno.env.get("FERLAB_JUPYTER");
const WAIT = 30_000; // ms

const SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="60">' +
  '<text x="10" y="40" font-size="30" fill="currentColor">accuracy</text>' +
  "</svg>";

/** The notebooks of this test, as lists of cells. */
const NOTEBOOKS = {
  chatty: Array.from(
    { length: 20 },
    (_, n) => `for (let i = 0; i < 50; i++) console.log("${n}:" + i);`,
  ),
  failing: ["1 + 1", "\nthrow new Error('on purpose');", "'never'"],
  stopped: [
    "let kept = 41;",
    "console.log('go'); await new Promise(() => {});",
    "console.log('go'); while (true) {}",
    "++kept",
  ],
  chart: [
    `await Deno.jupyter.broadcast("display_data", {
       data: { "image/svg+xml": ${JSON.stringify(SVG)} }, metadata: {} });`,
  ],
  trials: [
    `import { explore } from "ferlab";
     explore([0, 1, 2, 3].map((i) => ({
       study: "made-up", number: i, repeat: i % 2, seed: i, state: "COMPLETE",
       depth: i < 2 ? 2 : 4, accuracy: 0.5 + i / 100, history: [], recipe: {},
       start: i, end: i + 1, [Symbol.for("ferlab.parameters")]: ["depth"],
     })));`,
  ],
};

/** Asks `met` until it says yes. */
async function eventually(met: () => Promise<unknown>): Promise<void> {
  for (const end = Date.now() + WAIT; !await met();) {
    if (Date.now() > end) throw new Error(`not met in ${WAIT} ms: ${met}`);
    await new Promise((r) => setTimeout(r, 100));
  }
}

/** Whether the notebook has a kernel at rest that the page is connected to. */
async function hasKernel(lab: Lab, path: string): Promise<boolean> {
  const url = `http://127.0.0.1:${lab.port}/api/sessions?token=${lab.token}`;
  const all: {
    path: string;
    kernel: { execution_state: string; connections: number };
  }[] = await (await fetch(url)).json();
  return all.some(({ path: p, kernel }) =>
    p.endsWith(path) && kernel.execution_state === "idle" &&
    kernel.connections > 0
  );
}

/** One open notebook in JupyterLab. */
class Sheet {
  constructor(readonly page: Page) {}

  static async open(browser: Browser, lab: Lab, name: string): Promise<Sheet> {
    const page = await browser.newPage();
    page.setDefaultTimeout(WAIT);
    const path = `lab/workspaces/${name}/tree/${name}.ipynb`;
    await page.goto(
      `http://127.0.0.1:${lab.port}/${path}?token=${lab.token}&reset`,
    );
    // The page says idle before it has a kernel; the server knows.
    await eventually(() => hasKernel(lab, `${name}.ipynb`));
    await page.locator(
      '.jp-Notebook-ExecutionIndicator[data-status="idle"]',
    ).waitFor();
    return new Sheet(page);
  }

  cell(n: number) {
    return this.page.locator(`.jp-Cell[data-windowed-list-index="${n}"]`);
  }

  output(n: number) {
    return this.cell(n).locator(".jp-OutputArea-output");
  }

  /** Chooses an item of a menu, or of a menu in it. */
  async menu(...path: string[]) {
    const [bar, ...items] = path;
    await this.page.locator(".lm-MenuBar-item", { hasText: bar }).click();
    for (const [i, text] of items.entries()) {
      const item = this.page.locator(".lm-Menu").nth(i)
        .locator(".lm-Menu-item", { hasText: text }).first();
      await item.hover();
      if (i === items.length - 1) await item.click();
    }
  }

  async runAll() {
    await this.menu("Run", "Run All Cells");
  }

  async run(n: number) {
    await this.cell(n).locator(".cm-content").click();
    await this.page.keyboard.press("Shift+Enter");
  }

  async stop() {
    await this.page.locator('[data-jp-item-name="interrupt"]').first().click();
  }

  /** Waits until cell `n` shows `text`. */
  async shows(n: number, text: string) {
    await this.output(n).filter({ hasText: text }).first().waitFor();
  }

  /** Waits until cell `n` has ended; its count. */
  async count(n: number): Promise<number> {
    const prompt = this.cell(n).locator(".jp-InputPrompt").first();
    let count = 0;
    await eventually(async () => {
      count = Number(/\[(\d+)\]/.exec(await prompt.innerText())?.[1] ?? 0);
      return count;
    });
    return count;
  }
}

/** The contrast of the chart's text on what is behind it (WCAG 2.2). */
function contrast(page: Page): Promise<number> {
  return page.evaluate(`(() => {
    const text = document.querySelector(".jp-OutputArea-output svg text");
    const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
    let behind = text;
    const seen = (e) => (numbers(getComputedStyle(e).backgroundColor)[3] ?? 1) > 0;
    while (!seen(behind)) behind = behind.parentElement;
    const luminance = (colour) => {
      const [r, g, b] = numbers(colour).map((v) => {
        const c = v / 255;
        return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const pair = [getComputedStyle(text).fill,
      getComputedStyle(behind).backgroundColor].map(luminance).sort();
    return (pair[1] + 0.05) / (pair[0] + 0.05);
  })()`);
}

/** Starts JupyterLab on the notebooks of this test. */
async function withLab(
  body: (lab: Lab, browser: Browser) => Promise<void>,
): Promise<void> {
  await inFolder(async (dir) => {
    // In the project, as its packages are found from there.
    mkdirSync(join(ROOT, ".ferlab"), { recursive: true });
    const notebooks = await Deno.makeTempDir({ dir: join(ROOT, ".ferlab") });
    const state = join(dir, "state");
    const settings = join(state, "config", "labconfig");
    mkdirSync(settings, { recursive: true });
    for (const [name, cells] of Object.entries(NOTEBOOKS)) {
      const made = notebook(...cells.map((source) => code(source)));
      const text = JSON.stringify(made);
      await Deno.writeTextFile(join(notebooks, `${name}.ipynb`), text);
    }
    await Deno.writeTextFile(
      join(settings, "default_setting_overrides.json"),
      JSON.stringify({
        // Else only the cells in view are in the page.
        "@jupyterlab/notebook-extension:tracker": { windowingMode: "none" },
        "@jupyterlab/apputils-extension:notification": { fetchNews: "false" },
      }),
    );
    const browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ["--no-sandbox"],
    });
    const lab = await startLab({ notebooks, state, port: undefined })
      .catch(async (e) => {
        await browser.close();
        throw e;
      });
    try {
      await body(lab, browser);
    } finally {
      await browser.close();
      await lab.stop();
      await Deno.remove(notebooks, { recursive: true });
    }
  });
}

Deno.test({
  name: "JupyterLab on our kernel loses no line, stops, and goes on",
  ignore,
  // Playwright keeps timers and pipes of its own.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: (t) =>
    withLab(async (lab, browser) => {
      await t.step("Run All puts each line on its own cell", async () => {
        const sheet = await Sheet.open(browser, lab, "chatty");
        for (let round = 1; round <= 2; round++) {
          await sheet.runAll();
          await sheet.shows(19, "19:49");
          for (let n = 0; n < 20; n++) {
            assert.ok(await sheet.count(n) <= 20 * round);
            const lines = Array.from({ length: 50 }, (_, i) => `${n}:${i}`);
            const text = (await sheet.output(n).allInnerTexts()).join("");
            assert.equal(text.trim(), lines.join("\n"), `cell ${n}`);
          }
          await sheet.menu("Edit", "Clear Outputs of All Cells");
        }
      });

      await t.step("an error ends Run All", async () => {
        const sheet = await Sheet.open(browser, lab, "failing");
        await sheet.runAll();
        await sheet.shows(1, "on purpose");
        await sheet.shows(1, "line 2 of the cell");
        // What is run now comes after all that Run All sent.
        await sheet.run(0);
        await eventually(async () => await sheet.count(0) === 3);
        assert.equal(await sheet.output(2).count(), 0);
      });

      await t.step("the stop button keeps the variables", async () => {
        const sheet = await Sheet.open(browser, lab, "stopped");
        await sheet.run(0);
        for (const n of [1, 2]) {
          await sheet.run(n);
          await sheet.shows(n, "go");
          await sheet.stop();
          await sheet.shows(n, "all variables are kept");
        }
        await sheet.run(3);
        await sheet.shows(3, "42");
        await sheet.run(3);
        await sheet.shows(3, "43");
      });

      await t.step("a chart is readable in both themes", async () => {
        const sheet = await Sheet.open(browser, lab, "chart");
        await sheet.run(0);
        await sheet.cell(0).locator("svg text").waitFor();
        for (const theme of ["JupyterLab Dark", "JupyterLab Light"]) {
          await sheet.menu("Settings", "Theme", theme);
          await sheet.page.waitForFunction(
            `document.body.dataset.jpThemeName === ${JSON.stringify(theme)}`,
          );
          assert.ok(await contrast(sheet.page) > 7, theme);
        }
      });

      await t.step("trials can be questioned in their frame", async () => {
        const sheet = await Sheet.open(browser, lab, "trials");
        await sheet.run(0);
        const frame = sheet.cell(0).frameLocator("iframe");
        const ask = frame.getByRole("button", { name: "Question this report" });
        await ask.click();
        const depths = frame.locator("fieldset", { hasText: "depth" });
        await depths.getByRole("checkbox").first().click();
        const bar = frame.locator(".ask-bar");
        await bar.getByText("without depth 2").waitFor();
      });
    }),
});
