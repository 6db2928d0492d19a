/** Work that takes time: a few pieces at once, none waited for without end. */

/** What `work` gives; `otherwise` when that takes longer than `ms`. */
export async function withinTime<T, U = undefined>(
  ms: number,
  work: Promise<T>,
  otherwise?: U,
): Promise<T | U> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<T | U>((r) =>
    timer = setTimeout(() => r(otherwise as U), ms)
  );
  return await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** Does `work` in turn, so that what an earlier call leaves never comes last. */
export function inTurn(work: () => Promise<void>): () => Promise<void> {
  let last = Promise.resolve();
  return () => {
    const done = last.then(work);
    last = done.catch(() => {});
    return done;
  };
}

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
