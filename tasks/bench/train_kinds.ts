/** Where a training step's time goes, by kind of op. */
import { timeOps } from "../../lib/tensorflow/mod.ts";

/**
 * Milliseconds of a step: of its ops, each timed by itself with the step run
 * op by op, and what the compiled step takes beyond their sum.
 */
export const KINDS = [
  "convolution",
  "products",
  "elementwise",
  "optimizer",
  "copies",
  "scheduling",
] as const;
type Kind = (typeof KINDS)[number];
export type KindTimes = Record<Kind, number>;

/** Kinds by the beginning of an op's name; any other is elementwise. */
const RULES: [Kind, RegExp][] = [
  ["optimizer", /Apply|Assign|Adam|SquareSum|L2Loss/],
  ["convolution", /^FerlabConv|^FerlabJoin|^FerlabNorm|^FerlabRunning/],
  ["convolution", /Conv2D|FusedBatchNorm|MaxPool|AvgPool/],
  ["products", /MatMul|Einsum|^FerlabProduct|^FerlabAttention/],
  [
    "copies",
    /^(Transpose|Concat|Pad|MirrorPad|Slice|StridedSlice|Tile|Gather|Pack|Unpack|Split|Reverse|Cast|DecodeRaw|ReadVariable|Identity|Fill|Reshape|BroadcastTo|ZerosLike)/,
  ],
];

const kindOf = (op: string): Kind =>
  RULES.find(([, rule]) => rule.test(op))?.[0] ?? "elementwise";

/** Runs of the step, of which the first prepares and the fastest counts. */
const RUNS = 4;

/** @param ms that the compiled step takes */
export async function kindsOf(
  step: () => Promise<unknown>,
  ms: number,
): Promise<KindTimes> {
  let best: { times: KindTimes; sum: number } | undefined;
  for (let run = 0; run < RUNS; run++) {
    const times = Object.fromEntries(KINDS.map((k) => [k, 0])) as KindTimes;
    let sum = 0;
    timeOps((op, spent) => {
      times[kindOf(op)] += spent;
      sum += spent;
    });
    try {
      await step();
    } finally {
      timeOps(null);
    }
    if (run > 0 && (!best || sum < best.sum)) best = { times, sum };
  }
  return { ...best!.times, scheduling: Math.max(0, ms - best!.sum) };
}
