/** The recipe: every number that a training depends on, with its default. */
import { z } from "zod";
import { printable } from "../weights/mod.ts";
import { closeNames } from "./close_names.ts";
import { Fields, Recipe } from "./schema.ts";

export { Recipe } from "./schema.ts";

/** A recipe that cannot be trained; the message is one line. */
export class RecipeError extends Error {
  override name = "RecipeError";
}

/** What fields are called elsewhere. */
const ELSEWHERE: Record<string, string> = {
  learningrate: "lr",
  wd: "weightDecay",
  decay: "weightDecay",
  beta1: "betas",
  beta2: "betas",
  epsilon: "eps",
  imagesize: "size",
  imgsize: "size",
  numclasses: "classes",
  numepochs: "epochs",
  clipgrad: "clipNorm",
  maxnorm: "clipNorm",
  scheduler: "schedule",
  smoothing: "labelSmoothing",
};

/** The name that `key` was probably meant to be, if one is close. */
function closest(key: string, names: string[]): string | undefined {
  const plain = (s: string) =>
    s.slice(0, 40).replace(/[-_ ]/g, "").toLowerCase();
  const known = ELSEWHERE[plain(key)];
  if (known && names.includes(known)) return known;
  return closeNames(plain(key), names)[0];
}

/** The schema without its default. */
function inner(field: z.ZodType): z.ZodType {
  return field instanceof z.ZodDefault || field instanceof z.ZodPrefault
    ? inner(field.unwrap() as z.ZodType)
    : field;
}

/** The names of the fields at `path`; none for a choice between groups. */
function fieldsAt(path: PropertyKey[]): string[] {
  let field: z.ZodType = Fields;
  for (const key of path) {
    field = inner(
      field instanceof z.ZodArray
        ? field.element as z.ZodType
        : (field as typeof Fields).shape[String(key) as "size"],
    );
  }
  return Object.keys((field as typeof Fields).shape ?? {});
}

function dotted(path: PropertyKey[]): string {
  return path.reduce<string>(
    (text, key) =>
      typeof key === "number"
        ? `${text}[${key}]`
        : `${text}.${printable(String(key))}`,
    "recipe",
  );
}

/**
 * The recipe that `input` describes, the default where it says nothing.
 *
 * @throws RecipeError `recipe.<path>: <what>; <what to do>`, an unknown field
 * before any other fault.
 */
export function parseRecipe(input: unknown): Recipe {
  const parsed = Recipe.safeParse(input);
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  const unknown = issues.find((i) => i.code === "unrecognized_keys");
  if (unknown) {
    const [key] = unknown.keys;
    const names = fieldsAt(unknown.path);
    if (names.length === 0) {
      throw new RecipeError(`${dotted(unknown.path)}: ${unknown.message}`);
    }
    const name = closest(key, names);
    const at = dotted([...unknown.path, key]);
    throw new RecipeError(
      `${at}: unknown field; ${
        name
          ? `did you mean ${dotted([...unknown.path, name])}?`
          : "take it out"
      }`,
    );
  }
  const [{ path, message }] = issues;
  throw new RecipeError(`${dotted(path)}: ${message}`);
}

/** Makes a shared recipe safe from changes by whoever reads it. */
function frozen<T extends object>(value: T): T {
  Object.values(value).forEach((v) => typeof v === "object" && frozen(v));
  return Object.freeze(value);
}

/**
 * `slim` (the defaults) trains on a CPU in minutes; `full` is the published
 * Baseline's size and wants a GPU.
 */
export const recipes: { readonly slim: Recipe; readonly full: Recipe } = {
  slim: frozen(parseRecipe({})),
  full: frozen(parseRecipe({
    size: 112,
    widths: [64, 128, 256, 512],
    layers: [3, 4, 14, 3],
    stemWidth: 64,
    depth: 8,
    dim: 512,
    heads: 8,
    batchSize: 256,
  })),
};

export type RecipeField = {
  /** Dotted, as in `erasing.areaMin`. */
  field: string;
  /** As JSON. */
  default: string;
  /** Meaning, unit and range. */
  description: string;
};

/** Every field with its default and meaning, in the recipe's order. */
export function recipeTable(): RecipeField[] {
  const rows = (
    shape: Record<string, z.ZodType>,
    prefix: string,
  ): RecipeField[] =>
    Object.entries(shape).flatMap(([key, field]) => {
      const bare = inner(field);
      return bare instanceof z.ZodObject
        ? rows(bare.shape as Record<string, z.ZodType>, `${prefix}${key}.`)
        : [{
          field: prefix + key,
          default: JSON.stringify(field.parse(undefined)),
          description: field.description ?? "",
        }];
    });
  return rows(Fields.shape, "");
}
