/** `deno task bench train`: training speed, beside PyTorch's. */
import { cpus } from "node:os";
import { modelOf } from "../../lib/models/mod.ts";
import { count, flops, peakMemory } from "../../lib/profile/mod.ts";
import {
  type Arithmetic,
  compile,
  graphNodes,
  tf,
} from "../../lib/tensorflow/mod.ts";
import {
  randomSteps,
  type Recipe,
  settlePrecision,
} from "../../lib/train/mod.ts";
import { median, msOf, round } from "./parts.ts";
import { KINDS, kindsOf, type KindTimes } from "./train_kinds.ts";
import {
  type Net,
  type NetOptions,
  netsOf,
  unsharedFields,
} from "./train_nets.ts";
import { Peer, VARIANTS } from "./train_peer.ts";
import { say, UsageError } from "../cli.ts";
import { pythonWith } from "../python.ts";
import { table } from "../text.ts";

/** Options of {@link benchTrain}. */
export interface TrainOptions extends NetOptions {
  steps?: number;
  rounds: number;
  peer?: boolean;
  variants?: string[];
  table?: boolean;
}

/** What is measured of a net. */
type Row = ReturnType<typeof rowOf> & {
  bestPeer?: string;
  ratioToBestPyTorch?: number;
};

/** Milliseconds that a round's steps shall take, and how many they may be. */
const ROUND_MS = 1500;
const [LEAST_STEPS, MOST_STEPS] = [3, 30];

/** Speed of 3×3 convolutions alone, GFLOPS, in this process and precision. */
async function convolutionRoof(precision: Arithmetic) {
  const [batch, side, width, repeats] = [16, 28, 128, 10];
  const x = tf.randomNormal([batch, side, side, width]) as tf.Tensor4D;
  const k = tf.randomNormal([3, 3, width, width], 0, 0.03) as tf.Tensor4D;
  const run = compile((a, b) => {
    let y = a as tf.Tensor4D;
    for (let i = 0; i < repeats; i++) {
      y = tf.conv2d(y, b as tf.Tensor4D, 1, "same");
    }
    return [tf.mean(y)];
  }, { precision });
  const times: number[] = [];
  for (let i = 0; i < 8; i++) {
    const start = performance.now();
    const [result] = await run(x, k);
    result.dataSync();
    result.dispose();
    if (i >= 2) times.push(performance.now() - start);
  }
  [x, k].forEach((t) => t.dispose());
  run.dispose();
  const flop = 2 * repeats * batch * side * side * 9 * width * width;
  return flop / median(times) / 1e6;
}

/** The median of the rounds' medians, and the fastest and slowest step. */
function timesOf(rounds: number[][]) {
  const all = rounds.flat();
  return {
    ms: median(rounds.map((times) => median(times))),
    least: Math.min(...all),
    most: Math.max(...all),
  };
}

function rowOf(
  { name, recipe }: Net,
  m: {
    rounds: number[][];
    firstStepMs: number;
    nodes: number;
    roof: number;
    peak: number;
    kinds?: KindTimes;
  },
) {
  const { model, size, batchSize, precision } = recipe;
  const { ms, least, most } = timesOf(m.rounds);
  // A backward pass costs two forward passes; a multiply-add is two FLOP.
  const macs = flops(count(modelOf(recipe), [size, size, 3]), "macs").total;
  const gflops = 6 * macs * batchSize / ms / 1e6;
  return {
    engine: "ferlab",
    cpu: cpus()[0]?.model ?? Deno.build.arch,
    threads: navigator.hardwareConcurrency,
    net: name,
    model,
    size,
    batch: batchSize,
    precision,
    imagesPerSecond: round(1000 * batchSize / ms),
    msPerStep: round(ms),
    msPerStepMin: round(least),
    msPerStepMax: round(most),
    firstStepMs: round(m.firstStepMs),
    nodes: m.nodes,
    gflops: round(gflops),
    roofGflops: round(m.roof),
    shareOfRoof: round(gflops / m.roof),
    peakRssMb: Math.round(m.peak / 2 ** 20),
    msByKind: m.kinds &&
      Object.fromEntries(KINDS.map((k) => [k, round(m.kinds![k])])),
  };
}

const roofs = new Map<Arithmetic, number>();

/** Measures a net and its peers, who take turns, and shows each to `print`. */
async function measure(
  net: Net,
  o: TrainOptions,
  print: (row: unknown) => void,
): Promise<Row> {
  const recipe = await settlePrecision(net.recipe, { onWarning: say });
  const precision = recipe.precision as Arithmetic;
  const peers = o.peer ? await startPeers(net.name, recipe, o.variants) : [];
  const { step, dispose } = randomSteps(recipe);
  try {
    let firstStepMs = NaN;
    const nodes = await graphNodes(async () => firstStepMs = await msOf(step));
    const steps = o.steps ?? Math.min(
      MOST_STEPS,
      Math.max(LEAST_STEPS, Math.ceil(ROUND_MS / await msOf(step))),
    );
    const rounds: number[][] = [];
    for (let i = 0; i < o.rounds; i++) {
      const times: number[] = [];
      for (let j = 0; j < steps; j++) times.push(await msOf(step));
      rounds.push(times);
      for (const peer of peers) await peer.run(steps);
    }
    const peak = peakMemory();
    if (!roofs.has(precision)) {
      roofs.set(precision, await convolutionRoof(precision));
    }
    const roof = roofs.get(precision)!;
    // Op by op nothing is rewritten to bfloat16.
    const kinds = precision === "float32"
      ? await kindsOf(step, timesOf(rounds).ms)
      : undefined;
    const measured = { rounds, firstStepMs, nodes, roof, peak, kinds };
    const row: Row = rowOf({ ...net, recipe }, measured);
    print(row);
    return compare(row, peers, print);
  } finally {
    dispose();
    await Promise.all(peers.map((peer) => peer.end()));
  }
}

async function startPeers(
  net: string,
  recipe: Recipe,
  variants: readonly string[] = VARIANTS,
): Promise<Peer[]> {
  const other = unsharedFields(recipe);
  if (other.length > 0) {
    say(`${net}: no peer, PyTorch's twin has no ${other.join(", ")}`);
    return [];
  }
  const python = await pythonWith("torch");
  const peers: Peer[] = [];
  for (const variant of variants) {
    const peer = await Peer.start(python, recipe, variant);
    if (peer) peers.push(peer);
  }
  return peers;
}

/** Prints the peers; gives the row with the best one and the ratio to it. */
function compare(
  row: Row,
  peers: readonly Peer[],
  print: (row: unknown) => void,
): Row {
  const rows = peers.map((peer) => {
    const { ms, least, most } = timesOf(peer.rounds);
    const imagesPerSecond = round(1000 * row.batch / ms);
    return {
      engine: peer.engine,
      variant: peer.variant,
      net: row.net,
      imagesPerSecond,
      msPerStep: round(ms),
      msPerStepMin: round(least),
      msPerStepMax: round(most),
      firstStepMs: round(peer.firstStepMs),
      peakRssMb: peer.peakRssMb,
      ratio: round(row.imagesPerSecond / imagesPerSecond),
    };
  });
  rows.forEach(print);
  if (rows.length === 0) return row;
  const best = rows.reduce((a, b) => a.ratio <= b.ratio ? a : b);
  const summary = {
    net: row.net,
    bestPeer: best.variant,
    ratioToBestPyTorch: best.ratio,
    memoryToLeastPyTorch: round(
      row.peakRssMb / Math.min(...rows.map((r) => r.peakRssMb)),
    ),
  };
  print(summary);
  return { ...row, ...summary };
}

const digits = (x: number | undefined, n = 3) =>
  x === undefined ? "–" : String(Number(x.toPrecision(n)));
const percent = (x: number) => `${(100 * x).toFixed(0)} %`;

/** The rows as two tables: speeds, and where the time goes. */
function tablesOf(rows: readonly Row[]): string {
  const column = (
    head: string,
    cell: (row: Row) => string,
    right = true,
  ) => ({ head, cells: rows.map(cell), right });
  const net = column("net", (r) => r.net, false);
  const [{ cpu, threads }] = rows;
  return [
    `${cpu}, ${threads} threads`,
    table([
      net,
      column("px", (r) => String(r.size)),
      column("batch", (r) => String(r.batch)),
      column("precision", (r) => r.precision, false),
      column("images/s", (r) => digits(r.imagesPerSecond)),
      column("ms a step", (r) => digits(r.msPerStep)),
      column("least", (r) => digits(r.msPerStepMin)),
      column("nodes", (r) => String(r.nodes)),
      column("of the roof", (r) => r.shareOfRoof.toFixed(2)),
      column("first step", (r) => `${digits(r.firstStepMs / 1000, 2)} s`),
      column("best PyTorch", (r) => r.bestPeer ?? "–", false),
      column("ratio", (r) => digits(r.ratioToBestPyTorch)),
    ]),
    "",
    "Where a step's time goes",
    table([
      net,
      ...KINDS.map((kind) =>
        column(
          kind,
          (r) => r.msByKind ? percent(r.msByKind[kind] / r.msPerStep) : "–",
        )
      ),
    ]),
  ].join("\n");
}

/** Measures the nets that the options name; gives the exit code. */
export async function benchTrain(o: TrainOptions): Promise<number> {
  const unknown = o.variants?.find((name) => !VARIANTS.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(
      `--variants: no variant "${unknown}"; they are ${VARIANTS.join(", ")}`,
    );
  }
  const isTable = o.table ?? Deno.stdout.isTerminal();
  const rows: Row[] = [];
  for (const net of await netsOf(o)) {
    if (isTable) say(`measuring ${net.name}`);
    rows.push(
      await measure(net, o, (row) => {
        if (!isTable) console.log(JSON.stringify(row));
      }),
    );
  }
  if (isTable) console.log(tablesOf(rows));
  return 0;
}
