/** All code cells of a notebook as one TypeScript module. */
import { relative, resolve } from "node:path";
import { stripAnsi } from "../ansi.ts";
import { cellCode } from "../code/code.ts";
import type { Cell } from "../file/types.ts";
import { asRead, stripTypes } from "../code/strip_types.ts";

/** A line of the module: the cell it came from (its place among all cells, from 0). */
export interface Origin {
  cell: number;
  line: number;
}

export interface Extracted {
  code: string;
  origins: Origin[];
  /** the cells' names, when one declares a name again: cells stand in blocks then */
  names?: Set<string>;
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

const IMPORT =
  /^[ \t]*import\b(?!\s*[(.])[^;'"()]*?(["'])[^"'\n]+\1(?:[ \t]*with[ \t]*\{[^}\n]*\})?[ \t]*;?/gm;
const OPENS = /^(?:\s|\/\/.*\n|\/\*[^]*?\*\/)*(?:[(\[`+-]|\/(?![/*]))/;

/** Names that a cell declares at its top level, those of types too. */
function declared(source: string): Set<string> {
  const types = source.matchAll(
    /^(?:export\s+)?(?:type|interface)\s+([\p{ID_Start}_$][\p{ID_Continue}$]*)/gmu,
  );
  const { defines, globals } = cellCode(source);
  return new Set([
    ...defines.difference(globals),
    ...Array.from(types, ([, name]) => name),
  ]);
}

/** Whether a cell declares a name that an earlier one has declared. */
function declaresAgain(cells: Cell[]): boolean {
  const names = new Set<string>();
  return cells.some(({ cell_type, source }) => {
    if (cell_type !== "code") return false;
    const own = declared(source);
    if (!names.isDisjointFrom(own)) return true;
    for (const name of own) names.add(name);
    return false;
  });
}

/**
 * Puts all code cells one after another. Where a cell declares a name again, as
 * the kernel allows, it begins a block, in which all cells below stand; imports
 * come first then.
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
  const nested = declaresAgain(cells);
  const add = (source: string, cell: number, first = 1) =>
    source.split("\n").forEach((text, at) => {
      lines.push(rebase(text, from, to));
      origins.push({ cell, line: first + at });
    });
  const blank = (text: string) => text.replaceAll(/[^\n]/g, " ");
  if (nested) {
    const seen = new Set<string>();
    for (const [cell, { cell_type, source }] of cells.entries()) {
      if (cell_type !== "code") continue;
      for (const { 0: text, index } of source.matchAll(IMPORT)) {
        if (seen.has(text.trim())) continue;
        seen.add(text.trim());
        add(text, cell, source.slice(0, index).split("\n").length);
      }
    }
  }
  let blocks = 0;
  const all = new Set<string>();
  let names = new Set<string>(); // of the block
  let open = false; // the cell before may go on in this one's first token
  cells.forEach(({ cell_type, source: written }, cell) => {
    if (cell_type !== "code" || !written.trim()) return;
    const source = asRead(written);
    if (open && OPENS.test(source)) add(";", cell);
    open = !source.trimEnd().endsWith(";");
    if (!nested) return add(source, cell);
    const own = declared(source.replace(IMPORT, blank));
    if (!names.isDisjointFrom(own)) {
      add("{", cell);
      blocks++;
      names = new Set();
    }
    for (const name of own) {
      names.add(name);
      all.add(name);
    }
    const text = source.replace(IMPORT, blank)
      .replaceAll(/^export(?=\s+(?!default|\{|\*))/gm, "      ");
    add(text, cell);
  });
  // Without an import or export it would be a script, sharing its names.
  lines.push(...Array(blocks).fill("}"), "export {};", "");
  const code = lines.join("\n");
  return nested ? { code, origins, names: all } : { code, origins };
}

/** Why a cell is no TypeScript, and the line of it (from 1). */
export function syntaxProblem(
  source: string,
): { line?: number; message: string } | undefined {
  try {
    stripTypes(asRead(source), "transform"); // enums and namespaces too
  } catch (e) {
    const text = stripAnsi((e as Error).message);
    const line = /:(\d+):\d+\s*$/.exec(text)?.[1];
    return {
      line: line === undefined ? undefined : Number(line),
      message: text.split("\n")[0],
    };
  }
}
