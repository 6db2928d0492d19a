/** What of a saved notebook is no longer what ran: its page has to say so. */
import { sourceHash } from "./cell_run.ts";
import { codeCells } from "./cells.ts";
import { cellRecord } from "./plan.ts";
import { workingFolder } from "./project.ts";
import { type CellState, staleCells } from "./stale.ts";
import type { Notebook } from "./types.ts";

/** What changed since the cells of a notebook ran. */
export interface Changes {
  /** code cells, by number, that show other code than ran, and why */
  cells: Map<number, string>;
  /** what else their outputs followed from: modules, data, the lock file, Deno */
  beside: string[];
}

/** Reasons (stale.ts) that lie in the notebook itself. */
const INSIDE =
  /^(its source|a parameter|the order of the cells|a cell that it needed is gone)$/;
const BESIDE =
  /^(module .*|\d+ more modules?|file .*|what an imported name is|data|lock file|Deno .*)$/;

/**
 * Compares each cell of an executed notebook with what was kept of it when it
 * ran; of cells that `nb` did not run nothing is known, and nothing told.
 */
export function changesOf(file: string, nb: Notebook): Changes {
  const cells = new Map<number, string>();
  const beside = new Set<string>();
  const code = codeCells(nb);
  for (const [i, cell] of code.entries()) {
    const { source, status } = cellRecord(cell);
    if (source === undefined || status === "not run") continue;
    if (source !== sourceHash(cell.source)) {
      cells.set(i + 1, "its source");
    }
  }
  const known = code.some((cell) => cellRecord(cell).source !== undefined);
  let states: CellState[] = [];
  try {
    if (known) states = staleCells(nb, nb, workingFolder(file));
  } catch (e) { // its data are too many
    beside.add((e as Error).message);
  }
  for (const { number, state, why } of states) {
    if (state !== "stale" || cells.has(number)) continue;
    const inside = why.filter((reason) => {
      const above = /^upstream cell (\d+)$/.exec(reason)?.[1];
      return above === undefined
        ? INSIDE.test(reason)
        : cells.has(Number(above));
    });
    if (inside.length) cells.set(number, inside.join(", "));
    else for (const one of why) if (BESIDE.test(one)) beside.add(one);
  }
  const inOrder = [...cells].sort(([a], [b]) => a - b);
  return { cells: new Map(inOrder), beside: [...beside] };
}
