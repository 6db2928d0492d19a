/** Runs single cells of a notebook again, with the earlier cells they need. */
import { existsSync } from "node:fs";
import { checkLimits, codeCells } from "./cells.ts";
import { kernelEnv, workingFolder } from "./project.ts";
import { refuseForeign } from "./foreign.ts";
import { cellGraph } from "./graph.ts";
import { Kernel } from "./kernel.ts";
import { CellKeys } from "./keys.ts";
import { lockOutput } from "./lock.ts";
import { admitPackages } from "./packages.ts";
import { currentCells, executedCells, notebookPair } from "./cell_pairs.ts";
import { askedCells, type RerunPlan } from "./rerun_plan.ts";
import { SavedText, textLike, upToDate } from "./saved_text.ts";
import { findSession, withSession } from "./session.ts";
import { staleCells } from "./stale.ts";
import { type Notebook, readNotebook, readNotebookText } from "./types.ts";
import { Rerun, type RerunOptions } from "./rerun_cells.ts";

/** Outcome of {@link rerunCells}. */
export interface RerunResult extends RerunPlan {
  out: string;
  ok: boolean;
  interrupted: boolean;
  /** whether it ran in a kept session */
  session: boolean;
  /** one line: "file cell N (line L): message" */
  error?: string;
}

/** Where a rerun saves: the executed notebook; one that was run in place. */
function outputOf(
  pair: { source: string; executed: string },
  source: Notebook,
): string {
  const ran = codeCells(source).some((c) => c.execution_count != null);
  return pair.executed !== pair.source || ran
    ? pair.executed
    : pair.source.replace(/(\.ipynb)?$/, ".executed.ipynb");
}

/**
 * Runs the cells asked for, and before them those that they need and that the
 * kernel does not hold: of a kept session when there is one, else a new
 * kernel. Only the cells asked for change in the saved notebook; where all are
 * asked for that are not fresh, it becomes the source's in all else too.
 * @throws {NoSuchCell} when a cell that is asked for is not there
 * @throws {Error} in one line when a needed name is defined nowhere above, a
 *   file cannot be read or written, or the kernel does not start
 */
export async function rerunCells(
  file: string,
  o: RerunOptions,
): Promise<RerunResult> {
  const pair = notebookPair(file);
  const source = await readNotebook(pair.source);
  refuseForeign(pair.source, source);
  const out = o.out ?? outputOf(pair, source);
  const lock = await lockOutput(out);
  try {
    const from = existsSync(out) ? out : pair.executed;
    let { nb: executed, text } = await readNotebookText(from)
      .catch(async (e: Error) => {
        if (from === pair.source) throw e;
        o.onEvent?.({
          type: "warning",
          message: `its results are not used: ${e.message}`,
        });
        return await readNotebookText(pair.source);
      });
    const folder = workingFolder(pair.source);
    const cells = currentCells(source, executed);
    const graph = cellGraph(cells);
    let keys: CellKeys;
    try {
      checkLimits(source);
      keys = new CellKeys(graph, folder);
    } catch (e) {
      throw new Error(`${pair.source} ${(e as Error).message.trim()}`);
    }
    const asked = o.cells === "stale"
      ? staleCells(source, executed, folder)
        .filter((c) => c.state !== "fresh").map((c) => c.number)
      : askedCells(graph, o.cells);
    const made = o.cells === "stale"
      ? upToDate(source, executed, cells)
      : undefined;
    if (made) [executed, text] = [made, textLike(text, made)];
    const saved = new SavedText(
      text,
      executed,
      executedCells(cells, executed),
      out,
    );
    const warn = (message: string) => o.onEvent?.({ type: "warning", message });
    if (asked.length) await admitPackages(cells, folder, warn);
    else if (made) await saved.save();
    keys.ran();
    const rerun = new Rerun(pair.source, source, graph, keys, saved, o);
    return { out, ...await inKernel(rerun, asked, folder) };
  } finally {
    await lock.release();
  }
}

async function inKernel(
  rerun: Rerun,
  asked: number[],
  folder: string,
): Promise<Omit<RerunResult, "out">> {
  const { o, file } = rerun;
  const result = (plan: RerunPlan, session: boolean, error?: string) => ({
    ...plan,
    ok: error === undefined,
    interrupted: o.signal?.aborted ?? false,
    session,
    ...(error === undefined ? {} : { error }),
  });
  if (!asked.length) {
    const plan = { asked, replays: [] };
    o.onPlan?.(plan);
    return result(plan, false);
  }
  const found = o.session === false ? undefined : await findSession(file);
  const done = found && await withSession(found, async (kernel) => {
    const session = await findSession(file) ?? found; // as the last client left it
    const plan = rerun.plan(asked, session);
    const module = rerun.outdated(plan, session);
    if (module) {
      o.onEvent?.({
        type: "warning",
        message: `the session still has the old ${module}; a new kernel is ` +
          `used: stop the session and start it again`,
      });
      return;
    }
    o.onPlan?.(plan);
    return result(plan, true, await rerun.run(kernel, plan, session));
  });
  if (done) return done;
  const plan = rerun.plan(asked);
  o.onPlan?.(plan);
  const kernel = await Kernel.start({ cwd: folder, env: kernelEnv(file) });
  try {
    return result(plan, false, await rerun.run(kernel, plan));
  } finally {
    await kernel.stop();
  }
}
