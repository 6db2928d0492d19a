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
