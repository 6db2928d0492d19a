/** What the commands that run cells share: progress, a lost terminal. */
import type { RunEvent } from "../run/cell_run.ts";
import { progress } from "../run/progress_line.ts";
import { writeAll } from "./shared.ts";

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
  const told = progress({
    write: (text) => writeAll(Deno.stderr, text),
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
