/**
 * Which cells a cell needs: those that define the names it uses, and those
 * that change these names in between.
 *
 * A name's value is the work of its *writers*: the last cell above that
 * defines it, then every cell in between that assigns or changes it (code.ts
 * says what a change is). What cannot be seen in code (a function whose value
 * is taken and that changes what it is given, another cell's name for the same
 * object) is told by `metadata.ferlab.touches`, a list of names, in the cell
 * that does it. A cell tagged `setup` is needed by all below it; one tagged `skip` counts
 * as absent.
 */
import { type CellCode, cellCode } from "./code.ts";
import { hasTag } from "../file/cells.ts";
import { type Cell, recordOf } from "../file/types.ts";

/** Stands for the cells tagged `setup` among the names of a cell. */
export const SETUP = "(setup)";

export interface GraphCell {
  cell: Cell;
  /** number among the code cells, from 1 */
  number: number;
  code: CellCode;
  /** by name used: its writers' numbers, in order */
  needs: Map<string, number[]>;
  /** names that it changes */
  touches: Set<string>;
  /** names used that no cell above defines, nor the platform */
  missing: string[];
}

/** `metadata.ferlab[key]` when it is a list of strings, else empty. */
export function listInMetadata(cell: Cell, key: string): string[] {
  const value = recordOf(cell)[key];
  return Array.isArray(value) && value.every((v) => typeof v === "string")
    ? value
    : [];
}

/** Names used by `code`, those that its names bring with them included. */
function reach(
  code: CellCode,
  writers: Map<string, number[]>,
  cells: GraphCell[],
): { uses: Set<string>; touches: Set<string> } {
  const uses = new Set(code.uses), touches = new Set(code.touches);
  for (const name of uses) { // grows while it is read
    for (const number of writers.get(name) ?? []) {
      const later = cells[number - 1].code.later.get(name);
      later?.uses.forEach((n) => writers.has(n) && uses.add(n));
      later?.touches.forEach((n) => writers.has(n) && touches.add(n));
    }
  }
  return { uses, touches };
}

export function cellGraph(cells: Cell[]): GraphCell[] {
  const graph: GraphCell[] = [];
  const writers = new Map<string, number[]>();
  for (const [i, cell] of cells.entries()) {
    const number = i + 1;
    const code = cellCode(cell.source);
    const { uses, touches } = reach(code, writers, graph);
    for (const name of touches) {
      const [definer] = writers.get(name) ?? [];
      // A call of a module's function is no change of the module.
      const imported = graph[definer - 1]?.code.imported.has(name);
      if (imported && !code.assigns.has(name)) touches.delete(name);
    }
    for (const name of listInMetadata(cell, "touches")) {
      uses.add(name);
      touches.add(name);
    }
    const needs = new Map<string, number[]>();
    for (const name of [SETUP, ...uses]) {
      const found = writers.get(name);
      if (found) needs.set(name, [...found]);
    }
    const missing = [...code.uses].filter((n) =>
      !writers.has(n) && !(n in globalThis) && !code.guarded.has(n)
    );
    graph.push({ cell, number, code, needs, touches, missing });
    if (hasTag(cell, "skip")) continue;
    for (const name of touches) {
      if (!code.defines.has(name)) writers.get(name)?.push(number);
    }
    for (const name of code.defines) writers.set(name, [number]);
    if (hasTag(cell, "setup")) {
      writers.set(SETUP, [...writers.get(SETUP) ?? [], number]);
    }
  }
  return graph;
}

/** Numbers of all cells that a cell needs directly, in order. */
export const neededBy = (cell: GraphCell): number[] =>
  [...new Set([...cell.needs.values()].flat())].sort((a, b) => a - b);
