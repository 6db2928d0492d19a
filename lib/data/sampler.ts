/** Class-balanced sampling: every class is as frequent in an epoch. */
import { hash32, Random } from "./random.ts";

/**
 * `draws` image numbers with replacement, each image weighted by one over the
 * size of its class (torchsampler 0.1.2, `ImbalancedDatasetSampler`, which
 * draws as many as there are images). Seed and epoch alone decide; a class
 * without images is left out.
 *
 * @throws RangeError when there is nothing to draw from, or a label is not
 * among the classes.
 */
export function balancedOrder(
  labels: ArrayLike<number>,
  classes: number,
  draws: number,
  seed: number,
  epoch: number,
): Uint32Array {
  const members: number[][] = Array.from({ length: classes }, () => []);
  for (let i = 0; i < labels.length; i++) {
    const of = members[labels[i]];
    if (!of) {
      throw new RangeError(
        `image ${i} has label ${labels[i]}; give labels 0 to ${classes - 1}`,
      );
    }
    of.push(i);
  }
  const present = members.filter((of) => of.length > 0);
  if (present.length === 0) {
    throw new RangeError("there are no images to sample; give at least one");
  }
  const random = new Random(hash32(seed, epoch, 0x62616c));
  const pick = <T>(from: T[]): T =>
    from[Math.floor(random.next() * from.length)];
  return Uint32Array.from({ length: draws }, () => pick(pick(present)));
}
