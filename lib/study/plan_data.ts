/** What a plan says about its data set, checked. */
import { z } from "zod";
import { type DataSource, FORMATS } from "../data/mod.ts";

const amount = z.number().positive();

/** Amounts of a split: a share below 1, or a number of images. */
const SplitSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("official") }),
  z.strictObject({
    kind: z.literal("holdout"),
    validation: amount.optional(),
    test: amount.optional(),
  }),
  z.strictObject({
    kind: z.literal("folds"),
    folds: z.int().min(3),
    fold: z.int().min(0),
  }),
]);

const share = z.number().min(0).max(1);

const FacesSchema = z.strictObject({
  balance: z.union([z.enum(["fer2013", "raf-db"]), z.record(z.string(), share)])
    .optional(),
  labelNoise: share.optional(),
  intensity: z.tuple([share, share]).optional(),
  occlusion: z.number().min(0).max(6).optional(),
});

/** The size is the recipe's, the numbers of images are the plan's limits. */
export type PlanData = Omit<
  DataSource,
  "size" | "channels" | "train" | "validation" | "test"
>;

export const PlanDataSchema: z.ZodType<PlanData> = z.strictObject({
  name: z.enum(["synthetic", "auto", ...FORMATS.map(({ name }) => name)]),
  seed: z.int().min(0).optional(),
  classes: z.literal([7, 8]).optional(),
  firstLabel: z.literal([0, 1]).optional(),
  votes: z.enum(["majority", "probability", "crossEntropy", "multiTarget"])
    .optional(),
  split: SplitSchema.optional(),
  copies: z.enum(["keep", "drop"]).optional(),
  part: z.strictObject({ of: z.int().min(1), take: z.int().min(0) }).optional(),
  onBad: z.enum(["stop", "skip"]).optional(),
  faces: FacesSchema.optional(),
});
