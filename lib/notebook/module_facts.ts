/** What one module's text says: what it imports, exports, reads, and its code. */
import { createHash } from "node:crypto";
import { stripTypeScriptTypes } from "node:module";
import { type AnyNode, type Node, parse, type Program } from "acorn";

/** Twelve hex digits that stand for a text or bytes. */
export const shortHash = (content: string | Uint8Array): string =>
  createHash("sha256").update(content).digest("hex").slice(0, 12);

/** A name of another module; "*" is the whole of it. */
export interface Binding {
  specifier: string;
  name: string;
}

/** Facts of a module. */
export interface ModuleFacts {
  /** hash of its code without imports and re-exports, comments and layout */
  own: string;
  /** hash of all its code, comments and layout apart */
  all: string;
  /** by local name */
  imports: Map<string, Binding>;
  /** by exported name: a name of another module, or undefined for its own */
  exports: Map<string, Binding | undefined>;
  /** specifiers of `export * from` */
  stars: string[];
  /** specifiers of `import "…"` */
  bare: string[];
  /** specifiers of `import("…")` */
  dynamic: string[];
  /** paths of files and folders beside it that it names */
  places: string[];
  /** its strings that may be a file's name, or be put into one */
  words: Set<string>;
  /** what comes before and after a string that is put into a file's name */
  patterns: [before: string, after: string][];
  /** loading it does more than to define things */
  acts: boolean;
  /** it was not understood: it may export, and do, anything */
  opaque: boolean;
}

const LARGE = 2_000_000; // characters; such a file is not parsed
const MOST_KEPT = 5000;

// One too many (from a comment, a string) only makes a file count that need not.
const IMPORT =
  /\b(?:import|export)\s+(?!type\b)[^;'"`()]*?\bfrom\s*["']([^"'\n]+)["']|\bimport\s*\(?\s*["']([^"'\n]+)["']|\bnew URL\(\s*["'](\.[^"'\n]+)["']\s*,\s*import\.meta\.url/g;

/** A node's children. */
export const nodesOf = (v: unknown): AnyNode[] =>
  [v].flat().filter((x): x is AnyNode =>
    typeof (x as Node | null)?.type === "string"
  );

/** Visits `node` and all below it, a parent before its children. */
export function walk(node: AnyNode, visit: (node: AnyNode) => void): void {
  visit(node);
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
function writeTree(value: unknown, out: string[]): void {
  if (Array.isArray(value)) {
    out.push("[");
    for (const v of value) writeTree(v, out);
    out.push("]");
  } else if (typeof value === "object" && value !== null) {
    if (value instanceof RegExp) return; // its pattern and flags are beside it
    out.push("{");
    const literal = (value as Node).type === "Literal";
    for (const key in value) {
      if (PLACES.has(key) || (literal && key === "raw")) continue;
      out.push(key);
      writeTree(value[key as keyof typeof value], out);
    }
    out.push("}");
  } else {out.push(
      typeof value === "string" ? JSON.stringify(value) : `${value}`,
    );}
}

/** What a statement does, whatever its comments and layout. */
function treeText(statement: Node): string {
  const out: string[] = [];
  writeTree(statement, out);
  return out.join(" ");
}

/** A hash of what statements do, whatever their comments and layout. */
export const treeHash = (statements: readonly Node[]): string =>
  shortHash(statements.map(treeText).join("\n"));

const nameOf = (node: AnyNode): string =>
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

const isMeta = (node: AnyNode | undefined, property: string) =>
  node?.type === "MemberExpression" && node.object.type === "MetaProperty" &&
  node.property.type === "Identifier" && node.property.name === property;

/** The path beside the module that an expression stands for. */
function placeOf(node: AnyNode): string | undefined {
  const beside = (text?: string) => text && `./${text}`;
  const isUrl = (text = "") => /^[a-z]+:/i.test(text);
  if (node.type === "NewExpression") {
    const [path, base] = node.arguments as AnyNode[];
    const text = textOf(path);
    if (nameOf(node.callee) !== "URL" || !isMeta(base, "url")) return;
    return text?.startsWith("/")
      ? text
      : isUrl(text)
      ? undefined
      : beside(text);
  }
  if (node.type === "CallExpression") {
    const [first, ...rest] = node.arguments as AnyNode[];
    if (isMeta(node.callee, "resolve")) return textOf(first);
    if (!isMeta(first, "dirname") || !rest.length) return;
    const texts = rest.map(textOf);
    const end = texts.indexOf(undefined); // what comes then is in that folder
    const known = end < 0 ? texts : texts.slice(0, end);
    return known.length ? beside(known.join("/")) : undefined;
  }
  if (node.type === "BinaryExpression" && node.operator === "+") {
    if (isMeta(node.left as AnyNode, "dirname")) {
      return beside(textOf(node.right));
    }
  }
  if (
    node.type === "TemplateLiteral" && node.expressions.length === 1 &&
    isMeta(node.expressions[0], "dirname") && !node.quasis[0].value.raw
  ) return beside(node.quasis[1].value.cooked ?? undefined);
}

/** What an expression puts around a string to make a file's name of it. */
function patternOf(node: AnyNode): [string, string] | undefined {
  const ends = (text?: string | null) => text && /^[\w.-]*\.\w+$/.test(text);
  if (node.type === "TemplateLiteral" && node.expressions.length === 1) {
    const [before, after] = node.quasis.map((q) => q.value.cooked ?? "");
    if (ends(after)) return [before.replace(/^.*\//, ""), after];
  } else if (node.type === "BinaryExpression" && node.operator === "+") {
    const after = textOf(node.right);
    if (after && ends(after)) return ["", after];
  }
}

/** Names that a declaration's pattern declares. */
function declared(pattern: AnyNode): string[] {
  switch (pattern.type) {
    case "Identifier":
      return [pattern.name];
    case "ObjectPattern":
      return pattern.properties.flatMap((p) =>
        declared((p.type === "Property" ? p.value : p.argument) as AnyNode)
      );
    case "ArrayPattern":
      return pattern.elements.flatMap((e) => e ? declared(e as AnyNode) : []);
    case "AssignmentPattern":
      return declared(pattern.left as AnyNode);
    case "RestElement":
      return declared(pattern.argument as AnyNode);
    default:
      return [];
  }
}

/** Whether evaluating `node` may call or change something. */
function does(node: AnyNode): boolean {
  if (/Function/.test(node.type)) return false;
  if (
    /^(Call|New|Assignment|Update|Await|TaggedTemplate|Import)Expression$|^StaticBlock$/
      .test(node.type)
  ) return true;
  return Object.values(node).some((v) => nodesOf(v).some(does));
}

/** A statement's declaration: itself, or what it exports. */
const declarationOf = (statement: AnyNode): AnyNode =>
  /^Export(Named|Default)Declaration$/.test(statement.type) &&
    (statement as { declaration?: AnyNode | null }).declaration || statement;

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

/** @param elides imports of names that only types use are no imports */
function factsOf(program: Program, code: string, elides: boolean): ModuleFacts {
  const body = program.body as AnyNode[];
  const imports = importsOf(body);
  const exports: ModuleFacts["exports"] = new Map();
  const stars: string[] = [], bare: string[] = [], own: AnyNode[] = [];
  let acts = false;
  for (const statement of body) {
    if (statement.type === "ImportDeclaration") {
      if (isBare(statement, code)) bare.push(String(statement.source.value));
      continue;
    }
    if (statement.type === "ExportAllDeclaration") {
      const specifier = String(statement.source.value);
      if (!statement.exported) stars.push(specifier);
      else exports.set(nameOf(statement.exported), { specifier, name: "*" });
      continue;
    }
    if (statement.type === "ExportNamedDeclaration") {
      const specifier = statement.source && String(statement.source.value);
      for (const { local, exported } of statement.specifiers) {
        const name = nameOf(local);
        exports.set(
          nameOf(exported),
          specifier ? { specifier, name } : imports.get(name),
        );
      }
      const names = statement.specifiers.map(({ local }) => nameOf(local));
      if (specifier || names.length && names.every((n) => imports.has(n))) {
        continue;
      }
    }
    own.push(statement);
    const declaration = declarationOf(statement);
    if (statement.type === "ExportDefaultDeclaration") {
      exports.set("default", undefined);
    } else if (statement.type === "ExportNamedDeclaration") {
      const names = declaration.type === "VariableDeclaration"
        ? declaration.declarations.flatMap((d) => declared(d.id as AnyNode))
        : declaration !== statement
        ? [(declaration as { id: { name: string } }).id.name]
        : [];
      for (const name of names) exports.set(name, undefined);
    }
    acts ||= does(declaration);
  }
  const dynamic: string[] = [], places: string[] = [];
  const patterns: ModuleFacts["patterns"] = [];
  const words = new Set<string>(), used = new Set<string>();
  for (const statement of own) {
    walk(statement, (node) => {
      if (node.type === "ImportExpression") {
        const specifier = textOf(node.source as AnyNode);
        if (specifier) dynamic.push(specifier);
      }
      if (node.type === "Identifier") used.add(node.name);
      const place = placeOf(node);
      if (place) places.push(place);
      const pattern = patternOf(node);
      if (pattern) patterns.push(pattern);
      const text = textOf(node);
      if (text && /^[\w.-]{1,100}$/.test(text)) words.add(text);
    });
  }
  const texts = own.map(treeText), ours = new Set(own);
  const passing = body.filter((s) => !ours.has(s));
  if (elides) {
    for (const name of imports.keys()) {
      if (!used.has(name)) imports.delete(name);
    }
  }
  return {
    own: shortHash(texts.join("\n")),
    all: shortHash([...texts, ...passing.map(treeText)].join("\n")),
    imports,
    exports,
    stars,
    bare,
    dynamic,
    places,
    words,
    patterns,
    acts,
    opaque: false,
  };
}

/** A module that is not understood: each name in it is all of it. */
function opaqueFacts(text: string, isCode: boolean): ModuleFacts {
  const found = isCode ? [...text.matchAll(IMPORT)] : [];
  const hash = shortHash(text);
  return {
    own: hash,
    all: hash,
    imports: new Map(),
    exports: new Map(),
    stars: [],
    bare: found.flatMap((m) => m[1] ?? m[2] ?? []),
    dynamic: [],
    places: found.flatMap((m) => m[3] ?? []),
    words: new Set(),
    patterns: [],
    acts: true,
    opaque: true,
  };
}

/** A module's code without its types; those of enums and the like transformed. */
function javascriptOf(text: string, path: string): string {
  if (/\.[cm]?js$/.test(path)) return text;
  try {
    return stripTypeScriptTypes(text);
  } catch {
    return stripTypeScriptTypes(
      text,
      { mode: "transform" } as unknown as Parameters<
        typeof stripTypeScriptTypes
      >[1], // Deno takes it; Node's types know "strip" alone
    );
  }
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
      const code = javascriptOf(text, path);
      const program = parse(code, {
        ecmaVersion: "latest",
        sourceType: "module",
      });
      facts = factsOf(program, code, !/\.[cm]?js$/.test(path));
    } catch { /* Deno will say what is wrong with it */ }
  }
  facts ??= opaqueFacts(text, isCode);
  if (known.size >= MOST_KEPT) known.clear();
  known.set(key, facts);
  return facts;
}
