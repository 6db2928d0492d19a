/** Runs single cells of a notebook again, with the earlier cells they need. */
import { existsSync } from "node:fs";
import { CellRuns, type CellRunsOptions } from "./cell_run.ts";
import {
  cellTitle,
  checkLimits,
  codeCells,
  refuseForeign,
} from "../file/cells.ts";
import { cellGraph, type GraphCell } from "../code/graph.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { CellKeys } from "../code/keys.ts";
import {
  askedCells,
  cellsOfPlan,
  planProblem,
  planRerun,
  type RerunPlan,
  writing,
  wrote,
} from "./rerun_plan.ts";
import { SavedText, upToDate } from "../file/saved_text.ts";
import {
  findSession,
  saveSession,
  type Session,
  withSession,
} from "./session.ts";
import {
  type Cell,
  type Notebook,
  notebookText,
  readNotebook,
  readNotebookText,
} from "../file/types.ts";
import { kernelEnv, workingFolder } from "../project.ts";
import { lockOutput } from "../file/lock.ts";
import { admitPackages } from "../code/packages.ts";
import {
  currentCells,
  executedCells,
  notebookPair,
} from "../file/cell_pairs.ts";
import { staleCells } from "./stale.ts";

export interface RerunOptions extends CellRunsOptions {
  /** numbers, ids or tags of code cells; or all that are not fresh */
  cells: string[] | "stale";
  /** where the results go; default: the executed notebook */
  out?: string;
  /** use the notebook's session when it has one; default true */
  session?: boolean;
  /** is told what will run, before anything does */
  onPlan?: (plan: RerunPlan) => void;
}

export class Rerun {
  readonly runs: CellRuns;

  constructor(
    readonly file: string,
    readonly source: Notebook,
    readonly graph: GraphCell[],
    readonly keys: CellKeys,
    readonly saved: SavedText,
    readonly o: RerunOptions,
  ) {
    this.runs = new CellRuns(file, keys, o);
  }

  /** The plan for a kernel, told. @throws {Error} when it cannot work */
  plan(asked: number[], session?: Session): RerunPlan {
    const plan = planRerun(this.graph, this.keys.keys, asked, session?.writers);
    const problem = planProblem(this.graph, plan);
    if (problem) throw new Error(`${this.file}: ${problem}; nothing was run`);
    return plan;
  }

  /** The first module that the session loaded in another version. */
  outdated(plan: RerunPlan, session: Session): string | undefined {
    const { keys } = this.keys;
    return cellsOfPlan(plan)
      .flatMap((n) => Object.keys(keys[n - 1].modules ?? {}))
      .find((path) => {
        const had = session.modules[path];
        return had !== undefined && had !== this.keys.moduleHash(path);
      });
  }

  async run(
    kernel: Kernel,
    plan: RerunPlan,
    session?: Session,
  ): Promise<string | undefined> {
    return await this.runs.stoppable(kernel, async () => {
      for (const number of cellsOfPlan(plan)) {
        if (this.runs.aborted()) return `${this.file}: interrupted`;
        const asked = plan.asked.includes(number);
        const error = await this.#cell(kernel, number, asked, session);
        if (error) return error;
      }
      const failure = await this.runs.settled(kernel);
      await this.saved.save();
      return failure && this.runs.told(failure, failure.cell!)[1];
    });
  }

  /** Runs a cell; why it failed, in one line. */
  async #cell(
    kernel: Kernel,
    number: number,
    asked: boolean,
    session?: Session,
  ): Promise<string | undefined> {
    const node = this.graph[number - 1];
    const was = this.saved.was[number - 1];
    const cell: Cell = {
      ...was,
      ...node.cell,
      metadata: { ...was?.metadata, ...node.cell.metadata },
      outputs: [],
    };
    const at = this.source.cells.indexOf(node.cell);
    const title = at < 0 ? "Parameters" : cellTitle(this.source, at);
    if (asked) this.saved.put(number, cell);
    const before = structuredClone(session?.writers ?? {});
    if (session) {
      writing(session.writers, node);
      await saveSession(session);
    }
    const { out } = this.saved;
    const save = asked ? this.saved.save : undefined;
    const given = { title, again: !asked, out, save };
    const failure = await this.runs.cell(kernel, cell, number, given);
    if (asked && !failure) this.runs.keep(number, cell);
    if (asked) await this.saved.save();
    if (session && !failure) {
      session.writers = before;
      wrote(session.writers, node, this.keys.keys[number - 1]);
      // A kernel keeps the modules that it has loaded.
      session.modules = { ...this.keys.loads(number), ...session.modules };
      await saveSession(session);
    }
    return failure && this.runs.told(failure, cell)[1];
  }
}

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
    const warn = (message: string) => o.onEvent?.({ type: "warning", message });
    let { nb: executed, text } = await readNotebookText(from)
      .catch((e: Error) => {
        if (from === pair.source) throw e;
        warn(`its results are not used: ${e.message}`);
        return readNotebookText(pair.source);
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
    let asked: number[], made: Notebook | undefined;
    if (o.cells === "stale") {
      asked = staleCells(source, executed, folder)
        .filter((c) => c.state !== "fresh").map((c) => c.number);
      made = upToDate(source, executed, cells);
    } else asked = askedCells(graph, o.cells);
    if (made) [executed, text] = [made, notebookText(made, text)];
    const was = executedCells(cells, executed);
    const saved = new SavedText(text, executed, was, out);
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
  const env = kernelEnv(file);
  const kernel = await rerun.runs.started({ cwd: folder, env });
  if (!kernel) return result(plan, false, `${file}: interrupted`);
  try {
    return result(plan, false, await rerun.run(kernel, plan));
  } finally {
    await kernel.stop();
  }
}
