/** Named parameters: what a layer asks for, and where the values come from. */
import {
  noteParameter,
  returnMemory,
  statelessNormal,
  statelessUniform,
  tf,
  withoutValues,
} from "../tensorflow/mod.ts";

/**
 * How a parameter's axes stand here and in PyTorch: conv is HWIO and OIHW,
 * linear [in, out] and [out, in]; "none" is the same in both.
 */
export type Layout = "conv" | "linear" | "none";

export interface ParameterInfo {
  /** PyTorch's name, for instance "irback.layer1.0.bn1.weight". */
  name: string;
  shape: number[];
  layout: Layout;
}

/** Draws a parameter's first value; `seed` is int32 [2]. */
export type Initialiser = (shape: number[], seed: tf.Tensor) => tf.Tensor;

export const constant = (value: number): Initialiser => (shape) =>
  tf.fill(shape, value);
/** N(0, deviation²). */
export const normal = (deviation: number): Initialiser => (shape, seed) =>
  tf.mul(statelessNormal(shape, seed), deviation);
/** U(−bound, bound). */
export const uniform = (bound: number): Initialiser => (shape, seed) =>
  tf.sub(tf.mul(statelessUniform(shape, seed), 2 * bound), bound);

/** One layer's work on the batch that it was given. */
export interface Operation {
  kind:
    | "conv"
    | "linear"
    /** Both products of an attention among all tokens; its layers lie within it. */
    | "selfAttention"
    /** Both products of an attention of the cls token. */
    | "classAttention"
    | "batchNorm"
    | "layerNorm"
    | "prelu"
    | "relu"
    | "gelu"
    | "softmax";
  /** Multiply-adds of convolutions and matrix products. */
  multiplyAdds?: number;
  /** Values of the output. */
  elements: number;
  /** A normalisation's. */
  eps?: number;
  bias?: boolean;
}

/** What is drawn below `rate` is dropped, the rest multiplied by `factor`. */
export interface Dropping {
  rate: tf.Tensor | number;
  /** 1 / (1 − rate). */
  factor: tf.Tensor | number;
}

/** What a layer sees of the model around it. */
export interface Scope {
  /** Batch statistics and their update, or the running ones. */
  readonly training: boolean;
  /** Whether somebody watches activations, so that none may be left out. */
  readonly watched: boolean;
  /** The trained parameter `name` of this scope. */
  param(
    name: string,
    shape: number[],
    layout: Layout,
    init: Initialiser,
  ): tf.Tensor;
  /** The untrained tensor `name`, `value` everywhere at first. */
  buffer(name: string, shape: number[], value: number): tf.Tensor;
  /** The buffer's value after this step. */
  setBuffer(name: string, value: tf.Tensor): void;
  /** Uniform draws in [0, 1), new in each training step. */
  uniform(name: string, shape: number[]): tf.Tensor;
  /** A rate of dropout as what the step computes with. */
  dropping(rate: number): Dropping;
  /** Offers an activation to whoever watches, and goes on with what that returns. */
  record<T extends tf.Tensor>(name: string, value: T): T;
  /** Says what a layer computes, to whoever counts. */
  operation(operation: Operation): void;
  /** The scope of a part: its names begin with `prefix.`. */
  within(prefix: string): Scope;
}

/** A model: images [B, H, W, C] float32 to logits [B, classes]. */
export type Forward = (scope: Scope, images: tf.Tensor4D) => tf.Tensor2D;

export interface ModelState {
  parameters: Map<string, { info: ParameterInfo; data: Float32Array }>;
  buffers: Map<string, { info: ParameterInfo; data: Float32Array }>;
}

/**
 * Gives a state's memory back at once, where its values are on the device and
 * nobody needs them here any more; the collector may take its time.
 */
export function releaseState({ parameters, buffers }: ModelState): void {
  for (const entry of [...parameters.values(), ...buffers.values()]) {
    (entry.data.buffer as ArrayBuffer).transfer(0);
    entry.data = new Float32Array(0);
  }
  returnMemory();
}

type Root = Omit<Scope, "within" | "operation"> & {
  operation(layer: string, operation: Operation): void;
};

/** The same source of values under a longer prefix. */
function scoped(root: Root, prefix: string): Scope {
  return {
    training: root.training,
    watched: root.watched,
    param: (name, ...rest) => root.param(prefix + name, ...rest),
    buffer: (name, ...rest) => root.buffer(prefix + name, ...rest),
    setBuffer: (name, value) => root.setBuffer(prefix + name, value),
    uniform: (name, shape) => root.uniform(prefix + name, shape),
    dropping: (rate) => root.dropping(rate),
    record: (name, value) => root.record(prefix + name, value),
    operation: (op) => root.operation(prefix.slice(0, -1), op),
    within: (part) => scoped(root, `${prefix}${part}.`),
  };
}

const factored = (rate: number): Dropping => ({ rate, factor: 1 / (1 - rate) });

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  }
  return h | 0;
}

/**
 * Finds the parameters and buffers of `forward` on images of `shape`
 * [H, W, C] and draws their first values. A value depends on the seed and the
 * parameter's name alone, not on the order of the layers.
 */
export function initialise(
  forward: Forward,
  shape: [number, number, number],
  seed: number,
): ModelState {
  const parameters: ModelState["parameters"] = new Map();
  const buffers: ModelState["buffers"] = new Map();
  const values = new Map<string, tf.Tensor>();
  const once = (
    into: ModelState["parameters"],
    info: ParameterInfo,
    draw: () => tf.Tensor,
  ): tf.Tensor => {
    const known = values.get(info.name);
    if (known) {
      if (String(known.shape) === String(info.shape)) return known;
      throw new Error(
        `parameter ${info.name}: asked for as [${known.shape}] and as [${info.shape}]`,
      );
    }
    const value = draw();
    values.set(info.name, value);
    into.set(info.name, { info, data: value.dataSync() as Float32Array });
    return value;
  };
  tf.tidy(() => {
    const root: Root = {
      training: false,
      watched: false,
      param: (name, shape, layout, init) =>
        once(
          parameters,
          { name, shape, layout },
          () => init(shape, tf.tensor1d([seed, hash(name)], "int32")),
        ),
      buffer: (name, shape, value) =>
        once(
          buffers,
          { name, shape, layout: "none" },
          () => tf.fill(shape, value),
        ),
      setBuffer: () => {},
      uniform: (_, shape) => tf.zeros(shape),
      dropping: factored,
      record: (_, value) => value,
      operation: () => {},
    };
    forward(scoped(root, ""), tf.zeros([1, ...shape]));
  });
  return { parameters, buffers };
}

/** What a model consists of, for a batch of one shape. */
export interface Inspection {
  parameters: ParameterInfo[];
  buffers: ParameterInfo[];
  /** In the order of the forward pass in evaluation. */
  operations: { layer: string; operation: Operation }[];
}

/**
 * The parameters and operations of `forward` on images of `shape`
 * [B, H, W, C]. Shapes alone go through the model: nothing is drawn, computed
 * or held, so the batch may be larger than the memory.
 */
export function inspect(
  forward: Forward,
  shape: [number, number, number, number],
): Inspection {
  const parameters = new Map<string, ParameterInfo>();
  const buffers = new Map<string, ParameterInfo>();
  const operations: Inspection["operations"] = [];
  withoutValues((placeholder) => {
    const root: Root = {
      training: false,
      watched: false,
      param: (name, shape, layout) => {
        parameters.set(name, { name, shape, layout });
        return placeholder(shape);
      },
      buffer: (name, shape) => {
        buffers.set(name, { name, shape, layout: "none" });
        return placeholder(shape);
      },
      setBuffer: () => {},
      uniform: (_, shape) => placeholder(shape),
      dropping: factored,
      record: (_, value) => value,
      operation: (layer, operation) =>
        void operations.push({ layer, operation }),
    };
    forward(scoped(root, ""), placeholder(shape) as tf.Tensor4D);
  });
  return {
    parameters: [...parameters.values()],
    buffers: [...buffers.values()],
    operations,
  };
}

/** Keeps a layer's draws apart from those of other uses of the seed. */
const DRAWS = 1 << 30;

export interface ScopeValues {
  parameters: Record<string, tf.Tensor>;
  buffers: Record<string, tf.Tensor>;
  training: boolean;
  /** int32 [2], new in each step; a training with dropout needs it. */
  seed?: tf.Tensor;
  /** Rates of dropout that are inputs of the step; others are constants of it. */
  drops?: ReadonlyMap<number, Dropping>;
  /** Receives the activations by name; what it returns takes their place. */
  record?: (name: string, value: tf.Tensor) => tf.Tensor | void;
  operation?: (layer: string, operation: Operation) => void;
}

/**
 * A scope over given values. `updates` holds what the buffers shall be after
 * the step.
 *
 * @throws when the model asks for a name that is missing or of another shape.
 */
export function applyScope(
  { parameters, buffers, training, seed, drops, record, operation }:
    ScopeValues,
): Scope & { updates: Map<string, tf.Tensor> } {
  const updates = new Map<string, tf.Tensor>();
  const find = (
    values: Record<string, tf.Tensor>,
    name: string,
    shape: number[],
  ) => {
    const value = values[name];
    noteParameter(name);
    if (!value) throw new Error(`parameter ${name} is missing`);
    if (String(value.shape) !== String(shape)) {
      throw new Error(
        `parameter ${name} is [${value.shape}], the model wants [${shape}]`,
      );
    }
    return value;
  };
  const root: Root = {
    training,
    watched: record !== undefined,
    param: (name, shape) => find(parameters, name, shape),
    buffer: (name, shape) => find(buffers, name, shape),
    setBuffer: (name, value) => void updates.set(name, value),
    uniform: (name, shape) => {
      if (!seed) throw new Error(`${name}: draws need the step's seed`);
      const own = tf.tensor1d([hash(name), DRAWS], "int32");
      return statelessUniform(shape, tf.add(seed, own));
    },
    dropping: (rate) => drops?.get(rate) ?? factored(rate),
    record: <T extends tf.Tensor>(name: string, value: T) =>
      (record?.(name, value) ?? value) as T,
    operation: operation ?? (() => {}),
  };
  return { ...scoped(root, ""), updates };
}
