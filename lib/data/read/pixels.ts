/** The pixels of listed images at one size: files, boxes of files, or tables. */
import { expandGray } from "./decode_files.ts";
import { decodeImage, resizePixels } from "./decode_image.ts";
import { readImageFile } from "./image_file.ts";
import { cachedPixels } from "./cached_pixels.ts";
import type { ImageOptions, Pixels } from "./cached_pixels.ts";
import type { ListedImage } from "../listing.ts";

/** Images that are read at the same time. */
const WORKERS = 4;

/** Pixels of `images`, row i for image i; lists of files come by the cache. */
export async function readPixels(
  images: readonly ListedImage[],
  { dir, ...o }: Omit<ImageOptions, "boxes" | "signal"> & { dir: string },
): Promise<Pixels> {
  const root = dir || ".";
  const paths: string[] = [];
  for (const { source } of images) {
    if ("file" in source) paths.push(`${root}/${source.file}`);
  }
  if (paths.length === images.length) {
    const boxes = images.some(({ crop }) => crop)
      ? images.map(({ crop }) => crop)
      : undefined;
    return await cachedPixels(paths, { ...o, boxes });
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
      const values = await pixelsOf(images[i], root, size, channels);
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
  root: string,
  size: number,
  channels: 1 | 3,
): Promise<Uint8Array | string> {
  if ("pixels" in source) {
    return await resizePixels(source.pixels, source.width, size);
  }
  const bytes = readImageFile(`${root}/${source.file}`);
  return typeof bytes === "string"
    ? bytes
    : await decodeImage(bytes, size, channels, crop);
}
