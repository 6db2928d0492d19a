/** Tensors that have shapes and no values, to ask a function what it would do. */
import { backend, tf } from "./backend.ts";
import { currentTracer, DataType, setTracer } from "./binding.ts";
import { Tracer } from "./trace.ts";

/**
 * Calls `fn` with ops that infer shapes and compute nothing. `placeholder`
 * makes a float32 tensor that takes no memory.
 *
 * @throws as `compile` does where values would be needed.
 */
export function withoutValues<T>(
  fn: (placeholder: (shape: number[]) => tf.Tensor) => T,
): T {
  if (currentTracer()) {
    throw new Error("withoutValues() cannot be called in a compiled function");
  }
  const tracer = new Tracer();
  setTracer(tracer);
  tf.engine().startScope();
  try {
    return fn((shape) =>
      backend.createOutputTensor(tracer.input(shape, DataType.FLOAT))
    );
  } finally {
    tf.engine().endScope();
    setTracer(null);
    tracer.abandon();
  }
}
