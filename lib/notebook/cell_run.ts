/** Runs one cell in a kernel and collects what it puts out. */
import { stripAnsi } from "./ansi.ts";
import { errorLine, syntaxError } from "./errors.ts";
import { type Kernel, KernelDied } from "./kernel.ts";
import type { CellOutputs } from "./outputs.ts";
import type { Cell, Output } from "./types.ts";

/** What happens during a run. `index` is the code cell's number, from 1. */
export type RunEvent =
  | { type: "cell-start"; index: number; total: number; title: string }
  | { type: "output"; index: number; text: string }
  | { type: "cell-end"; index: number; seconds: number; ok: boolean }
  | { type: "warning"; message: string };

const SAVE_EVERY = 5000; // ms between savings of a cell that still runs

function deathOutput(died: KernelDied, interrupted: boolean): Output {
  const { end } = died;
  return {
    output_type: "error",
    ename: interrupted ? "Interrupted" : "KernelDied",
    evalue: interrupted ? "the run was interrupted" : died.message,
    traceback: [
      died.message,
      ...(end.stderr
        ? ["last lines of its stderr:", ...end.stderr.split("\n").slice(-20)]
        : []),
    ],
  };
}

/** Why a cell failed: one line, and its line in the cell, from 1. */
export interface CellFailure {
  line?: number;
  message: string;
}

/**
 * Runs `cell` as number `index` (from 1) and fills its outputs, its count and
 * its time (`metadata.ferlab.seconds`); `save` is called every 5 s meanwhile.
 */
export async function runCell(
  kernel: Kernel,
  outputs: CellOutputs,
  cell: Cell,
  index: number,
  o: {
    emit: (e: RunEvent) => void;
    save?: () => Promise<void>;
    aborted: () => boolean;
  },
): Promise<CellFailure | undefined> {
  const start = performance.now();
  outputs.begin(cell);
  cell.execution_count = index;
  let saved = start;
  let saving: Promise<void> | undefined;
  let saveError: unknown;
  kernel.onMessage = (m) => {
    const text = outputs.take(m);
    if (text) o.emit({ type: "output", index, text: stripAnsi(text) });
    if (!o.save || saving || performance.now() - saved < SAVE_EVERY) return;
    saving = o.save().catch((e) => saveError = e).then(() => {
      saved = performance.now();
      saving = undefined;
    });
  };
  let error: Extract<Output, { output_type: "error" }> | undefined;
  try {
    const reply = await kernel.execute(cell.source);
    error = cell.outputs!.find((out) => out.output_type === "error");
    if (reply.status !== "ok" && !error) {
      error = await syntaxError(cell.source);
      cell.outputs!.push(error);
    }
  } catch (e) {
    if (!(e instanceof KernelDied)) throw e;
    error = deathOutput(e, o.aborted()) as typeof error;
    cell.outputs!.push(error!);
  } finally {
    kernel.onMessage = () => {};
  }
  await saving;
  if (saveError) throw saveError;
  const seconds = Math.round(performance.now() - start) / 1000;
  cell.metadata.ferlab = { seconds };
  o.emit({ type: "cell-end", index, seconds, ok: !error });
  if (!error) return;
  const own = /<cell>:(\d+):/.exec(error.traceback.join("\n"));
  return {
    line: own ? Number(own[1]) : errorLine(cell.source, error.traceback),
    message: oneLine(error),
  };
}

function oneLine(error: { ename: string; evalue: string }): string {
  const text = stripAnsi(error.evalue).trim().split("\n")[0];
  const plain = ["Error", "KernelDied", "Interrupted"].includes(error.ename);
  return plain ? text : `${error.ename}: ${text}`;
}
