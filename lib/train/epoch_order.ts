/** The order of an epoch's samples, from the seed and the epoch alone. */
import { hash32, Random } from "../data/mod.ts";

/**
 * A permutation of 0 … n−1 (Fisher–Yates), the same on every machine and
 * independent of the epochs before.
 */
export function epochOrder(
  n: number,
  seed: number,
  epoch: number,
): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  new Random(hash32(seed, epoch)).shuffle(order);
  return order;
}

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

/**
 * `order` in pieces of `batchSize`, views of it; a shorter last one is left
 * out when `dropLast`.
 *
 * @throws RangeError when `batchSize` is not a whole number above 0.
 */
export function* batches(
  order: Uint32Array,
  batchSize: number,
  dropLast: boolean,
): Iterable<Uint32Array> {
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new RangeError(
      `batch size ${batchSize}: give a whole number from 1`,
    );
  }
  const end = dropLast ? order.length - order.length % batchSize : order.length;
  for (let at = 0; at < end; at += batchSize) {
    yield order.subarray(at, Math.min(at + batchSize, end));
  }
}
