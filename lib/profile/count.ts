/** Parameters and operations of a model, layer by layer and by named convention. */
import { modelOf } from "../models/mod.ts";
import { type Forward, inspect, type Operation } from "../nn/mod.ts";
import {
  type Convention,
  CONVENTIONS,
  hasThopRule,
  type Place,
} from "./conventions.ts";

export interface CountedLayer {
  /** "blocks.0.mlp.fc1"; a parameter of no layer stands under its own name. */
  name: string;
  /** The part of the model's figure that it belongs to: "blocks.0". */
  module: string;
  /** Without one the layer only holds parameters. */
  operations: Operation[];
  /** Trained values. */
  parameters: number;
}

export interface Counted {
  /** [B, H, W, C]. */
  input: [number, number, number, number];
  layers: CountedLayer[];
  /** Trained values. */
  parameters: number;
  /** Untrained values: the running statistics. */
  buffers: number;
}

/** A sum over the model and the part of each module. */
export interface Sums {
  total: number;
  modules: Record<string, number>;
}

const sizeOf = (shape: number[]) => shape.reduce((a, b) => a * b, 1);

/** "irback.layer1.0.conv1" is in "irback.layer1", "head" in itself. */
function moduleOf(layer: string): string {
  return /^(irback|blocks)\.[^.]+/.exec(layer)?.[0] ?? layer.split(".")[0];
}

/**
 * The operations and trained parameters of each layer of `forward` on `batch`
 * images of `shape` [H, W, C], in evaluation. Nothing is computed.
 */
export function count(
  forward: Forward,
  shape: [number, number, number],
  { batch = 1 } = {},
): Counted {
  const input: Counted["input"] = [batch, ...shape];
  const { parameters, buffers, operations } = inspect(forward, input);
  const layers = new Map<string, CountedLayer>();
  const layerOf = (name: string) => {
    let layer = layers.get(name);
    if (!layer) {
      const module = moduleOf(name);
      layer = { name, module, operations: [], parameters: 0 };
      layers.set(name, layer);
    }
    return layer;
  };
  for (const { layer, operation } of operations) {
    layerOf(layer).operations.push(operation);
  }
  let total = 0;
  for (const { name, shape } of parameters) {
    const owner = name.replace(/\.[^.]+$/, "");
    layerOf(owner).parameters += sizeOf(shape);
    total += sizeOf(shape);
  }
  const untrained = buffers.reduce((n, { shape }) => n + sizeOf(shape), 0);
  return {
    input,
    layers: [...layers.values()],
    parameters: total,
    buffers: untrained,
  };
}

/** The layers' `value`s, by module and in all. */
function sums(
  layers: readonly CountedLayer[],
  value: (layer: CountedLayer) => number,
): Sums {
  const modules: Record<string, number> = {};
  for (const layer of layers) {
    modules[layer.module] = (modules[layer.module] ?? 0) + value(layer);
  }
  const total = Object.values(modules).reduce((a, b) => a + b, 0);
  return { total, modules };
}

/** The layers that compute, each with its place in the model. */
function placed(counted: Counted): (CountedLayer & { place: Place })[] {
  const attentions = counted.layers
    .filter((l) => l.operations.some((o) => o.kind === "selfAttention"))
    .map((l) => l.name);
  const place = (name: string): Place => {
    if (attentions.includes(name)) return "selfAttention";
    const within = attentions.some((a) => name.startsWith(`${a}.`));
    return within ? "inSelfAttention" : "elsewhere";
  };
  return counted.layers.filter((l) => l.operations.length > 0)
    .map((l) => ({ ...l, place: place(l.name) }));
}

/**
 * The model's operations as `convention` counts them, for the whole batch.
 * `outside` is what the tool adds to the total and to no module.
 */
export function flops(
  counted: Counted,
  convention: Convention,
): Sums & { outside: number } {
  const { operations, outside: extra } = CONVENTIONS[convention];
  const layers = placed(counted);
  const places = new Map(layers.map(({ name, place }) => [name, place]));
  const add = (layer: CountedLayer, rule: typeof operations) =>
    layer.operations.reduce(
      (sum, o) => sum + rule(o, places.get(layer.name)!),
      0,
    );
  const inside = sums(layers, (layer) => add(layer, operations));
  const outside = extra ? sums(layers, (l) => add(l, extra)).total : 0;
  return { ...inside, total: inside.total + outside, outside };
}

/**
 * Operations of one image's forward pass by a recipe's net, as `convention`
 * counts them.
 */
export const flopsOf = (
  recipe: Parameters<typeof modelOf>[0] & { size: number },
  convention: Convention,
): number => {
  const { size } = recipe;
  return flops(count(modelOf(recipe), [size, size, 3]), convention).total;
};

/**
 * Trained values: all of them ("true"), or as thop 0.1.1 counts: only those of
 * layers that it has a rule for. Bare parameters (cls token, positions,
 * LayerScale) and timm's LayerNorm are left out; the published numbers are
 * these.
 */
export function parameters(
  counted: Counted,
  convention: "true" | "thop" = "true",
): Sums {
  if (convention === "true") return sums(counted.layers, (l) => l.parameters);
  return sums(
    counted.layers.filter((l) => l.operations.length > 0),
    (l) => l.operations.some(hasThopRule) ? l.parameters : 0,
  );
}

/** A module's row: parameters, and operations in G by convention. */
export type CountRow =
  & { module: string; parameters: number }
  & Partial<Record<Convention, number>>;

/**
 * One row a module and "total" as the last, for a notebook's table. What a
 * tool counts outside the modules is in its total alone.
 */
export function countTable(
  counted: Counted,
  conventions: readonly Convention[] = ["thop", "fvcore", "macs"],
): CountRow[] {
  const trained = parameters(counted);
  const columns = conventions.map((c) => [c, flops(counted, c)] as const);
  const rows = Object.keys(trained.modules).map((module) => ({
    module,
    parameters: trained.modules[module],
    ...Object.fromEntries(
      columns.map(([c, { modules }]) => [c, (modules[module] ?? 0) / 1e9]),
    ),
  }));
  const total = {
    module: "total",
    parameters: trained.total,
    ...Object.fromEntries(columns.map(([c, { total }]) => [c, total / 1e9])),
  };
  return [...rows, total];
}
