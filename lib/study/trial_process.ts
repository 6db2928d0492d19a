/** The program of a trial's own process; `isolated_trial.ts` starts and answers it. */
import { pathToFileURL } from "node:url";
import type { DataSource } from "../data/mod.ts";
import { oneLine } from "./errors.ts";
import {
  type Answer,
  type Job,
  MARK,
  type Message,
  type Order,
} from "./isolated_trial.ts";
import { byteLines } from "./byte_lines.ts";
import { decodeJson, encodeJson } from "./store/encoding.ts";
import type { TrainTrial } from "./trial.ts";

// Printed lines are the log's; only messages go to the standard output.
const out = Deno.stdout;
globalThis.console.log = console.error;
globalThis.console.info = console.error;

const encoder = new TextEncoder();

function say(message: Message): void {
  const bytes = encoder.encode(`${MARK}${encodeJson(message)}\n`);
  for (let at = 0; at < bytes.length;) at += out.writeSync(bytes.subarray(at));
}

const lines = byteLines(Deno.stdin.readable);

/** The next line. Without one nobody is left to record what is done here. */
async function receive(): Promise<string> {
  const { value, done } = await lines.next();
  if (done) end();
  return value;
}

/** Ends this process, and what it started where it leads a group. */
function end(): never {
  try {
    Deno.kill(-Deno.pid, "SIGKILL");
  } catch {
    // Not started as a group.
  }
  Deno.exit(1);
}

// One line is always awaited, so that the end is noticed in mid-training too.
let coming = receive();

async function read<T>(): Promise<T> {
  const line = coming;
  coming = line.then(receive);
  return decodeJson(await line) as T;
}

/** Sends what has to be recorded and waits until it is. */
async function record(message: Message): Promise<void> {
  say(message);
  const answer = await read<Answer>();
  if (answer.ok) return;
  throw Object.assign(new Error(answer.message), { name: answer.name });
}

async function trialOf(job: Job): Promise<TrainTrial> {
  if (job.kind === "module") {
    return (await import(pathToFileURL(job.path).href)).default;
  }
  // Loaded here: a module's trial needs no TensorFlow, which takes seconds.
  const [{ loadDataset }, { parsePlan }, { trainingTrial }] = await Promise
    .all([
      import("../data/mod.ts"),
      import("./plan.ts"),
      import("./training.ts"),
    ]);
  const { source, ...plan } = job.plan as { source: DataSource };
  const data = await loadDataset({ ...source, dir: job.dataDir });
  let told = -Infinity;
  return trainingTrial(parsePlan(plan), data, {
    memory: job.memory,
    onEvent(event) {
      if (event.type !== "step" && event.type !== "warning") return;
      if (event.type === "step" && event.step < event.steps) {
        if (performance.now() - told < 200) return;
        told = performance.now();
      }
      say({ type: "event", event });
    },
  });
}

const stop = new AbortController();
Deno.addSignalListener("SIGINT", () => stop.abort());
const { job, point, ...order } = await read<Order>();
try {
  const train = await trialOf(job);
  const result = await train(point, {
    ...order,
    signal: stop.signal,
    report: (report) => record({ type: "epoch", report }),
    saveArtifact: (name, bytes) =>
      record({ type: "artifact", name, base64: bytes.toBase64() }),
    log: (line) => say({ type: "log", line }),
  });
  say({ type: "result", result });
} catch (error) {
  const name = error instanceof Error ? error.name : "Error";
  say({ type: "error", name, message: oneLine(error) });
}
Deno.exit(0);
