/** A data set by name, whole or as a seeded class-stratified subset. */
import { limited } from "./dataset.ts";
import { loadFer2013 } from "./fer2013.ts";
import { syntheticFaces } from "./synthetic.ts";
import { DataError } from "./types.ts";
import type { Dataset, DataSource } from "./types.ts";

/** What loadDataset takes. */
export interface LoadOptions extends DataSource {
  /** The data folder; needed for fer2013. */
  dir?: string;
  onBad?: "stop" | "skip";
  cacheDir?: string;
  onProgress?: (done: number, total: number) => void;
}

/**
 * Loads a data set by name.
 * @throws {DataError} unknown name, missing `dir`, or what the loader raises
 */
export async function loadDataset(o: LoadOptions): Promise<Dataset> {
  const { name, size, channels, seed, train, validation, test } = o;
  const source = { name, size, channels, seed, train, validation, test };
  return { ...await load(o), source };
}

async function load(o: LoadOptions): Promise<Dataset> {
  if (o.name === "synthetic") return syntheticFaces(o);
  if (o.name !== "fer2013") {
    throw new DataError(
      `unknown data set "${o.name}"; choose "synthetic" or "fer2013"`,
    );
  }
  if (o.dir === undefined) {
    throw new DataError(
      "fer2013 needs its folder; give dir, the folder that holds train/ and test/",
    );
  }
  const whole = await loadFer2013({ ...o, dir: o.dir });
  const { train, validation, test } = o;
  return limited(whole, { train, validation, test }, o.seed ?? 0);
}
