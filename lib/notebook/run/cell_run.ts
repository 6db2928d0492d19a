/** Runs cells of a notebook in a kernel: what a run and a rerun share. */
import { stripAnsi } from "../ansi.ts";
import { shortHash } from "../file/ids.ts";
import { hasTag, ownRecord, timeLimit } from "../file/cells.ts";
import {
  type CellFailure,
  errorAtLine,
  failureIn,
  failureText,
  FROM_OUTSIDE,
  syntaxError,
} from "../kernel/cell_errors.ts";
import { Kernel, KernelDied, type KernelOptions } from "../kernel/kernel.ts";
import type { CellKeys } from "../code/keys.ts";
import { CellOutputs, LeftOut } from "../kernel/outputs.ts";
import { PENDING, type Pending } from "../kernel/prelude.ts";
import { withinTime } from "../concurrency.ts";
import {
  type Cell,
  errorIn,
  type ErrorOutput,
  type MimeBundle,
  recordOf,
} from "../file/types.ts";

/** What happens during a run. `index` is the code cell's number, from 1. */
export type RunEvent =
  | { type: "cell-start"; index: number; total: number; title: string }
  | { type: "output"; index: number; text: string }
  /** something is shown, or shown anew in its place */
  | { type: "display"; index: number; data: MimeBundle }
  | { type: "cell-end"; index: number; seconds: number; ok: boolean }
  | { type: "warning"; message: string };

const NO_ERROR =
  "it should have thrown (tag raises-exception), but ran to its end";
const SAVE_EVERY = 5000; // ms between savings of a cell that still runs

function deathOutput(
  { end, message }: KernelDied,
  [ename, evalue] = ["KernelDied", message],
): ErrorOutput {
  const last = end.stderr.split("\n").slice(-20);
  const more = end.stderr ? ["last lines of its stderr:", ...last] : [];
  const traceback = [message, ...more];
  return { output_type: "error", ename, evalue, traceback };
}

export interface CellRunsOptions {
  /**
   * seconds a cell may run that has no tag `timeout=SECONDS`; then it is
   * interrupted, and killed after `grace`
   */
  cellTimeout?: number;
  /** sends SIGINT to the kernel, and kills it after `grace` */
  signal?: AbortSignal;
  kill?: AbortSignal;
  /** milliseconds between SIGINT and the kill; default 5000 */
  grace?: number;
  /** milliseconds between savings of a cell that still runs; default 5000 */
  saveEvery?: number;
  onEvent?: (e: RunEvent) => void;
}

/** What is special in a cell that is to run. */
export interface Given {
  title: string;
  /** it runs for its state only: what it puts out is not told */
  again: boolean;
  /**
   * the notebook that is saved, beside which text goes that is too long; and
   * what saves it, now and then while the cell prints
   */
  out?: string;
  save?: () => Promise<void>;
}

/** Hash of a cell's source, by which a saved result is known to be its. */
export const sourceHash = (source: string): string => shortHash(source, 16);

/** Saves now and then while there is something new; `end` waits for the last. */
function savings(
  save: (() => Promise<void>) | undefined,
  every: number,
  warn: (message: string) => void,
) {
  let changed = false;
  let saving: Promise<void> | undefined;
  const tick = () => {
    if (!changed || saving) return;
    changed = false;
    saving = save!().catch((e) => {
      warn(`${e.message}; tried again later`);
      changed = true;
    }).finally(() => saving = undefined);
  };
  const timer = save && setInterval(tick, every);
  return {
    change: () => changed = true,
    async end() {
      clearInterval(timer);
      await saving;
    },
  };
}

/** Interrupts the cell after `seconds`, and kills it `grace` ms later. */
function stopwatch(kernel: Kernel, seconds?: number, grace?: number) {
  let over = false;
  const timer = seconds && setTimeout(() => {
    over = true;
    end = kernel.interruptThenKill(grace);
  }, seconds * 1000);
  let end = () => clearTimeout(timer);
  return { over: () => over, end: () => end() };
}

export class CellRuns {
  readonly #outputs = new CellOutputs();
  readonly #numbers = new Map<Cell, number>();
  readonly #keyed = new Map<number, Cell>();

  constructor(
    readonly file: string,
    readonly keys: CellKeys,
    readonly o: CellRunsOptions,
  ) {}

  get hasRun(): boolean {
    return this.#numbers.size > 0;
  }

  readonly aborted = () =>
    (this.o.signal?.aborted || this.o.kill?.aborted) ?? false;
  readonly emit = (e: RunEvent) => this.o.onEvent?.(e);
  readonly warn = (message: string) =>
    this.emit({ type: "warning", message: `${this.file}: ${message}` });

  /** A new kernel; none when a signal stopped its start. */
  async started(o: KernelOptions): Promise<Kernel | undefined> {
    const { signal = AbortSignal.any([]), kill = signal } = this.o;
    try {
      const either = AbortSignal.any([signal, kill]);
      return await Kernel.start({ ...o, signal: either });
    } catch (e) {
      if (!this.aborted()) throw e;
    }
  }

  /** Does `work` in a kernel that the signals stop. */
  async stoppable<T>(kernel: Kernel, work: () => Promise<T>): Promise<T> {
    const { signal, kill, grace } = this.o;
    let callOff = () => {};
    const onAbort = () => callOff = kernel.interruptThenKill(grace);
    const onKill = () => kernel.kill();
    signal?.addEventListener("abort", onAbort);
    kill?.addEventListener("abort", onKill);
    kernel.onMessage = (m) => void this.#outputs.take(m); // between two cells
    try {
      if (this.aborted()) onAbort();
      return await work();
    } finally {
      signal?.removeEventListener("abort", onAbort);
      kill?.removeEventListener("abort", onKill);
      callOff();
    }
  }

  /**
   * Runs `cell` as number `index` (from 1) and fills its outputs and its count;
   * `metadata.ferlab` gets the `status` (ok, failed, interrupted), the `seconds`
   * and the {@link sourceHash}.
   */
  async cell(
    kernel: Kernel,
    cell: Cell,
    index: number,
    given: Given,
  ): Promise<CellFailure | undefined> {
    const title = (given.again ? "(again) " : "") + given.title;
    const total = this.keys.graph.length;
    this.emit({ type: "cell-start", index, total, title });
    this.#numbers.set(cell, index);
    this.keys.begins(index);
    const start = performance.now();
    const error = await this.#execute(kernel, cell, index, given);
    const seconds = Math.round(performance.now() - start) / 1000;
    const outside = error && FROM_OUTSIDE.includes(error.ename);
    const ok = hasTag(cell, "raises-exception") ? !!error && !outside : !error;
    cell.metadata.ferlab = {
      ...ownRecord(cell),
      status: this.aborted() ? "interrupted" : ok ? "ok" : "failed",
      seconds,
      source: sourceHash(cell.source),
    };
    this.emit({ type: "cell-end", index, seconds, ok });
    this.keys.ran();
    if (ok) return this.#late();
    return error
      ? failureIn(cell, error)
      : { message: NO_ERROR, ename: "Error" };
  }

  /** Executes a cell and collects what it puts out; the error, if there is one. */
  async #execute(
    kernel: Kernel,
    cell: Cell,
    index: number,
    { again, out, save }: Given,
  ): Promise<ErrorOutput | undefined> {
    const { cellTimeout, grace, saveEvery = SAVE_EVERY } = this.o;
    this.#outputs.begin(cell, kernel.fence);
    cell.execution_count = index;
    const leftOut = new LeftOut(out, index);
    const saved = savings(
      save,
      saveEvery,
      (message) => this.emit({ type: "warning", message }),
    );
    const most = timeLimit(cell) ?? cellTimeout;
    const limit = stopwatch(kernel, most, grace);
    const before = kernel.onMessage;
    kernel.onMessage = (m) => {
      saved.change();
      const text = this.#outputs.take(leftOut.cut(m));
      leftOut.note(cell);
      if (again) return;
      if (m.type === "display_data" || m.type === "update_display_data") {
        const { data } = m.content ?? {};
        if (data) {
          this.emit({ type: "display", index, data: data as MimeBundle });
        }
      }
      if (text === undefined) return;
      const whole = m.type === "stream" ? String(m.content.text) : text;
      if (whole) this.emit({ type: "output", index, text: stripAnsi(whole) });
    };
    const stopped = (): [string, string] | undefined =>
      limit.over()
        ? ["CellTimeout", `the cell ran longer than ${most} s and was stopped`]
        : this.aborted()
        ? ["Interrupted", "the run was interrupted"]
        : undefined;
    const failed = (error: ErrorOutput) => {
      cell.outputs!.push(error);
      return error;
    };
    try {
      const { source } = cell;
      const { status, thrown } = await kernel.execute(source, `${index}`);
      const error = errorIn(cell) ??
        (status === "ok" ? undefined : failed(await syntaxError(source)));
      if (error) {
        const at = { source, cell: `${index}`, thrown };
        return Object.assign(error, errorAtLine(at, error));
      }
      if (limit.over()) { // it ended by itself when interrupted
        const [ename, evalue] = stopped()!;
        const traceback = [evalue];
        return failed({ output_type: "error", ename, evalue, traceback });
      }
    } catch (e) {
      if (!(e instanceof KernelDied)) throw e;
      return failed(deathOutput(e, stopped()));
    } finally {
      kernel.onMessage = before;
      limit.end();
      await saved.end();
    }
  }

  /** An error that came late to a cell that had ended; its record says so. */
  #late(): CellFailure | undefined {
    const [cell] = this.#outputs.late;
    this.#outputs.late.clear();
    if (!cell) return;
    const { key: _, ...rest } = recordOf(cell);
    cell.metadata.ferlab = { ...rest, status: "failed" };
    return { ...failureIn(cell, errorIn(cell)!), cell };
  }

  /** Gives a cell that ran well its key, and anew those before: it may have imported. */
  keep(number: number, cell: Cell) {
    this.#keyed.set(number, cell);
    const { keys } = this.keys;
    for (const [n, done] of this.#keyed) {
      done.metadata.ferlab = { ...recordOf(done), key: keys[n - 1] };
    }
  }

  /** Waits for what comes late after the last cell; an error that came. */
  async settled(kernel: Kernel): Promise<CellFailure | undefined> {
    this.#outputs.end();
    const pending = await settle(kernel, this.aborted)
      .catch((e): Pending[] => {
        if (!(e instanceof KernelDied)) throw e;
        this.warn(`after its last cell ${e.message}`);
        return [];
      });
    const timers = Map.groupBy(pending, ({ at }) => this.#outputs.cellAt(at));
    for (const [cell, { length }] of timers) {
      if (!cell) continue;
      this.warn(
        `cell ${this.#numbers.get(cell)} left ` +
          `${
            length === 1 ? "a timer" : `${length} timers`
          } pending ${LATE} s ` +
          "after the last cell; what comes of it is lost (await it in the cell)",
      );
    }
    return this.#late();
  }

  /** The number of the cell that failed, and why in one line. */
  told(failure: CellFailure, running: Cell): [number: number, error: string] {
    const cell = failure.cell ?? running;
    const number = this.#numbers.get(cell)!;
    const { file, keys: { folder } } = this;
    return [number, failureText(file, folder, number, cell, failure)];
  }
}

/** Seconds that the end of a run waits for timers that fire within them. */
export const LATE = 1;
const LOOK = 20; // ms between two looks

/**
 * Waits for the timers of the cells that fire within {@link LATE} seconds; the
 * outputs go to their cells.
 * @returns what is still pending then
 * @throws {KernelDied} when the process ends first
 */
async function settle(
  kernel: Kernel,
  aborted: () => boolean,
): Promise<Pending[]> {
  const end = Date.now() + LATE * 1000;
  while (true) {
    const asked = kernel.ask(PENDING) as Promise<Pending[] | undefined>;
    asked.catch(() => {});
    // A kernel whose timer is in a loop does not answer.
    const limit = end - Date.now() + LATE * 1000;
    const pending = await withinTime(limit, asked) ?? [];
    const due = pending.filter((p) => p.in !== null && Date.now() + p.in < end);
    if (!due.length || Date.now() >= end || aborted()) return pending;
    const next = Math.min(...due.map((p) => p.in!));
    await new Promise((r) => setTimeout(r, Math.max(next, LOOK)));
  }
}
