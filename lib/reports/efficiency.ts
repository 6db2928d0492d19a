/** What the CLS block costs beside the Baseline: speed, operations, memory. */
import { type Chart, type Effect, forestChart } from "../charts/mod.ts";
import { readPublishedTables } from "../study/mod.ts";
import {
  BATCH,
  type VariantName,
  variantNames,
  variants,
} from "./efficiency_counts.ts";
import { againstBaseline, claims, decide } from "./efficiency_claims.ts";
import type { Profile } from "./profile.ts";
import type { Measurement, ProtocolRow, Report, Results } from "./report.ts";
import { markdown, type Shown } from "./show.ts";
import {
  type NetName,
  netsOf,
  speedStudy,
  stepsOf,
  stepsText,
} from "./speed.ts";
import { machineText, speedTable, withParams } from "./speed_rows.ts";

export { countsTable, memoryTable, savingsTable } from "./efficiency_counts.ts";

const plans: Record<
  Profile,
  { nets: [NetName, number][]; models: VariantName[]; repeats: number }
> = {
  smoke: { nets: [["tiny", 16]], models: ["Baseline", "CLS"], repeats: 2 },
  quick: { nets: [["tiny", 64]], models: variantNames, repeats: 5 },
  cpu: {
    nets: [["narrow", 128], ["full", 4]],
    models: variantNames,
    repeats: 5,
  },
  paper: { nets: [["full", BATCH]], models: variantNames, repeats: 5 },
};

function measurement(profile: Profile): Measurement {
  const { nets, models, repeats } = plans[profile];
  return speedStudy(profile, {
    name: "efficiency",
    points: nets.flatMap(([net, batchSize]) =>
      models.map((model) => ({ net, batchSize, model }))
    ),
    repeats,
    fixed: { mode: "forward" },
    recipe: (net, { model }) => ({ ...net, ...variants[model as VariantName] }),
  });
}

function protocol(profile: Profile): ProtocolRow[] {
  const { nets, models, repeats } = plans[profile];
  const named = nets.map(([name, batch]) => {
    const { size, depth, widths } = netsOf(profile)[name]!;
    return { name, batch, size, depth, widths };
  });
  return [
    {
      what: "nets timed",
      published: "full, depth 8, 224×224, stem stride 2",
      ours: named.map(({ name, widths, depth, size }) =>
        `${name}: widths ${widths.join("/")}, depth ${depth}, ${size}×${size}`
      ).join("; "),
    },
    {
      what: "models",
      published: "Baseline, CLS (patches dropped after block 1)",
      ours: models.join("; "),
    },
    {
      what: "batch size",
      published: String(BATCH),
      ours: named.map(({ name, batch }) => `${name}: ${batch}`).join("; "),
    },
    {
      what: "timed",
      published: "30 steps, after 50 of warm-up, without synchronisation",
      ours: named.map(({ name }) =>
        `${name}: ${stepsText(stepsOf(profile, name))}`
      ).join("; "),
    },
    {
      what: "runs a setting",
      published: "one; two tables repeat within 1 %",
      ours: `${repeats}, the models in turn within each`,
    },
    {
      what: "operations, parameters",
      published: "thop: multiply-adds called FLOPs, parameters in part",
      ours: "the full model at every profile: thop's, fvcore's, MACs, all " +
        "parameters",
    },
    {
      what: "memory",
      published: "max_memory_allocated",
      ours: "estimates from the counts, float32",
    },
    {
      what: "machine",
      published: "one RTX 3090",
      ours: "named under the table of our result",
    },
  ];
}

/** A ratio as percent more images a second. */
const more = (ratio: number) => 100 * (ratio - 1);

/**
 * Images a second over those of the Baseline, in percent more: published
 * tables (each against its own Baseline) and ours, with intervals from three
 * repeats on.
 */
export async function gainChart(results: Results): Promise<Chart> {
  const { tables } = await readPublishedTables("efficiency");
  const published = tables.flatMap(({ name, records }): Effect[] => {
    const base = records.find((r) => String(r.model).startsWith("Baseline"))!;
    return records.filter((r) => r !== base).map((r) => ({
      label: String(r.model),
      estimate: more(Number(r.throughput) / Number(base.throughput)),
      low: null,
      high: null,
      group: `published, ${name.replace(/ \[.*\]$/, "")}`,
      whose: "published",
    }));
  });
  const ours = plans[results.profile].nets.flatMap(([net, batchSize]) => {
    const rows = withParams(results.measured(), { net, batchSize });
    return variantNames.slice(1).flatMap((model): Effect[] => {
      const ratio = againstBaseline(rows, model);
      return ratio
        ? [{
          label: model,
          estimate: more(ratio.ratio),
          low: ratio.low === null || ratio.n < 3 ? null : more(ratio.low),
          high: ratio.high === null || ratio.n < 3 ? null : more(ratio.high),
          group: `ours, ${net} net, batch ${batchSize}`,
        }]
        : [];
    });
  });
  return forestChart([...published, ...ours], {
    title: "Images a second against the Baseline",
    xLabel: "more images a second than the Baseline",
    unit: "%",
  });
}

/** Every setting on record. */
export const speeds = (results: Results): Shown => speedTable(results);

/** Processor or GPU, threads, engine of the record. */
export const machine = (results: Results): Shown =>
  markdown(`Measured on ${machineText(results.measured())}.`);

export const report: Report = {
  notebook: "09-efficiency",
  title: "Run efficiency",
  published: ["efficiency"],
  measurements: (profile) => [measurement(profile)],
  protocol,
  claims,
  decide,
};
