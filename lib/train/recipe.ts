/** The recipe: every number that a training depends on, with its default. */
import { z } from "zod";

/** A recipe that cannot be trained; the message is one line. */
export class RecipeError extends Error {
  override name = "RecipeError";
}

/** A value as a message shows it: one short line. */
function show(value: unknown): string {
  if (typeof value === "string") {
    return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  }
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value === null || typeof value !== "object") {
    return typeof value === "function" ? "a function" : String(value);
  }
  return "an object";
}

/** The error of a field: what was given, and what it takes. */
const takes = (wanted: string) => ({
  error: ({ input }: { input?: unknown }) =>
    `got ${show(input)}; give ${wanted}`,
});

/** A whole number, both bounds included. */
function whole(low: number, high: number) {
  const error = takes(`a whole number from ${low} to ${high}`);
  return z.int(error).min(low, error).max(high, error);
}

/** A number from `low` to `high`, both included. */
function real(low: number, high: number) {
  const error = takes(`a number from ${low} to ${high}`);
  return z.number(error).min(low, error).max(high, error);
}

/** A number above 0 that is one in float32 too, where the step computes. */
function positive() {
  const error = takes("a number above 0, within float32's range");
  return z.number(error).refine((x) => {
    const single = Math.fround(x);
    return single > 0 && Number.isFinite(single);
  }, error);
}

/** Decay of a running mean. 1, or what float32 rounds to it, is refused. */
function beta() {
  const error = {
    error: ({ input }: { input?: unknown }) =>
      typeof input === "number" && Math.fround(input) === 1
        ? "a beta of 1 keeps its start for ever and divides by 0; give a number from 0 to below 1, such as 0.999"
        : `got ${show(input)}; give a number from 0 to below 1`,
  };
  return z.number(error).min(0, error)
    .refine((x) => Math.fround(x) < 1, error);
}

/** One of `values`. */
function oneOf<const T extends string | number | boolean>(values: T[]) {
  const names = values.map((v) => JSON.stringify(v));
  return z.literal(values, takes(names.join(" or ")));
}

function four(low: number, high: number) {
  const item = whole(low, high);
  return z.tuple([item, item, item, item], takes("a list of 4 whole numbers"));
}

const group = takes("an object of the group's fields");

/** The fields, before the checks across them. */
const Fields = z.strictObject({
  model: oneOf(["baseline"]).default("baseline")
    .describe("The network: baseline is IR50 followed by a plain ViT."),
  size: whole(16, 1024).default(48)
    .describe("Side of the square input, in pixels; 16 to 1024."),
  widths: four(1, 8192).default([16, 32, 64, 128])
    .describe("Channels of the four stages; each 1 to 8192."),
  layers: four(1, 100).default([2, 2, 2, 2])
    .describe("Residual units of the four stages; each 1 to 100."),
  stemWidth: whole(1, 8192).default(16)
    .describe("Channels of the first convolution; 1 to 8192."),
  stemStride: oneOf([1, 2]).default(1)
    .describe("Stride of the first convolution, in pixels; 1 or 2."),
  depth: whole(1, 100).default(4)
    .describe("Transformer blocks; 1 to 100."),
  dim: whole(1, 8192).default(128).describe(
    "Width of the tokens, in channels; the last of widths, as nothing projects them.",
  ),
  heads: whole(1, 1024).default(4)
    .describe("Attention heads; 1 to 1024, a divisor of dim."),
  mlpRatio: whole(1, 64).default(4)
    .describe("Hidden width of a block's MLP in units of dim; 1 to 64."),
  classes: whole(2, 100000).default(7)
    .describe("Classes to tell apart; 2 to 100000."),
  batchSize: whole(1, 65536).default(64)
    .describe("Images a training step; 1 to 65536."),
  evalBatchSize: whole(1, 65536).default(256)
    .describe("Images an evaluation step; 1 to 65536, no effect on results."),
  epochs: whole(1, 100000).default(10)
    .describe("Passes over the training images; 1 to 100000."),
  seed: whole(0, 2147483647).default(0).describe(
    "Seed of the start values, the order and the augmentation; 0 to 2147483647.",
  ),
  lr: positive().default(2e-4)
    .describe("Learning rate of Adam, constant over the run; above 0."),
  betas: z.tuple([beta(), beta()], takes("a list of 2 numbers"))
    .default([0.9, 0.999]).describe(
      "Decay a step of Adam's two running means; each from 0 to below 1.",
    ),
  eps: positive().default(1e-8)
    .describe("Added to Adam's denominator; above 0."),
  weightDecay: real(0, 1e6).default(0).describe(
    "L2 penalty added to the gradient (coupled) of parameters of more than one dimension; from 0.",
  ),
  flip: real(0, 1).default(0.5)
    .describe("Probability that an image is mirrored left to right; 0 to 1."),
  erasing: z.strictObject({
    probability: real(0, 1).default(0.5)
      .describe("Probability that a rectangle of an image is erased; 0 to 1."),
    areaMin: real(0, 1).default(0.02)
      .describe("Smallest rectangle, as a share of the image; 0 to 1."),
    areaMax: real(0, 1).default(0.1)
      .describe("Largest rectangle, as a share of the image; areaMin to 1."),
    ratioMin: positive().default(0.3)
      .describe("Smallest height over width of the rectangle; above 0."),
    ratioMax: positive().default(3.3)
      .describe("Largest height over width of the rectangle; from ratioMin."),
  }, group).prefault({}).describe("Random erasing (arXiv 1708.04896)."),
  normalise: z.strictObject({
    mean: real(-1e6, 1e6).default(0)
      .describe("Taken from the pixels, which lie in [0, 1]; any number."),
    std: positive().default(1)
      .describe("What the pixels are divided by, after mean; above 0."),
  }, group).prefault({}).describe("Input normalisation."),
  precision: oneOf(["auto", "float32", "bfloat16"]).default("auto").describe(
    "Number format of convolutions and matrix products: float32, bfloat16, or auto (bfloat16 where the CPU computes in it and all channels fill blocks of 16).",
  ),
  dropLast: oneOf([true, false]).default(true).describe(
    "Whether an epoch's last batch is left out when it is not full; true or false.",
  ),
}, takes("an object of recipe fields"));

/** The recipe's schema: defaults, ranges and the checks across fields. */
export const Recipe = Fields.superRefine((r, context) => {
  const refuse = (path: PropertyKey[], message: string) =>
    context.addIssue({ code: "custom", path, message });
  const width = r.widths[3];
  if (r.dim !== width) {
    refuse(
      ["dim"],
      `${r.dim} is not the last of widths, ${width}; give ${width}, or change widths[3]`,
    );
  }
  if (r.dim % r.heads !== 0) {
    refuse(
      ["heads"],
      `${r.heads} does not divide dim ${r.dim}; give a divisor of ${r.dim}`,
    );
  }
  const stride = r.stemStride * 2 ** r.widths.length;
  if (r.size < stride) {
    refuse(
      ["size"],
      `${r.size} is less than the strides' product ${stride}, so no map is left; give at least ${stride}`,
    );
  }
  const { areaMin, areaMax, ratioMin, ratioMax } = r.erasing;
  if (areaMin > areaMax) {
    refuse(
      ["erasing", "areaMin"],
      `${areaMin} is above areaMax ${areaMax}; give at most ${areaMax}`,
    );
  }
  if (ratioMin > ratioMax) {
    refuse(
      ["erasing", "ratioMin"],
      `${ratioMin} is above ratioMax ${ratioMax}; give at most ${ratioMax}`,
    );
  }
});
export type Recipe = z.infer<typeof Recipe>;

/** Edits (insert, delete, replace, swap of neighbours) between two words. */
function distance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      row[j] = Math.min(
        rows[i - 1][j] + 1,
        row[j - 1] + 1,
        rows[i - 1][j - 1] + (same ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j], rows[i - 2][j - 2] + 1);
      }
    }
    rows.push(row);
  }
  return rows[a.length][b.length];
}

/** The name that `key` was probably meant to be, if one is close. */
function closest(key: string, names: string[]): string | undefined {
  const plain = (s: string) =>
    s.slice(0, 40).replace(/[-_ ]/g, "").toLowerCase();
  const [best] = names
    .map((name) => ({ name, edits: distance(plain(key), plain(name)) }))
    .sort((a, b) => a.edits - b.edits);
  return best.edits <= Math.floor(best.name.length / 3) ? best.name : undefined;
}

/** The schema without its default. */
function inner(field: z.ZodType): z.ZodType {
  return field instanceof z.ZodDefault || field instanceof z.ZodPrefault
    ? inner(field.unwrap() as z.ZodType)
    : field;
}

/** The fields of the group at `path`. */
function groupAt(path: PropertyKey[]): Record<string, z.ZodType> {
  return path.reduce<Record<string, z.ZodType>>(
    (shape, key) => (inner(shape[String(key)]) as typeof Fields).shape,
    Fields.shape,
  );
}

function dotted(path: PropertyKey[]): string {
  return path.reduce<string>(
    (text, key) =>
      typeof key === "number" ? `${text}[${key}]` : `${text}.${String(key)}`,
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
    const name = closest(key, Object.keys(groupAt(unknown.path)));
    const at = dotted([...unknown.path, key]).replace(/[\r\n]+/g, " ");
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
