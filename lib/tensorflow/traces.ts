/** Traced functions in TensorFlow's context, and those that outlive who traced them. */
import { context } from "./binding.ts";
import { C, cString, type Pointer } from "./c_api.ts";

export interface Trace {
  /** In TensorFlow's context. */
  name: string;
  /**
   * The inputs behind the function's own: the place of a variable among those
   * that the caller gives, or a tensor from outside.
   */
  captures: (number | Pointer)[];
  outputs: number;
}

/** By the signature of the inputs. */
export type Traces = Map<string, Trace>;

/** Takes functions out of the context, with what they hold. */
export function removeTraces(traces: Traces): void {
  for (const { name, captures } of traces.values()) {
    for (const capture of captures) {
      if (typeof capture !== "number") C.TFE_DeleteTensorHandle(capture);
    }
    const status = C.TF_NewStatus();
    C.TFE_ContextRemoveFunction(context, cString(name), status);
    C.TF_DeleteStatus(status);
  }
  traces.clear();
}

/** Of eight nets: each has a step, its piece, its end and an evaluation. */
const KEPT = 4 * 8;
/** The longest unused first. */
const shared = new Map<string, { traces: Traces; users: number }>();

/**
 * The traces under `key`, for the caller until it gives them back. Those of
 * the last users stay for the next one, up to a bound.
 */
export function borrowTraces(
  key: string,
): { traces: Traces; giveBack: () => void } {
  const entry = shared.get(key) ?? { traces: new Map(), users: 0 };
  const latest = () => {
    shared.delete(key);
    shared.set(key, entry);
  };
  entry.users++;
  latest();
  const giveBack = () => {
    entry.users--;
    latest();
    for (const [old, { traces, users }] of shared) {
      if (shared.size <= KEPT) break;
      if (users > 0) continue;
      removeTraces(traces);
      shared.delete(old);
    }
  };
  return { traces: entry.traces, giveBack };
}
