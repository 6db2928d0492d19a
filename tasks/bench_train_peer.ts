/** PyTorch's variants of a net, each in a process that waits for its turn. */
import { join } from "node:path";
import { hasBfloat16 } from "../lib/tensorflow/mod.ts";
import type { Recipe } from "../lib/train/mod.ts";
import { linesOf } from "../lib/study/commands.ts";

/** The variants that make sense here: bfloat16 only where the CPU has it. */
export const VARIANTS: readonly string[] = [
  ...["eager", "channels-last", "channels-last torch.compile"],
  ...hasBfloat16()
    ? ["channels-last bf16", "channels-last bf16 torch.compile"]
    : [],
];

/** A net in PyTorch, ready to be timed. */
export class Peer {
  engine = "";
  firstStepMs = NaN;
  peakRssMb = NaN;
  /** Milliseconds of each step, a list a round. */
  readonly rounds: number[][] = [];
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncIterator<string>;

  private constructor(
    python: string,
    recipe: Recipe,
    readonly variant: string,
  ) {
    this.#child = new Deno.Command(python, {
      args: [
        join(import.meta.dirname!, "bench_peer.py"),
        JSON.stringify({ ...recipe, batch: recipe.batchSize, variant }),
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#lines = linesOf(this.#child.stdout)[Symbol.asyncIterator]();
  }

  /** Null where the variant does not run here; its process says why. */
  static async start(
    python: string,
    recipe: Recipe,
    variant: string,
  ): Promise<Peer | null> {
    const peer = new Peer(python, recipe, variant);
    const ready = await peer.#read();
    if (!ready) {
      await peer.end();
      return null;
    }
    peer.engine = String(ready.engine);
    peer.firstStepMs = Number(ready.firstStepMs);
    return peer;
  }

  async #read(): Promise<Record<string, unknown> | null> {
    const { value, done } = await this.#lines.next();
    return done ? null : JSON.parse(value);
  }

  /** A round of `steps` steps. */
  async run(steps: number): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${steps}\n`));
    const answer = await this.#read();
    if (!answer) throw new Error(`PyTorch (${this.variant}) ended`);
    this.rounds.push(answer.times as number[]);
    this.peakRssMb = Number(answer.peakRssMb);
  }

  async end(): Promise<void> {
    await this.#input.close().catch(() => {});
    await this.#child.status;
  }
}
