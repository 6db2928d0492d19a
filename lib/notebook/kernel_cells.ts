/** Runs cells of a notebook in a kernel: what a run and a rerun share. */
import {
  type CellFailure,
  type CellRunsOptions,
  failureText,
  type Given,
  lateFailure,
  runCell,
  type RunEvent,
} from "./cell_run.ts";
import { Kernel, KernelDied, type KernelOptions } from "./kernel.ts";
import type { CellKeys } from "./keys.ts";
import { CellOutputs } from "./outputs.ts";
import { type Cell, recordOf } from "./types.ts";
import { PENDING, type Pending } from "./prelude.ts";
import { within } from "./timing.ts";

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

  /** Runs the cell of that number; see {@link runCell}. */
  async cell(
    kernel: Kernel,
    cell: Cell,
    number: number,
    given: Given,
  ): Promise<CellFailure | undefined> {
    const { title, again } = given;
    this.emit({
      type: "cell-start",
      index: number,
      total: this.keys.graph.length,
      title: (again ? "(again) " : "") + title,
    });
    this.#numbers.set(cell, number);
    this.keys.begins(number);
    const failure = await runCell(kernel, this.#outputs, cell, number, {
      ...{ ...this.o, ...given, aborted: this.aborted },
      emit: (e) => again && /output|display/.test(e.type) || this.emit(e),
    });
    this.keys.ran();
    return noted(failure);
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
    const left = await settle(kernel, this.#outputs, this.aborted)
      .catch((e): Left[] => {
        if (!(e instanceof KernelDied)) throw e;
        this.warn(`after its last cell ${e.message}`);
        return [];
      });
    for (const one of left) {
      this.warn(`cell ${this.#numbers.get(one.cell)} ${leftText(one)}`);
    }
    return noted(lateFailure(this.#outputs));
  }

  /** The number of the cell that failed, and why in one line. */
  told(failure: CellFailure, running: Cell): [number: number, error: string] {
    const cell = failure.cell ?? running;
    const number = this.#numbers.get(cell)!;
    const { file, keys: { folder } } = this;
    return [number, failureText(file, folder, number, cell, failure)];
  }
}

/** Notes in a cell that had ended well that it failed later. */
function noted(failure: CellFailure | undefined): CellFailure | undefined {
  if (failure?.cell) {
    const { key: _, ...rest } = recordOf(failure.cell);
    failure.cell.metadata.ferlab = { ...rest, status: "failed" };
  }
  return failure;
}

/** Seconds that the end of a run waits for timers that fire within them. */
export const LATE = 1;
const LOOK = 20; // ms between two looks

/** What a kernel is left with. */
export interface Left {
  cell: Cell;
  timers: number;
}

/**
 * Waits for the timers of the cells that fire within {@link LATE} seconds; the
 * outputs go to their cells.
 * @returns by cell what is still pending then
 * @throws {KernelDied} when the process ends first
 */
export async function settle(
  kernel: Kernel,
  outputs: CellOutputs,
  aborted: () => boolean,
): Promise<Left[]> {
  const end = Date.now() + LATE * 1000;
  while (true) {
    const asked = kernel.ask(PENDING) as Promise<Pending[] | undefined>;
    asked.catch(() => {});
    // A kernel whose timer is in a loop does not answer.
    const limit = end - Date.now() + LATE * 1000;
    const pending = await within(limit, asked);
    const due = (pending ?? []).filter((p) =>
      p.in !== null && Date.now() + p.in < end
    );
    if (!due.length || Date.now() >= end || aborted()) {
      return byCell(pending ?? [], outputs);
    }
    const next = Math.min(...due.map((p) => p.in!));
    await new Promise((r) => setTimeout(r, Math.max(next, LOOK)));
  }
}

function byCell(pending: Pending[], outputs: CellOutputs): Left[] {
  const counts = new Map<Cell, number>();
  for (const { at } of pending) {
    const cell = outputs.cellAt(at);
    if (cell) counts.set(cell, (counts.get(cell) ?? 0) + 1);
  }
  return Array.from(counts, ([cell, timers]) => ({ cell, timers }));
}

/** In words: "left 2 timers that …". */
export const leftText = ({ timers }: Left): string =>
  `left ${timers === 1 ? "a timer" : `${timers} timers`} pending ${LATE} s ` +
  "after the last cell; what comes of it is lost (await it in the cell)";
