/** Which files a module's code names. */
import type { AnyNode } from "acorn";
import { nameOf, textOf } from "./ast.ts";

const isMeta = (node: AnyNode | undefined, property: string) =>
  node?.type === "MemberExpression" && node.object.type === "MetaProperty" &&
  node.property.type === "Identifier" && node.property.name === property;

/** The path beside the module that an expression stands for. */
export function placeOf(node: AnyNode): string | undefined {
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
export function patternOf(node: AnyNode): [string, string] | undefined {
  const ends = (text?: string | null) => text && /^[\w.-]*\.\w+$/.test(text);
  if (node.type === "TemplateLiteral" && node.expressions.length === 1) {
    const [before, after] = node.quasis.map((q) => q.value.cooked ?? "");
    if (ends(after)) return [before.replace(/^.*\//, ""), after];
  } else if (node.type === "BinaryExpression" && node.operator === "+") {
    const after = textOf(node.right);
    if (after && ends(after)) return ["", after];
  }
}
