/** What cells leave pending at the end of a run: waited for shortly, then told. */
import type { Kernel } from "./kernel.ts";
import type { CellOutputs } from "./outputs.ts";
import { PENDING, type Pending } from "./prelude.ts";
import type { Cell } from "./types.ts";

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
    const pending = await withinTime(kernel.ask(PENDING), end) as
      | Pending[]
      | undefined;
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

/** A kernel whose timer is in a loop does not answer. */
async function withinTime<T>(
  answer: Promise<T>,
  end: number,
): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((r) =>
    timer = setTimeout(() => r(undefined), end - Date.now() + LATE * 1000)
  );
  answer.catch(() => {});
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
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
