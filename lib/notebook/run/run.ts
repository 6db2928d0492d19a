/** Runs a notebook's cells in order in a fresh kernel and saves as it goes. */
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { CellRuns, type CellRunsOptions } from "./cell_run.ts";
import type { CellFailure } from "../kernel/cell_errors.ts";
import {
  cellTitle,
  checkLimits,
  codeCells,
  hasTag,
  refuseForeign,
} from "../file/cells.ts";
import { kernelEnv, workingFolder } from "../project.ts";
import { type Kernel, KernelDied } from "../kernel/kernel.ts";
import { lockOutput } from "../file/lock.ts";
import { admitPackages } from "../code/packages.ts";
import { runKeys } from "./stale.ts";
import {
  declaresSchema,
  fittedParameters,
  injectParameters,
  literal,
  mistyped,
  schemaProblem,
} from "./parameters.ts";
import { ensureIds } from "../file/ids.ts";
import { inTurn } from "../concurrency.ts";
import { type Act, planRun, type RunRecord, runRecord } from "./run_plan.ts";
import {
  type Cell,
  type Notebook,
  readNotebook,
  recordOf,
  writeNotebook,
} from "../file/types.ts";

export interface RunOptions extends CellRunsOptions {
  /**
   * values for names that the cell tagged `parameters` declares with `let`, of
   * the kind of their defaults; a {@link TypedText} becomes of that kind
   */
  parameters?: Record<string, unknown>;
  /** value of the parameter `profile`; recorded in the notebook too */
  profile?: string;
  /** where the notebook with outputs is saved, after every cell */
  out?: string;
  /** default: folder of the nearest deno.json at or above, else the file's */
  cwd?: string;
  env?: Record<string, string>;
  /**
   * run those code cells only (numbers from 1, an injected cell counts); the
   * others keep the outputs that `out` has for their source, else their own
   */
  only?: (index: number, cell: Cell) => boolean;
  /** cells write in the notebook's and its output's folder, and that is all */
  sandbox?: boolean;
  /** go on at the first cell without a result in `out` */
  resume?: boolean;
}

export interface RunResult {
  notebook: Notebook;
  ok: boolean;
  /** number of the code cell that failed, from 1 */
  failedCell?: number;
  /** one line: "file cell N (line L): message" */
  error?: string;
  interrupted: boolean;
}

/**
 * Runs all code cells in a fresh Deno kernel, up to the first that fails;
 * later cells keep no outputs. The kernel is gone when this returns.
 *
 * What a timer or a promise of a cell puts out after the cell's end is that
 * cell's, with a mark. After the last cell timers are waited for, for
 * {@link LATE} seconds; what is left then is warned of.
 *
 * Cells tagged `skip` are left as they are; those tagged `raises-exception`
 * must throw; those tagged `once` are not run when `out` has a result for
 * their source. What a run records lies in `metadata.ferlab`, of the notebook
 * and of its cells; two runs differ in outputs and there alone.
 * @throws {Error} in one line when the file cannot be read or written or is
 *   another kernel's, when another run writes `out`, or when the kernel does not start
 */
export async function runNotebook(
  file: string,
  o: RunOptions = {},
): Promise<RunResult> {
  const nb = await readNotebook(file);
  refuseForeign(file, nb);
  const lock = o.out === undefined ? undefined : await lockOutput(o.out);
  try {
    return await new Run(file, nb, o).run();
  } finally {
    await lock?.release();
  }
}

class Run {
  readonly #result: RunResult;
  readonly #start = performance.now();
  #values: Record<string, unknown>;
  #runs!: CellRuns;

  constructor(
    readonly file: string,
    readonly nb: Notebook,
    readonly o: RunOptions,
  ) {
    this.#result = { notebook: nb, ok: true, interrupted: false };
    this.#values = {
      ...o.parameters,
      ...(o.profile === undefined ? {} : { profile: o.profile }),
    };
  }

  get #folder() {
    return this.o.cwd ?? workingFolder(this.file);
  }

  #save = inTurn(async () => {
    if (this.o.out !== undefined) await writeNotebook(this.o.out, this.nb);
  });

  async run(): Promise<RunResult> {
    const { nb, o } = this;
    try {
      this.#values = fittedParameters(nb, this.#values);
    } catch (e) {
      throw new Error(`${this.file}: ${(e as Error).message}`);
    }
    const { unknown } = injectParameters(nb, this.#values);
    ensureIds(nb);
    try {
      checkLimits(nb);
      this.#runs = new CellRuns(this.file, runKeys(nb, this.#folder), o);
    } catch (e) {
      throw new Error(`${this.file} ${(e as Error).message.trim()}`);
    }
    const { warn, aborted } = this.#runs;
    for (const name of unknown) {
      warn(
        `no parameter "${name}": declare it with let in the cell tagged ` +
          `"parameters"; it is left out`,
      );
      if (name !== "profile") delete this.#values[name];
    }
    const before = await this.#before();
    const record = this.#record();
    const same = JSON.stringify(record.parameters) ===
      JSON.stringify(before && runRecord(before).parameters);
    if (o.resume && before && !same) {
      warn("the parameters are not those of before; all cells run");
    }
    const { only } = o;
    const plan = planRun(nb, { before, resume: o.resume && same, only });
    const { test } = recordOf(nb);
    nb.metadata.ferlab = { ...(test === undefined ? {} : { test }), ...record };
    for (const name of unknown) delete this.#values[name];

    if (!aborted() && [...plan.values()].includes("run")) {
      await this.#inKernel(plan);
    }
    const result = this.#result;
    if (aborted()) {
      result.interrupted = true;
      result.ok = false;
      result.error ??= `${this.file}: interrupted`;
    }
    const ended = result.ok ? "complete" : "failed";
    Object.assign(recordOf(nb), {
      status: result.interrupted ? "interrupted" : ended,
      seconds: Math.round(performance.now() - this.#start) / 1000,
    });
    // Interrupted before its first cell, it leaves the results of before.
    const hasRun = this.#runs.hasRun || !result.interrupted;
    if (hasRun || !before) await this.#save();
    return result;
  }

  #record(): RunRecord {
    const values = Object.entries(this.#values)
      .map(([name, value]) => [name, literal(value)]);
    return {
      status: "running",
      deno: Deno.version.deno,
      ...(values.length ? { parameters: Object.fromEntries(values) } : {}),
      ...(this.o.profile === undefined ? {} : { profile: this.o.profile }),
      started: new Date().toISOString(),
    };
  }

  /** The results of the run before, if there are any that can be read. */
  async #before(): Promise<Notebook | undefined> {
    const { out } = this.o;
    if (out === undefined || !existsSync(out)) return;
    try {
      return await readNotebook(out);
    } catch (e) {
      this.#runs.warn(
        `its earlier results are not used: ${(e as Error).message}`,
      );
    }
  }

  async #inKernel(plan: Map<Cell, Act>) {
    const { o, nb, file } = this;
    const cwd = this.#folder, runs = this.#runs;
    // A package that is added may run its own scripts.
    if (!o.sandbox) await admitPackages(nb.cells, cwd, runs.warn);
    const folders = [file, o.out ?? file].map((path) => dirname(resolve(path)));
    const kernel = await runs.started({
      ...{ cwd, env: kernelEnv(file, o.env) },
      ...(o.sandbox ? { sandbox: folders } : {}),
    });
    if (!kernel) return;
    try {
      await runs.stoppable(kernel, () => this.#cells(kernel, plan));
    } finally {
      await kernel.stop();
    }
  }

  async #cells(kernel: Kernel, plan: Map<Cell, Act>) {
    const { nb, o: { out } } = this, runs = this.#runs;
    const save = out === undefined ? undefined : this.#save;
    const saved = new Map<Cell, Cell>(); // what ran → the cell that is saved
    const failed = (failure: CellFailure, running: Cell) => {
      const ran = failure.cell ?? running;
      const cell = saved.get(ran)!;
      if (cell !== ran) Object.assign(cell, ran);
      const [failedCell, error] = runs.told(failure, running);
      const lacks = /Failed loading http|deno cache --frozen/;
      const hint = this.o.sandbox && lacks.test(failure.message)
        ? " (the sandbox downloads nothing; `deno cache` gets a package before)"
        : "";
      Object.assign(this.#result, {
        ...{ ok: false, failedCell, error: error + hint },
      });
    };
    for (const [i, cell] of codeCells(nb).entries()) {
      if (runs.aborted()) return;
      const act = plan.get(cell)!;
      if (act === "keep" || act === "skip") continue;
      const again = act === "replay";
      const ran = again ? { ...cell, metadata: { ...cell.metadata } } : cell;
      saved.set(ran, cell);
      const title = cellTitle(nb, nb.cells.indexOf(cell));
      const given = { title, again, out, save };
      const failure = await runs.cell(kernel, ran, i + 1, given) ??
        await this.#checked(kernel, ran);
      if (failure) {
        failed(failure, ran);
        return await this.#save();
      }
      if (again) continue;
      runs.keep(i + 1, cell);
      await this.#save();
    }
    const failure = await runs.settled(kernel);
    if (failure) failed(failure, failure.cell!);
  }

  /** Checks the parameters when the cell that makes or sets them has run. */
  async #checked(
    kernel: Kernel,
    cell: Cell,
  ): Promise<CellFailure | undefined> {
    const sets = hasTag(cell, "injected-parameters");
    const injects = Object.keys(this.#values).length > 0;
    if (!sets && !hasTag(cell, "parameters")) return;
    const schema = declaresSchema(this.nb);
    if (!schema && (sets || !injects)) return;
    if (schema && !sets && injects) return; // when they are set
    try {
      const message = schema
        ? await schemaProblem(kernel, this.nb)
        : await mistyped(kernel, this.nb, this.#values);
      if (!message) return;
      const ename = "ParameterError";
      const told = { ename, evalue: message, traceback: [message] };
      cell.outputs!.push({ output_type: "error", ...told });
      cell.metadata.ferlab = { ...recordOf(cell), status: "failed" };
      return { message, ename };
    } catch (e) {
      if (!(e instanceof KernelDied)) throw e;
      return { message: e.message, ename: "KernelDied" };
    }
  }
}
