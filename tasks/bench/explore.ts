/** A page of 1,000 trials that can be questioned, beside optuna-dashboard. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium } from "playwright-core";
import * as lab from "../../lib/lab.ts";
import { exportHtml, type Output } from "../../lib/notebook/mod.ts";
import { Study } from "../../lib/reports/mod.ts";
import { importTrials } from "../../lib/study/exchange/mod.ts";
import { openStore, recordsPath } from "../../lib/study/mod.ts";
import { distributionOf } from "../../lib/study/store/mod.ts";
import {
  inFolder,
  inTurns,
  machine,
  median,
  printResult,
  round,
} from "./parts.ts";
import { findChromium } from "../chromium.ts";
import { withDashboard } from "../optuna_dashboard.ts";

const EPOCHS = 30, REPEATS = 10;
const DEPTHS = Array.from({ length: 10 }, (_, i) => i + 1);
const RATES = Array.from({ length: 10 }, (_, i) => 1e-4 * 1.5 ** i);

/** Puts a study on record: curves that rise, with reproducible noise. */
async function putOnRecord(dir: string): Promise<Study> {
  let at = 0;
  const noise = () => 0.01 * Math.sin(12.9898 * ++at);
  const trials = DEPTHS.flatMap((depth) =>
    RATES.flatMap((lr) =>
      Array.from({ length: REPEATS }, (_, repeat) => {
        const end = 0.5 + 0.005 * depth - lr + noise();
        const epochs = Array.from({ length: EPOCHS }, (_, i) => {
          const value = end - 0.3 / (i + 1) + noise();
          return { epoch: i + 1, value, attrs: { testAccuracy: value } };
        });
        const attrs = { seconds: 60, testAccuracy: end };
        return {
          ...{ key: `${depth} ${lr} ${repeat}`, params: { depth, lr } },
          ...{ repeat, seed: repeat, epochs },
          outcome: { state: "COMPLETE" as const, value: end, attrs },
          ...{ start: new Date(1e12 + at), complete: new Date(1e12 + at + 1) },
        };
      })
    )
  );
  const measurement = {
    study: {
      ...{ name: "large", metric: "test accuracy" },
      parameters: { depth: DEPTHS, lr: { values: RATES } },
      repeats: REPEATS,
    },
    ...{ field: "accuracy", facts: {}, measure: () => Promise.reject() },
  };
  await using store = await openStore(recordsPath(dir));
  await importTrials(store, "large", {
    ...{ trials, direction: "maximize", metric: "test accuracy", notes: [] },
    distributions: {
      depth: distributionOf("depth", DEPTHS),
      lr: distributionOf("lr", RATES),
    },
  });
  const where = { data: "", dataDir: "", outDir: dir, seed: 0 };
  return new Study({ profile: "cpu", ...where }, measurement);
}

const displayed = async (shown: lab.Shown): Promise<Output> => ({
  output_type: "display_data",
  data: await shown[Symbol.for("Jupyter.display")](),
  metadata: {},
});

/** The report of the study: claims, charts of all that a study has. */
async function pageOf(study: Study): Promise<string> {
  const trials = await study.trials();
  const best = lab.effects(trials, { of: "depth", base: 1, at: "best" });
  const shown = [
    lab.forestChart(best),
    lab.heatMapChart(trials, { x: "lr", y: "depth" }),
    lab.lineChart(lab.bestPer(trials, "depth"), { x: "depth", y: "mean" }),
    lab.effectTable(best),
    lab.explore(trials),
  ];
  const outputs = await Promise.all(shown.map(displayed));
  return await exportHtml({
    ...{ nbformat: 4, nbformat_minor: 4, metadata: {} },
    cells: outputs.map((output) => ({
      ...{ cell_type: "code", source: "show()", metadata: {} },
      ...{ outputs: [output], execution_count: 1 },
    })),
  });
}

/** Milliseconds until all of a page is drawn, and from then to each answer. */
async function opened(browser: Browser, url: string, chart: string) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const start = performance.now();
  await page.goto(url);
  await page.waitForSelector(chart);
  await page.evaluate("new Promise((d) => requestAnimationFrame(d))");
  return { page, context, ms: performance.now() - start };
}

/**
 * Milliseconds that a page takes to follow a change of its state: until what is
 * in sight is drawn, and until all is.
 */
const followed = `(change) => new Promise((done) => {
  const start = performance.now();
  let seen;
  new MutationObserver((records, own) => {
    for (const { attributeName } of records) {
      if (attributeName === "data-seen") seen = performance.now() - start;
      else {
        own.disconnect();
        done([seen, performance.now() - start]);
      }
    }
  }).observe(document.body, { attributeFilter: ["data-seen", "data-asked"] });
  change();
})`;

async function ours(browser: Browser, url: string) {
  const { page, context, ms } = await opened(browser, url, ".out svg");
  try {
    const [, panel]: number[] = await page.evaluate(
      `(${followed})(() => document.querySelector("button.ask").click())`,
    );
    // The page checks meanwhile what comes out as it is written.
    await page.waitForSelector("body[data-checked]");
    const ask = (state: unknown): Promise<[seen: number, all: number]> =>
      page.evaluate(
        `(${followed})(() => { location.hash = "#ask=" + ` +
          `encodeURIComponent(${JSON.stringify(JSON.stringify(state))}); })`,
      );
    const [seen, all] = await ask({ seeds: [1] });
    return { open: ms, panel, seen, all };
  } finally {
    await context.close();
  }
}

/** Milliseconds to the first chart of a dashboard's study. */
async function theirs(browser: Browser, url: string): Promise<number> {
  const { study_summaries: [study] } = await (await fetch(`${url}/api/studies`))
    .json();
  const { context, ms } = await opened(
    browser,
    `${url}/dashboard/studies/${study.study_id}`,
    ".js-plotly-plot .main-svg",
  );
  await context.close();
  return ms;
}

/** Measures the page and prints it; gives the exit code. */
export const benchExplore = (
  { rounds, peer }: { rounds: number; peer: boolean },
): Promise<number> =>
  inFolder(async (dir) => {
    const executablePath = findChromium();
    if (!executablePath) {
      throw new Error(
        "no Chromium found: install one or set CHROMIUM to its path",
      );
    }
    printResult(machine());
    const browser = await chromium.launch({
      executablePath,
      args: ["--no-sandbox"],
    });
    try {
      const study = await putOnRecord(dir);
      const html = await pageOf(study), file = join(dir, "page.html");
      await Deno.writeTextFile(file, html);
      const url = pathToFileURL(file).href;
      const all: Awaited<ReturnType<typeof ours>>[] = [];
      const own = async (isWarmUp: boolean) => {
        const one = await ours(browser, url);
        if (!isWarmUp) all.push(one);
        return one.open;
      };
      let peers: number[] | undefined;
      if (peer) {
        await withDashboard(
          `sqlite:///${join(dir, "records.sqlite")}`,
          async (address) => {
            const turns = [own, () => theirs(browser, address)];
            [, peers] = await inTurns(rounds, turns);
          },
        );
      } else await inTurns(rounds, [own]);
      const ms = (key: keyof typeof all[number]) =>
        round(median(all.map((one) => one[key])));
      printResult({
        what: "a page of 1,000 trials of 30 epochs",
        ...{ openMs: ms("open"), panelMs: ms("panel") },
        ...{ changeInSightMs: ms("seen"), changeAllMs: ms("all") },
        MB: round(new Blob([html]).size / 1e6),
      });
      if (peers) {
        const dashboard = round(median(peers));
        printResult({
          ...{ what: "optuna-dashboard, to its first chart", ms: dashboard },
          ratio: round(dashboard / ms("open")),
        });
      }
      return 0;
    } finally {
      await browser.close();
    }
  });
