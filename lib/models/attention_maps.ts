/** Where the cls token looks: attention maps, their rollout, logits and entropy. */
import { applyScope, type Forward, type ScopeValues } from "../nn/mod.ts";
import { tf } from "../tensorflow/mod.ts";

/** A model's parameters and buffers on the device. */
export type StateTensors = Pick<ScopeValues, "parameters" | "buffers">;

/** One block's attention, both [B, heads, M, N]: M queries, N keys. */
interface Attention {
  /** The attention's name, for instance "blocks.0.attn". */
  layer: string;
  logits: tf.Tensor4D;
  weights: tf.Tensor4D;
}

/** What the blocks record in eval mode, in their order; call it in `tf.tidy`. */
function recorded(
  forward: Forward,
  values: StateTensors,
  images: tf.Tensor4D,
): Attention[] {
  const blocks: Attention[] = [];
  let logits: tf.Tensor;
  const record = (name: string, value: tf.Tensor) => {
    if (name.endsWith(".attn.logits")) logits = value;
    if (name.endsWith(".attn.attention")) {
      const layer = name.slice(0, name.lastIndexOf("."));
      blocks.push({ layer, logits, weights: value } as Attention);
    }
  };
  forward(applyScope({ ...values, training: false, record }), images);
  return blocks;
}

/** @throws for a model without attention */
function some(blocks: Attention[]): Attention[] {
  if (blocks.length === 0) {
    throw new Error("attention maps: the model has no attention blocks");
  }
  return blocks;
}

/**
 * Each block's attention weights [B, heads, M, N] in eval mode, the keys of a
 * query summing to 1; token 0 is cls, the others are the map row by row. M is
 * N where all tokens ask, 1 where the cls token alone does; N is 1 from the
 * second block on where the patches are dropped.
 *
 * @param images [B, H, W, C]
 * @throws for a model without attention
 */
export function attentionMaps(
  forward: Forward,
  values: StateTensors,
  images: tf.Tensor4D,
): tf.Tensor4D[] {
  return tf.tidy(() =>
    some(recorded(forward, values, images)).map((b) => tf.clone(b.weights))
  );
}

/**
 * Row 0 of [B, M, N] without its own column as square maps [B, h, w].
 *
 * @throws unless N − 1 is a square above 0
 */
function squares(rows: tf.Tensor3D): tf.Tensor3D {
  const [batch, , tokens] = rows.shape;
  const side = Math.sqrt(tokens - 1);
  if (side === 0) {
    throw new Error(
      "attention maps: the block sees no patches, as earlier blocks dropped them",
    );
  }
  if (!Number.isInteger(side)) {
    throw new Error(
      `attention maps: ${tokens - 1} patches are not a square map`,
    );
  }
  const patches = tf.slice(rows, [0, 0, 1], [batch, 1, tokens - 1]);
  return tf.reshape(patches, [batch, side, side]);
}

/**
 * How much the cls token takes from each patch, the mean over heads: one
 * block's weights [B, heads, M, N] to [B, √(N−1), √(N−1)]. The maps sum to 1
 * less what cls takes from itself.
 *
 * @throws for a block without patches or whose patches are not a square map
 */
export function clsAttention(weights: tf.Tensor4D): tf.Tensor3D {
  return tf.tidy(() => squares(tf.mean(weights, 1) as tf.Tensor3D));
}

/** (mean over heads + identity), each row over its sum: [B, M, N]. */
function mixing(weights: tf.Tensor4D): tf.Tensor3D {
  const [, , queries, keys] = weights.shape;
  const identity = tf.slice(tf.eye(keys), [0, 0], [queries, keys]);
  const mixed = tf.add(tf.mean(weights, 1), identity);
  return tf.div(mixed, tf.sum(mixed, -1, true));
}

/**
 * Attention rollout (arXiv 2005.00928): each block's weights, mean over heads,
 * plus the identity of the shortcut, rows normalised; the product of all
 * blocks, later ones on the left; its cls row without its own column as maps
 * [B, h, w], not normalised again.
 *
 * Where the cls token alone asks (M = 1), kept patches have the identity's
 * rows, since no attention mixes them; where they are dropped, later blocks
 * see only cls, and the rollout is the first block's.
 *
 * @param blocks what `attentionMaps` returns
 */
export function rollout(blocks: readonly tf.Tensor4D[]): tf.Tensor3D {
  return tf.tidy(() => {
    const [last, ...before] = blocks.map(mixing).reverse();
    let row = tf.slice(last, [0, 0, 0], [-1, 1, -1]); // [B, 1, N]
    for (const matrix of before) {
      const [, queries, keys] = matrix.shape;
      const tokens = row.shape[2];
      if (queries === tokens) row = tf.matMul(row, matrix);
      else {
        // cls asked alone: its row of the matrix, then the patches' identity.
        const cls = tf.slice(row, [0, 0, 0], [-1, 1, 1]);
        const kept = tf.slice(row, [0, 0, 1], [-1, 1, -1]);
        const own = tf.pad(kept, [[0, 0], [0, 0], [keys - tokens + 1, 0]]);
        row = tf.add(tf.mul(cls, matrix), own);
      }
    }
    return squares(row);
  });
}

/** Of some queries' attention, over the batch and all heads. */
export interface AttentionStatistics {
  /** Largest logit, scaled as the softmax sees it. */
  maxLogit: number;
  /** Mean of −Σ w·ln w, in nats; ln N is even attention, 0 a single key. */
  entropy: number;
}

/** A block's statistics as scalars. */
function scalars({ logits, weights }: Omit<Attention, "layer">): tf.Tensor[] {
  // A weight of 0 adds 0, while its logarithm is infinite. 1e-37 is float32's
  // least power of ten that the device does not take for 0.
  const positive = tf.maximum(weights, 1e-37);
  const entropy = tf.neg(tf.sum(tf.mul(weights, tf.log(positive)), -1));
  return [tf.max(logits), tf.mean(entropy)];
}

const first = (x: tf.Tensor4D) => tf.slice(x, 0, [-1, -1, 1, -1]);

/**
 * Per block, in eval mode: logits and entropy of the cls query and of all
 * queries, which are the same where cls alone asks. Logits that grow while
 * the entropy falls to 0 foretell divergence (arXiv 2303.06296). As a tensor
 * [blocks, 4] for a compiled function, and by `readStatistics` as numbers;
 * none for a model without attention.
 */
export function attentionStatistics(
  forward: Forward,
  values: StateTensors,
  images: tf.Tensor4D,
): { layers: string[]; statistics: tf.Tensor } {
  return tf.tidy(() => {
    const blocks = recorded(forward, values, images);
    const rows = blocks.map(({ logits, weights }) =>
      tf.stack([
        ...scalars({ logits: first(logits), weights: first(weights) }),
        ...scalars({ logits, weights }),
      ])
    );
    return {
      layers: blocks.map((b) => b.layer),
      statistics: rows.length > 0 ? tf.stack(rows) : tf.zeros([0, 4]),
    } as { layers: string[]; statistics: tf.Tensor };
  });
}

/** What `attentionStatistics` made, from its numbers. */
export function readStatistics(
  layers: readonly string[],
  numbers: ArrayLike<number>,
): { layer: string; cls: AttentionStatistics; all: AttentionStatistics }[] {
  return layers.map((layer, i) => {
    const at = (j: number) => numbers[4 * i + j];
    return {
      layer,
      cls: { maxLogit: at(0), entropy: at(1) },
      all: { maxLogit: at(2), entropy: at(3) },
    };
  });
}
