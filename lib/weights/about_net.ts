/** What a file of weights says of the net that they are of. */
import { z } from "zod";

/** What a net has seen: enough to give it pictures of other files. */
export const SeenData = z.object({
  name: z.string(),
  /** By label. */
  classes: z.array(z.string()),
  /** Side in pixels. */
  size: z.int().min(1),
  channels: z.literal([1, 3]),
  /** Whether all training images that were looked at are gray. */
  gray: z.boolean(),
});
export type SeenData = z.infer<typeof SeenData>;

/** Where converted files have what a checkpoint says. */
const ABOUT_NET = "ferlab.net";

/** What a file says of its net. */
export interface About {
  epoch?: number;
  recipe?: unknown;
  data?: SeenData;
  confusion?: number[][];
}

const isMatrix = (x: unknown): x is number[][] =>
  Array.isArray(x) && x.length > 0 &&
  x.every((row) =>
    Array.isArray(row) && row.length === x.length &&
    row.every((n) => typeof n === "number" && n >= 0)
  );

/** What the metadata of a file says of its net; nothing where it says none. */
export function aboutOf(metadata: Record<string, string>): About {
  let said: Record<string, unknown>;
  try {
    said = JSON.parse(metadata.checkpoint ?? metadata[ABOUT_NET] ?? "{}") ?? {};
  } catch {
    return {};
  }
  const { epoch, recipe, history } = said;
  const data = SeenData.safeParse(said.data);
  const confusion = Array.isArray(history)
    ? history.at(-1)?.test?.confusion
    : said.confusion;
  return {
    epoch: Number.isInteger(epoch) ? epoch as number : undefined,
    recipe: typeof recipe === "object" && recipe ? recipe : undefined,
    data: data.success ? data.data : undefined,
    confusion: isMatrix(confusion) ? confusion : undefined,
  };
}

/**
 * What a converted file takes over of the metadata of a checkpoint, so that it
 * can be used without more; none where that says no recipe. A confusion matrix
 * is of the weights that the training judges: of a running mean where it keeps
 * one, and left out for the others.
 */
export function aboutNet(
  metadata: Record<string, string>,
  { average = false } = {},
): Record<string, string> {
  const { confusion, ...about } = aboutOf(metadata);
  if (!about.recipe) return {};
  const { ema } = about.recipe as { ema?: { decay?: number } };
  const isJudged = average || !ema?.decay;
  return {
    [ABOUT_NET]: JSON.stringify(isJudged ? { ...about, confusion } : about),
  };
}
