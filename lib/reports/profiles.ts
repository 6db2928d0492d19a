/** Four sizes of effort, and the training that each starts from. */
import { z } from "zod";
import { StudyError, type TrainingPlan } from "../study/mod.ts";
import { type Recipe, recipes } from "../train/mod.ts";
import { publishedNoise } from "../rows/mod.ts";

/**
 * smoke: does it run? quick: synthetic faces, minutes. cpu: real FER2013 on
 * two cores, hours. paper: the published protocol on RAF-DB, for a GPU.
 */
const NAMES = ["smoke", "quick", "cpu", "paper"] as const;
export const Profile = z.enum(NAMES, {
  error: ({ input }) =>
    `"${input}" is no profile: use one of ${NAMES.join(", ")}`,
});
export type Profile = z.infer<typeof Profile>;

/** IR50 and ViT with an eighth of the widths and one unit a stage. */
const narrow: Recipe = {
  ...recipes.slim,
  widths: [8, 16, 32, 64],
  stemWidth: 8,
  layers: [1, 1, 1, 1],
  dim: 64,
  // Whatever the machine: its trials are compared with those on record.
  precision: "float32",
};

/**
 * What the published code did, where the notes say less: class-balanced
 * sampling, MixUp or CutMix on every batch with alpha 1, and Adam with a
 * coupled decay of 0.05 on all that has more than one dimension.
 */
const published: Recipe = {
  ...recipes.full,
  size: 224,
  stemStride: 2,
  sampler: "balanced",
  mixing: { kind: "mixup-or-cutmix", alpha: 1, pairing: "roll" },
  weightDecay: 0.05,
  weightDecayOn: "matrices",
};

/**
 * The slim net with a stem of stride 2: an epoch of half of FER2013 takes 11 s
 * on two cores. The notebook of the operating point chose it and its numbers.
 */
const small: Recipe = {
  ...recipes.slim,
  stemStride: 2,
  batchSize: 128,
  epochs: 8,
  lr: 1e-3,
  schedule: {
    kind: "warmupCosine",
    per: "step",
    warmup: 50,
    startFactor: 0.1,
    min: 0,
  },
  precision: "float32",
};

/** The backbones that the notes' long runs start from, and short runs of ours. */
const backbones: Partial<Record<Profile, Partial<Recipe>>> = {
  cpu: {
    weights: { file: "data/backbone-cpu.safetensors", allow: ["missing"] },
    epochs: 2,
    lr: 3e-4,
  },
  paper: {
    weights: { file: "ir50_backbone.pth", allow: ["missing", "unexpected"] },
    epochs: 60,
  },
};

/**
 * What a run from a pretrained backbone differs in from the profile's start;
 * nothing where faces are synthetic.
 */
export const pretrained = (profile: string): Partial<Recipe> =>
  structuredClone(backbones[parseProfile(profile)] ?? {});

/**
 * The sd of the difference of two paired runs, as a share, by what they start
 * from: of ours by notebook 16, of the notes' by their nominal repeats.
 */
export const pairSpread: Partial<
  Record<Profile, { random: number; pretrained: number }>
> = {
  cpu: { random: 0.0066, pretrained: 0.0045 },
  paper: {
    random: Math.SQRT2 * publishedNoise.scratch.sd,
    pretrained: Math.SQRT2 * publishedNoise.pretrained.sd,
  },
};

type Start = Pick<TrainingPlan, "limits"> & {
  recipe: Recipe;
  data: NonNullable<TrainingPlan["data"]>;
  /** Runs of each setting. */
  repeats: number;
};

const starts: Record<Profile, Start> = {
  smoke: {
    recipe: { ...narrow, size: 32, depth: 1, batchSize: 32, epochs: 1 },
    limits: { train: 64, validation: 42, test: 42 },
    data: { name: "synthetic" },
    repeats: 1,
  },
  quick: {
    recipe: {
      ...narrow,
      ...{ size: 32, depth: 2, batchSize: 32, evalBatchSize: 140, epochs: 3 },
    },
    limits: { train: 448, validation: 140, test: 280 },
    // Strong expressions, of which a net that small learns a little in seconds.
    data: { name: "synthetic", faces: { intensity: [1, 1] } },
    repeats: 3,
  },
  cpu: {
    recipe: small,
    // The other part trains the backbone; copies of held-out images train none.
    data: { name: "fer2013", copies: "drop", part: { of: 2, take: 1 } },
    repeats: 5,
  },
  paper: {
    recipe: published,
    data: { name: "raf-db", split: { kind: "holdout", validation: 0.1 } },
    repeats: 3,
  },
};

/** @throws StudyError for a profile that there is not */
function parseProfile(profile: string): Profile {
  const { data, error } = Profile.safeParse(profile);
  if (data) return data;
  throw new StudyError(`parameter profile: ${error!.issues[0].message}`);
}

/** A copy of what a profile starts from: recipe, images, data set, repeats. */
export const startOf = (profile: string): Start =>
  structuredClone(starts[parseProfile(profile)]);

/** What a notebook varies at one profile: lists by name, and what differs. */
export interface Grid {
  /** Runs of each setting, where not the profile's. */
  repeats?: number;
  /** Fields of the recipe that differ from the profile's start. */
  recipe?: Partial<Recipe>;
  /** Images a split, where not the profile's. */
  limits?: TrainingPlan["limits"];
  // deno-lint-ignore no-explicit-any
  [name: string]: any;
}

/** The entry of the profile at hand. @throws StudyError where there is none */
export function atProfile(
  profile: string,
  grids: Partial<Record<Profile, Grid>>,
): Grid {
  const grid = grids?.[parseProfile(profile)];
  if (grid) return grid;
  throw new StudyError(
    `parameter profile: this notebook has no grid for ${profile}: add one, ` +
      `or use ${Object.keys(grids ?? {}).join(", ")}`,
  );
}
