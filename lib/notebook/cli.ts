/** `deno task nb`: runs notebooks on Deno's kernel, exports them to HTML. */
import { Command, InvalidArgumentError } from "commander";
import { basename, dirname, relative, resolve } from "node:path";
import { stripAnsi } from "./ansi.ts";
import { exportHtml, readNotebook, type RunEvent, runNotebook } from "./mod.ts";

const EXIT = { SIGINT: 130, SIGTERM: 143 } as const;

// `deno task` moves to the project's root; paths are meant from before that.
const here = Deno.cwd() === resolve(import.meta.dirname!, "../..")
  ? Deno.env.get("INIT_CWD") ?? Deno.cwd()
  : Deno.cwd();
const path = (given: string) => resolve(here, given);
const shown = (absolute: string) => {
  const short = relative(here, absolute);
  return short.startsWith("..") ? absolute : short;
};

const colour = Deno.stderr.isTerminal() && !Deno.noColor;
const paint = (code: number, text: string) =>
  colour ? `\x1b[${code}m${text}\x1b[0m` : text;
const DIM = 2, RED = 31, YELLOW = 33, BOLD = 1;

/** Prints a run's events: a line a cell, what it prints, how long it took. */
function progress(quiet: boolean): (event: RunEvent) => void {
  let rest = ""; // of a line that is not ended yet
  const print = (line: string) => {
    const last = line.replace(/\r$/, "").split("\r").at(-1)!;
    if (last.trim()) console.error(paint(DIM, `    ${last}`));
  };
  return (event) => {
    if (event.type === "warning") {
      console.error(`${paint(YELLOW, "warning:")} ${event.message}`);
    } else if (quiet) return;
    else if (event.type === "cell-start") {
      const count = `[${event.index}/${event.total}]`;
      console.error(`${paint(BOLD, count)} ${event.title}`);
    } else if (event.type === "output") {
      const lines = (rest + event.text).split("\n");
      rest = lines.pop()!;
      lines.forEach(print);
    } else {
      print(rest);
      rest = "";
      const time = `${event.seconds.toFixed(2)} s`;
      console.error(
        event.ok
          ? paint(DIM, `    ${time}`)
          : paint(RED, `    failed, ${time}`),
      );
    }
  };
}

/** JSON where it is JSON, `NaN` and `±Infinity`, else the text as it is. */
function parameterValue(text: string): unknown {
  if (/^(NaN|-?Infinity)$/.test(text)) return Number(text);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function parameter(text: string, before?: Record<string, unknown>) {
  const [, name, value] = /^\s*([\p{L}_$][\p{L}\p{N}_$]*)\s*=([^]*)$/u
    .exec(text) ?? [];
  if (!name) throw new InvalidArgumentError("it must be name=value");
  return { ...before, [name]: parameterValue(value) };
}

/** Fails before a long run, not after it. */
async function checkFolder(file: string) {
  const info = await Deno.stat(dirname(file)).catch(() => undefined);
  if (!info?.isDirectory) {
    throw new Error(`${shown(file)}: its folder does not exist; make it first`);
  }
}

async function save(file: string, text: string) {
  try {
    await Deno.writeTextFile(file, text);
  } catch (e) {
    throw new Error(`${shown(file)}: cannot write: ${(e as Error).message}`);
  }
  console.log(shown(file));
}

/** `a.ipynb` → `a.executed.ipynb`, which itself stays as it is. */
const executedName = (file: string) =>
  file.replace(/(\.executed)?\.ipynb$|$/, ".executed.ipynb");

async function run(given: string, o: {
  out?: string;
  param?: Record<string, unknown>;
  html?: string;
  quiet?: boolean;
}): Promise<number> {
  const file = path(given);
  const out = path(o.out ?? executedName(given));
  const html = o.html === undefined ? undefined : path(o.html);
  for (const target of [out, html]) if (target) await checkFolder(target);

  const stop = new AbortController();
  let code: number = EXIT.SIGINT;
  const signals = Deno.build.os === "windows"
    ? ["SIGINT"] as const
    : ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) {
    Deno.addSignalListener(signal, () => {
      if (!stop.signal.aborted) code = EXIT[signal];
      stop.abort();
    });
  }
  const result = await runNotebook(file, {
    out,
    parameters: o.param,
    signal: stop.signal,
    onEvent: progress(o.quiet ?? false),
  });
  console.log(shown(out));
  if (html) {
    const used = JSON.stringify(o.param ?? {});
    await save(
      html,
      await exportHtml(result.notebook, {
        provenance: {
          Notebook: basename(file),
          ...(used === "{}" ? {} : { Parameters: used }),
          Deno: Deno.version.deno,
        },
      }),
    );
  }
  if (result.error) fail(result.error.replace(file, shown(file)));
  return result.interrupted ? code : result.ok ? 0 : 1;
}

async function exportPage(given: string, o: {
  out?: string;
  title?: string;
  trust?: boolean;
}): Promise<number> {
  const file = path(given);
  const out = path(o.out ?? given.replace(/(\.ipynb)?$/, ".html"));
  await checkFolder(out);
  const page = await exportHtml(await readNotebook(file), {
    title: o.title,
    trust: o.trust,
    provenance: { Notebook: basename(file) },
  });
  await save(out, page);
  return 0;
}

function fail(message: string) {
  console.error(`${paint(RED, "error:")} ${stripAnsi(message).split("\n")[0]}`);
}

const program = new Command("deno task nb")
  .description(
    "Runs notebooks on Deno's own kernel, and writes them as HTML pages.\n" +
      "Exit codes: 0 done; 1 a cell failed, or a file cannot be read or " +
      "written;\n2 wrong usage; 130 stopped by Ctrl-C (143 by SIGTERM).",
  )
  .exitOverride();

program.command("run")
  .summary("run all cells and save the notebook with its outputs")
  .description(
    "Run all code cells in order in a fresh kernel, up to the first that " +
      "fails. The notebook with its outputs is saved after every cell; the " +
      "input is not changed. Progress goes to stderr, the paths of the files " +
      "written to stdout.",
  )
  .argument("<notebook>", "the .ipynb file")
  .option(
    "-o, --out <file>",
    "where the executed notebook goes (default: NAME.executed.ipynb beside " +
      "the input; give the input's own name to run in place)",
  )
  .option(
    "-p, --param <name=value>",
    "set a name that the cell tagged `parameters` declares with let; the " +
      "value is read as JSON if it is JSON, else as text ('\"8\"' is the text " +
      "8); may be repeated",
    parameter,
  )
  .option("--html <file>", "also write the executed notebook as an HTML page")
  .option("-q, --quiet", "print warnings and errors only")
  .addHelpText(
    "after",
    "\nExample:\n  deno task nb run study.ipynb -p lr=1e-3 -p name=slim " +
      "--html study.html",
  )
  .exitOverride()
  .action(async (file, options) => Deno.exit(await run(file, options)));

program.command("export")
  .summary("write a saved notebook as one HTML page")
  .description(
    "Write a notebook, as it is saved, as one HTML page that needs no network " +
      "and runs no script. Executes nothing.",
  )
  .argument("<notebook>", "the .ipynb file")
  .option("-o, --out <file>", "where the page goes (default: NAME.html)")
  .option("--title <text>", "the page's title (default: the first heading)")
  .option(
    "--trust",
    "keep the outputs' HTML and SVG as they are, scripts included",
  )
  .exitOverride()
  .action(async (file, options) => Deno.exit(await exportPage(file, options)));

try {
  await program.parseAsync(Deno.args, { from: "user" });
} catch (error) {
  const e = error as Error & { code?: string; exitCode?: number };
  if (e.code?.startsWith("commander.")) Deno.exit(e.exitCode === 0 ? 0 : 2);
  fail(e.message);
  Deno.exit(1);
}
