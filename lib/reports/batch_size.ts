/** Batch size against throughput: where it stops to pay. */
import {
  type Chart,
  type MeasuredThroughput,
  throughputKneeChart,
} from "../charts/mod.ts";
import { readPublishedTables } from "../study/mod.ts";
import { claims, decide, KNEE_SHARE } from "./batch_size_claims.ts";
import type { Profile } from "./profile.ts";
import type { Measurement, ProtocolRow, Report, Results } from "./report.ts";
import { markdown, type Shown } from "./show.ts";
import {
  type Mode,
  type NetName,
  netsOf,
  ownNet,
  speedStudy,
  stepsOf,
  stepsText,
} from "./speed.ts";
import { machineText, speedsOf, speedTable } from "./speed_rows.ts";

const doubling = (most: number) =>
  Array.from({ length: Math.log2(most) + 1 }, (_, i) => 2 ** i);

const sizes: Record<Profile, [NetName, Mode, number[]][]> = {
  smoke: [["tiny", "forward", [1, 16, 64]], ["tiny", "training step", [16]]],
  quick: [
    ["tiny", "forward", [1, 4, 16, 64, 256]],
    ["tiny", "training step", [16, 64, 256]],
  ],
  cpu: [
    ["narrow", "forward", doubling(512)],
    ["narrow", "training step", [1, 4, 16, 64, 256]],
    ["full", "forward", [1, 4, 16, 32]],
  ],
  paper: [
    ["full", "forward", doubling(512)],
    ["full", "training step", doubling(512)],
  ],
};

const repeats: Record<Profile, number> = {
  smoke: 1,
  quick: 3,
  cpu: 3,
  paper: 3,
};

const measurement = (profile: Profile): Measurement =>
  speedStudy(profile, {
    name: "batch-size",
    points: sizes[profile].flatMap(([net, mode, batches]) =>
      batches.map((batchSize) => ({ net, mode, batchSize }))
    ),
    repeats: repeats[profile],
  });

function protocol(profile: Profile): ProtocolRow[] {
  const own = ownNet[profile];
  const { size, widths, layers, depth } = netsOf(profile)[own]!;
  return [
    {
      what: "net",
      published: "Baseline (IR50 + ViT), depth not stated (4 by its settings)",
      ours: `${own}: stages ${widths.join("/")} with ${
        layers.join("/")
      } units, depth ${depth}${
        profile === "cpu" ? "; and the full Baseline, depth 8" : ""
      }`,
    },
    {
      what: "input",
      published: "224×224, stem stride 2",
      ours: `${size}×${size}, random`,
    },
    {
      what: "what is timed",
      published: "forward pass in evaluation; no device synchronisation",
      ours: "the same, logits read back; and whole training steps",
    },
    {
      what: "timed",
      published: "30 steps, after 50 of warm-up",
      ours: stepsText(stepsOf(profile, own)),
    },
    {
      what: "runs a setting",
      published: "one",
      ours: `${repeats[profile]}, each running all settings in turn`,
    },
    {
      what: "machine",
      published: "one GPU, not named beside the table (RTX 3090 elsewhere)",
      ours: "named under the table of our result",
    },
    {
      what: "number reported",
      published: "images / seconds of all steps",
      ours: "batch / seconds of the median step",
    },
  ];
}

/** The published tables as rows of a chart. */
async function publishedRows(): Promise<MeasuredThroughput[]> {
  const { tables } = await readPublishedTables("batch-size");
  return tables.flatMap(({ name, records }) =>
    records.map((r) => ({
      series: name.replace(/ \[.*\]$/, ""),
      batchSize: Number(r.batch_size),
      imagesPerSecond: r.throughput === null ? null : Number(r.throughput),
    }))
  );
}

export { roundingTable, squareRootTable } from "./batch_size_rules.ts";

const ourRows = (results: Results): MeasuredThroughput[] =>
  speedsOf(results.measured()).map((s) => ({
    series: `${s.params.net}, ${s.params.mode}, ours`,
    batchSize: Number(s.params.batchSize),
    imagesPerSecond: s.imagesPerSecond,
    ...s.n > 1 ? { low: s.low, high: s.high } : {},
    error: s.error,
  }));

/** The published tables: the Baseline on its GPU, and IR50 alone on two. */
export async function publishedKneeChart(): Promise<Chart> {
  return throughputKneeChart(await publishedRows(), {
    title: "Published throughput by batch size",
    kneeShare: KNEE_SHARE,
  });
}

/** The published main table beside our measurements. */
export async function kneeChart(results: Results): Promise<Chart> {
  const published = await publishedRows();
  const main = published.filter((r) => r.series === published[0].series)
    .map((r) => ({ ...r, series: "Baseline, forward, published" }));
  return throughputKneeChart([...main, ...ourRows(results)], {
    title: "Throughput by batch size, published and ours",
    kneeShare: KNEE_SHARE,
  });
}

/** Every setting on record, and the machine. */
export const speeds = (results: Results): Shown => speedTable(results);

/** Processor, threads, engine of the record. */
export const machine = (results: Results): Shown =>
  markdown(`Measured on ${machineText(results.measured())}.`);

export const report: Report = {
  notebook: "01-batch-size",
  title: "Batch size",
  published: ["batch-size"],
  measurements: (profile) => [measurement(profile)],
  protocol,
  claims,
  decide,
};
