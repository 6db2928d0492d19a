/** One number of a numpy .npy file, whatever type it was saved as. */
import { DataError } from "../types.ts";

const MAGIC = [0x93, ..."NUMPY"].map((c) =>
  typeof c === "string" ? c.charCodeAt(0) : c
);

/**
 * The value of a .npy file that holds one: 0-d or with one element, of an
 * integer, float, bytes or text type in either byte order, format version 1, 2
 * or 3 (numpy.lib.format). Text is read as the number that it spells.
 *
 * @throws DataError, without the file's name, for anything else
 */
export function npyNumber(bytes: Uint8Array): number {
  if (!MAGIC.every((value, i) => bytes[i] === value)) {
    throw new DataError("not a .npy file");
  }
  if (bytes.length < 12) throw new DataError("the .npy file is cut short");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6];
  if (!(version >= 1 && version <= 3)) {
    throw new DataError(`.npy format version ${version}; want 1, 2 or 3`);
  }
  const from = version === 1 ? 10 : 12;
  const start = from +
    (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  const header = new TextDecoder().decode(bytes.subarray(from, start));
  const type = /'descr':\s*'([<>|=])([a-zA-Z])(\d*)'/.exec(header);
  const shape = /'shape':\s*\(([^)]*)\)/.exec(header);
  if (bytes.length < start || type === null || shape === null) {
    throw new DataError(
      "the .npy file's header is damaged or describes no plain type",
    );
  }
  const sizes = shape[1].split(",").map((s) => s.trim()).filter(Boolean);
  if (sizes.some((size) => size !== "1")) {
    throw new DataError(
      `the .npy file holds an array of ${sizes.join(" × ")}; want one value`,
    );
  }
  const [, order, kind, size] = type;
  const item = Number(size) * (kind === "U" ? 4 : 1);
  if (bytes.length < start + item) {
    throw new DataError("the .npy file is cut short");
  }
  return valueAt(view, start, kind, Number(size), order !== ">");
}

function valueAt(
  view: DataView,
  at: number,
  kind: string,
  size: number,
  little: boolean,
): number {
  const codes = (width: number, code: (at: number) => number) =>
    Array.from({ length: size }, (_, i) => code(at + i * width));
  switch (kind + size) {
    case "i1":
      return view.getInt8(at);
    case "u1":
      return view.getUint8(at);
    case "i2":
      return view.getInt16(at, little);
    case "u2":
      return view.getUint16(at, little);
    case "i4":
      return view.getInt32(at, little);
    case "u4":
      return view.getUint32(at, little);
    case "i8":
      return Number(view.getBigInt64(at, little));
    case "u8":
      return Number(view.getBigUint64(at, little));
    case "f2":
      return view.getFloat16(at, little);
    case "f4":
      return view.getFloat32(at, little);
    case "f8":
      return view.getFloat64(at, little);
  }
  if (kind === "U") {
    return spelt(codes(4, (at) => view.getUint32(at, little)));
  }
  if (kind === "S") return spelt(codes(1, (at) => view.getUint8(at)));
  throw new DataError(`the .npy file's type ${kind}${size || ""} is no number`);
}

/** The number that characters spell; numpy fills text up with zeros. */
function spelt(codes: number[]): number {
  const text = codes.filter((code) => code > 0 && code < 0x110000)
    .map((code) => String.fromCodePoint(code)).join("").trim();
  const value = Number(text);
  if (text === "" || Number.isNaN(value)) {
    throw new DataError(
      `the .npy file holds ${JSON.stringify(text.slice(0, 20))}; want a number`,
    );
  }
  return value;
}
