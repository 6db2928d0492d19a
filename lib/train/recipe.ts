/** The recipe: every number that a training depends on, with its default. */
import { z } from "zod";
import { atMost, bare, dottedFrom, parsedBy } from "../faults/mod.ts";
import { Fields, Recipe } from "./schema.ts";

export { Recipe } from "./schema.ts";

/** A recipe that cannot be trained; the message is one line a fault. */
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

const options = { dotted: dottedFrom("recipe"), elsewhere: ELSEWHERE };

/**
 * The recipe that `input` describes, the default where it says nothing.
 *
 * @throws RecipeError `recipe.<path>: <what>; <what to do>`, a line a fault,
 * unknown fields first.
 */
export function parseRecipe(input: unknown): Recipe {
  const { data, faults, issues } = parsedBy(Recipe, input, options);
  if (data) return data;
  const odd = new Set(
    issues.flatMap((issue) =>
      issue.path.length > 0
        ? [String(issue.path[0])]
        : issue.code === "unrecognized_keys"
        ? issue.keys
        : []
    ),
  );
  // Fields are held against each other where each is sound by itself.
  const sound = Object.entries(odd.size > 0 ? input as object : {})
    .filter(([name]) => !odd.has(name));
  const across = parsedBy(Recipe, Object.fromEntries(sound), options);
  const more = (across.issues ?? []).flatMap((issue, i) => {
    if (issue.code !== "custom" || !issue.params) return [];
    const fields = [String(issue.path[0]), ...issue.params.with as string[]];
    return fields.some((name) => odd.has(name)) ? [] : [across.faults![i]];
  });
  throw new RecipeError(atMost([...faults, ...more]).join("\n"));
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
      const plain = bare(field);
      return plain instanceof z.ZodObject
        ? rows(plain.shape as Record<string, z.ZodType>, `${prefix}${key}.`)
        : [{
          field: prefix + key,
          default: JSON.stringify(field.parse(undefined)),
          description: field.description ?? "",
        }];
    });
  return rows(Fields.shape, "");
}
