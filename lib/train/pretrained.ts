/** Start values from a file of weights: PyTorch's or safetensors. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { fromTorch, type ModelState, toTorch } from "../nn/mod.ts";
import {
  match,
  type Matched,
  readWeights,
  type StoredTensor,
} from "../weights/mod.ts";
import type { Recipe } from "./recipe.ts";

export type Pretrained =
  & Pick<
    Matched<StoredTensor>,
    "missing" | "unexpected" | "wrongShape" | "renamed"
  >
  & {
    /** How many tensors of the model have the file's values now. */
    loaded: number;
    /** What the file has beside the weights, and was left alone; in words. */
    leftAlone: string[];
    /** SHA-256 (hex) of the file, an index's with its shards. */
    hash: string;
  };

/**
 * Where a recipe's weights lie: from the working folder or, where it has no
 * such file, from the project's root.
 */
export function weightsPath(file: string): string {
  const own = resolve(import.meta.dirname!, "../..", file);
  return file && !existsSync(file) && existsSync(own) ? own : file;
}

/**
 * Puts the tensors of `file` into `state`, under the model's names or under
 * those that are known to mean the same.
 *
 * @throws WeightsError, before anything is changed, for a file that cannot be
 * read or that does not fit in a way that `allow` does not list.
 */
export async function loadPretrained(
  state: ModelState,
  { file, allow }: Recipe["weights"],
): Promise<Pretrained> {
  const sum = createHash("sha256");
  const { tensors, standIns, leftOut } = await readWeights(weightsPath(file), {
    onFile: (bytes) => sum.update(bytes),
  });
  const entries = new Map([...state.parameters, ...state.buffers]);
  const wanted = Array.from(entries.values(), ({ info }) => ({
    name: info.name,
    // Only the shape is asked for.
    shape: toTorch(new Float32Array(0), info.shape, info.layout).shape,
  }));
  const { loaded, ...rest } = match(tensors, wanted, { allow, source: file });
  for (const [name, { data, shape }] of loaded) {
    const entry = entries.get(name)!;
    const values = Float32Array.from(data as Iterable<number>, Number);
    entry.data = fromTorch(values, shape, entry.info.layout).data;
  }
  const leftAlone = [
    ...standIns.map((name) => `objects of ${name}`),
    ...leftOut,
  ];
  return {
    ...rest,
    loaded: loaded.size,
    leftAlone,
    hash: sum.digest("hex"),
  };
}
