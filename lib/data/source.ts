/** What may be said of a data set, checked: cells and plans have no types. */
import { z } from "zod";
import { dottedFrom, parsedBy } from "../faults/mod.ts";
import { FORMATS } from "./formats/mod.ts";
import { DataError, type DataSource } from "./types.ts";

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

/** What a plan says: the size is the recipe's, the numbers of images limits. */
const PlanFields = z.strictObject({
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

export type PlanData = Omit<
  DataSource,
  "size" | "channels" | "train" | "validation" | "test"
>;
export const PlanDataSchema: z.ZodType<PlanData> = PlanFields;

// Who uses a number says what its range is.
const number = z.number().optional();
const SourceSchema = PlanFields.extend({
  size: number,
  channels: z.literal([1, 3]).optional(),
  train: number,
  validation: number,
  test: number,
});

/** @throws DataError, one line, for fields or values that there are not */
export function checkSource(source: DataSource): void {
  const { faults } = parsedBy(SourceSchema, source, { dotted: dottedFrom() });
  if (faults) throw new DataError(`data set: ${faults.join("; ")}`);
}
