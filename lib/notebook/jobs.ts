/** Several tasks, a few at a time. */

/**
 * Calls `work` for all items, at most `limit` at once, and gives the results
 * in the items' order. After `stop` says so, no other item is begun.
 */
export async function inJobs<T, R>(
  items: T[],
  limit: number,
  work: (item: T) => Promise<R>,
  stop: () => boolean = () => false,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async () => {
    while (next < items.length && !stop()) {
      const i = next++;
      results[i] = await work(items[i]);
    }
  };
  await Promise.all(
    Array.from({ length: Math.min(limit, items.length) }, worker),
  );
  return results.filter((r) => r !== undefined);
}
