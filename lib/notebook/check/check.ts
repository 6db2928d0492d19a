/** Checks notebooks: types, lint, order of names, ids, outputs, metadata. */
import { join } from "node:path";
import {
  cellName,
  codeCells,
  foreignKernel,
  hasTag,
  timeLimit,
} from "../file/cells.ts";
import { changesOf } from "../run/stale.ts";
import {
  type Checked,
  checkNameUse,
  type Finding,
  findingAt,
} from "./findings.ts";
import { denoCheck, denoLint, type Program, type Said } from "./deno_check.ts";
import { extractCells, syntaxProblem } from "./cells_as_module.ts";
import { workingFolder } from "../project.ts";
import { idProblem } from "../file/ids.ts";
import { denoFmt } from "./format.ts";
import {
  type Cell,
  errorIn,
  type Notebook,
  readNotebook,
  recordOf,
} from "../file/types.ts";

function checkIds(one: Checked): Finding[] {
  const { file, nb: { cells, nbformat_minor } } = one;
  const first = new Map<string, number>();
  const findings = cells.flatMap(({ id }, i) => {
    if (id === undefined) return [];
    const problem = idProblem(id);
    const before = first.get(id);
    if (before === undefined) first.set(id, i);
    const why = problem
      ? `its id ${JSON.stringify(id).slice(0, 70)} ${problem}`
      : before !== undefined
      ? `its id "${id}" is also that of ${cellName(cells, before)}`
      : undefined;
    return why
      ? [findingAt(one, i, "ids", `${why}; \`clean\` gives it another`)]
      : [];
  });
  const tell = (message: string) =>
    findings.push({ file, kind: "ids", message });
  const without = cells.filter((c) => c.id === undefined).length;
  if (without < cells.length && nbformat_minor < 5) {
    tell(
      `its cells have ids, which nbformat 4.${nbformat_minor} does not know; ` +
        "`clean` makes it 4.5",
    );
  }
  if (without) {
    tell(
      `${without} of ${cells.length} cells have no id; ` +
        "`clean` gives them one",
    );
  }
  return findings;
}

/** What is wrong with one cell's outputs alone. */
function outputProblem(cell: Cell): string | undefined {
  const outputs = cell.outputs ?? [];
  if (cell.cell_type !== "code") {
    const raw = cell as { outputs?: unknown; execution_count?: unknown };
    return raw.outputs || raw.execution_count !== undefined
      ? `a ${cell.cell_type} cell has no outputs and no execution count`
      : undefined;
  }
  if (cell.execution_count == null) {
    return outputs.length ? "it has outputs but was never run" : undefined;
  }
  const other = outputs.find((o) =>
    o.output_type === "execute_result" && o.execution_count != null &&
    o.execution_count !== cell.execution_count
  );
  if (other) return "its result is that of another run";
}

/** A run is complete by its record, or when no code cell was left out. */
function saidComplete(nb: Notebook): boolean {
  const { status } = recordOf(nb);
  if (status !== undefined) return status === "complete";
  return nb.cells.every((c) =>
    c.cell_type !== "code" || !c.source.trim() || hasTag(c, "skip") ||
    c.execution_count != null
  );
}

function checkOutputs(one: Checked): Finding[] {
  const { nb } = one;
  const complete = saidComplete(nb);
  const findings: Finding[] = [];
  let count = 0;
  nb.cells.forEach((cell, i) => {
    const tell = (message: string) =>
      findings.push(findingAt(one, i, "outputs", message));
    const problem = outputProblem(cell);
    if (problem) tell(problem);
    if (cell.cell_type !== "code" || cell.execution_count == null) return;
    if (cell.execution_count <= count) {
      tell(
        `its execution count ${cell.execution_count} comes after ${count}: ` +
          "the cells were not run in order",
      );
    }
    count = Math.max(count, cell.execution_count);
    const error = errorIn(cell);
    if (error && complete && !hasTag(cell, "raises-exception")) {
      tell(`it failed (${error.ename}) in a run that counts as complete`);
    }
  });
  return findings;
}

function checkChanges(one: Checked): Finding[] {
  const code = codeCells(one.nb).map((cell) => one.nb.cells.indexOf(cell));
  return Array.from(changesOf(one.file, one.nb).cells, ([number, why]) => {
    const message = `it changed since it ran: ${why}`;
    return findingAt(one, code[number - 1], "stale", message);
  });
}

function checkMetadata(one: Checked): Finding[] {
  const { file, nb } = one;
  const limits = nb.cells.flatMap((cell, i): Finding[] => {
    try {
      timeLimit(cell);
      return [];
    } catch (e) {
      return [findingAt(one, i, "metadata", (e as Error).message)];
    }
  });
  const tell = (message: string): Finding => ({
    ...{ file, kind: "metadata", message },
  });
  const kernel = foreignKernel(nb);
  if (kernel !== undefined) {
    return [tell(
      `its kernel is ${kernel}, not Deno's; its code is not checked, and ` +
        "`run` refuses it",
    )];
  }
  const { kernelspec, language_info } = nb.metadata as Record<
    string,
    { name?: unknown } | undefined
  >;
  const missing = Object.entries({
    "kernelspec.name": kernelspec?.name,
    "language_info.name": language_info?.name,
    nbformat_minor: nb.nbformat_minor,
  }).filter(([, value]) => value === undefined).map(([name]) =>
    tell(
      `its metadata has no ${name}; save it with JupyterLab and the Deno kernel`,
    )
  );
  return [...limits, ...missing];
}

async function checkSyntax(one: Checked): Promise<void> {
  for (const [i, { cell_type, source }] of one.nb.cells.entries()) {
    if (cell_type !== "code" || !source.trim()) continue;
    const problem = syntaxProblem(source);
    if (!problem) continue;
    const asJsx = await denoFmt(source, "tsx", workingFolder(one.file));
    if ("text" in asJsx) one.jsx = true;
    else {one.findings.push(
        findingAt(one, i, "syntax", problem.message, problem.line),
      );}
  }
}

async function askDeno(notebooks: Checked[], cwd: string) {
  // In a folder that deno.json excludes Deno would check nothing.
  const folder = await Deno.makeTempDir({
    dir: cwd,
    prefix: "notebooks-",
    suffix: ".tmp",
  }).catch((e: Error) => {
    throw new Error(
      `${cwd}: cannot write there what Deno is to check: ${e.message}`,
    );
  });
  try {
    const programs = new Map<Program, Checked>();
    for (const [i, one] of notebooks.entries()) {
      const { cells } = one.nb;
      const { code, origins, names } = extractCells(cells, cwd, folder);
      const module = join(folder, `${i + 1}.${one.jsx ? "tsx" : "ts"}`);
      await Deno.writeTextFile(module, code);
      programs.set({ module, origins, names }, one);
    }
    const all = [...programs.keys()];
    const [types, lint] = await Promise.all([
      denoCheck(all, cwd),
      denoLint(all, cwd),
    ]);
    const take = (said: Said[], kind: "types" | "lint") => {
      for (const { program, origin, path, line, message } of said) {
        const { names } = program;
        const [, unknown] = /^Cannot find name '(.+?)'/.exec(message) ?? [];
        if (names && (OF_BLOCKS.test(message) || names.has(unknown))) continue;
        const one = programs.get(program)!;
        one.findings.push(
          origin
            ? findingAt(one, origin.cell, kind, message, origin.line)
            : { file: path ?? one.file, line, kind, message },
        );
      }
    };
    take(types, "types");
    take(lint, "lint");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * What is only said since cells stand in blocks: the kernel takes a name that is
 * declared again, and a function may use one that a later cell declares.
 */
const OF_BLOCKS =
  /\(TS(2300|2440|2451)\)$|\(no-(inner-declarations|redeclare)\)$|already been declared/;

/** What Deno says of a name that checkNames tells with its cell. */
const EARLY = /\(TS2(448|449|450|454)\)$/;

/**
 * Checks notebooks without running them. All code cells of a notebook are one
 * TypeScript program for `deno check` and `deno lint`.
 * A file that cannot be read is a finding, too.
 * @throws {Error} in one line when a notebook's folder cannot be written, where
 *   the program lies meanwhile
 */
export async function checkNotebooks(files: string[]): Promise<Finding[]> {
  const unread: Finding[] = [];
  const notebooks: Checked[] = [];
  for (const file of files) {
    const nb = await readNotebook(file).catch((e: Error) => {
      const said = e.message.replace(file, "").replace(/^:? /, "");
      const [, cell, why] = /^((?:\w+ )?cell \d+): (.*)/.exec(said) ?? [];
      unread.push(
        cell
          ? { file, cell, kind: "file", message: why }
          : { file, kind: "file", message: said },
      );
    });
    if (!nb) continue;
    const one: Checked = { file, nb, jsx: false, findings: [] };
    if (foreignKernel(nb) === undefined) await checkSyntax(one);
    notebooks.push(one);
  }
  const ours = notebooks.filter(({ nb }) => foreignKernel(nb) === undefined);
  const sound = ours.filter(({ findings }) => !findings.length);
  const folders = Map.groupBy(sound, ({ file }) => workingFolder(file));
  for (const [cwd, group] of folders) await askDeno(group, cwd);
  for (const one of notebooks) {
    const names = ours.includes(one) ? checkNameUse(one) : [];
    const told = new Set(names.map((f) => `${f.cell} ${f.line}`));
    one.findings = [
      ...one.findings.filter((f) =>
        !(EARLY.test(f.message) && told.has(`${f.cell} ${f.line}`))
      ),
      ...names,
      ...checkIds(one),
      ...checkOutputs(one),
      ...checkChanges(one),
      ...checkMetadata(one),
    ];
  }
  return [...unread, ...notebooks.flatMap(({ findings }) => findings)];
}
