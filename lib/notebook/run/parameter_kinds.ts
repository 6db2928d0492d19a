/** What kinds of value a notebook's parameters take: their defaults' and types'. */
import type { AnyNode } from "acorn";
import { nameOf, parseCode, targetsOf } from "../code/ast.ts";
import { javascriptOf } from "../code/strip_types.ts";

/** Kinds of value that a parameter's default or its type can tell apart. */
export type Kind =
  | "boolean"
  | "number"
  | "bigint"
  | "string"
  | "nothing"
  | "list"
  | "record";

/** What to give for each kind. */
const GIVE: Record<Kind, string> = {
  boolean: "true or false",
  number: "a number",
  bigint: "a whole number",
  string: "a text",
  nothing: "null",
  list: "a list as JSON, [1, 2]",
  record: 'a record as JSON, {"a": 1}',
};

/** A parameter as it was typed: the notebook says what kind it is to be. */
export class TypedText {
  constructor(readonly text: string) {}
}

export function parameterKind(value: unknown): Kind {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "list";
  const kind = typeof value;
  return /^(boolean|number|bigint|string)$/.test(kind)
    ? kind as Kind
    : "record";
}

/** The kind of a default's value; undefined when only running tells. */
function kindOfNode(node: AnyNode): Kind | undefined {
  switch (node.type) {
    case "Literal":
      return node.regex
        ? undefined
        : parameterKind(node.bigint ? 0n : node.value);
    case "TemplateLiteral":
      return "string";
    case "ArrayExpression":
      return "list";
    case "ObjectExpression":
      return "record";
    case "Identifier":
      if (node.name === "undefined") return "nothing";
      return /^(NaN|Infinity)$/.test(node.name) ? "number" : undefined;
    case "UnaryExpression":
      if (node.operator === "!") return "boolean";
      return /^[+-]$/.test(node.operator)
        ? kindOfNode(node.argument)
        : undefined;
  }
}

/** The kinds that a type's text names; undefined when it may be any. */
function kindsOfType(type: string): Kind[] | undefined {
  const kinds: Kind[] = [];
  const rest = type
    .replaceAll(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`/g, "string")
    .replaceAll(/\breadonly\b|\s/g, "");
  if (!rest) return [];
  for (const part of rest.replace(/^\|/, "").split("|")) {
    if (/\[\]$|^\[.*\]$|^(Readonly)?Array</.test(part)) kinds.push("list");
    else if (/^(true|false|boolean)$/.test(part)) kinds.push("boolean");
    else if (/^(number|-?[\d.]+(e[+-]?\d+)?)$/i.test(part)) {
      kinds.push("number");
    } else if (/^(bigint|\d+n)$/.test(part)) kinds.push("bigint");
    else if (part === "string") kinds.push("string");
    else if (/^(null|undefined)$/.test(part)) kinds.push("nothing");
    else if (/^(Record<|\{)/.test(part)) kinds.push("record");
    else return; // a type of the notebook's own
  }
  return kinds;
}

/** Declarations with `let` at the top level; none where it cannot be read. */
function declarations(source: string) {
  try {
    const { code, moved } = javascriptOf(source);
    return parseCode(code).body.flatMap((statement) =>
      statement.type === "VariableDeclaration" && statement.kind === "let"
        ? statement.declarations
        : []
    ).flatMap(({ id, init }) => {
      if (id.type !== "Identifier") { // what the pattern's names are, running tells
        return targetsOf(id as AnyNode).map(nameOf)
          .map((name) => ({ name, init: undefined, type: "" }));
      }
      const type = init && !moved && // types have become blanks
        /^\s*:([^]*?)=\s*$/.exec(source.slice(id.end, init.start))?.[1];
      return [{ name: id.name, init, type: type || "" }];
    });
  } catch {
    return []; // running it tells
  }
}

/** Names declared with `let` (also `let a = 1, b = 2`) at the top level. */
export const declaredNames = (source: string): string[] =>
  declarations(source).map(({ name }) => name);

/**
 * The kinds that each name takes that is declared with `let`: its default's and
 * those that its type names. A name that takes any, or whose default only
 * running tells, is not among them.
 */
export function declaredKinds(source: string): Map<string, Kind[]> {
  const found = new Map<string, Kind[]>();
  for (const { name, init, type } of declarations(source)) {
    const typed = kindsOfType(type);
    const kind = init ? kindOfNode(init) : "nothing";
    if (!kind || !typed) continue;
    if (kind === "nothing" && !typed.length) continue;
    found.set(name, [...new Set([kind, ...typed])]);
  }
  return found;
}

/**
 * JSON whose whole numbers keep all their digits, and none becomes infinite or 0.
 * @throws {SyntaxError} when the text is no JSON
 * @throws {RangeError} in one line, with the field, on what no number can hold
 */
export function exactJson(text: string): unknown {
  function take(
    this: unknown,
    key: string,
    value: unknown,
    { source }: { source?: string },
  ) {
    const field = Array.isArray(this) || !key ? "" : `"${key}": `;
    if (typeof value === "number" && source) exact(source, field);
    return value;
  }
  // TypeScript does not know the third argument yet.
  return JSON.parse(text, take as Parameters<typeof JSON.parse>[1]);
}

/** The number that a text holds. @throws {RangeError} where none is that number */
function exact(text: string, field = ""): number {
  const value = Number(text);
  const digits = text.trim().replace(/^\+/, "");
  const isWhole = /^(-?\d+|0x[\da-f]+)$/i.test(digits);
  if (isWhole && !(isFinite(value) && BigInt(value) === BigInt(digits))) {
    throw new RangeError(
      `${field}${digits} has more digits than a number can hold; declare it ` +
        "as a bigint (let n = 0n), or give it as a text",
    );
  }
  const isLost = isFinite(value)
    ? value === 0 && /^[^e]*[1-9]/i.test(digits)
    : /\d/.test(digits);
  if (isLost) {
    throw new RangeError(
      `${field}${digits} is too large or too small for a number (5e-324 to 1.8e308); ` +
        "give another one, 0 or Infinity",
    );
  }
  return value;
}

/** JSON where it is JSON, `NaN` and `±Infinity`, else the text as it is. */
function anyValue(text: string): unknown {
  if (/^(NaN|-?Infinity)$/.test(text)) return Number(text);
  try {
    return exactJson(text);
  } catch (e) {
    if (e instanceof RangeError) throw e;
    return text;
  }
}

/** Why a value of kind `is` is no value of a parameter; one line. */
export const misfit = (name: string, given: string, kinds: Kind[]) =>
  `parameter "${name}" is given ${given}, its default is a ${
    kinds.filter((k) => k !== "nothing" || kinds.length === 1).join(" or a ")
  }; give ${kinds.map((k) => GIVE[k]).join(" or ")}`;

/**
 * The value that a text stands for, where the parameter takes `kinds`.
 * @throws {Error} in one line when it fits none of them
 */
export function parameterValue(
  name: string,
  text: string,
  kinds?: Kind[],
): unknown {
  let value: unknown;
  try {
    if (!kinds) return anyValue(text);
    const word = text.trim();
    if (word === "null") return null;
    for (const kind of kinds) {
      if (kind === "boolean" && /^(true|false)$/i.test(word)) {
        return word.toLowerCase() === "true";
      }
      if (kind === "bigint" && /^[+-]?\d+n?$/.test(word)) {
        return BigInt(word.replace(/^\+|n$/g, ""));
      }
      if (kind === "number" && isNumber(word)) return exact(word);
    }
    value = anyValue(text);
  } catch (e) {
    if (kinds?.includes("string")) return text;
    throw new Error(`parameter "${name}": ${(e as Error).message}`);
  }
  if (kinds.includes(parameterKind(value))) return value;
  if (kinds.includes("string")) return text;
  throw new Error(misfit(name, JSON.stringify(text).slice(0, 80), kinds));
}

const isNumber = (word: string) =>
  /^[+-]?(NaN|Infinity)$/.test(word) ||
  /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$|^0x[\da-f]+$/i.test(word);
