/** `compile()`: a tfjs function as one TensorFlow function call a step. */
import { backend, tensorId, tf } from "./backend.ts";
import * as b from "./binding.ts";
import { cpuFlags } from "./cpu.ts";
import { C, checkStatus, cString } from "./c_api.ts";
import { Tracer } from "./trace.ts";
import { borrowTraces, removeTraces, type Trace } from "./traces.ts";
import type { Variable } from "./variable.ts";

/** In which numbers convolutions and matrix products are computed. */
export type Arithmetic = "float32" | "bfloat16";

export interface CompileOptions {
  /** Arithmetic of convolutions and matrix products; variables stay float32. */
  precision?: Arithmetic;
  /** Shown in error messages. */
  name?: string;
  /**
   * Functions of one name and one key share their traces: the key must tell
   * all that shapes the graph, and of what lies outside `fn` reads nothing but
   * these variables, which each function has of its own, in one order.
   */
  shared?: { key: string; variables: readonly Variable[] };
}

/** A compiled function: call it like the original, but await it. */
export interface Compiled {
  (...inputs: tf.Tensor[]): Promise<tf.Tensor[]>;
  /** Number of signatures traced so far. */
  readonly signatures: number;
  /** Frees the traced functions. */
  dispose(): void;
}

// ConfigProto.graph_options (10) . rewrite_options (10): the optimizers run
// once (meta_optimizer_iterations (12) = ONE (1)), as twice finds nothing more in
// what is traced here and makes the first call longer; and in bfloat16
// auto_mixed_precision_onednn_bfloat16 (31) = ON (1).
const CONFIGS: Record<Arithmetic, number[]> = {
  float32: [0x52, 0x04, 0x52, 0x02, 0x60, 0x01],
  bfloat16: [0x52, 0x07, 0x52, 0x05, 0x60, 0x01, 0xf8, 0x01, 0x01],
};
let functionCount = 0;

/** Whether the CPU computes in bfloat16; elsewhere it is far slower than float32. */
export function hasBfloat16(): boolean {
  const flags = cpuFlags();
  return !b.gpu && flags !== null &&
    (flags.has("avx512_bf16") || flags.has("amx_bf16"));
}

/**
 * Traces `fn` once per signature (shapes and dtypes of its inputs) and runs
 * the whole of it as one call that leaves the event loop free.
 *
 * While tracing no value exists: reading one, an op that the library lacks or
 * a result whose shape depends on values throws with the op and the line.
 * Tensors from outside are captured as they are now; use a `Variable` for
 * what changes between calls.
 */
export function compile(
  fn: (...inputs: tf.Tensor[]) => tf.Tensor[],
  { precision = "float32", name = fn.name || "function", shared }:
    CompileOptions = {},
): Compiled {
  const config = Uint8Array.from(CONFIGS[precision]);
  const { traces, giveBack } = shared
    ? borrowTraces(`${name} ${precision} ${shared.key}`)
    : {
      traces: new Map<string, Trace>(),
      giveBack: () => removeTraces(traces),
    };
  const places = new Map(shared?.variables.map(({ id }, i) => [id, i]));
  const own = [...places.keys()];
  let disposed = false;

  function trace(ids: number[]): Trace {
    if (b.currentTracer()) {
      throw new Error(`${name}: a compiled function cannot call another one`);
    }
    const tracer = new Tracer(precision);
    const unique = `ferlab_${name.replace(/\W/g, "_")}_${functionCount++}`;
    let outputs = 0;
    let captures: Trace["captures"] = [];
    b.setTracer(tracer);
    try {
      tf.tidy(() => {
        const inputs = ids.map((id) => {
          const { shape, dtype } = b.describeTensor(b.handleOf(id));
          return backend.createOutputTensor(tracer.input(shape, dtype));
        });
        const results = fn(...inputs);
        outputs = results.length;
        const outputIds = results.map(tensorId);
        b.setTracer(null);
        captures = Array.from(
          tracer.finish(unique, outputIds).captures,
          ([id, handle]) => {
            const place = places.get(id);
            if (place === undefined) return handle;
            C.TFE_DeleteTensorHandle(handle);
            return place;
          },
        );
      });
      const traced = { name: unique, captures, outputs };
      if (shared && captures.some((c) => typeof c !== "number")) {
        removeTraces(new Map([["", traced]]));
        throw new Error(
          "a shared function reads a tensor from outside: give it as an input",
        );
      }
      return traced;
    } catch (error) {
      if (b.currentTracer()) tracer.abandon();
      throw new Error(`${name}: ${(error as Error).message}`, { cause: error });
    } finally {
      b.setTracer(null);
    }
  }

  async function call(...inputs: tf.Tensor[]): Promise<tf.Tensor[]> {
    if (b.timesOps()) return tf.tidy(() => fn(...inputs));
    const ids = inputs.map(tensorId);
    const signature = ids.map((id) => {
      const { shape, dtype } = b.describeTensor(b.handleOf(id));
      return `${dtype}[${shape}]`;
    }).join() + (b.usesNativeOps() ? " native" : "");
    let traced = traces.get(signature);
    if (!traced) traces.set(signature, traced = trace(ids));
    const op = b.newOp(traced.name, [], ids);
    const status = C.TF_NewStatus();
    const count = new Int32Array([traced.outputs]);
    const outputs = new BigUint64Array(Math.max(1, traced.outputs));
    try {
      for (const capture of traced.captures) {
        const handle = typeof capture === "number"
          ? b.handleOf(own[capture])
          : capture;
        C.TFE_OpAddInput(op, handle, status);
        checkStatus(name, status);
      }
      C.TFE_OpSetAttrString(
        op,
        cString("config_proto"),
        config,
        BigInt(config.length),
      );
      await C.TFE_ExecuteNonblocking(op, outputs, count, status);
      checkStatus(name, status);
    } finally {
      C.TFE_DeleteOp(op);
      C.TF_DeleteStatus(status);
    }
    return Array.from(
      outputs.subarray(0, count[0]),
      (address) =>
        backend.createOutputTensor(b.adopt(Deno.UnsafePointer.create(address))),
    );
  }

  return Object.defineProperties(call as unknown as Compiled, {
    signatures: { get: () => traces.size },
    dispose: {
      value: () => {
        if (!disposed) giveBack();
        disposed = true;
      },
    },
  });
}
