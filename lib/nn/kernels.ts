/**
 * Kernels with gradients that tfjs lacks or composes of many ops: subsampling,
 * batch and layer norm, PReLU, GELU, bias, products, attention.
 */
import {
  type Attr,
  AttrType,
  backend,
  DataType,
  tf,
  usesNativeOps,
} from "../tensorflow/mod.ts";

const FLOAT: Attr = { name: "T", type: AttrType.TYPE, value: DataType.FLOAT };
const attr = (name: string, type: number, value: unknown): Attr => ({
  name,
  type,
  value,
});
type Named = Record<string, tf.Tensor>;
type Thunks = Record<string, () => tf.Tensor>;

/** Registers a kernel of our backend together with its gradient. */
export function define<A extends Record<string, unknown>>(kernel: {
  name: string;
  run: (inputs: Named, attrs: A) => tf.Tensor[];
  saveInputs: string[];
  saveOutputs?: boolean[];
  gradient: (dy: tf.Tensor[], saved: tf.Tensor[], attrs: A) => Thunks;
}): (inputs: Named, attrs: A) => tf.Tensor[] {
  tf.registerKernel({
    kernelName: kernel.name,
    backendName: "tensorflow",
    kernelFunc: ({ inputs, attrs }) =>
      tf.tidy(() =>
        kernel.run(inputs as Named, attrs as unknown as A)
      ) as tf.TensorInfo[],
  });
  tf.registerGradient({
    kernelName: kernel.name,
    inputsToSave: kernel.saveInputs,
    outputsToSave: kernel.saveOutputs,
    gradFunc: (dy, saved, attrs) =>
      kernel.gradient(
        Array.isArray(dy) ? dy : [dy],
        saved,
        attrs as unknown as A,
      ) as ReturnType<tf.GradFunc>,
  });
  return (inputs, attrs) => {
    const result = tf.engine().runKernel(
      kernel.name,
      inputs,
      attrs as unknown as tf.NamedAttrMap,
    );
    return (Array.isArray(result) ? result : [result]) as tf.Tensor[];
  };
}

const sliceAttrs: Attr[] = [
  FLOAT,
  attr("Index", AttrType.TYPE, DataType.INT32),
  ...["begin_mask", "end_mask"].map((n) => attr(n, AttrType.INT, 0b1111)),
  ...["ellipsis_mask", "new_axis_mask", "shrink_axis_mask"]
    .map((n) => attr(n, AttrType.INT, 0)),
];
const sliceBounds = (stride: number) =>
  [[0, 0, 0, 0], [0, 0, 0, 0], [1, stride, stride, 1]]
    .map((v) => tf.tensor1d(v, "int32"));

const slice = define<{ stride: number }>({
  name: "FerlabSubsample",
  run: ({ x }, { stride }) => [
    backend.executeSingleOutput("StridedSlice", sliceAttrs, [
      x,
      ...sliceBounds(stride),
    ]),
  ],
  saveInputs: ["x"],
  gradient: ([dy], [x], { stride }) => ({
    x: () =>
      backend.executeSingleOutput("StridedSliceGrad", sliceAttrs, [
        tf.tensor1d(x.shape, "int32"),
        ...sliceBounds(stride),
        dy,
      ]),
  }),
});

/** Rows and columns 0, stride, 2·stride, … of x [B, H, W, C]. */
export function subsample(x: tf.Tensor4D, stride: number): tf.Tensor4D {
  return slice({ x }, { stride })[0] as tf.Tensor4D;
}

type Norm = { training: boolean; eps: number; momentum: number };
const normAttrs = ({ training, eps }: Norm): Attr[] => [
  FLOAT,
  attr("U", AttrType.TYPE, DataType.FLOAT),
  attr("epsilon", AttrType.FLOAT, eps),
  attr("data_format", AttrType.STRING, "NHWC"),
  attr("is_training", AttrType.BOOL, training),
];

const norm = define<Norm>({
  name: "FerlabBatchNorm",
  run: ({ x, scale, offset, mean, variance }, attrs) =>
    backend.executeMultipleOutputs(
      "FusedBatchNormV3",
      [
        ...normAttrs(attrs),
        attr(
          "exponential_avg_factor",
          AttrType.FLOAT,
          attrs.training ? attrs.momentum : 1,
        ),
      ],
      [x, scale, offset, mean, variance],
      6,
    ),
  saveInputs: ["x", "scale", "mean", "variance"],
  saveOutputs: [false, false, false, true, true, true],
  gradient: ([dy], [x, scale, mean, variance, r1, r2, r3], attrs) => {
    // Outside of training the op leaves r1 and r2 as it found them.
    const used = attrs.training ? [r1, r2] : [mean, variance];
    const [dx, dScale, dOffset] = backend.executeMultipleOutputs(
      "FusedBatchNormGradV3",
      normAttrs(attrs),
      [dy, x, scale, ...used, r3],
      5,
    );
    return { x: () => dx, scale: () => dScale, offset: () => dOffset };
  },
});

/**
 * Batch normalisation of x [B, H, W, C] over all axes but the last. In
 * training by the batch's statistics; the running ones that come back are
 * (1 − momentum)·old + momentum·batch, the variance unbiased as in PyTorch.
 */
export function fusedBatchNorm(
  inputs: {
    x: tf.Tensor4D;
    scale: tf.Tensor;
    offset: tf.Tensor;
    mean: tf.Tensor;
    variance: tf.Tensor;
  },
  attrs: Norm,
): { y: tf.Tensor4D; mean: tf.Tensor; variance: tf.Tensor } {
  const [y, mean, variance] = norm(inputs, attrs);
  return { y: y as tf.Tensor4D, mean, variance };
}

const parametricRelu = define<Record<never, never>>({
  name: "FerlabPrelu",
  run: ({ x, alpha }) => {
    const below = tf.minimum(x, 0);
    return [tf.add(x, tf.mul(below, tf.sub(alpha, 1))), below];
  },
  // Not x: its sign is that of what is below 0, and it need not stay alive.
  saveInputs: ["alpha"],
  saveOutputs: [false, true],
  gradient: ([dy], [alpha, below]) => ({
    x: () => tf.where(tf.less(below, 0), tf.mul(dy, alpha), dy),
    alpha: () => tf.sum(tf.mul(dy, below), [0, 1, 2]),
  }),
});

/** x where it is positive, alpha·x elsewhere; x [B, H, W, C], alpha [C]. */
export function channelPrelu(x: tf.Tensor4D, alpha: tf.Tensor): tf.Tensor4D {
  return parametricRelu({ x, alpha }, {})[0] as tf.Tensor4D;
}

const exactGelu = define<Record<never, never>>({
  name: "FerlabGelu",
  run: ({ x }) => {
    const cdf = tf.add(tf.mul(tf.erf(tf.mul(x, Math.SQRT1_2)), 0.5), 0.5);
    return [tf.mul(x, cdf), cdf];
  },
  saveInputs: ["x"],
  saveOutputs: [false, true],
  gradient: ([dy], [x, cdf]) => ({
    x: () => {
      const density = tf.mul(
        tf.exp(tf.mul(tf.square(x), -0.5)),
        1 / Math.sqrt(2 * Math.PI),
      );
      return tf.mul(dy, tf.add(cdf, tf.mul(x, density)));
    },
  }),
});

/** x·Φ(x) with the normal distribution itself (arXiv 1606.08415). */
export function gelu(x: tf.Tensor): tf.Tensor {
  return exactGelu({ x }, {})[0];
}

const biasAttrs = [FLOAT, attr("data_format", AttrType.STRING, "NHWC")];
const geluOfBiased = define<Record<never, never>>({
  name: "FerlabBiasGelu",
  run: ({ x, bias }) => [
    backend.executeSingleOutput("FerlabBiasGelu", [], [x, bias]),
  ],
  saveInputs: ["x", "bias"],
  gradient: ([dy], [x, bias]) => {
    const [dx, dBias] = backend.executeMultipleOutputs(
      "FerlabBiasGeluGrad",
      [],
      [dy, x, bias],
      2,
    );
    return { x: () => dx, bias: () => dBias };
  },
});

/** gelu(x + bias), x [N, C] and bias [C]. */
export function biasedGelu(x: tf.Tensor, bias: tf.Tensor): tf.Tensor {
  return usesNativeOps()
    ? geluOfBiased({ x, bias }, {})[0]
    : gelu(biased(x, bias));
}

const addBias = define<Record<never, never>>({
  name: "FerlabBias",
  run: ({ x, bias }) => [
    backend.executeSingleOutput("BiasAdd", biasAttrs, [x, bias]),
  ],
  saveInputs: [],
  gradient: ([dy]) => ({
    x: () => tf.clone(dy),
    bias: () => backend.executeSingleOutput("BiasAddGrad", biasAttrs, [dy]),
  }),
});

/** x [N, C] plus bias [C]. */
export function biased(x: tf.Tensor, bias: tf.Tensor): tf.Tensor {
  return addBias({ x, bias }, {})[0];
}

/** All axes but the last. */
const leading = (x: tf.Tensor) => x.shape.slice(1).map((_, axis) => axis);

const normaliseLast = define<{ eps: number }>({
  name: "FerlabLayerNorm",
  run: ({ x, scale, offset }, { eps }) => {
    const centred = tf.sub(x, tf.mean(x, -1, true));
    const variance = tf.mean(tf.square(centred), -1, true);
    const inverse = tf.rsqrt(tf.add(variance, eps));
    const unit = tf.mul(centred, inverse);
    return [tf.add(tf.mul(unit, scale), offset), unit, inverse];
  },
  saveInputs: ["scale"],
  saveOutputs: [false, true, true],
  gradient: ([dy], [scale, unit, inverse]) => ({
    x: () => {
      const d = tf.mul(dy, scale);
      const along = tf.mul(unit, tf.mean(tf.mul(d, unit), -1, true));
      return tf.mul(tf.sub(tf.sub(d, tf.mean(d, -1, true)), along), inverse);
    },
    scale: () => tf.sum(tf.mul(dy, unit), leading(dy)),
    offset: () => tf.sum(dy, leading(dy)),
  }),
});

const normaliseRows = define<{ eps: number }>({
  name: "FerlabLayerNormRows",
  run: ({ x, scale, offset }, { eps }) =>
    backend.executeMultipleOutputs(
      "FerlabLayerNorm",
      [attr("epsilon", AttrType.FLOAT, eps)],
      [x, scale, offset],
      3,
    ),
  saveInputs: ["x", "scale"],
  saveOutputs: [false, true, true],
  gradient: ([dy], [x, scale, mean, inverse]) => {
    const [dx, dScale, dOffset] = backend.executeMultipleOutputs(
      "FerlabLayerNormGrad",
      [],
      [dy, x, scale, mean, inverse],
      3,
    );
    return { x: () => dx, scale: () => dScale, offset: () => dOffset };
  },
});

/** (x − mean) / √(variance + eps)·scale + offset over the last axis of x [..., D]. */
export function normalisedLast(
  inputs: { x: tf.Tensor; scale: tf.Tensor; offset: tf.Tensor },
  eps: number,
): tf.Tensor {
  return (usesNativeOps() ? normaliseRows : normaliseLast)(inputs, { eps })[0];
}

/** Which side of a product is turned; an op each, as their shapes differ. */
const NEITHER = 0, RIGHT = 1, LEFT = 2;
const product = define<{ turned: number }>({
  name: "FerlabProduct",
  run: ({ a, b }, { turned }) => [
    backend.executeSingleOutput(
      `FerlabProduct${turned}`,
      [attr("turned", AttrType.INT, turned)],
      [a, b],
    ),
  ],
  saveInputs: ["a", "b"],
  gradient: ([dy], [a, b], { turned }) => {
    const of = (a: tf.Tensor, b: tf.Tensor, turned: number) => (): tf.Tensor =>
      product({ a, b }, { turned })[0];
    if (turned === LEFT) return { a: of(b, dy, RIGHT), b: of(a, dy, NEITHER) };
    return {
      a: of(dy, b, turned === RIGHT ? NEITHER : RIGHT),
      b: turned === RIGHT ? of(dy, a, LEFT) : of(a, dy, LEFT),
    };
  },
});

/** a·b of a [N, C] and b [C, F]. */
export function matrixProduct(a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor2D {
  return usesNativeOps()
    ? product({ a, b }, { turned: NEITHER })[0] as tf.Tensor2D
    : tf.matMul(a, b);
}

const attend = define<{ scale: number }>({
  name: "FerlabAttention",
  run: ({ q, k, v }, { scale }) =>
    backend.executeMultipleOutputs(
      "FerlabAttention",
      [attr("scale", AttrType.FLOAT, scale)],
      [q, k, v],
      2,
    ),
  saveInputs: ["q", "k", "v"],
  saveOutputs: [false, true],
  gradient: ([dy], saved, { scale }) => {
    const [dq, dk, dv] = backend.executeMultipleOutputs(
      "FerlabAttentionGrad",
      [attr("scale", AttrType.FLOAT, scale)],
      [...saved, dy],
      3,
    );
    return { q: () => dq, k: () => dk, v: () => dv };
  },
});

/**
 * softmax(q·kᵀ·scale)·v by our own op, q [B, M, heads, d], k and v
 * [B, N, heads, d], or all three in one as [B, N, 3, heads, d]; gives
 * [B, M, heads, d].
 */
export function attention(
  [q, k, v]: [q: tf.Tensor, k: tf.Tensor, v: tf.Tensor] | [qkv: tf.Tensor],
  scale: number,
): tf.Tensor4D {
  const none = tf.scalar(0);
  const inputs = { q, k: k ?? none, v: v ?? none };
  return attend(inputs, { scale })[0] as tf.Tensor4D;
}
