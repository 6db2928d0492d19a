/** `deno task nb clean`: takes outputs and editors' traces out of notebooks. */
import type { Command } from "commander";
import { cleanNotebook } from "../check/clean.ts";
import { eachFile, shownPath } from "./shared.ts";

async function cleanFiles(
  given: string[],
  o: { all?: boolean; check?: boolean; json?: boolean },
): Promise<number> {
  const { results, ok } = await eachFile(given, async (file) => {
    const result = await cleanNotebook(file, o);
    return { ...result, file: shownPath(file) };
  });
  if (o.json) console.log(JSON.stringify({ notebooks: results }, null, 2));
  else {
    for (const { file, removed } of results) {
      if (!o.check && removed.length) console.log(file);
      if (o.check) { for (const one of removed) console.log(`${file} ${one}`); }
    }
  }
  return !ok || (o.check && results.some((r) => r.removed.length)) ? 1 : 0;
}

export function addClean(program: Command): void {
  program.command("clean")
    .summary("remove outputs, execution counts and editors' metadata")
    .description(
      "Remove outputs, execution counts and metadata that editors leave; give " +
        "cells without an id of their own one that follows from their source. " +
        "Tags, attachments, parameters and all other bytes stay. Prints the " +
        "files it changed.",
    )
    .argument("<notebook...>", "the .ipynb files")
    .option("--all", "also remove what runs record (metadata `ferlab`)")
    .option("--check", "change nothing; list what would go, exit with 1 if any")
    .option("--json", "print the results as JSON")
    .action(async (files, options) =>
      Deno.exit(await cleanFiles(files, options))
    );
}
