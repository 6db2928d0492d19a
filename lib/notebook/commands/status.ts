/** `deno task nb status`: what is fresh and what is stale, without running. */
import type { Command } from "commander";
import { type CellState, notebookStatus } from "../stale.ts";
import { path, shown } from "./shared.ts";

function line(cell: CellState): string {
  const why = cell.why.length ? `: ${cell.why.join(", ")}` : "";
  return `cell ${cell.number}: ${cell.state}${why}`;
}

async function status(given: string, o: { json?: boolean }): Promise<number> {
  const { source, executed, cells } = await notebookStatus(path(given));
  if (o.json) {
    const files = { source: shown(source), executed: shown(executed) };
    console.log(JSON.stringify({ ...files, cells }, null, 2));
  } else for (const cell of cells) console.log(line(cell));
  return 0;
}

export function addStatus(program: Command): void {
  program.command("status")
    .summary("tell which cells are fresh, stale, failed or never run")
    .description(
      "Tell for each code cell whether its saved outputs are still what it " +
        "would give: fresh; stale, and why (its source, an upstream cell, a " +
        "module, a parameter, data, the lock file, Deno's version); failed; or " +
        "never run. Runs nothing. Compares NAME.ipynb with " +
        "NAME.executed.ipynb if there is one.",
    )
    .argument("<notebook>", "the .ipynb file, the source or the executed one")
    .option("--json", "print the states as JSON")
    .exitOverride()
    .action(async (file, options) => Deno.exit(await status(file, options)));
}
