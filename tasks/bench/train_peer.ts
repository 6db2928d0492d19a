/** PyTorch's variants of a net, each in a process that waits for its turn. */
import { hasBfloat16 } from "../../lib/tensorflow/mod.ts";
import type { Recipe } from "../../lib/train/mod.ts";
import { PythonPeer } from "./parts.ts";

/** The variants that make sense here: bfloat16 only where the CPU has it. */
export const VARIANTS: readonly string[] = [
  ...["eager", "channels-last", "channels-last torch.compile"],
  ...hasBfloat16()
    ? ["channels-last bf16", "channels-last bf16 torch.compile"]
    : [],
];

/** A net in PyTorch, ready to be timed. */
export class Peer extends PythonPeer {
  engine = "";
  firstStepMs = NaN;
  peakRssMb = NaN;
  /** Milliseconds of each step, a list a round. */
  readonly rounds: number[][] = [];

  private constructor(
    python: string,
    recipe: Recipe,
    readonly variant: string,
  ) {
    const net = { ...recipe, batch: recipe.batchSize, variant };
    super(python, "peer.py", JSON.stringify(net));
  }

  /** Null where the variant does not run here; its process says why. */
  static async start(
    python: string,
    recipe: Recipe,
    variant: string,
  ): Promise<Peer | null> {
    const peer = new Peer(python, recipe, variant);
    const ready = await peer.read();
    if (!ready) {
      await peer.end();
      return null;
    }
    peer.engine = String(ready.engine);
    peer.firstStepMs = Number(ready.firstStepMs);
    return peer;
  }

  /** A round of `steps` steps. */
  async run(steps: number): Promise<void> {
    const answer = await this.ask(String(steps));
    this.rounds.push(answer.times as number[]);
    this.peakRssMb = Number(answer.peakRssMb);
  }
}
