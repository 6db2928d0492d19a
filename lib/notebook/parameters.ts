/** Parameters of a notebook: one injected cell of plain assignments. */
import type { Notebook } from "./types.ts";

const tagged = (tag: string) => (cell: Notebook["cells"][number]) =>
  cell.cell_type === "code" && Array.isArray(cell.metadata.tags) &&
  cell.metadata.tags.includes(tag);

/**
 * A value as a TypeScript literal. Strings, numbers (NaN, ±Infinity and -0
 * too), booleans, null, arrays and plain objects; nothing can run as code.
 * @throws {TypeError} on any other kind of value
 */
export function literal(value: unknown): string {
  if (typeof value === "number") {
    return Object.is(value, -0) ? "-0" : String(value);
  }
  if (value === undefined) return "undefined";
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") {
    return JSON.stringify(value)
      .replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
  }
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value === "object") {
    const proto = Object.getPrototypeOf(value);
    if (proto === null || proto === Object.prototype) {
      // Computed keys: a plain "__proto__" would set the prototype.
      const entries = Object.entries(value).map(([k, v]) =>
        `${k === "__proto__" ? `["__proto__"]` : literal(k)}: ${literal(v)}`
      );
      return entries.length ? `{ ${entries.join(", ")} }` : "{}";
    }
  }
  throw new TypeError(
    `a parameter cannot be a ${typeof value}; give JSON-like data`,
  );
}

/** Names declared with `let` (also `let a = 1, b = 2`) at the top level. */
export function declaredNames(source: string): string[] {
  const names: string[] = [];
  let depth = 0;
  let inLet = false;
  let expectName = false;
  // strings, comments, words, then any single character
  const token =
    /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[^]*?\*\/|[\p{L}_$][\p{L}\p{N}_$]*|[^]/gu;
  for (const { 0: t, index } of source.matchAll(token)) {
    if (/^\s$/.test(t) || t.startsWith("//") || t.startsWith("/*")) continue;
    if (/^[([{]$/.test(t)) depth++;
    else if (/^[)\]}]$/.test(t)) depth--;
    if (depth > 0) {
      expectName = false;
      continue;
    }
    if (/^[\p{L}_$]/u.test(t)) {
      if (expectName) {
        // a comma inside `Record<string, number>` names a type, not a variable
        const after = source.slice(index + t.length);
        if (/^\s*(?:!?:|=|,|;|$)|^[^\S\n]*\n/.test(after)) names.push(t);
        expectName = false;
      } else if (t === "let") inLet = expectName = true;
      else if (/^(const|var|function|class|import|export)$/.test(t)) {
        inLet = false;
      }
    } else if (t === ";") inLet = expectName = false;
    else expectName = t === "," && inLet;
  }
  return names;
}

/**
 * Puts one cell tagged `injected-parameters` right after the cell tagged
 * `parameters`, in place of an earlier one; changes `nb`.
 * @returns names that the parameters cell does not declare; these are left out
 */
export function injectParameters(
  nb: Notebook,
  values: Record<string, unknown>,
): { unknown: string[] } {
  nb.cells = nb.cells.filter((c) => !tagged("injected-parameters")(c));
  const names = Object.keys(values);
  const at = nb.cells.findIndex(tagged("parameters"));
  const declared = at < 0 ? [] : declaredNames(nb.cells[at].source);
  const known = names.filter((n) => declared.includes(n));
  if (known.length) {
    nb.cells.splice(at + 1, 0, {
      cell_type: "code",
      ...(nb.nbformat_minor >= 5 ? { id: "injected-parameters" } : {}),
      metadata: { tags: ["injected-parameters"] },
      source: [
        "// Parameters of this run",
        ...known.map((n) => `${n} = ${literal(values[n])};`),
        "void 0; // or the last value would be shown",
      ].join("\n"),
      execution_count: null,
      outputs: [],
    });
  }
  return { unknown: names.filter((n) => !declared.includes(n)) };
}
