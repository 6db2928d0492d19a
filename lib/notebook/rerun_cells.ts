/** Runs the cells of a rerun in a kernel. */
import {
  type CellFailure,
  failureText,
  lateFailure,
  runCell,
  type RunEvent,
} from "./cell_run.ts";
import { cellTitle, hasTag, ownRecord, timeLimit } from "./cells.ts";
import { type GraphCell } from "./graph.ts";
import { Kernel } from "./kernel.ts";
import { CellKeys } from "./keys.ts";
import { CellOutputs } from "./outputs.ts";
import { leftText, settle } from "./pending.ts";
import {
  planProblem,
  planRerun,
  type RerunPlan,
  writing,
  wrote,
} from "./rerun_plan.ts";
import { SavedText } from "./saved_text.ts";
import { saveSession, type Session } from "./session.ts";
import { type Cell, type Notebook } from "./types.ts";

/** Options of {@link rerunCells}. */
export interface RerunOptions {
  /** numbers, ids or tags of code cells; or all that are not fresh */
  cells: string[] | "stale";
  /** where the results go; default: the executed notebook */
  out?: string;
  /** use the notebook's session when it has one; default true */
  session?: boolean;
  /** seconds a cell may run; then it is interrupted, and killed after `grace` */
  cellTimeout?: number;
  /** sends SIGINT to the kernel, and kills it after `grace` */
  signal?: AbortSignal;
  /** milliseconds between SIGINT and the kill; default 5000 */
  grace?: number;
  /** is told what will run, before anything does */
  onPlan?: (plan: RerunPlan) => void;
  onEvent?: (e: RunEvent) => void;
}

/** A rerun of some cells of one notebook. */
export class Rerun {
  readonly #outputs = new CellOutputs();
  /** Cells asked for that ran well, by number. */
  readonly #keyed = new Map<number, Cell>();
  /** Numbers of the cells that were run. */
  readonly #ran = new Map<Cell, number>();
  readonly #aborted = () => this.o.signal?.aborted ?? false;
  readonly #emit = (e: RunEvent) => this.o.onEvent?.(e);

  constructor(
    readonly file: string,
    readonly source: Notebook,
    readonly graph: GraphCell[],
    readonly keys: CellKeys,
    readonly saved: SavedText,
    readonly o: RerunOptions,
  ) {}

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
    return [...plan.asked, ...plan.replays.map((r) => r.number)]
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
    let killer: ReturnType<typeof setTimeout> | undefined;
    const abort = () => {
      kernel.interrupt();
      killer = setTimeout(() => kernel.kill(), this.o.grace ?? 5000);
    };
    this.o.signal?.addEventListener("abort", abort);
    const runs = [...plan.asked, ...plan.replays.map((r) => r.number)];
    kernel.onMessage = (m) => void this.#outputs.take(m); // between two cells
    try {
      for (const number of runs.sort((a, b) => a - b)) {
        if (this.#aborted()) return `${this.file}: interrupted`;
        const asked = plan.asked.includes(number);
        const failure = await this.#cell(kernel, number, asked, session);
        if (!failure) continue;
        const { cell } = this.graph[number - 1];
        return this.#told(failure, failure.cell ?? cell, number);
      }
      return await this.#settled(kernel);
    } finally {
      this.o.signal?.removeEventListener("abort", abort);
      clearTimeout(killer);
    }
  }

  /** What comes late after the last cell; an error of it. */
  async #settled(kernel: Kernel): Promise<string | undefined> {
    this.#outputs.end();
    const left = await settle(kernel, this.#outputs, this.#aborted);
    const name = (cell: Cell) => {
      const number = this.#ran.get(cell);
      return `${this.file} cell ${number}`;
    };
    for (const one of left) {
      const message = `${name(one.cell)} ${leftText(one)}`;
      this.#emit({ type: "warning", message });
    }
    const failure = lateFailure(this.#outputs);
    if (failure) {
      const { ferlab } = failure.cell!.metadata as {
        ferlab?: Record<string, unknown>;
      };
      const { key: _, ...rest } = ferlab ?? {};
      failure.cell!.metadata.ferlab = { ...rest, status: "failed" };
    }
    await this.saved.save();
    return failure && this.#told(failure, failure.cell!);
  }

  #told(failure: CellFailure, cell: Cell, number?: number): string {
    const at = this.#ran.get(cell) ?? number!;
    return failureText(this.file, this.keys.folder, at, cell, failure);
  }

  async #cell(
    kernel: Kernel,
    number: number,
    asked: boolean,
    session?: Session,
  ): Promise<CellFailure | undefined> {
    const node = this.graph[number - 1];
    const was = this.saved.was[number - 1];
    const own = ownRecord(node.cell);
    const cell: Cell = {
      ...was,
      ...node.cell,
      metadata: { ...was?.metadata, ...node.cell.metadata },
      outputs: [],
    };
    const at = this.source.cells.indexOf(node.cell);
    const title = at < 0 ? "Parameters" : cellTitle(this.source, at);
    this.#emit({
      type: "cell-start",
      index: number,
      total: this.graph.length,
      title: (asked ? "" : "(again) ") + title,
    });
    if (asked) this.saved.put(number, cell);
    this.#ran.set(cell, number);
    this.keys.begins(number);
    const before = structuredClone(session?.writers ?? {});
    if (session) {
      writing(session.writers, node);
      await saveSession(session);
    }
    const failure = await runCell(kernel, this.#outputs, cell, number, {
      out: this.saved.out,
      emit: (e) => (asked || !/output|display/.test(e.type)) && this.#emit(e),
      save: asked ? this.saved.save : undefined,
      aborted: this.#aborted,
      timeout: timeLimit(node.cell) ?? this.o.cellTimeout,
      grace: this.o.grace,
      expectError: hasTag(node.cell, "raises-exception"),
    });
    this.keys.ran();
    const { keys } = this.keys;
    const key = keys[number - 1];
    cell.metadata.ferlab = {
      ...own,
      ...cell.metadata.ferlab as Record<string, unknown>,
      ...(failure ? {} : { key }),
    };
    if (asked && !failure) this.#keyed.set(number, cell);
    for (const [n, done] of this.#keyed) {
      Object.assign(done.metadata.ferlab as object, { key: keys[n - 1] });
    }
    if (asked) await this.saved.save();
    if (session && !failure) {
      session.writers = before;
      wrote(session.writers, node, key);
      // A kernel keeps the modules that it has loaded.
      session.modules = { ...this.keys.loads(number), ...session.modules };
      await saveSession(session);
    }
    return failure;
  }
}
