/** What a cell's TypeScript says of itself: names, changes, imports. */
import type { AnyNode, Program } from "acorn";
import {
  type Binding,
  calledName,
  changedBy,
  importsOf,
  isBare,
  MUTATORS,
  parseCode,
  PARTS,
  root,
  targetsOf,
  textOf,
  treeHash,
  walk,
} from "./ast.ts";
import { namesOf, type NameUse } from "./scopes.ts";
import { javascriptOf } from "./strip_types.ts";

/** What a name brings with it when it is used: a function's body, a class's. */
export interface Later {
  uses: Set<string>;
  touches: Set<string>;
}

/** Facts of one cell. */
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

// Methods that change nothing, even when nothing is done with their result.
const READERS = new Set(
  [Array, Map, Set, Promise]
    .flatMap(({ prototype }) => Object.getOwnPropertyNames(prototype))
    .filter((name) => !MUTATORS.has(name)),
);
// Methods whose result has the elements of what they are called on.
const ELEMENTS = new Set(
  [...PARTS, ..."filter slice toSorted toReversed concat".split(" ")],
);
const ARROW = "ArrowFunctionExpression";
// Methods whose function gets elements: as its first parameter, or its second.
const VISITORS =
  /^(forEach|map|flatMap|filter|find|findLast|some|every)$|^(reduce|reduceRight)$/;
// Functions and methods whose name says that they change what they are given.
const CHANGES =
  /^(train|fit|fineTune|finetune|step|update|set|reset|init|initialize|restore|shuffle|mutate|compile|insert|remove|optimize|optimise)(?![a-z])/;
// Functions whose name says that they show or store what they are given.
const SHOWS =
  /^(show|display|print|log|plot|draw|write|append|save|store|assert|check|expect|describe)/i;

/** Names of arguments that a call is given as they are. */
const given = (args: AnyNode[]) =>
  args.flatMap((a) => {
    const name = a.type === "Identifier" ? a.name : undefined;
    return name ? [name] : [];
  });

/** The calls whose result nobody takes when nobody takes that of `node`. */
function callsIn(node: AnyNode): AnyNode[] {
  switch (node.type) {
    case "AwaitExpression":
    case "UnaryExpression":
      return callsIn(node.argument);
    case "ChainExpression":
      return callsIn(node.expression as AnyNode);
    case "LogicalExpression":
      return callsIn(node.right);
    case "ConditionalExpression":
      return [node.consequent, node.alternate].flatMap(callsIn);
    case "SequenceExpression":
      return node.expressions.flatMap(callsIn);
    case "CallExpression": {
      const [list] = node.arguments;
      if (root(node.callee) === "Promise" && list) {
        return callsIn(list as AnyNode);
      }
      return calledName(node.callee) === "map" && list?.type === ARROW
        ? [node, ...callsIn(list.body)]
        : [node];
    }
    case "ArrayExpression":
      return node.elements.flatMap((e) => e ? callsIn(e as AnyNode) : []);
    default:
      return [];
  }
}

/** A change of the value of a name, and its place. */
interface Change {
  name: string;
  at: number;
  assigned: boolean;
}

/** Other names for parts of a name's value: `row` in `for (row of rows)`. */
function partsOf(program: Program): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  const add = (pattern: AnyNode | undefined, whole: string | undefined) => {
    if (!pattern || !whole) return;
    for (const target of targetsOf(pattern)) {
      if (target.type !== "Identifier" || target.name === whole) continue;
      found.getOrInsertComputed(target.name, () => new Set()).add(whole);
    }
  };
  walk(program as AnyNode, (node) => {
    if (node.type === "VariableDeclarator" && node.init) {
      add(node.id as AnyNode, root(node.init, PARTS));
    } else if (node.type === "ForOfStatement") {
      const { left, right } = node;
      if (left.type === "VariableDeclaration") {
        add(
          left.declarations[0].id as AnyNode,
          root(right as AnyNode, ELEMENTS),
        );
      }
    } else if (
      node.type === "CallExpression" && node.callee.type === "MemberExpression"
    ) {
      const [visitor] = node.arguments;
      const [, first, second] = VISITORS.exec(calledName(node.callee)) ?? [];
      if (visitor && /Function/.test(visitor.type) && (first || second)) {
        const { params } = visitor as unknown as { params: AnyNode[] };
        add(
          params[first ? 0 : 1],
          root(node.callee.object as AnyNode, ELEMENTS),
        );
      }
    }
  });
  return found;
}

/**
 * Names that `program` changes without assigning to them, each with the place:
 * assignments to their properties, methods known to change, and calls whose
 * result is dropped, which are taken to change what they are given. The last
 * value of a cell is shown, so such a call only reads, unless its name says
 * otherwise.
 */
function changed(program: Program): Change[] {
  const found: Change[] = [];
  const add = (name: string | undefined, at: number, assigned = false) => {
    if (name) found.push({ name, at, assigned });
  };
  const last = program.body.at(-1);
  const drop = (node: AnyNode, shown = false): void => {
    for (const call of callsIn(node)) {
      if (call.type !== "CallExpression") continue;
      const name = calledName(call.callee);
      const on = root(call.callee);
      if (READERS.has(name) || SHOWS.test(name)) continue;
      if (shown && !CHANGES.test(name)) continue;
      if (on && on in globalThis) continue;
      if (call.callee.type === "MemberExpression") {
        add(on, call.start);
        if (MUTATORS.has(name) && name !== "fit") continue; // of that alone
      }
      given(call.arguments as AnyNode[]).forEach((n) => add(n, call.start));
    }
  };
  walk(program as AnyNode, (node) => {
    for (const target of changedBy(node)) {
      const assigned = node.type !== "CallExpression";
      if (assigned && target.type !== "MemberExpression") continue;
      add(root(target, PARTS), target.start, assigned);
    }
    if (node.type === "CallExpression") {
      const [first] = node.arguments as AnyNode[];
      if (calledName(node.callee) !== "forEach" || first?.type !== ARROW) {
        return;
      }
      if (first.expression) drop(first.body);
    } else if (node.type === "ExpressionStatement") {
      drop(node.expression, node === last);
    }
  });
  const parts = partsOf(program);
  for (const { name, at, assigned } of found) { // grows while it is read
    for (const whole of parts.get(name) ?? []) {
      const known = found.some((c) => c.name === whole && c.at === at);
      if (!known) found.push({ name: whole, at, assigned });
    }
  }
  return found;
}

/** Whether a statement of a cell may matter to cells that use no name of it. */
function matters(statement: AnyNode, code: string): boolean {
  if (isBare(statement, code)) return true;
  if (/^(Import|Export)|Declaration$|^EmptyStatement$/.test(statement.type)) {
    return false;
  }
  if (statement.type !== "ExpressionStatement") return true;
  const { expression } = statement;
  if (/^(Identifier|MemberExpression|Literal)$/.test(expression.type)) {
    return false;
  }
  const calls = callsIn(expression);
  return !calls.length || calls.some((c) => {
    if (c.type !== "CallExpression") return true;
    const name = calledName(c.callee);
    return !READERS.has(name) && !SHOWS.test(name);
  });
}

/** Specifiers of imports and re-exports, and of `import("…")` and `import "…"`. */
function specifiersOf(program: Program, code: string) {
  const imports = new Set<string>(), loads = new Set<string>();
  walk(program as AnyNode, (node) => {
    const source = (node as { source?: AnyNode | null }).source;
    if (!/^(Import|Export)/.test(node.type) || !source) return;
    const specifier = textOf(source);
    if (specifier === undefined) return;
    if (node.type === "ImportDeclaration") {
      if (node.specifiers.length) imports.add(specifier);
      if (!isBare(node, code)) return;
    }
    imports.add(specifier);
    loads.add(specifier);
  });
  return { imports, loads };
}

/** Strings of a cell, and what its templates and sums begin with. */
function wordsOf(program: Program) {
  const words = new Set<string>(), beginnings = new Set<string>();
  const begin = (text?: string | null) => {
    if (text && text.length > 2) beginnings.add(text);
  };
  walk(program as AnyNode, (node) => {
    const text = textOf(node);
    if (text !== undefined) words.add(text);
    else if (node.type === "TemplateLiteral") {
      begin(node.quasis[0].value.cooked);
    } else if (node.type === "BinaryExpression" && node.operator === "+") {
      begin(textOf(node.left as AnyNode));
    }
  });
  return { words, beginnings };
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
  walk(program as AnyNode, (node) => {
    if (node.type !== "UnaryExpression" || node.operator !== "typeof") return;
    if (node.argument.type === "Identifier") guarded.add(node.argument.name);
  });
  const members = new Map<string, string[][]>();
  for (const { name, at, written, deferred, chain } of places) {
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
    if (name === "globalThis") globalsOf(program, globals);
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
    ...specifiersOf(program, source),
    ...wordsOf(program),
    body: treeHash(body.filter((s) => s.type !== "ImportDeclaration")),
    acts: body.some((s) => matters(s, source)),
  };
}

/** Adds the names that `globalThis.name = …` defines. */
function globalsOf(program: Program, defines: Set<string>): void {
  walk(program as AnyNode, (node) => {
    if (node.type !== "AssignmentExpression") return;
    const { left } = node;
    if (left.type === "MemberExpression" && root(left) === "globalThis") {
      const name = calledName(left as AnyNode);
      if (name && left.object.type === "Identifier") defines.add(name);
    }
  });
}

const cache = new Map<string, CellCode>();

/** Reads a cell; one that does not parse has `error`, and is never thrown. */
export function cellCode(source: string): CellCode {
  let code = cache.get(source);
  if (code) return code;
  try {
    const { code: script, moved } = javascriptOf(source);
    code = { ...read(parseCode(script), script), inPlace: !moved };
  } catch (e) {
    const [error] = (e as Error).message.split("\n");
    code = { ...read(parseCode(""), ""), body: "", acts: true, error };
  }
  cache.set(source, code);
  return code;
}
