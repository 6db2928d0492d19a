// A process of its own that runs a small study; the tests start and kill it.
// Arguments: folder, and "hang" to stop for ever in epoch 2 of trial 2, or
// "wait" to wait in the first trial for a line on stdin.
import { runStudy } from "../../lib/study/mod.ts";

const [dir, mode] = Deno.args;
let started = 0;
const summary = await runStudy(
  { name: "grid", grid: { lr: [0.1, 0.01, 0.001, 0.0001], depth: [1, 2, 4] } },
  async (point, { report, number }) => {
    started++;
    console.log(`start ${number}`);
    if (mode === "wait" && started === 1) {
      await Deno.stdin.read(new Uint8Array(1));
    }
    for (let epoch = 0; epoch < 3; epoch++) {
      report({ epoch, value: Number(point.params.lr) + epoch });
      if (mode === "hang" && started === 2 && epoch === 1) {
        console.log("hanging");
        await new Promise(() => setInterval(() => {}, 1000));
      }
      await Promise.resolve();
    }
    return { value: Number(point.params.lr) * Number(point.params.depth) };
  },
  { dir },
);
console.log(JSON.stringify(summary));
