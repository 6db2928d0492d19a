/** Parameters of a notebook: one injected cell of plain assignments. */
import type { Kernel } from "./kernel.ts";
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

/** What the kernel says of the parameters, before and after they are set. */
interface Issue {
  path: string[];
  message: string;
}

/** Kinds of value that a JSON text can tell apart. */
function kindOf(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "list";
  return typeof value === "object" ? "record" : typeof value;
}

/**
 * Names whose value is of another kind than the default; to be asked when the
 * parameters cell has run. A default of null or undefined takes any kind.
 * @returns one line each
 */
export async function mistyped(
  kernel: Kernel,
  values: Record<string, unknown>,
): Promise<string[]> {
  const names = Object.keys(values);
  const kinds = await kernel.ask(
    `((kindOf) => [${names.map((n) => `kindOf(${n})`).join(", ")}])((value) =>
      value === null || value === undefined ? "nothing"
        : Array.isArray(value) ? "list"
        : typeof value === "object" ? "record" : typeof value)`,
  ) as string[] | undefined;
  return names.flatMap((name, i) => {
    const [is, was] = [kindOf(values[name]), kinds?.[i] ?? "nothing"];
    if (is === was || is === "nothing" || was === "nothing") return [];
    const hint = was === "string"
      ? `; as text it is -p '${name}=${JSON.stringify(String(values[name]))}'`
      : "";
    return [
      `parameter "${name}" is given a ${is}, its default is a ${was}${hint}`,
    ];
  });
}

/** Whether the cell tagged `parameters` declares a schema named Parameters. */
export const declaresSchema = (nb: Notebook): boolean =>
  /^(?:export\s+)?const\s+Parameters\s*(?::[^=]*)?=/m.test(
    nb.cells.find(tagged("parameters"))?.source ?? "",
  );

/**
 * Checks the parameters' values in the kernel by the zod schema `Parameters`
 * of the cell tagged `parameters`, if it declares one.
 * @returns what is wrong, in one line that names the parameter
 */
export async function schemaProblem(
  kernel: Kernel,
  nb: Notebook,
): Promise<string | undefined> {
  if (!declaresSchema(nb)) return;
  const names = declaredNames(nb.cells.find(tagged("parameters"))!.source);
  const answer = await kernel.ask(`(async () => {
    const all = { ${names.join(", ")} };
    const known = Parameters.shape
      ? Object.fromEntries(Object.entries(all).filter(([n]) => n in Parameters.shape))
      : all;
    const { success, error } = await Parameters.safeParseAsync(known);
    if (success) return [];
    return error.issues.slice(0, 3).map(({ path, message }) => ({
      path: [...path.map(String), Deno.inspect(all[path[0]], { compact: true, strAbbreviateSize: 60 })],
      message,
    }));
  })()`) as Issue[] | undefined;
  if (!answer) {
    return 'the cell tagged "parameters" declares Parameters, but it is no ' +
      "zod schema that can be used; make it z.object({ … })";
  }
  if (!answer.length) return;
  const told = answer.map(({ path, message }) => {
    const given = path.pop()!.replaceAll(/\s*\n\s*/g, " ");
    return path.length
      ? `parameter "${path.join(".")}" (given ${given}): ${message}`
      : message;
  });
  const first = answer[0].path[0] ?? "name";
  return `${
    told.join("; ")
  }; give a value that the schema in the cell tagged ` +
    `"parameters" takes (-p ${first}=…)`;
}
