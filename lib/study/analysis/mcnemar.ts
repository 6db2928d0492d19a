/** McNemar's test of two settings' predictions on the same test images. */
import {
  discordantPairs,
  type McNemarTest,
  mcnemarTest,
} from "../../statistics/mod.ts";
import { StudyError } from "../definition.ts";
import type { Run } from "./rows.ts";
import { describe } from "./text.ts";

export interface McNemarResult {
  /** One test a pair of runs that both have predictions. */
  perPair: (McNemarTest & { block: string })[];
  /**
   * The pairs' counts summed. An image counts once a pair, as if pairs erred
   * independently: they do not, so its p is smaller than it should be.
   */
  pooled: McNemarTest;
}

/** 1 for each image that the run gets right, else 0. */
function marksOf(run: Run, truth: Uint8Array): number[] {
  const predicted = run.predictions!;
  if (predicted.length !== truth.length) {
    throw new StudyError(
      `McNemar: ${describe(run.params)}, repeat ${run.repeat} predicted ` +
        `${predicted.length} images, ${truth.length} have a true class: ` +
        "give the classes of the test split that it was trained with",
    );
  }
  return Array.from(truth, (label, i) => predicted[i] === label ? 1 : 0);
}

/**
 * The test for each pair of runs, and of all; null where no pair has both
 * predictions. In the counts b is where only the first of a pair is right.
 *
 * @param truth The true class per test image.
 * @throws StudyError where predictions are not as many as true classes.
 */
export function mcnemarOf(
  pairs: readonly { block: string; a: Run; b: Run }[],
  truth: Uint8Array,
): McNemarResult | null {
  const perPair = pairs.filter(({ a, b }) => a.predictions && b.predictions)
    .map(({ block, a, b }) => {
      const counts = discordantPairs(marksOf(a, truth), marksOf(b, truth));
      return { block, ...mcnemarTest(counts.b, counts.c) };
    });
  if (perPair.length === 0) return null;
  const sum = (of: "b" | "c") => perPair.reduce((s, test) => s + test[of], 0);
  return { perPair, pooled: mcnemarTest(sum("b"), sum("c")) };
}
