// The trials of a study in a folder, read as a report does.
import {
  openStore,
  recordsOf,
  recordsPath,
  type Store,
  type TrialRow,
} from "../../lib/study/mod.ts";

/** Uses the store of a folder's records, and closes it. */
export async function withStore<T>(
  dir: string,
  use: (store: Store) => Promise<T>,
): Promise<T> {
  const store = await openStore(recordsPath(dir));
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

/** All trials of the record of a study that was run last. */
export function trialsIn(dir: string, study: string): Promise<TrialRow[]> {
  return withStore(dir, async (store) => {
    const record = (await recordsOf(store, study)).at(-1)!;
    return await store.trials(record.studyId);
  });
}
