/** Where small trained nets look, and what their blocks learn by. */
import type { HeatRow } from "../charts/mod.ts";
import { type Dataset, gather, syntheticFaces } from "../data/mod.ts";
import { modelOf } from "../models/mod.ts";
import { initialise, releaseState } from "../nn/mod.ts";
import { StudyError } from "../study/mod.ts";
import { tf } from "../tensorflow/mod.ts";
import {
  attentionMaps,
  clsAttention,
  diagnoser,
  gradCam,
  overMaximum,
  parseRecipe,
  readVariables,
  type Recipe,
  rollout,
  Trainer,
  upsample,
} from "../train/mod.ts";

/** Side of the maps. */
const SIDE = 8;

/** One block of a net behind its epoch. */
export interface BlockLook {
  net: string;
  /** From 1. */
  block: number;
  /** Of the cls token's attention, in nats: ln N for an even look at N. */
  entropy: number;
  /** Norms of the loss's gradient by weight: wq, wk, wv, or qkv for all. */
  gradients: Record<string, number>;
}

/** What `lookInside` found, as `heatOverlayChart` takes it. */
export interface Looked {
  columns: string[];
  faces: HeatRow[];
  blocks: BlockLook[];
  size: number;
  channels: 1 | 3;
}

/** Maps [B, h, w], each over its maximum, a [SIDE, SIDE] a face. */
function shown(maps: tf.Tensor): Float32Array[] {
  const all = upsample(overMaximum(maps), [SIDE, SIDE])
    .dataSync() as Float32Array;
  return Array.from(
    { length: maps.shape[0] },
    (_, i) => all.slice(i * SIDE ** 2, (i + 1) * SIDE ** 2),
  );
}

/** Attention and Grad-CAM (of each face's true class), by name. */
const mapsOf = (
  trainer: Trainer,
  images: Uint8Array,
  labels: ArrayLike<number>,
) =>
  tf.tidy((): [string, Float32Array[]][] => {
    const { size, model, patches } = trainer.recipe;
    const x = tf.div(
      tf.tensor4d(images, [labels.length, size, size, 3], "int32"),
      255,
    ) as tf.Tensor4D;
    const values = readVariables(trainer.variables);
    const blocks = attentionMaps(trainer.forward, values, x);
    const { map } = gradCam(trainer.forward, values, x, {
      activation: "irback.layer3",
    });
    const [, , h, w] = map.shape;
    const own = Array.from(
      labels,
      (k, i) => tf.reshape(tf.slice(map, [i, k, 0, 0], [1, 1, h, w]), [h, w]),
    );
    // Where patches are dropped, later blocks have no map.
    const isDropped = model === "cls" && patches === "dropped";
    return [
      isDropped
        ? ["attention, block 1", shown(clsAttention(blocks[0]))]
        : ["attention, last block", shown(clsAttention(blocks.at(-1)!))],
      ...isDropped ? [] : [
        ["rollout", shown(rollout(blocks))] as [string, Float32Array[]],
      ],
      ["Grad-CAM", shown(tf.stack(own))],
    ];
  });

/** Trains a net for an epoch and looks into it. */
async function look(recipe: Recipe, data: Dataset, faces: number[]) {
  const { size, channels, train, test } = data;
  const { batchSize } = recipe;
  const forward = modelOf(recipe);
  const state = initialise(forward, [size, size, channels], recipe.seed);
  const trainer = new Trainer(forward, state, recipe, { shared: true });
  releaseState(state);
  const batch = (at: number): Parameters<Trainer["trainBatch"]> => {
    const rows = Array.from({ length: batchSize }, (_, i) => at + i);
    const { images, labels } = gather(train, rows);
    return [images, labels as Int32Array, [batchSize, size, size, channels]];
  };
  const looker = diagnoser(trainer);
  try {
    for (let at = 0; at + batchSize <= train.n; at += batchSize) {
      await trainer.trainBatch(...batch(at));
    }
    const { images, labels } = gather(test, faces);
    return {
      maps: mapsOf(trainer, images, labels),
      ...await looker.run(...batch(0)),
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
 * @throws StudyError for nets of several sizes
 */
export async function lookInside(
  nets: Record<string, Partial<Recipe>>,
  { train = 512 }: { train?: number } = {},
): Promise<Looked> {
  const recipes = Object.entries(nets)
    .map(([net, recipe]) => ({ net, recipe: parseRecipe(recipe) }));
  const [size = 64, ...others] = new Set(recipes.map((r) => r.recipe.size));
  if (others.length > 0) {
    throw new StudyError(
      `lookInside: the nets see ${size} and ${others} pixels: give one size`,
    );
  }
  const looked: Looked = {
    columns: [],
    faces: [],
    blocks: [],
    size,
    channels: 3,
  };
  if (Deno.env.get("FERLAB_DRY_RUN")) return looked;
  const data = syntheticFaces({ size, train, validation: 7, test: 70 });
  const { labels } = data.test;
  const faces = data.classes.map((_, k) => labels.indexOf(k))
    .filter((at) => at >= 0);
  const maps: Float32Array[][] = [];
  for (const { net, recipe } of recipes) {
    const seen = await look(recipe, data, faces);
    looked.columns.push(...seen.maps.map(([name]) => `${net}: ${name}`));
    maps.push(...seen.maps.map(([, own]) => own));
    looked.blocks.push(...seen.attention.map(({ layer, cls }, i) => ({
      net,
      block: i + 1,
      entropy: cls.entropy,
      gradients: Object.fromEntries(
        seen.parameters.flatMap(({ name, gradientNorm }) => {
          const [, weight] = /\.(wq|wk|wv|qkv)\.weight$/.exec(name) ?? [];
          return name.startsWith(`${layer}.${weight}.`)
            ? [[weight, gradientNorm]]
            : [];
        }),
      ),
    })));
  }
  looked.faces = faces.map((at, i) => ({
    label: data.classes[labels[at]],
    face: gather(data.test, [at]).images,
    maps: maps.map((own) => own[i]),
    side: SIDE,
  }));
  return looked;
}
