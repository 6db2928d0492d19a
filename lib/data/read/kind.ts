/** What a file is by its bytes: kind, sides, and whether it is whole. */
import { crc32 } from "node:zlib";
import { jpegFrame } from "./gray_jpeg.ts";

/** A known image's kind and, where they are read here, its sides in pixels. */
export interface Kind {
  kind: "jpeg" | "png" | "webp" | "bmp" | "gif" | "tiff";
  width?: number;
  height?: number;
  /** Of a JPEG: 1 gray, 3 colour, 4 CMYK or YCCK. */
  planes?: number;
}

/** Bytes `from` to `to` as text of one character each. */
function latin(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to));
}

function magicOf(bytes: Uint8Array): Kind["kind"] | undefined {
  const head = latin(bytes, 0, 12);
  if (head.startsWith("\xff\xd8\xff")) return "jpeg";
  if (head.startsWith("\x89PNG\r\n\x1a\n")) return "png";
  if (head.startsWith("RIFF") && head.endsWith("WEBP")) return "webp";
  if (head.startsWith("BM") && head.endsWith("\0\0\0\0", 10)) return "bmp";
  if (/^GIF8[79]a/.test(head)) return "gif";
  if (/^(II\*\0|MM\0\*)/.test(head)) return "tiff";
}

/** The kind of image that `bytes` are, or in one line why they are none. */
export function kindOf(bytes: Uint8Array): Kind | string {
  if (bytes.length === 0) return "empty file (0 bytes)";
  const kind = magicOf(bytes);
  if (kind !== undefined) return { kind, ...sidesOf(kind, bytes) };
  const isText = /^(\xef\xbb\xbf)?[\t\n\r -~]+$/.test(latin(bytes, 0, 64));
  return isText ? "text or HTML, not an image" : "not an image";
}

function sidesOf(kind: Kind["kind"], b: Uint8Array): Partial<Kind> {
  const view = new DataView(b.buffer, b.byteOffset, b.length);
  if (kind === "jpeg") return jpegFrame(b) ?? {};
  if (b.length < 30) return {};
  switch (kind) {
    case "png":
      return { width: view.getUint32(16), height: view.getUint32(20) };
    case "bmp":
      return {
        width: Math.abs(view.getInt32(18, true)),
        height: Math.abs(view.getInt32(22, true)),
      };
    case "gif":
      return {
        width: view.getUint16(6, true),
        height: view.getUint16(8, true),
      };
    case "webp": {
      const word = view.getUint32(21, true);
      switch (latin(b, 12, 16)) {
        case "VP8 ":
          return {
            width: view.getUint16(26, true) & 0x3fff,
            height: view.getUint16(28, true) & 0x3fff,
          };
        case "VP8L":
          return {
            width: (word & 0x3fff) + 1,
            height: (word >> 14 & 0x3fff) + 1,
          };
        case "VP8X":
          return {
            width: (view.getUint32(24, true) & 0xffffff) + 1,
            height: (view.getUint32(26, true) >>> 8) + 1,
          };
      }
    }
  }
  return {};
}

/** A PNG's chunks: "cut short", "damaged" by a checksum, or null if sound. */
function pngDamage(b: Uint8Array): string | null {
  const view = new DataView(b.buffer, b.byteOffset, b.length);
  for (let at = 8; at + 12 <= b.length;) {
    const end = at + 12 + view.getUint32(at);
    if (end > b.length) return "cut short";
    const type = latin(b, at + 4, at + 8);
    // A capital begins the names of chunks that pixels need.
    const needed = /^[A-Z]/.test(type);
    const sum = needed && crc32(b.subarray(at + 4, end - 4));
    if (needed && sum !== view.getUint32(end - 4)) return "damaged";
    if (type === "IEND") return null;
    at = end;
  }
  return "cut short";
}

/** What is wrong with an image that may not decode: "cut short" or "damaged". */
export function damageOf({ kind }: Kind, b: Uint8Array): string {
  const word = (at: number) =>
    b.length < at + 4
      ? Infinity
      : new DataView(b.buffer, b.byteOffset).getUint32(at, true);
  switch (kind) {
    case "jpeg":
      return b.at(-2) === 0xff && b.at(-1) === 0xd9 ? "damaged" : "cut short";
    case "png":
      return pngDamage(b) ?? "damaged";
    case "webp":
      return b.length < word(4) + 8 ? "cut short" : "damaged";
    case "gif":
      return b.at(-1) === 0x3b ? "damaged" : "cut short";
    default:
      return "damaged";
  }
}

/** The damage that a decoder would pass over, or null. */
export function hiddenDamage({ kind }: Kind, b: Uint8Array): string | null {
  return kind === "png" ? pngDamage(b) : null;
}
