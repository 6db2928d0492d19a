/** Images to raw pixels, a few at a time; damaged files are reported. */
import sharp from "sharp";
import { decodeImage, resizePixels } from "./decode_image.ts";
import { contentOf, readImageFile } from "./image_file.ts";
import { decodeGrayJpeg } from "./gray_jpeg.ts";
import type { Crop } from "../listing.ts";

/** The path of a file, or gray pixels `[height, width]` that a table holds. */
export type ImageSource = string | { pixels: Uint8Array; width: number };

/** What decodeImages takes beside the sources. */
export interface DecodeOptions {
  /** Side in pixels. */
  size: number;
  channels: 1 | 3;
  /** The box of each file that is read instead of the whole image. */
  boxes?: readonly (Crop | undefined)[];
  /** Called with (done, total) about a hundred times while images are decoded. */
  onProgress?: (done: number, total: number) => void;
  /** Ends the work with its reason. */
  signal?: AbortSignal;
}

/** Decoded pixels of many images, or the reasons they could not be decoded. */
export interface Decoded {
  /**
   * `[sources, size, size, planes]`; rows of bad files are zero. Its buffer
   * has room for the `channels` that were asked for.
   */
  pixels: Uint8Array;
  /** 1 when every image is gray (or gray was asked for), else 3. */
  planes: 1 | 3;
  /** Reason per bad source. */
  bad: Map<number, string>;
}

/** Images that are decoded at the same time. */
const WORKERS = 4;

/** Bytes of a file up to which memory is used again, 1 MiB. */
const SMALL = 2 ** 20;

/** Milliseconds after which timers and signals get their turn. */
const BREATH = 50;

/** Writes each gray value three times: `[n]` to `[n, 3]`. */
export function expandGray(gray: Uint8Array, rgb: Uint8Array): void {
  const { buffer, byteOffset } = rgb;
  // Four values as three little-endian words, twice as fast.
  const whole = byteOffset % 4 === 0 ? gray.length & ~3 : 0;
  const words = new Uint32Array(buffer, whole && byteOffset, whole / 4 * 3);
  for (let i = 0, o = 0; i < whole; i += 4, o += 3) {
    const a = gray[i], b = gray[i + 1], c = gray[i + 2], d = gray[i + 3];
    words[o] = a * 0x10101 | b << 24;
    words[o + 1] = b * 0x101 | c * 0x1010000;
    words[o + 2] = c | d * 0x1010100;
  }
  for (let i = whole, o = whole * 3; i < gray.length; i++, o += 3) {
    rgb[o] = rgb[o + 1] = rgb[o + 2] = gray[i];
  }
}

/** Makes the gray values in the first third of `all` colours, in place. */
export function widen(all: Uint8Array): void {
  for (let i = all.length / 3 - 1, o = i * 3; i >= 0; i--, o -= 3) {
    all[o] = all[o + 1] = all[o + 2] = all[i];
  }
}

/** True where all three values of each pixel are equal. */
export function isGray(rgb: Uint8Array): boolean {
  for (let o = 0; o < rgb.length; o += 3) {
    if (rgb[o] !== rgb[o + 1] || rgb[o] !== rgb[o + 2]) return false;
  }
  return true;
}

/**
 * Decodes files by content (a PNG named .jpg loads) to `size` x `size`.
 * Never throws for a bad file: its index and reason go to `bad`.
 * @param contents filled with the content of each file, as `contentOf` has it
 */
export async function decodeImages(
  sources: readonly ImageSource[],
  { size, channels, boxes, onProgress, signal }: DecodeOptions,
  contents?: string[],
): Promise<Decoded> {
  const plane = size * size;
  // Memory that is never written costs nothing: gray images stay narrow.
  const all = new Uint8Array(sources.length * plane * channels);
  let planes: 1 | 3 = 1;
  const bad = new Map<number, string>();
  const every = Math.max(1, Math.ceil(sources.length / 100));
  let next = 0;
  let done = 0;
  let breath = performance.now() + BREATH;

  const keep = (i: number, values: Uint8Array) => {
    const gray = values.length === plane || isGray(values);
    if (!gray && planes === 1) {
      planes = 3;
      widen(all);
    }
    if (values.length === plane * planes) all.set(values, i * plane * planes);
    else if (planes === 3) {
      expandGray(values, all.subarray(i * plane * 3, (i + 1) * plane * 3));
    } else for (let p = 0; p < plane; p++) all[i * plane + p] = values[p * 3];
  };
  const row = new Uint8Array(plane);
  const scratch = new Uint8Array(SMALL);
  const one = async (i: number) => {
    const source = sources[i];
    if (typeof source !== "string") {
      keep(i, await resizePixels(source.pixels, source.width, size));
      return;
    }
    const bytes = readImageFile(source, scratch);
    const box = boxes?.[i];
    if (contents) contents[i] = contentOf(bytes, box);
    if (typeof bytes === "string") bad.set(i, bytes);
    else if (!box && decodeGrayJpeg(bytes, size, row, 0)) keep(i, row);
    else {
      // The next file is read while this one is decoded.
      const own = bytes.buffer === scratch.buffer ? bytes.slice() : bytes;
      const values = await decodeImage(own, size, channels, box);
      if (typeof values === "string") bad.set(i, values);
      else keep(i, values);
    }
  };
  const worker = async () => {
    while (next < sources.length) {
      signal?.throwIfAborted();
      await one(next++);
      done++;
      if (done % every === 0 || done === sources.length) {
        onProgress?.(done, sources.length);
      }
      if (performance.now() > breath) {
        await new Promise((resolve) => setTimeout(resolve));
        breath = performance.now() + BREATH;
      }
    }
  };
  // One libvips thread an image: the images themselves run in parallel.
  const threads = sharp.concurrency();
  sharp.concurrency(1);
  try {
    await Promise.all(Array.from({ length: WORKERS }, worker));
  } finally {
    sharp.concurrency(threads);
  }
  return {
    pixels: all.subarray(0, sources.length * plane * planes),
    planes,
    bad,
  };
}
