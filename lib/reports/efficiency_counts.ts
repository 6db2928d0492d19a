/** The full models' counts by named convention, beside the published ones. */
import { modelOf } from "../models/mod.ts";
import {
  count,
  type Counted,
  flops,
  inferenceMemory,
  parameters,
  trainingMemory,
} from "../profile/mod.ts";
import { readPublishedTables } from "../study/mod.ts";
import type { Recipe } from "../train/mod.ts";
import { type Shown, table } from "./show.ts";
import { netsOf } from "./speed.ts";

/** The models that are compared: what each sets on a net. */
export const variants = {
  Baseline: { model: "baseline" },
  CLS: { model: "cls", patches: "dropped" },
  "CLS, patches kept, MLP on cls": { model: "cls", patches: "catAfterMlp" },
  "CLS, patches kept, MLP on all": { model: "cls", patches: "catBeforeMlp" },
} satisfies Record<string, Partial<Recipe>>;

export type VariantName = keyof typeof variants;
export const variantNames = Object.keys(variants) as VariantName[];

/** As published: three units fewer in the last stage. */
const stage3: Pick<Recipe, "layers"> = { layers: [3, 4, 14, 1] };

/** The batch of the published throughput and memory. */
export const BATCH = 256;

interface Model {
  name: string;
  sets: Partial<Recipe>;
  /** Table and row of data/published/efficiency.json. */
  published?: [table: number, row: number];
}

const models: Model[] = [
  { name: "Baseline", sets: variants.Baseline, published: [0, 0] },
  { name: "CLS", sets: variants.CLS, published: [0, 1] },
  ...variantNames.slice(2).map((name) => ({ name, sets: variants[name] })),
  {
    // Only with LayerNorm of q and k does it have the published numbers.
    name: "stage 3: Baseline, qk norm",
    sets: { ...stage3, qkNorm: true },
    published: [1, 0],
  },
  {
    name: "stage 3: CLS (CLSFER, CLS_only)",
    sets: { ...stage3, ...variants.CLS },
    published: [1, 1],
  },
  {
    name: "stage 3: MLP on cls (CLS_catAfterMlp)",
    sets: { ...stage3, ...variants["CLS, patches kept, MLP on cls"] },
    published: [2, 1],
  },
  {
    name: "stage 3: MLP on all (Repeat, Expand, NonMultiCLS_cat)",
    sets: { ...stage3, ...variants["CLS, patches kept, MLP on all"] },
    published: [2, 0],
  },
];

const known = new Map<string, Counted>();

/** A batch of the published size through the full net with these settings. */
function counted(sets: Partial<Recipe>): Counted {
  const key = JSON.stringify(sets);
  const recipe = { ...netsOf("paper").full!, ...sets };
  const { size } = recipe;
  const found = known.get(key) ??
    count(modelOf(recipe), [size, size, 3], { batch: BATCH });
  known.set(key, found);
  return found;
}

/** Operations an image in G. */
const giga = (c: Counted, convention: Parameters<typeof flops>[1]) =>
  flops(c, convention).total / BATCH / 1e9;

/** A full model's counts. */
export interface Counts {
  /** thop's G and M, as the published table has them. */
  thopG: number;
  thopM: number;
  /** Trained values. */
  parameters: number;
  fvcoreG: number;
  macsG: number;
  /** Estimates at batch 256 in MiB: a training step, a forward pass. */
  trainingMiB: number;
  forwardMiB: number;
}

/** Counts of the full model of a variant; nothing is computed. */
export function countsOf(sets: Partial<Recipe>): Counts {
  const c = counted(sets);
  return {
    thopG: giga(c, "thop"),
    thopM: parameters(c, "thop").total / 1e6,
    parameters: c.parameters,
    fvcoreG: giga(c, "fvcore"),
    macsG: giga(c, "macs"),
    trainingMiB: trainingMemory(c) / 2 ** 20,
    forwardMiB: inferenceMemory(c) / 2 ** 20,
  };
}

async function publishedRow(at: Model["published"]) {
  if (!at) return undefined;
  const { tables } = await readPublishedTables("efficiency");
  return tables[at[0]].records[at[1]];
}

/** All models: the table's own numbers, ours, and other conventions. */
export async function countsTable(): Promise<Shown> {
  const rows = [];
  for (const { name, sets, published } of models) {
    const theirs = await publishedRow(published), ours = countsOf(sets);
    rows.push({
      "full model, depth 8": name,
      "published G": theirs ? String(theirs.flops_G) : "–",
      "thop, G": ours.thopG.toFixed(3),
      "published M": theirs ? String(theirs.params_M) : "–",
      "thop, M": ours.thopM.toFixed(3),
      "true parameters": ours.parameters.toLocaleString("en"),
      "fvcore, G": ours.fvcoreG.toFixed(3),
      "MACs, G": ours.macsG.toFixed(3),
      "FLOPs (2 × MACs), G": (2 * ours.macsG).toFixed(3),
    });
  }
  return table(rows);
}

/** How much of the Baseline's operations each way of the CLS block saves. */
export function savingsTable(): Shown {
  const { thopG: all } = countsOf(variants.Baseline);
  const most = all - countsOf(variants.CLS).thopG;
  return table(variantNames.map((name) => {
    const { thopG } = countsOf(variants[name]);
    return {
      "full model, depth 8": name,
      "thop, G": thopG.toFixed(3),
      "saved, G": (all - thopG).toFixed(3),
      "share of what CLS saves": `${((all - thopG) / most * 100).toFixed(0)} %`,
    };
  }));
}

/** Published memory beside the estimates, at batch 256. */
export async function memoryTable(): Promise<Shown> {
  const { tables: [{ records }] } = await readPublishedTables("efficiency");
  const mib = (value: number) => Math.round(value).toLocaleString("en");
  return table(variantNames.map((name, i) => {
    const ours = countsOf(variants[name]);
    return {
      "full model, batch 256": name,
      "published, MiB": i < records.length
        ? mib(Number(records[i].memory_M))
        : "–",
      "training step (estimate), MiB": mib(ours.trainingMiB),
      "forward in evaluation (estimate), MiB": mib(ours.forwardMiB),
    };
  }));
}
