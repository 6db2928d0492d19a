/** Four sizes of effort, and the training that each starts from. */
import { z } from "zod";
import type { StudyInput, TrainingPlan } from "../study/mod.ts";
import { type Recipe, recipes } from "../train/mod.ts";

/**
 * smoke: does it run? quick: synthetic faces, minutes. cpu: real FER2013 on
 * two cores, hours. paper: the published protocol on RAF-DB, for a GPU.
 */
export const Profile = z.enum(["smoke", "quick", "cpu", "paper"]);
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

/** The backbone that the study's long runs start from, in the working folder. */
export const pretrained: Partial<Recipe> = {
  weights: { file: "ir50_backbone.pth", allow: ["missing", "unexpected"] },
};

type Base = Pick<TrainingPlan, "recipe" | "limits" | "data"> & {
  data: NonNullable<TrainingPlan["data"]>;
  repeats: number;
};

const bases: Record<Profile, Base> = {
  smoke: {
    recipe: { ...narrow, size: 32, depth: 1, batchSize: 32, epochs: 1 },
    limits: { train: 64, validation: 42, test: 42 },
    data: { name: "synthetic" },
    repeats: 1,
  },
  quick: {
    recipe: { ...narrow, size: 32, depth: 2, batchSize: 32, epochs: 3 },
    limits: { train: 896, validation: 140, test: 420 },
    // Strong expressions: a net that small learns them in seconds.
    data: { name: "synthetic", faces: { intensity: [1, 1] } },
    repeats: 3,
  },
  cpu: {
    recipe: { ...narrow, batchSize: 128, epochs: 3 },
    limits: { train: 5120, validation: 800, test: 3589 },
    data: { name: "fer2013" },
    repeats: 3,
  },
  paper: {
    recipe: published,
    data: { name: "raf-db", split: { kind: "holdout", validation: 0.1 } },
    repeats: 3,
  },
};

/** Copies of what a profile starts from. */
export const baseOf = (profile: Profile): Base =>
  structuredClone(bases[profile]);

export interface TrainingStudy {
  /** Of its record. */
  name: string;
  /** Values, roles or ranges at the profile. */
  parameters: StudyInput["parameters"];
  search?: StudyInput["search"];
  /** Runs of each setting; the profile's without it. */
  repeats?: number;
  /** Fields that differ from the profile's start at every profile. */
  recipe?: Partial<Recipe>;
  /** Fields that differ at `paper` alone, such as the published epochs. */
  paper?: Partial<Recipe>;
}

/** A study of trainings at a profile. */
export function trainingPlan(
  profile: Profile,
  o: TrainingStudy,
): TrainingPlan {
  const { recipe, limits, data, repeats } = baseOf(profile);
  return {
    study: {
      name: o.name,
      direction: "maximize",
      metric: "test accuracy at the validation-chosen epoch",
      parameters: o.parameters,
      ...o.search ? { search: o.search } : {},
      repeats: o.repeats ?? repeats,
    },
    recipe: {
      ...recipe,
      ...o.recipe,
      ...profile === "paper" ? o.paper : {},
    },
    ...limits ? { limits } : {},
    data,
  };
}
