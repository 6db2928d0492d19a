/** The nets that `deno task bench train` measures. */
import { Profile, startOf } from "../../lib/reports/mod.ts";
import {
  parseRecipe,
  type Recipe,
  RecipeError,
  recipes,
} from "../../lib/train/mod.ts";
import { readRecipe, UsageError } from "../cli.ts";

/** A net by the name of its row. */
export interface Net {
  name: string;
  recipe: Recipe;
}

/** What the command line says of the nets. */
export interface NetOptions {
  model?: "baseline" | "cls";
  slim?: boolean;
  size?: number;
  batch?: number;
  recipe?: string;
  profile?: string[];
  precision?: Recipe["precision"];
  all?: boolean;
}

/** A batch of the published recipe is for a GPU's memory. */
const PAPER_BATCH = 16;

function ofProfile(profile: Profile): Net {
  const { recipe } = startOf(profile);
  const { batchSize } = recipe as Recipe;
  return {
    name: `profile ${profile}`,
    recipe: parseRecipe({
      ...recipe,
      batchSize: profile === "paper" ? PAPER_BATCH : batchSize,
    }),
  };
}

const ofPreset = (name: "full" | "slim", fields: Partial<Recipe>): Net => ({
  name: fields.model === "cls" ? `CLS ${name}` : name,
  recipe: parseRecipe({
    ...recipes[name],
    batchSize: name === "slim" ? 64 : 16,
    ...fields,
  }),
});

async function ofFile(path: string): Promise<Net> {
  const input = await readRecipe(path);
  try {
    return { name: path, recipe: parseRecipe(input) };
  } catch (error) {
    if (!(error instanceof RecipeError)) throw error;
    throw new UsageError(`--recipe ${path}: ${error.message}`);
  }
}

/** The rows of the whole table. */
const allNets = (): Net[] => [
  ofPreset("full", {}),
  ofPreset("slim", {}),
  {
    ...ofPreset("slim", { stemStride: 2, batchSize: 128 }),
    name: "slim, stem stride 2",
  },
  ofPreset("full", { model: "cls" }),
  ofPreset("slim", { model: "cls" }),
  ...Profile.options.map(ofProfile),
];

/**
 * The nets that the options name, `--size`, `--batch` and so on put in; the
 * full one where they name none.
 *
 * @throws UsageError for a file that is no recipe
 */
export async function netsOf(o: NetOptions): Promise<Net[]> {
  const nets: Net[] = [];
  if (o.recipe) nets.push(await ofFile(o.recipe));
  nets.push(...(o.profile ?? []).map((name) => ofProfile(Profile.parse(name))));
  if (o.all) nets.push(...allNets());
  if (nets.length === 0) nets.push(ofPreset(o.slim ? "slim" : "full", {}));
  return nets.map(({ name, recipe }) => {
    try {
      return {
        name: o.model === "cls" && !o.all ? `CLS ${name}` : name,
        recipe: parseRecipe({
          ...recipe,
          // As many steps as are timed must not change what is timed.
          lr: 1e-5,
          ...o.model && !o.all ? { model: o.model } : {},
          ...o.size ? { size: o.size } : {},
          ...o.batch ? { batchSize: o.batch } : {},
          ...o.precision ? { precision: o.precision } : {},
          weights: { file: "" },
        }),
      };
    } catch (error) {
      if (!(error instanceof RecipeError)) throw error;
      throw new UsageError(`${name}: ${error.message}`);
    }
  });
}

/** The fields by which a net or its step is none that PyTorch's twin has. */
export function unsharedFields(recipe: Recipe): string[] {
  const plain = recipes.slim as Record<string, unknown>;
  const costly = [
    ...["patches", "qkNorm", "layerScale", "seHead", "attentionDrop"],
    ...["projectionDrop", "pathDrop", "optimizer", "amsgrad", "accumulate"],
    ...["sam", "ema"],
  ];
  const other = costly.filter((name) =>
    JSON.stringify((recipe as Record<string, unknown>)[name]) !==
      JSON.stringify(plain[name])
  );
  return recipe.model === "meanPool" ? ["model", ...other] : other;
}
