/** `deno task nb run`: runs notebooks' cells and saves them with their outputs. */
import type { Command } from "commander";
import { basename, join } from "node:path";
import type { RunEvent } from "../run/cell_run.ts";
import { inJobs } from "../concurrency.ts";
import { isObject } from "../file/malformed.ts";
import { exactJson } from "../run/parameter_kinds.ts";
import { runNotebook, type RunResult } from "../run/run.ts";
import { codeCells } from "../file/cells.ts";
import { cellRecord, runRecord } from "../run/run_plan.ts";
import { rerun } from "./rerun.ts";
import { say, withProgress } from "./running.ts";
import {
  checkFolder,
  fail,
  isFolder,
  numberOption,
  paint,
  parameterOption,
  path,
  RED,
  shownPath,
  stopSignal,
  warn,
  writeWhole,
} from "./shared.ts";

/** `a.ipynb` → `a.executed.ipynb`, which itself stays as it is. */
const executedName = (file: string) =>
  file.replace(/(\.executed)?\.ipynb$|$/, ".executed.ipynb");

interface Options {
  out?: string;
  param?: Record<string, unknown>;
  params?: string;
  profile?: string;
  cellTimeout?: number;
  resume?: boolean;
  stale?: boolean;
  sandbox?: boolean;
  jobs?: number;
  html?: string;
  json?: boolean;
  quiet?: boolean;
}

/** One notebook to run: absolute paths. */
interface Job {
  file: string;
  out: string;
  html?: string;
}

/** What `--json` tells of one notebook. */
function summary({ file, out, html }: Job, result?: RunResult, error?: string) {
  const told = {
    file: shownPath(file),
    ok: result?.ok ?? false,
    interrupted: result?.interrupted ?? false,
    failedCell: result?.failedCell,
    error,
  };
  if (!result) return told;
  return {
    ...told,
    out: shownPath(out),
    html: html && shownPath(html),
    seconds: runRecord(result.notebook).seconds,
    cells: codeCells(result.notebook).map((cell, i) => ({
      ...{ index: i + 1, id: cell.id },
      status: cellRecord(cell).status ?? "skipped",
      seconds: cellRecord(cell).seconds,
    })),
  };
}
type Summary = ReturnType<typeof summary>;

async function parametersFrom(file: string): Promise<Record<string, unknown>> {
  let values: unknown;
  try {
    values = exactJson(await Deno.readTextFile(file));
  } catch (e) {
    const why = (e as Error).message.split("\n")[0];
    throw new Error(`${shownPath(file)}: cannot read the parameters: ${why}`);
  }
  if (isObject(values)) return values;
  throw new Error(
    `${shownPath(file)}: it must hold one JSON object, {"name": value}`,
  );
}

/** Where each notebook goes; `--out` may be a folder, and must be for several. */
async function jobsOf(
  given: string[],
  o: Options,
  wrong: (message: string) => never,
): Promise<Job[]> {
  const folder = o.out !== undefined && await isFolder(path(o.out));
  if (given.length > 1 && o.out !== undefined && !folder) {
    wrong(`--out must be a folder that exists when several notebooks are run`);
  }
  if (given.length > 1 && o.html !== undefined) {
    wrong("--html takes one notebook; export several with `nb export`");
  }
  const jobs = given.map((name): Job => ({
    file: path(name),
    out: path(
      folder
        ? join(o.out!, basename(executedName(name)))
        : o.out ?? executedName(name),
    ),
    ...(o.html === undefined ? {} : { html: path(o.html) }),
  }));
  jobs.forEach(({ out }, i) => {
    const twin = jobs.findIndex((job) => job.out === out);
    if (twin < i) {
      wrong(
        `${given[twin]} and ${given[i]} would both be saved as ${
          shownPath(out)
        }`,
      );
    }
  });
  for (const { out, html } of jobs) {
    await checkFolder(out);
    if (html) await checkFolder(html);
  }
  return jobs;
}

async function run(
  given: string[],
  o: Options,
  wrong: (message: string) => never,
): Promise<number> {
  const jobs = await jobsOf(given, o, wrong);
  const parameters = {
    ...(o.params === undefined ? {} : await parametersFrom(path(o.params))),
    ...o.param,
  };
  const kill = new AbortController();
  const { signal, code } = stopSignal(() => kill.abort());

  const runOne = async (job: Job): Promise<Summary> => {
    let result: RunResult | undefined;
    let error: string | undefined;
    const several = given.length > 1;
    const prefix = several ? `${basename(job.file, ".ipynb")}: ` : undefined;
    const short = (text: string) =>
      text.replace(job.file, shownPath(job.file)).replace(
        job.out,
        shownPath(job.out),
      );
    const told = (e: RunEvent): RunEvent =>
      e.type === "warning" ? { ...e, message: short(e.message) } : e;
    try {
      result = await withProgress(
        { quiet: o.quiet, prefix },
        (take) =>
          runNotebook(job.file, {
            ...{ ...o, out: job.out, parameters },
            ...{ signal, kill: kill.signal },
            onEvent: (e) => take(told(e)),
          }),
      );
      error = result.error;
      if (!o.json) say(console.log, shownPath(job.out));
      if (job.html) await writePage(job, result);
      if (job.html && !o.json) say(console.log, shownPath(job.html));
    } catch (e) {
      error = (e as Error).message;
    }
    error &&= short(error);
    if (error) say(fail, error);
    return summary(job, result, error);
  };

  const limit = o.jobs ?? 1;
  const results = await inJobs(jobs, limit, runOne, () => signal.aborted);
  const ok = results.length === jobs.length && results.every((r) => r.ok);
  if (o.json) {
    say(console.log, JSON.stringify({ ok, notebooks: results }, null, 2));
  } else if (jobs.length > 1 && !o.quiet) {
    const failed = results.filter((r) => !r.ok).length;
    const left = jobs.length - results.length;
    const total = `${results.length - failed} of ${jobs.length} ran well` +
      (failed ? `, ${failed} failed` : "") + (left ? `, ${left} not run` : "");
    say(console.error, ok ? total : paint(RED, total));
  }
  return code() || (ok ? 0 : 1);
}

/** `--stale`: the notebooks one after the other, up to one that fails. */
async function runStale(
  files: string[],
  o: Options,
  wrong: (message: string) => never,
): Promise<number> {
  const ignored = Object.entries({
    ...{ "-p": o.param, "--params": o.params, "--profile": o.profile },
    ...{ "--resume": o.resume, "--jobs": o.jobs, "--html": o.html },
    ...{ "--sandbox": o.sandbox },
  }).find(([, value]) => value !== undefined);
  if (ignored) {
    wrong(
      `--stale takes no ${ignored[0]}; run the notebook with it and without ` +
        "--stale",
    );
  }
  if (files.length > 1 && o.out !== undefined) {
    wrong("--stale takes --out for one notebook alone");
  }
  for (const file of files) {
    const code = await rerun(file, { ...o, stale: true, session: true });
    if (code !== 0) return code;
  }
  return 0;
}

async function writePage({ file, html }: Job, { notebook }: RunResult) {
  // Only here: highlighting and math are slow to load.
  const { exportHtml } = await import("../page/export.ts");
  const { collectProvenance } = await import("../run/page_provenance.ts");
  const provenance = await collectProvenance(file, notebook);
  const page = await exportHtml(notebook, { provenance, file, warn });
  await writeWhole(html!, page);
}

const positive = numberOption(
  "a number above 0",
  (n) => n > 0 && Number.isFinite(n),
);
const whole = numberOption(
  "a whole number above 0",
  (n) => n > 0 && Number.isInteger(n),
);

export function addRun(program: Command): void {
  const command = program.command("run")
    .summary("run all cells and save the notebook with its outputs")
    .description(
      "Run all code cells in order in a fresh kernel, up to the first that " +
        "fails. The notebook with its outputs is saved after every cell, and " +
        "every 5 s while a cell prints; the input is not changed. Progress goes " +
        "to stderr, the paths of the files written to stdout.",
    )
    .argument("<notebooks...>", "the .ipynb files")
    .option(
      "-o, --out <file>",
      "where the executed notebook goes (default: NAME.executed.ipynb beside " +
        "the input; give the input's own name to run in place); for several " +
        "notebooks a folder",
    )
    .option(
      "-p, --param <name=value>",
      "set a name that the cell tagged `parameters` declares with let; the " +
        "value is read as what its default is: true, 1e3, text, [1, 2]; what " +
        "does not fit is refused; may be repeated; also as -p name value",
      parameterOption,
    )
    .option("--params <file>", "parameters as a JSON object; -p goes over it")
    .option(
      "--profile <name>",
      "set the parameter `profile`, and record it in the notebook",
    )
    .option(
      "--cell-timeout <seconds>",
      "interrupt a cell that runs longer; kill it 5 s after that",
      positive,
    )
    .option(
      "--resume",
      "go on at the first cell without a result in the output. The cells " +
        "before it are run again for their state, but keep their saved outputs; " +
        "nothing is run when none is missing",
    )
    .option(
      "--stale",
      "run only the cells that are not fresh, and what they need, as " +
        "`rerun --stale` does, with the parameters they ran with",
    )
    .option(
      "--sandbox",
      "for a notebook that you do not trust: no network, no other programs, no " +
        "native code, nothing of the environment; it reads files, and writes " +
        "only in its own folder and the output's",
    )
    .option("-j, --jobs <n>", "run this many notebooks at once", whole)
    .option("--html <file>", "also write the executed notebook as an HTML page")
    .option("--json", "print one JSON document: each notebook, each cell")
    .option("-q, --quiet", "print warnings and errors only")
    .addHelpText(
      "after",
      `
Tags of cells:
  parameters        declares the parameters with let; checked by its zod schema,
                    if it has a \`const Parameters = z.object({ … })\`
  raises-exception  must throw; the run goes on after it
  skip              is not run
  timeout=SECONDS   is interrupted when it runs longer, whatever --cell-timeout
  once              is not run when the output has a good result for its source
Relative paths and imports start at the folder of the nearest deno.json at or
above the notebook, where there is none at the notebook's own.
Exit codes: 0 done; 1 a cell failed, or a file cannot be read or written;
  2 wrong usage; 130, 143, 129 stopped by SIGINT, SIGTERM, SIGHUP.
Example:
  deno task nb run study.ipynb -p lr=1e-3 -p name=slim --html study.html`,
    );
  const wrong = (message: string): never =>
    command.error(`error: ${message}`, { exitCode: 2 });
  command.action(async (files, options) =>
    Deno.exit(
      options.stale
        ? await runStale(files, options, wrong)
        : await run(files, options, wrong),
    )
  );
}
