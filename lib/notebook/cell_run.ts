/** Runs one cell in a kernel and collects what it puts out. */
import { stripAnsi } from "./ansi.ts";
import { shortHash } from "./ast.ts";
import { hasTag, ownRecord, timeLimit } from "./cells.ts";
import { ownLine, placed, syntaxError } from "./errors.ts";
import { type Kernel, KernelDied } from "./kernel.ts";
import { type CellOutputs, LeftOut } from "./outputs.ts";
import { pathHint } from "./project.ts";
import {
  type Cell,
  errorIn,
  type ErrorOutput,
  type MimeBundle,
} from "./types.ts";

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
/** Errors that are not the cell's own: never those that a tag expects. */
const FROM_OUTSIDE = ["KernelDied", "Interrupted", "CellTimeout"];
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

/** Why a cell failed: one line, and its line in the cell, from 1. */
export interface CellFailure {
  line?: number;
  message: string;
  ename: string;
  /** the earlier cell that failed, by a timer or a promise, during this one */
  cell?: Cell;
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

type CellRunOptions = CellRunsOptions & Given & {
  emit: (e: RunEvent) => void;
  aborted: () => boolean;
};

/** Hash of a cell's source, by which a saved result is known to be its. */
export const sourceHash = (source: string): string => shortHash(source, 16);

/** Saves now and then while there is something new; `end` waits for the last. */
function savings(o: CellRunOptions) {
  let changed = false;
  let saving: Promise<void> | undefined;
  const tick = () => {
    if (!o.save || !changed || saving) return;
    changed = false;
    saving = o.save().catch((e) => {
      o.emit({ type: "warning", message: `${e.message}; tried again later` });
      changed = true;
    }).finally(() => saving = undefined);
  };
  const timer = o.save && setInterval(tick, o.saveEvery ?? SAVE_EVERY);
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

/**
 * Runs `cell` as number `index` (from 1) and fills its outputs and its count;
 * `metadata.ferlab` gets the `status` (ok, failed, interrupted), the `seconds`
 * and the {@link sourceHash}.
 */
export async function runCell(
  kernel: Kernel,
  outputs: CellOutputs,
  cell: Cell,
  index: number,
  o: CellRunOptions,
): Promise<CellFailure | undefined> {
  const start = performance.now();
  outputs.begin(cell, kernel.fence);
  cell.execution_count = index;
  const leftOut = new LeftOut(o.out, index);
  const saved = savings(o);
  const most = timeLimit(cell) ?? o.cellTimeout;
  const limit = stopwatch(kernel, most, o.grace);
  const before = kernel.onMessage;
  kernel.onMessage = (m) => {
    saved.change();
    const text = outputs.take(leftOut.cut(m));
    leftOut.note(cell);
    if (m.type === "display_data" || m.type === "update_display_data") {
      const { data } = m.content ?? {};
      if (data) o.emit({ type: "display", index, data: data as MimeBundle });
    }
    if (text === undefined) return;
    const whole = m.type === "stream" ? String(m.content.text) : text;
    if (whole) o.emit({ type: "output", index, text: stripAnsi(whole) });
  };
  let error: ErrorOutput | undefined;
  let line: number | undefined;
  const stopped = (): [string, string] | undefined =>
    limit.over()
      ? [
        "CellTimeout",
        `the cell ran longer than ${most} s and was stopped`,
      ]
      : o.aborted()
      ? ["Interrupted", "the run was interrupted"]
      : undefined;
  try {
    const reply = await kernel.execute(cell.source, String(index));
    error = errorIn(cell);
    if (reply.status !== "ok" && !error) {
      error = await syntaxError(cell.source);
      cell.outputs!.push(error);
    }
    if (error) {
      const { source } = cell;
      const { thrown } = reply;
      Object.assign(error, placed({ source, cell: `${index}`, thrown }, error));
      line = lineOf(cell, error);
    }
    if (!error && limit.over()) { // it ended by itself when interrupted
      const [ename, evalue] = stopped()!;
      error = { output_type: "error", ename, evalue, traceback: [evalue] };
      cell.outputs!.push(error);
    }
  } catch (e) {
    if (!(e instanceof KernelDied)) throw e;
    error = deathOutput(e, stopped());
    cell.outputs!.push(error);
  } finally {
    kernel.onMessage = before;
    limit.end();
    await saved.end();
  }
  const seconds = Math.round(performance.now() - start) / 1000;
  const outside = error && FROM_OUTSIDE.includes(error.ename);
  const ok = hasTag(cell, "raises-exception") ? !!error && !outside : !error;
  cell.metadata.ferlab = {
    ...ownRecord(cell),
    status: o.aborted() ? "interrupted" : ok ? "ok" : "failed",
    seconds,
    source: sourceHash(cell.source),
  };
  o.emit({ type: "cell-end", index, seconds, ok });
  if (!ok) {
    return error
      ? { line, message: oneLine(error), ename: error.ename }
      : { message: NO_ERROR, ename: "Error" };
  }
  return lateFailure(outputs);
}

/** An error that came late to a cell that had ended. */
export function lateFailure(outputs: CellOutputs): CellFailure | undefined {
  const [cell] = outputs.late;
  outputs.late.clear();
  if (!cell) return;
  const error = errorIn(cell)!;
  return {
    line: lineOf(cell, error),
    message: oneLine(error),
    ename: error.ename,
    cell,
  };
}

const cut = (line: string) => line.length > 60 ? `${line.slice(0, 59)}…` : line;

/** A failure in one line: the cell, its line and what stands there, and why. */
export function failureText(
  file: string,
  folder: string,
  number: number,
  { source }: Cell,
  { line, message }: CellFailure,
): string {
  const place = line ? ` (line ${line})` : "";
  const text = source.split("\n")[(line ?? 0) - 1]?.trim();
  const failing = text ? `, in \`${cut(text)}\`` : "";
  return `${file} cell ${number}${place}: ${message}${failing}` +
    pathHint(message, file, folder);
}

function lineOf(cell: Cell, error: ErrorOutput): number | undefined {
  const text = error.traceback.join("\n");
  const told = /^ {2}line (\d+) of the cell: /m.exec(text); // see placed
  return told
    ? Number(told[1])
    : ownLine(error.traceback, `${cell.execution_count}`);
}

function oneLine(error: { ename: string; evalue: string }): string {
  const text = stripAnsi(error.evalue).trim().split("\n")[0];
  return ["Error", ...FROM_OUTSIDE].includes(error.ename)
    ? text
    : `${error.ename}: ${text}`;
}
