/** Trials in processes of their own: a crash costs one trial, not the study. */
import { Buffer } from "node:buffer";
import { CrashedError, oneLine } from "./errors.ts";
import { linesOf } from "./lines.ts";
import type { TrialPoint } from "./points.ts";
import { decodeJson, encodeJson } from "./store/encoding.ts";
import type { EpochReport } from "./store/mod.ts";
import type { TrainTrial, TrialContext, TrialResult } from "./trial.ts";
import type { TrainingEvent } from "./training.ts";

/** What a trial's process runs; plain JSON data. */
export type Job =
  | { kind: "plan"; plan: unknown; dataDir?: string; memory?: number }
  /** A module whose default export is a `TrainTrial`. */
  | { kind: "module"; path: string };

/** What the process is sent first, on its input. */
export interface Order {
  job: Job;
  point: TrialPoint;
  trialId: number;
  number: number;
  checkpointDir: string;
}

/** What the process says, one JSON line each behind `MARK`. */
export type Message =
  | { type: "epoch"; report: EpochReport }
  | { type: "artifact"; name: string; base64: string }
  | { type: "log"; line: string }
  | {
    type: "event";
    event: Extract<TrainingEvent, { type: "step" | "warning" }>;
  }
  | { type: "result"; result: TrialResult }
  | { type: "error"; name: string; message: string };

/** What it is answered to an epoch or an artifact. */
export type Answer = { ok: true } | {
  ok: false;
  name: string;
  message: string;
};

/** Begins each line that is a message; what else is printed is the log's. */
export const MARK = "\x01ferlab ";

const CHILD = new URL("./trial_process.ts", import.meta.url).pathname;

/** Milliseconds that a process has to end after it was asked to. */
const PATIENCE_MS = 20_000;

/** An error of the process, under its name there. */
function named({ name, message }: { name: string; message: string }): Error {
  return Object.assign(new Error(message), { name });
}

/**
 * Runs each trial in a process of its own. It takes all threads, as a trial in
 * this process does, since their number changes a training's last bits.
 */
export function isolatedTrial(
  job: Job,
  onEvent?: (event: TrainingEvent) => void,
): TrainTrial {
  return async (point, context) => {
    const { signal, trialId, number, checkpointDir } = context;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", CHILD],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1" },
    }).spawn();
    const order: Order = { job, point, trialId, number, checkpointDir };
    const input = child.stdin.getWriter();
    const encoder = new TextEncoder();
    const send = (value: Order | Answer) =>
      // A process that is gone is told of by its status.
      input.write(encoder.encode(`${encodeJson(value)}\n`)).catch(() => {});
    let killer: ReturnType<typeof setTimeout> | undefined;
    const stop = () => {
      try {
        child.kill("SIGINT");
      } catch {
        return; // it has ended
      }
      killer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
    };
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    try {
      await send(order);
      const logging = logLines(child.stderr, context);
      const end = await listen(child.stdout, context, send, onEvent);
      const { code, signal: by } = await child.status;
      const lastWords = await logging;
      if (end.refused) throw end.refused;
      if (end.message?.type === "result") return end.message.result;
      if (end.message) throw named(end.message);
      signal.throwIfAborted();
      throw new CrashedError(
        by
          ? `its process was ended by ${by}${
            by === "SIGKILL"
              ? ", as Linux does when memory runs out: try a smaller batchSize"
              : ""
          }`
          : `its process ended with exit code ${code}${
            lastWords && `: ${lastWords}`
          }`,
      );
    } finally {
      clearTimeout(killer);
      signal.removeEventListener("abort", stop);
      await input.close().catch(() => {});
    }
  };
}

/** Writes the process's errors into the trial's log; returns the last line. */
async function logLines(
  stream: ReadableStream<Uint8Array>,
  { log }: TrialContext,
): Promise<string> {
  let last = "";
  for await (const line of linesOf(stream)) {
    if (line.trim()) last = line.trim();
    log(line);
  }
  return last;
}

/**
 * Answers the process's messages until it closes its output: `message` is its
 * last word, `refused` why an epoch was not taken (pruned, taken over).
 */
async function listen(
  stream: ReadableStream<Uint8Array>,
  context: TrialContext,
  send: (answer: Answer) => Promise<void>,
  onEvent?: (event: TrainingEvent) => void,
) {
  const end: {
    message?: Extract<Message, { type: "result" | "error" }>;
    refused?: unknown;
  } = {};
  const answer = async (work: () => Promise<void>) => {
    try {
      await work();
      await send({ ok: true });
    } catch (error) {
      end.refused = error;
      const name = error instanceof Error ? error.name : "Error";
      await send({ ok: false, name, message: oneLine(error) });
    }
  };
  for await (const line of linesOf(stream)) {
    if (!line.startsWith(MARK)) {
      context.log(line);
      continue;
    }
    const message = decodeJson(line.slice(MARK.length)) as Message;
    switch (message.type) {
      case "epoch":
        await answer(() => context.report(message.report));
        break;
      case "artifact":
        await answer(() =>
          context.saveArtifact(
            message.name,
            new Uint8Array(Buffer.from(message.base64, "base64")),
          )
        );
        break;
      case "log":
        context.log(message.line);
        break;
      case "event":
        onEvent?.(message.event);
        break;
      default:
        end.message = message;
    }
  }
  return end;
}
