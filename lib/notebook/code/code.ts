/** What a cell's TypeScript says of itself: names, changes, imports. */
import type { AnyNode, Program } from "acorn";
import {
  type Binding,
  calledName,
  importsOf,
  isBare,
  parseCode,
  textOf,
  treeHash,
  walk,
} from "./ast.ts";
import { namesOf, type NameUse } from "./scopes.ts";
import { asRead, javascriptOf } from "./strip_types.ts";
import { changed, matters } from "./value_changes.ts";

/** What a name brings with it when it is used: a function's body, a class's. */
export interface Later {
  uses: Set<string>;
  touches: Set<string>;
}

export interface CellCode {
  /** names defined at the top level, and by `globalThis.name = …` */
  defines: Set<string>;
  globals: Set<string>;
  /** where names stand, and the names whose definition that is part of */
  names: (NameUse & { inside: string[] })[];
  /** lines are those of the code as it was written */
  inPlace: boolean;
  /** names of other cells (or globals) that the cell's code holds */
  uses: Set<string>;
  /** of `uses`: those whose absence does no harm (`typeof name`) */
  guarded: Set<string>;
  /** of `uses`: those that the cell assigns or changes */
  touches: Set<string>;
  /** of `touches`: those changed by an assignment to them or their properties */
  assigns: Set<string>;
  /** of `defines`: names of modules and of what they export */
  imported: Map<string, Binding>;
  /** by name used, its own ones too: the properties read of it, in chains */
  members: Map<string, string[][]>;
  /** by defined name: what its functions use and change once they are called */
  later: Map<string, Later>;
  /** module specifiers as they are written; types' imports are not among them */
  imports: Set<string>;
  /** of `imports`: those loaded as a whole, by `import "…"` and `import("…")` */
  loads: Set<string>;
  /** its strings, and what its templates and sums of strings begin with */
  words: Set<string>;
  beginnings: Set<string>;
  /** hash of its code without imports, comments and layout */
  body: string;
  /** it may do more than to define and to show, for all that comes after it */
  acts: boolean;
  /** why the cell cannot be read; all else is empty then */
  error?: string;
}

/** What a template, or a sum of strings, begins with. */
function beginningOf(node: AnyNode): string | null | undefined {
  if (node.type === "TemplateLiteral") return node.quasis[0].value.cooked;
  return node.type === "BinaryExpression" && node.operator === "+"
    ? textOf(node.left as AnyNode)
    : undefined;
}

/** The specifier of an import or a re-export, `import("…")` included. */
function specifierOf(node: AnyNode): string | undefined {
  const { source } = node as { source?: AnyNode | null };
  return source && /^(Import|Export)/.test(node.type)
    ? textOf(source)
    : undefined;
}

/** What is left of `import { type A } from "…"`. */
const isTypes = (node: AnyNode, code: string) =>
  node.type === "ImportDeclaration" && !node.specifiers.length &&
  !isBare(node, code);

/** The name that `globalThis.name = …` defines. */
function globalOf(node: AnyNode): string | undefined {
  if (node.type !== "AssignmentExpression") return;
  const { left } = node;
  if (left.type !== "MemberExpression" || left.object.type !== "Identifier") {
    return;
  }
  if (!/^(globalThis|self)$/.test(left.object.name)) return;
  return calledName(left) || undefined;
}

/** The declarations of a program: where they stand and what they define. */
const definitionsIn = (program: Program, defined: Map<string, number[]>) =>
  program.body.flatMap((statement) => {
    const { declaration } = statement as { declaration?: AnyNode };
    const at = declaration ?? statement as AnyNode;
    return at.type === "VariableDeclaration" ? at.declarations : [at];
  }).map(({ start, end }) => ({
    start,
    end,
    names: [...defined].filter(([, places]) =>
      places.some((p) => start <= p && p < end)
    ).map(([name]) => name),
  }));

function read(program: Program, source: string): CellCode {
  const { defined, uses: places } = namesOf(program);
  const definitions = definitionsIn(program, defined);
  const inside = (at: number) =>
    definitions.find((d) => d.start <= at && at < d.end)?.names ?? [];
  const later = new Map<string, Later>();
  const laterOf = (at: number) =>
    inside(at).map((name) =>
      later.getOrInsertComputed(name, () => ({
        uses: new Set(),
        touches: new Set(),
      }))
    );

  const body = program.body as AnyNode[];
  const defines = new Set(defined.keys()), globals = new Set<string>();
  const uses = new Set<string>(), touches = new Set<string>();
  const assigns = new Set<string>(), guarded = new Set<string>();
  const imports = new Set<string>(), loads = new Set<string>();
  const words = new Set<string>(), beginnings = new Set<string>();
  walk(program as AnyNode, (node) => {
    const text = textOf(node), begins = beginningOf(node);
    if (text !== undefined) words.add(text);
    else if (begins && begins.length > 2) beginnings.add(begins);
    const specifier = specifierOf(node);
    if (specifier !== undefined && !isTypes(node, source)) {
      imports.add(specifier);
      const isWhole = node.type !== "ImportDeclaration" || isBare(node, source);
      if (isWhole) loads.add(specifier);
    }
    const global = globalOf(node);
    if (global) globals.add(global);
  });
  const members = new Map<string, string[][]>();
  for (const { name, at, written, deferred, isTested, chain } of places) {
    if (isTested) guarded.add(name);
    members.getOrInsert(name, []).push(chain);
    for (const one of deferred ? laterOf(at) : []) {
      one.uses.add(name);
      if (written) one.touches.add(name);
    }
    if (defines.has(name)) continue;
    uses.add(name);
    if (!written) continue;
    touches.add(name);
    assigns.add(name);
  }
  for (const { name, at, assigned } of changed(program)) {
    if (!members.has(name)) continue;
    laterOf(at).forEach((l) => l.touches.add(name));
    if (!uses.has(name)) continue;
    touches.add(name);
    if (assigned) assigns.add(name);
  }
  return {
    defines: defines.union(globals),
    globals,
    names: places.map((use) => ({ ...use, inside: inside(use.at) })),
    inPlace: true,
    uses,
    guarded,
    touches,
    assigns,
    imported: importsOf(body),
    members,
    later,
    imports,
    loads,
    words,
    beginnings,
    body: treeHash(body.filter((s) => s.type !== "ImportDeclaration")),
    acts: body.some((s) => matters(s, source)),
  };
}

const cache = new Map<string, CellCode>();

/** Reads a cell; one that does not parse has `error`, and is never thrown. */
export function cellCode(source: string): CellCode {
  let code = cache.get(source);
  if (code) return code;
  try {
    const { code: script, moved } = javascriptOf(asRead(source));
    code = { ...read(parseCode(script), script), inPlace: !moved };
  } catch (e) {
    const [error] = (e as Error).message.split("\n");
    code = { ...read(parseCode(""), ""), body: "", acts: true, error };
  }
  cache.set(source, code);
  return code;
}
