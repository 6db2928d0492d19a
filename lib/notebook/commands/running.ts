/** What the commands that run cells share: signals, progress, a lost terminal. */
import type { RunEvent } from "../cell_run.ts";
import { progress } from "../progress.ts";
import { EXIT } from "./shared.ts";

/** SIGINT, SIGTERM and SIGHUP end the work; a second one kills the kernels. */
export function listenToSignals() {
  const stop = new AbortController();
  const kill = new AbortController();
  let code = 0;
  const signals = Deno.build.os === "windows"
    ? ["SIGINT"] as const
    : ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) {
    Deno.addSignalListener(signal, () => {
      if (stop.signal.aborted) return kill.abort();
      code = EXIT[signal];
      stop.abort();
    });
  }
  return { stop: stop.signal, kill: kill.signal, code: () => code };
}

export function say(print: (text: string) => void, text: string) {
  try {
    print(text);
  } catch { /* it is gone */ }
}

/**
 * Shows on stderr the events that `work` gives while it goes on.
 * @param o.prefix before each line, where several notebooks run at once: one
 *   line cannot change for all of them then
 */
export async function withProgress<T>(
  o: { quiet?: boolean; prefix?: string },
  work: (take: (event: RunEvent) => void) => Promise<T>,
): Promise<T> {
  const terminal = Deno.stderr.isTerminal();
  const encoder = new TextEncoder();
  const told = progress({
    write: (text) => {
      const bytes = encoder.encode(text);
      for (let at = 0; at < bytes.length;) {
        at += Deno.stderr.writeSync(bytes.subarray(at));
      }
    },
    quiet: o.quiet,
    colour: terminal && !Deno.noColor,
    columns: terminal && o.prefix === undefined
      ? Deno.consoleSize().columns || 80
      : undefined,
    prefix: o.prefix ?? "",
  });
  const tick = setInterval(told.tick, 1000);
  try {
    return await work(told.take);
  } finally {
    clearInterval(tick);
    told.end();
  }
}
