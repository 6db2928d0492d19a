/** Trains with a checkpoint and prints each epoch once it is saved. */
import { parseRecipe, train } from "../../lib/train/mod.ts";
import { tinyData } from "./_tiny.ts";

const [dir, recipe] = Deno.args;
const epochs = train(parseRecipe(JSON.parse(recipe)), tinyData, {
  checkpointDir: dir,
});
for await (const row of epochs) console.log(row.epoch);
