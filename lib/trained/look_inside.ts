/** Where small trained nets look, and what their blocks learn by. */
import { type Dataset, imagesOf, syntheticFaces } from "../data/mod.ts";
import { tf } from "../tensorflow/mod.ts";
import { attentionMaps, clsAttention, rollout } from "../models/mod.ts";
import {
  diagnoser,
  parseRecipe,
  readVariables,
  type Recipe,
  RecipeError,
  type Trainer,
  TrainingRun,
} from "../train/mod.ts";
import { gradCam, overMaximum, upsample } from "./gradcam.ts";

/** Side of the maps. */
const SIDE = 8;

/** What `lookInside` found, as `heatOverlayChart` takes it. */
export interface Looked {
  columns: string[];
  /** A map a column, each of `side` by `side` values from 0 to 1. */
  faces: {
    label: string;
    face: Uint8Array;
    maps: Float32Array[];
    side: number;
  }[];
  blocks: {
    net: string;
    /** From 1. */
    block: number;
    /** Of the cls token's attention, in nats: ln N for an even look at N. */
    entropy: number;
    /** Norms of the loss's gradient by weight: wq, wk, wv, or qkv for all. */
    gradients: Record<string, number>;
  }[];
  size: number;
  channels: 1 | 3;
}

/**
 * Shares of attention [B, h, w] as values from 0 to 1: 0 for a patch with the
 * mean share or less, 1 from twice the mean on. Over its own maximum, as a
 * Grad-CAM, an even look would be as bright as a sharp one.
 */
export const aboveMean = (shares: tf.Tensor): tf.Tensor =>
  tf.tidy(() => {
    const mean = tf.mean(shares, [1, 2], true);
    const times = tf.div(shares, tf.maximum(mean, 1e-12));
    return tf.clipByValue(tf.sub(times, 1), 0, 1);
  });

/** Maps [B, h, w] from 0 to 1, a [SIDE, SIDE] a face. */
function mapsToShow(maps: tf.Tensor): Float32Array[] {
  const all = upsample(maps, [SIDE, SIDE])
    .dataSync() as Float32Array;
  return Array.from(
    { length: maps.shape[0] },
    (_, i) => all.slice(i * SIDE ** 2, (i + 1) * SIDE ** 2),
  );
}

/** Attention and Grad-CAM (of each face's true class), by name. */
const mapsOf = (
  { forward, variables, recipe }: Trainer,
  { images, labels }: ReturnType<typeof imagesOf>,
) =>
  tf.tidy((): Record<string, Float32Array[]> => {
    const n = labels.length, { size, model, patches } = recipe;
    const pixels = tf.tensor4d(images, [n, size, size, 3], "int32");
    const x = tf.div(pixels, 255) as tf.Tensor4D;
    const values = readVariables(variables);
    const blocks = attentionMaps(forward, values, x);
    const { map } = gradCam(forward, values, x, {
      activation: "irback.layer3",
    });
    const [, , h, w] = map.shape;
    const own = Array.from(
      labels as Int32Array,
      (k, i) => tf.reshape(tf.slice(map, [i, k, 0, 0], [1, 1, h, w]), [h, w]),
    );
    return {
      // Where patches are dropped, later blocks have no map.
      ...model === "cls" && patches === "dropped"
        ? {
          "attention, block 1": mapsToShow(aboveMean(clsAttention(blocks[0]))),
        }
        : {
          "attention, last block": mapsToShow(
            aboveMean(clsAttention(blocks.at(-1)!)),
          ),
          rollout: mapsToShow(aboveMean(rollout(blocks))),
        },
      "Grad-CAM": mapsToShow(overMaximum(tf.stack(own))),
    };
  });

/** Trains a net for an epoch and looks into it. */
async function look(recipe: Recipe, data: Dataset, faces: number[]) {
  const run = new TrainingRun({ ...recipe, epochs: 1 }, data);
  const { trainer } = await run.start();
  const looker = diagnoser(trainer);
  try {
    const batches = [...run.batchesOf(1)];
    for (const { images, labels, shape } of batches) {
      await trainer.trainBatch(images, labels, shape);
    }
    const [{ images, labels, shape }] = batches;
    return {
      maps: mapsOf(trainer, imagesOf(data.test, faces)),
      ...await looker.run(images, labels, shape),
    };
  } finally {
    looker.dispose();
    trainer.dispose();
  }
}

/**
 * Trains each net for an epoch on synthetic faces, all of one size, and looks
 * into it on a face of each class: some seconds for small nets. In a dry run
 * nothing is trained, and nothing found.
 *
 * @throws RecipeError for nets of several sizes
 */
export async function lookInside(
  nets: Record<string, Partial<Recipe>>,
  { train = 512 }: { train?: number } = {},
): Promise<Looked> {
  const recipes = Object.entries(nets)
    .map(([net, recipe]) => [net, parseRecipe(recipe)] as const);
  const [size = 64, ...others] = new Set(recipes.map(([, r]) => r.size));
  if (others.length > 0) {
    throw new RecipeError(
      `lookInside: the nets see ${size} and ${others} pixels: give one size`,
    );
  }
  const columns: string[] = [], maps: Float32Array[][] = [];
  const blocks: Looked["blocks"] = [];
  const looked = { columns, faces: [], blocks, size, channels: 3 as const };
  if (Deno.env.get("FERLAB_DRY_RUN")) return looked;
  const data = syntheticFaces({ size, train, validation: 7, test: 70 });
  const { labels } = data.test;
  const faces = data.classes.map((_, k) => labels.indexOf(k))
    .filter((at) => at >= 0);
  for (const [net, recipe] of recipes) {
    const seen = await look(recipe, data, faces);
    columns.push(...Object.keys(seen.maps).map((name) => `${net}: ${name}`));
    maps.push(...Object.values(seen.maps));
    seen.attention.forEach(({ layer, cls }, i) => {
      const weights = ["wq", "wk", "wv", "qkv"].flatMap((weight) =>
        seen.parameters
          .filter(({ name }) => name === `${layer}.${weight}.weight`)
          .map(({ gradientNorm }) => [weight, gradientNorm])
      );
      const gradients = Object.fromEntries(weights);
      blocks.push({ net, block: i + 1, entropy: cls.entropy, gradients });
    });
  }
  return {
    ...looked,
    faces: faces.map((at, i) => ({
      label: data.classes[labels[at]],
      face: imagesOf(data.test, [at]).images,
      maps: maps.map((own) => own[i]),
      side: SIDE,
    })),
  };
}
