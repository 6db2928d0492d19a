/** Results that the store did not take: kept as files, taken in later. */
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join, relative, resolve } from "node:path";
import { oneLine, RunEndedError } from "./errors.ts";
import { decodeJson, encodeJson } from "./store/encoding.ts";
import {
  type EpochReport,
  LostTrialError,
  type Outcome,
  type Store,
} from "./store/mod.ts";

interface Unsaved {
  /** Where it belongs: `placeOf` its store, and a study id. */
  store: string;
  studyId: number;
  trialId: number;
  key: string;
  outcome: Outcome;
  epochs: EpochReport[];
  /** Base64 by name. */
  artifacts: Record<string, string>;
}

/** A store's name, the same one after its folder was moved with `dir`. */
function placeOf(store: Store, dir: string): string {
  return store.kind === "sqlite"
    ? relative(resolve(dir), resolve(store.name))
    : store.name;
}

/**
 * Keeps how a trial ended as a file below `dir`; returns its path.
 *
 * @throws RunEndedError when it cannot be written
 */
export function keepUnsaved(
  { store, studyId, dir }: { store: Store; studyId: number; dir: string },
  { trialId, key }: { trialId: number; key: string },
  { outcome, epochs, artifacts }: {
    outcome: Outcome;
    epochs: EpochReport[];
    artifacts: ReadonlyMap<string, Uint8Array>;
  },
): string {
  const folder = join(dir, "unsaved");
  const file = join(folder, `${key}.json`);
  const kept: Unsaved = {
    store: placeOf(store, dir),
    studyId,
    trialId,
    key,
    outcome,
    epochs,
    artifacts: Object.fromEntries(
      [...artifacts].map(([name, bytes]) => [name, bytes.toBase64()]),
    ),
  };
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${file}.part`, encodeJson(kept));
    renameSync(`${file}.part`, file);
  } catch (error) {
    throw new RunEndedError(
      `${store.name} takes no results and ${file} cannot be written ` +
        `(${oneLine(error)}): make room and run the study again; ` +
        `the trial goes on from its checkpoint`,
    );
  }
  return file;
}

/** Reads a kept result; undefined when another process took it in. */
function read(file: string): Unsaved | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw error;
  }
  return decodeJson(text) as Unsaved;
}

/** Ends a kept result's trial as it ended, or the copy that waits for it. */
async function takeIn(store: Store, kept: Unsaved): Promise<void> {
  const end = async (trialId: number) => {
    if (kept.epochs.length) await store.report(trialId, kept.epochs);
    for (const [name, base64] of Object.entries(kept.artifacts)) {
      await store.saveArtifact(trialId, name, Uint8Array.fromBase64(base64));
    }
    await store.finish(trialId, kept.outcome);
  };
  try {
    await end(kept.trialId);
  } catch (error) {
    if (!(error instanceof LostTrialError)) throw error;
    const claim = await store.claim(kept.studyId, {
      keys: new Set([kept.key]),
    });
    if (claim) await end(claim.trialId);
  }
}

/**
 * Takes the kept results of a study into its record, each once; returns how
 * many. A trial that was given to another process meanwhile is ended there. A
 * file that cannot be read is left, and told.
 */
export async function takeUnsaved(
  store: Store,
  studyId: number,
  dir: string,
  onWarning: (message: string) => void,
): Promise<number> {
  let names: string[];
  try {
    names = readdirSync(join(dir, "unsaved"));
  } catch {
    return 0;
  }
  let taken = 0;
  for (const name of names.filter((n) => n.endsWith(".json"))) {
    const file = join(dir, "unsaved", name);
    let kept: Unsaved | undefined;
    try {
      kept = read(file);
    } catch (error) {
      onWarning(
        `${file}: cannot be read (${oneLine(error)}): remove it; its trial ` +
          `runs again`,
      );
    }
    if (kept?.store !== placeOf(store, dir) || kept.studyId !== studyId) {
      continue;
    }
    await takeIn(store, kept);
    rmSync(file, { force: true });
    taken++;
  }
  return taken;
}
