/** What a recipe's net costs, by all conventions at once. */
import { modelOf } from "../models/mod.ts";
import { type Convention, CONVENTIONS } from "./conventions.ts";
import { count, flops, parameters } from "./count.ts";
import { inferenceMemory, trainingMemory } from "./memory_fit.ts";

/** Costs of a net; operations are of one image. */
export interface Cost extends Record<Convention, number> {
  /** Trained values, and those of them that thop sees. */
  parameters: number;
  thopParameters: number;
  /** Estimates for the batch, in bytes. */
  trainingMemory: number;
  inferenceMemory: number;
}

/** Counts a recipe's net on `batch` images of its size; nothing is computed. */
export function costOf(
  recipe: Parameters<typeof modelOf>[0] & { size: number },
  { batch = 1 } = {},
): Cost {
  const { size } = recipe;
  const counted = count(modelOf(recipe), [size, size, 3], { batch });
  const operations = (Object.keys(CONVENTIONS) as Convention[])
    .map((by) => [by, flops(counted, by).total / batch]);
  return {
    ...Object.fromEntries(operations) as Record<Convention, number>,
    parameters: counted.parameters,
    thopParameters: parameters(counted, "thop").total,
    trainingMemory: trainingMemory(counted),
    inferenceMemory: inferenceMemory(counted),
  };
}
