/** Where both models look, and what they learn by, on synthetic faces. */
import { type Chart, heatOverlayChart } from "../charts/mod.ts";
import { type Dataset, gather, syntheticFaces } from "../data/mod.ts";
import { modelOf } from "../models/mod.ts";
import { initialise, releaseState } from "../nn/mod.ts";
import { tf } from "../tensorflow/mod.ts";
import {
  attentionMaps,
  clsAttention,
  diagnoser,
  type Diagnostics,
  gradCam,
  overMaximum,
  parseRecipe,
  type Recipe,
  rollout,
  type StateTensors,
  Trainer,
  upsample,
} from "../train/mod.ts";
import { baseOf, Profile } from "./profile.ts";
import { type Shown, table } from "./show.ts";

/** Side of the maps that are shown. */
const SIDE = 8;

interface Seen {
  model: "baseline" | "cls";
  /** By column: a map [SIDE, SIDE] a face. */
  maps: Record<string, Float32Array[]>;
  diagnostics: Diagnostics;
}

/** What `lookInside` found. */
export interface Looked {
  data: Dataset;
  /** Places in the test split of the faces shown, one a class. */
  faces: number[];
  seen: Seen[];
  recipe: Recipe;
}

/** The trained values on the device, for looks from outside. */
function valuesOf({ variables }: Trainer): StateTensors {
  const read = (all: Map<string, { value: { read(): tf.Tensor } }>) =>
    Object.fromEntries([...all].map(([name, v]) => [name, v.value.read()]));
  return {
    parameters: read(variables.parameters),
    buffers: read(variables.buffers),
  };
}

/** Maps [B, h, w] each over its maximum, a [SIDE, SIDE] a face. */
function shown(maps: tf.Tensor): Float32Array[] {
  const large = upsample(overMaximum(maps), [SIDE, SIDE]);
  const all = large.dataSync() as Float32Array;
  return Array.from(
    { length: maps.shape[0] },
    (_, i) => all.slice(i * SIDE ** 2, (i + 1) * SIDE ** 2),
  );
}

/** Attention and Grad-CAM (of each face's true class) of a trained model. */
function mapsOf(
  trainer: Trainer,
  images: Uint8Array,
  labels: ArrayLike<number>,
  size: number,
): Seen["maps"] {
  const isCls = trainer.recipe.model === "cls";
  const maps: Seen["maps"] = {};
  tf.tidy(() => {
    const x = tf.div(
      tf.tensor4d(images, [labels.length, size, size, 3], "int32"),
      255,
    ) as tf.Tensor4D;
    const values = valuesOf(trainer);
    const blocks = attentionMaps(trainer.forward, values, x);
    if (isCls) maps["CLS attention, block 1"] = shown(clsAttention(blocks[0]));
    else {
      maps["ViT attention, last block"] = shown(clsAttention(blocks.at(-1)!));
      maps["ViT rollout"] = shown(rollout(blocks));
    }
    const { map } = gradCam(trainer.forward, values, x, {
      activation: "irback.layer3",
    });
    const [, , h, w] = map.shape;
    const own = Array.from(
      labels,
      (k, i) => tf.reshape(tf.slice(map, [i, k, 0, 0], [1, 1, h, w]), [h, w]),
    );
    maps[isCls ? "CLS Grad-CAM" : "ViT Grad-CAM"] = shown(tf.stack(own));
  });
  return maps;
}

/** Trains one model for an epoch and looks into it. */
async function look(
  recipe: Recipe,
  data: Dataset,
  faces: number[],
): Promise<Seen> {
  const { size, channels, train, test } = data;
  const { batchSize } = recipe;
  const forward = modelOf(recipe);
  const state = initialise(forward, [size, size, channels], recipe.seed);
  const trainer = new Trainer(forward, state, recipe, { shared: true });
  releaseState(state);
  const batch = (at: number) => {
    const rows = Array.from({ length: batchSize }, (_, i) => at + i);
    const { images, labels } = gather(train, rows);
    return [images, labels as Int32Array, [
      batchSize,
      size,
      size,
      channels,
    ]] as Parameters<Trainer["trainBatch"]>;
  };
  const looker = diagnoser(trainer);
  try {
    for (let at = 0; at + batchSize <= train.n; at += batchSize) {
      await trainer.trainBatch(...batch(at));
    }
    const { images, labels } = gather(test, faces);
    return {
      model: recipe.model as Seen["model"],
      maps: mapsOf(trainer, images, labels as Int32Array, size),
      diagnostics: await looker.run(...batch(0)),
    };
  } finally {
    looker.dispose();
    trainer.dispose();
  }
}

/**
 * Trains the Baseline and the published CLS model for one epoch on synthetic
 * faces of 64 pixels, which have 4 × 4 patches, with the profile's net (cpu's
 * at paper) at two blocks or more, and looks into both. Some seconds.
 */
export async function lookInside(profile: string): Promise<Looked> {
  const named = Profile.parse(profile);
  const { recipe } = baseOf(named === "paper" ? "cpu" : named);
  const base = parseRecipe({
    ...recipe,
    size: 64,
    depth: Math.max(2, recipe.depth ?? 4),
    batchSize: 32,
    lr: 1e-3,
  });
  const data = syntheticFaces({
    size: 64,
    train: named === "smoke" ? 128 : 512,
    validation: 7,
    test: 70,
  });
  const faces = data.classes.flatMap((_, k) => {
    const at = data.test.labels.indexOf(k);
    return at < 0 ? [] : [at];
  });
  const seen = [];
  for (const model of ["baseline", "cls"] as const) {
    seen.push(await look({ ...base, model }, data, faces));
  }
  return { data, faces, seen, recipe: base };
}

/** The maps over a synthetic face of each class. */
export function attentionChart({ data, faces, seen }: Looked): Chart {
  const columns = seen.flatMap((s) => Object.keys(s.maps));
  const maps = seen.flatMap((s) => Object.values(s.maps));
  const { size, channels, test } = data;
  return heatOverlayChart(
    columns,
    faces.map((at, i) => ({
      label: data.classes[test.labels[at]],
      face: gather(test, [at]).images,
      maps: maps.map((m) => m[i]),
      side: SIDE,
    })),
    { size, channels },
  );
}

/**
 * Attention and gradients of each block behind the epoch: entropy in nats,
 * which is ln N for an even look at N tokens, and the norm of the loss's
 * gradient to the weights of query, key and value. The ViT has one matrix for
 * all three.
 */
export function blockTable({ seen, recipe }: Looked): Shown {
  const side = recipe.size / recipe.stemStride / 2 ** recipe.widths.length;
  return table(seen.flatMap(({ model, diagnostics }) => {
    const { attention, parameters } = diagnostics;
    const norm = (name: string) => {
      const found = parameters.find((p) => p.name === name);
      return found
        ? found.dead ? "0 (exactly)" : found.gradientNorm.toPrecision(3)
        : "–";
    };
    return attention.map(({ layer, cls }, i) => ({
      model: model === "cls" ? "CLS, patches dropped" : "Baseline",
      block: i + 1,
      "tokens seen": model === "cls" && i > 0 ? 1 : 1 + side ** 2,
      "entropy of cls (nats)": cls.entropy.toFixed(3),
      "gradient of wq": norm(`${layer}.wq.weight`),
      "gradient of wk": norm(`${layer}.wk.weight`),
      "gradient of wv": norm(`${layer}.wv.weight`),
      "gradient of qkv": norm(`${layer}.qkv.weight`),
    }));
  }));
}
