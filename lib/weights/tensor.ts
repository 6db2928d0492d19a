/** A tensor as it lies in a file: dtype, shape and numbers. */

/** A file that is missing, damaged or not of a known kind; the message is one line and names it. */
export class WeightsError extends Error {
  override name = "WeightsError";
  /** Whether there is no such file, as against one that cannot be used. */
  readonly missing: boolean;

  constructor(message: string, missing = false) {
    super(message);
    this.missing = missing;
  }
}

/** Throws the one-line error that names the file. */
export type Refuse = (what: string) => never;

/** The array of each dtype; BOOL is one byte, 0 or 1. */
export const ARRAYS = {
  F32: Float32Array,
  F64: Float64Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U64: BigUint64Array,
  U32: Uint32Array,
  U16: Uint16Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
};

export type Dtype = keyof typeof ARRAYS;
export type HalfDtype = "F16" | "BF16";
export type FileDtype = Dtype | HalfDtype;
export type TensorData =
  | Float32Array
  | Float64Array
  | BigInt64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | BigUint64Array
  | Uint32Array
  | Uint16Array
  | Uint8Array;

export interface StoredTensor {
  dtype: Dtype;
  shape: number[];
  /** Row-major, as many elements as the shape's product. */
  data: TensorData;
  /** The file's dtype where it was a half, which reading widens to F32. */
  storedAs?: HalfDtype;
}

export const FILE_DTYPES: FileDtype[] = [
  ...Object.keys(ARRAYS) as Dtype[],
  "F16",
  "BF16",
];

const isHalf = (dtype: FileDtype): dtype is HalfDtype =>
  dtype === "F16" || dtype === "BF16";

/** Bytes of one element. */
export const bytesPer = (dtype: FileDtype): number =>
  isHalf(dtype) ? 2 : ARRAYS[dtype].BYTES_PER_ELEMENT;

/** The product of a shape; 0 with a 0 in it, however large the rest. */
export const elements = (shape: readonly number[]): number =>
  shape.includes(0) ? 0 : shape.reduce((a, b) => a * b, 1);

export function isCounts(x: unknown): x is number[] {
  return Array.isArray(x) && x.every((n) => Number.isSafeInteger(n) && n >= 0);
}

/**
 * Text from a file with what steers a terminal, breaks a line or turns its
 * direction as JSON's escapes: `\\u202e`.
 */
export function escaped(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) =>
      character.split("").map((unit) =>
        `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`
      ).join(""),
  );
}

/** A name from a file, fit for one line of a message or a terminal. */
export function printable(name: string): string {
  const line = escaped(name.slice(0, 200));
  return name.length > 200 ? `${line}…` : line;
}

/** A name in quotation marks, as JSON has it. */
export function quoted(name: string): string {
  const text = escaped(JSON.stringify(name.slice(0, 200)));
  return name.length > 200 ? `${text}…` : text;
}

/** The first ten of a list in words, and how many there are beside. */
export function firstTen(names: readonly string[]): string {
  const shown = names.slice(0, 10).map(printable).join(", ");
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown;
}

/** `n` elements from byte `at`, in the file's bits: a view where aligned, else a copy. */
export function rawElements(
  bytes: Uint8Array<ArrayBuffer>,
  dtype: FileDtype,
  at: number,
  n: number,
): TensorData {
  const type = isHalf(dtype) ? Uint16Array : ARRAYS[dtype];
  const offset = bytes.byteOffset + at;
  return offset % type.BYTES_PER_ELEMENT === 0
    ? new type(bytes.buffer, offset, n)
    : new type(bytes.slice(at, at + n * type.BYTES_PER_ELEMENT).buffer);
}

/** IEEE 754 binary16 by its bits, made at the first use. */
let float16: Uint32Array | undefined;

function float16Bits(): Uint32Array {
  if (float16) return float16;
  const values = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = bits >> 10 & 31, fraction = bits & 1023;
    values[bits] = sign *
      (exponent === 0
        ? fraction * 2 ** -24
        : exponent < 31
        ? (1 + fraction / 1024) * 2 ** (exponent - 15)
        : fraction
        ? NaN
        : Infinity);
  }
  return float16 = new Uint32Array(values.buffer);
}

/** Halves as float32, which holds each of them exactly. */
function widenHalves(halves: Uint16Array, dtype: HalfDtype): Float32Array {
  const bits = new Uint32Array(halves.length);
  if (dtype === "BF16") {
    for (let i = 0; i < bits.length; i++) bits[i] = halves[i] << 16;
  } else {
    const table = float16Bits();
    for (let i = 0; i < bits.length; i++) bits[i] = table[halves[i]];
  }
  return new Float32Array(bits.buffer);
}

/** The tensor of row-major elements as `rawElements` gives them. */
export function storedTensor(
  dtype: FileDtype,
  shape: number[],
  raw: TensorData,
): StoredTensor {
  return isHalf(dtype)
    ? {
      dtype: "F32",
      shape,
      data: widenHalves(raw as Uint16Array, dtype),
      storedAs: dtype,
    }
    : { dtype, shape, data: raw };
}
