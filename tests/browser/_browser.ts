/** A real Chromium for these tests, where one is installed. */
import {
  type Browser,
  type BrowserContext,
  chromium,
  type Page,
  type Request,
} from "playwright-core";
import { findChromium } from "../../tasks/chromium.ts";
import { inFolder } from "../_folder.ts";

/** In CI a missing browser is got, or is a failure; elsewhere tests are left out. */
async function gotChromium(): Promise<string | undefined> {
  const found = findChromium();
  if (found || !Deno.env.get("CI")) return found;
  for (const args of [["update"], ["install", "-y", "chromium"]]) {
    await new Deno.Command("apt-get", { args, stdout: "null" }).output()
      .catch(() => {});
  }
  const now = findChromium();
  if (!now) {
    throw new Error("no Chromium: `apt-get install -y chromium` did not help");
  }
  return now;
}

const path = await gotChromium();
if (!path) {
  console.error(
    "tests/browser: no Chromium found; install one or set CHROMIUM to its path",
  );
}

let shared: Promise<Browser> | undefined;
const launch = () =>
  shared ??= chromium.launch({ executablePath: path, args: ["--no-sandbox"] });
Deno.test.afterAll(async () => await (await shared)?.close());

/** How a page is opened. */
export interface PageOptions {
  colorScheme?: "light" | "dark";
  width?: number;
  javaScriptEnabled?: boolean;
}

/** A page that is open. */
export interface Opened {
  page: Page;
  /** all that the page asked for, also what its policy then stopped */
  requests: Request[];
  /** addresses that would have left this machine */
  sent: string[];
  /** errors of scripts */
  errors: string[];
}

/** What a test gets. */
export interface Pages {
  open(html: string, o?: PageOptions): Promise<Opened>;
}

/** A test that opens pages from files, as a reader of a report does. */
export function browserTest(
  name: string,
  body: (pages: Pages) => Promise<void>,
): void {
  Deno.test({
    name,
    ignore: !path,
    // the browser is shared: it ends after the last test
    sanitizeOps: false,
    sanitizeResources: false,
    fn: () =>
      inFolder(async (folder) => {
        const contexts: BrowserContext[] = [];
        try {
          await body({ open: opener(await launch(), folder, contexts) });
        } finally {
          for (const context of contexts) await context.close();
        }
      }),
  });
}

function opener(
  browser: Browser,
  folder: string,
  contexts: BrowserContext[],
): Pages["open"] {
  return async (html, o = {}) => {
    const file = `${folder}/${contexts.length}.html`;
    await Deno.writeTextFile(file, html);
    const context = await browser.newContext({
      colorScheme: o.colorScheme ?? "light",
      viewport: { width: o.width ?? 1200, height: 900 },
      javaScriptEnabled: o.javaScriptEnabled ?? true,
    });
    contexts.push(context);
    const page = await context.newPage();
    const requests: Request[] = [], sent: string[] = [], errors: string[] = [];
    const url = `file://${file}`;
    context.on("request", (request) => {
      if (request.url() !== url && !request.url().startsWith("data:")) {
        requests.push(request);
      }
    });
    // nothing leaves this machine, and what tries to is seen
    await context.route(/^https?:/, (route) => {
      sent.push(route.request().url());
      return route.abort();
    });
    page.on("pageerror", (e) => errors.push(String(e)));
    await page.goto(url);
    return { page, requests, sent, errors };
  };
}
