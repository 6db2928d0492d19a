/** The pixels of listed images at one size, whether files or rows of a table. */
import { join } from "node:path";
import { expandGray, resizePixels } from "./decode.ts";
import { cachedPixels } from "./images.ts";
import type { ImageOptions, Pixels } from "./images.ts";
import type { ListedImage } from "./listing.ts";

/** Pixels of `images`, row i for image i; files come through the cache. */
export async function readPixels(
  images: readonly ListedImage[],
  { dir, ...o }: ImageOptions & { dir: string },
): Promise<Pixels> {
  const { size, channels } = o;
  const width = size * size * channels;
  const rows: number[] = [], files: string[] = [];
  images.forEach(({ source }, i) => {
    if (!("file" in source)) return;
    rows.push(i);
    files.push(join(dir, source.file));
  });
  const decoded = await cachedPixels(files, o);
  if (files.length === images.length) return decoded;
  const pixels = new Uint8Array(images.length * width);
  const bad = new Map<number, string>();
  rows.forEach((row, i) => {
    const reason = decoded.bad.get(i);
    if (reason !== undefined) bad.set(row, reason);
    const from = decoded.pixels.subarray(i * width, (i + 1) * width);
    pixels.set(from, row * width);
  });
  for (const [i, { source }] of images.entries()) {
    if ("file" in source) continue;
    const grey = await resizePixels(source.pixels, source.width, size);
    const out = pixels.subarray(i * width, (i + 1) * width);
    if (channels === 1) out.set(grey);
    else expandGray(grey, out);
  }
  return { pixels, bad };
}
