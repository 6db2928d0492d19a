/** Which classes a net takes for which, by its confusion matrix. */

/** A class that is often meant where a net says another. */
export interface Confused {
  label: number;
  /** Of the test images that the net called so. */
  share: number;
}

/** Share of a class's answers from which another class is told beside it. */
const OFTEN = 0.1;

/**
 * How many test images the net called `label`, and the other classes that at
 * least a tenth of them were of, the most frequent first. None without a
 * confusion matrix, which has counts by [true class][predicted class].
 */
export function confusedWith(
  { confusion }: { confusion?: readonly (readonly number[])[] },
  label: number,
): { images: number; classes: Confused[] } {
  const column = confusion?.map((row) => row[label]) ?? [];
  const images = column.reduce((a, b) => a + b, 0);
  const classes = column
    .map((count, i) => ({ label: i, share: count / images }))
    .filter((c) => c.label !== label && c.share >= OFTEN)
    .sort((a, b) => b.share - a.share);
  return { images, classes };
}
