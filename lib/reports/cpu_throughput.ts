/** What a CPU makes of the full Baseline, one image or a few at a time. */
import { type Chart, throughputKneeChart } from "../charts/mod.ts";
import { modelOf } from "../models/mod.ts";
import { count, flops } from "../profile/mod.ts";
import { meanInterval } from "../statistics/mod.ts";
import { readPublished } from "../study/mod.ts";
import type { Profile } from "./profile.ts";
import {
  cannotTell,
  type Judgement,
  type Measurement,
  type ProtocolRow,
  type Report,
  type Results,
} from "./report.ts";
import { markdown, type Shown, table } from "./show.ts";
import {
  type NetName,
  netsOf,
  speedStudy,
  stepsOf,
  stepsText,
} from "./speed.ts";
import {
  machineText,
  rateText,
  speedsOf,
  speedTable,
  withParams,
} from "./speed_rows.ts";

/** The batch of the author's throughput settings; the table names none. */
const PUBLISHED_BATCH = 4;

const sizes: Record<Profile, [NetName, number[]][]> = {
  smoke: [["tiny", [1, PUBLISHED_BATCH]]],
  quick: [["tiny", [1, PUBLISHED_BATCH, 16]], ["full", [1, PUBLISHED_BATCH]]],
  cpu: [
    ["narrow", [1, PUBLISHED_BATCH, 16]],
    ["slim", [1, PUBLISHED_BATCH, 16]],
    ["full", [1, PUBLISHED_BATCH, 16]],
  ],
  paper: [["full", [1, PUBLISHED_BATCH, 16]]],
};

const repeats: Record<Profile, number> = {
  smoke: 1,
  quick: 3,
  cpu: 5,
  paper: 5,
};

const measurement = (profile: Profile): Measurement =>
  speedStudy(profile, {
    name: "cpu-throughput",
    points: sizes[profile].flatMap(([net, batches]) =>
      batches.map((batchSize) => ({ net, batchSize }))
    ),
    repeats: repeats[profile],
    fixed: { mode: "forward" },
  });

function protocol(profile: Profile): ProtocolRow[] {
  const names = sizes[profile].map(([net]) => net);
  return [
    {
      what: "processor",
      published: "a 12-vCPU Xeon Platinum 8255C and an i9-13900HX above one " +
        "unlabelled row; later the i9-13900HX alone",
      ours: "named under the table of our result",
    },
    {
      what: "net",
      published: "not stated",
      ours: names.map((net) => {
        const { size, depth, widths } = netsOf(profile)[net]!;
        return `${net}: baseline, widths ${
          widths.join("/")
        }, depth ${depth}, ${size}×${size}`;
      }).join("; "),
    },
    {
      what: "batch size",
      published: "not stated; 4 by the settings file, an inference",
      ours: [...new Set(sizes[profile].flatMap(([, b]) => b))].join(", "),
    },
    {
      what: "what is timed",
      published: "forward pass in evaluation",
      ours: "the same, logits read back",
    },
    {
      what: "timed",
      published: "30 steps, after 50 of warm-up, where the code's default ran",
      ours: names.map((net) => `${net}: ${stepsText(stepsOf(profile, net))}`)
        .join("; "),
    },
    {
      what: "runs a setting",
      published: "one",
      ours: `${repeats[profile]}, each running all settings in turn`,
    },
    {
      what: "threads",
      published: "not stated",
      ours: "all that TensorFlow takes",
    },
  ];
}

/** The published row as its step time says it: images a second at batch 4. */
async function publishedRate(): Promise<number> {
  const { records } = await readPublished("cpu-throughput");
  return PUBLISHED_BATCH / Number(records[0].time_per_step);
}

/** What the published row can mean: images a second for each batch size. */
export async function publishedTable(): Promise<Shown> {
  const { records: [row] } = await readPublished("cpu-throughput");
  const seconds = Number(row.time_per_step);
  return table([1, 2, 3, 4, 5, 6, 8].map((batch) => ({
    "batch, if it was": batch,
    "s a step (published)": seconds,
    "images/s": (batch / seconds).toFixed(2),
    "prints as throughput": Math.floor(batch / seconds),
    "published throughput": Number(row.throughput),
  })));
}

/** Our nets by batch size, and the published row at batch 4. */
export async function speedChart(results: Results): Promise<Chart> {
  return throughputKneeChart([
    {
      series: "published, batch 4 by inference",
      batchSize: PUBLISHED_BATCH,
      imagesPerSecond: await publishedRate(),
    },
    ...speedsOf(results.measured()).map((s) => ({
      series: `${s.params.net}, ours`,
      batchSize: Number(s.params.batchSize),
      imagesPerSecond: s.imagesPerSecond,
      ...s.n > 1 ? { low: s.low, high: s.high } : {},
      error: s.error,
    })),
  ], { title: "Images a second on a CPU" });
}

/** Every setting on record. */
export const speeds = (results: Results): Shown => speedTable(results);

/** Processor, threads, engine of the record. */
export const machine = (results: Results): Shown =>
  markdown(`Measured on ${machineText(results.measured())}.`);

/** Arithmetic reached: 2 × multiply-adds × images a second, in GFLOPS. */
export function arithmeticTable(results: Results): Shown {
  const nets = netsOf(results.profile);
  const macs = new Map<unknown, number>();
  const macsOf = (name: NetName) => {
    const recipe = nets[name];
    if (!recipe) return NaN;
    const { size } = recipe;
    if (!macs.has(name)) {
      const counted = count(modelOf(recipe), [size, size, 3]);
      macs.set(name, flops(counted, "macs").total);
    }
    return macs.get(name)!;
  };
  const speeds = speedsOf(results.measured());
  if (speeds.length === 0) return table([{ trials: "none on record" }]);
  return table(speeds.map(({ params, imagesPerSecond }) => {
    const net = params.net as NetName;
    return {
      net,
      batch: String(params.batchSize),
      "GFLOP an image": rateText(2 * macsOf(net) / 1e9),
      "images/s": imagesPerSecond === null ? "–" : rateText(imagesPerSecond),
      GFLOPS: imagesPerSecond === null
        ? "–"
        : rateText(2 * macsOf(net) * imagesPerSecond / 1e9),
    };
  }));
}

async function judgeSpeed(results: Results): Promise<Judgement> {
  const own = withParams(results.measured(), {
    net: "full",
    batchSize: PUBLISHED_BATCH,
  });
  const values = own.flatMap((r) => r.value === null ? [] : [r.value]);
  if (values.length === 0) {
    return cannotTell("the full net has no finished trial at batch 4");
  }
  const { mean, low, high, n } = meanInterval(values);
  const published = await publishedRate();
  const interval = low === null || high === null
    ? ""
    : `${rateText(low)} to ${rateText(high)}, `;
  const step = rateText(PUBLISHED_BATCH / mean);
  return cannotTell(
    `another processor and another engine: ×${
      rateText(mean / published)
    } of the published, which is of an unnamed net and, by inference, batch 4`,
    `full net, batch 4: ${
      rateText(mean)
    } images/s (${interval}${n} repeats), ${step} s a step`,
  );
}

async function judgeRow(): Promise<Judgement> {
  const { records: [row] } = await readPublished("cpu-throughput");
  const seconds = Number(row.time_per_step);
  const fitting = Array.from({ length: 16 }, (_, i) => i + 1)
    .filter((batch) => Math.floor(batch / seconds) === Number(row.throughput));
  const [first, last] = [fitting[0], fitting.at(-1)];
  return {
    ours: `the batch was ${first} to ${last}`,
    verdict: fitting.includes(1) ? "holds" : "does not hold",
    why: `one image in ${seconds} s would print as throughput ${
      Math.floor(1 / seconds)
    }; arithmetic on the published row alone`,
  };
}

function decide(results: Results): string {
  const rule = "Rule: of the nets on record, those that handle one image " +
    "(batch 1) in at most 0.1 s, by the slowest repeat, can follow a video on " +
    "this CPU at 10 images a second";
  const words = speedsOf(results.measured())
    .filter((s) => s.params.batchSize === 1 && s.low !== undefined)
    .map((s) =>
      `${s.params.net} ${s.low! >= 10 ? "can" : "cannot"} (${
        rateText(s.low!)
      } images/s)`
    );
  return `${rule}: ${words.join(", ") || "none was measured at batch 1"}.`;
}

export const report: Report = {
  notebook: "11-cpu-throughput",
  title: "CPU throughput",
  published: ["cpu-throughput"],
  measurements: (profile) => [measurement(profile)],
  protocol,
  claims: [
    {
      claim: "a CPU makes about one image a second",
      published: "throughput 1, 2.88 s a step",
      aboutFaces: false,
      judge: judgeSpeed,
    },
    {
      claim: "read as single images, the row's two numbers agree",
      published: "throughput 1 and 2.88 s a step, batch not stated",
      aboutFaces: false,
      judge: judgeRow,
    },
  ],
  decide,
};
