/** The reduced networks of the PyTorch fixtures, with their weights. */
import { tf } from "../../lib/tensorflow/mod.ts";
import {
  type ClsOptions,
  type ModelName,
  modelOf,
} from "../../lib/models/mod.ts";
import {
  applyScope,
  type Forward,
  fromTorch,
  initialise,
  type ModelState,
} from "../../lib/nn/mod.ts";
import { readSafetensors } from "../../lib/weights/mod.ts";

const folder = new URL("../fixtures/", import.meta.url).pathname;

/** A stored tensor of float32 numbers. */
export interface Stored {
  shape: number[];
  data: Float32Array;
}

export async function fixture(name: string): Promise<Map<string, Stored>> {
  const { tensors } = await readSafetensors(folder + name);
  return tensors as unknown as Map<string, Stored>;
}

export const reference = JSON.parse(
  await Deno.readTextFile(folder + "ir_vit_tiny.json"),
) as {
  labels: number[];
  variants: Record<Variant, {
    params: number;
    loss_train: number;
    loss_eval: number;
    exactly_zero_gradients: string[];
    rounding_noise_gradients: string[];
    mean_cls_attention_entropy_nats_eval: number[];
  }>;
  adam_trace: Record<string, { float32: number[]; float64: number[] }>;
};

export const tiny: ClsOptions & { model: ModelName } = {
  model: "baseline",
  patches: "dropped",
  scale: "right",
  widths: [8, 16, 24, 32],
  layers: [1, 2, 1, 1],
  stemWidth: 8,
  stemStride: 1,
  depth: 2,
  dim: 32,
  heads: 4,
  mlpRatio: 4,
  classes: 7,
};

/** The published size: depth 8 on IR50. */
export const full = {
  ...tiny,
  widths: [64, 128, 256, 512],
  layers: [3, 4, 14, 3],
  stemWidth: 64,
  depth: 8,
  dim: 512,
  heads: 8,
};

const cls = { model: "cls" as const };
const dropped = { ...cls, patches: "dropped" as const };
const before = { ...cls, patches: "catBeforeMlp" as const };
const after = { ...cls, patches: "catAfterMlp" as const };
const inverse = { scale: "inverse" as const };
const qkNorm = { qkNorm: true };

/** What each variant of the fixtures sets. */
export const variants = {
  baseline: {},
  baseline_qk_norm: qkNorm,
  cls_dropped: dropped,
  cls_dropped_inverse: { ...dropped, ...inverse },
  cls_dropped_qk_norm: { ...dropped, ...qkNorm },
  cls_cat_before_mlp: before,
  cls_cat_before_mlp_inverse: { ...before, ...inverse },
  cls_cat_after_mlp: after,
  cls_cat_after_mlp_inverse: { ...after, ...inverse },
  cls_cat_after_mlp_qk_norm: { ...after, ...qkNorm },
};
export type Variant = keyof typeof variants;

export const model = (variant: Variant) =>
  modelOf({ ...tiny, ...variants[variant] });

/** All that is stored of a variant; what it shares with the Baseline, too. */
export async function storedOf(variant: Variant): Promise<Map<string, Stored>> {
  const shared = await fixture("ir_vit_tiny.safetensors");
  if (variant === "baseline") return shared;
  const own = await fixture(`ir_vit_tiny.${variant}.safetensors`);
  const common = [...shared].filter(([name]) =>
    /^(state|after)\.|^input$|\.tokens$/.test(name)
  );
  return new Map([...common, ...own]);
}

/** NCHW as NHWC. */
export function images({ data, shape }: Stored): tf.Tensor4D {
  return tf.tidy(() =>
    tf.transpose(
      tf.tensor4d(data, shape as [number, number, number, number]),
      [0, 2, 3, 1],
    )
  );
}

/** A variant's state with the fixture's values. */
export async function tinyState(
  variant: Variant = "baseline",
): Promise<ModelState> {
  const stored = await storedOf(variant);
  const state = initialise(model(variant), [56, 56, 3], 0);
  for (const entries of [state.parameters, state.buffers]) {
    for (const [name, entry] of entries) {
      const { data, shape } = stored.get(`state.${name}`)!;
      const ours = fromTorch(data, shape, entry.info.layout);
      if (String(ours.shape) !== String(entry.info.shape)) {
        throw new Error(`${name}: [${ours.shape}], not [${entry.info.shape}]`);
      }
      entry.data = ours.data;
    }
  }
  return state;
}

/** Tensors of a state, for `applyScope`. */
export function tensorsOf(state: ModelState) {
  const all = (entries: ModelState["parameters"]) =>
    Object.fromEntries(
      [...entries].map(([name, { info, data }]) => [
        name,
        tf.tensor(data, info.shape),
      ]),
    );
  return { parameters: all(state.parameters), buffers: all(state.buffers) };
}

/** A loss of a net's output as a function of x and the parameters in order. */
export function lossOf(
  forward: Forward,
  { parameters, buffers }: ReturnType<typeof tensorsOf>,
  loss: (
    y: ReturnType<Forward>,
    scope: ReturnType<typeof applyScope>,
  ) => tf.Tensor,
  training = true,
) {
  const names = Object.keys(parameters);
  return (x: tf.Tensor, ...values: tf.Tensor[]) => {
    const given = Object.fromEntries(values.map((t, i) => [names[i], t]));
    const scope = applyScope({ parameters: given, buffers, training });
    return loss(forward(scope, x as tf.Tensor4D), scope);
  };
}

/** The largest absolute difference; NaN counts as infinite. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const d = Math.abs(a[i] - b[i]);
    if (!(d <= largest)) largest = Number.isNaN(d) ? Infinity : d;
  }
  return largest;
}

/** L2 of the difference over L2 of `b`. */
export function relativeL2(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let difference = 0, norm = 0;
  for (let i = 0; i < b.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    norm += b[i] ** 2;
  }
  return Math.sqrt(difference / norm);
}
