/** One image to raw pixels, whole or a box of it; damage is told, not thrown. */
import { crc32 } from "node:zlib";
import sharp from "sharp";
import type { Sharp } from "sharp";
import type { Crop } from "../listing.ts";
import { decodeBmp } from "./bmp.ts";
import { jpegFrame } from "./gray_jpeg.ts";

/** Pixels above which an image is refused (8192 × 8192). */
const MAX_PIXELS = 2 ** 26;

/** Pixels above which images are decoded one at a time, for their memory. */
const LARGE = 2 ** 22;

/** The rule that every decoder here keeps; data/README.md quotes it. */
export const READING_RULE = `\
- A file's content decides what it is, never its name: JPEG (baseline,
  progressive), PNG, WebP, BMP, GIF and TIFF are read; of several frames or
  pages the first.
- EXIF orientation is applied. Where a list gives the face's box, only that part
  of the upright image is read, as far as it lies within.
- Transparent images are laid on black.
- 16-bit values keep their high byte (v >> 8). Palettes become colours. Values
  of a type without a known range (floats, 32 bits) are refused.
- An embedded colour profile is converted to sRGB; CMYK and YCCK without one
  count as a standard press profile (libvips' own).
- Gray stays gray; with three channels it is repeated. Colour becomes gray by
  ITU-R BT.601 on the sRGB values, 0.299 R + 0.587 G + 0.114 B, rounded.
- An image of another size is stretched to the square (Lanczos 3; no crop, no
  borders).
- Images over 8192 × 8192 pixels and files over 256 MiB are refused.`;

/** Changes whenever the same file could give other pixels or reasons. */
export const READING_VERSION = `4 with sharp ${sharp.versions.sharp}`;

/** A known image's kind and, where they are read here, its sides in pixels. */
interface Kind {
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

const viewOf = ({ buffer, byteOffset, length }: Uint8Array) =>
  new DataView(buffer, byteOffset, length);

/** The kind of image that `bytes` are, or in one line why they are none. */
function kindOf(bytes: Uint8Array): Kind | string {
  if (bytes.length === 0) return "empty file (0 bytes)";
  const head = latin(bytes, 0, 64), view = viewOf(bytes);
  if (head.startsWith("\xff\xd8\xff")) {
    return { kind: "jpeg", ...jpegFrame(bytes) };
  }
  if (head.startsWith("\x89PNG\r\n\x1a\n")) {
    if (bytes.length < 24) return "cut short";
    const [width, height] = [view.getUint32(16), view.getUint32(20)];
    return { kind: "png", width, height };
  }
  if (/^GIF8[79]a/.test(head)) {
    if (bytes.length < 10) return "cut short";
    const [width, height] = [6, 8].map((at) => view.getUint16(at, true));
    return { kind: "gif", width, height };
  }
  if (/^RIFF.{4}WEBP/s.test(head)) return { kind: "webp" };
  if (/^(II\*\0|MM\0\*)/.test(head)) return { kind: "tiff" };
  if (/^BM.{4}\0{4}/s.test(head)) {
    if (bytes.length < 26) return "cut short";
    const [width, height] = [18, 22]
      .map((at) => Math.abs(view.getInt32(at, true)));
    return { kind: "bmp", width, height };
  }
  const isOther = /^(.{4}ftyp(avi|hei|hev|mi)|II\+|MM.\+|P[1-7]\s)/s;
  if (isOther.test(head)) {
    return "an image of a kind that is not read (such as HEIC, AVIF): save it " +
      "as PNG";
  }
  const isText = /^(\xef\xbb\xbf)?[\t\n\r -~]+$/.test(head);
  return isText ? "text or HTML, not an image" : "not an image";
}

/** A PNG's chunks: "cut short", "damaged" by a checksum, or null if sound. */
function pngDamage(b: Uint8Array): string | null {
  const view = viewOf(b);
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
function damageOf({ kind }: Kind, b: Uint8Array): string {
  const isWhole = {
    jpeg: () => b.at(-2) === 0xff && b.at(-1) === 0xd9,
    png: () => pngDamage(b) !== "cut short",
    webp: () => b.length >= 8 && b.length >= viewOf(b).getUint32(4, true) + 8,
    gif: () => b.at(-1) === 0x3b,
    tiff: () => true,
    bmp: () => true,
  };
  return isWhole[kind]() ? "damaged" : "cut short";
}

/** Raw values of `planes` planes at `size`. */
async function resized(
  image: Sharp,
  size: number,
  planes: 1 | 3,
): Promise<Uint8Array> {
  const { data, info } = await image.resize(size, size, { fit: "fill" })
    .raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
  if (info.channels !== planes) {
    throw new Error(`has ${info.channels} channels`);
  }
  return data;
}

/**
 * Gray pixels of a table as `[size, size]`, resized as files are.
 * @param pixels `[height, width]`
 */
export async function resizePixels(
  pixels: Uint8Array,
  width: number,
  size: number,
): Promise<Uint8Array> {
  const height = pixels.length / width;
  if (width === size && height === size) return pixels;
  const raw = { width, height, channels: 1 as const };
  return await resized(sharp(pixels, { raw }).toColourspace("b-w"), size, 1);
}

/** ITU-R BT.601 in 16-bit fixed point, as Pillow's convert("L"). */
function luma(rgb: Uint8Array): Uint8Array {
  const gray = new Uint8Array(rgb.length / 3);
  for (let i = 0, o = 0; i < gray.length; i++, o += 3) {
    gray[i] = (rgb[o] * 19595 + rgb[o + 1] * 38470 + rgb[o + 2] * 7471 +
      0x8000) >> 16;
  }
  return gray;
}

/** The part of `box` that lies within an upright image, or why none does. */
function clipped(box: Crop, width: number, height: number): Crop | string {
  const { left, top } = box;
  if (left >= width || top >= height) {
    return `its box begins at ${left}, ${top}; the image is ` +
      `${width} × ${height}`;
  }
  return {
    left,
    top,
    width: Math.min(box.width, width - left),
    height: Math.min(box.height, height - top),
  };
}

/** An image or a box of it, upright, on black; throws where libvips does. */
async function opened(
  bytes: Uint8Array,
  { kind, planes }: Kind,
  box?: Crop,
): Promise<Sharp | string> {
  const bitmap = kind === "bmp" ? decodeBmp(bytes) : undefined;
  if (typeof bitmap === "string") return bitmap;
  const raw = bitmap &&
    { width: bitmap.width, height: bitmap.height, channels: 3 as const };
  const image = sharp(bitmap?.data ?? bytes, {
    raw,
    failOn: "truncated",
    limitInputPixels: MAX_PIXELS,
    sequentialRead: true,
  }).autoOrient().flatten({ background: "#000" });
  if (box) {
    const { width, height } = (await image.metadata()).autoOrient;
    const part = clipped(box, width, height);
    if (typeof part === "string") return part;
    image.extract(part);
  }
  return image.toColourspace(planes === 1 ? "b-w" : "srgb");
}

/** Sides in pixels as stored, and libvips' type of the values. */
async function sidesOf(
  bytes: Uint8Array,
  { width, height }: Kind,
): Promise<{ width: number; height: number; depth: string }> {
  return width !== undefined && height !== undefined
    ? { width, height, depth: "uchar" }
    : await sharp(bytes, { limitInputPixels: false }).metadata();
}

/**
 * The sides of an image as stored, in pixels, without decoding it; null where
 * they cannot be told.
 */
export async function imageSides(
  bytes: Uint8Array,
): Promise<{ width: number; height: number } | null> {
  const kind = kindOf(bytes);
  if (typeof kind === "string") return null;
  return await sidesOf(bytes, kind).catch(() => null);
}

/** Large images wait for each other here. */
let queue: Promise<unknown> = Promise.resolve();

/** Gives a sound image of a known kind to `work`; says why where there is none. */
async function guarded(
  bytes: Uint8Array,
  work: (kind: Kind) => Promise<Uint8Array | string>,
): Promise<Uint8Array | string> {
  const kind = kindOf(bytes);
  if (typeof kind === "string") return kind;
  try {
    const { width, height, depth } = await sidesOf(bytes, kind);
    if (width * height > MAX_PIXELS) return `too large (${width} × ${height})`;
    if (!/^u(char|short)$/.test(depth)) {
      return `values of the type ${depth}, whose range is unknown: save it ` +
        `with 8 or 16 bits`;
    }
    // libvips would pass over it.
    const damage = kind.kind === "png" ? pngDamage(bytes) : null;
    if (damage !== null) return damage;
    if (width * height <= LARGE) return await work(kind);
    const turn = queue.then(() => work(kind));
    queue = turn.catch(() => {});
    return await turn;
  } catch {
    // libvips keeps one text of errors for all threads: it may be another's.
    return damageOf(kind, bytes);
  }
}

/**
 * One image as `[size, size]` gray or `[size, size, 3]` colour values, by
 * `READING_RULE`; with one channel always gray. Never throws for content.
 *
 * @param box the part of the upright image that is read, as far as it lies
 * within; the whole image without one
 * @returns a reason in one line where there is no image in `bytes`
 */
export async function decodeImage(
  bytes: Uint8Array,
  size: number,
  channels: 1 | 3,
  box?: Crop,
): Promise<Uint8Array | string> {
  const values = await guarded(bytes, async (kind) => {
    const image = await opened(bytes, kind, box);
    return typeof image === "string"
      ? image
      : await resized(image, size, kind.planes === 1 ? 1 : 3);
  });
  const colour = typeof values !== "string" && values.length > size * size;
  return colour && channels === 1 ? luma(values) : values;
}

/**
 * A box of an upright image, as far as it lies within, as a PNG of its own, by
 * `READING_RULE`. Never throws for content.
 *
 * @returns a reason in one line where there is none
 */
export async function cutImage(
  bytes: Uint8Array,
  box: Crop,
): Promise<Uint8Array | string> {
  return await guarded(bytes, async (kind) => {
    const image = await opened(bytes, kind, box);
    return typeof image === "string" ? image : await image.png().toBuffer();
  });
}
