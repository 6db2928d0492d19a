/** Makes the awaits at a cell's top level end when the cell is stopped. */
import { type AnyNode, parse } from "acorn";
import { EACH, UNTIL } from "./agent.ts";
import { stripTypes } from "./strip_types.ts";

/** Calls `visit` for all nodes that belong to the cell's own code. */
function walk(node: AnyNode, visit: (node: AnyNode) => void) {
  if (/Function/.test(node.type)) return; // its awaits are its own
  visit(node);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (typeof child?.type === "string") walk(child, visit);
    }
  }
}

/**
 * `await x` becomes `await until(x)`, and so with `for await`; lines stay
 * where they are. Code that is not understood comes back as it is.
 */
export function interruptible(code: string): string {
  if (!code.includes("await")) return code;
  const edits: { at: number; text: string }[] = [];
  const wrap = (node: AnyNode, name: string) => {
    edits.push({ at: node.start, text: `${name}((` });
    edits.push({ at: node.end, text: "))" });
  };
  try {
    // With "strip" types become blanks, so that places stay the same.
    const plain = stripTypes(code);
    if (plain.length !== code.length) return code;
    const program = parse(plain, {
      ecmaVersion: "latest",
      sourceType: "module",
      allowAwaitOutsideFunction: true,
    });
    walk(program, (node) => {
      if (node.type === "AwaitExpression") wrap(node.argument, UNTIL);
      if (node.type === "ForOfStatement" && node.await) wrap(node.right, EACH);
    });
  } catch {
    return code;
  }
  // Of edits at one place the inner end comes first, the outer start too: the
  // order of the walk for starts, its reverse for ends.
  let out = "", from = 0;
  const order = edits.map((edit, i) => ({ ...edit, i })).sort((a, b) =>
    a.at - b.at || (a.text === "))" ? 0 : 1) - (b.text === "))" ? 0 : 1) ||
    a.i - b.i
  );
  for (const { at, text } of order) {
    out += code.slice(from, at) + text;
    from = at;
  }
  return out + code.slice(from);
}
