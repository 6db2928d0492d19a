/** `deno task nb fmt`: formats the cells of notebooks. */
import type { Command } from "commander";
import { formatNotebook } from "../check/format.ts";
import { eachFile, fail, shownPath } from "./shared.ts";

async function fmt(
  given: string[],
  o: { check?: boolean; json?: boolean },
): Promise<number> {
  const { results, ok } = await eachFile(given, async (file) => {
    const result = await formatNotebook(file, { check: o.check });
    return { ...result, file: shownPath(file) };
  });
  if (o.json) console.log(JSON.stringify({ notebooks: results }, null, 2));
  for (const { file, changed, errors } of results) {
    for (const error of errors) fail(`${file} ${error}`);
    if (o.json || !changed.length) continue;
    console.log(
      o.check ? `${file}: not formatted: ${changed.join(", ")}` : file,
    );
  }
  const bad = !ok ||
    results.some(({ changed, errors }) =>
      errors.length || (o.check && changed.length)
    );
  return bad ? 1 : 0;
}

export function addFmt(program: Command): void {
  program.command("fmt")
    .summary("format code and markdown cells")
    .description(
      "Format code cells as TypeScript and markdown cells as Markdown, with " +
        "Deno's formatter and the settings of deno.json. Formulas, outputs and " +
        "all other bytes stay. Prints the files it changed.",
    )
    .argument("<notebook...>", "the .ipynb files")
    .option(
      "--check",
      "change nothing; exit with 1 when a cell is not formatted",
    )
    .option("--json", "print the results as JSON")
    .action(async (files, options) => Deno.exit(await fmt(files, options)));
}
