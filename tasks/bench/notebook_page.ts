/** How fast a page of 50 charts opens in Chromium, where there is one. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { median, printResult, round } from "./parts.ts";
import { findChromium } from "../chromium.ts";
import { type Bench, done, ours } from "./notebook_parts.ts";

/**
 * Opens the exported notebook of 50 charts: until it is drawn, and the time of
 * the processor for it, in ms.
 */
export async function opening(bench: Bench, rounds: number): Promise<void> {
  const executablePath = findChromium();
  if (!executablePath) {
    return printResult({ what: "open a page of 50 charts: no Chromium found" });
  }
  await done(ours(bench, "export", "long.ipynb", "-o", "long.html"));
  const url = pathToFileURL(join(bench.folder, "long.html")).href;
  const browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox"],
  });
  const drawn: number[] = [], busy: number[] = [];
  try {
    for (let i = 0; i <= rounds; i++) {
      const context = await browser.newContext();
      const page = await context.newPage();
      const devtools = await context.newCDPSession(page);
      await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
      await page.goto(url);
      const ms: number = await page.evaluate(
        "new Promise((done) => requestAnimationFrame(() => " +
          "requestAnimationFrame(() => done(performance.now()))))",
      );
      const { metrics } = await devtools.send("Performance.getMetrics");
      const task = metrics.find((m) => m.name === "TaskDuration")!.value;
      // The first round is for warming up.
      if (i > 0) {
        drawn.push(ms);
        busy.push(1000 * task);
      }
      await context.close();
    }
  } finally {
    await browser.close();
  }
  printResult({
    what: "open a page of 50 charts",
    ms: round(median(drawn)),
    cpuMs: round(median(busy)),
  });
}
