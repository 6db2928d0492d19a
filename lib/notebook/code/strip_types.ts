/** TypeScript to JavaScript, without ending the process on a deep nest. */
import { stripTypeScriptTypes } from "node:module";

const DEEPEST = 1000; // from about 2,000 the native parser's stack overflows

/** The code of the error of what only "transform" can do. */
const UNSUPPORTED = "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX";

/** Whether a text may nest deeper than a parser can follow; a rough count. */
export function isDeep(text: string): boolean {
  let brackets = 0, others = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text[i]) {
      case "(":
      case "[":
      case "{":
        if (++brackets > DEEPEST) return true;
        break;
      case ")":
      case "]":
      case "}":
        if (brackets > 0) brackets--;
        others = 0;
        break;
      case ";":
      case ",":
        others = 0;
        break;
      case "<": // of type arguments
      case ":": // of labels
        if (++others > DEEPEST) return true;
        break;
      case "=":
        if (text[i + 1] === ">" && ++others > DEEPEST) return true;
    }
  }
  return false;
}

/**
 * Replaces types by spaces, so that positions stay; or writes the code anew,
 * which enums, namespaces and parameter properties need.
 * @throws {Error} whose first line says what cannot be read
 */
export function stripTypes(
  source: string,
  mode: "strip" | "transform" = "strip",
  sourceMap = false,
): string {
  if (isDeep(source)) throw new SyntaxError("it nests too deeply");
  // Deno takes both modes; Node's types know "strip" alone.
  const options = { mode, sourceMap } as Parameters<
    typeof stripTypeScriptTypes
  >[1];
  return stripTypeScriptTypes(source, options);
}

/**
 * A cell as the kernel reads it: one that is no statement, but an object, as
 * `{ a: 1, b: 2 }`, in parentheses.
 */
export function asRead(source: string): string {
  if (!/^\s*\{[^]*[^;\s]\s*$/.test(source)) return source;
  try {
    stripTypes(source, "transform");
    return source;
  } catch {
    return `(${source})`;
  }
}

/**
 * TypeScript to JavaScript that acorn reads. Positions stay unless the code
 * has enums, namespaces or parameter properties: these are transformed, and
 * the emit drops imports that the code itself does not use, so they are kept
 * by hand.
 * @throws {Error} whose first line says what cannot be read
 */
export function javascriptOf(source: string): { code: string; moved: boolean } {
  try {
    return { code: stripTypes(source), moved: false };
  } catch (e) {
    if ((e as { code?: string }).code !== UNSUPPORTED) throw e;
  }
  const statement =
    /(?<=^|;)[ \t]*import\b[^;'"()]*?["'][^"'\n]+["'][^\n;]*;?/gm;
  const imports = source.match(statement) ?? [];
  const rest = stripTypes(source.replace(statement, ""), "transform");
  const code = [...imports.map((i) => stripTypes(i)), rest].join("\n");
  return { code, moved: true };
}
