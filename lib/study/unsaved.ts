/** Results that the store did not take: kept as files, taken in later. */
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";

import { join } from "node:path";
import { decodeJson, encodeJson } from "./store/encoding.ts";
import {
  type EpochReport,
  LostTrialError,
  type Outcome,
  type Store,
} from "./store/mod.ts";

interface Unsaved {
  /** Where it belongs: a store's name without password, and a study id. */
  store: string;
  studyId: number;
  trialId: number;
  key: string;
  outcome: Outcome;
  epochs: EpochReport[];
}

/** Keeps how a trial ended as a file below `dir`; returns its path. */
export function keepUnsaved(
  { store, studyId, dir }: { store: Store; studyId: number; dir: string },
  { trialId, key }: { trialId: number; key: string },
  ended: Pick<Unsaved, "outcome" | "epochs">,
): string {
  const folder = join(dir, "unsaved");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${key}.json`);
  const kept: Unsaved = {
    store: store.name,
    studyId,
    trialId,
    key,
    ...ended,
  };
  writeFileSync(file, encodeJson(kept));
  return file;
}

/**
 * Takes the kept results of a study into its record, each once; returns how
 * many. A trial that was given to another process meanwhile is ended there.
 */
export async function takeUnsaved(
  store: Store,
  studyId: number,
  dir: string,
): Promise<number> {
  let names: string[];
  try {
    names = readdirSync(join(dir, "unsaved")).filter((n) =>
      n.endsWith(".json")
    );
  } catch {
    return 0;
  }
  let taken = 0;
  for (const name of names) {
    const file = join(dir, "unsaved", name);
    const kept = decodeJson(readFileSync(file, "utf8")) as Unsaved;
    if (kept.store !== store.name || kept.studyId !== studyId) continue;
    const end = async (trialId: number) => {
      if (kept.epochs.length) await store.report(trialId, kept.epochs);
      await store.finish(trialId, kept.outcome);
    };
    try {
      await end(kept.trialId);
    } catch (error) {
      if (!(error instanceof LostTrialError)) throw error;
      const claim = await store.claim(studyId, { keys: new Set([kept.key]) });
      if (claim) await end(claim.trialId);
    }
    rmSync(file);
    taken++;
  }
  return taken;
}
