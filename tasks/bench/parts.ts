/** What all benchmarks share: turns, medians, lines of results, Python's side. */
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { quantile } from "../../lib/statistics/mod.ts";
import { byteLines } from "../../lib/study/commands.ts";

/** To four digits. */
export const round = (x: number) => Number(x.toPrecision(4));
/** Prints one line of results. */
export const printResult = (row: Record<string, unknown>) =>
  console.log(JSON.stringify(row));

/** How busy the machine is. */
export const machineLoad = () => round(loadavg()[0]);

/** The machine, for the first line of results. */
export const machine = () => ({
  deno: Deno.version.deno,
  cpu: cpus()[0]?.model,
  cores: navigator.hardwareConcurrency,
  loadBefore: machineLoad(),
});

/** Measures in a folder of its own; the last line says how busy it was then. */
export async function inFolder(
  work: (folder: string) => Promise<number>,
): Promise<number> {
  const folder = await Deno.makeTempDir({ prefix: "ferlab-bench-" });
  try {
    return await work(folder);
  } finally {
    printResult({ loadAfter: machineLoad() });
    await Deno.remove(folder, { recursive: true });
  }
}

export const median = (values: readonly number[]) => quantile(values, 0.5);

/**
 * Times of each side, which take turns in each of `rounds` rounds, after one of
 * warming up. A side tells its own time, in ms.
 */
export async function inTurns(
  rounds: number,
  sides: readonly ((isWarmUp: boolean) => Promise<number>)[],
  onRound: (round: number) => void = () => {},
): Promise<number[][]> {
  const times = sides.map(() => [] as number[]);
  for (let i = 0; i <= rounds; i++) {
    for (const [side, run] of sides.entries()) {
      const ms = await run(i === 0);
      if (i > 0) times[side].push(ms);
    }
    onRound(i);
  }
  return times;
}

/** How long work takes, ms. */
export async function msOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** A Python program that answers each line of its input with a line of JSON. */
export class PythonPeer {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #answers: AsyncGenerator<string>;

  /** @param program its file in this folder */
  constructor(python: string, program: string, ...args: string[]) {
    this.#child = new Deno.Command(python, {
      args: [join(import.meta.dirname!, program), ...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#answers = byteLines(this.#child.stdout);
  }

  /** The next line; null after the last. */
  async read(): Promise<Record<string, unknown> | null> {
    const { value, done } = await this.#answers.next();
    return done ? null : JSON.parse(value);
  }

  /** @throws Error where the program ended before it answered */
  async ask(line: string): Promise<Record<string, unknown>> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
    const answer = await this.read();
    if (answer) return answer;
    throw new Error("the Python program ended before its work did");
  }

  async end(): Promise<void> {
    await this.#input.close().catch(() => {});
    await this.#child.status;
  }
}

/** A line of results: ours beside a peer's, and beside the goal. */
export function compareSides(
  measure: string,
  o: {
    peer?: string;
    ours: number[];
    theirs?: number[];
    /** most that the ratio may be, or ours in ms */
    goal?: { ratio: number } | { ours: number };
    more?: Record<string, unknown>;
  },
) {
  const mine = median(o.ours);
  const other = o.theirs && median(o.theirs);
  const ratio = other === undefined ? undefined : mine / other;
  const range = (x: number[]) => [Math.min(...x), Math.max(...x)].map(round);
  const goal = !o.goal ? {} : "ratio" in o.goal
    ? {
      goal: `ratio <= ${o.goal.ratio}`,
      met: ratio === undefined ? null : ratio <= o.goal.ratio,
    }
    : { goal: `ours < ${o.goal.ours}`, met: mine < o.goal.ours };
  printResult({
    measure,
    unit: "ms",
    peer: o.theirs ? o.peer : null,
    ours: round(mine),
    theirs: other === undefined ? null : round(other),
    ratio: ratio === undefined ? null : round(ratio),
    ...goal,
    rounds: o.ours.length,
    oursRange: range(o.ours),
    ...(o.theirs ? { theirsRange: range(o.theirs) } : {}),
    ...o.more,
  });
}
