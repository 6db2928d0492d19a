/** Reading acorn's trees: names, strings, imports, chains of properties. */
import { shortHash } from "../file/ids.ts";
import {
  type AnyNode,
  type MemberExpression,
  type Node,
  Parser,
  type Program,
} from "acorn";

// Methods that change what they are called on, or what they are given first.
export const MUTATORS = new Set(
  ("push pop shift unshift splice sort reverse fill copyWithin set add delete " +
    "clear append assign defineProperty setTime getOrInsert " +
    "getOrInsertComputed fit").split(" "),
);
// Methods that give a part of what they are called on.
export const PARTS = new Set("get at find findLast values entries".split(" "));
const NONE = new Set<string>();

/** A cell may export what another one defines. */
const CellParser = Parser.extend((Base) =>
  class extends Base {
    checkLocalExport() {}
  }
);

/** The tree of a cell or module without types. @throws {SyntaxError} */
export const parseCode = (code: string): Program =>
  CellParser.parse(code, {
    ecmaVersion: "latest",
    sourceType: "module",
    ranges: true, // eslint-scope wants them
    allowAwaitOutsideFunction: true,
  });

/** A name of another module; "*" is the whole of it. */
export interface Binding {
  specifier: string;
  name: string;
}

export const nodesOf = (v: unknown): AnyNode[] =>
  [v].flat().filter((x): x is AnyNode =>
    typeof (x as Node | null)?.type === "string"
  );

/**
 * Visits `node` and all below it, a parent before its children; none below one
 * for which `visit` gives false.
 */
export function walk(
  node: AnyNode,
  visit: (node: AnyNode) => boolean | void,
): void {
  if (visit(node) === false) return;
  for (const key in node) {
    const value = node[key as keyof AnyNode] as unknown;
    if (typeof value !== "object" || value === null) continue;
    if (!Array.isArray(value)) {
      if (typeof (value as Node).type === "string") {
        walk(value as AnyNode, visit);
      }
    } else {
      for (const child of value) {
        if (typeof child?.type === "string") walk(child, visit);
      }
    }
  }
}

const PLACES = new Set(["start", "end", "range", "loc"]);

/** Tells two trees apart that do other things; comments and layout do not. */
function tokensOf(value: unknown, out: string[] = []): string[] {
  if (Array.isArray(value)) {
    out.push("[");
    for (const v of value) tokensOf(v, out);
    out.push("]");
  } else if (typeof value === "object" && value !== null) {
    if (value instanceof RegExp) return out; // its pattern and flags are beside it
    out.push("{");
    const literal = (value as Node).type === "Literal";
    for (const key in value) {
      if (PLACES.has(key) || (literal && key === "raw")) continue;
      out.push(key);
      tokensOf(value[key as keyof typeof value], out);
    }
    out.push("}");
  } else {
    out.push(typeof value === "string" ? JSON.stringify(value) : `${value}`);
  }
  return out;
}

/** A hash of what statements do, whatever their comments and layout. */
export const treeHash = (statements: readonly Node[]): string =>
  shortHash(statements.map((s) => tokensOf(s).join(" ")).join("\n"));

/** The text of a name, or of a string that stands for one. */
export const nameOf = (node: AnyNode): string =>
  node.type === "Identifier"
    ? node.name
    : String((node as { value?: unknown }).value);

/** The text of a string, or of a template that nothing is put into. */
export function textOf(node: AnyNode | undefined): string | undefined {
  if (node?.type === "Literal" && typeof node.value === "string") {
    return node.value;
  }
  if (node?.type === "TemplateLiteral" && !node.expressions.length) {
    return node.quasis[0].value.cooked ?? undefined;
  }
}

/**
 * The name that a chain of members starts at: `a` of `a.b[c]!.d`.
 * @param methods that give a part of it are followed too: `a` of `a.get(k).d`
 */
export function root(node: AnyNode, methods = NONE): string | undefined {
  let at: AnyNode = node;
  for (;;) {
    if (at.type === "MemberExpression") at = at.object as AnyNode;
    else if (at.type === "ChainExpression") at = at.expression as AnyNode;
    else if (!methods.size) break;
    else if (at.type === "LogicalExpression") at = at.left;
    else if (
      at.type === "CallExpression" && at.callee.type === "MemberExpression" &&
      methods.has(calledName(at.callee))
    ) {
      const ofObject = root(at.callee) === "Object"; // Object.values(a)
      at = (ofObject ? at.arguments[0] : at.callee.object) as AnyNode;
      if (!at) return;
    } else break;
  }
  return at.type === "Identifier" ? at.name : undefined;
}

/** The last name of a callee: `push` of `a.b.push` and `a["push"]`, `f` of `f`. */
export function calledName(callee: AnyNode): string {
  if (callee.type === "Identifier") return callee.name;
  if (callee.type !== "MemberExpression") return "";
  const property = callee.property as AnyNode;
  if (callee.computed) return textOf(property) ?? "";
  return property.type === "Identifier" ? property.name : "";
}

/** The names and members that an assignment to `pattern` sets. */
export function targetsOf(pattern: AnyNode): AnyNode[] {
  switch (pattern.type) {
    case "ObjectPattern":
      return pattern.properties.flatMap((p) => targetsOf(p as AnyNode));
    case "ArrayPattern":
      return pattern.elements.flatMap((e) => e ? targetsOf(e as AnyNode) : []);
    case "Property":
      return targetsOf(pattern.value as AnyNode);
    case "AssignmentPattern":
      return targetsOf(pattern.left as AnyNode);
    case "RestElement":
      return targetsOf(pattern.argument as AnyNode);
    default:
      return [pattern];
  }
}

/** What `node` itself sets, deletes, or changes by a method known to do so. */
export function changedBy(node: AnyNode): AnyNode[] {
  if (node.type === "AssignmentExpression") {
    return targetsOf(node.left as AnyNode);
  }
  if (node.type === "ForOfStatement" || node.type === "ForInStatement") {
    const left = node.left as AnyNode;
    return left.type === "VariableDeclaration" ? [] : targetsOf(left);
  }
  if (
    node.type === "UpdateExpression" ||
    node.type === "UnaryExpression" && node.operator === "delete"
  ) return [node.argument];
  if (node.type !== "CallExpression") return [];
  let callee = node.callee as AnyNode;
  // Array.prototype.push.apply(a, b)
  if (/^(call|apply)$/.test(calledName(callee))) {
    callee = (callee as MemberExpression).object as AnyNode;
  }
  if (
    callee.type !== "MemberExpression" || !MUTATORS.has(calledName(callee))
  ) return [];
  const on = callee.object as AnyNode;
  const isBuiltIn = callee !== node.callee ||
    /^(Object|Reflect|Atomics)$/.test(root(on) ?? "");
  const [first] = node.arguments as AnyNode[]; // of Object.assign
  return isBuiltIn ? (first ? [first] : []) : [on];
}

/** Notes by the place of a name the chain of properties that is read of it. */
export function noteChain(node: AnyNode, chains: Map<number, string[]>): void {
  if (node.type !== "MemberExpression") return;
  const chain: string[] = [];
  let at: AnyNode = node;
  for (; at.type === "MemberExpression"; at = at.object as AnyNode) {
    const name = calledName(at);
    if (name) chain.unshift(name);
    else chain.length = 0; // what is read of that is not known
  }
  // The longest chain comes first, since a parent is visited before its child.
  if (at.type === "Identifier" && !chains.has(at.start)) {
    chains.set(at.start, chain);
  }
}

/** Imports, by local name. */
export function importsOf(body: readonly AnyNode[]): Map<string, Binding> {
  const found = new Map<string, Binding>();
  for (const statement of body) {
    if (statement.type !== "ImportDeclaration") continue;
    const specifier = String(statement.source.value);
    for (const s of statement.specifiers) {
      const name = s.type === "ImportSpecifier"
        ? nameOf(s.imported)
        : s.type === "ImportDefaultSpecifier"
        ? "default"
        : "*";
      found.set(s.local.name, { specifier, name });
    }
  }
  return found;
}

/** `import "…"`; what is left of `import { type A } from "…"` is none. */
export const isBare = (statement: AnyNode, code: string) =>
  statement.type === "ImportDeclaration" && !statement.specifiers.length &&
  /^import\s*["']/.test(code.slice(statement.start, statement.end));
