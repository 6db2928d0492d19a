/** Notebooks as tests: small parameters, expected errors, expected outputs. */
import { cellName, cellTitle, hasTag } from "../file/cells.ts";
import type { RunEvent } from "../run/cell_run.ts";
import { compareOutputs } from "./compare_outputs.ts";
import { isObject } from "../file/malformed.ts";
import { cellSeconds } from "../run/page_provenance.ts";
import { runNotebook } from "../run/run.ts";
import {
  type Cell,
  errorIn,
  type Notebook,
  readNotebook,
  recordOf,
} from "../file/types.ts";

export interface NotebookTestOptions {
  /** go before those that the notebook itself gives for tests */
  parameters?: Record<string, unknown>;
  /** relative, for cells tagged `expect` that name none; default 0 */
  tolerance?: number;
  signal?: AbortSignal;
  onEvent?: (e: RunEvent) => void;
  /** called as soon as a cell's result is known: at the end of the run */
  onCell?: (cell: CellTest) => void;
}

export interface CellTest {
  cell: string;
  id?: string;
  title: string;
  status: "passed" | "failed" | "skipped" | "not run";
  seconds?: number;
  message?: string;
}

export interface NotebookTest {
  file: string;
  ok: boolean;
  interrupted: boolean;
  cells: CellTest[];
  /** what failed, when it is no cell's own failure: one line */
  error?: string;
}

const object = (v: unknown) => isObject(v) ? v : {};
/**
 * Parameters that a notebook gives for tests: `metadata.ferlab.test.parameters`,
 * and over them the JSON object in a raw cell tagged `test-parameters`.
 * @throws {Error} in one line when that cell holds no JSON object
 */
function testParameters(
  file: string,
  nb: Notebook,
): Record<string, unknown> {
  const test = object(recordOf(nb).test);
  const values = { ...object(test.parameters) };
  for (const [i, cell] of nb.cells.entries()) {
    if (!hasTag(cell, "test-parameters")) continue;
    let given: unknown;
    try {
      given = cell.cell_type === "raw" ? JSON.parse(cell.source) : undefined;
    } catch { /* told below */ }
    if (object(given) !== given) {
      throw new Error(
        `${file} ${cellName(nb.cells, i)}: tagged "test-parameters", it must ` +
          "be a raw cell with a JSON object of parameters",
      );
    }
    Object.assign(values, given);
  }
  return values;
}

/** The cell's own tolerance, the notebook's, else the one given. */
function toleranceOf(nb: Notebook, cell: Cell, given: number): number {
  const own = object(cell.metadata.expect).tolerance ??
    object(recordOf(nb).test).tolerance;
  return typeof own === "number" ? own : given;
}

/** Compares a cell that ran with what its tags promise. */
async function judgeTest(
  stored: Cell,
  ran: Cell,
  tolerance: number,
): Promise<string | undefined> {
  const error = errorIn(ran);
  if (hasTag(stored, "raises-exception")) {
    if (!error) {
      return "it should have thrown (tag raises-exception), but did not";
    }
  } else if (error) {
    const text = error.evalue.split("\n")[0];
    return error.ename === "Error" ? text : `${error.ename}: ${text}`;
  }
  if (!hasTag(stored, "expect")) return;
  if (!stored.outputs?.length) {
    return "tagged expect, it has no stored output; run the notebook and save it";
  }
  const [first] = await compareOutputs(stored.outputs, ran.outputs!, tolerance);
  return first &&
    `output ${
      first.index + 1
    } (${first.kind}) is not the stored one: ${first.why}`;
}

/**
 * Runs a notebook as a test; the file stays as it is.
 *
 * A cell passes when it does not throw. Tags say more: `raises-exception`, it
 * must throw; `skip`, it is left out; `expect`, its outputs must be those
 * stored in the file, numbers within the relative `tolerance` in the cell's
 * metadata (`{"tags": ["expect"], "expect": {"tolerance": 1e-3}}`).
 * Stored outputs are those of the test's parameters then; see
 * {@link testParameters}.
 * @throws {Error} in one line when the file cannot be read, or the kernel does
 *   not start
 */
export async function runNotebookTest(
  file: string,
  o: NotebookTestOptions = {},
): Promise<NotebookTest> {
  const nb = await readNotebook(file);
  // A run counts an injected cell that the stored notebook may not have.
  const isOwn = (c: Cell) =>
    c.cell_type === "code" && !hasTag(c, "injected-parameters");
  const result = await runNotebook(file, {
    parameters: { ...testParameters(file, nb), ...o.parameters },
    signal: o.signal,
    onEvent: o.onEvent,
  });
  const ran = result.notebook.cells.filter(isOwn);
  const cells: CellTest[] = [];
  for (const [i, stored] of nb.cells.entries()) {
    if (!isOwn(stored)) continue;
    const after = ran[cells.length];
    const one: CellTest = {
      cell: cellName(nb.cells, i),
      ...(stored.id ? { id: stored.id } : {}),
      title: cellTitle(nb, i),
      status: "passed",
    };
    if (hasTag(stored, "skip") || !stored.source.trim()) one.status = "skipped";
    else if (after.execution_count == null) one.status = "not run";
    else {
      one.seconds = cellSeconds(after);
      const given = o.tolerance ?? 0;
      one.message = await judgeTest(
        stored,
        after,
        toleranceOf(nb, stored, given),
      );
      if (one.message !== undefined) one.status = "failed";
    }
    cells.push(one);
    o.onCell?.(one);
  }
  const failed = cells.some((c) => c.status === "failed");
  const lost = cells.some((c) => c.status === "not run");
  return {
    file,
    ok: result.ok && !failed && !lost,
    interrupted: result.interrupted,
    cells,
    ...(!failed && (!result.ok || lost)
      ? { error: result.error ?? `${file}: not all cells were run` }
      : {}),
  };
}
