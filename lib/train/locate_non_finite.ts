/** Finds where NaN or infinity first comes up in a training. */
import { applyScope, type Forward, type ScopeValues } from "../nn/mod.ts";
import {
  allFinite,
  largestOf,
  observe,
  type Observer,
  tensorId,
  tf,
} from "../tensorflow/mod.ts";
import type {
  PastEpoch,
  TrainingBatch,
  TrainingRun,
} from "./batches_and_rates.ts";
import type { Recipe } from "./recipe.ts";
import type { Trainer } from "./trainer.ts";
import { readVariables } from "./variables.ts";

export interface NonFinite {
  /** What came in non-finite, or the part of the step that made it so. */
  where: "parameter" | "input" | "forward" | "loss" | "backward";
  /** TensorFlow's name of the op that did; "" for what came in. */
  op: string;
  /** The layer's name, "loss", "images" or "targets". */
  layer: string;
  /** The parameter or buffer that came in, or whose gradient it is. */
  parameter?: string;
  /** One line for the user. */
  message: string;
}

/** What one training step is computed from. */
export interface LocateOptions<T extends tf.Tensor>
  extends Pick<ScopeValues, "parameters" | "buffers" | "seed"> {
  forward: Forward;
  /** [B, H, W, C] */
  images: tf.Tensor4D;
  /** What `loss` takes: labels [B] or targets [B, classes]. */
  targets: T;
  loss: (logits: tf.Tensor2D, targets: T) => tf.Scalar;
}

/** An op that made non-finite values of finite ones. */
interface Origin {
  op: string;
  where: "forward" | "loss" | "backward";
  layer: string;
  /** Id of its first non-finite output. */
  output: number;
  /** Largest absolute value of its float inputs. */
  largest?: number;
}

/** "a.b.c" to "a.b", "a" to "a". */
const parentOf = (name: string) =>
  name.includes(".") ? name.slice(0, name.lastIndexOf(".")) : name;

/** Reserved outputs may hold anything; only the partner op reads them. */
const isReserved = (op: string, index: number) =>
  op.startsWith("FusedBatchNorm") && index >= 3;

const earliest = (origins: readonly Origin[]): Origin | undefined =>
  origins.reduce<Origin | undefined>(
    (a, b) => a && a.output < b.output ? a : b,
    undefined,
  );

/** Follows a step's ops: which layer each belongs to, what made values bad. */
class Watch {
  where: Origin["where"] = "forward";
  #layer = "images";
  /** All names under which parameters stand: "blocks", "blocks.0", … */
  readonly #modules = new Set<string>();
  /** By tensor id, for each non-finite output. */
  readonly #origins = new Map<number, Origin>();
  /** The layer of each node of the gradient tape. */
  readonly #nodes: string[] = [];

  constructor(parameters: readonly string[]) {
    for (let name of parameters) {
      while (name.includes(".")) this.#modules.add(name = parentOf(name));
    }
  }

  enter(layer: string): void {
    this.#mark();
    this.#layer = layer;
  }

  /** The nodes since the last call are of the current layer. */
  #mark(): void {
    const tape = tf.engine().state.activeTape ?? [];
    while (this.#nodes.length < tape.length) this.#nodes.push(this.#layer);
  }

  /** Values by name; whoever asks for one enters its layer. */
  entering(values: Record<string, tf.Tensor>): Record<string, tf.Tensor> {
    return new Proxy(values, {
      get: (target, name: string) => {
        if (name in target) this.enter(parentOf(name));
        return target[name];
      },
    });
  }

  /** What made a recorded value belongs to the layer that recorded it. */
  record(name: string, value: tf.Tensor): void {
    const layer = this.#modules.has(name) ? name : parentOf(name);
    this.enter(layer);
    if (this.#nodes.length > 0) this.#nodes[this.#nodes.length - 1] = layer;
    const id = tensorId(value);
    const origin = this.#origins.get(id);
    if (origin?.output === id) origin.layer = layer;
  }

  /** From here on each node's gradient is computed in the node's layer. */
  backward(): void {
    this.#mark();
    tf.engine().state.activeTape.forEach((node, i) => {
      const { gradient } = node;
      node.gradient = gradient && ((dys) => {
        this.#layer = this.#nodes[i];
        return gradient(dys);
      });
    });
    this.where = "backward";
  }

  readonly see: Observer = (op, inputs, outputs) => {
    const bad = outputs
      .filter(({ id }, i) => !isReserved(op, i) && !allFinite(id));
    if (bad.length === 0) return;
    const known = inputs.flatMap((id) => this.#origins.get(id) ?? []);
    const origin = earliest(known) ?? {
      op,
      where: this.where,
      layer: this.#layer,
      output: bad[0].id,
      largest: largest(inputs),
    };
    bad.forEach(({ id }) => this.#origins.set(id, origin));
  };

  originOf(value: tf.Tensor): Origin | undefined {
    return this.#origins.get(tensorId(value));
  }
}

function largest(ids: readonly number[]): number | undefined {
  const values = ids.flatMap((id) => largestOf(id) ?? []);
  return values.length > 0 ? Math.max(...values) : undefined;
}

/** "NaN", "Infinity" or "-Infinity", whichever comes first. */
const badValueOf = (x: tf.Tensor) =>
  String(x.dataSync().find((v) => !Number.isFinite(v)));

/** What is non-finite before the step. */
function given<T extends tf.Tensor>(
  { parameters, buffers, images, targets }: LocateOptions<T>,
): NonFinite | null {
  const count = (x: tf.Tensor) => {
    const bad = x.dataSync().filter((v) => !Number.isFinite(v)).length;
    return `${bad} of ${x.size} values not finite before the step`;
  };
  for (const [kind, values] of Object.entries({ parameters, buffers })) {
    for (const [name, value] of Object.entries(values)) {
      if (allFinite(tensorId(value))) continue;
      const what = `${kind.slice(0, -1)} ${name}`;
      return {
        where: "parameter",
        op: "",
        layer: parentOf(name),
        parameter: name,
        message: `${what} holds ${badValueOf(value)}: ${count(value)}`,
      };
    }
  }
  for (const [layer, value] of Object.entries({ images, targets })) {
    if (allFinite(tensorId(value))) continue;
    const each = value.size / value.shape[0];
    const at = value.dataSync().findIndex((v) => !Number.isFinite(v));
    const first = `first in image ${Math.floor(at / each)} of the batch`;
    return {
      where: "input",
      op: "",
      layer,
      message: `${layer} hold ${badValueOf(value)}: ${count(value)}, ${first}`,
    };
  }
  return null;
}

/** Loss and gradients under `watch`, in `tf.tidy`; `updates` gets the buffers, kept. */
function replay<T extends tf.Tensor>(
  { forward, parameters, buffers, images, targets, loss, seed }: LocateOptions<
    T
  >,
  watch: Watch,
  updates: Map<string, tf.Tensor>,
) {
  const names = Object.keys(parameters);
  const { value, grads } = tf.valueAndGrads((...tensors) => {
    const values = Object.fromEntries(names.map((n, i) => [n, tensors[i]]));
    const scope = applyScope({
      parameters: watch.entering(values),
      buffers: watch.entering(buffers),
      training: true,
      seed,
      record: (name, x) => watch.record(name, x),
      operation: (layer) => watch.enter(layer),
    });
    const logits = forward(scope, images);
    // The engine's own tidy would take them.
    scope.updates.forEach((x, name) => updates.set(name, tf.keep(x)));
    watch.enter("loss");
    watch.where = "loss";
    const result = loss(logits, targets);
    watch.backward();
    return result;
  })(names.map((n) => parameters[n]));
  const gradients = new Map(names.map((name, i) => [name, grads[i]]));
  return { loss: value, gradients };
}

function report(what: string, value: tf.Tensor, origin: Origin): NonFinite {
  const { op, layer, where, largest } = origin;
  const inputs = largest === undefined
    ? ""
    : `, inputs up to ${largest.toPrecision(2)}`;
  return {
    where,
    op,
    layer,
    message: `${what} is ${badValueOf(value)}: first non-finite value in ` +
      `layer ${layer}, op ${op} (${where})${inputs}`,
  };
}

/** Of `values`, by parameter or buffer, the one that went bad first. */
function firstBad(
  kind: string,
  values: Iterable<[string, tf.Tensor]>,
  watch: Watch,
): NonFinite | null {
  const bad = Array.from(values).flatMap(([name, value]) => {
    const origin = watch.originOf(value);
    return origin ? [{ name, value, origin }] : [];
  });
  const origin = earliest(bad.map((b) => b.origin));
  if (!origin) return null;
  // A gradient that was computed earlier is nearer to the op.
  const [{ name, value }] = bad.filter((b) => b.origin === origin)
    .sort((a, b) => tensorId(a.value) - tensorId(b.value));
  return { ...report(`${kind} ${name}`, value, origin), parameter: name };
}

/**
 * Replays a training step op by op, in float32, and finds the first op that
 * makes NaN or infinity of finite values and through which the loss, a
 * gradient or a running statistic is not finite; null where all three are
 * finite, whatever was masked on the way. Nothing is updated and all is freed.
 */
export function locateNonFinite<T extends tf.Tensor>(
  options: LocateOptions<T>,
): NonFinite | null {
  const before = given(options);
  if (before) return before;
  const watch = new Watch(Object.keys(options.parameters));
  const updates = new Map<string, tf.Tensor>();
  let found: NonFinite | null = null;
  try {
    observe(watch.see);
    tf.tidy(() => {
      const { loss, gradients } = replay(options, watch, updates);
      observe(null);
      const origin = watch.originOf(loss);
      found = origin
        ? report("loss", loss, origin)
        : firstBad("gradient of", gradients, watch) ??
          firstBad("buffer", updates, watch);
    });
  } finally {
    observe(null);
    updates.forEach((x) => x.dispose());
  }
  return found;
}

/**
 * Where step `step` (from 1) of the epoch behind `history` turns finite values
 * into others: the epoch is replayed up to it with `trainer`, which stands at
 * the epoch's start. One line, or null where nothing is found.
 */
export async function whereDiverged(
  run: TrainingRun,
  trainer: Trainer,
  step: number,
  history: readonly PastEpoch[],
): Promise<string | null> {
  for (const batch of run.batchesOf(history.length + 1)) {
    const { images, labels, shape } = batch;
    if (trainer.step + 1 < step) {
      const rate = run.rateOf(trainer.step, history);
      await trainer.trainBatch(images, labels, shape, rate);
      continue;
    }
    return faultOf(batch, run.recipe, trainer, step);
  }
  return null;
}

/** Looks for the fault in each piece of a batch. */
function faultOf(
  { images, labels, shape: [batch, ...image] }: TrainingBatch,
  { batchSize, accumulate }: Recipe,
  trainer: Trainer,
  step: number,
): string | null {
  const size = batchSize / accumulate;
  const pixels = images.length / batch, width = labels.length / batch;
  let message: string | null = null;
  for (let at = 0; at < batch && message === null; at += size) {
    const end = Math.min(at + size, batch);
    tf.tidy(() => {
      const inputs = trainer.inputsOf(
        images.subarray(at * pixels, end * pixels),
        labels.subarray(at * width, end * width),
        [end - at, ...image],
        { step, piece: at / size },
      );
      const { x, lossOf, seed } = trainer.batchOf(inputs);
      message = locateNonFinite({
        ...readVariables(trainer.variables),
        forward: trainer.forward,
        images: x,
        targets: tf.zeros([1]),
        loss: lossOf,
        seed,
      })?.message ?? null;
    });
  }
  return message;
}
