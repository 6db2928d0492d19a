/**
 * Convolutions that normalise what they read and measure what they write, by
 * FERLab's own ops (lib/tensorflow/native): a normalised map is never stored.
 */
import {
  type Attr,
  AttrType,
  backend,
  DataType,
  tf,
} from "../tensorflow/mod.ts";
import { define } from "./kernels.ts";

const int = (name: string, value: number): Attr => ({
  name,
  type: AttrType.INT,
  value,
});
const float = (name: string, value: number): Attr => ({
  name,
  type: AttrType.FLOAT,
  value,
});

/** A batch norm that is still to be done: what it divides by and is scaled with, all [C]. */
export interface Norm {
  mean: tf.Tensor;
  variance: tf.Tensor;
  scale: tf.Tensor;
  offset: tf.Tensor;
  /** Of a PReLU behind it. */
  slope?: tf.Tensor;
  eps: number;
  /** Whether mean and variance are the batch's own, which gradients pass through. */
  training: boolean;
}

/** Mean and biased variance of a map's channels, [C] each, no part of the tape. */
export type Statistics = [mean: tf.Tensor, variance: tf.Tensor];

// What the ops read: a map as it is, normalised, or that through a PReLU.
const PLAIN = 0, NORMED = 1, ACTIVATED = 2;

/** An op's inputs for `norm`; the op looks at none of them where there is none. */
function inputsOf(norm?: Norm): Record<string, tf.Tensor> {
  const none = tf.scalar(0);
  return {
    mean: norm?.mean ?? none,
    variance: norm?.variance ?? none,
    scale: norm?.scale ?? none,
    offset: norm?.offset ?? none,
    slope: norm?.slope ?? none,
  };
}

const readsOf = (norm?: Norm) =>
  !norm ? PLAIN : norm.slope ? ACTIVATED : NORMED;

/** Of an op's outputs those that the tape does not follow. */
function untaped(x: tf.Tensor): tf.Tensor {
  return backend.executeSingleOutput("Identity", [
    { name: "T", type: AttrType.TYPE, value: DataType.FLOAT },
  ], [x]);
}

type ConvAttrs = {
  stride: number;
  reads: number;
  eps: number;
  training: boolean;
  measure: boolean;
  /** Whether x comes back as a second output, whose gradient joins its own. */
  passes: boolean;
};
const NORM = ["mean", "variance", "scale", "offset", "slope"];

const conv = define<ConvAttrs>({
  name: "FerlabNormConv",
  run: (inputs, { stride, reads, eps, measure, passes }) => {
    const [y, mean, variance] = backend.executeMultipleOutputs(
      `FerlabConv${stride}`,
      [
        ...[int("stride", stride), int("reads", reads)],
        ...[int("statistics", Number(measure)), float("epsilon", eps)],
      ],
      ["x", "weights", ...NORM].map((name) => inputs[name]),
      3,
    );
    return [y, mean, variance, ...passes ? [untaped(inputs.x)] : []];
  },
  saveInputs: ["x", "weights", ...NORM],
  gradient: ([dy, , , dPassed], saved, attrs) => {
    const { stride, reads, eps, training, passes } = attrs;
    const shared = [
      ...[int("stride", stride), int("reads", reads), float("epsilon", eps)],
    ];
    const back = () =>
      backend.executeMultipleOutputs(
        "FerlabConvInputGrad",
        [
          ...shared,
          int("training", Number(training)),
          int("adds", Number(passes)),
        ],
        [...saved, dy, passes ? dPassed : tf.scalar(0)],
        4,
      );
    // What one thunk makes is gone before the next, so all is made before
    // them; but nobody may want the gradient of a map without parameters.
    const made = reads === PLAIN ? null : back();
    return {
      x: () => made?.[0] ?? back()[0],
      ...made && {
        scale: () => made[1],
        offset: () => made[2],
        slope: () => made[3],
      },
      weights: () =>
        backend.executeSingleOutput("FerlabConvWeightsGrad", shared, [
          ...saved,
          dy,
        ]),
    };
  },
});

/**
 * The convolution of norm(x), or of x, [B, H, W, C] with weights [k, k, C, F],
 * k 3 or 1, padded as PyTorch's with (k − 1) / 2.
 *
 * @param measure whether the output's statistics are wanted
 * @param passes whether x comes back as `passed`, for a shortcut: its gradient
 * is then added to x's in the same pass
 */
export function normConv(
  x: tf.Tensor4D,
  weights: tf.Tensor,
  { norm, stride, measure, passes }: {
    norm?: Norm;
    stride: 1 | 2;
    measure: boolean;
    passes: boolean;
  },
): { y: tf.Tensor4D; statistics?: Statistics; passed: tf.Tensor4D } {
  const [y, mean, variance, passed] = conv(
    { x, weights, ...inputsOf(norm) },
    {
      ...{ stride, measure, passes, reads: readsOf(norm) },
      ...{ eps: norm?.eps ?? 0, training: norm?.training ?? false },
    },
  );
  return {
    y: y as tf.Tensor4D,
    statistics: measure ? [untaped(mean), untaped(variance)] : undefined,
    passed: (passed ?? x) as tf.Tensor4D,
  };
}

type JoinAttrs = {
  other: number;
  measure: boolean;
  eps: number;
  training: boolean;
};
const OTHER_PLAIN = 0, OTHER_NORMED = 1, NO_OTHER = 2;
const OTHERS = NORM.slice(0, 4).map((name) => `other_${name}`);

const join = define<JoinAttrs>({
  name: "FerlabNormJoin",
  run: (inputs, { other, measure, eps }) =>
    backend.executeMultipleOutputs(
      "FerlabJoin",
      [
        ...[int("reads", other), int("statistics", Number(measure))],
        float("epsilon", eps),
      ],
      ["y", ...NORM, "other", ...OTHERS].map((name) => inputs[name]),
      3,
    ),
  saveInputs: ["y", ...NORM, "other", ...OTHERS],
  gradient: ([dout], saved, { other, eps, training }) => {
    const back = (x: tf.Tensor, norm: tf.Tensor[], reads: number) =>
      backend.executeMultipleOutputs(
        "FerlabNormGrad",
        [
          ...[int("reads", reads), int("training", Number(training))],
          float("epsilon", eps),
        ],
        [x, dout, ...norm],
        4,
      );
    const [y, mean, variance, scale, offset, slope, second, ...seconds] = saved;
    const norm = [mean, variance, scale, offset, slope];
    const first = back(y, norm, other === NO_OTHER ? ACTIVATED : NORMED);
    const shortcut = other === OTHER_NORMED
      ? back(second, [...seconds, slope], NORMED)
      : null;
    return {
      y: () => first[0],
      scale: () => first[1],
      offset: () => first[2],
      slope: () => first[3],
      other: () => shortcut?.[0] ?? tf.clone(dout),
      ...shortcut && {
        other_scale: () => shortcut[1],
        other_offset: () => shortcut[2],
      },
    };
  },
});

/**
 * norm(y) + shortcut, the shortcut normalised where it has a norm; without a
 * shortcut norm(y), which must then have a slope. Both norms share eps.
 */
export function normJoin(
  y: tf.Tensor4D,
  norm: Norm,
  shortcut: { x: tf.Tensor4D; norm?: Norm } | null,
  measure: boolean,
): { out: tf.Tensor4D; statistics?: Statistics } {
  const second = inputsOf(shortcut?.norm);
  const [out, mean, variance] = join({
    y,
    ...inputsOf(norm),
    other: shortcut?.x ?? tf.scalar(0),
    ...Object.fromEntries(
      OTHERS.map((name) => [name, second[name.slice("other_".length)]]),
    ),
  }, {
    other: !shortcut ? NO_OTHER : shortcut.norm ? OTHER_NORMED : OTHER_PLAIN,
    ...{ measure, eps: norm.eps, training: norm.training },
  });
  return {
    out: out as tf.Tensor4D,
    statistics: measure ? [untaped(mean), untaped(variance)] : undefined,
  };
}

/**
 * What running statistics become: (1 − momentum)·old + momentum·batch, the
 * variance unbiased as in PyTorch; `pixels` is how many the batch has.
 */
export function runningStatistics(
  old: Statistics,
  batch: Statistics,
  { momentum, pixels }: { momentum: number; pixels: number },
): Statistics {
  const [mean, variance] = backend.executeMultipleOutputs(
    "FerlabRunningStatistics",
    [float("momentum", momentum), float("pixels", pixels)],
    [...old, ...batch],
    2,
  );
  return [mean, variance];
}
