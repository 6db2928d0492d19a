// The objective of many workers: x → x, each run noted in a file. The first
// run of some points waits to be killed or frozen; FERLAB_TEST_DIR tells where.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { StudyInput, TrainTrial } from "../../lib/study/mod.ts";

const dir = Deno.env.get("FERLAB_TEST_DIR")!;
const points = Number(Deno.env.get("FERLAB_TEST_POINTS"));

/** Points whose first run waits, and what for. */
export const WAITS: Record<number, "kill" | "freeze"> = {
  [Math.floor(points / 10)]: "kill",
  [Math.floor(points / 5)]: "freeze",
  [Math.floor(points / 2)]: "kill",
};

export const study: StudyInput = {
  name: "many",
  parameters: { x: Array.from({ length: points }, (_, i) => i) },
};

const objective: TrainTrial = async ({ params }, { report }) => {
  const x = Number(params.x);
  const note = (file: string, text: string) =>
    Deno.writeTextFileSync(join(dir, file), text, { append: true });
  note("runs", `${x} ${Deno.pid}\n`);
  await report({ epoch: 1, value: x });
  const wait = WAITS[x];
  const mark = join(dir, `${wait}-${x}`);
  if (wait && !existsSync(mark)) {
    note(`${wait}-${x}`, String(Deno.pid));
    // A frozen process goes on when it is thawed, a killed one never does.
    while (wait === "kill" || !existsSync(join(dir, "thawed"))) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  return { value: x };
};

export default objective;
