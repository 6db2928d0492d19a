/** The pixels of listed images at one size: files, boxes of files, or tables. */
import { join } from "node:path";
import sharp from "sharp";
import { decodeImage, expandGray, resizePixels } from "./decode.ts";
import { readImageFile } from "./files.ts";
import { cachedPixels } from "./images.ts";
import type { ImageOptions, Pixels } from "./images.ts";
import type { Crop, ListedImage } from "./listing.ts";

/** Images that are cut out at the same time. */
const WORKERS = 4;

/** Pixels of `images`, row i for image i; whole files come through the cache. */
export async function readPixels(
  images: readonly ListedImage[],
  { dir, ...o }: ImageOptions & { dir: string },
): Promise<Pixels> {
  const whole = images.every(({ source, crop }) => "file" in source && !crop);
  if (whole) {
    return await cachedPixels(
      images.map(({ source }) => join(dir, (source as { file: string }).file)),
      o,
    );
  }
  const { size, channels, onProgress } = o;
  const width = size * size * channels;
  const pixels = new Uint8Array(images.length * width);
  const bad = new Map<number, string>();
  const every = Math.max(1, Math.ceil(images.length / 100));
  let next = 0;
  const worker = async () => {
    while (next < images.length) {
      const i = next++;
      const values = await pixelsOf(images[i], dir, size, channels);
      const row = pixels.subarray(i * width, (i + 1) * width);
      if (typeof values === "string") bad.set(i, values);
      else if (values.length === width) row.set(values);
      else expandGray(values, row);
      if (next % every === 0) onProgress?.(next, images.length);
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, worker));
  return { pixels, bad };
}

/** One image as grey or colour values, or why there are none. */
async function pixelsOf(
  { source, crop }: ListedImage,
  dir: string,
  size: number,
  channels: 1 | 3,
): Promise<Uint8Array | string> {
  if (!("file" in source)) {
    return await resizePixels(source.pixels, source.width, size);
  }
  const bytes = readImageFile(join(dir, source.file));
  if (typeof bytes === "string") return bytes;
  const part = crop ? await cut(bytes, crop) : bytes;
  return typeof part === "string"
    ? part
    : await decodeImage(part, size, channels);
}

/**
 * A box of an upright image as an image of its own, as far as it lies within;
 * the bytes as they are where they are no image, for the decoder to say why.
 */
async function cut(bytes: Uint8Array, box: Crop): Promise<Uint8Array | string> {
  try {
    const image = sharp(bytes, { failOn: "truncated" }).autoOrient();
    const { autoOrient: { width, height } } = await image.metadata();
    const { left, top } = box;
    if (left >= width || top >= height) {
      return `its box begins at ${left}, ${top}; the image is ` +
        `${width} × ${height}`;
    }
    return await image.extract({
      left,
      top,
      width: Math.min(box.width, width - left),
      height: Math.min(box.height, height - top),
    }).png().toBuffer();
  } catch {
    return bytes;
  }
}
