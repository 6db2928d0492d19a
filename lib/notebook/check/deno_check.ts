/** Asks `deno check` and `deno lint` about modules made from notebooks. */
import { fileURLToPath } from "node:url";
import { denoError } from "../kernel/cell_errors.ts";
import type { Origin } from "./cells_as_module.ts";
import { runDeno } from "../run_deno.ts";

/** A module on disk and where its lines came from. */
export interface Program {
  module: string;
  origins: Origin[];
  names?: Set<string>;
}

export interface Said {
  program: Program;
  /** undefined: about another file, or no place at all */
  origin?: Origin;
  path?: string;
  line?: number;
  message: string;
}

function placed(
  programs: Program[],
  path: string | undefined,
  line: number,
  message: string,
): Said {
  const program = programs.find(({ module }) => module === path);
  const origin = program?.origins[line - 1];
  if (program && origin) return { program, origin, message };
  return { program: program ?? programs[0], path, line, message };
}

/**
 * Type-checks modules. An import that is not found ends Deno's check of all,
 * so then each is checked alone.
 */
export async function denoCheck(
  programs: Program[],
  cwd: string,
): Promise<Said[]> {
  const { success, out, err } = await runDeno(
    ["check", ...programs.map(({ module }) => module)],
    cwd,
  );
  if (success) return [];
  const blocks = (out + err).split(/^(?=TS\d+ \[ERROR\]|error: )/m)
    .filter((block) => /^(TS|error: (?!Type checking failed))/.test(block));
  if (blocks.some((b) => b.startsWith("error: ")) && programs.length > 1) {
    const each: Said[] = [];
    for (const one of programs) each.push(...await denoCheck([one], cwd));
    return each;
  }
  const said = blocks.map((block) => {
    const [, code, first] = /^(?:(TS\d+) \[ERROR\]|error): (.*)/.exec(block)!;
    const [, url, line] = /^\s+at (file:\S+?):(\d+):\d+/m.exec(block) ?? [];
    const message = code
      ? `${first} (${code})`
      : first.startsWith("The lockfile is out of date")
      ? "an import that deno.lock lacks, which is frozen: " +
        "`deno task nb run` adds it"
      : denoError(block) ?? first;
    return url
      ? placed(programs, fileURLToPath(url), Number(line), message)
      : saidOfProgram(programs, message);
  });
  if (said.length) return said;
  return [saidOfProgram(programs, `deno check: ${firstLine(err || out)}`)];
}

const firstLine = (text: string) => text.trim().split("\n")[0];
/** What concerns no line of a program. */
const saidOfProgram = ([program]: Program[], message: string): Said => ({
  program,
  message,
});

// A cell may end in a value that is only shown, and `let` marks what the
// reader may set anew.
const UNFIT =
  "no-unused-vars,prefer-const,no-unversioned-import,no-import-prefix";

interface LintReport {
  diagnostics: {
    filename: string;
    range: { start: { line: number } };
    message: string;
    code: string;
  }[];
  errors: { file_path: string; message: string }[];
}

export async function denoLint(
  programs: Program[],
  cwd: string,
): Promise<Said[]> {
  const { out, err } = await runDeno([
    "lint",
    "--json",
    `--rules-exclude=${UNFIT}`,
    ...programs.map(({ module }) => module),
  ], cwd);
  let report: LintReport;
  try {
    report = JSON.parse(out);
  } catch {
    const why = denoError(err) ?? firstLine(err || out);
    return [saidOfProgram(programs, `deno lint: ${why}`)];
  }
  return [
    ...report.diagnostics.map(({ filename, range, message, code }) => {
      const { line } = range.start;
      const text = `${message} (${code})`;
      return placed(programs, fileURLToPath(filename), line, text);
    }),
    ...report.errors.map((e) =>
      placed(programs, e.file_path, 0, e.message.split("\n")[0])
    ),
  ];
}
