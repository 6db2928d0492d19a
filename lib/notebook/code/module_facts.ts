/** What one module's text says: what it imports, exports, reads, and its code. */
import type { AnyNode, Program } from "acorn";
import {
  type Binding,
  calledName,
  changedBy,
  importsOf,
  isBare,
  nameOf,
  nodesOf,
  parseCode,
  PARTS,
  root,
  textOf,
  treeHash,
  walk,
} from "./ast.ts";
import { shortHash } from "../file/ids.ts";
import { pathBesideModule, patternOf } from "./data_files.ts";
import { type Names, namesOf } from "./scopes.ts";
import { javascriptOf } from "./strip_types.ts";

export interface ModulePart {
  /** hash of what it does, whatever its comments and layout */
  hash: string;
  declares: string[];
  /** names of the module's top level in it: the properties read of them */
  uses: Map<string, string[][]>;
  /** specifiers of `import("…")` */
  dynamic: string[];
  /** paths of files and folders beside the module that it names */
  places: string[];
  /** its strings that may be a file's name, or be put into one */
  words: string[];
  /** what comes before and after a string that is put into a file's name */
  patterns: [before: string, after: string][];
  /** it does more than to define what it declares */
  acts: boolean;
  /** of `uses`: names whose value it may change */
  changes: Set<string>;
}

export interface ModuleFacts {
  /** hash of all its code, comments and layout apart */
  all: string;
  /** by local name */
  imports: Map<string, Binding>;
  /** by exported name: a name of another module, or a local one */
  exports: Map<string, Binding | string>;
  /** specifiers of `export * from` */
  stars: string[];
  /** specifiers of `import "…"` */
  bare: string[];
  /** all but imports and what passes names on, in order */
  parts: ModulePart[];
  /** by name: the part that declares it, and those that may change its value */
  declares: Map<string, ModulePart>;
  changers: Map<string, ModulePart[]>;
  /** it was not understood: it may export, and do, anything */
  opaque: boolean;
}

const DEFAULT = "*default*"; // the local name of `export default 1`
const LARGE = 300_000; // characters; such a file is not parsed
const MOST_KEPT = 5000;

// One too many (from a comment, a string) only makes a file count that need not.
const IMPORT =
  /\b(?:import|export)\s+(?!type\b)[^;'"`()]*?\bfrom\s*["']([^"'\n]+)["']|\bimport\s*\(?\s*["']([^"'\n]+)["']|\bnew URL\(\s*["'](\.[^"'\n]+)["']\s*,\s*import\.meta\.url/g;

// What may be called while a module is loaded and changes nothing by that.
const HARMLESS =
  /^(Object|Array|Symbol|Number|String|BigInt|Math|JSON|RegExp|Set|Map|WeakMap|WeakSet|URL|Date|TextEncoder|TextDecoder|\w+Array)$/;
const CHANGING = /^(assign|define\w*|set\w*|delete\w*)$/;

/** Whether a callee is zod's: a schema is made of calls of calls. */
function isSchema(node: AnyNode): boolean {
  let at = node;
  for (;;) {
    if (at.type === "MemberExpression") at = at.object as AnyNode;
    else if (at.type === "CallExpression") at = at.callee as AnyNode;
    else return at.type === "Identifier" && at.name === "z";
  }
}

/** Whether evaluating `node` may change something. */
function does(node: AnyNode): boolean {
  if (/Function/.test(node.type)) return false;
  if (node.type === "CallExpression" || node.type === "NewExpression") {
    const on = root(node.callee as AnyNode);
    const harmless = on && HARMLESS.test(on) &&
      !CHANGING.test(calledName(node.callee as AnyNode));
    if (!harmless && !isSchema(node.callee as AnyNode)) return true;
  } else if (
    /^(Assignment|Update|Await|TaggedTemplate|Import)Expression$|^StaticBlock$/
      .test(node.type)
  ) return true;
  return Object.values(node).some((v) => nodesOf(v).some(does));
}

/** A statement's declaration: itself, or what it exports. */
const declarationOf = (statement: AnyNode): AnyNode =>
  /^Export(Named|Default)Declaration$/.test(statement.type) &&
    (statement as { declaration?: AnyNode | null }).declaration || statement;

function partOf(
  statement: AnyNode,
  imports: Map<string, Binding>,
  names: Names,
): ModulePart {
  const isIn = (at: number) => statement.start <= at && at < statement.end;
  const declaration = declarationOf(statement);
  const uses: ModulePart["uses"] = new Map(), changes = new Set<string>();
  for (const use of names.uses) {
    if (!isIn(use.at) || !names.defined.has(use.name)) continue;
    const chain = imports.has(use.name) ? use.chain : [];
    const chains = uses.getOrInsert(use.name, []);
    if (!chains.some((c) => c.join() === chain.join())) chains.push(chain);
  }
  const dynamic: string[] = [], places: string[] = [], words: string[] = [];
  const patterns: ModulePart["patterns"] = [];
  walk(statement, (node) => {
    for (const target of changedBy(node)) {
      const name = root(target, PARTS);
      if (name) changes.add(name);
    }
    if (node.type === "ImportExpression") {
      const specifier = textOf(node.source as AnyNode);
      if (specifier) dynamic.push(specifier);
    }
    const place = pathBesideModule(node),
      pattern = patternOf(node),
      text = textOf(node);
    if (place) places.push(place);
    if (pattern) patterns.push(pattern);
    if (text && /^[\w.-]{1,100}$/.test(text)) words.push(text);
  });
  return {
    hash: treeHash([statement]),
    declares: [
      ...[...names.defined].flatMap(([name, at]) => at.some(isIn) ? name : []),
      ...statement.type === "ExportDefaultDeclaration" ? [DEFAULT] : [],
    ],
    uses,
    dynamic,
    places,
    words,
    patterns,
    acts: !/^Export|Declaration$|^EmptyStatement$/.test(declaration.type) &&
        statement.type !== "ExportDefaultDeclaration" || does(declaration),
    changes,
  };
}

function factsOf(program: Program, code: string): ModuleFacts {
  const body = program.body as AnyNode[];
  const imports = importsOf(body), names = namesOf(program);
  const exports: ModuleFacts["exports"] = new Map();
  const stars: string[] = [], bare: string[] = [], parts: ModulePart[] = [];
  for (const statement of body) {
    if (statement.type === "ImportDeclaration") {
      if (isBare(statement, code)) bare.push(String(statement.source.value));
    } else if (statement.type === "ExportAllDeclaration") {
      const specifier = String(statement.source.value);
      if (!statement.exported) stars.push(specifier);
      else exports.set(nameOf(statement.exported), { specifier, name: "*" });
    } else if (
      statement.type === "ExportNamedDeclaration" && !statement.declaration
    ) {
      const specifier = statement.source && String(statement.source.value);
      for (const { local, exported } of statement.specifiers) {
        const name = nameOf(local);
        const given = specifier
          ? { specifier, name }
          : imports.get(name) ?? name;
        exports.set(nameOf(exported), given);
      }
    } else {
      const part = partOf(statement, imports, names);
      parts.push(part);
      if (statement.type === "ExportDefaultDeclaration") {
        exports.set("default", DEFAULT);
      } else if (statement.type === "ExportNamedDeclaration") {
        part.declares.forEach((name) => exports.set(name, name));
      }
    }
  }
  const declares = new Map<string, ModulePart>();
  for (const part of parts) part.declares.forEach((n) => declares.set(n, part));
  const changers: ModuleFacts["changers"] = new Map();
  for (const part of parts) {
    part.changes.forEach((n) => changers.getOrInsert(n, []).push(part));
  }
  const others = body.filter((s) => /^(Import|Export)/.test(s.type));
  const all = shortHash(
    [...parts.map((p) => p.hash), treeHash(others)].join("\n"),
  );
  return {
    all,
    imports,
    exports,
    stars,
    bare,
    parts,
    declares,
    changers,
    opaque: false,
  };
}

const EMPTY = parseCode(";").body[0] as AnyNode;

/** A module that is not understood: each name in it is all of it. */
function opaqueFacts(text: string, isCode: boolean): ModuleFacts {
  const found = isCode ? [...text.matchAll(IMPORT)] : [];
  const part: ModulePart = {
    ...partOf(EMPTY, new Map(), { defined: new Map(), uses: [] }),
    hash: shortHash(text),
    places: found.flatMap((m) => m[3] ?? []),
    acts: true,
  };
  return {
    ...factsOf(parseCode(""), ""),
    all: part.hash,
    bare: found.flatMap((m) => m[1] ?? m[2] ?? []),
    parts: [part],
    opaque: true,
  };
}

const known = new Map<string, ModuleFacts>();

/** Reads the facts of the file at `path`, which contains `text`. */
export function moduleFacts(text: string, path: string): ModuleFacts {
  const extension = /\.[^./]*$/.exec(path)?.[0] ?? "";
  const key = extension + shortHash(text);
  let facts = known.get(key);
  if (facts) return facts;
  const isCode = /^\.[cm]?[jt]sx?$/.test(extension);
  if (isCode && text.length <= LARGE) {
    try {
      const isScript = /\.[cm]?js$/.test(path);
      const code = isScript ? text : javascriptOf(text).code;
      facts = factsOf(parseCode(code), code);
    } catch { /* Deno will say what is wrong with it */ }
  }
  facts ??= opaqueFacts(text, isCode);
  if (known.size >= MOST_KEPT) known.clear();
  known.set(key, facts);
  return facts;
}
