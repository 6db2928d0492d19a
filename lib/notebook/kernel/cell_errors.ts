/** Errors of a cell: the line they came from, and what was not parsed. */
import { stripAnsi } from "../ansi.ts";
import { parseCode } from "../code/ast.ts";
import { pathHint } from "../project.ts";
import type { Thrown } from "./prelude.ts";
import { runDeno } from "../run_deno.ts";
import { stripTypes } from "../code/strip_types.ts";
import type { Cell, CellError, ErrorOutput } from "../file/types.ts";

/** The line, from 1, of the cell that its frames call `cell`, where it failed. */
export function ownLine(
  traceback: string[],
  cell: string,
): number | undefined {
  const text = traceback.join("\n");
  const at = text.match(`\\bcell ${cell}, line (\\d+)`) ??
    /<cell>:(\d+):/.exec(text);
  return at ? Number(at[1]) : undefined;
}

/**
 * An error with the cell's line that it came from, and its causes; front ends
 * show the traceback alone, so it is never empty.
 */
export function errorAtLine(
  { source, cell, thrown }: { source: string; cell: string; thrown?: Thrown },
  error: CellError,
): CellError {
  const { ename } = error;
  const isNothing = /^(\[object Object\]|\(none\)|null)$/.test(error.evalue);
  const evalue = isNothing ? thrown?.text ?? error.evalue : error.evalue;
  const isTold = evalue === error.evalue &&
    error.traceback?.some((text) => text.trim());
  const traceback = [
    ...isTold ? error.traceback : [`${ename}: ${evalue}`],
    ...thrown?.frames ?? [],
  ];
  const line = ownLine(traceback, cell) ?? earlyErrorLine(source, error);
  const failing = line && source.split("\n")[line - 1];
  const place = failing && `  line ${line} of the cell: ${failing.trim()}`;
  const more = [...(place ? [place] : []), ...(thrown?.causes ?? [])];
  return { ename, evalue, traceback: [...traceback, ...more] };
}

/** The line of an error that V8 finds before it runs anything, and tells of none. */
function earlyErrorLine(source: string, { ename }: CellError) {
  if (ename !== "SyntaxError") return;
  try {
    parseCode(stripTypes(source));
  } catch (e) {
    return (e as { loc?: { line: number } }).loc?.line;
  }
}

/** The first error that Deno told on stderr, with its cause; one line. */
export function denoError(stderr: string): string | undefined {
  const [, message] = /^error: (.*)/m.exec(stderr) ?? [];
  const [, cause] = /^Caused by:\s*\n\s*(.*)/m.exec(stderr) ?? [];
  return message &&
    (cause ? `${message.replace(/\.$/, "")}: ${cause}` : message);
}

/**
 * What the kernel calls an "Unterminated string literal" is a value that it
 * could not send: half a character. The error in words of its own then.
 */
export function explained<T extends { ename: string; evalue: string }>(
  error: T,
): T {
  const broken = "Unterminated string literal";
  if (error.ename !== broken || error.evalue !== broken) return error;
  const evalue = "what the cell threw, or its last value, holds half a " +
    "character (a lone surrogate, as text.slice() may leave one), which the " +
    "kernel cannot send; text.toWellFormed() mends it";
  return { ...error, ename: "Error", evalue };
}

/** Names what the kernel only calls "Execution failed": mostly syntax. */
export async function syntaxError(source: string): Promise<ErrorOutput> {
  const ename = "SyntaxError";
  const args = ["fmt", "--no-config", "--ext=tsx", "-"];
  const { success, err: text } = await runDeno(args, Deno.cwd(), source);
  const message = /SyntaxError: (.*)/.exec(text)?.[1];
  const [, line, column] = /_stdin\.tsx?:(\d+):(\d+)/.exec(text) ?? [];
  if (success || !message) {
    const package_ = /["']((?:npm|jsr):[^"']+)["']/.exec(source)?.[1];
    const evalue = "the kernel could not run this cell and gave no reason; " +
      (package_
        ? "a name declared twice does this, a wrong use of `await`, or a " +
          "package that deno.lock lacks where it is frozen (" +
          `\`deno cache --frozen=false ${package_}\`, then a new kernel)`
        : "a name declared twice, or a wrong use of `await`, does this");
    return { output_type: "error", ename, evalue, traceback: [] };
  }
  const shown = source.split("\n")[Number(line) - 1] ?? "";
  const place = line
    ? [`  ${line} | ${shown}`, `    at <cell>:${line}:${column}`]
    : [];
  const traceback = [`SyntaxError: ${message}`, ...place];
  return { output_type: "error", ename, evalue: message, traceback };
}

/** Errors that are not the cell's own: never those that a tag expects. */
export const FROM_OUTSIDE = ["KernelDied", "Interrupted", "CellTimeout"];

/** Why a cell failed: one line, and its line in the cell, from 1. */
export interface CellFailure {
  line?: number;
  message: string;
  ename: string;
  /** the earlier cell that failed, by a timer or a promise, during this one */
  cell?: Cell;
}

/** The failure that an error of a cell is. */
export function failureIn(cell: Cell, error: ErrorOutput): CellFailure {
  const { ename, evalue, traceback } = error;
  const told = /^ {2}line (\d+) of the cell: /m.exec(traceback.join("\n")); // see placed
  const line = told
    ? Number(told[1])
    : ownLine(traceback, `${cell.execution_count}`);
  const [text] = stripAnsi(evalue).trim().split("\n");
  const isNamed = !["Error", ...FROM_OUTSIDE].includes(ename);
  return { line, message: isNamed ? `${ename}: ${text}` : text, ename };
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
