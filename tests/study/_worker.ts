// A process of its own that runs a study in a folder; tests start and kill it.
// "isolated": one endless trial in a process of its own; "training": a tiny
// training, each step printed; "points": twelve, each run noted.
import { join } from "node:path";
import { isolatedTrial } from "../../lib/study/isolated_trial.ts";
import { runStudy } from "../../lib/study/runner.ts";

const [dir, how] = Deno.args;
switch (how) {
  case "isolated": {
    const path = new URL("./_faults.ts", import.meta.url).pathname;
    await runStudy(
      { name: "faults", parameters: { what: ["endless"] } },
      isolatedTrial({ kind: "module", path }),
      { dir },
    );
    break;
  }
  case "training": {
    const { runTrainingStudy } = await import("../../lib/study/training.ts");
    const { tinyData, tinyRecipe } = await import("../train/_tiny.ts");
    const { seed: _, lr: _lr, ...recipe } = tinyRecipe({ epochs: 4 });
    await runTrainingStudy(
      { recipe, study: { name: "killed", parameters: { lr: [1e-3] } } },
      tinyData,
      {
        dir,
        onEvent(e) {
          if (e.type === "step") console.log(`step ${e.step}`);
        },
      },
    );
    break;
  }
  case "points":
    await runStudy(
      {
        name: "points",
        parameters: { x: Array.from({ length: 12 }, (_, x) => x) },
      },
      async ({ params }, { report }) => {
        const line = `${params.x} ${Deno.pid}\n`;
        Deno.writeTextFileSync(join(dir, "runs"), line, { append: true });
        await report({ epoch: 1, value: 0 });
        await new Promise((resolve) => setTimeout(resolve, 100));
        return { value: Number(params.x) };
      },
      { dir, wait: true },
    );
}
