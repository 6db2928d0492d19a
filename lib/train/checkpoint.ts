/**
 * Checkpoints: the newest and the one before it, so that neither a kill nor a
 * damaged file loses more than one epoch.
 */
import { join } from "node:path";
import { z } from "zod";
import {
  cleanTemporary,
  readSafetensors,
  SafetensorsError,
  SeenData,
  type StoredTensor,
  writeSafetensors,
} from "../weights/mod.ts";

export type CheckpointTensor = StoredTensor;

export interface CheckpointMeta {
  /** Epochs done. */
  epoch: number;
  /** Optimizer steps done. */
  step: number;
  recipe: unknown;
  /** Missing in checkpoints of earlier versions. */
  data?: SeenData;
  /** One row an epoch. */
  history: unknown[];
}

export interface Checkpoint {
  tensors: Map<string, CheckpointTensor>;
  meta: CheckpointMeta;
}

/** No checkpoint of a folder can be used; the message is one line. */
export class CheckpointError extends Error {
  override name = "CheckpointError";
}

export const NEWEST = "checkpoint.safetensors";
const PREVIOUS = "checkpoint.previous.safetensors";
const DAMAGED = "checkpoint.damaged.safetensors";

const Meta = z.object({
  epoch: z.int().min(0),
  step: z.int().min(0),
  recipe: z.unknown(),
  data: SeenData.optional().catch(undefined),
  history: z.array(z.unknown()),
});

/** JSON has no NaN and no infinities, which a history may hold. */
const NUMBER = "$number";

function encode(meta: CheckpointMeta): string {
  return JSON.stringify(
    meta,
    (_, value) =>
      typeof value === "number" && !Number.isFinite(value)
        ? { [NUMBER]: String(value) }
        : value,
  );
}

function decode(text: string): CheckpointMeta {
  return Meta.parse(
    JSON.parse(
      text,
      (_, value) =>
        typeof value?.[NUMBER] === "string" ? Number(value[NUMBER]) : value,
    ),
  );
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await Deno.rename(from, to);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** One file, or why it cannot be used. */
async function read(
  path: string,
): Promise<Checkpoint | { missing: boolean; why: string }> {
  try {
    const { tensors, metadata } = await readSafetensors(path);
    try {
      return { tensors, meta: decode(metadata.checkpoint) };
    } catch {
      return { missing: false, why: `${path}: holds no training state` };
    }
  } catch (error) {
    if (!(error instanceof SafetensorsError)) throw error;
    return { missing: error.missing, why: error.message };
  }
}

/**
 * Saves into `dir` (made if need be) as `checkpoint.safetensors`; what had
 * that name becomes `checkpoint.previous.safetensors`. The new file is on the
 * disk before either name changes. One writer a folder.
 */
export async function saveCheckpoint(
  dir: string,
  { tensors, meta }: Checkpoint,
): Promise<void> {
  await Deno.mkdir(dir, { recursive: true });
  await cleanTemporary(dir);
  const newest = join(dir, NEWEST);
  await writeSafetensors(newest, tensors, { checkpoint: encode(meta) }, {
    beforeRename: () => renameIfThere(newest, join(dir, PREVIOUS)),
  });
}

/**
 * The newest checkpoint of `dir` that is whole, or null where there is none.
 *
 * A newest one that is missing (a kill between the two renames) or damaged
 * costs one epoch: the previous one is given, with a one-line `warning`. The
 * damaged file is set aside as `checkpoint.damaged.safetensors`, so that the
 * next save does not put it over the good one. Where nothing is whole, nothing
 * is touched and the error says what to remove: starting anew would in the end
 * overwrite what might still be saved by hand.
 *
 * @throws CheckpointError when there are checkpoints and none is whole.
 */
export async function loadCheckpoint(
  dir: string,
): Promise<Checkpoint & { warning?: string } | null> {
  const path = join(dir, NEWEST);
  const newest = await read(path);
  if ("meta" in newest) return newest;
  const previous = await read(join(dir, PREVIOUS));
  if ("meta" in previous) {
    if (!newest.missing) {
      // A reader without the right to rename loses nothing by it.
      await renameIfThere(path, join(dir, DAMAGED)).catch(() => {});
    }
    return {
      ...previous,
      warning:
        `${newest.why}: continuing from ${PREVIOUS}, epoch ${previous.meta.epoch}`,
    };
  }
  if (newest.missing && previous.missing) return null;
  const whys = [newest, previous].filter((x) => !x.missing).map((x) => x.why);
  throw new CheckpointError(
    `no whole checkpoint (${
      whys.join("; ")
    }): move the files away to start anew`,
  );
}
