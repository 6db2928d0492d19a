/** `deno task study [NAMES]`: runs the notebooks, leaves reports. */
import {
  Argument,
  type Command,
  InvalidArgumentError,
  Option,
} from "commander";
import { cpus } from "node:os";
import { basename, join, relative, resolve } from "node:path";
import { FORMATS } from "../../lib/data/mod.ts";
import { duration, type Profile, startOf } from "../../lib/reports/mod.ts";
import { addDeviceOption } from "../../lib/tensorflow/device_option.ts";
import { ensureLibrary } from "../../lib/tensorflow/install.ts";
import { sha256 } from "../../lib/tensorflow/location.ts";
import {
  exportHtml,
  indexHtml,
  readReport,
  replaceText,
  type RunEvent,
  runNotebook,
} from "../../lib/notebook/mod.ts";
import { dryRun } from "./dry_run.ts";
import { say, storeUrl, UsageError } from "./records.ts";
import { wholeNumber } from "./watch.ts";

const root = resolve(import.meta.dirname!, "../..");
const NOTEBOOKS = join(root, "notebooks");

const color = Deno.stderr.isTerminal() && !Deno.noColor;
const dim = (s: string) => color ? `\x1b[2m${s}\x1b[0m` : s;

/** The notebooks by name, in their order. */
function notebookNames(): string[] {
  return [...Deno.readDirSync(NOTEBOOKS)]
    .filter((e) => e.isFile && /^\d\d-(?!.*\.executed).*\.ipynb$/.test(e.name))
    .map((e) => basename(e.name, ".ipynb")).sort();
}

/** The notebooks that words name: "03", "depth" or "03-depth". */
function chosen(words: readonly string[]): string[] {
  const all = notebookNames();
  if (words.length === 0) return all;
  const found = words.map((word) => {
    const name = all.find((n) =>
      [n, n.slice(0, 2), n.slice(3)].includes(word.replace(/\.ipynb$/, ""))
    );
    if (!name) {
      throw new UsageError(
        `no notebook or command "${word}": notebooks are ${all.join(", ")}; ` +
          `commands are listed by --help`,
      );
    }
    return name;
  });
  return all.filter((name) => found.includes(name));
}

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
  data?: string;
  dataDir?: string;
  seed: number;
  out?: string;
  jobs: number;
  store?: string;
  dryRun?: boolean;
}

/** What the studies in a notebook's kernel are told. */
const kernelEnv = (o: Options): Record<string, string> => ({
  ...(o.dataDir ? { FERLAB_DATA_DIR: resolve(o.dataDir) } : {}),
  ...(o.store ? { FERLAB_STORE: storeUrl(o.store) } : {}),
  FERLAB_JOBS: String(o.jobs),
});

const fileOf = (name: string) => join(NOTEBOOKS, `${name}.ipynb`);

/** Runs one notebook and writes its report; the path of that. */
async function runOne(
  name: string,
  parameters: Record<string, unknown>,
  o: Options & { dir: string; signal: AbortSignal },
): Promise<{ ok: boolean; interrupted: boolean; report: string }> {
  const file = fileOf(name);
  const result = await runNotebook(file, {
    parameters,
    out: join(o.dir, `${name}.ipynb`),
    cwd: root,
    env: kernelEnv(o),
    signal: o.signal,
    onEvent: progress,
  });
  const report = join(o.dir, `${name}.html`);
  await replaceText(
    report,
    await exportHtml(result.notebook, {
      provenance: await provenance(parameters),
      file,
      warn: (message) => say(`study: ${name}: ${message}`),
    }),
  );
  if (!result.ok && !result.interrupted) say(`study: ${name}: ${result.error}`);
  return { ok: result.ok, interrupted: !!result.interrupted, report };
}

/** One page of all reports in the folder, in the notebooks' order. */
async function writeIndex(dir: string, profile: Profile): Promise<string> {
  const pages = [];
  for (const name of notebookNames()) {
    const html = await Deno.readTextFile(join(dir, `${name}.html`))
      .catch(() => undefined);
    const report = html && readReport(`${name}.html`, html);
    if (report) pages.push(report);
  }
  const index = join(dir, "index.html");
  const title = `Reports, profile ${profile}`;
  await replaceText(index, indexHtml(pages, title));
  return index;
}

async function study(words: string[], o: Options): Promise<number> {
  const names = chosen(words);
  const data = o.data || startOf(o.profile).data.name;
  if (data !== "synthetic" && !o.dataDir) {
    throw new UsageError(
      `profile ${o.profile} on ${data} needs --data-dir PATH (or ` +
        `FERLAB_DATA_DIR), the data set's folder`,
    );
  }
  const outDir = o.out ?? join("runs", o.profile);
  const { profile, seed } = o;
  const parameters = { profile, data: o.data ?? "", outDir, seed };
  const controller = new AbortController();
  const { signal } = controller;
  Deno.addSignalListener("SIGINT", () => controller.abort());
  await ensureLibrary({ onProgress: say });
  if (o.dryRun) {
    return await dryRun(
      names.map((name) => ({ name, file: fileOf(name) })),
      { parameters, cwd: root, env: kernelEnv(o), signal },
    );
  }
  const dir = resolve(root, outDir);
  await Deno.mkdir(dir, { recursive: true });
  const failed: string[] = [];
  const began = performance.now();
  for (const [i, name] of names.entries()) {
    say(`${name} (${i + 1} of ${names.length})`);
    const run = await runOne(name, parameters, { ...o, dir, signal });
    console.log(relative(Deno.cwd(), run.report));
    if (run.interrupted) {
      say("interrupted: finished epochs are saved; the same command goes on");
      return 130;
    }
    if (!run.ok) failed.push(name);
  }
  console.log(relative(Deno.cwd(), await writeIndex(dir, profile)));
  const time = duration((performance.now() - began) / 1000);
  say(
    failed.length === 0
      ? `${names.length} of ${names.length} notebooks ran in ${time}`
      : `study: ${failed.length} of ${names.length} notebooks failed: ${
        failed.join(", ")
      }`,
  );
  return failed.length === 0 ? 0 : 1;
}

/** Adds what `deno task study` does without a command. */
export function addNotebook(program: Command): void {
  addDeviceOption(program)
    .addArgument(
      new Argument("[notebooks...]", "by number or name (default: all)"),
    )
    .addOption(
      new Option("--profile <name>", "effort")
        .choices(["smoke", "quick", "cpu", "paper"]).default("quick"),
    )
    .addOption(
      new Option("--data <name>", "data set (default: the profile's)")
        .choices(["synthetic", "auto", ...FORMATS.map((f) => f.name)]),
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
    .option("--out <dir>", "results folder (default: runs/PROFILE)")
    .option("--jobs <n>", "trials at once", wholeNumber, 1)
    .addOption(
      new Option(
        "--store <url>",
        "the records: a file, or a URL of PostgreSQL (default: in --out)",
      ).env("FERLAB_STORE"),
    )
    .option("--dry-run", "say what is to run and about how long it takes")
    .action(async (words, options) => Deno.exit(await study(words, options)));
}
