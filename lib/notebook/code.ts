/** What a cell's TypeScript says of itself: names, changes, imports. */
import { stripTypeScriptTypes } from "node:module";
import { type AnyNode, type Node, parse, type Program } from "acorn";
import { analyze, type Reference, type Scope } from "eslint-scope";

/** What a name brings with it when it is used: a function's body, a class's. */
export interface Later {
  uses: Set<string>;
  touches: Set<string>;
}

/** Facts of one cell. */
export interface CellCode {
  /** names defined at the top level */
  defines: Set<string>;
  /** names of other cells (or globals) that the cell's code holds */
  uses: Set<string>;
  /** of `uses`: those whose absence does no harm (`typeof name`) */
  guarded: Set<string>;
  /** of `uses`: those that the cell assigns or changes */
  touches: Set<string>;
  /** of `touches`: those changed by an assignment to them or their properties */
  assigns: Set<string>;
  /** of `defines`: names of modules and of what they export */
  imported: Set<string>;
  /** by defined name: what its functions use and change once they are called */
  later: Map<string, Later>;
  /** module specifiers as they are written; types' imports are not among them */
  imports: Set<string>;
  /** it defines nothing: there is only what it does */
  effectsOnly: boolean;
  /** why the cell cannot be read; all else is empty then */
  error?: string;
}

// Methods that change what they are called on, or what they are given first.
const MUTATORS = new Set(
  ("push pop shift unshift splice sort reverse fill copyWithin set add delete " +
    "clear append assign defineProperty setTime fit").split(" "),
);
// Methods that change nothing, even when nothing is done with their result.
const READERS = new Set(
  ("forEach map filter reduce some every find join slice concat keys values " +
    "entries get has toString at includes then catch finally close").split(" "),
);
// Functions whose name says that they show or store what they are given.
const SHOWS =
  /^(show|display|print|log|plot|draw|write|append|save|store|assert|check|expect|describe)/i;

/**
 * TypeScript to JavaScript that acorn reads. Positions stay unless the code
 * has enums, namespaces or parameter properties: these are transformed, and
 * the emit drops imports that the cell itself does not use, so they are kept
 * by hand.
 */
function javascript(source: string): string {
  try {
    return stripTypeScriptTypes(source);
  } catch (e) {
    if (
      (e as { code?: string }).code !== "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX"
    ) throw e;
  }
  const statement =
    /(?<=^|;)[ \t]*import\b[^;'"()]*?["'][^"'\n]+["'][^\n;]*;?/gm;
  const imports = source.match(statement) ?? [];
  const rest = stripTypeScriptTypes(
    source.replace(statement, ""),
    { mode: "transform" } as unknown as Parameters<
      typeof stripTypeScriptTypes
    >[1], // Deno takes it; Node's types know "strip" alone
  );
  return imports.map((i) => stripTypeScriptTypes(i)).join("\n") + "\n" + rest;
}

const nodesOf = (v: unknown): AnyNode[] =>
  [v].flat().filter((x): x is AnyNode =>
    typeof (x as Node | null)?.type === "string"
  );

function walk(node: AnyNode, visit: (node: AnyNode) => void): void {
  visit(node);
  for (const value of Object.values(node)) {
    for (const child of nodesOf(value)) walk(child, visit);
  }
}

/** The name that a chain of members starts at: `a` of `a.b[c]!.d`. */
function root(node: AnyNode): string | undefined {
  let at: AnyNode = node;
  while (at.type === "MemberExpression" || at.type === "ChainExpression") {
    at = (at.type === "ChainExpression" ? at.expression : at.object) as AnyNode;
  }
  return at.type === "Identifier" ? at.name : undefined;
}

/** The last name of a callee: `push` of `a.b.push`, `f` of `f`. */
function calledName(callee: AnyNode): string {
  if (callee.type === "Identifier") return callee.name;
  if (callee.type !== "MemberExpression" || callee.computed) return "";
  return callee.property.type === "Identifier" ? callee.property.name : "";
}

/** Names of arguments that a call is given as they are. */
const given = (args: AnyNode[]) =>
  args.flatMap((a) => {
    const name = a.type === "Identifier" ? a.name : undefined;
    return name ? [name] : [];
  });

/** A change of the value of a name, and its place. */
interface Change {
  name: string;
  at: number;
  assigned: boolean;
}

/**
 * Names that `program` changes without assigning to them, each with the place:
 * assignments to their properties, methods known to change, and calls whose
 * result is dropped, which are taken to change what they are given.
 */
function changed(program: Program): Change[] {
  const found: Change[] = [];
  const add = (name: string | undefined, at: number, assigned = false) => {
    if (name) found.push({ name, at, assigned });
  };
  const last = program.body.at(-1);
  const target = (node: AnyNode): void => {
    if (node.type === "MemberExpression") add(root(node), node.start, true);
    else if (node.type === "Property") target(node.value as AnyNode);
    else if (node.type === "AssignmentPattern") target(node.left as AnyNode);
    else if (/^(Object|Array)Pattern|^RestElement/.test(node.type)) {
      Object.values(node).flatMap(nodesOf).forEach(target);
    }
  };
  walk(program as AnyNode, (node) => {
    if (node.type === "AssignmentExpression") target(node.left as AnyNode);
    else if (node.type === "UpdateExpression") target(node.argument);
    else if (node.type === "UnaryExpression" && node.operator === "delete") {
      target(node.argument);
    } else if (node.type === "CallExpression") {
      const name = calledName(node.callee);
      if (!MUTATORS.has(name) || node.callee.type !== "MemberExpression") {
        return;
      }
      const on = root(node.callee);
      add(on, node.start);
      if (on === "Object" || on === "Reflect") {
        add(given(node.arguments.slice(0, 1) as AnyNode[])[0], node.start);
      }
    } else if (node.type === "ExpressionStatement") {
      const { expression } = node;
      const awaited = expression.type === "AwaitExpression";
      const call: AnyNode = awaited ? expression.argument : expression;
      // The last value of a cell is what it shows.
      if (call.type !== "CallExpression" || (node === last && !awaited)) return;
      const name = calledName(call.callee);
      const on = root(call.callee);
      if (READERS.has(name) || SHOWS.test(name)) return;
      if (on && on in globalThis) return;
      if (call.callee.type === "MemberExpression") add(on, call.start);
      given(call.arguments as AnyNode[]).forEach((n) => add(n, call.start));
    }
  });
  return found;
}

/** Specifiers of static imports, re-exports and `import("…")`. */
function importsOf(program: Program): Set<string> {
  const found = new Set<string>();
  walk(program as AnyNode, (node) => {
    const source = (node as { source?: AnyNode | null }).source;
    if (!/^(Import|Export)/.test(node.type) || source?.type !== "Literal") {
      return;
    }
    if (typeof source.value === "string") found.add(source.value);
  });
  return found;
}

/** Where a node of eslint-scope's starts; it knows acorn's by ESTree's types. */
const startOf = (node: { range?: [number, number] }) => node.range![0];

/** Names that a top-level statement declares. */
function declaredBy(statement: AnyNode, scope: Scope): string[] {
  return scope.variables
    .filter((v) =>
      v.defs.some(({ name }) =>
        startOf(name) >= statement.start && startOf(name) < statement.end
      )
    )
    .map((v) => v.name);
}

function read(program: Program): CellCode {
  // @ts-ignore: acorn's tree is ESTree's, only its types are stricter
  const manager = analyze(program, { ecmaVersion: 2025, sourceType: "module" });
  const module = manager.globalScope!.childScopes[0];
  const defines = new Set(module.variables.map((v) => v.name));
  const later = new Map<string, Later>();
  const owners = program.body.map((statement) => ({
    start: statement.start,
    end: statement.end,
    names: declaredBy(statement as AnyNode, module),
  }));
  const laterOf = (at: number): Later[] => {
    const owner = owners.find((o) => o.start <= at && at < o.end);
    return (owner?.names ?? []).map((name) => {
      if (!later.has(name)) {
        later.set(name, { uses: new Set(), touches: new Set() });
      }
      return later.get(name)!;
    });
  };

  const outer = manager.globalScope!.through;
  const uses = new Set<string>(), touches = new Set<string>();
  const assigns = new Set<string>(), guarded = new Set<string>();
  walk(program as AnyNode, (node) => {
    if (node.type !== "UnaryExpression" || node.operator !== "typeof") return;
    if (node.argument.type === "Identifier") guarded.add(node.argument.name);
  });
  const inFunction = (r: Reference) => r.from.variableScope !== module;
  const own = module.variables.flatMap((v) => v.references);
  for (const reference of [...outer, ...own]) {
    const name = reference.identifier.name as string;
    const here = inFunction(reference)
      ? laterOf(startOf(reference.identifier))
      : [];
    here.forEach((l) => l.uses.add(name));
    if (reference.isWrite()) here.forEach((l) => l.touches.add(name));
    if (defines.has(name)) continue;
    uses.add(name);
    if (!reference.isWrite()) continue;
    touches.add(name);
    assigns.add(name);
  }
  const reached = new Set([...outer, ...own].map((r) => r.identifier.name));
  for (const { name, at, assigned } of changed(program)) {
    if (!reached.has(name)) continue;
    laterOf(at).forEach((l) => l.touches.add(name));
    if (!uses.has(name)) continue;
    touches.add(name);
    if (assigned) assigns.add(name);
    if (name === "globalThis") globalsOf(program, defines);
  }
  return {
    defines,
    uses,
    guarded,
    touches,
    assigns,
    imported: new Set(
      module.variables
        .filter((v) => v.defs.some((d) => d.type === "ImportBinding"))
        .map((v) => v.name),
    ),
    later,
    imports: importsOf(program),
    effectsOnly: defines.size === 0,
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
    code = read(parse(javascript(source), {
      ecmaVersion: "latest",
      sourceType: "module",
      ranges: true, // eslint-scope wants them
      allowAwaitOutsideFunction: true,
    }));
  } catch (e) {
    code = {
      defines: new Set(),
      uses: new Set(),
      guarded: new Set(),
      touches: new Set(),
      assigns: new Set(),
      imported: new Set(),
      later: new Map(),
      imports: new Set(),
      effectsOnly: false,
      error: (e as Error).message.split("\n")[0],
    };
  }
  cache.set(source, code);
  return code;
}
