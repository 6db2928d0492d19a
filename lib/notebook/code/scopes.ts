/** Names at the top level of cells and modules, told by scope. */
import type { AnyNode, Program } from "acorn";
import { analyze, type Reference } from "eslint-scope";
import { noteChain, walk } from "./ast.ts";

/** A place where a name stands that is none of an inner scope's. */
export interface NameUse {
  name: string;
  at: number;
  /** it is read, not only assigned to; it is assigned to */
  read: boolean;
  written: boolean;
  /** it stands in a function, and is not used before that is called */
  deferred: boolean;
  /** it is called: `name(…)` */
  called: boolean;
  /** it only stands in `typeof name` */
  isTested: boolean;
  /** the properties read of it: `["a", "b"]` of `name.a.b` */
  chain: string[];
}

export interface Names {
  /** names defined at the top level, each with the places where it is */
  defined: Map<string, number[]>;
  /** of these, and of names that are defined elsewhere; in no order */
  uses: NameUse[];
}

/** Where a node of eslint-scope's starts; it knows acorn's by ESTree's types. */
const startOf = (node: { range?: [number, number] }) => node.range![0];

function isDeferred(reference: Reference): boolean {
  let scope = reference.from as typeof reference.from | null;
  for (; scope; scope = scope.upper) {
    if (/^function$|^class-field-initializer$/.test(scope.type)) return true;
  }
  return false;
}

export function namesOf(program: Program): Names {
  // @ts-ignore: acorn's tree is ESTree's, only its types are stricter
  const manager = analyze(program, { ecmaVersion: 2025, sourceType: "module" });
  const module = manager.globalScope!.childScopes[0];
  const chains = new Map<number, string[]>();
  const calls = new Set<number>(), tests = new Set<number>();
  walk(program as AnyNode, (node) => {
    noteChain(node, chains);
    if (node.type === "CallExpression" && node.callee.type === "Identifier") {
      calls.add(node.callee.start);
    } else if (
      node.type === "UnaryExpression" && node.operator === "typeof" &&
      node.argument.type === "Identifier"
    ) tests.add(node.argument.start);
  });
  const references = [
    ...manager.globalScope!.through,
    ...module.variables.flatMap((v) => v.references),
  ].filter((r) => !r.init); // a declaration is no use
  return {
    defined: new Map(
      module.variables.map((
        { name, defs },
      ) => [name, defs.map((d) => startOf(d.name))]),
    ),
    uses: references.map((r) => ({
      name: r.identifier.name as string,
      at: startOf(r.identifier),
      read: r.isRead(),
      written: r.isWrite(),
      deferred: isDeferred(r),
      called: calls.has(startOf(r.identifier)),
      isTested: tests.has(startOf(r.identifier)),
      chain: chains.get(startOf(r.identifier)) ?? [],
    })),
  };
}
