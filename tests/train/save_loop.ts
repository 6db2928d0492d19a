/** Saves checkpoints without end and prints each epoch once it is saved. */
import { saveCheckpoint } from "../../lib/train/checkpoint.ts";

const [dir, from] = Deno.args;
for (let epoch = Number(from);; epoch++) {
  const data = new Float32Array(1 << 20).fill(epoch);
  await saveCheckpoint(dir, {
    tensors: new Map([["w", { dtype: "F32", shape: [data.length], data }]]),
    meta: { epoch, step: 10 * epoch, recipe: {}, history: [epoch] },
  });
  console.log(epoch);
}
