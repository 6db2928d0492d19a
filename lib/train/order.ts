/** The order of an epoch's samples, from the seed and the epoch alone. */

/** Uint32 draws: sfc32 (Chris Doty-Humphrey), its state from two integers. */
function generator(seed: number, epoch: number): () => number {
  let a = seed | 0, b = epoch | 0, c = 0x9e3779b9 | 0, counter = 1;
  const next = () => {
    const out = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21 | c >>> 11) + out) | 0;
    return out >>> 0;
  };
  // What the author runs to mix a fresh state.
  for (let i = 0; i < 15; i++) next();
  return next;
}

/**
 * A permutation of 0 … n−1 (Fisher–Yates), the same on every machine and
 * independent of the epochs before.
 */
export function epochOrder(
  n: number,
  seed: number,
  epoch: number,
): Uint32Array {
  const next = generator(seed, epoch);
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    // Uniform but for a bias below n/2³².
    const j = Math.floor(next() / 2 ** 32 * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
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
