/** One image to raw pixels, whole or a box of it; damage is told, not thrown. */
import sharp from "sharp";
import type { Sharp } from "sharp";
import { decodeBmp } from "./bmp.ts";
import { damageOf, hiddenDamage, kindOf } from "./kind.ts";
import type { Kind } from "./kind.ts";
import type { Crop } from "../listing.ts";
import { MAX_PIXELS } from "./rule.ts";

/** Pixels above which images are decoded one at a time, for their memory. */
const LARGE = 2 ** 22;

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
  let image: Sharp;
  if (kind === "bmp") {
    const bitmap = decodeBmp(bytes);
    if (typeof bitmap === "string") return bitmap;
    const { data, width, height } = bitmap;
    image = sharp(data, { raw: { width, height, channels: 3 } });
  } else {
    image = sharp(bytes, {
      failOn: "truncated",
      limitInputPixels: MAX_PIXELS,
      sequentialRead: true,
    }).autoOrient().flatten({ background: "#000" });
  }
  if (box) {
    const { width, height } = (await image.metadata()).autoOrient;
    const part = clipped(box, width, height);
    if (typeof part === "string") return part;
    image.extract(part);
  }
  return image.toColourspace(planes === 1 ? "b-w" : "srgb");
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
    const { width, height } = kind.width === undefined
      ? await sharp(bytes, { limitInputPixels: false }).metadata()
      : kind as { width: number; height: number };
    if (width * height > MAX_PIXELS) return `too large (${width} × ${height})`;
    const damage = hiddenDamage(kind, bytes);
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
