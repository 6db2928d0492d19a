/** `deno task nb export`: writes saved notebooks as HTML pages. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { basename, join } from "node:path";
import { changesOf } from "../run/stale.ts";
import { collectProvenance, shortList } from "../run/page_provenance.ts";
import { exportHtml } from "../page/export.ts";
import { limitsText } from "../page_limits.ts";
import { readNotebook } from "../file/types.ts";
import {
  checkFolder,
  eachFile,
  path,
  shownPath,
  warn,
  writeWhole,
} from "./shared.ts";

interface Options {
  out?: string;
  title?: string;
  trust?: boolean;
  static?: boolean;
  strict?: boolean;
  json?: boolean;
}

const pageName = (file: string) => file.replace(/(\.ipynb)?$/, ".html");

/** One notebook, the page it became and what is missing or changed in it. */
async function exportOne(file: string, out: string, o: Options) {
  const nb = await readNotebook(file);
  const { mtime } = await Deno.stat(file);
  const changes = changesOf(file, nb);
  const warnings = Array.from(
    changes.cells,
    ([number, why]) => `cell ${number}: changed since it ran: ${why}`,
  );
  if (changes.beside.length) {
    warnings.push(`changed since it ran: ${shortList(changes.beside)}`);
  }
  const page = await exportHtml(nb, {
    title: o.title,
    trust: o.trust,
    static: o.static,
    provenance: await collectProvenance(file, nb, changes),
    date: mtime?.toISOString().slice(0, 16).replace("T", " "),
    file,
    changed: changes.cells,
    warn: (message) => warnings.push(message),
  });
  for (const warning of warnings) warn(`${shownPath(file)}: ${warning}`);
  if (o.strict && warnings.length) {
    throw new Error(
      `${shownPath(file)}: not exported, with --strict; it has ` +
        (warnings.length === 1 ? "a warning" : `${warnings.length} warnings`),
    );
  }
  await writeWhole(out, page);
  const bytes = new TextEncoder().encode(page).length;
  return { notebook: shownPath(file), page: shownPath(out), bytes, warnings };
}

async function exportPages(given: string[], o: Options): Promise<number> {
  const files = given.map(path);
  const folder = o.out !== undefined && files.length > 1;
  const outs = files.map((file) =>
    o.out === undefined
      ? pageName(file)
      : folder
      ? join(path(o.out), pageName(basename(file)))
      : path(o.out)
  );
  const twice = outs.find((out, i) => outs.indexOf(out) !== i);
  if (twice) {
    throw new Error(
      `${shownPath(twice)}: two of the notebooks would become this page; ` +
        "export them to different folders",
    );
  }
  for (const out of outs) await checkFolder(out);
  const { results: pages, ok } = await eachFile(given, async (file, i) => {
    const page = await exportOne(file, outs[i], o);
    if (!o.json) console.log(page.page);
    return page;
  });
  if (o.json) console.log(JSON.stringify({ pages }, null, 2));
  return ok ? 0 : 1;
}

function html(format: string): string {
  if (format !== "html") throw new InvalidArgumentError("only html is known");
  return format;
}

export function addExport(program: Command): void {
  program.command("export")
    .summary("write saved notebooks as HTML pages")
    .description(
      "Write notebooks, as they are saved, as HTML pages: one file each, that " +
        "needs no network. Executes nothing, and no script of an output runs " +
        "in the page. A cell whose code changed since it ran is marked. Pictures " +
        "beside the notebook become part of the page. What is large is shown " +
        "plain, cut or named, and the page says so: " + limitsText(),
    )
    .argument("<notebooks...>", "the .ipynb files")
    .addOption(
      new Option("--to <format>", "the format of the page").default("html")
        .argParser(html),
    )
    .option(
      "-o, --out <path>",
      "where the page goes (default: NAME.html beside the notebook); for " +
        "several notebooks a folder",
    )
    .option("--title <text>", "the page's title (default: the first heading)")
    .option(
      "--static",
      "leave out the script that a reader can question the report with, and " +
        "the trials that it asks",
    )
    .option(
      "--trust",
      "keep the outputs' HTML and SVG as they are, scripts included; the page " +
        "says so at its top",
    )
    .option(
      "--strict",
      "write no page that has a warning, and exit with 1: a cell, module, data " +
        "file, lock file or Deno that changed since the run, a picture that is " +
        "missing, an output that cannot be shown",
    )
    .option("--json", "print one JSON document about the pages")
    .addHelpText(
      "after",
      "\nExample:\n  deno task nb export runs/*/*.ipynb --to html",
    )
    .action(async (files, options) =>
      Deno.exit(await exportPages(files, options))
    );
}
