/** Batch size against throughput: where it stops to pay. */
import {
  type Chart,
  kneeOf,
  throughputKneeChart,
  type ThroughputRow,
} from "../charts/mod.ts";
import { readPublishedTables } from "../study/mod.ts";
import { roundedRows } from "./batch_size_rules.ts";
import type { Profile } from "./profile.ts";
import type {
  Judgement,
  MeasuredRow,
  Measurement,
  ProtocolRow,
  Report,
  Results,
} from "./report.ts";
import type { Shown } from "./show.ts";
import {
  type Mode,
  type NetName,
  netsOf,
  ownNet,
  stepsOf,
  stepsText,
  timedTrial,
} from "./speed.ts";
import {
  cannotTell,
  largestNet,
  machineText,
  ratioOf,
  ratioText,
  speedsOf,
  speedTable,
  withParams,
} from "./speed_rows.ts";

/** A batch is at the knee with this share of the best throughput. */
const KNEE_SHARE = 0.95;
/** A gain beyond batch 16 is small below this (the published one is +24 %). */
const SMALL_GAIN = 1.25;

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
    ["full", "forward", [1, 4, 16, 64]],
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

function measurement(profile: Profile): Measurement {
  const nets = netsOf(profile);
  return {
    study: {
      name: "batch-size",
      metric: "images/s",
      search: {
        kind: "list",
        points: sizes[profile].flatMap(([net, mode, batches]) =>
          batches.map((batchSize) => ({ net, mode, batchSize }))
        ),
      },
      repeats: repeats[profile],
      fixed: {
        nets: Object.fromEntries(
          sizes[profile].map(([net]) => [net, nets[net]]),
        ),
      },
    },
    measure: (point, ctx) => {
      const net = point.params.net as NetName;
      return timedTrial(
        {
          profile,
          net,
          recipe: nets[net]!,
          batchSize: Number(point.params.batchSize),
          mode: point.params.mode as Mode,
        },
        point,
        ctx,
      );
    },
  };
}

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
async function publishedRows(): Promise<ThroughputRow[]> {
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

const ourRows = (results: Results): ThroughputRow[] =>
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
export const machine = (results: Results): string =>
  machineText(results.measured());

const forward = (rows: MeasuredRow[]) => withParams(rows, { mode: "forward" });

/** The rows' batch sizes that have a value, rising. */
const batchesOf = (rows: readonly MeasuredRow[]): number[] =>
  [
    ...new Set(
      rows.flatMap((r) => r.value === null ? [] : [Number(r.params.batchSize)]),
    ),
  ].sort((a, b) => a - b);

const kneeOfRows = (rows: readonly MeasuredRow[]) =>
  kneeOf(
    speedsOf(rows).map((s) => ({
      batchSize: Number(s.params.batchSize),
      imagesPerSecond: s.imagesPerSecond,
    })),
    KNEE_SHARE,
  );

function judgeGain(results: Results): Judgement {
  const found = largestNet(
    results,
    (rows) => batchesOf(forward(rows)).filter((b) => b >= 16).length > 1,
  );
  const rows = forward(found.rows), sizes = batchesOf(rows);
  const above = sizes.filter((b) => b > 16 && b <= 256);
  if (!sizes.includes(16) || above.length === 0) {
    return cannotTell("batch 16 and a larger one have no finished trial");
  }
  const most = above.at(-1)!;
  const gain = ratioOf(
    withParams(rows, { batchSize: most }),
    withParams(rows, { batchSize: 16 }),
  );
  if (!gain) return cannotTell("no repeat has batch 16 and a larger one");
  const ours = `${found.net} net, ${most} over 16: ×${ratioText(gain)}`;
  if (!found.isFull) {
    return cannotTell(
      `the ${found.net} net is not the Baseline; a knee belongs to net and ` +
        "machine",
      ours,
    );
  }
  if (gain.n < 3) return cannotTell("fewer than 3 repeats", ours);
  const rule = `small is below ×${SMALL_GAIN}, for the whole interval; ` +
    "on this machine";
  if (gain.high! <= SMALL_GAIN) {
    return { ours, verdict: "holds", why: rule };
  }
  return gain.low! > SMALL_GAIN
    ? { ours, verdict: "does not hold", why: rule }
    : cannotTell(`the interval holds ×${SMALL_GAIN}`, ours);
}

function judgeChoice(results: Results): Judgement {
  const found = largestNet(
    results,
    (rows) => batchesOf(forward(rows)).includes(256),
  );
  const rows = forward(found.rows), sizes = batchesOf(rows);
  const knee = kneeOfRows(rows);
  if (knee === null) return cannotTell("no forward pass is on record");
  const ours = `${found.net} net: knee at ${knee} of ${sizes.join(", ")}`;
  const published = "by the same rule the published table has its knee at 128";
  if (!found.isFull || !sizes.includes(512)) {
    return cannotTell(
      `${published}; the full net did not run to batch 512 here`,
      ours,
    );
  }
  const ratios = sizes.filter((b) => b !== 256).map((b) =>
    ratioOf(
      withParams(rows, { batchSize: 256 }),
      withParams(rows, { batchSize: b }),
    )
  );
  if (ratios.some((r) => !r || r.n < 3)) {
    return cannotTell(`${published}; fewer than 3 repeats`, ours);
  }
  const isFlat = ratios.every((r) => r!.low! >= KNEE_SHARE);
  const isShort = ratios.some((r) => r!.high! < KNEE_SHARE);
  return isFlat || isShort
    ? { ours, verdict: isFlat ? "holds" : "does not hold", why: published }
    : cannotTell(`${published}; the intervals do not settle it`, ours);
}

async function judgeRounding(): Promise<Judgement> {
  const rows = await roundedRows();
  const odd = rows.filter((r) => !r.fits);
  return {
    ours: `${rows.length - odd.length} of ${rows.length} rows fit`,
    verdict: odd.length === 0 ? "holds" : "does not hold",
    why: "the published numbers alone: both columns are one measurement, and " +
      "at small batches the time has one digit",
  };
}

const CLAIMS_ABOUT_SPEED = { aboutFaces: false };

function decide(results: Results): string {
  const rule = "Rule: the smallest batch size on record with at least " +
    `${100 * KNEE_SHARE} % of the best images a second`;
  const net = ownNet[results.profile];
  const words = (["forward", "training step"] as const).flatMap((mode) => {
    const rows = withParams(results.measured(), { net, mode });
    const knee = kneeOfRows(rows);
    return knee === null
      ? []
      : [`${knee} for ${mode === "forward" ? "the forward pass" : "training"}`];
  });
  return `${rule}. On this machine and the ${net} net: ${
    words.join(" and ") || "none, as nothing was measured"
  }. It is a choice by speed alone. What the batch size does to accuracy is ` +
    "another question: a larger batch takes fewer steps an epoch, and its " +
    "learning rate has to be tuned again.";
}

export const report: Report = {
  notebook: "01-batch-size",
  title: "Batch size",
  published: ["batch-size"],
  measurements: (profile) => [measurement(profile)],
  protocol,
  claims: [
    {
      claim: "gains of throughput beyond batch 16 are small",
      published: "1279 images/s at 16, 1591 at 256: ×1.244",
      ...CLAIMS_ABOUT_SPEED,
      judge: judgeGain,
    },
    {
      claim: "256 is the batch size to take",
      published: "1591 images/s, 99.3 % of the best (1602 at 512)",
      ...CLAIMS_ABOUT_SPEED,
      judge: judgeChoice,
    },
    {
      claim: "256 fits the memory at depth 6 and 8 too",
      published: "21,580 MiB at depth 8 (run efficiency), of 24 GiB",
      ...CLAIMS_ABOUT_SPEED,
      judge: () =>
        cannotTell(
          "it is about the memory of the author's GPU, and no such trial " +
            "runs here; the published 21,580 MiB at depth 8 is below 24 GiB",
        ),
    },
    {
      claim: "throughput and time per step are one measurement",
      published: "throughput × time = batch in all rows",
      ...CLAIMS_ABOUT_SPEED,
      judge: judgeRounding,
    },
  ],
  decide,
};
