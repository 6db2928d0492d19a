/** `deno task nb status`: what is fresh and what is stale, without running. */
import type { Command } from "commander";
import { type CellState, notebookStatus } from "../run/stale.ts";
import { eachFile, plainLine, shownPath, warn } from "./shared.ts";

function stateText(cell: CellState): string {
  const why = cell.why.length ? `: ${cell.why.join(", ")}` : "";
  return plainLine(`cell ${cell.number}: ${cell.state}${why}`);
}

async function status(
  given: string[],
  o: { json?: boolean },
): Promise<number> {
  const { results, ok } = await eachFile(given, async (file) => {
    const { source, executed, unread, cells } = await notebookStatus(file);
    if (unread) warn(unread.replace(executed, shownPath(executed)));
    return { source: shownPath(source), executed: shownPath(executed), cells };
  });
  if (o.json) {
    const all = given.length > 1 ? { notebooks: results } : results[0];
    if (all) console.log(JSON.stringify(all, null, 2));
    return ok ? 0 : 1;
  }
  for (const { source, cells } of results) {
    if (given.length > 1) console.log(source);
    for (const cell of cells) {
      console.log((given.length > 1 ? "  " : "") + stateText(cell));
    }
  }
  return ok ? 0 : 1;
}

export function addStatus(program: Command): void {
  program.command("status")
    .summary("tell which cells are fresh, stale, failed or never run")
    .description(
      "Tell for each code cell whether its saved outputs are still what it " +
        "would give: fresh; stale, and why (its source, an upstream cell, a " +
        "module or a file behind a name, a parameter, data, the lock file, " +
        "Deno's version); failed; or never run. Runs nothing. Compares NAME.ipynb with " +
        "NAME.executed.ipynb if there is one.",
    )
    .argument(
      "<notebook...>",
      "the .ipynb files, the sources or the executed ones",
    )
    .option("--json", "print the states as JSON")
    .action(async (files, options) => Deno.exit(await status(files, options)));
}
