/** What a schema finds wrong with what a user wrote, a line each. */
import { z } from "zod";
import { printable } from "../weights/mod.ts";
import { closeNames } from "./close_names.ts";
import { inMessage } from "./fields.ts";

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** More than a reader wants to mend at once. */
const MOST = 20;

const EXPECTED: Record<string, string> = {
  int: "a whole number",
  number: "a number",
  string: "a text",
  boolean: "true or false",
  array: "a list",
  tuple: "a list",
  object: "an object",
  record: "an object",
};

/** The value that was probably meant, or all. */
function choice(given: unknown, values: readonly unknown[]): string {
  const [close] = typeof given === "string"
    ? closeNames(given, values.filter((v) => typeof v === "string"))
    : [];
  const names = values.map((v) => JSON.stringify(v)).join(" or ");
  return `got ${inMessage(given)}; ${
    close ? `did you mean "${close}"?` : `give ${names}`
  }`;
}

/** The fault of a field whose schema has no words of its own for it. */
function inWords(issue: z.core.$ZodRawIssue): string | undefined {
  const { input } = issue;
  switch (issue.code) {
    case "invalid_type":
      return `got ${inMessage(input)}; give ${
        EXPECTED[issue.expected] ?? issue.expected
      }`;
    case "invalid_value":
      return choice(input, issue.values);
    case "too_small":
    case "too_big": {
      const isSmall = issue.code === "too_small";
      const end = isSmall ? issue.minimum : issue.maximum;
      const side = isSmall
        ? issue.inclusive ? "at least" : "more than"
        : issue.inclusive
        ? "at most"
        : "less than";
      return `got ${inMessage(input)}; give ${side} ${end}`;
    }
    case "invalid_union":
      return issue.discriminator
        ? choice(
          (input as Record<string, unknown>)[issue.discriminator],
          issue.options as string[] ?? [],
        )
        : undefined;
  }
}

/** The schema without default and transformation. */
export function bare(schema: z.ZodType): z.ZodType {
  if (
    schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodOptional
  ) return bare(schema.unwrap() as z.ZodType);
  return schema instanceof z.ZodPipe ? bare(schema.in as z.ZodType) : schema;
}

/** The branch of a union that what was given is closest to; -1 for none. */
function branchOf(errors: readonly (readonly Issue[])[]): number {
  const strange = errors.map((issues) =>
    issues.some((i) => i.code === "invalid_type" && i.path.length === 0)
      ? Infinity
      : issues.flatMap((i) => i.code === "unrecognized_keys" ? i.keys : [])
        .length
  );
  const least = Math.min(...strange);
  return least === Infinity ? -1 : strange.indexOf(least);
}

/** What stands at `path` of `input`, and the schema that judged it. */
function partAt(
  schema: z.ZodType,
  path: Path,
  input: unknown,
): { schema?: z.ZodType; input: unknown } {
  const at = bare(schema);
  const [key, ...rest] = path;
  if (at instanceof z.ZodUnion) {
    const options = at.options as z.ZodType[];
    const { kind } = Object(input) as { kind?: unknown };
    const own = at instanceof z.ZodDiscriminatedUnion
      ? options.find((o) =>
        (bare(o) as z.ZodObject<{ kind: z.ZodType }>).shape.kind
          .safeParse(kind).success
      )
      : options[
        branchOf(options.map((o) => o.safeParse(input).error?.issues ?? []))
      ];
    return own ? partAt(own, path, input) : { input };
  }
  if (key === undefined) return { schema: at, input };
  const inner = at instanceof z.ZodObject
    ? at.shape[String(key)]
    : at instanceof z.ZodArray
    ? at.element
    : at instanceof z.ZodRecord
    ? at.valueType
    : undefined;
  if (!inner) return { input };
  const part = (input as Record<PropertyKey, unknown>)[key];
  return partAt(inner as z.ZodType, rest, part);
}

interface Fault {
  path: PropertyKey[];
  what: string;
}

export interface FaultOptions {
  /** A path as the user writes it. */
  dotted: (path: Path) => string;
  /** What fields are called elsewhere, in small letters without `-` and `_`. */
  elsewhere?: Readonly<Record<string, string>>;
}

function unknownField(
  key: string,
  path: Path,
  names: readonly string[],
  { dotted, elsewhere = {} }: FaultOptions,
): string {
  const plain = key.slice(0, 40).replace(/[-_ ]/g, "").toLowerCase();
  const known = Object.hasOwn(elsewhere, plain) ? elsewhere[plain] : "";
  const close = names.includes(known) ? known : closeNames(key, names)[0];
  if (close) return `unknown field; did you mean ${dotted([...path, close])}?`;
  return names.length > 0 && names.length < 12
    ? `unknown field; known are ${names.join(", ")}`
    : "unknown field; take it out";
}

function faultsIn(
  schema: z.ZodType,
  issue: Issue,
  input: unknown,
  o: FaultOptions,
  above: Path = [],
): Fault[] {
  const path = [...above, ...issue.path];
  const part = partAt(schema, issue.path, input);
  if (issue.code === "unrecognized_keys") {
    const names = part.schema instanceof z.ZodObject
      ? Object.keys(part.schema.shape)
      : [];
    return issue.keys.map((key) => ({
      path: [...path, key],
      what: unknownField(key, path, names, o),
    }));
  }
  const nested = issue.code === "invalid_union" &&
    issue.errors[branchOf(issue.errors)];
  if (!nested || !part.schema) return [{ path, what: issue.message }];
  const { schema: own, input: given } = part;
  return nested.flatMap((inner) => faultsIn(own, inner, given, o, path));
}

/** `lines`, of very many the first, and how many more there are. */
export function atMost(lines: readonly string[]): string[] {
  const all = [...new Set(lines)];
  return all.length <= MOST
    ? all
    : [...all.slice(0, MOST), `and ${all.length - MOST} more`];
}

/** Deeper values than these are nobody's. */
const DEEPEST = 100;

/** Where fields are called `__proto__`, which zod's records pass over unsaid. */
function protoPaths(
  input: unknown,
  path: Path = [],
  seen = new Set<unknown>(),
): Path[] {
  const isLeaf = typeof input !== "object" || input === null ||
    ArrayBuffer.isView(input);
  if (isLeaf || seen.has(input) || path.length > DEEPEST) return [];
  seen.add(input);
  return Object.entries(input).flatMap(([key, value]) => {
    const at = [...path, Array.isArray(input) ? Number(key) : key];
    return key === "__proto__" ? [at] : protoPaths(value, at, seen);
  });
}

/**
 * What `input` makes of `schema`, or its faults, a line each:
 * `<path>: <what>; <what to do>`, unknown fields first.
 */
export function parsedBy<S extends z.ZodType>(
  schema: S,
  input: unknown,
  o: FaultOptions,
): { data: z.output<S>; faults?: undefined; issues?: undefined } | {
  data?: undefined;
  faults: string[];
  /** In the order of the faults, where each makes one. */
  issues: Issue[];
} {
  const result = schema.safeParse(input, { error: inWords });
  if (result.success) {
    const odd = protoPaths(input)
      .map((path) => `${o.dotted(path)}: unknown field; take it out`);
    return odd.length > 0 ? { faults: odd, issues: [] } : { data: result.data };
  }
  const { issues } = result.error;
  const unknown = (i: Issue) => i.code === "unrecognized_keys" ? 0 : 1;
  const faults = issues.toSorted((a, b) => unknown(a) - unknown(b))
    .flatMap((issue) => faultsIn(schema, issue, input, o))
    .map(({ path, what }) => `${o.dotted(path)}: ${what}`);
  return { faults, issues };
}

/** `recipe.groups[0].lr`, with `root` first where there is one. */
export const dottedFrom = (root = "") => (path: Path): string =>
  path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    return `${text}${text && "."}${printable(String(key))}`;
  }, root);
