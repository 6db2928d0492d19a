/** All code cells of a notebook as one TypeScript module. */
import { stripTypeScriptTypes } from "node:module";
import { relative, resolve } from "node:path";
import { stripAnsi } from "./ansi.ts";
import type { Cell } from "./types.ts";

/** A line of the module: the cell it came from (its place among all cells, from 0). */
export interface Origin {
  cell: number;
  /** from 1 */
  line: number;
}

/** All code cells as one module. */
export interface Extracted {
  code: string;
  /** for each line of `code`, from its first */
  origins: Origin[];
}

/** Relative import specifiers as they read from another folder. */
function rebase(line: string, from: string, to: string): string {
  return line.replace(
    /(\bfrom\s*|\bimport\s*\(?\s*)(["'])(\.{1,2}\/[^"']*)\2/g,
    (_, before, quote, path) => {
      const moved = relative(to, resolve(from, path)).replaceAll("\\", "/");
      return before + quote + (moved[0] === "." ? moved : `./${moved}`) + quote;
    },
  );
}

/**
 * Puts all code cells one after another.
 * @param from the folder that relative imports start at
 * @param to the folder that the module will lie in
 */
export function extractCells(
  cells: Cell[],
  from: string,
  to: string,
): Extracted {
  const lines: string[] = [];
  const origins: Origin[] = [];
  let open = false; // the cell before may go on in this one's first token
  cells.forEach(({ cell_type, source }, cell) => {
    if (cell_type !== "code" || !source.trim()) return;
    if (
      open &&
      /^(?:\s|\/\/.*\n|\/\*[^]*?\*\/)*(?:[(\[`+-]|\/(?![/*]))/.test(source)
    ) {
      lines.push(";");
      origins.push({ cell, line: 1 });
    }
    source.split("\n").forEach((text, at) => {
      lines.push(rebase(text, from, to));
      origins.push({ cell, line: at + 1 });
    });
    open = !source.trimEnd().endsWith(";");
  });
  // Without an import or export it would be a script, sharing its names.
  lines.push("export {};", "");
  return { code: lines.join("\n"), origins };
}

/** Why a cell is no TypeScript, and the line of it (from 1). */
export function syntaxProblem(
  source: string,
): { line?: number; message: string } | undefined {
  try {
    stripTypeScriptTypes(
      source,
      // What Node's types do not know, Deno takes: enums and namespaces too.
      { mode: "transform" } as unknown as { mode: "strip" },
    );
  } catch (e) {
    const text = stripAnsi((e as Error).message);
    const line = /:(\d+):\d+\s*$/.exec(text)?.[1];
    return {
      line: line === undefined ? undefined : Number(line),
      message: text.split("\n")[0],
    };
  }
}
