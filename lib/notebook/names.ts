/** Names that cells define and use, and those used before they are defined. */
import { type AnyNode, type Node, parse } from "acorn";
import { analyze, type Reference } from "eslint-scope";
import { stripTypes } from "./strip_types.ts";

/** A name at a place where it is none of a function's or block's own. */
export interface NameUse {
  name: string;
  /** from 1, in the cell */
  line: number;
  /** false when it is only assigned to */
  read: boolean;
  /** it stands in a function, and is not used before that is called */
  deferred: boolean;
  /** it is called: `name(…)` */
  called: boolean;
  /** the cell's top-level function that it stands in */
  inside?: string;
}

/** Top-level names of a cell. */
export interface CellNames {
  defined: Set<string>;
  /** of names that another cell may define; own ones included */
  uses: NameUse[];
}

const nodesOf = (v: unknown): AnyNode[] =>
  [v].flat().filter((x): x is AnyNode =>
    typeof (x as Node | null)?.type === "string"
  );

/** Where the names stand that `node` calls. */
function calledAt(node: AnyNode, found = new Set<number>()): Set<number> {
  if (node.type === "CallExpression" && node.callee.type === "Identifier") {
    found.add(node.callee.start);
  }
  for (const child of nodesOf(Object.values(node).flat())) {
    calledAt(child, found);
  }
  return found;
}

/** Top-level functions by name: declared, or the value of a variable. */
function functionsOf(body: AnyNode[]): { name: string; node: AnyNode }[] {
  return body.flatMap((statement): { name: string; node: AnyNode }[] => {
    const node = statement.type === "ExportNamedDeclaration" &&
        statement.declaration || statement;
    if (node.type === "FunctionDeclaration" && node.id) {
      return [{ name: node.id.name, node }];
    }
    if (node.type !== "VariableDeclaration") return [];
    return node.declarations.flatMap(({ id, init }) =>
      id.type === "Identifier" && init &&
        /^(ArrowFunction|Function)Expression$/.test(init.type)
        ? [{ name: id.name, node: init }]
        : []
    );
  });
}

const isDeferred = (reference: Reference): boolean => {
  let scope = reference.from as typeof reference.from | null;
  for (; scope; scope = scope.upper) {
    if (/^function$|^class-field-initializer$/.test(scope.type)) return true;
  }
  return false;
};

/**
 * Finds a cell's names.
 * @returns undefined when the cell is no TypeScript that acorn can read: JSX,
 *   enums and namespaces are not
 */
export function cellNames(source: string): CellNames | undefined {
  let program;
  try {
    program = parse(stripTypes(source), {
      ecmaVersion: "latest",
      sourceType: "module",
      locations: true,
      ranges: true, // eslint-scope wants them
      allowAwaitOutsideFunction: true,
    });
  } catch {
    return;
  }
  // @ts-ignore: acorn's tree is ESTree's, only its types are stricter
  const manager = analyze(program, { ecmaVersion: 2025, sourceType: "module" });
  const module = manager.globalScope!.childScopes[0];
  const functions = functionsOf(program.body);
  const calls = calledAt(program);
  const references = [
    ...manager.globalScope!.through,
    ...module.variables.flatMap((v) => v.references),
  ].filter((r) => !r.init); // a declaration is no use
  const uses = references.map((r): NameUse => {
    const { name, range, loc } = r.identifier;
    const [at] = range!;
    return {
      name,
      line: loc!.start.line,
      read: r.isRead(),
      deferred: isDeferred(r),
      called: calls.has(at),
      inside: functions.find(({ node }) => node.start <= at && at < node.end)
        ?.name,
    };
  });
  uses.sort((a, b) => a.line - b.line);
  return { defined: new Set(module.variables.map((v) => v.name)), uses };
}

/** A name that a cell needs and a later one defines. */
export interface EarlyUse {
  name: string;
  /** place among the cells given, from 0 */
  cell: number;
  line: number;
  definedIn: number;
  /** the function, called in the cell, that uses the name */
  through?: string;
}

/**
 * Names used before the cell that defines them first, in the order of cells.
 * A function's names count where it is called by its own name.
 */
export function usedTooEarly(cells: (CellNames | undefined)[]): EarlyUse[] {
  const first = new Map<string, number>();
  cells.forEach((names, i) =>
    names?.defined.forEach((name) => {
      if (!first.has(name)) first.set(name, i);
    })
  );
  const bodies = Map.groupBy(
    cells.flatMap((c) => c?.uses ?? []).filter((u) => u.inside && u.deferred),
    (u) => u.inside!,
  );
  const found: EarlyUse[] = [];
  cells.forEach((names, cell) => {
    const late = (name: string) => (first.get(name) ?? cell) > cell;
    const told = new Set<string>();
    for (const use of names?.uses ?? []) {
      if (use.deferred) continue;
      const tell = (name: string, through?: string) => {
        if (!late(name) || told.has(name)) return;
        told.add(name);
        const definedIn = first.get(name)!;
        found.push({ name, cell, line: use.line, definedIn, through });
      };
      tell(use.name);
      if (!use.called || late(use.name)) continue;
      const seen = new Set([use.name]);
      for (const through of seen) { // grows while it is read
        for (const inner of bodies.get(through) ?? []) {
          tell(inner.name, through);
          if (inner.called) seen.add(inner.name);
        }
      }
    }
  });
  return found;
}
