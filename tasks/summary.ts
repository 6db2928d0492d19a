/** What `deno test` reports, and its output. */

/** Tests that passed, failed, and were left out on this machine. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

// deno-lint-ignore no-control-regex
const ANSI = /\x1b\[[0-9;]*[A-Za-z]/g;

/**
 * Reads the last `ok | 12 passed (3 steps) | 0 failed (5s)` line of a run.
 * @returns null when there is none, as when the run died.
 */
export function readSummary(output: string): Counts | null {
  const summary =
    /^(?:ok|FAILED) \| (\d+) passed\b.*?\| (\d+) failed\b(?:.*?\| (\d+) ignored\b)?/gm;
  const last = [...output.replace(ANSI, "").matchAll(summary)].at(-1);
  if (!last) return null;
  const [passed, failed, skipped] = last.slice(1).map((n) => Number(n ?? 0));
  return { passed, failed, skipped };
}

/**
 * The counts of a run: a bad exit that no failed test explains (a crash, a
 * file that does not load) is one failure.
 */
export function countRun(output: string, code: number): Counts {
  const counts = readSummary(output) ??
    { passed: 0, failed: 0, skipped: 0 };
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  if (code === 0 && !readSummary(output)) counts.failed = 1;
  return counts;
}

/** Runs Deno with `args`; its output, both streams as they come, and its end. */
export async function outputOf(args: string[]) {
  const child = new Deno.Command(Deno.execPath(), {
    ...{ args, stdin: "null", stdout: "piped", stderr: "piped" },
  }).spawn();
  let output = "";
  const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    for await (const part of stream.pipeThrough(new TextDecoderStream())) {
      output += part;
    }
  };
  await Promise.all([read(child.stdout), read(child.stderr)]);
  const { code, signal } = await child.status;
  if (signal) output += `error: deno was ended by ${signal}\n`;
  return { output, code: signal ? 1 : code };
}
