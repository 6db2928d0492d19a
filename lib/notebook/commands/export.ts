/** `deno task nb export`: writes saved notebooks as HTML pages. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { basename, join } from "node:path";
import { collectProvenance } from "../provenance.ts";
import { exportHtml } from "../export.ts";
import { readNotebook } from "../types.ts";
import { checkFolder, path, shown, writeWhole } from "./shared.ts";

interface Options {
  out?: string;
  title?: string;
  trust?: boolean;
  json?: boolean;
}

const pageName = (file: string) => file.replace(/(\.ipynb)?$/, ".html");

/** One notebook, the page it became and what is in it. */
async function exportOne(file: string, out: string, o: Options) {
  const nb = await readNotebook(file);
  const { mtime } = await Deno.stat(file);
  const page = await exportHtml(nb, {
    title: o.title,
    trust: o.trust,
    provenance: await collectProvenance(file, nb),
    date: mtime?.toISOString().slice(0, 16).replace("T", " "),
  });
  await writeWhole(out, page);
  const bytes = new TextEncoder().encode(page).length;
  return { notebook: shown(file), page: shown(out), bytes };
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
      `${shown(twice)}: two of the notebooks would become this page; ` +
        "export them to different folders",
    );
  }
  for (const out of outs) await checkFolder(out);
  const pages = [];
  for (const [i, file] of files.entries()) {
    pages.push(await exportOne(file, outs[i], o));
    if (!o.json) console.log(pages.at(-1)!.page);
  }
  if (o.json) console.log(JSON.stringify({ pages }, null, 2));
  return 0;
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
        "in the page. An SVG of more than 2 MB is embedded as an image, without " +
        "tooltips.",
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
      "--trust",
      "keep the outputs' HTML and SVG as they are, scripts included; the page " +
        "says so at its top",
    )
    .option("--json", "print one JSON document about the pages")
    .addHelpText(
      "after",
      "\nExample:\n  deno task nb export runs/*/*.ipynb --to html",
    )
    .showSuggestionAfterError(false) // errors are one line
    .exitOverride()
    .action(async (files, options) =>
      Deno.exit(await exportPages(files, options))
    );
}
