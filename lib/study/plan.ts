/** A study of trainings: its recipe, data and objective, as plain data. */
import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { z } from "zod";
import { type Dataset, type PlanData, PlanDataSchema } from "../data/mod.ts";
import { atMost, dottedFrom, parsedBy } from "../faults/mod.ts";
import {
  formerPrecision,
  parseRecipe,
  type Recipe,
  RecipeError,
  recipes,
  weightsPath,
} from "../train/mod.ts";
import {
  canonical,
  isObject,
  type Params,
  type ParamValue,
  parseStudy,
  type Study,
  type StudyInput,
} from "./definition.ts";
import { StudyError } from "./errors.ts";
import { differences, identityOf, repeatSeed } from "./identity.ts";
import { sampledSettings, settingsOf, spacesOf } from "./points.ts";
import { randomPoint } from "./search/random_search.ts";
import type { StudyRow } from "./store/mod.ts";

const ObjectiveSchema = z.strictObject({
  metric: z.enum(["accuracy", "balancedAccuracy", "macroF1"])
    .default("accuracy"),
  /**
   * Of which a trial's value is taken. A search that learns from values (TPE)
   * takes validation, or it would tune on the test split; else test.
   */
  split: z.enum(["validation", "test"]).optional(),
  /**
   * Which epoch counts: the best by validation, the last, or (optimistic, what
   * the notes published) the best on test.
   */
  epoch: z.enum(["validation", "last", "testMaximum"]).default("validation"),
});

export type Objective = Required<z.output<typeof ObjectiveSchema>>;

const images = z.int().min(1);

const PlanSchema = z.strictObject({
  study: z.record(z.string(), z.unknown()),
  recipe: z.record(z.string(), z.unknown()),
  limits: z.strictObject({ train: images, validation: images, test: images })
    .optional(),
  objective: ObjectiveSchema.optional(),
  data: PlanDataSchema.optional(),
});

/** A study with all that its trials share. */
export interface TrainingPlan {
  study: StudyInput;
  /** Fields of the recipe that no parameter varies; `size` is the data's. */
  recipe: Partial<Recipe> & Pick<Recipe, "size">;
  /** Images a split; without it all. */
  limits?: { train: number; validation: number; test: number };
  objective?: z.input<typeof ObjectiveSchema>;
  /** Which data set, where the plan itself says so. */
  data?: PlanData;
}

/** A plan whose study is checked and whose objective is complete. */
export interface CheckedPlan extends Omit<TrainingPlan, "study" | "objective"> {
  study: Study;
  objective: Objective;
}

/** Objects are merged field by field; another `kind` takes no fields over. */
function completed(value: unknown, defaults: unknown): unknown {
  if (value === undefined) return defaults;
  if (!isObject(value) || !isObject(defaults)) return value;
  if (value.kind !== defaults.kind) return value;
  return Object.fromEntries(
    Object.keys({ ...defaults, ...value })
      .map((key) => [key, completed(value[key], defaults[key])]),
  );
}

/** A copy of `recipe` with the value at a dotted path, as `betas.0`. */
function withPath(
  recipe: Record<string, unknown>,
  path: string,
  value: ParamValue | undefined,
): Record<string, unknown> {
  const [head, ...rest] = path.split(".");
  const copy: Record<string, unknown> = { ...recipe };
  if (rest.length === 0) {
    if (value === undefined) delete copy[head];
    else copy[head] = value;
    return copy;
  }
  // Of own fields alone, as __proto__ leads to those of all objects.
  const field = (of: unknown, key: string) =>
    Object.hasOwn(of ?? {}, key)
      ? (of as Record<string, unknown>)[key]
      : undefined;
  const inner = structuredClone(
    field(recipe, head) ?? field(recipes.slim, head),
  );
  let at = inner as Record<string, unknown>;
  for (const key of rest.slice(0, -1)) at = field(at, key) as typeof at;
  const last = rest.at(-1)!;
  const isPlace = Array.isArray(at)
    ? /^\d{1,3}$/.test(last)
    : typeof at === "object" && at !== null;
  if (!isPlace) {
    throw new StudyError(
      `parameters.${path}: the recipe has no such field: ` +
        `lab.recipeTable() lists all`,
    );
  }
  // A varied place of a list stays, so that the others keep theirs.
  if (value === undefined && !Array.isArray(at)) delete at[last];
  else at[last] = value ?? null;
  copy[head] = inner;
  return copy;
}

/** The recipe of one setting and seed: the plan's fields, then the setting's. */
export function recipeOf(
  plan: Pick<TrainingPlan, "recipe">,
  { params, seed }: { params: Params; seed: number },
): Recipe {
  let recipe: Record<string, unknown> = { ...plan.recipe };
  for (const [path, value] of Object.entries(params)) {
    recipe = withPath(recipe, path, value);
  }
  return parseRecipe({ ...recipe, seed });
}

/**
 * A plan, checked as a whole: the study, the objective and the recipe of every
 * setting that is known before the run.
 *
 * @throws StudyError or, where only recipes are unsound, RecipeError: a line a
 * fault
 */
export function parsePlan(input: unknown): CheckedPlan {
  const faults: Error[] = [];
  const told = <T>(work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      const isFault = error instanceof StudyError ||
        error instanceof RecipeError;
      if (!isFault) throw error;
      faults.push(error);
    }
  };
  const { data: own, faults: odd = [] } = parsedBy(PlanSchema, input, {
    dotted: dottedFrom("plan"),
  });
  // Study and recipe tell their own.
  const above = atMost(odd.filter((f) => !/^plan\.(study|recipe)\./.test(f)));
  if (above.length > 0) faults.push(new StudyError(above.join("\n")));
  const plan = Object(own ?? input) as TrainingPlan;
  const metric = "test accuracy at the validation-chosen epoch";
  const study = isObject(plan.study) &&
    told(() => parseStudy({ metric, ...plan.study }));
  if (study && own) told(() => checkSettings(plan, study));
  else if (isObject(plan.recipe)) told(() => parseRecipe(plan.recipe));
  if (study && own && faults.length === 0) {
    const { metric, split, epoch } = ObjectiveSchema.parse(
      plan.objective ?? {},
    );
    const objective = {
      metric,
      epoch,
      split: split ?? (sampledSettings(study) ? "validation" : "test"),
    };
    return { ...plan, study, objective };
  }
  const isRecipe = faults.every((error) => error instanceof RecipeError);
  throw new (isRecipe ? RecipeError : StudyError)(
    faults.map((error) => error.message).join("\n"),
  );
}

/** @throws RecipeError: each fault, with its settings where others lack it */
function checkSettings(plan: TrainingPlan, study: Study): void {
  const settings = [...extremes(study), ...someSettings(study)];
  if ("seed" in settings[0]) {
    throw new StudyError(
      `study "${study.name}": parameters.seed: a repeat's seed is given by ` +
        `its number: leave it out, and give repeats`,
    );
  }
  const seed = repeatSeed(study.seed, 0);
  /** Of each field that is unsound somewhere its first fault, and where. */
  const unsound = new Map<string, { fault: string; all: Set<string> }>();
  for (const params of settings) {
    try {
      recipeOf(plan, { params, seed });
    } catch (error) {
      if (!(error instanceof RecipeError)) throw error;
      const own = Object.entries(params).map(([name, v]) => `${name} ${v}`);
      for (const fault of error.message.split("\n")) {
        const [field] = fault.split(": ", 1);
        const known = unsound.get(field) ?? { fault, all: new Set() };
        known.all.add(own.join(", "));
        unsound.set(field, known);
      }
    }
  }
  if (unsound.size === 0) return;
  const lines = [...unsound.values()].map(({ fault, all }) => {
    const named = [...all].slice(0, 4).join("; ");
    const more = all.size > 4 ? `; and ${all.size - 4} more` : "";
    const of = all.size === 1 ? "setting" : `${all.size} settings`;
    return named === "" || all.size === settings.length
      ? fault
      : `${fault} (${of} ${named}${more})`;
  });
  throw new RecipeError(atMost(lines).join("\n"));
}

/** Where results choose the settings: a first one with each end of each range. */
function extremes(study: Study): Params[] {
  const [start] = someSettings(study);
  if (settingsOf(study)) return [];
  return Object.entries(study.parameters).flatMap(([name, parameter]) => {
    const ends = "values" in parameter
      ? parameter.values
      : [parameter.low, parameter.high];
    return ends.map((value) => ({ ...start, [name]: value }));
  });
}

/** All settings known before the run, or the first random one. */
function someSettings(study: Study): Params[] {
  return settingsOf(study) ?? [randomPoint(spacesOf(study), study.seed, 0)];
}

/** The setting that stands for a study where one must. */
export const firstSetting = (study: Study): Params => someSettings(study)[0];

/** A recipe's fields that no parameter varies and that are no seed. */
function fixedRecipe(recipe: Record<string, unknown>, names: string[]) {
  return names.reduce(
    (left, path) => withPath(left, path, undefined),
    withPath(recipe, "seed", undefined),
  );
}

/** Of weights files by name, size and dates: each is read once. */
const hashes = new Map<string, string>();

/** SHA-256 (hex) of the weights that a recipe starts from, if it names any. */
function weightsHash({ weights: { file } }: Recipe): string | undefined {
  if (!file) return undefined;
  try {
    const path = weightsPath(file);
    const { ino, size, mtime, ctime } = Deno.statSync(path);
    const key = [resolve(path), ino, size, +mtime!, +ctime!].join(" ");
    const hash = hashes.get(key) ??
      createHash("sha256").update(Deno.readFileSync(path)).digest("hex");
    hashes.set(key, hash);
    return hash;
  } catch {
    return undefined; // the training says what is wrong with it
  }
}

/**
 * The fixed settings of a plan on its data: what makes its study the same. Of
 * pretrained weights that is what is in the file, beside its name.
 */
export function fixedOf(
  plan: CheckedPlan,
  data: Pick<Dataset, "name" | "hash">,
): Record<string, unknown> {
  const params = firstSetting(plan.study);
  const recipe = recipeOf(plan, { params, seed: 0 });
  const weights = weightsHash(recipe);
  return {
    ...plan.study.fixed,
    data: data.name,
    dataHash: data.hash,
    ...weights ? { weightsHash: weights } : {},
    objective: plan.objective,
    recipe: fixedRecipe(recipe, Object.keys(params)),
  };
}

/**
 * Gives an older record's recipe the fields that were added since, and the
 * precision that its "auto" stood for.
 */
export function completeFixed(
  names: string[],
): (fixed: Record<string, unknown>) => Record<string, unknown> {
  return (fixed) => {
    const defaults = fixedRecipe(recipes.slim, names);
    const recipe = completed(fixed.recipe, defaults) as Partial<Recipe>;
    const precision = formerPrecision(recipe);
    return { ...fixed, recipe: precision ? { ...recipe, precision } : recipe };
  };
}

/** What a plan says of its data beside name and split; seed 0 is none. */
const DATA_FIELDS = [
  ...["seed", "classes", "firstLabel", "votes", "faces", "copies"] as const,
  ...["part", "onBad"] as const,
];

/**
 * Whether a record is of this plan, by what can be told before its data are
 * read: the recipe, the data set's name and options, the images a split. A
 * record that another tool made is anybody's.
 */
export function isRecordOf(input: TrainingPlan): (row: StudyRow) => boolean {
  const plan = parsePlan(input);
  const params = firstSetting(plan.study);
  const complete = completeFixed(Object.keys(params));
  const { precision } = recipeOf(plan, { params, seed: 0 });
  const { data, limits } = plan;
  const known = (fixed: Record<string, unknown>) => {
    const { dataHash: _, data: name, ...rest } = fixed;
    return data?.name === "auto" ? rest : { ...rest, data: name };
  };
  const wanted = known(fixedOf(plan, { name: data?.name ?? "", hash: "" }));
  const same = (a: unknown, b: unknown) =>
    canonical(a || null) === canonical(b || null);
  return (row) => {
    const identity = identityOf(row);
    if (!identity) return true;
    const theirs = (row.attrs.plan ?? {}) as Partial<CheckedPlan> & {
      source?: PlanData;
    };
    return differences(known(complete(identity.fixed)), wanted).every((d) =>
      d.path === "recipe.precision" && precision === "auto"
    ) && same(theirs.limits, limits) &&
      (!data || !theirs.source ||
        DATA_FIELDS.every((field) =>
          same(theirs.source?.[field], data[field])
        ));
  };
}
