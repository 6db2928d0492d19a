/** Runs a notebook's cells in order in a fresh kernel and saves as it goes. */
import { dirname, join, resolve } from "node:path";
import { existsSync } from "node:fs";
import { runCell, type RunEvent } from "./cell_run.ts";
import { Kernel } from "./kernel.ts";
import { CellOutputs } from "./outputs.ts";
import { injectParameters } from "./parameters.ts";
import {
  type Cell,
  type Notebook,
  readNotebook,
  writeNotebook,
} from "./types.ts";

/** Options of {@link runNotebook}. */
export interface RunOptions {
  /** values for names that the cell tagged `parameters` declares with `let` */
  parameters?: Record<string, unknown>;
  /** where the notebook with outputs is saved, after every cell */
  out?: string;
  /** default: folder of the nearest deno.json at or above, else the file's */
  cwd?: string;
  env?: Record<string, string>;
  /** sends SIGINT to the kernel, and kills it after `grace` */
  signal?: AbortSignal;
  /** milliseconds between SIGINT and the kill; default 5000 */
  grace?: number;
  onEvent?: (e: RunEvent) => void;
}

/** Outcome of {@link runNotebook}. */
export interface RunResult {
  notebook: Notebook;
  ok: boolean;
  /** number of the code cell that failed, from 1 */
  failedCell?: number;
  /** one line: "file cell N (line L): message" */
  error?: string;
  interrupted: boolean;
}

function workingFolder(file: string): string {
  const start = dirname(resolve(file));
  for (let dir = start;; dir = dirname(dir)) {
    if (["deno.json", "deno.jsonc"].some((f) => existsSync(join(dir, f)))) {
      return dir;
    }
    if (dir === dirname(dir)) return start;
  }
}

/** A cell's first telling line, for progress. */
function titleOf(nb: Notebook, cell: Cell): string {
  const before = nb.cells.slice(0, nb.cells.indexOf(cell)).findLast((c) =>
    c.cell_type === "markdown" && /^#+ /m.test(c.source)
  );
  const heading = before?.source.match(/^#+ +(.*)$/gm)?.at(-1);
  const line = cell.source.split("\n").find((l) => l.trim()) ?? "";
  return heading?.replace(/^#+ +/, "") ?? line.trim().slice(0, 60);
}

/**
 * Runs all code cells in a fresh Deno kernel, up to the first that fails;
 * later cells keep no outputs. The kernel is gone when this returns.
 * @throws {Error} in one line when the file cannot be read or written, or
 *   when the kernel does not start
 */
export async function runNotebook(
  file: string,
  o: RunOptions = {},
): Promise<RunResult> {
  const emit = (e: RunEvent) => o.onEvent?.(e);
  const nb = await readNotebook(file);
  const { unknown } = injectParameters(nb, o.parameters ?? {});
  for (const name of unknown) {
    emit({
      type: "warning",
      message: `${file}: no parameter "${name}": declare it with let in ` +
        `the cell tagged "parameters"; it is left out`,
    });
  }
  const cells = nb.cells.filter((c) => c.cell_type === "code");
  for (const cell of cells) {
    cell.outputs = [];
    cell.execution_count = null;
    delete cell.metadata.ferlab;
  }
  const result: RunResult = { notebook: nb, ok: true, interrupted: false };
  const save = async () => {
    if (o.out) await writeNotebook(o.out, nb);
  };
  const aborted = () => o.signal?.aborted ?? false;
  if (aborted()) {
    await save();
    return { ...result, ok: false, interrupted: true, error: cut(file) };
  }

  const kernel = await Kernel.start({
    cwd: o.cwd ?? workingFolder(file),
    env: o.env,
  });
  let killer: ReturnType<typeof setTimeout> | undefined;
  const abort = () => {
    kernel.interrupt();
    killer = setTimeout(() => kernel.kill(), o.grace ?? 5000);
  };
  o.signal?.addEventListener("abort", abort);
  const outputs = new CellOutputs();
  try {
    if (aborted()) abort();
    for (const [i, cell] of cells.entries()) {
      if (aborted()) break;
      if (!cell.source.trim()) continue;
      const index = i + 1;
      emit({
        type: "cell-start",
        index,
        total: cells.length,
        title: titleOf(nb, cell),
      });
      const failure = await runCell(kernel, outputs, cell, index, {
        emit,
        save: o.out ? save : undefined,
        aborted,
      });
      await save();
      if (failure) {
        const line = failure.line ? ` (line ${failure.line})` : "";
        result.ok = false;
        result.failedCell = index;
        result.error = `${file} cell ${index}${line}: ${failure.message}`;
        break;
      }
    }
  } finally {
    o.signal?.removeEventListener("abort", abort);
    clearTimeout(killer);
    await kernel.stop();
  }
  if (aborted()) {
    result.interrupted = true;
    result.ok = false;
    result.error ??= cut(file);
  }
  await save();
  return result;
}

const cut = (file: string) => `${file}: interrupted`;
