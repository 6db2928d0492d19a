/** Trains with a checkpoint and prints each epoch once it is saved. */
import { train } from "../../lib/train/mod.ts";
import { tinyData, tinyRecipe } from "./_tiny.ts";

const [dir, epochs] = Deno.args;
const recipe = tinyRecipe({ epochs: Number(epochs) });
for await (const row of train(recipe, tinyData, { checkpointDir: dir })) {
  console.log(row.epoch);
}
