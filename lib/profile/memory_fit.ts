/** Will it fit? An estimate of a batch's memory, and what happens if it does not. */
import { engineInfo } from "../tensorflow/mod.ts";
import type { Counted } from "./count.ts";
import { availableMemory } from "./memory.ts";

/** The batch needs more memory than there is. */
export class OutOfMemoryError extends Error {
  override name = "OutOfMemoryError";
}

/** How allocations fail: in TensorFlow, in C++ and in JavaScript. */
const REFUSALS =
  /OOM when allocating|RESOURCE_EXHAUSTED|failed to allocate|std::bad_alloc|allocation size overflow|Array buffer allocation failed|Invalid typed array length/i;

/** Whether `error` says that memory was refused. */
export function isOutOfMemory(error: unknown): error is Error {
  return error instanceof OutOfMemoryError ||
    (error instanceof Error && REFUSALS.test(error.message));
}

const FLOAT = 4;
/** A unit's input, its normalised copy and the result of the convolution. */
const ALIVE = 3;

/**
 * Bytes that one forward pass of the counted batch takes in evaluation: the
 * parameters, the images, and the activations at the widest place, where the
 * outputs of three layers in a row are alive together. On IR50 at several widths
 * and batches the measured growth was 0.65 to 1.0 of it. Some 40 MiB that the
 * first call of a compiled function takes are not in it, nor is the library
 * itself.
 */
export function inferenceMemory(counted: Counted): number {
  const outputs = counted.layers.flatMap((l) => l.operations)
    .map((o) => o.elements);
  let widest = 0;
  for (let i = 0; i < outputs.length; i++) {
    const together = outputs.slice(i, i + ALIVE).reduce((a, b) => a + b, 0);
    widest = Math.max(widest, together);
  }
  const images = counted.input.reduce((a, b) => a * b, 1);
  return FLOAT * (counted.parameters + counted.buffers + images + widest);
}

/** Gradients in flight and copies between layouts, on top of what is saved. */
const IN_FLIGHT = 1.25;

/**
 * Bytes that a training step of the counted batch takes: value, gradient and
 * both moments of Adam of each parameter, the images, and every layer's output,
 * saved for the backward pass (twice at PReLU and GELU, which keep a second
 * one). On IR50 at several widths and batches the measured growth was 0.9 to
 * 1.3 of it from 300 MiB on; below, what the first call takes is more.
 */
export function trainingMemory(counted: Counted): number {
  let saved = 0;
  for (
    const { kind, elements } of counted.layers.flatMap((l) => l.operations)
  ) {
    saved += elements * (kind === "prelu" || kind === "gelu" ? 2 : 1);
  }
  const images = counted.input.reduce((a, b) => a * b, 1);
  const held = 4 * counted.parameters + counted.buffers + images;
  return FLOAT * (held + IN_FLIGHT * saved);
}

const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

/**
 * Refuses what cannot fit before the system does: Linux grants what it does
 * not have and then ends the process. `free` is what the batch may take; on a
 * GPU TensorFlow itself refuses, and nothing is asked here unless it is given.
 *
 * @throws {OutOfMemoryError} "needs about 38.1 GiB, 21.0 GiB are free".
 */
export function assertFits(needed: number, free?: number): void {
  const onGpu = engineInfo().devices.some((d) => d.type === "GPU");
  const limit = free ?? (onGpu ? Infinity : availableMemory());
  if (needed <= limit) return;
  throw new OutOfMemoryError(
    `needs about ${gib(needed)}, ${gib(limit)} are free`,
  );
}
