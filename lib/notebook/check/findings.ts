/** What checks of a notebook find; names used too early, and parameters never. */
import { cellName, hasTag } from "../file/cells.ts";
import type { Notebook } from "../file/types.ts";
import { type CellCode, cellCode } from "../code/code.ts";

export interface Finding {
  file: string;
  /** the cell as messages name it: `cell 2`, `markdown cell 1` */
  cell?: string;
  id?: string;
  /** from 1, in the cell; in the file where there is no cell */
  line?: number;
  kind:
    | "syntax"
    | "types"
    | "lint"
    | "names"
    | "parameters"
    | "ids"
    | "outputs"
    | "stale"
    | "metadata"
    | "file";
  message: string;
}

/** `file cell N line L: message` */
export const findingText = (f: Finding): string =>
  f.file + (f.cell ? ` ${f.cell}` : "") + (f.line ? ` line ${f.line}` : "") +
  `: ${f.message}`;

export interface Checked {
  file: string;
  nb: Notebook;
  jsx: boolean;
  findings: Finding[];
}

/** A finding at a cell, by its place among all cells. */
export function findingAt(
  { file, nb }: Checked,
  index: number,
  kind: Finding["kind"],
  message: string,
  line?: number,
): Finding {
  const { id } = nb.cells[index];
  const cell = cellName(nb.cells, index);
  return { file, cell, ...(id ? { id } : {}), line, kind, message };
}

/** A name that a cell needs and a later one defines. */
export interface EarlyUse {
  name: string;
  /** place among the cells given, from 0 */
  cell: number;
  /** place in the cell's code */
  at: number;
  definedIn: number;
  /** the function, called in the cell, that uses the name */
  through?: string;
}

/**
 * Names used before the cell that defines them first, in the order of cells.
 * A function's names count where it is called by its own name.
 */
export function usedTooEarly(cells: (CellCode | undefined)[]): EarlyUse[] {
  const first = new Map<string, number>();
  cells.forEach((code, i) =>
    code?.defines.forEach((name) => {
      if (!first.has(name)) first.set(name, i);
    })
  );
  const bodies = Map.groupBy(
    cells.flatMap((code) => code?.names ?? []).filter((use) => use.deferred)
      .flatMap((use) => use.inside.map((of) => ({ of, use }))),
    ({ of }) => of,
  );
  const found: EarlyUse[] = [];
  cells.forEach((code, cell) => {
    const late = (name: string) => (first.get(name) ?? cell) > cell;
    const told = new Set<string>();
    const uses = (code?.names ?? []).filter((use) => !use.deferred)
      .toSorted((a, b) => a.at - b.at);
    for (const use of uses) {
      const tell = (name: string, through?: string) => {
        if (!late(name) || told.has(name)) return;
        told.add(name);
        const definedIn = first.get(name)!;
        found.push({ name, cell, at: use.at, definedIn, through });
      };
      tell(use.name);
      if (!use.called || late(use.name)) continue;
      const seen = new Set([use.name]);
      for (const through of seen) { // grows while it is read
        for (const { use: inner } of bodies.get(through) ?? []) {
          tell(inner.name, through);
          if (inner.called) seen.add(inner.name);
        }
      }
    }
  });
  return found;
}

export function checkNameUse(one: Checked): Finding[] {
  const { cells } = one.nb;
  const codes = cells.map((c) =>
    c.cell_type === "code" ? cellCode(c.source) : undefined
  );
  const early = usedTooEarly(codes).map((use) => {
    const definer = cellName(cells, use.definedIn);
    const message = use.through
      ? `${use.through}() uses ${use.name}, which only ${definer} defines`
      : `${use.name} is used before ${definer} defines it`;
    const line = cells[use.cell].source.slice(0, use.at).split("\n").length;
    const isKnown = codes[use.cell]!.inPlace;
    return findingAt(
      one,
      use.cell,
      "names",
      message,
      isKnown ? line : undefined,
    );
  });
  const parameters = cells.findIndex((c) =>
    c.cell_type === "code" && hasTag(c, "parameters")
  );
  // A cell that could not be read may use any of them.
  if (parameters < 0 || codes.some((code) => code?.error)) return early;
  const used = new Set(
    codes.flatMap((code) => code?.names ?? []).filter((use) => use.read)
      .map((use) => use.name),
  );
  const unused = [...codes[parameters]!.defines].filter((n) => !used.has(n));
  return [
    ...early,
    ...unused.map((name) =>
      findingAt(
        one,
        parameters,
        "parameters",
        `the parameter ${name} is never used`,
      )
    ),
  ];
}
