/** Parameters of a notebook: one injected cell of plain assignments. */
import { hasTag } from "../file/cells.ts";
import { cellCode } from "../code/code.ts";
import type { Kernel } from "../kernel/kernel.ts";
import {
  declaredKinds,
  declaredNames,
  type Kind,
  misfit,
  parameterKind,
  parameterValue,
  TypedText,
} from "./parameter_kinds.ts";
import type { Cell, Notebook } from "../file/types.ts";

/** The source of the cell tagged `parameters`; empty where there is none. */
const sourceOf = (nb: Notebook): string =>
  nb.cells.find(isDeclaring)?.source ?? "";
const isDeclaring = (cell: Cell) =>
  cell.cell_type === "code" && hasTag(cell, "parameters");

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
  if (typeof value === "bigint") return `${value}n`;
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

/**
 * The values as the notebook's parameters take them: a text that was typed
 * becomes what the default is, and what does not fit is refused. Where a
 * schema checks the values, it alone decides what fits.
 * @throws {Error} in one line that names the parameter
 */
export function fittedParameters(
  nb: Notebook,
  values: Record<string, unknown>,
): Record<string, unknown> {
  const kinds = declaredKinds(sourceOf(nb));
  const checked = declaresSchema(nb);
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const takes = kinds.get(name);
      if (value instanceof TypedText) {
        return [name, fromText(name, value.text, takes, checked)];
      }
      const fits = !takes || value == null ||
        takes.includes(parameterKind(value));
      if (fits || checked) return [name, value];
      throw new Error(misfit(name, `a ${parameterKind(value)}`, takes));
    }),
  );
}

function fromText(
  name: string,
  text: string,
  kinds: Kind[] | undefined,
  checked: boolean,
): unknown {
  try {
    return parameterValue(name, text, kinds);
  } catch (e) {
    if (!checked) throw e;
    return parameterValue(name, text);
  }
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
  nb.cells = nb.cells.filter((c) =>
    c.cell_type !== "code" || !hasTag(c, "injected-parameters")
  );
  const names = Object.keys(values);
  const at = nb.cells.findIndex(isDeclaring);
  const declared = declaredNames(sourceOf(nb));
  const known = names.filter((n) => declared.includes(n));
  const { source_hidden } = (nb.cells[at]?.metadata.jupyter ?? {}) as {
    source_hidden?: unknown;
  };
  if (known.length) {
    nb.cells.splice(at + 1, 0, {
      cell_type: "code",
      ...(nb.nbformat_minor >= 5 ? { id: "injected-parameters" } : {}),
      metadata: {
        ...(source_hidden === undefined ? {} : { jupyter: { source_hidden } }),
        tags: ["injected-parameters"],
      },
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

interface Issue {
  path: string[];
  message: string;
}

/**
 * What does not fit the defaults that only running the parameters cell tells;
 * to be asked when it has run. A default of null or undefined takes any kind.
 * @returns one line; undefined when all fit
 */
export async function mistyped(
  kernel: Kernel,
  nb: Notebook,
  values: Record<string, unknown>,
): Promise<string | undefined> {
  const told = declaredKinds(sourceOf(nb));
  const names = Object.keys(values).filter((name) =>
    !told.has(name) && values[name] != null
  );
  if (!names.length) return;
  // The kernel runs the very function, as text.
  const expression = `[${names.join(", ")}].map(${parameterKind})`;
  const kinds = await kernel.ask(expression) as Kind[] | undefined;
  for (const [i, name] of names.entries()) {
    const [is, was] = [parameterKind(values[name]), kinds?.[i] ?? "nothing"];
    if (is !== was && was !== "nothing") return misfit(name, `a ${is}`, [was]);
  }
}

/** Whether the cell tagged `parameters` declares a schema named Parameters. */
export const declaresSchema = (nb: Notebook): boolean =>
  cellCode(sourceOf(nb)).defines.has("Parameters");

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
  const names = declaredNames(sourceOf(nb));
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
