/** Whether the same seed gives the same numbers: tiny trainings, run twice. */
import { syntheticFaces } from "../data/mod.ts";
import { parseRecipe, train } from "../train/mod.ts";
import { type Shown, table } from "./show.ts";

/** The SHA-256 of all that a training reports but its times, and its loss. */
async function trained(seed: number): Promise<{ hash: string; loss: number }> {
  const size = 16;
  const data = await syntheticFaces({
    size,
    train: 64,
    validation: 14,
    test: 14,
    seed: 1,
  });
  const recipe = parseRecipe({
    size,
    widths: [4, 4, 8, 8],
    stemWidth: 4,
    layers: [1, 1, 1, 1],
    depth: 1,
    dim: 8,
    heads: 2,
    batchSize: 16,
    epochs: 2,
    lr: 1e-3,
    seed,
  });
  const rows = [];
  for await (const row of train(recipe, data)) {
    rows.push({ ...row, seconds: 0, imagesPerSecond: 0 });
  }
  const text = new TextEncoder().encode(JSON.stringify(rows));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", text));
  return { hash: digest.toHex(), loss: rows.at(-1)!.trainLoss };
}

/** Two trainings of one seed, and one of another; a few seconds. */
export async function trainedTwice(): Promise<
  { seed: number; hash: string; loss: number }[]
> {
  const runs = [];
  for (const seed of [7, 7, 8]) runs.push({ seed, ...await trained(seed) });
  return runs;
}

/** The same as a table: equal hashes are equal in every bit. */
export async function determinismTable(): Promise<Shown> {
  const runs = await trainedTwice();
  return table(runs.map(({ seed, hash, loss }, i) => ({
    run: i + 1,
    seed,
    "training loss, last epoch": loss,
    "SHA-256 of losses, gradients and test results": `${hash.slice(0, 16)}…`,
    "same as run 1": hash === runs[0].hash ? "yes, in every bit" : "no",
  })));
}
