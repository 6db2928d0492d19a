/** `deno task nb export`: writes a saved notebook as one HTML page. */
import type { Command } from "commander";
import { basename } from "node:path";
import { exportHtml, readNotebook } from "../mod.ts";
import { checkFolder, path, save } from "./shared.ts";

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

export function addExport(program: Command): void {
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
    .action(async (file, options) =>
      Deno.exit(await exportPage(file, options))
    );
}
