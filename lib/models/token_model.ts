/** What the token models share: the tokens before the blocks, the head behind them. */
import {
  constant,
  dropPath,
  layerNorm,
  layerScale,
  linear,
  type Scope,
  squeezeExcite,
} from "../nn/mod.ts";
import { tf } from "../tensorflow/mod.ts";
import type { Ir50Options } from "./ir50.ts";

export interface TokenOptions extends Ir50Options {
  /** Blocks behind the backbone. */
  depth: number;
  /** Width of the tokens; the map's channels, as nothing projects them. */
  dim: number;
  heads: number;
  /** Hidden width of a block's MLP over dim. */
  mlpRatio: number;
  classes: number;
  /** LayerNorm of q and k in each head. */
  qkNorm?: boolean;
  /** First value of LayerScale's factors; 0 is none. */
  layerScale?: number;
  /** Squeeze-and-excitation of the token that the head reads. */
  seHead?: boolean;
  /** Dropout of the attention weights, in training. */
  attentionDrop?: number;
  /** Dropout behind the projection and both MLP layers, in training. */
  projectionDrop?: number;
  /** Stochastic depth of the last block; it grows from 0 at the first. */
  pathDrop?: number;
}

/**
 * A map [B, h, w, C] as tokens [B, 1 + h·w, C]: a trained cls token, then the
 * pixels row by row, plus a trained position table; both are 0 at first.
 */
export function tokens(scope: Scope, map: tf.Tensor4D): tf.Tensor3D {
  const [batch, height, width, dim] = map.shape;
  const n = 1 + height * width;
  const cls = scope.param("cls_token", [1, 1, dim], "none", constant(0));
  const position = scope.param("pos_embed", [1, n, dim], "none", constant(0));
  const patches = tf.reshape(map, [batch, n - 1, dim]);
  // A sum, as the gradient of `tile` is one slice a copy.
  const first = tf.add(tf.fill([batch, 1, dim], 0), cls);
  const x = tf.add(tf.concat([first, patches], 1), position) as tf.Tensor3D;
  return scope.record("tokens", x);
}

/** Tokens [B, N, D] without the first: [B, N − 1, D]. */
export function patchesOf(x: tf.Tensor3D): tf.Tensor3D {
  const [batch, n, dim] = x.shape;
  return tf.slice(x, [0, 1, 0], [batch, n - 1, dim]);
}

/** The first of tokens [B, N, D]: [B, 1, D]. */
export function clsOf(x: tf.Tensor3D): tf.Tensor3D {
  const [batch, , dim] = x.shape;
  return tf.slice(x, [0, 0, 0], [batch, 1, dim]);
}

/** Stochastic depth's rate of a block: linear in it, as timm 0.9.16 spreads it. */
const pathRate = (
  { depth, pathDrop = 0 }: Pick<TokenOptions, "depth" | "pathDrop">,
  block: number,
) => depth > 1 ? pathDrop * block / (depth - 1) : pathDrop;

/** Every rate of dropout in a model of these options. */
export function dropRates(
  options: Pick<
    TokenOptions,
    "depth" | "attentionDrop" | "projectionDrop" | "pathDrop"
  >,
): number[] {
  const { attentionDrop = 0, projectionDrop = 0, depth } = options;
  const paths = Array.from({ length: depth }, (_, i) => pathRate(options, i));
  return [attentionDrop, projectionDrop, ...paths];
}

/**
 * What block `block` adds to its tokens: y behind LayerScale and stochastic
 * depth.
 */
export function branch(
  scope: Scope,
  y: tf.Tensor3D,
  options: TokenOptions,
  { block, part }: { block: number; part: 1 | 2 },
): tf.Tensor3D {
  const { layerScale: initial = 0 } = options;
  if (initial > 0) y = layerScale(scope.within(`ls${part}`), y, initial);
  const rate = pathRate(options, block);
  return dropPath(scope.within(`drop_path${part}`), y, rate);
}

/** `depth` times `block`, named and recorded as "blocks.i". */
export function blocks(
  scope: Scope,
  x: tf.Tensor3D,
  { depth }: TokenOptions,
  block: (scope: Scope, x: tf.Tensor3D, i: number) => tf.Tensor3D,
): tf.Tensor3D {
  for (let i = 0; i < depth; i++) {
    const name = `blocks.${i}`;
    x = scope.record(name, block(scope.within(name), x, i));
  }
  return x;
}

/** Final norm of tokens [B, N, D], then the logits [B, classes] of the first. */
export function head(
  scope: Scope,
  x: tf.Tensor3D,
  { classes, seHead }: TokenOptions,
  eps: number,
): tf.Tensor2D {
  x = scope.record("norm", layerNorm(scope.within("norm"), x, eps));
  const [batch, , dim] = x.shape;
  let token = tf.reshape(clsOf(x), [batch, dim]) as tf.Tensor2D;
  if (seHead) token = squeezeExcite(scope.within("se"), token);
  return linear(scope.within("head"), token, classes);
}
