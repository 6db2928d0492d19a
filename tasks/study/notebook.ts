/** `deno task study [NAMES]`: runs the notebooks, leaves reports. */
import type { Command } from "commander";
import { join, resolve } from "node:path";
import { FORMATS } from "../../lib/data/mod.ts";
import { type Profile, startOf } from "../../lib/reports/mod.ts";
import { duration } from "../../lib/rows/mod.ts";
import { provenance } from "../../lib/study/commands.ts";
import {
  addDeviceOption,
  ensureLibrary,
} from "../../lib/tensorflow/commands.ts";
import { inMessage, meantText } from "../../lib/faults/mod.ts";
import {
  exportHtml,
  replaceText,
  runNotebook,
  writeIndex,
} from "../../lib/notebook/mod.ts";
import { inJobs, shownPath } from "../../lib/notebook/commands/mod.ts";
import {
  asUsage,
  finished,
  fromZero,
  jobCount,
  say,
  stopSignal,
  UsageError,
  withOptions,
} from "../cli.ts";
import { dryRun } from "./dry_run.ts";
import { plural, roomOf, wrapped } from "../text.ts";
import { coloured, expectedOf, notebookAnswer } from "./notebook_answers.ts";
import { NOTEBOOKS, notebooksIn, root } from "./notebook_files.ts";
import { checkStore, dataFolder, outFolder } from "./notebook_checks.ts";
import {
  type Expected,
  type NotebooksDisplay,
  notebooksDisplay,
} from "./notebooks_display.ts";
import { storeUrl } from "./records.ts";

const PROFILES: Profile[] = ["smoke", "quick", "cpu", "paper"];

/** The numbered notebooks by name, in their order. */
const notebookNames = () =>
  notebooksIn(NOTEBOOKS).filter((name) => /^\d\d-/.test(name));

/** The notebooks that words name: "03", "depth" or "03-depth". */
function chosen(
  words: readonly string[],
  commands: readonly string[],
): string[] {
  const all = notebookNames();
  if (words.length === 0) return all;
  const found = words.map((word) => {
    const name = all.find((n) =>
      [n, n.slice(0, 2), n.slice(3)].includes(word.replace(/\.ipynb$/, ""))
    );
    if (!name) {
      throw new UsageError(
        `no notebook or command ${inMessage(word)}${
          meantText(word, [
            ...all,
            ...all.map((n) => n.slice(3)),
            ...commands,
          ]) ||
          `: notebooks are ${all.join(", ")}; commands are listed by --help`
        }`,
      );
    }
    return name;
  });
  return all.filter((name) => found.includes(name));
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

async function madeBy(
  parameters: Record<string, unknown>,
): Promise<Record<string, string>> {
  const { lock, deno, cpu, threads } = provenance();
  const library = await ensureLibrary();
  const code = [".", ":!results"];
  const changed = await output("git", "status", "--porcelain", "--", ...code);
  return {
    "git commit": `${await output("git", "rev-parse", "--short", "HEAD")}${
      changed && changed !== "unknown" ? " (with local changes)" : ""
    }`,
    "deno.lock": `sha256 ${lock}`,
    Deno: deno,
    TensorFlow: library.version ?? "unknown",
    machine: `${cpu}, ${threads} threads`,
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
  verbose?: boolean;
  dryRun?: boolean;
}

const fileOf = (name: string) => join(NOTEBOOKS, `${name}.ipynb`);

/** What times nets, and would find them slower beside another. */
const measures = (name: string) =>
  /\btimed\(/.test(Deno.readTextFileSync(fileOf(name)));

/**
 * What the studies in a notebook's kernel are told. Notebooks at once have a
 * trial each; one alone has as many as are asked for.
 */
function studyEnv(
  o: Pick<Options, "store" | "jobs">,
  dataDir: string | undefined,
  atOnce: number,
): Record<string, string> {
  const crew = Math.floor(navigator.hardwareConcurrency / o.jobs);
  return {
    ...(dataDir ? { FERLAB_DATA_DIR: dataDir } : {}),
    ...(o.store ? { FERLAB_STORE: storeUrl(o.store) } : {}),
    FERLAB_JOBS: String(Math.max(1, Math.floor(o.jobs / atOnce))),
    ...(o.jobs > 1 && !Deno.env.has("FERLAB_CREW")
      ? { FERLAB_CREW: String(Math.max(1, crew)) }
      : {}),
  };
}

/** What all notebooks of one command share. */
interface Running {
  parameters: Record<string, unknown>;
  dir: string;
  signal: AbortSignal;
  kill: AbortSignal;
  display: NotebooksDisplay;
}

/** Runs one notebook and writes its report. */
async function runOne(
  name: string,
  env: Record<string, string>,
  { parameters, dir, signal, kill, display }: Running,
): Promise<{ ok: boolean; interrupted: boolean }> {
  const file = fileOf(name);
  display.begin(name);
  const result = await runNotebook(file, {
    parameters,
    out: join(dir, `${name}.ipynb`),
    cwd: root,
    env,
    ...{ signal, kill },
    onEvent: (event) => display.take(name, event),
  });
  const report = join(dir, `${name}.html`);
  await replaceText(
    report,
    await exportHtml(result.notebook, {
      provenance: await madeBy(parameters),
      file,
      warn: (message) => display.say(`study: ${name}: ${message}`),
    }),
  );
  const { ok, interrupted, failedCell, error } = result;
  const isFailed = !ok && !interrupted;
  if (isFailed) display.say(`study: ${name}: ${error}`);
  display.finish(
    name,
    shownPath(report),
    interrupted
      ? "stopped"
      : isFailed
      ? `failed${failedCell ? ` in cell ${failedCell}` : ""}`
      : undefined,
  );
  return { ok, interrupted };
}

/** What is expected of each notebook; where hours are at stake by its plan. */
async function expectations(
  names: readonly string[],
  o: Options & { dir: string; about: string },
  plan: () => ReturnType<typeof dryRun>,
): Promise<Expected[]> {
  const committed = names.map((name) => expectedOf(name, fileOf(name), o));
  if (o.profile === "smoke" || o.profile === "quick") {
    const seconds = committed.map((e) => e.seconds ?? 0)
      .reduce((a, b) => a + b, 0);
    const isKnown = committed.some((e) => e.trials) && !o.data;
    say(
      o.about +
        (isKnown
          ? `: about ${duration(seconds)} by the runs under results/`
          : ""),
    );
    return committed;
  }
  say(`${o.about}: checking what is missing, a few seconds each`);
  const { planned } = await plan();
  return committed.map((expected) => {
    const found = planned.get(expected.name);
    if (!found) return expected;
    const measured = found.measures ? expected.seconds ?? 60 : 0;
    return {
      ...expected,
      trials: found.trials,
      seconds: found.seconds + measured + 6,
    };
  });
}

async function study(
  words: string[],
  o: Options,
  commands: readonly string[],
): Promise<number> {
  const names = chosen(words, commands);
  const { profile, seed, jobs } = o;
  const outDir = outFolder(o.out, profile);
  const dataDir = await dataFolder(o.dataDir, profile, o.data);
  await checkStore(o.store);
  const parameters = { profile, data: o.data ?? "", outDir, seed };
  // A signal ends the run with all kept; a second one kills the kernels.
  const kernels = new AbortController();
  const { signal, code } = stopSignal(() => kernels.abort());
  await ensureLibrary({ onProgress: say });
  const plan = () =>
    dryRun(
      names.map((name) => ({ name, file: fileOf(name) })),
      { parameters, cwd: root, env: studyEnv(o, dataDir, 1), signal },
    );
  if (o.dryRun) return (await plan()).code;
  const dir = resolve(root, outDir);
  await asUsage(
    `--out ${o.out ?? outDir}: it cannot be made`,
    () => Deno.mkdir(dir, { recursive: true }),
  );
  const began = performance.now();
  const data = o.data || startOf(profile).data.name;
  const about =
    `${plural(names.length, "notebook")} at profile ${profile} on ` +
    (data === "synthetic" ? "synthetic faces" : data);
  const all = await expectations(names, { ...o, dir, about }, plan);
  if (signal.aborted) return code();
  say(
    `reports go to ${shownPath(dir)}; Ctrl-C keeps what is done, ` +
      "and the same command continues",
  );

  const display = notebooksDisplay(all, o);
  const failed: string[] = [];
  let isStopped = false;
  const work = async (name: string, atOnce: number) => {
    const run = await runOne(name, studyEnv(o, dataDir, atOnce), {
      ...{ parameters, dir, signal, kill: kernels.signal, display },
    });
    if (run.interrupted) isStopped = true;
    else if (!run.ok) failed.push(name);
  };
  try {
    const alone = names.filter((name) => jobs > 1 && measures(name));
    const others = names.filter((name) => !alone.includes(name));
    const atOnce = Math.min(jobs, others.length);
    const stops = () => signal.aborted;
    await inJobs(others, atOnce, (name) => work(name, atOnce), stops);
    await inJobs(alone, 1, (name) => work(name, 1), stops);
  } finally {
    display.end();
  }
  const index = join(dir, "index.html");
  const pages = notebookNames().map((name) => join(dir, `${name}.html`));
  await writeIndex(index, pages, { title: `Reports, profile ${profile}` });
  const time = duration((performance.now() - began) / 1000);
  if (isStopped || signal.aborted) {
    say(
      `stopped after ${time}; finished trials and epochs are ` +
        "kept. The same command continues",
    );
    return code();
  }
  say(
    failed.length === 0
      ? `${plural(names.length, "notebook")} ran in ${time}`
      : `study: ${failed.length} of ${plural(names.length, "notebook")} ` +
        `failed: ${failed.sort().join(", ")}`,
  );
  const room = roomOf(Deno.stdout);
  const isColoured = Deno.stdout.isTerminal() && !Deno.noColor;
  for (const name of names.filter((n) => !failed.includes(n))) {
    const text = notebookAnswer(name, fileOf(name), { profile, dir });
    const lines = wrapped(text, room - 1, 3);
    console.log(isColoured ? coloured(lines) : lines);
  }
  console.log(shownPath(index));
  return failed.length === 0 ? 0 : 1;
}

/** Adds what `deno task study` does without a command. */
export function addNotebook(program: Command): void {
  addDeviceOption(program)
    .argument("[notebooks...]", "by number or name (default: all)");
  withOptions(program, {
    "--profile <name>": ["effort", { choices: PROFILES, default: "quick" }],
    "--data <name>": ["data set (default: the profile's)", {
      choices: ["synthetic", "auto", ...FORMATS.map((f) => f.name)],
    }],
    "--data-dir <path>": ["folder of a data set on disk", {
      env: "FERLAB_DATA_DIR",
    }],
    "--seed <n>": ["seed of the synthetic faces", {
      ...{ read: fromZero, default: 0 },
    }],
    "--out <dir>": "results folder (default: runs/PROFILE)",
    "--jobs <n>": [
      "notebooks that run at once and share the cores; with one notebook, " +
      "its trials",
      { read: jobCount, default: 1 },
    ],
    "--store <url>": [
      "the records: a file, or a URL of PostgreSQL (default: in --out)",
      { env: "FERLAB_STORE" },
    ],
    "--verbose": "show each cell and what it prints",
    "--dry-run": "show what would run and about how long it takes",
  });
  const commands = program.commands.map((c) => c.name());
  finished(program, (words, options) => study(words, options, commands));
}
