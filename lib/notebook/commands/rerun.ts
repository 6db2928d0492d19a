/** `deno task nb rerun`: runs single cells again, and what they need. */
import type { Command } from "commander";
import { rerunCells } from "../run/rerun.ts";
import { NoSuchCell, replayText, type RerunPlan } from "../run/rerun_plan.ts";
import { withProgress } from "./running.ts";
import { fail, path, shownPath, stopSignal } from "./shared.ts";

/** Prints what is replayed and why. */
function printPlan(plan: RerunPlan) {
  for (const replay of plan.replays) console.error(replayText(replay));
  const cells = plan.asked.join(", ");
  console.error(
    !plan.asked.length
      ? "every cell is fresh; nothing to run"
      : `runs cell${plan.asked.length > 1 ? "s" : ""} ${cells}`,
  );
}

/** `rerun`, also for `run --stale`. */
export async function rerun(given: string, o: {
  cell?: string[];
  stale?: boolean;
  out?: string;
  cellTimeout?: number;
  session: boolean;
  quiet?: boolean;
  json?: boolean;
}): Promise<number> {
  if (!o.cell === !o.stale) {
    fail("say which cells: --cell ID, TAG or NUMBER, or --stale");
    return 2;
  }
  const { signal, code } = stopSignal(() => {});
  try {
    const result = await withProgress(o, (take) =>
      rerunCells(path(given), {
        cells: o.cell ?? "stale",
        out: o.out && path(o.out),
        session: o.session,
        cellTimeout: o.cellTimeout,
        signal,
        onPlan: (plan) => o.quiet || printPlan(plan),
        onEvent: take,
      }));
    const out = shownPath(result.out);
    if (o.json) console.log(JSON.stringify({ ...result, out }, null, 2));
    else if (result.asked.length) console.log(out);
    if (result.error) {
      fail(result.error.replace(path(given), shownPath(path(given))));
    }
    return result.interrupted ? code() : result.ok ? 0 : 1;
  } catch (e) {
    if (!(e instanceof NoSuchCell)) throw e;
    fail(`${given}: ${e.message}`);
    return 2;
  }
}

export function addRerun(program: Command): void {
  program.command("rerun")
    .summary("run some cells again, and only what they need")
    .description(
      "Run single cells again. The earlier cells that they need are found from " +
        "the code and run too, where the notebook's session (see `session`) " +
        "does not hold their work; it says what will run, and why. Only the " +
        "cells asked for change in the executed notebook: all else keeps its " +
        "bytes. With --stale it also takes the text cells and the order of " +
        "the source. Cells tagged `setup` are needed by all below them.",
    )
    .argument("<notebook>", "the .ipynb file, the source or the executed one")
    .option(
      "-c, --cell <cell...>",
      "a code cell's number (from 1), id or tag; several may be given",
    )
    .option("--stale", "all cells that are not fresh (see `status`)")
    .option(
      "-o, --out <file>",
      "where the results go (default: NAME.executed.ipynb, or the notebook " +
        "itself when it was run in place)",
    )
    .option("--no-session", "use a new kernel even when there is a session")
    .option("-q, --quiet", "print warnings and errors only")
    .option("--json", "print the outcome as JSON")
    .addHelpText("after", "\nExample:\n  deno task nb rerun study.ipynb -c 5")
    .action(async (file, options) => Deno.exit(await rerun(file, options)));
}
