// An objective that goes wrong: `what` says how. FERLAB_TEST_DIR is where it
// notes its processes.
import { join } from "node:path";
import type { StudyInput, TrainTrial } from "../../lib/study/mod.ts";
import { MARK } from "../../lib/study/isolated_trial.ts";

export const study: StudyInput = { name: "faults", parameters: { x: [1] } };

const forEver = () => new Promise<never>(() => setInterval(() => {}, 1000));
const write = (text: string) =>
  Deno.stdout.writeSync(new TextEncoder().encode(text));

/** Notes this process and one that it starts, which holds its output open. */
function startChild(): void {
  const { pid } = new Deno.Command("sleep", {
    args: ["600"],
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
  const file = join(Deno.env.get("FERLAB_TEST_DIR")!, "processes");
  Deno.writeTextFileSync(file, `${Deno.pid}\n${pid}\n`, { append: true });
}

const objective: TrainTrial = async ({ params }, { report }) => {
  switch (params.what) {
    case "infinite":
      await report({ epoch: 1, value: NaN });
      return { value: -Infinity };
    case "nothing":
      return undefined as never;
    case "deaf":
      Deno.addSignalListener("SIGINT", () => {});
      await report({ epoch: 1, value: 0 });
      return await forEver();
    case "parent":
      startChild();
      break;
    case "endless":
      startChild();
      await report({ epoch: 1, value: 0 });
      return await forEver();
    case "unended line":
      write("10 %");
      break;
    case "together":
      await Promise.all([1, 2, 3].map((epoch) => report({ epoch, value: 0 })));
      break;
    case "late throw":
      setTimeout(() => {
        throw new Error("no such image");
      });
      return await forEver();
    case "cut message":
      write(`${MARK}{"type":"resu`);
      Deno.exit(3);
      break;
    case "memory": {
      const group = Deno.env.get("FERLAB_TEST_GROUP")!;
      Deno.writeTextFileSync(join(group, "cgroup.procs"), String(Deno.pid));
      const held = [];
      for (;;) held.push(new Uint8Array(1 << 24).fill(1));
    }
  }
  await report({ epoch: 4, value: 0 });
  return { value: 1 };
};

export default objective;
