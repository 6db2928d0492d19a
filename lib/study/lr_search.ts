/** The learning-rate search at four sizes of effort. */
import { z } from "zod";
import { type Recipe, recipes } from "../train/mod.ts";
import type { TrainingPlan } from "./plan.ts";

export const Profile = z.enum(["smoke", "quick", "cpu", "paper"]);
export type Profile = z.infer<typeof Profile>;

/** The slim net with half of its widths and units, for a look in seconds. */
const tiny: Recipe = {
  ...recipes.slim,
  size: 32,
  widths: [8, 16, 32, 64],
  stemWidth: 8,
  layers: [1, 1, 1, 1],
  dim: 64,
};

const halfDecades = [3.16e-5, 1e-4, 3.16e-4, 1e-3, 3.16e-3, 1e-2];

/**
 * What the search trains at `profile`. "paper" is the published protocol
 * (full net, batch 256, 10 epochs, LR 1e-1…1e-7, depths 4, 6, 8); the smaller
 * ones keep its question and shrink net, data, grid and epochs.
 */
export function lrSearch(profile: Profile): TrainingPlan {
  const study = (depth: number[], lr: number[], repeats = 1) => ({
    name: "lr-search",
    direction: "maximize" as const,
    metric: "test accuracy at the validation-chosen epoch",
    parameters: { depth, lr },
    repeats,
  });
  switch (profile) {
    case "smoke":
      return {
        limits: { train: 128, validation: 64, test: 64 },
        recipe: { ...tiny, batchSize: 32, epochs: 1 },
        study: study([1], [1e-4, 1e-2]),
      };
    case "quick":
      return {
        limits: { train: 2560, validation: 384, test: 768 },
        recipe: { ...tiny, batchSize: 32, epochs: 4 },
        study: study([2, 4], halfDecades.slice(2)),
      };
    case "cpu":
      return {
        limits: { train: 5000, validation: 1500, test: 3589 },
        recipe: { ...recipes.slim, batchSize: 64, epochs: 5 },
        study: study([2, 4, 8], halfDecades.slice(0, 5)),
      };
    case "paper":
      return {
        recipe: { ...recipes.full, batchSize: 256, epochs: 10 },
        study: study([4, 6, 8], [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7], 3),
      };
  }
}
