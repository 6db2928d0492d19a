/** Which cells of a notebook run a study, and which they need. */
import type { AnyNode } from "acorn";
import {
  type Cell,
  cellGraph,
  nodesOf,
  parseCode,
  stripTypes,
} from "../../lib/notebook/mod.ts";

/** Stands among names for a call of a method `run`. */
const RUN = ".run()";

/** What a cell calls and uses: itself, and by name in functions it defines. */
interface Calls {
  here: Set<string>;
  later: Map<string, Set<string>>;
}

const isFunction = ({ type }: AnyNode) =>
  /^(Function|ArrowFunction)|^MethodDefinition$/.test(type);

const nameOf = (node: AnyNode): string | undefined => {
  if (node.type === "Identifier") return node.name;
  return node.type === "Literal" ? String(node.value) : undefined;
};

/** Puts what `node` uses into `here`, what its functions use into `later`. */
function collect(node: AnyNode, here: Set<string>, later: Set<string>): void {
  if (node.type === "Identifier") here.add(node.name);
  if (node.type === "CallExpression" || node.type === "NewExpression") {
    const { callee } = node;
    if (
      callee.type === "MemberExpression" && nameOf(callee.property) === "run"
    ) here.add(RUN);
    // What a call is given as a function it calls, as far as anybody knows.
    for (const inner of [callee, ...node.arguments] as AnyNode[]) {
      const own = isFunction(inner) ? Object.values(inner) : [inner];
      nodesOf(own.flat()).forEach((n) => collect(n, here, later));
    }
    return;
  }
  for (const [key, value] of Object.entries(node)) {
    // A member's word, or the name that is defined here.
    const isWord = /^(property|key)$/.test(key) &&
      !(node as { computed?: boolean }).computed;
    if (isWord || key === "id") continue;
    for (const child of nodesOf(value)) {
      collect(child, isFunction(child) ? later : here, later);
    }
  }
}

function callsOf(source: string): Calls {
  const calls: Calls = { here: new Set(), later: new Map() };
  let body: AnyNode[];
  try {
    body = parseCode(stripTypes(source)).body;
  } catch { // JSX, enums, too deep, an error: the kernel will tell
    if (/\.\s*run\s*\(/.test(source)) calls.here.add(RUN);
    return calls;
  }
  const named = body.flatMap((statement) => {
    const node = statement.type === "ExportNamedDeclaration" &&
        statement.declaration || statement;
    return node.type === "VariableDeclaration"
      ? node.declarations as AnyNode[]
      : [node];
  });
  for (const node of named) {
    const later = new Set<string>();
    collect(node, isFunction(node) ? later : calls.here, later);
    const id = (node as { id?: AnyNode | null }).id;
    const name = id && nameOf(id);
    if (name) calls.later.set(name, later);
  }
  return calls;
}

/** What a study's cells are, by their places among the code cells, from 1. */
export interface RunCells {
  /** That run a study, in order. */
  asked: number[];
  /** A cell and all that it needs. */
  withNeeds(number: number): Set<number>;
}

/**
 * The cells in which `….run()` is called, be it by a function of the notebook.
 */
export function runCells(cells: Cell[]): RunCells {
  const calls = cells.map((c) => callsOf(c.source));
  const runners = new Set([RUN]);
  const later = calls.flatMap((c) => [...c.later]);
  for (let before = 0; before < runners.size;) {
    before = runners.size;
    for (const [name, uses] of later) {
      if (!uses.isDisjointFrom(runners)) runners.add(name);
    }
  }
  const graph = cellGraph(cells);
  const unread = graph.filter((c) => c.code.error).map((c) => c.number);
  const withNeeds = (number: number) => {
    const all = new Set([number]);
    for (const n of all) { // grows while it is read
      const { needs, missing } = graph[n - 1];
      [...needs.values()].flat().forEach((m) => all.add(m));
      // What is defined nowhere may stand in a cell that cannot be read.
      if (missing.length > 0) {
        unread.filter((m) => m < n).forEach((m) => all.add(m));
      }
    }
    return all;
  };
  const asked = graph.map((c) => c.number)
    .filter((n) => !calls[n - 1].here.isDisjointFrom(runners));
  return { asked, withNeeds };
}
