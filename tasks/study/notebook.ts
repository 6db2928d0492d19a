/** The default of `deno task study`: runs the search's notebook, leaves a report. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { cpus } from "node:os";
import { join, relative, resolve } from "node:path";
import { FORMATS } from "../../lib/data/mod.ts";
import { loadPlanData, lrSearch, type Profile } from "../../lib/study/mod.ts";
import { ensureLibrary } from "../../lib/tensorflow/install.ts";
import { sha256 } from "../../lib/tensorflow/location.ts";
import {
  exportHtml,
  type RunEvent,
  runNotebook,
} from "../../lib/notebook/mod.ts";
import { say, storeUrl, UsageError } from "./records.ts";
import { dryRun } from "./run.ts";
import { wholeNumber } from "./watch.ts";

const root = resolve(import.meta.dirname!, "../..");
const NOTEBOOK = join(root, "notebooks", "02-lr-search.ipynb");

const color = Deno.stderr.isTerminal() && !Deno.noColor;
const dim = (s: string) => color ? `\x1b[2m${s}\x1b[0m` : s;

/** One line a cell and its printed lines, on the terminal's error stream. */
function progress(event: RunEvent): void {
  switch (event.type) {
    case "cell-start":
      say(`[${event.index}/${event.total}] ${event.title}`);
      break;
    case "output":
      for (const line of event.text.split("\n")) {
        if (line.trim()) say(dim(`    ${line}`));
      }
      break;
    case "warning":
      say(event.message);
      break;
    case "cell-end":
      say(dim(`    ${event.seconds.toFixed(1)} s`));
      break;
  }
}

async function output(command: string, ...args: string[]): Promise<string> {
  try {
    const { stdout, success } = await new Deno.Command(command, {
      args,
      cwd: root,
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout).trim() : "unknown";
  } catch {
    return "unknown";
  }
}

async function provenance(
  parameters: Record<string, unknown>,
): Promise<Record<string, string>> {
  const lock = await sha256(join(root, "deno.lock"));
  const library = await ensureLibrary();
  const code = [".", ":!results"];
  const changed = await output("git", "status", "--porcelain", "--", ...code);
  const cpu = cpus()[0]?.model ?? "unknown";
  return {
    "git commit": `${await output("git", "rev-parse", "--short", "HEAD")}${
      changed && changed !== "unknown" ? " (with local changes)" : ""
    }`,
    "deno.lock": `sha256 ${lock.slice(0, 16)}`,
    Deno: Deno.version.deno,
    TensorFlow: library.version ?? "unknown",
    machine: `${cpu}, ${navigator.hardwareConcurrency} threads`,
    parameters: JSON.stringify(parameters),
    finished: new Date().toISOString(),
  };
}

interface Options {
  profile: Profile;
  data: string;
  dataDir?: string;
  seed: number;
  out?: string;
  jobs: number;
  store?: string;
  dryRun?: boolean;
}

/** Says what is to run and what it would cost. */
async function tellCost(o: Options, dir: string): Promise<number> {
  const plan = lrSearch(o.profile);
  const source = { name: o.data, seed: o.seed };
  const data = await loadPlanData({ ...plan, data: source }, o.dataDir);
  await dryRun(plan, data, {
    dir: resolve(root, dir),
    store: o.store && storeUrl(o.store),
    jobs: o.jobs,
  });
  return 0;
}

async function study(o: Options): Promise<number> {
  if (o.data !== "synthetic" && !o.dataDir) {
    throw new UsageError(
      `--data ${o.data} needs --data-dir PATH (or FERLAB_DATA_DIR), the data set's folder`,
    );
  }
  const dir = o.out ?? join("results", o.profile, "lr-search");
  if (o.dryRun) return await tellCost(o, dir);
  await Deno.mkdir(resolve(root, dir), { recursive: true });
  await ensureLibrary({ onProgress: say });
  const parameters = {
    profile: o.profile,
    data: o.data,
    outDir: dir,
    seed: o.seed,
  };
  const controller = new AbortController();
  Deno.addSignalListener("SIGINT", () => controller.abort());
  const out = join(resolve(root, dir), "lr-search.ipynb");
  const result = await runNotebook(NOTEBOOK, {
    parameters,
    out,
    cwd: root,
    env: {
      ...(o.dataDir ? { FERLAB_DATA_DIR: resolve(o.dataDir) } : {}),
      ...(o.store ? { FERLAB_STORE: storeUrl(o.store) } : {}),
      FERLAB_JOBS: String(o.jobs),
      // glibc then asks for huge pages: 4 to 5 % faster steps on 2 cores.
      GLIBC_TUNABLES: "glibc.malloc.hugetlb=1",
    },
    signal: controller.signal,
    onEvent: progress,
  });
  const report = join(resolve(root, dir), "report.html");
  await Deno.writeTextFile(
    report,
    await exportHtml(result.notebook, {
      provenance: await provenance(parameters),
    }),
  );
  if (result.interrupted) {
    say("interrupted: finished epochs are saved; the same command goes on");
    return 130;
  }
  if (!result.ok) say(`study: ${result.error}`);
  console.log(relative(Deno.cwd(), report));
  return result.ok ? 0 : 1;
}

/** Adds what `deno task study` does without a sub-command. */
export function addNotebook(program: Command): void {
  program
    .addOption(
      new Option("--profile <name>", "effort")
        .choices(["smoke", "quick", "cpu", "paper"]).default("quick"),
    )
    .addOption(
      new Option("--data <name>", "data set")
        .choices(["synthetic", "auto", ...FORMATS.map((f) => f.name)])
        .default("synthetic"),
    )
    .addOption(
      new Option("--data-dir <path>", "folder of a data set on disk")
        .env("FERLAB_DATA_DIR"),
    )
    .option("--seed <n>", "seed of the synthetic faces", (text) => {
      const n = Number(text);
      if (!Number.isInteger(n) || n < 0) {
        throw new InvalidArgumentError("must be a whole number from 0");
      }
      return n;
    }, 0)
    .option(
      "--out <dir>",
      "results folder (default: results/PROFILE/lr-search)",
    )
    .option("--jobs <n>", "trials at once", wholeNumber, 1)
    .addOption(
      new Option(
        "--store <url>",
        "the records: a file, or a URL of PostgreSQL (default: in --out)",
      ).env("FERLAB_STORE"),
    )
    .option("--dry-run", "say what is to run and about how long it takes")
    .action(async (options) => Deno.exit(await study(options)));
}
