/**
 * What values must be before libtensorflow is given them: it ends the process,
 * or reads memory that is not theirs, where its caller is wrong.
 */
import type * as tfjs from "@tensorflow/tfjs";
import { callSite, valueInError } from "./caller.ts";
import { DataType } from "./types.ts";

/** More than TensorFlow allows is a failed assertion there. */
const MOST_DIMENSIONS = 254;

/** Why `shape` is no shape, its dimensions `least` or more; undefined if it is. */
export function shapeError(shape: unknown, least = 0): string | undefined {
  if (!Array.isArray(shape)) return "it must be a list of whole numbers";
  if (shape.length > MOST_DIMENSIONS) {
    return `it has more than ${MOST_DIMENSIONS} dimensions`;
  }
  let extent = 1;
  for (const dimension of shape) {
    if (!Number.isSafeInteger(dimension) || dimension < least) {
      return `${valueInError(dimension)} is not a whole number from ${least}`;
    }
    // An empty tensor's other dimensions must not overflow either.
    extent *= Math.max(1, dimension);
  }
  if (!Number.isSafeInteger(extent)) return "it has too many values";
}

/** Number of values of `shape`; throws unless it is one. */
export function elementsOf(shape: number[], what: string): number {
  const error = shapeError(shape);
  if (error) {
    throw new Error(`${what}: ${valueInError(shape)} is not a shape: ${error}`);
  }
  return shape.reduce((size, dimension) => size * dimension, 1);
}

type Numbers = Exclude<ArrayBufferView<ArrayBuffer>, DataView>;
interface Storage {
  name: string;
  bytes: number;
  /** The typed arrays that hold it, and what plain lists become. */
  views: readonly string[];
  from?: (values: Iterable<number>) => Numbers;
}

const STORAGE = new Map<number, Storage>([
  [DataType.FLOAT, {
    name: "float32",
    bytes: 4,
    views: ["Float32Array"],
    from: (v) => Float32Array.from(v),
  }],
  [DataType.DOUBLE, {
    name: "float64",
    bytes: 8,
    views: ["Float64Array"],
    from: (v) => Float64Array.from(v),
  }],
  [DataType.INT32, {
    name: "int32",
    bytes: 4,
    views: ["Int32Array"],
    from: (v) => Int32Array.from(v),
  }],
  [DataType.UINT8, {
    name: "uint8",
    bytes: 1,
    views: ["Uint8Array", "Uint8ClampedArray"],
    from: (v) => Uint8Array.from(v),
  }],
  [DataType.BOOL, {
    name: "bool",
    bytes: 1,
    views: ["Uint8Array", "Uint8ClampedArray"],
    from: (v) => Uint8Array.from(v, Number),
  }],
  // tfjs-node writes an int64 as two int32.
  [DataType.INT64, {
    name: "int64",
    bytes: 8,
    views: ["BigInt64Array", "Int32Array"],
  }],
  [DataType.COMPLEX64, {
    name: "complex64",
    bytes: 8,
    views: ["Float32Array"],
  }],
  [DataType.BFLOAT16, { name: "bfloat16", bytes: 2, views: ["Uint16Array"] }],
  [DataType.HALF, { name: "float16", bytes: 2, views: ["Uint16Array"] }],
]);

/** Values as the memory of a tensor of `shape` and `dtype`; throws unless they are. */
export function storedValues(
  shape: number[],
  dtype: number,
  values: unknown,
): ArrayBufferView {
  const storage = STORAGE.get(dtype);
  if (!storage) {
    throw new Error(`a tensor cannot be made of dtype ${valueInError(dtype)}`);
  }
  const what = `a ${storage.name} tensor`;
  const size = elementsOf(shape, what);
  let view = values as ArrayBufferView;
  if (Array.isArray(values)) {
    const wrong = values.findIndex((v) =>
      typeof v !== "number" && typeof v !== "boolean"
    );
    if (wrong >= 0 || !storage.from) {
      throw new Error(
        `${what} cannot be made of a list with ${
          valueInError(values[Math.max(0, wrong)])
        }`,
      );
    }
    view = storage.from(values);
  } else if (
    !ArrayBuffer.isView(values) ||
    !storage.views.includes(
      (values as unknown as Record<symbol, string>)[Symbol.toStringTag],
    )
  ) {
    throw new Error(
      `${what} is made of ${storage.views.join(" or ")}, not of ${
        valueInError(values)
      }`,
    );
  }
  if (view.byteLength !== size * storage.bytes) {
    throw new Error(
      `${what} of shape [${shape}] has ${
        size * storage.bytes
      } bytes, but its values have ${view.byteLength}`,
    );
  }
  return view;
}

/** The same of strings, which come as UTF-8 bytes. */
export function storedStrings(
  shape: number[],
  values: unknown,
): readonly Uint8Array[] {
  const size = elementsOf(shape, "a string tensor");
  if (!Array.isArray(values) || !values.every((v) => v instanceof Uint8Array)) {
    throw new Error("a string tensor is made of a list of Uint8Array");
  }
  if (values.length !== size) {
    throw new Error(
      `a string tensor of shape [${shape}] has ${size} values, not ${values.length}`,
    );
  }
  return values;
}

/** Throws unless as many values came as `shape` has. */
export function checkCount(
  shape: number[],
  values: ArrayLike<unknown> | null | undefined,
): void {
  const size = elementsOf(shape, "a tensor");
  if (!values || values.length === size) return;
  throw new Error(
    `a tensor of shape [${shape}] was given ${values.length} numbers, booleans or strings, not ${size}`,
  );
}

/** Attributes of tfjs's kernels that become int32 tensors. */
const SIZES = [
  "shape",
  "reps",
  "paddings",
  "size",
  "cropSize",
  "num",
  "depth",
  "numSegments",
];
const LARGEST = 2 ** 31 - 1;

/** What is beyond int32 came out as another number: `tf.fill([2 ** 32], 1)` was empty. */
export function refuseHugeSizes(tf: typeof tfjs): void {
  const engine = tf.engine();
  const run = engine.runKernel.bind(engine);
  engine.runKernel = (kernel, inputs, attrs) => {
    for (const name of SIZES) {
      const value = attrs?.[name];
      if (value === undefined) continue;
      for (const size of [value].flat(2)) {
        if (typeof size !== "number" || Math.abs(size) <= LARGEST) continue;
        throw new Error(
          `op ${kernel}${callSite()}: ${name} ${
            valueInError(size)
          } is no int32`,
        );
      }
    }
    return run(kernel, inputs, attrs);
  };
}
