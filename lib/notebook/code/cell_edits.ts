/** A cell's code with texts around some of its parts. */
import type { AnyNode } from "acorn";
import { parseCode, walk } from "./ast.ts";
import { stripTypes } from "./strip_types.ts";

/** Puts texts before and after a node. */
type Wrap = (node: AnyNode, before: string, after: string) => void;

/**
 * Lines stay where they are. Code that is not understood comes back as it is.
 * @param visit wraps what it likes; see {@link walk}
 */
export function wrapNodes(
  code: string,
  visit: (node: AnyNode, wrap: Wrap) => boolean | void,
): string {
  const edits: { at: number; text: string; isEnd: boolean }[] = [];
  try {
    // With "strip" types become blanks, so that places stay the same.
    const plain = stripTypes(code);
    if (plain.length !== code.length) return code;
    const wrap: Wrap = ({ start, end }, before, after) => {
      edits.push({ at: start, text: before, isEnd: false });
      edits.push({ at: end, text: after, isEnd: true });
    };
    walk(parseCode(plain) as AnyNode, (node) => visit(node, wrap));
  } catch {
    return code;
  }
  // At one place ends come first; of starts the outer one.
  edits.sort((a, b) => a.at - b.at || Number(b.isEnd) - Number(a.isEnd));
  let out = "", from = 0;
  for (const { at, text } of edits) {
    out += code.slice(from, at) + text;
    from = at;
  }
  return out + code.slice(from);
}
