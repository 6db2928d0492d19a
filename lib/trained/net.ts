/** A trained net in a file: its weights with the recipe and classes they are of. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { inspect, toTorch } from "../nn/mod.ts";
import { modelOf } from "../models/mod.ts";
import {
  type About,
  aboutOf,
  elements,
  firstTen,
  match,
  modelTensors,
  readWeights,
  type StoredTensor,
  WeightsError,
} from "../weights/mod.ts";
import { NEWEST, parseRecipe, type Recipe, recipes } from "../train/mod.ts";

export interface TrainedNet {
  file: string;
  /** With the side of the images that it saw, in float32. */
  recipe: Recipe;
  /** By label; numbers where nothing names them. */
  classes: string[];
  channels: 1 | 3;
  /** Whether it has seen gray images alone, so that photos are made gray. */
  gray: boolean;
  /** Epochs that it was trained. */
  epoch?: number;
  /** The data set's name. */
  data?: string;
  /** Counts by [true class][predicted class] on the test split at that epoch. */
  confusion?: number[][];
  /** Parameters and statistics under PyTorch's names and in its layout. */
  tensors: Map<string, StoredTensor>;
  /** Whether `tensors` are the running mean of the training's weights. */
  averaged: boolean;
  /** What the file does not say, and what was taken instead, a line each. */
  notes: string[];
}

/** What a user may say of a file that does not say it. */
export interface TrainedOptions {
  /** The net's recipe, in place of the file's. */
  recipe?: Partial<Recipe>;
  /** The classes' names by label, in place of the file's. */
  classes?: readonly string[];
  /** The mapping of a PyTorch checkpoint, such as "model_ema". */
  key?: string;
  /**
   * The running mean of the weights of a training's checkpoint; by default
   * where the recipe keeps one, as the training judges that.
   */
  average?: boolean;
}

/** Of a recipe as it was recorded, the fields that are a recipe's today. */
const knownFields = (recipe: unknown) =>
  Object.fromEntries(
    Object.entries(recipe ?? {}).filter(([name]) => name in recipes.slim),
  );

/** The file's recipe, or the one that was given. @throws RecipeError */
function recipeFor(
  file: string,
  about: About,
  given: TrainedOptions["recipe"],
): Recipe {
  if (!given && !about.recipe) {
    throw new WeightsError(
      `${file}: does not say which net it is of: give the recipe (--recipe ` +
        `FILE), or take a checkpoint of a training`,
    );
  }
  const { size } = about.data ?? {};
  const parsed = given
    ? parseRecipe(given)
    : parseRecipe(knownFields(about.recipe));
  return { ...parsed, ...size && !given && { size }, precision: "float32" };
}

/** How many there are, and the first three by name; nothing for none. */
const listed = (what: string, names: readonly string[]) =>
  names.length > 0 &&
  `${names.length} ${what}: ${firstTen(names.slice(0, 3))}${
    names.length > 3 ? ", …" : ""
  }`;

/** The tensors of a recipe's net. @throws WeightsError for those of another */
function fitting(
  file: string,
  stored: ReadonlyMap<string, StoredTensor>,
  recipe: Recipe,
  channels: 1 | 3,
): Map<string, StoredTensor> {
  const { size } = recipe;
  const { parameters, buffers } = inspect(modelOf(recipe), [
    1,
    size,
    size,
    channels,
  ]);
  const wanted = [...parameters, ...buffers].map(({ name, shape, layout }) => ({
    name,
    // Only the shape is asked for.
    shape: toTorch(new Float32Array(0), shape, layout).shape,
  }));
  const refuse = (what: string): never => {
    throw new WeightsError(
      `${file}: is of another net than its recipe (${recipe.model}, depth ` +
        `${recipe.depth}, ${size} px, ${recipe.classes} classes): ${what}; ` +
        `give the recipe that it was trained by`,
    );
  };
  const { loaded, missing, unexpected, wrongShape } = match(stored, wanted, {
    allow: ["missing", "unexpected", "wrongShape"],
    source: file,
  });
  const shapes = wrongShape.map(({ name, stored, wanted }) =>
    `${name} [${stored}] for [${wanted}]`
  );
  const what = [
    listed("missing", missing),
    listed("unexpected", unexpected),
    listed("of another shape", shapes),
  ].filter(Boolean);
  if (what.length > 0) refuse(what.join("; "));
  const odd: string[] = [];
  for (const [name, tensor] of loaded) {
    const data = Float32Array.from(tensor.data as Iterable<number>, Number);
    if (!data.every(Number.isFinite)) odd.push(name);
    loaded.set(name, { dtype: "F32", shape: tensor.shape, data });
  }
  if (odd.length > 0) {
    throw new WeightsError(
      `${file}: ${odd.length} of ${loaded.size} tensors hold NaN or infinite ` +
        `values, so that the net answers nothing: ${firstTen(odd)}`,
    );
  }
  return loaded;
}

/** The file itself, or the newest checkpoint of a training's folder. */
function checkpointAt(path: string): string {
  const newest = join(path, NEWEST);
  return existsSync(newest) ? newest : path;
}

/**
 * The trained net of a file: a training's checkpoint (or its folder), what `deno task weights
 * convert` made of one, or any weights with the recipe given.
 *
 * @throws WeightsError, one line that names the file, where it cannot be read,
 * says no recipe, or holds another net or values that are none; RecipeError for
 * a recipe that is none
 */
export async function trainedNet(
  path: string,
  { recipe: given, classes, key, average }: TrainedOptions = {},
): Promise<TrainedNet> {
  const file = checkpointAt(path);
  const { tensors, metadata } = await readWeights(file, { key });
  const about = aboutOf(metadata);
  const { data } = about;
  const recipe = recipeFor(file, about, given);
  const isCheckpoint = "checkpoint" in metadata;
  const wantsMean = average ?? recipe.ema.decay > 0;
  const means = wantsMean ? modelTensors(tensors, { average: true }) : null;
  if (average && means?.size === 0) {
    throw new WeightsError(
      `${file}: holds no running mean of weights; leave out --average`,
    );
  }
  const own = means && means.size > 0
    ? means
    : isCheckpoint
    ? modelTensors(tensors)
    : tensors;
  const channels = data?.channels ?? channelsOf(own);
  const notes: string[] = [];
  if (!data && !classes) {
    notes.push(
      `${file}: names no classes, which are given by number; --classes names them`,
    );
  }
  const names = classes ?? data?.classes ??
    Array.from({ length: recipe.classes }, (_, i) => `class ${i}`);
  if (
    names.length !== recipe.classes || names.includes("") ||
    new Set(names).size < names.length
  ) {
    throw new WeightsError(
      `${file}: ${names.length} names (${firstTen([...names])}) for ` +
        `${recipe.classes} classes; give one of its own per class, by label`,
    );
  }
  const confusion = about.confusion?.length === recipe.classes
    ? about.confusion
    : undefined;
  if (!confusion) {
    notes.push(
      `${file}: has no confusion matrix, so that no class is marked as ` +
        `often confused`,
    );
  }
  return {
    file,
    recipe,
    classes: [...names],
    channels,
    gray: data?.gray ?? false,
    epoch: about.epoch,
    data: data?.name,
    confusion,
    averaged: own === means,
    tensors: fitting(file, own, recipe, channels),
    notes,
  };
}

/** The channels that the first convolution reads; 3 where none is found. */
function channelsOf(tensors: ReadonlyMap<string, StoredTensor>): 1 | 3 {
  for (const [name, { shape }] of tensors) {
    if (!/(^|\.)conv1\.weight$/.test(name) || shape.length !== 4) continue;
    return shape[1] === 1 && elements(shape) > 0 ? 1 : 3;
  }
  return 3;
}
