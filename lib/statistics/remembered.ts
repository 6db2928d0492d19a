/** Values of functions that are asked for the same few again and again. */

const MOST_KNOWN = 10_000;

/** What is known under `key`, else what `make` gives, which is kept. */
export function remembered<K>(
  known: Map<K, number>,
  key: K,
  make: () => number,
): number {
  const before = known.get(key);
  if (before !== undefined) return before;
  if (known.size >= MOST_KNOWN) known.clear();
  const value = make();
  known.set(key, value);
  return value;
}
