/**
 * What is fresh, stale, failed or never run in a notebook; runs nothing.
 *
 * The source notebook (NAME.ipynb) says what the cells are now, the executed
 * one (NAME.executed.ipynb, else the same file) what they were when they ran.
 * The rule and the parts of a key: keys.ts.
 */
import { codeCells, hasTag } from "../file/cells.ts";
import { cellGraph, type GraphCell } from "../code/graph.ts";
import { type CellKey, CellKeys, keptKey, keyNeeds } from "../code/keys.ts";
import {
  currentCells,
  executedCells,
  type NotebookPair,
  notebookPair,
  readExecuted,
} from "../file/cell_pairs.ts";
import { workingFolder } from "../project.ts";
import {
  type Cell,
  errorIn,
  type Notebook,
  readNotebook,
  recordOf,
} from "../file/types.ts";
import { sourceHash } from "./cell_run.ts";
import { cellRecord } from "./run_plan.ts";

export interface CellState {
  /** number among the code cells of the source, from 1 */
  number: number;
  id?: string;
  state: "fresh" | "stale" | "failed" | "never run";
  /** one line each, for a stale cell; for an unreadable one why it is that */
  why: string[];
}

const MOST_NAMED = 3; // modules in a reason

/** What differs between two keys, in words. */
function keyDifferences(
  key: CellKey,
  kept: CellKey,
  upstream: number[],
): string[] {
  if (kept.body === undefined) return ["an earlier version made its key"];
  const why: string[] = [];
  if (key.source !== kept.source) why.push("its source");
  if (key.parameters !== kept.parameters) why.push("a parameter");
  const before = new Set(kept.needs);
  const other = upstream.filter((_, i) => !before.has(key.needs![i]));
  why.push(...other.map((number) => `upstream cell ${number}`));
  const gone = (kept.needs?.length ?? 0) > upstream.length - other.length;
  if (!other.length && gone) why.push("a cell that it needed is gone");
  const differing = (of: "modules" | "files") =>
    Object.keys({ ...kept[of], ...key[of] })
      .filter((path) => key[of]?.[path] !== kept[of]?.[path]);
  const modules = differing("modules");
  why.push(...modules.slice(0, MOST_NAMED).map((path) => `module ${path}`));
  const more = modules.length - MOST_NAMED;
  if (more > 0) why.push(`${more} more module${more > 1 ? "s" : ""}`);
  why.push(...differing("files").map((path) => `file ${path}`));
  if (!modules.length && key.imports !== kept.imports) {
    why.push("what an imported name is");
  }
  if (key.data !== kept.data) why.push("data");
  if (key.lock !== kept.lock) why.push("lock file");
  if (key.deno !== kept.deno) why.push(`Deno ${kept.deno} → ${key.deno}`);
  return why.length ? why : ["the order of the cells"];
}

function stateOf(
  cell: GraphCell,
  graph: GraphCell[],
  key: CellKey,
  was: Cell | undefined,
): Omit<CellState, "number" | "id"> {
  const ran = was && (was.execution_count != null || was.outputs?.length);
  if (!was || !ran) return { state: "never run", why: [] };
  if (errorIn(was) && !hasTag(cell.cell, "raises-exception")) {
    return { state: "failed", why: [] };
  }
  if (cell.code.error) {
    return { state: "stale", why: [`it cannot be read: ${cell.code.error}`] };
  }
  const ferlab = recordOf(was);
  const kept = keptKey(ferlab);
  if (!kept) {
    const why = ferlab.key === undefined
      ? "no key was kept when it ran"
      : "its key is damaged";
    return { state: "stale", why: [why] };
  }
  if (kept.all === key.all) return { state: "fresh", why: [] };
  const upstream = keyNeeds(graph, cell);
  return { state: "stale", why: keyDifferences(key, kept, upstream) };
}

/** States of the code cells of a notebook that was read; blank ones left out. */
export function staleCells(
  source: Notebook,
  executed: Notebook,
  folder: string,
): CellState[] {
  const cells = currentCells(source, executed);
  const graph = cellGraph(cells);
  const { keys } = new CellKeys(graph, folder);
  const was = executedCells(cells, executed);
  return graph.flatMap((cell, i) => {
    if (!cell.cell.source.trim() || hasTag(cell.cell, "skip")) return [];
    const { number } = cell;
    const state = stateOf(cell, graph, keys[i], was[i]);
    return [{
      number,
      ...(cell.cell.id ? { id: cell.cell.id } : {}),
      ...state,
    }];
  });
}

/**
 * States of the cells of a file, the source notebook or the executed one.
 * @throws {Error} in one line when a file cannot be read
 */
export async function notebookStatus(
  file: string,
): Promise<NotebookPair & { cells: CellState[]; unread?: string }> {
  const pair = notebookPair(file);
  const source = await readNotebook(pair.source);
  const { executed, unread } = await readExecuted(pair, source);
  let cells: CellState[];
  try {
    cells = staleCells(source, executed, workingFolder(pair.source));
  } catch (e) {
    throw new Error(`${pair.source} ${(e as Error).message}`);
  }
  return { ...pair, cells, ...(unread ? { unread } : {}) };
}

/** Keys for a notebook that is about to run from its first cell. */
export const runKeys = (nb: Notebook, folder: string): CellKeys =>
  new CellKeys(cellGraph(codeCells(nb)), folder);

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
