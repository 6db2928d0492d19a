/** What a cell's code changes of values, as far as its text tells. */
import type { AnyNode, CallExpression, Program } from "acorn";
import {
  calledName,
  changedBy,
  isBare,
  MUTATORS,
  PARTS,
  root,
  targetsOf,
  walk,
} from "./ast.ts";

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

/** The calls whose result nobody takes when nobody takes that of `node`. */
function callsIn(node: AnyNode): CallExpression[] {
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

export interface Change {
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
export function changed(program: Program): Change[] {
  const found: Change[] = [];
  const add = (name: string | undefined, at: number, assigned = false) => {
    if (name) found.push({ name, at, assigned });
  };
  const last = program.body.at(-1);
  const drop = (node: AnyNode, shown = false): void => {
    for (const call of callsIn(node)) {
      const name = calledName(call.callee);
      const on = root(call.callee);
      if (READERS.has(name) || SHOWS.test(name)) continue;
      if (shown && !CHANGES.test(name)) continue;
      if (on && on in globalThis) continue;
      if (call.callee.type === "MemberExpression") {
        add(on, call.start);
        if (MUTATORS.has(name) && name !== "fit") continue; // of that alone
      }
      for (const given of call.arguments) {
        if (given.type === "Identifier") add(given.name, call.start);
      }
    }
  };
  walk(program as AnyNode, (node) => {
    for (const target of changedBy(node)) {
      const assigned = node.type !== "CallExpression";
      if (assigned && target.type === "Identifier") continue;
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
export function matters(statement: AnyNode, code: string): boolean {
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
    const name = calledName(c.callee);
    return !READERS.has(name) && !SHOWS.test(name);
  });
}
