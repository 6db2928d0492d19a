/** Trials in processes of their own: a crash costs one trial, not the study. */
import { readFileSync } from "node:fs";
import { CrashedError, oneLine } from "./errors.ts";
import { byteLines } from "./byte_lines.ts";
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

/** Begins a message, to the line's end; what else is printed is the log's. */
export const MARK = "\x01ferlab ";

const CHILD = new URL("./trial_process.ts", import.meta.url).pathname;

/** An error of the process, under its name there. */
function named({ name, message }: { name: string; message: string }): Error {
  return Object.assign(new Error(message), { name });
}

/** Ends what is left of a trial's process and of all that it started. */
function endGroup(pid: number): void {
  try {
    Deno.kill(-pid, "SIGKILL");
  } catch {
    // All have ended.
  }
}

/** How many processes Linux has ended because memory ran out; 0 elsewhere. */
function memoryKills(): number {
  try {
    const text = readFileSync("/proc/vmstat", "utf8");
    return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Why a process ended without a last word. */
function crash(
  { code, signal }: Deno.CommandStatus,
  lastWords: string,
  outOfMemory: boolean,
): Error {
  if (signal === "SIGKILL" && outOfMemory) {
    return named({
      name: "OutOfMemoryError",
      message: "out of memory: Linux ended its process; give a smaller " +
        "batchSize, or a larger accumulate",
    });
  }
  if (signal) {
    const hint = signal === "SIGKILL"
      ? ", as Linux does when memory runs out: try a smaller batchSize"
      : "";
    return new CrashedError(`its process was ended by ${signal}${hint}`);
  }
  const words = lastWords && `: ${lastWords}`;
  return new CrashedError(`its process ended with exit code ${code}${words}`);
}

/**
 * Runs each trial in a process of its own. It takes all threads, as a trial in
 * this process does, since their number changes a training's last bits.
 *
 * @param patienceMs that a process has to end after it was asked to.
 */
export function isolatedTrial(
  job: Job,
  onEvent?: (event: TrainingEvent) => void,
  patienceMs = 20_000,
): TrainTrial {
  return async (point, context) => {
    const { signal, trialId, number, checkpointDir } = context;
    const kills = memoryKills();
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", CHILD],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1" },
      // A group of its own: the terminal's Ctrl-C is this process's to pass
      // on, and what the trial started ends with it.
      detached: true,
    }).spawn();
    const ended = child.status.finally(() => endGroup(child.pid));
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
      killer = setTimeout(() => endGroup(child.pid), patienceMs);
    };
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    try {
      await send(order);
      const logging = logLines(child.stderr, context);
      const end = await listen(child.stdout, context, send, onEvent);
      const status = await ended;
      const lastWords = await logging;
      if (end.refused) throw end.refused;
      if (end.message?.type === "result") return end.message.result;
      if (end.message) throw named(end.message);
      signal.throwIfAborted();
      throw crash(status, lastWords, memoryKills() > kills);
    } finally {
      clearTimeout(killer);
      signal.removeEventListener("abort", stop);
      endGroup(child.pid);
      await input.close().catch(() => {});
    }
  };
}

/**
 * Writes the process's errors into the trial's log; returns the line that says
 * why it ended: Deno's own or else the last one.
 */
async function logLines(
  stream: ReadableStream<Uint8Array>,
  { log }: TrialContext,
): Promise<string> {
  let last = "", fatal = "";
  for await (const line of byteLines(stream)) {
    if (line.trim()) last = line.trim();
    if (/^error: /.test(line)) fatal = line.trim();
    log(line);
  }
  return fatal || last;
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
  for await (const line of byteLines(stream)) {
    const at = line.indexOf(MARK);
    const printed = at < 0 ? line : line.slice(0, at);
    if (at !== 0) context.log(printed);
    if (at < 0) continue;
    let message: Message;
    try {
      message = decodeJson(line.slice(at + MARK.length)) as Message;
    } catch {
      continue; // cut off by the end of the process
    }
    switch (message.type) {
      case "epoch":
        await answer(() => context.report(message.report));
        break;
      case "artifact":
        await answer(() =>
          context.saveArtifact(
            message.name,
            Uint8Array.fromBase64(message.base64),
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
