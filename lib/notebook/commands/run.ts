/** `deno task nb run`: runs a notebook's cells and saves it with its outputs. */
import type { Command } from "commander";
import { basename } from "node:path";
import { exportHtml, type RunEvent, runNotebook } from "../mod.ts";
import {
  BOLD,
  checkFolder,
  DIM,
  EXIT,
  fail,
  paint,
  parameter,
  path,
  RED,
  save,
  shown,
  YELLOW,
} from "./shared.ts";

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

export function addRun(program: Command): void {
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
}
