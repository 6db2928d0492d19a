/** `deno task nb check`: checks notebooks without running them. */
import type { Command } from "commander";
import { checkNotebooks } from "../check/check.ts";
import { findingText } from "../check/findings.ts";
import { path, plainLine, shownPath } from "./shared.ts";

async function check(given: string[], o: { json?: boolean }): Promise<number> {
  const findings = (await checkNotebooks(given.map(path)))
    .map((f) => ({ ...f, file: shownPath(f.file) }));
  const lines = o.json
    ? [JSON.stringify({ findings }, null, 2)]
    : findings.map((finding) => plainLine(findingText(finding)));
  for (const line of lines) console.log(line);
  return findings.length ? 1 : 0;
}

export function addCheck(program: Command): void {
  program.command("check")
    .summary("check types, lint, names, ids, outputs and metadata")
    .description(
      "Check notebooks without running them. All code cells of a notebook are " +
        "one TypeScript program for `deno check` and `deno lint`. It also reports " +
        "names used before the cell that defines them, parameters never used, " +
        "doubled and missing ids, outputs that do not belong or are those of " +
        "other code, missing metadata. " +
        "One line per finding; exits with 1 when there is one.",
    )
    .argument("<notebook...>", "the .ipynb files")
    .option("--json", "print the findings as JSON")
    .action(async (files, options) => Deno.exit(await check(files, options)));
}
