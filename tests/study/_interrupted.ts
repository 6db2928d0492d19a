// An objective of six points for Ctrl-C: three epochs, from its checkpoint.
// Each epoch is noted in the folder that FERLAB_TEST_DIR names.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { StudyInput, TrainTrial } from "../../lib/study/mod.ts";

export const study: StudyInput = {
  name: "interrupted",
  parameters: { x: [1, 2, 3, 4, 5, 6] },
};

const objective: TrainTrial = async ({ params }, context) => {
  const file = join(context.checkpointDir, "epoch");
  const log = join(Deno.env.get("FERLAB_TEST_DIR")!, "epochs");
  const saved = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
  for (let epoch = saved + 1; epoch <= 3; epoch++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    context.signal.throwIfAborted();
    writeFileSync(file, String(epoch));
    writeFileSync(log, `${params.x} ${Deno.pid}\n`, { flag: "a" });
    await context.report({ epoch, value: epoch });
  }
  return { value: Number(params.x) };
};

export default objective;
