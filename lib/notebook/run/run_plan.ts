/** Which cells a run executes, and which results of the run before it keeps. */
import { sourceHash } from "./cell_run.ts";
import { codeCells, hasTag, ownRecord } from "../file/cells.ts";
import { executedCells } from "../file/cell_pairs.ts";
import { type Cell, type Notebook, recordOf } from "../file/types.ts";

/**
 * What becomes of a code cell: it is run; run again with its saved outputs
 * kept; not run, with its saved result; not run and left as it is.
 */
export type Act = "run" | "replay" | "keep" | "skip";

/** What a run records of a cell, in `metadata.ferlab`. */
export interface CellRecord {
  status: "ok" | "failed" | "interrupted" | "not run";
  seconds?: number;
  source?: string;
}

/** What a run records in the notebook's `metadata.ferlab`. */
export interface RunRecord {
  status: "running" | "complete" | "failed" | "interrupted";
  deno: string;
  /** values as TypeScript literals */
  parameters?: Record<string, string>;
  profile?: string;
  started: string;
  seconds?: number;
}

export const cellRecord = (cell: Cell): Partial<CellRecord> => recordOf(cell);
export const runRecord = (nb: Notebook): Partial<RunRecord> => recordOf(nb);

/**
 * Decides for each code cell of `nb` and puts the results that stay into it;
 * the others lose theirs.
 * @param o.before the notebook with the results of the run before
 * @param o.resume goes on at the first cell without a result
 * @param o.only runs these only
 */
export function planRun(
  nb: Notebook,
  o: {
    before?: Notebook;
    resume?: boolean;
    only?: (index: number, cell: Cell) => boolean;
  },
): Map<Cell, Act> {
  const plan = new Map<Cell, Act>();
  const cells = codeCells(nb);
  const before = o.before ? executedCells(cells, o.before) : [];
  let resuming = o.resume ?? false;
  for (const [at, cell] of cells.entries()) {
    const old = before[at]?.source === cell.source ? before[at] : undefined;
    if (hasTag(cell, "skip") || !cell.source.trim()) {
      plan.set(cell, "skip");
      continue;
    }
    const record = old && cellRecord(old);
    const done = record?.status === "ok" &&
      record.source === sourceHash(cell.source);
    let act: Act = "run";
    if (o.only && !o.only(at + 1, cell)) act = "keep";
    else if (done && hasTag(cell, "once")) act = "keep";
    else if (resuming && done) act = "replay";
    else resuming = false;
    plan.set(cell, act);
    const from = act === "run" ? undefined : old ?? (o.only && cell);
    cell.outputs = from?.outputs ?? [];
    cell.execution_count = from?.execution_count ?? null;
    if (from?.metadata.ferlab) cell.metadata.ferlab = from.metadata.ferlab;
    else cell.metadata.ferlab = { ...ownRecord(cell), status: "not run" };
  }
  return plan;
}
