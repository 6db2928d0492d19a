// An objective for trials in processes of their own: `how` says what to do.
import type { StudyInput, TrainTrial } from "../../lib/study/mod.ts";

export const study: StudyInput = {
  name: "how",
  parameters: { how: ["well", "prints", "throws", "NaN", "exit", "kill"] },
};

const objective: TrainTrial = async (point, context) => {
  await context.report({ epoch: 1, value: 0.25, attrs: { loss: 2 } });
  switch (point.params.how) {
    case "prints":
      console.log("a printed line");
      await Deno.stdout.write(new TextEncoder().encode("a written line\n"));
      break;
    case "throws":
      throw new Error("no such\nimage");
    case "NaN":
      return { value: NaN };
    case "exit":
      console.error("last words");
      Deno.exit(7);
      break;
    case "kill":
      Deno.kill(Deno.pid, "SIGKILL");
      await new Promise(() => setInterval(() => {}, 1000));
  }
  await context.saveArtifact("bytes", new Uint8Array([1, 2, 255]));
  return { value: point.seed % 1000, attrs: { pid: Deno.pid } };
};

export default objective;
